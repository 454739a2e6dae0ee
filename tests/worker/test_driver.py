"""Two drivers play one environment over a wire with latency and loss, in virtual time.

The tests of `coplay.browser`, the Python of the browser's worker, are here because tests/browser drives real
browsers.
"""

import heapq
import random
from collections.abc import Iterator
from typing import Any

import pytest

from coplay.browser.controls import Controls
from coplay.browser.driver import Driver
from coplay.browser.frame_recorder import FrameRecorder
from coplay.data.batches import FrameBatch, decode
from coplay.envs import Game, load_environment
from coplay.netcode import Event, GameAgreed, RollbackSession, SessionConfig
from coplay.study import keys

FPS = 30
STUDY_KEYS = keys.Keys({"ArrowUp": 0, "ArrowDown": 1, "ArrowLeft": 2, "ArrowRight": 3}, noop=6)


class Wire:
    """Carries datagrams with a fixed latency and seeded loss."""

    def __init__(self, latency: float, loss: float) -> None:
        self.now = 0.0
        self._latency, self._loss = latency, loss
        self._random = random.Random(3)
        self._queue: list[tuple[float, int, int, int, bytes]] = []
        self._count = 0

    def send(self, sender: int, receiver: int, data: bytes) -> None:
        self._count += 1
        if self._random.random() >= self._loss:
            heapq.heappush(self._queue, (self.now + self._latency, self._count, sender, receiver, data))

    def due(self) -> Iterator[tuple[float, int, int, bytes]]:
        while self._queue and self._queue[0][0] <= self.now:
            at, _, sender, receiver, data = heapq.heappop(self._queue)
            yield at, sender, receiver, data


class Peer:
    """A driver with its host."""

    def __init__(
        self, peer: int, wire: Wire, delay: int | None = 0, step_cost: float = 0.0, **game: Any
    ) -> None:
        self.peer, self.wire = peer, wire
        environment = load_environment("cogrid:Overcooked-CrampedRoom-V0")
        self.controls = Controls(STUDY_KEYS, environment.codecs[peer])
        config = SessionConfig(
            owners=(0, 1),
            peer=peer,
            default_inputs=(self.controls.default,) * 2,
            fps=FPS,
            delay=delay,
            step_cost=step_cost,
            digest={"environment": "overcooked"},
        )
        self.recorder = FrameRecorder(peer, 2)
        self.driver = Driver(
            Game(environment, seed=7, **game),
            RollbackSession(config, 0.0),
            self.recorder,
            {peer: self.controls},
            {},
            self,
            lambda: wire.now,
        )
        self.agreed: GameAgreed | None = None
        self.inbox: list[tuple[int, bytes, float]] = []

    def send(self, peer: int, data: bytes) -> None:
        self.wire.send(self.peer, peer, data)

    def happened(self, event: Event) -> None:
        if isinstance(event, GameAgreed):
            self.agreed = event

    def batch(self) -> FrameBatch:
        cut = self.recorder.cut()
        assert cut is not None
        return decode(cut[1], 2, (1, 1))


def play(wire: Wire, peers: list[Peer], seconds: float = 60.0) -> None:
    """Run until all peers have agreed on the outcome; now and then, a person presses another key."""
    fingers = random.Random(11)
    names = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]
    while wire.now < seconds and not all(peer.agreed for peer in peers):
        wire.now += 0.004
        for at, sender, receiver, data in wire.due():
            peers[receiver].inbox.append((sender, data, at))
        for peer in peers:
            if fingers.random() < 0.03:
                peer.controls.press(fingers.sample(names, fingers.randrange(2)))
            session = peer.driver.session
            if peer.inbox or wire.now >= session.next_deadline():
                inbox, peer.inbox = peer.inbox, []
                peer.driver.tick(wire.now, inbox)


def test_two_peers_with_latency_and_loss_record_identical_games() -> None:
    wire = Wire(latency=0.08, loss=0.1)
    peers = [Peer(peer, wire, max_frames=90, countdown_frames=10) for peer in (0, 1)]
    play(wire, peers)
    agreed = [peer.agreed for peer in peers]
    assert all(agreed)
    assert agreed[0] == agreed[1]
    assert agreed[0] is not None
    assert agreed[0].verdict == "identical"
    assert agreed[0].last_frame == 99
    mine, theirs = (peer.batch() for peer in peers)
    assert mine.inputs == theirs.inputs
    assert len(set(mine.inputs)) > 3
    assert mine.checksums == theirs.checksums
    assert len({checksum for _, checksum in mine.checksums}) == len(mine.checksums) > 2
    assert mine.rewards == theirs.rewards
    assert mine.flags == theirs.flags
    assert all(peer.driver.session.stats.rollbacks > 5 for peer in peers)


def test_countdown_frames_are_recorded_as_not_stepped() -> None:
    wire = Wire(latency=0.0, loss=0.0)
    peers = [Peer(peer, wire, max_frames=20, countdown_frames=10) for peer in (0, 1)]
    play(wire, peers)
    flags = peers[0].batch().flags
    assert [flag & 4 for flag in flags[:20]] == [0] * 20
    assert all(flag & 4 for flag in flags[20:])
    assert flags[-1] & 2, "max_frames truncates"


def test_automatic_delay_of_an_expensive_environment_is_equal_at_both_peers() -> None:
    wire = Wire(latency=0.07, loss=0.0)
    peers = [Peer(peer, wire, delay=None, step_cost=0.012, max_frames=30) for peer in (0, 1)]
    play(wire, peers)
    assert peers[0].driver.session.delay == peers[1].driver.session.delay > 0


@pytest.mark.parametrize("mode", ["held", "stroke"])
def test_a_tap_between_two_frames_acts_for_exactly_one(mode: Any) -> None:
    environment = load_environment("cogrid:Overcooked-CrampedRoom-V0")
    controls = Controls(keys.Keys(STUDY_KEYS.mapping, noop=6, mode=mode), environment.codecs[0])
    controls.press(["ArrowUp"])
    controls.press([])
    first = controls.action
    controls.frame_advanced()
    assert first == environment.codecs[0].encode(0)
    assert controls.action == controls.default
