"""Desyncs: found by both peers, located to the frame, explained, then repaired or the end of the game."""

import pytest
from tests.netcode.simulation import Conditions, SimulatedGame, ToyPeer

from coplay.netcode import DesyncExplained, DesyncFound, DesyncLocated, Resynced


def corrupted_game(bad: int, frame: int, policy: str, owners: tuple[int, ...] = (0, 1)) -> SimulatedGame:
    """Return a game in which a bit of the state of peer `bad` flips before `frame`."""
    game = SimulatedGame(
        owners=owners,
        frames=500,
        conditions=Conditions(latency=0.03, loss=0.1),
        config={"on_desync": policy, "delay": 2},
    )
    game.corruptions[bad] = frame
    return game


def checksums_of(peer: ToyPeer, after: int) -> dict[int, int]:
    return {frame: value for frame, value in peer.checksums.items() if frame > after}


@pytest.mark.parametrize("frame", [1, 31, 45, 60, 100])
@pytest.mark.parametrize("bad", [0, 1])
def test_resync_takes_the_lowest_peers_state_and_goes_on(bad: int, frame: int) -> None:
    game = corrupted_game(bad, frame, "resync").run()
    lowest, other = game.peers[0], game.peers[1]
    for peer in (lowest, other):
        (found,) = peer.of(DesyncFound)
        assert found.frame == -(-frame // 30) * 30
        (located,) = peer.of(DesyncLocated)
        assert (located.frame, located.reproduced) == (frame, True)
    (explained,) = other.of(DesyncExplained)
    assert (explained.frame, explained.paths) == (frame, ("mix",))
    assert not lowest.of(DesyncExplained)
    (resynced,) = other.of(Resynced)
    assert resynced.peer == 0
    assert frame < resynced.frame < frame + 120
    assert lowest.log == other.log
    assert len(lowest.log) == 500
    assert lowest.game.state == other.game.state
    after = max(resynced.frame + 60, frame)
    assert checksums_of(lowest, after) == checksums_of(other, after) != {}
    verdicts = game.verdicts()
    assert {verdict.verdict for verdict in verdicts.values()} == {"divergent"}
    assert f"before frame {frame} differ between peers" in verdicts[1].reason
    assert "mix" in verdicts[1].reason


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_all_peers_that_differ_from_the_lowest_one_resync_to_it(bad: int) -> None:
    game = corrupted_game(bad, 50, "resync", (0, 1, 2)).run()
    followed = {number for number, peer in game.peers.items() if peer.of(Resynced)}
    assert followed == ({1, 2} if bad == 0 else {bad})
    assert len({peer.game.state for peer in game.peers.values()}) == 1
    assert {verdict.verdict for verdict in game.verdicts().values()} == {"divergent"}


def test_on_desync_end_ends_soon_after_the_frame_was_located() -> None:
    game = corrupted_game(1, 70, "end").run()
    verdicts = game.verdicts()
    for number, peer in game.peers.items():
        assert verdicts[number].verdict == "divergent"
        assert "before frame 70" in verdicts[number].reason
        assert 90 <= len(peer.log) < 90 + 3 * 60
        assert not peer.of(Resynced)
    assert game.peers[1].of(DesyncExplained)[0].paths == ("mix",)


def test_desync_from_outside_the_state_is_not_reproduced() -> None:
    """The state differs, but re-simulation does not reproduce it."""
    game = corrupted_game(1, 70, "resync")
    game.run(until=1.0)
    peer = game.peers[1]

    def forget(ticked: ToyPeer) -> None:
        if ticked is peer and len(peer.log) > 75:
            peer.corrupt_at = peer._repairs.corrupt_at = None

    game.before_tick = forget
    game.run()
    for each in game.peers.values():
        (located,) = each.of(DesyncLocated)
        assert (located.frame, located.reproduced) == (90, False)
    assert game.peers[0].game.state == game.peers[1].game.state


def test_repeated_desyncs_exhaust_the_resyncs_and_end_divergent() -> None:
    game = corrupted_game(1, 40, "resync")
    peer = None

    def corrupt(ticked: ToyPeer) -> None:
        nonlocal peer
        if ticked.config.peer == 1:
            peer = ticked
            if ticked.corrupt_at is None and len(ticked.log) % 40 == 0:
                ticked.corrupt_at = len(ticked.log) + 20

    game.before_tick = corrupt
    game.run()
    assert peer is not None
    assert 1 <= len(peer.of(Resynced)) <= 8
    assert {verdict.verdict for verdict in game.verdicts().values()} == {"divergent"}


def test_leave_during_a_desync_search_ends_the_search() -> None:
    game = SimulatedGame(
        owners=(0, 1, 2),
        frames=200,
        conditions=Conditions(latency=0.03),
        config={"on_desync": "resync", "fates": ("default",) * 3},
    )
    game.corruptions[2] = 45
    gone = False

    def let_go(ticked: ToyPeer) -> None:
        nonlocal gone
        if not gone and ticked.of(DesyncFound):
            gone = True
            game.kill(2)
            for peer in (0, 1):
                game.tell_left(peer, 2)

    game.before_tick = let_go
    game.run()
    assert gone
    for number in (0, 1):
        assert not game.peers[number].of(DesyncLocated) or number == 0
        assert len(game.peers[number].log) == 200


def test_state_that_is_too_old_is_not_adopted() -> None:
    game = SimulatedGame(frames=400, conditions=Conditions(latency=0.03))
    game.run(until=5.0)
    session = game.peers[1].session
    session._repair.take_state(0, 3, b"3 1 0")
    assert not session._repair.start_import()
    game.run()
    game.check_identical()
