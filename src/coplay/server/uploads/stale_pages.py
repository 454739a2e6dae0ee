"""Refuses end-of-game reports from pages that were replaced.

The confirmed frames of a replaced page are as valid as any, and are stored and compared. But the end of the
game is reported by the page that played on: an older page's report would count as the seat's, and would end
the game for the page that plays.
"""

import asyncio
from functools import partial
from typing import Final

from sqlalchemy import Connection, func, select

from coplay.data.batches import NUMBERS_OF_A_PAGE
from coplay.data.database.store import Store
from coplay.data.database.tables import batches
from coplay.server.refusals import RETRY_AFTER_S, STORE_TIMEOUT_S, RequestRefusedError

MAX_SEATS: Final = 10_000


class StalePages:
    """A record of which page played last in each seat: the highest incarnation that uploaded frames.

    A page that was loaded and has not played does not make older pages stale: a report that an older page
    left in the browser then shows that the game was over before the new page was loaded.

    Args:
        store: Where the pages' uploads are.

    Attributes:
        refused: How many reports of replaced pages were refused.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last_incarnations: dict[tuple[str, int], int] = {}
        self.refused = 0

    def receive_batch(self, game_id: str, player: int, incarnation: int, frames: int) -> None:
        """Note that a page has uploaded a batch.

        Args:
            game_id: The game.
            player: The page's seat.
            incarnation: How many pages had the seat before it.
            frames: How many confirmed frames the batch holds.
        """
        # Seats that are not cached are read from the store when a report arrives, which is once for most.
        if frames > 0 and (game_id, player) in self._last_incarnations:
            self._raise((game_id, player), incarnation)

    async def check(self, game_id: str, player: int, incarnation: int) -> None:
        """Check that a page may report the end of a game.

        Args:
            game_id: The game.
            player: The page's seat.
            incarnation: How many pages had the seat before it.

        Raises:
            RequestRefusedError: A later page has played in this seat, or the store does not answer in time.
        """
        if incarnation < await self._last_incarnation((game_id, player)):
            self.refused += 1
            raise RequestRefusedError(409, "Another page plays on in this seat.")

    async def _last_incarnation(self, seat: tuple[str, int]) -> int:
        if seat not in self._last_incarnations:
            query = asyncio.wrap_future(self._store.submit(partial(_last_number, *seat)))
            try:
                number = await asyncio.wait_for(query, STORE_TIMEOUT_S)
            except TimeoutError:
                raise RequestRefusedError(
                    503, "The study's server is slow to answer.", retry_after_s=RETRY_AFTER_S
                ) from None
            # Everything can be read from the store again, so clearing the whole cache is safe.
            if len(self._last_incarnations) >= MAX_SEATS:
                self._last_incarnations.clear()
            # Not assigned: a batch that came during the query may have raised it already.
            self._raise(seat, number // NUMBERS_OF_A_PAGE)
        return self._last_incarnations[seat]

    def _raise(self, seat: tuple[str, int], incarnation: int) -> None:
        self._last_incarnations[seat] = max(incarnation, self._last_incarnations.get(seat, 0))


def _last_number(game_id: str, player: int, connection: Connection) -> int:
    """Return the highest number of a seat's batches that hold frames; 0 if there is none."""
    query = select(func.max(batches.c.number)).where(
        batches.c.game_id == game_id, batches.c.peer == player, batches.c.frames > 0
    )
    return int(connection.execute(query).scalar_one() or 0)
