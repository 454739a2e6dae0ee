"""Leaves: all remaining peers agree on one cut, whatever each of them had received."""

import math
from collections.abc import Callable

import pytest
from tests.netcode.simulation import Conditions, SimulatedGame

from coplay.netcode import GameAgreed, PeerLeft


def tell(game: SimulatedGame, peer: int, left: int) -> Callable[[], None]:
    """Return an action: the server reports to `peer` that `left` is gone."""

    def act() -> None:
        if peer not in game.network.dead and peer in game.peers:
            told = game.peers[peer]
            told.session.peer_left(left, told.local(game.network.now))

    return act


def check_agreed_cut(game: SimulatedGame, *left: int) -> None:
    game.check_identical("truncated")
    log = game.survivors()[0].log
    for peer in left:
        assert game.peers[peer].log == log[: len(game.peers[peer].log)], "nothing confirmed was cut off"


@pytest.mark.parametrize("gap", range(8))
def test_survivors_that_differ_by_some_frames_agree_on_the_newest(gap: int) -> None:
    game = SimulatedGame(owners=(0, 1, 2), frames=400, conditions=Conditions(latency=0.03))
    network, dies_at = game.network, 1.5
    network.on_send = lambda source, target, data: (
        None if (source, target) == (2, 1) and network.now >= dies_at - gap / 60 else data
    )
    held: list[int] = []
    game.plan(
        (dies_at, lambda: game.kill(2)),
        (
            dies_at + 0.2,
            lambda: held.extend(game.peers[peer].session._timeline.queues[2].last for peer in (0, 1)),
        ),
        (dies_at + 0.2, tell(game, 0, 2)),
        (dies_at + 0.3, tell(game, 1, 2)),
    )
    game.run()
    assert gap - 1 <= held[0] - held[1] <= gap + 1
    check_agreed_cut(game, 2)
    assert game.verdicts()[0].last_frame == held[0]


def test_two_players_end_truncated_when_one_leaves() -> None:
    game = SimulatedGame(frames=400)
    game.plan((1.5, lambda: game.kill(1)), (3.0, tell(game, 0, 1)))
    game.run()
    check_agreed_cut(game, 1)
    verdict = game.verdicts()[0]
    assert verdict.last_frame >= 60
    assert verdict.reason == "Peer 1 left."
    assert game.network.now < 3.5


def test_two_leavers_seen_in_opposite_order_converge() -> None:
    for seed in range(10):
        game = SimulatedGame(
            owners=(0, 1, 2, 3), frames=400, conditions=Conditions(latency=0.03, loss=0.1), seed=seed
        )
        game.plan(
            (1.5, lambda game=game: game.kill(2)),
            (1.55, lambda game=game: game.kill(3)),
            (1.7, tell(game, 0, 2)),
            (1.7, tell(game, 1, 3)),
            (1.9, tell(game, 0, 3)),
            (1.9, tell(game, 1, 2)),
        )
        game.run()
        check_agreed_cut(game, 2, 3)


def test_leave_reported_to_one_survivor_is_known_to_all() -> None:
    game = SimulatedGame(owners=(0, 1, 2, 3), frames=400)
    game.plan((1.5, lambda: game.kill(2)), (1.7, tell(game, 3, 2)))
    game.run()
    check_agreed_cut(game, 2)
    assert all(len(peer.of(PeerLeft)) == 1 for peer in game.survivors())


def test_remaining_peers_agree_after_the_peer_with_the_newest_input_died_too() -> None:
    """Only peer 1 holds the last inputs of peer 2, then it dies, too. The others settle on what they hold."""
    game = SimulatedGame(owners=(0, 1, 2, 3), frames=400, conditions=Conditions(latency=0.03))
    network = game.network
    network.on_send = lambda source, target, data: (
        None if source == 2 and target in (0, 3) and network.now >= 1.4 else data
    )
    game.plan(
        (1.5, lambda: game.kill(2)),
        (1.55, tell(game, 1, 2)),
        (1.56, lambda: game.kill(1)),
        (1.8, tell(game, 0, 2)),
        (2.0, tell(game, 3, 1)),
    )
    game.run()
    check_agreed_cut(game, 1, 2)


def test_peer_that_leaves_before_frame_1_ends_the_game_for_all() -> None:
    for at in (0.01, 0.12, 0.2, 0.26):
        game = SimulatedGame(owners=(0, 1, 2), frames=100, conditions=Conditions(latency=0.05))
        game.plan(
            (at, lambda game=game: game.kill(2)),
            (at + 0.1, tell(game, 0, 2)),
            (at + 0.4, tell(game, 1, 2)),
        )
        game.run()
        verdicts = [game.verdicts()[peer] for peer in (0, 1)]
        assert {verdict.verdict for verdict in verdicts} == {"truncated"}
        assert len({verdict.last_frame for verdict in verdicts}) == 1
        assert game.peers[0].log == game.peers[1].log


def test_peer_in_its_hello_learns_of_a_leave_from_a_running_one() -> None:
    game = SimulatedGame(owners=(0, 1, 2), frames=100, conditions=Conditions(latency=0.03))
    network = game.network
    # Peer 2 never gets the delay that peer 0 chose.
    network.on_send = lambda source, target, data: (
        None if (source, target) == (0, 2) and network.now >= 0.08 else data
    )
    game.plan((0.4, lambda: game.kill(0)), (0.6, tell(game, 1, 0)))
    game.run()
    assert game.peers[2].session.current_frame == 0
    assert {game.verdicts()[peer].verdict for peer in (1, 2)} == {"truncated"}
    assert game.peers[1].log == game.peers[2].log == []


def test_partition_never_forks_the_log() -> None:
    game = SimulatedGame(owners=(0, 1, 2, 3), frames=600, conditions=Conditions(latency=0.03))
    network = game.network
    network.on_send = lambda source, target, data: (
        None if (source < 2) != (target < 2) and network.now >= 1.5 else data
    )
    game.plan(
        *[
            (2.0 + 0.1 * near, tell(game, near, far))
            for near in range(4)
            for far in range(4)
            if (near < 2) != (far < 2)
        ]
    )
    game.run()
    logs = [peer.log for peer in game.peers.values()]
    assert logs[0] == logs[1]
    assert logs[2] == logs[3]
    shorter = min(len(log) for log in logs)
    assert all(log[:shorter] == logs[0][:shorter] for log in logs)
    assert {verdict.verdict for verdict in game.verdicts().values()} == {"truncated"}


def test_running_peer_that_counts_as_left_is_told_so() -> None:
    game = SimulatedGame(owners=(0, 1, 2), frames=600)
    game.plan((1.5, tell(game, 0, 2)))
    game.run()
    verdicts = game.verdicts()
    assert {verdict.verdict for verdict in verdicts.values()} == {"truncated"}
    assert game.peers[0].log == game.peers[1].log
    shorter = min(len(game.peers[0].log), len(game.peers[2].log))
    assert game.peers[0].log[:shorter] == game.peers[2].log[:shorter]
    assert game.network.now < 15


def test_goodbye_of_a_peer_needs_no_other_report() -> None:
    game = SimulatedGame(owners=(0, 1, 2), frames=600, conditions=Conditions(latency=0.03, loss=0.2), seed=2)
    game.plan((1.5, lambda: game.peers[1].session.leave(game.peers[1].local(game.network.now))))
    game.run()
    assert {verdict.verdict for verdict in game.verdicts().values()} == {"truncated"}
    assert game.peers[0].log == game.peers[2].log
    assert game.peers[1].log == game.peers[0].log[: len(game.peers[1].log)]
    (own,) = game.peers[1].of(GameAgreed)
    assert isinstance(own, GameAgreed)
    assert own.reason == "This peer left."
    assert game.peers[1].session.next_deadline() == math.inf
