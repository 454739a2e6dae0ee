"""Drivers with a real environment: a peer leaves, comes back, or computes a wrong state."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from tests.worker.test_driver import FPS, STUDY_KEYS, Wire

from coplay.browser.controls import Controls
from coplay.browser.driver import Driver
from coplay.browser.frame_recorder import FrameRecorder
from coplay.data.batches import NUMBERS_OF_A_PAGE, decode
from coplay.envs import Game, load_environment
from coplay.netcode import (
    DesyncExplained,
    DesyncLocated,
    Event,
    GameAgreed,
    Rejoined,
    Resynced,
    RollbackSession,
    SessionConfig,
)

FRAMES = 150


def stir(_env: Any, player_id: int) -> int:
    """Return an action that neither people nor the default action give."""
    return (0, 1)[player_id]


class Peer:
    """A driver in a game of two, with its host."""

    def __init__(self, peer: int, wire: Wire, incarnation: int = 0, epoch: int = 0, **config: Any) -> None:
        self.peer, self.wire = peer, wire
        environment = load_environment("cogrid:Overcooked-CrampedRoom-V0")
        self.controls = Controls(STUDY_KEYS, environment.codecs[peer])
        self.recorder = FrameRecorder(peer, 2, incarnation)
        self.driver = Driver(
            Game(environment, seed=7, max_frames=FRAMES),
            RollbackSession(
                SessionConfig(
                    owners=(0, 1),
                    peer=peer,
                    default_inputs=(self.controls.default,) * 2,
                    fps=FPS,
                    delay=1,
                    epochs={1 - peer: epoch},
                    rejoining=incarnation > 0,
                    **config,
                ),
                wire.now,
            ),
            self.recorder,
            {peer: self.controls},
            {0: stir, 1: stir},
            self,
            lambda: wire.now,
        )
        self.events: list[Event] = []
        self.inbox: list[tuple[int, bytes, float]] = []

    def send(self, peer: int, data: bytes) -> None:
        self.wire.send(self.peer, peer, data)

    def happened(self, event: Event) -> None:
        self.events.append(event)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def play(wire: Wire, peers: list[Peer], until: Callable[[], bool]) -> None:
    """Run until a condition holds; now and then, a person presses another key."""
    fingers = random.Random(11)
    names = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]
    while not until():
        assert wire.now < 60
        wire.now += 0.004
        for at, sender, receiver, data in wire.due():
            for peer in peers:
                if peer.peer == receiver:
                    peer.inbox.append((sender, data, at))
        for peer in peers:
            if fingers.random() < 0.03:
                peer.controls.press(fingers.sample(names, fingers.randrange(2)))
            session = peer.driver.session
            if peer.inbox or wire.now >= session.next_deadline():
                inbox, peer.inbox = peer.inbox, []
                peer.driver.tick(wire.now, inbox)


def reached(peer: Peer, frame: int) -> Callable[[], bool]:
    return lambda: peer.driver.session.published_frame >= frame


def ended(*peers: Peer) -> Callable[[], bool]:
    return lambda: all(peer.of(GameAgreed) for peer in peers)


def test_restarted_peer_gets_the_state_and_plays_to_the_same_end() -> None:
    wire = Wire(latency=0.05, loss=0.1)
    stays, goes = Peer(0, wire), Peer(1, wire)
    play(wire, [stays, goes], reached(stays, 50))
    back = Peer(1, wire, incarnation=1, epoch=1)
    stays.driver.session.peer_returned(1, 1, wire.now)
    play(wire, [stays, back], ended(stays, back))
    assert stays.of(GameAgreed) == back.of(GameAgreed)
    (agreed,) = back.of(GameAgreed)
    assert (agreed.verdict, agreed.last_frame) == ("identical", FRAMES - 1)
    assert stays.driver.game.total_scores == back.driver.game.total_scores
    (rejoined,) = back.of(Rejoined)
    number, body = back.recorder.cut() or (0, b"")
    assert number == NUMBERS_OF_A_PAGE
    batch = decode(body, 2, (1, 1))
    assert batch.first_frame == rejoined.frame > 50
    assert batch.first_frame + batch.frames == FRAMES
    whole = decode((stays.recorder.cut() or (0, b""))[1], 2, (1, 1))
    assert whole.inputs.endswith(batch.inputs)
    assert dict(batch.checksums).items() <= dict(whole.checksums).items()


@pytest.mark.parametrize("fate", ["default", "bot"])
def test_seat_of_a_leaver_goes_on(fate: Any) -> None:
    wire = Wire(latency=0.05, loss=0.1)
    stays, goes = Peer(0, wire, fates=(fate, fate)), Peer(1, wire, fates=(fate, fate))
    play(wire, [stays, goes], reached(stays, 50))
    stays.driver.session.peer_left(1, wire.now)
    play(wire, [stays], ended(stays))
    (agreed,) = stays.of(GameAgreed)
    assert (agreed.verdict, agreed.last_frame) == ("truncated", FRAMES - 1)
    (cut,) = stays.driver.session.cuts
    inputs = decode((stays.recorder.cut() or (0, b""))[1], 2, (1, 1)).inputs
    after = set(inputs[1::2][cut.last_frame + 20 :])
    codec = stays.driver.game.environment.codecs[1]
    assert after == ({codec.encode(1)[0]} if fate == "bot" else {stays.controls.default[0]})


@pytest.mark.parametrize("spoiled", [0, 1])
def test_spoiled_state_is_located_named_and_repaired(spoiled: int) -> None:
    wire = Wire(latency=0.05, loss=0.05)
    peers = [Peer(peer, wire, on_desync="resync") for peer in (0, 1)]
    play(wire, peers, reached(peers[spoiled], 35))
    game = peers[spoiled].driver.game
    step = game.environment.step

    def once(actions: Any) -> Any:
        outcome = step(actions)
        if game.frame == 44:
            game.environment.unwrapped.cumulative_score += 1
        return outcome

    game.environment.step = once  # type: ignore[method-assign]
    play(wire, peers, lambda: bool(peers[1].of(Resynced)))
    game.environment.step = step  # type: ignore[method-assign]
    play(wire, peers, ended(*peers))
    for peer in peers:
        (located,) = peer.of(DesyncLocated)
        assert (located.frame, located.reproduced) == (45, True)
    (explained,) = peers[1].of(DesyncExplained)
    assert explained.paths[0].endswith("cumulative_score")
    assert {peer.of(GameAgreed)[0].verdict for peer in peers} == {"divergent"}
    assert "cumulative_score" in peers[1].of(GameAgreed)[0].reason
    assert peers[0].driver.game.checksum() == peers[1].driver.game.checksum()
