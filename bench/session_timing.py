"""Times the netcode alone, in the Python that runs this file: a game of toy peers on a virtual clock.

It runs in CPython and in the browsers' Python, so it imports only `coplay.netcode` and the simulated network.
"""

import gc
import json
import time
from typing import Any

from tests.netcode.simulation import Conditions, SimulatedGame, ToyPeer

_WARM_UP_S = 2.0
_clock = time.perf_counter


def answer(request_json: str) -> str:
    """Play the same game several times, and time every call of a session.

    A virtual clock and a seed make all games equal call by call, so the shortest time of each tick is used,
    which excludes other work of the machine. The time of reading the clock is subtracted.

    Args:
        request_json: `{players, seconds, rounds, rtt, loss, fps, seed}`.

    Returns:
        JSON: microseconds per tick and peer, `mean p50 p99`: of all that a tick calls (datagrams that
        arrived, input, tick, effects and their answers, deadline), without simulation and network. And
        `messages` per tick to each other peer, `payload` bytes of each, `rollbacks` per 100 frames.
    """
    return json.dumps(_timed(**json.loads(request_json)))


def _timed(
    players: int, seconds: float, rounds: int, rtt: float, loss: float, fps: float, seed: int
) -> dict[str, float]:
    ticks: list[tuple[float, ...]] = []
    for _ in range(rounds):
        gc.collect()
        gc.disable()  # as in a browser, where collections are put between ticks
        game = TimedGame(
            owners=tuple(range(players)),
            frames=1 << 30,
            conditions=Conditions(latency=rtt / 2, loss=loss),
            seed=seed,
            config={"fps": fps},
        )
        game.before_tick = TimedGame.note_tick
        game.run(until=_WARM_UP_S)
        before = totals(game)
        skipped = [len(of(peer).ticks) for peer in game.peers.values()]
        game.run(until=_WARM_UP_S + seconds)
        gc.enable()
        measured = zip(game.peers.values(), skipped, strict=True)
        ticks.append(tuple(took for peer, warm_up in measured for took in of(peer).ticks[warm_up:]))
    quickest = sorted(map(min, zip(*ticks, strict=True)))
    after = totals(game)
    counted = {name: after[name] - before[name] for name in after}
    frames, packets = counted["frame"], counted["packets_sent"]
    return {
        "mean": 1e6 * sum(quickest) / len(quickest),
        "p50": 1e6 * quickest[len(quickest) // 2],
        "p99": 1e6 * quickest[int(0.99 * len(quickest))],
        "messages": packets / frames / (players - 1),
        "payload": counted["bytes_sent"] / packets,
        "rollbacks": 100 * counted["rollbacks"] / frames,
    }


def totals(game: SimulatedGame) -> dict[str, int]:
    """Return the counters of all peers' sessions, summed."""
    names = ("frame", "rollbacks", "stalled_frames", "packets_sent", "bytes_sent")
    stats = [peer.session.stats for peer in game.peers.values()]
    return {name: sum(getattr(each, name) for each in stats) for name in names}


class TimedSession:
    """A session whose calls are timed; all other attributes are those of the session.

    Args:
        session: The session.
        reading: The overhead of a timed call in seconds, which is subtracted.
    """

    def __init__(self, session: Any, reading: float) -> None:
        self.session = session
        self.ticks: list[float] = []
        """Seconds of each tick, including the datagrams that arrived before the next one."""
        self.seconds = 0.0
        self._reading = reading

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)

    def _took(self, began: float) -> None:
        self.seconds += _clock() - began - self._reading

    def receive_datagram(self, peer: int, data: bytes, now: float) -> None:
        began = _clock()
        self.session.receive_datagram(peer, data, now)
        self._took(began)

    def add_local_input(self, player: int, action: bytes, now: float) -> None:
        began = _clock()
        self.session.add_local_input(player, action, now)
        self._took(began)

    def tick(self, now: float) -> None:
        began = _clock()
        self.session.tick(now)
        self._took(began)

    def effects(self) -> Any:
        began = _clock()
        found = self.session.effects()
        self._took(began)
        return found

    def events(self) -> Any:
        began = _clock()
        found = self.session.events()
        self._took(began)
        return found

    def state_saved(self, frame: int, over: bool = False) -> None:
        began = _clock()
        self.session.state_saved(frame, over)
        self._took(began)

    def checksum_computed(self, frame: int, value: int) -> None:
        began = _clock()
        self.session.checksum_computed(frame, value)
        self._took(began)

    def next_deadline(self) -> float:
        began = _clock()
        found: float = self.session.next_deadline()
        self._took(began)
        return found


class _Idle:
    """A session that does nothing, with which the overhead of a timed call is measured."""

    def tick(self, now: float) -> None: ...


def _reading() -> float:
    """Return the overhead of a timed call, in seconds."""
    idle = TimedSession(_Idle(), 0.0)
    least = 1.0
    for _ in range(20):
        idle.seconds = 0.0
        for _ in range(50):
            idle.tick(0.0)
        least = min(least, idle.seconds / 50)
    return least


class TimedGame(SimulatedGame):
    """A simulated game whose sessions are timed."""

    def _make(self, number: int) -> None:
        super()._make(number)
        peer = self.peers[number]
        peer.session = TimedSession(peer.session, _reading())  # type: ignore[assignment]

    @staticmethod
    def note_tick(peer: ToyPeer) -> None:
        """Begin a tick; the time since the previous tick began belongs to that one."""
        session = of(peer)
        if peer.session.phase == "running":
            session.ticks.append(session.seconds)
        session.seconds = 0.0


def of(peer: ToyPeer) -> TimedSession:
    """Return the timed session of a peer."""
    assert isinstance(peer.session, TimedSession)
    return peer.session
