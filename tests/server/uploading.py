"""Batches as browsers send them, and what of them is in the database."""

from array import array
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Row, text
from tests.server.conftest import Page

from coplay.data.batches import FrameBatch
from coplay.data.database.engines import open_engine


def batch(peer: int, number: int = 0, first: int = 0, frames: int = 4, **more: Any) -> FrameBatch:
    """Frames in which player 0 does 1 and player 1 does 2; the first is countdown."""
    whole = FrameBatch(
        number=number,
        peer=peer,
        first_frame=first,
        inputs=bytes([1, 2] * frames),
        confirmed_at_ms=array("d", [1000.0 + 50 * (first + frame) for frame in range(frames)]),
        predicted=bytes([0b10 if peer == 0 else 0b01] * frames),
        corrected_after=bytes([0, 3] * frames if peer == 0 else [0, 0] * frames),
        rewards=array("d", [0.5, -0.5] * frames),
        flags=bytes([0, 0] + [4, 4] * (frames - 1)) if first == 0 else bytes([4, 4] * frames),
        episodes=array("H", [0] * frames),
        checksums=[(first, 77)],
        net=[
            {
                "t_ms": 1.0,
                "utc": "2026-01-01T00:00:00.000+00:00",
                "rollbacks": 2,
                "peers": {"1": {"rtt_ms": 33.0, "browser_rtt_ms": 31.5, "path_bytes_sent": "many"}},
            }
        ],
        events=[
            {"t_ms": 2.0, "utc": "2026-01-01T00:00:00.000+00:00", "kind": "hidden", "detail": {"why": "tab"}}
        ],
    )
    return replace(whole, **more)


async def over(page: Page, config: dict[str, Any], **report: Any) -> None:
    """The page reports the end of its game and goes on."""
    status, _ = await page.report(config, **{"last_frame": 7, **report})
    assert status == 200
    await page.call("game_over", {"game_id": config["game_id"]})
    await page.scene("finish")


def rows(data: Path, query: str, **values: Any) -> Sequence[Row[Any]]:
    """What another connection reads: only what is committed."""
    engine = open_engine(data)
    try:
        with engine.connect() as connection:
            return connection.execute(text(query), values).all()
    finally:
        engine.dispose()


def kinds(data: Path) -> list[str]:
    """The kinds of all events, in order."""
    return [row.kind for row in rows(data, "SELECT kind FROM events ORDER BY id")]
