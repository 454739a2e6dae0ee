"""Games that go on after a leave: one cut and one log, whatever the fate of the seat."""

import pytest
from tests.netcode.simulation import Conditions, SimulatedGame

from coplay.netcode import SeatCut


def check_one_history(game: SimulatedGame, *left: int) -> None:
    """Check that all remaining peers have one log, and that those who left have a prefix of it."""
    survivors = game.survivors()
    game.check_identical("identical" if len(survivors) > 1 else "truncated")
    log = survivors[0].log
    cuts = [peer.session.cuts for peer in survivors]
    assert all(cut == cuts[0] for cut in cuts)
    for peer in left:
        assert game.peers[peer].log == log[: len(game.peers[peer].log)]


@pytest.mark.parametrize("fate", ["default", "bot"])
@pytest.mark.parametrize("gap", range(8))
def test_survivors_go_on_from_the_newest_input_that_any_of_them_holds(gap: int, fate: str) -> None:
    game = SimulatedGame(
        owners=(0, 1, 2),
        frames=400,
        conditions=Conditions(latency=0.03),
        config={"fates": (fate,) * 3},
    )
    network, dies_at = game.network, 1.5
    network.on_send = lambda source, target, data: (
        None if (source, target) == (2, 1) and network.now >= dies_at - gap / 60 else data
    )
    game.plan(
        (dies_at, lambda: game.kill(2)),
        (dies_at + 0.2, lambda: game.tell_left(0, 2)),
        (dies_at + 0.3, lambda: game.tell_left(1, 2)),
    )
    game.run()
    check_one_history(game, 2)
    (cut,) = game.peers[0].session.cuts
    assert cut.player == 2
    assert 60 < cut.last_frame < 100
    assert len(game.peers[0].log) == 400
    after = {inputs[2] for inputs in game.peers[0].log[cut.last_frame + 1 :]}
    assert after == {b"\0"} if fate == "default" else len(after) > 10


@pytest.mark.parametrize("fate", ["end", "default", "bot"])
def test_two_leavers_seen_in_opposite_order(fate: str) -> None:
    for seed in range(8):
        for left in ((2, 3), (0, 1), (0, 3)):
            stay = [peer for peer in range(4) if peer not in left]
            game = SimulatedGame(
                owners=(0, 1, 2, 3),
                frames=300,
                conditions=Conditions(latency=0.03, loss=0.1),
                seed=seed,
                config={"fates": (fate,) * 4},
            )
            one, other = left
            game.plan(
                (1.5, lambda game=game, one=one: game.kill(one)),
                (1.55, lambda game=game, other=other: game.kill(other)),
                (1.7, lambda game=game, one=one, stay=stay: game.tell_left(stay[0], one)),
                (1.7, lambda game=game, other=other, stay=stay: game.tell_left(stay[1], other)),
                (1.9, lambda game=game, other=other, stay=stay: game.tell_left(stay[0], other)),
                (1.9, lambda game=game, one=one, stay=stay: game.tell_left(stay[1], one)),
            )
            game.run()
            if fate == "end":
                game.check_identical("truncated")
            else:
                check_one_history(game, *left)
                assert len(game.survivors()[0].log) == 300


def test_host_that_leaves_is_followed_by_the_next() -> None:
    for seed in range(10):
        game = SimulatedGame(
            owners=(0, 1, 2, 3),
            frames=400,
            conditions=Conditions(latency=0.03, loss=0.1),
            seed=seed,
            config={"fates": ("bot",) * 4},
        )
        for at, leaver in ((1.5, 3), (2.5, 0), (3.5, 1)):
            game.plan((at, lambda game=game, leaver=leaver: game.kill(leaver)))
            for peer in range(4):
                game.plan(
                    (
                        at + 0.1 + peer / 20,
                        lambda game=game, peer=peer, leaver=leaver: game.tell_left(peer, leaver),
                    )
                )
        game.run()
        check_one_history(game, 0, 1, 3)
        last = game.peers[2]
        assert sorted(last.session.local_players) == [0, 1, 2, 3]
        assert [event.player for event in last.of(SeatCut)] == [3, 0, 1]


@pytest.mark.parametrize("fate", ["default", "bot"])
@pytest.mark.parametrize(
    ("sides", "goes_on"),
    [(((0, 1), (2, 3)), 0), (((0, 3), (1, 2)), 0), (((0,), (1, 2)), 1), (((0, 1, 2), (3, 4, 5, 6, 7)), 1)],
    ids=str,
)
def test_at_most_one_side_of_a_partition_goes_on(
    sides: tuple[tuple[int, ...], tuple[int, ...]], goes_on: int, fate: str
) -> None:
    peers = sorted(sides[0] + sides[1])
    game = SimulatedGame(
        owners=tuple(peers),
        frames=300,
        conditions=Conditions(latency=0.03, loss=0.05),
        config={"fates": (fate,) * len(peers)},
    )
    network = game.network
    network.on_send = lambda source, target, data: (
        None if network.now > 1.5 and (source in sides[0]) != (target in sides[0]) else data
    )
    for side, others in (sides, sides[::-1]):
        for peer in side:
            for index, other in enumerate(others):
                game.plan(
                    (
                        2.0 + index / 10,
                        lambda peer=peer, other=other: game.tell_left(peer, other, certain=False),
                    )
                )
    game.run()
    winners, losers = sides[goes_on], sides[1 - goes_on]
    log = game.peers[winners[0]].log
    assert len(log) == 300
    verdicts = game.verdicts()
    for peer in winners:
        assert game.peers[peer].log == log
        assert verdicts[peer].verdict == ("identical" if len(winners) > 1 else "truncated")
    for peer in losers:
        assert verdicts[peer].verdict == "truncated"
        assert game.peers[peer].log == log[: len(game.peers[peer].log)]
        assert len(game.peers[peer].log) < 120


@pytest.mark.parametrize("fate", ["default", "bot"])
def test_running_peer_that_counts_as_left_ends_immediately(fate: str) -> None:
    game = SimulatedGame(
        owners=(0, 1, 2), frames=200, conditions=Conditions(latency=0.03), config={"fates": (fate,) * 3}
    )
    game.plan((1.0, lambda: game.tell_left(0, 2)))
    game.run()
    verdicts = game.verdicts()
    assert verdicts[2].verdict == "truncated"
    assert "without this peer" in verdicts[2].reason
    assert verdicts[0].verdict == verdicts[1].verdict == "identical"
    assert game.peers[2].log == game.peers[0].log[: len(game.peers[2].log)]
    assert "Player 2 left after frame" in verdicts[0].reason


def test_rejoin_while_a_seat_is_written_by_another_peer() -> None:
    """Peer 2 leaves for good, peer 0 writes its seat; then peer 0 restarts, and then peer 1."""
    for fate in ("default", "bot"):
        for seed in range(6):
            game = SimulatedGame(
                owners=(0, 1, 2),
                frames=420,
                conditions=Conditions(latency=0.03, loss=0.1),
                seed=seed,
                config={"fates": (fate,) * 3},
            )
            game.plan(
                (1.2, lambda game=game: game.kill(2)),
                (1.4, lambda game=game: game.tell_left(0, 2)),
                (1.5, lambda game=game: game.tell_left(1, 2)),
                (2.5, lambda game=game: game.kill(0)),
                (3.0, lambda game=game: game.reload(0)),
                (4.5, lambda game=game: game.kill(1)),
                (5.0, lambda game=game: game.reload(1)),
            )
            game.run()
            check_one_history(game, 2)
