"""Hundreds of random scenarios keep every invariant. `make soak` plays more."""

import pytest
from tests.netcode.simulation import Conditions, SimulatedGame, unique_inputs
from tests.netcode.simulation.drawing import KINDS, draw
from tests.netcode.simulation.failures import keep
from tests.netcode.simulation.playing import Outcome, play

EACH = 10


@pytest.mark.parametrize("kind", KINDS)
def test_drawn_scenarios_hold(kind: str) -> None:
    total = Outcome()
    for seed in range(EACH):
        scenario = draw(seed, kind)
        try:
            total.add(play(scenario))
        except Exception as error:
            error.add_note(keep(scenario, shrink_s=5))
            raise
    assert total.rollbacks > EACH


def test_same_effective_inputs_give_the_same_log_on_every_network() -> None:
    """Each seat's input depends on its frame alone, so the network may change nothing at all."""
    logs = set()
    for window, latency, loss, interval in (
        (8, 0.0, 0.0, 30),
        (2, 0.1, 0.0, 1),
        (8, 0.1, 0.2, 7),
        (16, 0.2, 0.1, 30),
    ):
        game = SimulatedGame(
            owners=(0, 1, 2),
            frames=150,
            script=unique_inputs(9, (1, 1, 1)),
            conditions=Conditions(latency=latency, jitter=latency / 4, loss=loss, duplicate=0.1, reorder=0.1),
            config={"max_prediction": window, "checksum_interval": interval},
        ).run()
        game.check_identical()
        logs.add(tuple(game.peers[0].log))
    assert len(logs) == 1


@pytest.mark.parametrize(
    ("owners", "conditions"),
    [
        ((0, 1, 2, 3), Conditions(latency=0.1, jitter=0.02, loss=0.15)),
        ((0, 1), Conditions(latency=0.05, loss=0.3)),
        ((0, 1), Conditions(latency=0.05, silences=((1.0, 2.0), (3.5, 4.5)))),
        ((0, 1, 2, 3, 4, 5, 6, 7), Conditions(latency=0.03, jitter=0.01, loss=0.05)),
        ((0, 1, 0, 1, 1), Conditions(latency=0.05, loss=0.1)),
    ],
    ids=["four far apart", "a third lost", "bursts of 60", "eight players", "several seats"],
)
def test_named_conditions_end_identical(owners: tuple[int, ...], conditions: Conditions) -> None:
    game = SimulatedGame(owners=owners, frames=240, conditions=conditions, seed=1).run()
    game.check_identical()
    assert game.rollbacks > 0


def test_link_dead_for_a_whole_window_at_the_start_heals() -> None:
    game = SimulatedGame(owners=(0, 1, 2, 3), frames=200, conditions=Conditions(latency=0.03))
    network = game.network
    network.on_send = lambda source, target, data: (
        None if {source, target} == {0, 3} and data[0] & 15 == 1 and network.now < 1.0 else data
    )
    game.run()
    game.check_identical()
    assert game.network.now < 6


def test_lost_acks_do_not_pin_a_session() -> None:
    """For two seconds nothing of peer 1 arrives; then one datagram in ten. It must go on from there."""
    game = SimulatedGame(frames=150, conditions=Conditions(latency=0.03))
    network = game.network
    network.on_send = lambda source, _target, data: (
        None
        if source == 1 and (1.0 <= network.now < 3.0 or (network.now < 5.0 and network.random.random() < 0.9))
        else data
    )
    game.run()
    game.check_identical()


def test_128_unacked_inputs_are_recovered_by_one_datagram() -> None:
    game = SimulatedGame(
        frames=300, conditions=Conditions(latency=0.02), config={"max_prediction": 120, "delay": 0}
    )
    network = game.network
    network.on_send = lambda source, _target, data: None if source == 1 and 1.0 <= network.now < 4.0 else data
    frames = []
    game.plan((3.99, lambda: frames.append(game.peers[0].session.current_frame)))
    game.run(until=4.1)
    assert frames[0] - game.peers[0].session.stats.confirmed_frame < 20
    assert game.peers[0].session.stats.max_rollback_frames > 80
    game.run()
    game.check_identical()
