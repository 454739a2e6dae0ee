"""The HTTP half of what pages ask: arriving, and uploading what was played."""

import asyncio
import logging
import re
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from coplay.data.batches import MAX_BATCH_BYTES
from coplay.messages.encoding import fields_of, to_json
from coplay.messages.http import Participation, UploadAccepted
from coplay.messages.study import BootInfo
from coplay.messages.to_page import Failure
from coplay.server.clock import Clock
from coplay.server.edge.request_bodies import RequestRefused as RequestRefused
from coplay.server.edge.request_bodies import announced_size, check_origin, check_type, read_body, read_json
from coplay.server.messenger import Messenger
from coplay.server.people.participants import ArrivalError, Participants
from coplay.server.people.scene_flow import SceneFlow
from coplay.server.settings import Settings
from coplay.server.uploads.ledger import Ledger, UploadError
from coplay.signaling import TokenError, TokenSigner
from coplay.signaling.rate_limits import TokenBucket

MAX_ARRIVAL_BYTES: Final = 16 * 1024
MAX_ADDRESSES: Final = 10_000
MAX_BUCKETS: Final = 10_000
STORED_WITHIN_S: Final = 30.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
_GAME_ID = re.compile(r"[0-9a-f]{20}")

_log = logging.getLogger(__name__)


class Api:
    """Answers what pages ask over HTTP.

    Args:
        boot: What every page needs to start: study, runtime and bundle.
        settings: Limits and waits.
        signer: Makes and reads tokens.
        participants: The participants.
        messenger: Reaches their pages.
        scene_flow: Is told of reloads.
        ledger: Takes uploads.
        clock: The time.

    Attributes:
        refused: How many uploads were refused, by HTTP status.
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
        self._settings = settings
        self._signer = signer
        self._participants = participants
        self._messenger = messenger
        self._scene_flow = scene_flow
        self._ledger = ledger
        self._clock = clock
        self.refused: Counter[int] = Counter()
        self._arriving = 0
        self._arrivals: dict[str, TokenBucket] = {}
        self._buckets: dict[tuple[str, int], TokenBucket] = {}

    async def participants(self, request: Request) -> Response:
        """`POST /api/participants`: a page was loaded."""
        check_origin(request)
        self._check_arrivals(request)
        self._ledger.check_room(MAX_ARRIVAL_BYTES)
        body = await read_json(request, MAX_ARRIVAL_BYTES)
        try:
            participant, secret = self._participants.arrive(body, request.headers.get("user-agent", ""))
        except ArrivalError as error:
            raise RequestRefused(error.status, error.message, error.hint) from None
        participant_id = participant.participant_id
        gone = Failure(
            error="This study was opened in another tab.",
            hint="Go on in that tab, and close this one.",
            reference="",
        )
        self._messenger.close(participant_id, gone)
        self._scene_flow.reloaded(participant)
        claims: dict[str, str | int] = {"participant": participant_id, "visit": participant.attendance.visit}
        token = self._signer.sign("participant", claims, self._clock.wall() + self._settings.token_s)
        if participant.stored is not None:
            await _stored(participant.stored)
        answer = Participation(
            **fields_of(self._boot), participant_id=participant_id, secret=secret, token=token
        )
        return JSONResponse(to_json(answer))

    async def batch(self, request: Request) -> Response:
        """`POST /api/games/<game_id>/batches`: some confirmed frames."""

        async def take() -> Response:
            game_id, player, incarnation = self._player(request)
            check_type(request, "application/octet-stream")
            body = await read_body(request, MAX_BATCH_BYTES)
            acked = await self._ledger.add_batch(game_id, player, body, incarnation)
            return JSONResponse(to_json(UploadAccepted(ok=True, acked=acked)))

        return await self._upload(request, take)

    async def report(self, request: Request) -> Response:
        """`POST /api/games/<game_id>/report`: how a peer saw the end."""

        async def take() -> Response:
            game_id, player, _ = self._player(request)
            check_type(request, "application/json")
            await self._ledger.add_report(game_id, player, await read_json(request, MAX_BATCH_BYTES))
            return JSONResponse(to_json(UploadAccepted(ok=True)))

        return await self._upload(request, take)

    async def _upload(self, request: Request, take: Callable[[], Awaitable[Response]]) -> Response:
        """Take an upload if there is room for it, and count it if it is refused."""
        size = announced_size(request, MAX_BATCH_BYTES)
        self._arriving += size
        try:
            self._ledger.check_room(self._arriving)
            return await take()
        except (RequestRefused, UploadError) as error:
            self.refused[error.status] += 1
            count = self.refused[error.status]
            # One line for the first, the tenth, the hundredth: a flood must not fill the log.
            if str(count).strip("0") == "1":
                _log.warning("%d uploads were refused with %d: %s", count, error.status, error)
            raise
        finally:
            self._arriving -= size

    def _check_arrivals(self, request: Request) -> None:
        """Nobody fills the database from one address; this machine itself (tests, robots) may."""
        address = request.client.host if request.client else ""
        if address in _LOOPBACK:
            return
        if address not in self._arrivals:
            if len(self._arrivals) >= MAX_ADDRESSES:
                self._arrivals.clear()
            rate, burst = self._settings.arrivals_a_second, self._settings.arrival_burst
            self._arrivals[address] = TokenBucket(rate, burst, self._clock.now())
        if not self._arrivals[address].take(self._clock.now()):
            raise RequestRefused(
                429, "Too many pages are being opened from your network.", "Try again in a minute."
            )

    def _player(self, request: Request) -> tuple[str, int, int | None]:
        """The game, player and page that a request's token is bound to."""
        check_origin(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            claims = self._signer.read(
                "game", token if scheme.lower() == "bearer" else "", self._clock.wall()
            )
        except TokenError as error:
            raise RequestRefused(401, "This page may not upload.", error.hint or "Reload the page.") from None
        game_id, player = str(claims["game"]), int(claims["player"])
        if request.path_params["game_id"] != game_id or not _GAME_ID.fullmatch(game_id):
            raise RequestRefused(403, "The token is for another game.")
        bucket = self._buckets.get((game_id, player))
        if bucket is None:
            if len(self._buckets) >= MAX_BUCKETS:
                self._buckets.clear()
            rate, burst = self._settings.uploads_a_second, self._settings.upload_burst
            bucket = self._buckets[game_id, player] = TokenBucket(rate, burst, self._clock.now())
        if not bucket.take(self._clock.now()):
            raise RequestRefused(429, "Too many uploads at once.", "Try again in a second.", retry_after_s=1)
        incarnation = claims.get("incarnation")
        return game_id, player, None if incarnation is None else int(incarnation)


async def refused(_request: Request, error: Exception) -> Response:
    """The answer to a request that was refused."""
    match error:
        case RequestRefused():
            said = Failure(error=error.error, hint=error.hint, reference="")
        case UploadError():
            said = Failure(error=error.message, hint="", reference="")
        case _:
            raise error
    later = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s else None
    return JSONResponse(to_json(said), error.status, later)


async def broken(request: Request, error: Exception) -> Response:
    """The answer when the fault is ours: a sentence and a number; the traceback is in the log."""
    reference = secrets.token_hex(4)
    _log.error("%s %s failed (reference %s)", request.method, request.url.path, reference, exc_info=error)
    said = Failure(
        error="Something went wrong on the study's server.",
        hint="Reload the page in a minute.",
        reference=reference,
    )
    return JSONResponse(to_json(said), 500)


async def _stored(future: Any) -> None:
    try:
        await asyncio.wait_for(asyncio.wrap_future(future), STORED_WITHIN_S)
    except Exception as error:
        hint = "Reload this page in a minute."
        raise RequestRefused(503, "The study's server cannot store data at the moment.", hint) from error
