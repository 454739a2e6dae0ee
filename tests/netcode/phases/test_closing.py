"""The closing phase: one verdict at all peers, with any loss of datagrams."""

import math

import pytest
from tests.netcode.simulation import Conditions, SimulatedGame

from coplay.netcode.wire.format import HEADER_SIZE
from coplay.netcode.wire.play import decode_play


def is_closing(data: bytes) -> bool:
    return data[0] & 15 == 1 and bool(data[HEADER_SIZE] & 2)


@pytest.mark.parametrize("seed", range(10))
def test_heavy_loss_at_the_end_still_yields_the_verdict(seed: int) -> None:
    game = SimulatedGame(owners=(0, 1, 2), frames=40, conditions=Conditions(latency=0.02), seed=seed)
    network = game.network
    network.on_send = lambda _source, _target, data: (
        None if is_closing(data) and network.random.random() < 0.6 else data
    )
    game.run()
    game.check_identical()


def test_peer_that_never_answers_makes_the_verdict_unverified_in_bounded_time() -> None:
    game = SimulatedGame(frames=40)
    game.network.on_send = lambda source, _target, data: None if source == 1 and is_closing(data) else data
    game.run()
    verdicts = game.verdicts()
    assert verdicts[0].verdict == "unverified"
    assert "Peer 1 did not answer" in verdicts[0].reason
    assert game.network.now < 30


def test_missing_acks_do_not_change_the_verdict() -> None:
    """Peer 1 gets the hash of peer 0, but never the acknowledgement of its own."""
    game = SimulatedGame(frames=40)
    game.network.on_send = lambda source, _target, data: (
        None if source == 0 and is_closing(data) and decode_play(data, [1, 1]).closing & 1 else data
    )
    game.run(until=4.0)
    assert [game.verdicts()[peer].verdict for peer in (0, 1)] == ["identical", "identical"]


def test_all_peers_stop_sending_once_all_have_the_verdict() -> None:
    game = SimulatedGame(owners=(0, 1, 2), frames=60, conditions=Conditions(latency=0.03)).run()
    game.check_identical()
    assert game.network.now < 2.0
    for peer in game.peers.values():
        assert not peer.session.draining
        assert peer.session.next_deadline() == math.inf


def test_closed_peer_still_answers_one_that_lacks_its_hash() -> None:
    game = SimulatedGame(frames=60, conditions=Conditions(latency=0.03))
    game.network.on_send = lambda source, _target, data: (
        None if source == 1 and is_closing(data) and game.network.now < 5 and agreed(game, 1) else data
    )
    game.run()
    game.check_identical()
    assert game.network.now < 6


def agreed(game: SimulatedGame, peer: int) -> bool:
    return bool(game.verdicts().get(peer))


def test_leave_after_the_end_does_not_change_the_verdict() -> None:
    game = SimulatedGame(owners=(0, 1, 2), frames=60)
    game.network.on_send = lambda source, _target, data: None if source == 2 and is_closing(data) else data
    game.plan(
        (2.5, lambda: game.kill(2)),
        (3.0, lambda: game.peers[0].session.peer_left(2, game.peers[0].local(3.0))),
        (3.0, lambda: game.peers[1].session.peer_left(2, game.peers[1].local(3.0))),
    )
    game.run()
    verdicts = game.verdicts()
    assert verdicts[0].verdict == verdicts[1].verdict == "identical"
    assert verdicts[0].chain_hash == verdicts[1].chain_hash


def test_chain_hash_differs_for_different_logs() -> None:
    hashes = set()
    for seed in range(5):
        game = SimulatedGame(frames=30, seed=seed).run()
        game.check_identical()
        hashes.add(game.verdicts()[0].chain_hash)
    assert len(hashes) == 5


@pytest.mark.parametrize("seed", range(8))
def test_peer_that_goes_once_drained_leaves_no_peer_waiting(seed: int) -> None:
    """The last peer to reach its verdict says so: the others wait for nothing else."""
    game = SimulatedGame(frames=60, conditions=Conditions(latency=0.002, jitter=0.03), seed=seed)
    network = game.network
    closed_at: dict[int, float] = {}
    while len(network.dead) < 2 and network.now < 20.0:
        game.run(until=network.now + 0.005)
        for number, peer in game.peers.items():
            if peer.session.phase == "closed":
                closed_at.setdefault(number, network.now)
            if peer.wake_at == math.inf:
                network.dead.add(number)
    assert network.now - min(closed_at.values()) < 0.2
