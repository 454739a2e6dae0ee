"""Repairs that fail, and calls at unusual times: clear reasons, and no endless retries."""

import pytest
from tests.netcode.simulation import Conditions, SimulatedGame, ToyPeer, configure, held_keys

from coplay.errors import SessionMisuseError
from coplay.netcode import (
    DesyncExplained,
    DesyncLocated,
    ExportState,
    Rejoined,
    Resynced,
    RollbackSession,
    SendDatagram,
)
from coplay.netcode.wire.play import encode_status, put_play

HEADER = bytes((0x11, 0, 0, 0, 0, 0, 255))


def give_instead(peer: ToyPeer, data: bytes | None) -> None:
    """Make a peer export something else than its state, or nothing."""

    def export_state(effect: ExportState) -> None:
        peer.session.state_exported(effect.peer, data)

    peer._repairs.export_state = export_state  # type: ignore[method-assign]


def reloaded(owners: tuple[int, ...], data: bytes | None, *givers: int) -> SimulatedGame:
    """Return a game whose last peer restarts while some others export something else than their state."""
    game = SimulatedGame(owners=owners, frames=240, conditions=Conditions(latency=0.03))
    game.plan((1.4, lambda: [give_instead(game.peers[giver], data) for giver in givers]))
    game.plan((1.5, lambda: game.reload(owners[-1])))
    return game


def test_refused_snapshot_is_requested_from_the_next_peer() -> None:
    game = reloaded((0, 1, 2), None, 0).run()
    game.check_identical()
    assert game.peers[2].of(Rejoined)


def test_unusable_state_ends_the_rejoin_with_a_reason() -> None:
    game = reloaded((0, 1), b"not a state", 0)
    game.run(until=20.0)
    assert "unusable" in game.verdicts()[1].reason
    assert game.peers[1].session.phase == "closed"


def corrupted(data: bytes | None, *, forgetful: bool = False) -> SimulatedGame:
    game = SimulatedGame(
        frames=400, conditions=Conditions(latency=0.03), config={"on_desync": "resync", "delay": 2}
    )
    game.corruptions[1] = 45
    game.run(until=0.4)
    if forgetful:
        game.peers[1]._repairs._checked.clear()
        game.peers[1]._repairs.keep = lambda _frame, _state: 0  # type: ignore[method-assign]
    else:
        give_instead(game.peers[0], data)
    return game.run()


def test_state_that_cannot_be_adopted_ends_the_game_as_divergent() -> None:
    game = corrupted(b"not a state")
    assert {verdict.verdict for verdict in game.verdicts().values()} == {"divergent"}
    assert not game.peers[1].of(Resynced)
    assert game.peers[1].of(DesyncExplained)[0].paths == ()


def test_refused_state_is_not_requested_endlessly() -> None:
    game = corrupted(None)
    assert {verdict.verdict for verdict in game.verdicts().values()} == {"divergent"}
    assert game.peers[1].of(DesyncExplained)[0].paths == ()
    assert game.network.now < 20


def test_frames_that_cannot_be_resimulated_are_located_by_their_checksum() -> None:
    game = corrupted(None, forgetful=True)
    located = game.peers[0].of(DesyncLocated)[0]
    assert (located.frame, located.reproduced) == (60, False)


# Calls at unusual times


def test_calls_after_the_end_change_nothing() -> None:
    game = SimulatedGame(frames=30).run()
    session, now = game.peers[0].session, game.peers[0].local(game.network.now)
    session.state_saved(99)
    session.leave(now)
    session.peer_left(1, now)
    session.state_exported(1, b"late")
    session.examined(0, [1, 2])
    session.state_imported(5)
    assert session.effects() == []
    game.check_identical()


def test_restart_of_a_peer_that_counts_as_left_changes_nothing() -> None:
    game = SimulatedGame(
        owners=(0, 1, 2), frames=200, conditions=Conditions(latency=0.03), config={"fates": ("default",) * 3}
    )
    game.plan(
        (1.0, lambda: game.kill(2)),
        (1.2, lambda: [game.tell_left(peer, 2) for peer in (0, 1)]),
        (1.5, lambda: game.peers[0].tell_returned(2, 1, game.network.now)),
    )
    game.run()
    game.check_identical()


def test_delay_out_of_range_raises_and_an_unchanged_one_is_not_reported() -> None:
    game = SimulatedGame(frames=100)
    game.run(until=0.5)
    peer = game.peers[0]
    before = len(peer.events)
    peer.change_delay(peer.session.delay)
    assert peer.session.events() == []
    assert len(peer.events) == before
    for delay in (-1, 9):
        with pytest.raises(SessionMisuseError, match="out of range"):
            peer.change_delay(delay)


def test_play_before_hello_is_answered_with_a_hello() -> None:
    session = RollbackSession(configure(0, (0, 1)), 0.0)
    data = bytearray(HEADER)
    put_play(data, 0.0, encode_status(3, [2, 2], 0))
    for _ in range(5):
        session.receive_datagram(1, bytes(data), 0.05)
    sent = [effect for effect in session.effects() if isinstance(effect, SendDatagram)]
    assert [effect.data[0] & 15 for effect in sent] == [0]
    assert session.stats.rejected == 5


# Predictions


@pytest.mark.parametrize("inputs", ["default", "function"])
def test_prediction_function_does_not_change_the_log(inputs: str) -> None:
    def predict(_player: int, frame: int, last: bytes) -> bytes:
        return last if frame % 3 else b"\x09"

    logs = []
    for prediction in ("repeat", predict if inputs == "function" else "default"):
        game = SimulatedGame(frames=120, script=held_keys(4, (1, 1)), config={"prediction": prediction})
        game.run().check_identical()
        logs.append(game.peers[0].log)
    assert logs[0] == logs[1]
