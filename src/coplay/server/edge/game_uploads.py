"""`/api/games/…`: takes what peers upload about games. Mounted first, since most requests are uploads."""

import logging
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from coplay.data.batches import MAX_BATCH_BYTES
from coplay.messages.encoding import to_json
from coplay.messages.http import UploadAccepted
from coplay.server.clock import Clock
from coplay.server.edge.authorization import bearer_claims, check_origin
from coplay.server.edge.http_errors import PostEndpoint, not_found
from coplay.server.edge.request_bodies import announced_size, check_type, read_body, read_json
from coplay.server.refusals import RequestRefusedError, is_worth_logging
from coplay.server.settings import Settings
from coplay.server.uploads.ledger import Ledger
from coplay.server.uploads.stale_pages import StalePages
from coplay.signaling import TokenError, TokenSigner
from coplay.signaling.token_buckets import RateLimiter

BatchObserver = Callable[[str, int, int, int], None]
"""Called with the game, the player, the page's incarnation and the number of frames in a stored batch."""
ReportObserver = Callable[[str, int, int], None]
"""Called with the game, the player and the page's incarnation of a stored report."""

_GAME_ID: Final = re.compile(r"[0-9a-f]{20}")

_log = logging.getLogger(__name__)


class GameUploads:
    """The endpoints that take batches of frames and reports of the end.

    Args:
        settings: Limits and waits.
        signer: Verifies the games' tokens.
        ledger: Stores uploads.
        stale_pages: Refuses the reports of replaced pages.
        clock: The source of time.
        on_batch: Observers of stored batches.
        on_report: Observers of stored reports.

    Attributes:
        app: The ASGI application with both endpoints, to be mounted at `/api/games`.
        refused: How many uploads were refused, by HTTP status.
    """

    def __init__(
        self,
        settings: Settings,
        signer: TokenSigner,
        ledger: Ledger,
        stale_pages: StalePages,
        clock: Clock,
        *,
        on_batch: Sequence[BatchObserver] = (),
        on_report: Sequence[ReportObserver] = (),
    ) -> None:
        self._signer = signer
        self._ledger = ledger
        self._stale_pages = stale_pages
        self._clock = clock
        self._on_batch = on_batch
        self._on_report = on_report
        self._limiter = RateLimiter(settings.uploads_a_second, settings.upload_burst)
        self._arriving_bytes = 0
        self.refused: Counter[int] = Counter()
        self.app = Router(
            [
                Route("/{game_id}/batches", PostEndpoint(self.batch)),
                Route("/{game_id}/report", PostEndpoint(self.report)),
            ],
            redirect_slashes=False,
            default=PostEndpoint(not_found),
        )

    async def batch(self, request: Request) -> Response:
        """Answer `POST /api/games/<game_id>/batches`: confirmed frames of a peer.

        Raises:
            RequestRefusedError: The page may not upload, or the batch cannot be taken.
        """
        return await self._take(request, self._take_batch)

    async def report(self, request: Request) -> Response:
        """Answer `POST /api/games/<game_id>/report`: how a peer saw the end of the game.

        Raises:
            RequestRefusedError: The page may not upload, or the report cannot be taken.
        """
        return await self._take(request, self._take_report)

    async def _take(self, request: Request, take: Callable[[Request], Awaitable[Response]]) -> Response:
        """Take an upload if there is room for it. Count it if it is refused."""
        size = announced_size(request, MAX_BATCH_BYTES)
        self._arriving_bytes += size
        try:
            # Before the body is read: many uploads at a time must not fill the memory.
            self._ledger.check_room(self._arriving_bytes)
            return await take(request)
        except RequestRefusedError as error:
            self.refused[error.status] += 1
            count = self.refused[error.status]
            if is_worth_logging(count):
                _log.warning("%d uploads were refused with %d: %s", count, error.status, error)
            raise
        finally:
            self._arriving_bytes -= size

    async def _take_batch(self, request: Request) -> Response:
        game_id, player, incarnation = self._authorize(request)
        check_type(request, "application/octet-stream")
        body = await read_body(request, MAX_BATCH_BYTES)
        batch = await self._ledger.add_batch(game_id, player, body, incarnation)
        for observe in self._on_batch:
            observe(game_id, player, batch.incarnation, batch.frames)
        return JSONResponse(to_json(UploadAccepted(ok=True, acked=batch.number)))

    async def _take_report(self, request: Request) -> Response:
        game_id, player, incarnation = self._authorize(request)
        await self._stale_pages.check(game_id, player, incarnation or 0)
        check_type(request, "application/json")
        await self._ledger.add_report(game_id, player, await read_json(request, MAX_BATCH_BYTES))
        for observe in self._on_report:
            observe(game_id, player, incarnation or 0)
        return JSONResponse(to_json(UploadAccepted(ok=True)))

    def _authorize(self, request: Request) -> tuple[str, int, int | None]:
        """Return the game, player and incarnation of the page that uploads, as its token states them."""
        # All of this precedes the reading of the body, so that a refused upload costs little.
        check_origin(request)
        try:
            claims = bearer_claims(request, self._signer, "game", self._clock.wall())
        except TokenError as error:
            hint = error.hint or "Reload the page."
            raise RequestRefusedError(401, "This page may not upload.", hint) from None
        game_id, player = str(claims["game"]), int(claims["player"])
        if request.path_params["game_id"] != game_id or not _GAME_ID.fullmatch(game_id):
            raise RequestRefusedError(403, "The token is for another game.")
        if not self._limiter.take((game_id, player), self._clock.now()):
            raise RequestRefusedError(
                429, "Too many uploads in a short time.", "Try again in a second.", retry_after_s=1
            )
        incarnation = claims.get("incarnation")
        return game_id, player, None if incarnation is None else int(incarnation)
