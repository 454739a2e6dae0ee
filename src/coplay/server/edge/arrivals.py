"""`POST /api/participants`: gives a new page its participant, its token, and the list of what to load."""

import asyncio
from concurrent.futures import Future
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from coplay.messages.encoding import fields_of, to_json
from coplay.messages.http import Participation
from coplay.messages.study import BootInfo
from coplay.messages.to_page import Failure
from coplay.server.clock import Clock
from coplay.server.edge.authorization import LOOPBACK, check_origin
from coplay.server.edge.request_bodies import read_json
from coplay.server.messenger import Messenger
from coplay.server.people.participants import Participants
from coplay.server.people.scene_flow import SceneFlow
from coplay.server.refusals import RequestRefusedError
from coplay.server.settings import Settings
from coplay.server.uploads.ledger import Ledger
from coplay.signaling import TokenSigner
from coplay.signaling.token_buckets import RateLimiter

MAX_ARRIVAL_BYTES: Final = 16 * 1024
STORED_WITHIN_S: Final = 30.0


class Arrivals:
    """The endpoint that every page calls first.

    Args:
        boot: What every page needs to start: study, runtime and bundle.
        settings: Limits and waits.
        signer: Signs the pages' tokens.
        participants: All participants of the study.
        messenger: Closes the sockets of replaced pages.
        scene_flow: Holds the seat of a participant whose page is reloaded.
        ledger: Knows whether the store has room.
        clock: The source of time.
    """

    def __init__(
        self,
        boot: BootInfo,
        settings: Settings,
        signer: TokenSigner,
        participants: Participants,
        messenger: Messenger,
        scene_flow: SceneFlow,
        ledger: Ledger,
        clock: Clock,
    ) -> None:
        self._boot = boot
        self._token_s = settings.token_s
        self._signer = signer
        self._participants = participants
        self._messenger = messenger
        self._scene_flow = scene_flow
        self._ledger = ledger
        self._clock = clock
        self._limiter = RateLimiter(settings.arrivals_a_second, settings.arrival_burst)

    async def arrive(self, request: Request) -> Response:
        """Answer `POST /api/participants`: admit a page, and end an older page of the same participant.

        Raises:
            RequestRefusedError: Another site's page sent the request, the address loads too many pages, the
                body is malformed or names someone else's participant, or the store has no room now.
        """
        check_origin(request)
        self._check_rate(request)
        self._ledger.check_room(MAX_ARRIVAL_BYTES)
        body = await read_json(request, MAX_ARRIVAL_BYTES)
        participant, secret = self._participants.arrive(body, request.headers.get("user-agent", ""))
        participant_id = participant.participant_id
        replaced = Failure(
            error="This study was opened in another tab.",
            hint="Go on in that tab, and close this one.",
            reference="",
        )
        self._messenger.close(participant_id, replaced)
        self._scene_flow.reloaded(participant)
        claims: dict[str, str | int] = {"participant": participant_id, "visit": participant.attendance.visit}
        token = self._signer.sign("participant", claims, self._clock.wall() + self._token_s)
        if participant.stored is not None:
            await _wait_until_stored(participant.stored)
        answer = Participation(
            **fields_of(self._boot), participant_id=participant_id, secret=secret, token=token
        )
        return JSONResponse(to_json(answer))

    def _check_rate(self, request: Request) -> None:
        # Each arrival is a row, so one address could fill the database.
        address = request.client.host if request.client else ""
        if address not in LOOPBACK and not self._limiter.take(address, self._clock.now()):
            raise RequestRefusedError(
                429, "Too many pages are being opened from your network.", "Try again in a minute."
            )


async def _wait_until_stored(stored: "Future[None]") -> None:
    # A page must not show an id that a crash of the server would erase.
    try:
        await asyncio.wait_for(asyncio.wrap_future(stored), STORED_WITHIN_S)
    except Exception as error:
        raise RequestRefusedError(
            503, "The study's server cannot store data at the moment.", "Reload this page in a minute."
        ) from error
