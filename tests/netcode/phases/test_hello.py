"""The hello phase: matching configurations, measured links, one input delay."""

import pytest
from tests.netcode.simulation import Conditions, SimulatedGame, configure

from coplay.netcode import HelloMismatch, RollbackSession, Running, SaveState, SendDatagram
from coplay.netcode.config import MAX_DIGEST_FIELDS
from coplay.netcode.phases.hello import choose_delay


@pytest.mark.parametrize("latency", [0.001, 0.05, 0.2])
def test_hello_completes_within_two_round_trips(latency: float) -> None:
    game = SimulatedGame(frames=300, conditions=Conditions(latency=latency))
    game.run(until=4 * latency + 0.001)
    assert all(peer.session.phase == "running" for peer in game.peers.values())


def test_frame_0_begins_everywhere_at_the_same_time() -> None:
    game = SimulatedGame(
        owners=(0, 1, 2),
        frames=600,
        conditions=lambda source, target: Conditions(latency=0.02 if 2 not in (source, target) else 0.1),
        config={"delay": 2},
    )
    game.run(until=1.0)
    frames = [peer.session.current_frame for peer in game.peers.values()]
    assert max(frames) - min(frames) <= 1


@pytest.mark.parametrize("loss", [0.2, 0.5])
@pytest.mark.parametrize("seed", range(5))
def test_lossy_hello_completes(loss: float, seed: int) -> None:
    game = SimulatedGame(
        owners=(0, 1, 2, 3), frames=5, conditions=Conditions(latency=0.03, loss=loss), seed=seed
    ).run()
    game.check_identical()


def test_hello_waits_for_late_peers() -> None:
    game = SimulatedGame(owners=(0, 1, 2), frames=30, starts={0: 2.0, 1: 0.0, 2: 5.0}).run()
    game.check_identical()
    assert game.network.now < 7


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"digest": {"environment": "other", "seed": "7"}}, "environment"),
        ({"digest": {"environment": "toy"}}, "seed"),
        ({"digest": {"environment": "toy", "seed": "7", "wheels": "x"}}, "wheels"),
        ({"fps": 30.0}, "fps"),
        ({"delay": 2}, "delay"),
        ({"max_prediction": 6}, "max_prediction"),
        ({"default_inputs": (b"\1", b"\0")}, "default_inputs"),
        ({"checksum_interval": 10}, "checksum_interval"),
    ],
)
def test_mismatch_names_the_field_at_both_peers(changes: dict[str, object], field: str) -> None:
    game = SimulatedGame(frames=30, config_of={1: changes})
    game.run(until=5.0)
    for number, peer in game.peers.items():
        assert peer.of(HelloMismatch) == [HelloMismatch(1 - number, field)]
        assert game.verdicts()[number].verdict == "mismatch"
        assert field in game.verdicts()[number].reason
        assert not peer.of(Running)
        assert peer.log == []


def test_other_protocol_version_is_a_mismatch_but_one_stray_datagram_is_not() -> None:
    session = RollbackSession(configure(0, (0, 1)), 0.0)
    foreign = b"\x20\x00\x00\x00\x00\x00\xff"
    session.receive_datagram(1, foreign, 0.0)
    assert session.phase == "hello"
    session.receive_datagram(1, foreign, 0.1)
    session.receive_datagram(1, foreign, 0.2)
    assert session.phase == "closed"
    assert HelloMismatch(1, "protocol") in session.events()


def test_hello_is_answered_immediately() -> None:
    one, other = RollbackSession(configure(0, (0, 1)), 0.0), RollbackSession(configure(1, (0, 1)), 0.0)
    one.tick(0.0)
    (greeting,) = one.effects()
    assert isinstance(greeting, SendDatagram)
    other.receive_datagram(0, greeting.data, 0.05)
    (answer,) = other.effects()
    assert isinstance(answer, SendDatagram)
    assert answer.peer == 0


def test_hello_repeats_every_100_ms() -> None:
    session = RollbackSession(configure(0, (0, 1)), 0.0)
    sent, now = 0, 0.0
    while now < 1.05:
        session.tick(now)
        sent += len(session.effects())
        now = session.next_deadline()
    assert sent == 11


@pytest.mark.parametrize(
    ("rtt", "fps", "cost", "expected"),
    [
        (0.0, 60, 0.0, 0),
        (0.02, 60, 0.0, 0),
        (0.1, 60, 0.0, 0),
        (0.2, 60, 0.0, 3),
        (0.2, 60, 0.003, 4),
        (0.1, 30, 0.0106, 1),
        (0.2, 30, 0.0106, 2),
        (2.0, 60, 0.0, 8),
    ],
)
def test_delay_leaves_only_what_can_be_resimulated_to_prediction(
    rtt: float, fps: float, cost: float, expected: int
) -> None:
    assert choose_delay(rtt, fps, cost, 8) == expected


def test_one_slow_round_trip_among_quick_ones_does_not_set_the_delay() -> None:
    """The first answer may be slow because the page is starting; the network path is not."""
    wakes = (0.0, 0.09)
    sessions = [
        RollbackSession(configure(peer, (0, 1), delay=None, step_cost=0.01), wakes[peer]) for peer in (0, 1)
    ]
    under_way: list[tuple[float, int, int, bytes]] = []
    now = 0.0
    while now < 3.0 and any(session.phase == "hello" for session in sessions):
        for peer, session in enumerate(sessions):
            if now < wakes[peer]:
                continue
            for item in [item for item in under_way if item[2] == peer and item[0] <= now]:
                under_way.remove(item)
                session.receive_datagram(item[1], item[3], now)
            if now >= session.next_deadline():
                session.tick(now)
            for effect in session.effects():
                if isinstance(effect, SendDatagram):
                    under_way.append((now + 0.002, peer, effect.peer, effect.data))
                elif isinstance(effect, SaveState):
                    session.state_saved(effect.frame)
        now = round(now + 0.002, 6)
    assert [session.delay for session in sessions] == [0, 0]


def test_hello_with_the_most_digest_fields_completes() -> None:
    digest = {f"field {number}": str(number) for number in range(MAX_DIGEST_FIELDS)}
    game = SimulatedGame(frames=30, config={"digest": digest}).run()
    game.check_identical()
