"""What a page may still say about a game once another page plays in its seat: nothing.

Its confirmed frames are as true as before, and are stored and compared. But how the game went is told by the
page that played on: a report of the former would count as the seat's, and end the game for it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from sqlalchemy import Connection, func, select
from starlette.requests import Request
from starlette.responses import Response

from coplay.data.database.store import Store
from coplay.data.database.tables import batches
from coplay.server.clock import Clock
from coplay.server.edge.request_bodies import RequestRefused
from coplay.server.games.seats import INCARNATION_BITS
from coplay.signaling import TokenError, TokenSigner

Endpoint = Callable[[Request], Awaitable[Response]]

PATIENCE_S: Final = 2.5
RETRY_AFTER_S: Final = 3
MOST_SEATS: Final = 10_000


class StalePages:
    """Knows which page of each seat played last: that of the highest incarnation that brought frames.

    A page that was loaded and has not played says nothing against a report that the page before it left in
    the browser. Then the game was over before it came.

    Args:
        signer: Reads the games' tokens.
        store: Where the pages' uploads are.
        clock: The time.

    Attributes:
        left_report: Is called with the game, the player and the incarnation of every page whose report was
            taken.
        refused: How many reports of replaced pages were refused.
    """

    def __init__(self, signer: TokenSigner, store: Store, clock: Clock) -> None:
        self._signer = signer
        self._store = store
        self._clock = clock
        self.left_report: Callable[[str, int, int], None] = lambda *_: None
        self._played: dict[tuple[str, int], int] = {}
        self.refused = 0

    def hear_batch(self, game_id: str, player: int, number: int, frames: int) -> None:
        """A page uploaded something; `number` tells its incarnation."""
        if frames > 0 and (game_id, player) in self._played:
            self._note((game_id, player), number >> INCARNATION_BITS)

    def newest_only(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint, but for pages that were replaced by one that plays. A token that is none is the
        endpoint's affair."""

        async def answer(request: Request) -> Response:
            token = request.headers.get("authorization", "").partition(" ")[2]
            try:
                claims = self._signer.read("game", token, self._clock.wall())
            except TokenError:
                return await endpoint(request)
            seat = str(claims["game"]), int(claims["player"])
            incarnation = int(claims.get("incarnation", 0))
            if incarnation < await self._last_played(seat):
                self.refused += 1
                raise RequestRefused(409, "Another page plays on in this seat.")
            response = await endpoint(request)
            self.left_report(*seat, incarnation)
            return response

        return answer

    async def _last_played(self, seat: tuple[str, int]) -> int:
        if seat not in self._played:
            asked = asyncio.wrap_future(self._store.submit(partial(_last_number, *seat)))
            try:
                number = await asyncio.wait_for(asked, PATIENCE_S)
            except TimeoutError:
                raise RequestRefused(
                    503, "The study's server is slow to answer.", retry_after_s=RETRY_AFTER_S
                ) from None
            if len(self._played) >= MOST_SEATS:
                self._played.clear()
            self._note(seat, number >> INCARNATION_BITS)
        return self._played[seat]

    def _note(self, seat: tuple[str, int], incarnation: int) -> None:
        self._played[seat] = max(incarnation, self._played.get(seat, 0))


def _last_number(game_id: str, player: int, connection: Connection) -> int:
    """The highest number of a batch with frames; 0 for none."""
    chosen = select(func.max(batches.c.number)).where(
        batches.c.game_id == game_id, batches.c.peer == player, batches.c.frames > 0
    )
    return int(connection.execute(chosen).scalar_one() or 0)
