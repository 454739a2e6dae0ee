"""Links that may only use a TURN server, and do not reveal addresses."""

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any

from coplay.headless.links.game_links import GameLinks
from coplay.messages.game import GameConfig, IceServer
from coplay.signaling.turn import IceServers

if TYPE_CHECKING:
    from playtest import TurnServer


class End:
    """One of two peers in this process; its signals reach the other immediately."""

    other: "End"

    def __init__(self, me: int, turn: "TurnServer") -> None:
        self.signals: list[dict[str, Any]] = []
        self.heard: list[bytes] = []
        servers = IceServers(turn=("turn:[::1]:3478", turn.address), secret=turn.secret)
        self.me = me
        self.links = GameLinks(
            GameConfig(
                game_id="0" * 20,
                scene_index=0,
                owners=(0, 1),
                peers=(0, 1),
                seed=1,
                fps=30,
                input_delay="auto",
                max_prediction=8,
                episodes=1,
                max_frames=None,
                countdown_frames=0,
                when_left="end",
                on_desync="end",
                digest={},
                ice_policy="relay",
                epoch=0,
                player_id=me,
                incarnations={"0": 0, "1": 0},
                epochs={str(1 - me): 0},
                rejoining=False,
                left=(),
                ice_servers=tuple(IceServer(**row) for row in servers.for_player(f"game-{me}", time.time())),
                token="",
            ),
            self,
        )

    def send_signal(self, peer: int, kind: str, payload: dict[str, Any]) -> None:
        self.signals.append(payload)
        self.other.links.receive_signal(self.me, kind, payload)

    def send_relayed(self, peer: int, data: bytes) -> None:
        """Drop the datagram: there is no server in this test."""

    def datagram_received(self, peer: int, data: bytes) -> None:
        self.heard.append(data)

    def now(self) -> float:
        return time.perf_counter()


async def meet(ends: tuple[End, End]) -> None:
    """Exchange datagrams until both ends have received one."""
    ends[0].other, ends[1].other = ends[1], ends[0]
    for end in ends:
        end.links.start()
    async with asyncio.timeout(30):
        while not all(end.heard for end in ends):
            for end in ends:
                end.links.tick()
                end.links.send(1 - end.me, b"datagram")
            await asyncio.sleep(0.02)


def test_relay_only_peers_reveal_no_address_but_the_turn_servers(turn: "TurnServer") -> None:
    async def both() -> list[dict[int, str]]:
        ends = (End(0, turn), End(1, turn))
        try:
            await meet(ends)
            told.extend(payload for end in ends for payload in end.signals)
            return [end.links.paths() for end in ends]
        finally:
            for end in ends:
                await end.links.close()

    told: list[dict[str, Any]] = []
    assert asyncio.run(both()) == [{1: "turn"}, {0: "turn"}]
    descriptions = [payload["sdp"] for payload in told if "sdp" in payload]
    assert len(descriptions) >= 2
    for sdp in descriptions:
        candidates = re.findall(r"^a=candidate:.*", sdp, re.MULTILINE)
        assert candidates
        assert all(" typ relay " in candidate for candidate in candidates)
        assert set(re.findall(r"\d+\.\d+\.\d+\.\d+", sdp)) <= {"127.0.0.1", "0.0.0.0"}
    assert not [payload for payload in told if payload.get("candidate")]
