"""What pages of a duel say and send while they play, and how their sockets break."""

import asyncio
from array import array
from collections.abc import Awaitable, Callable
from typing import Any

from tests.server.conftest import WAIT_S, Lab, Page

from coplay.data.batches import FrameBatch, encode

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n"


def frames(player: int, number: int = 0, first: int = 0, count: int = 4) -> bytes:
    """Some confirmed frames of a duel."""
    return encode(
        FrameBatch(
            number=number,
            peer=player,
            first_frame=first,
            inputs=bytes([1, 2] * count),
            confirmed_at_ms=array("d", [50.0 * (first + frame) for frame in range(count)]),
            predicted=bytes(count),
            corrected_after=bytes(2 * count),
            rewards=array("d", [0.0] * (2 * count)),
            flags=bytes([4] * (2 * count)),
            episodes=array("H", [0] * count),
            checksums=[],
            net=[],
            events=[],
        )
    )


async def finished(page: Page, config: dict[str, Any], **report: Any) -> Any:
    assert (await page.report(config, **{"last_frame": 9, **report}))[0] == 200
    assert (await page.call("game_over", {"game_id": config["game_id"]}))["ok"]
    return await page.scene("finish")


def told(page: Page, event: str) -> list[Any]:
    return [data for name, data in page.received if name == event]


def signal(config: dict[str, Any], target: int, kind: str = "offer", **payload: Any) -> dict[str, Any]:
    if kind in ("offer", "answer"):
        payload = {"sdp": SDP, **payload}
    return {
        "type": kind,
        "game_id": config["game_id"],
        "target_player_id": target,
        "payload": {"epoch": 0, "negotiation": 1, "seq": 1, "message_id": "m", **payload},
    }


async def broken(page: Page) -> None:
    """The page's connection breaks without a word."""
    gone = asyncio.Event()
    page.socket.on("disconnect", lambda *_: gone.set())
    page.socket.eio.ws._response.connection.transport.abort()  # type: ignore[attr-defined]
    await asyncio.wait_for(gone.wait(), WAIT_S)


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait until something is so; it is asked again and again, for a generous while.

    Args:
        condition: Asks.
    """
    async with asyncio.timeout(WAIT_S):
        while True:
            answer = condition()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.005)


async def missing(lab: Lab, page: Page) -> None:
    """The server has noticed that a page's socket is gone."""
    participant = lab.server.participants[page.identity["participant_id"]]
    await until(lambda: participant.attendance.is_away)


async def gone(lab: Lab, page: Page) -> None:
    """The page closes its socket, and the server has noticed."""
    await page.socket.disconnect()
    await missing(lab, page)
