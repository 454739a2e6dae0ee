"""A peer whose process restarts gets back into its seats, and no log changes."""

import pytest
from tests.netcode.simulation import Conditions, SimulatedGame

from coplay.netcode import Rejoined
from coplay.netcode.wire.format import STATE


@pytest.mark.parametrize("loss", [0.0, 0.2])
@pytest.mark.parametrize("away", [0.0, 0.7])
@pytest.mark.parametrize("owners", [(0, 1), (0, 1, 2), (0, 1, 2, 1)], ids=str)
def test_rejoining_peer_goes_on_from_a_snapshot(owners: tuple[int, ...], away: float, loss: float) -> None:
    for number in set(owners):
        game = SimulatedGame(
            owners=owners, frames=300, conditions=Conditions(latency=0.04, loss=loss), seed=3
        )
        game.plan((1.5, lambda game=game, number=number: game.kill(number)))
        game.plan((1.5 + away, lambda game=game, number=number: game.reload(number)))
        game.run()
        game.check_identical()
        (back,) = game.peers[number].of(Rejoined)
        assert 40 < back.frame < 110
        assert game.network.now < 12


def test_if_all_peers_restart_the_game_ends() -> None:
    game = SimulatedGame(frames=200, conditions=Conditions(latency=0.03))
    game.plan((1.5, lambda: game.reload(0)), (1.5, lambda: game.reload(1)))
    game.run()
    assert len(game.verdicts()) == 2
    for verdict in game.verdicts().values():
        assert (verdict.verdict, verdict.last_frame) == ("truncated", -1)
        assert verdict.reason == "No remaining peer has the state of the game."
    assert game.network.now < 5


def test_rejoining_peer_without_a_snapshot_gives_up_in_time() -> None:
    game = SimulatedGame(frames=300, conditions=Conditions(latency=0.03))
    network = game.network
    network.on_send = lambda source, _target, data: None if source == 0 and data[0] & 15 == STATE else data
    game.plan((1.5, lambda: game.reload(1)))
    game.run(until=45.0)
    verdict = game.verdicts()[1]
    assert (verdict.verdict, verdict.last_frame) == ("truncated", -1)
    assert "no other peer sent it the state of the game" in verdict.reason


def test_goodbye_is_repeated_a_limited_number_of_times() -> None:
    game = SimulatedGame(frames=300, conditions=Conditions(latency=0.03))
    game.run(until=1.0)
    session = game.peers[0].session
    before = session.stats.packets_sent
    now = game.peers[0].local(1.0)
    session.leave(now)
    session.tick(now)
    assert session.stats.packets_sent == before + 1


def test_peer_that_restarts_at_the_very_end_gets_the_same_verdict() -> None:
    game = SimulatedGame(owners=(0, 1, 2), frames=60, conditions=Conditions(latency=0.05))
    game.run(until=1.0)
    while game.peers[0].session.phase == "running":
        game.run(until=game.network.now + 0.01)
    game.reload(2)
    game.run()
    game.check_identical()


def test_peer_that_gave_up_rejoining_ignores_a_late_snapshot() -> None:
    game = SimulatedGame(frames=300, conditions=Conditions(latency=0.05), state_size=3000)
    game.run(until=1.5)
    game.reload(1)
    pieces = []

    def note(source: int, _target: int, data: bytes) -> bytes:
        if source == 0 and data[0] & 15 == STATE and len(data) > 100:
            pieces.append(game.network.now)
        return data

    game.network.on_send = note
    while not pieces:
        game.run(until=game.network.now + 0.01)
    peer = game.peers[1]
    peer.leave(game.network.now)
    game.run()
    assert len(pieces) >= 2
    assert peer.session.phase == "closed"
    assert not peer.of(Rejoined)
    assert game.verdicts()[1].verdict == "truncated"
