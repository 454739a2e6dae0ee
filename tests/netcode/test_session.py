"""One session against a scripted network, and pairs of sessions: the rules of play."""

import math

import pytest
from tests.netcode.simulation import Conditions, SimulatedGame, configure, held_keys, unique_inputs

from coplay.errors import SessionMisuseError, UnknownPeerError
from coplay.netcode import (
    DatagramRejected,
    DelayChosen,
    DesyncFound,
    LoadState,
    PeerBack,
    PeerSuspected,
    RollbackSession,
    Running,
    SaveState,
    SendDatagram,
    Stalled,
)

RUNNING_AT = 0.5
"""By then the hello phase of every game here is complete."""


def silence(game: SimulatedGame, source: int, begin: float, end: float = math.inf) -> None:
    """Drop everything that `source` sends in a span of time."""
    network = game.network
    network.on_send = lambda sender, _target, data: (
        None if sender == source and begin <= network.now < end else data
    )


# Without peers


def test_session_without_peers_confirms_every_frame_immediately() -> None:
    game = SimulatedGame(owners=(0, 0), frames=90).run()
    game.check_identical()
    assert game.rollbacks == 0
    assert game.peers[0].datagrams == 0
    assert [type(event) for event in game.peers[0].events[:2]] == [DelayChosen, Running]


def test_game_that_is_over_before_frame_0_closes_with_an_empty_log() -> None:
    game = SimulatedGame(owners=(0, 1), frames=0).run()
    game.check_identical()
    assert game.verdicts()[0].last_frame == -1


def test_first_effect_saves_the_state_before_frame_0() -> None:
    session = RollbackSession(configure(0, (0,)), 0.0)
    session.tick(0.0)
    assert session.effects() == [SaveState(0)]


def test_frames_are_stepped_at_the_frame_rate() -> None:
    game = SimulatedGame(owners=(0,), frames=300, config={"fps": 50.0}).run()
    assert game.network.now == pytest.approx(6.0, abs=0.1)


# Prediction and rollback


def test_late_inputs_matching_their_prediction_cause_no_load() -> None:
    game = SimulatedGame(script=lambda _player, _frame: b"x", config={"delay": 0}, frames=100).run()
    game.check_identical()
    # No input is known at first, so the first frames are predicted as the default, wrongly and once.
    assert all(peer.loads == 1 for peer in game.peers.values())


def test_every_wrong_prediction_causes_a_load() -> None:
    game = SimulatedGame(script=unique_inputs(1, (1, 1)), frames=100).run()
    game.check_identical()
    for peer in game.peers.values():
        assert peer.loads > 60
        assert peer.loads == peer.session.stats.rollbacks


def test_latency_within_the_delay_causes_no_load() -> None:
    game = SimulatedGame(
        script=unique_inputs(1, (1, 1)),
        conditions=Conditions(latency=0.05),
        config={"delay": 5},
        frames=200,
    ).run()
    game.check_identical()
    assert game.rollbacks == 0
    assert all(confirm.predicted == 0 for confirm in game.peers[0].confirms[20:])


def test_confirm_tells_who_was_predicted_and_how_long_it_took_to_correct() -> None:
    game = SimulatedGame(
        script=unique_inputs(1, (1, 1)), conditions=Conditions(latency=0.05), frames=200
    ).run()
    confirm = game.peers[0].confirms[100]
    assert confirm.predicted == 0b10
    assert confirm.corrected_after[0] == 0
    assert 3 <= confirm.corrected_after[1] <= 5


def test_silent_peer_lets_exactly_the_window_advance_and_then_resumes() -> None:
    game = SimulatedGame(frames=300, config={"max_prediction": 8})
    silence(game, 1, 1.0, 3.0)
    seen = []
    game.plan(
        (1.0 + 0.06, lambda: seen.append(game.peers[0].session.confirmed_frame)),
        (2.9, lambda: seen.append(game.peers[0].session.confirmed_frame)),
        (2.9, lambda: seen.append(game.peers[0].session.current_frame)),
    )
    game.run()
    before, agreed, current = seen
    assert agreed == before
    assert current - agreed - 1 == 8
    assert game.peers[0].of(Stalled)[0].waiting_for == (1,)
    assert game.peers[0].of(PeerSuspected)
    assert game.peers[0].of(PeerBack)
    game.check_identical()


def test_peer_silent_from_the_start_lets_exactly_the_window_advance() -> None:
    game = SimulatedGame(frames=200, config={"max_prediction": 8})
    game.network.on_send = lambda source, _target, data: (
        None if source == 1 and data[0] & 15 == 1 and game.network.now < 2 else data
    )
    seen = []
    game.plan((1.9, lambda: seen.append(game.peers[0].session.current_frame)))
    game.run()
    assert seen == [8]
    game.check_identical()


def test_misprediction_arriving_at_the_limit_is_still_corrected() -> None:
    """While peer 2 is silent no peer can advance, but late inputs of peer 1 are corrected all the same."""
    game = SimulatedGame(
        owners=(0, 1, 2), script=unique_inputs(3, (1, 1, 1)), frames=200, config={"max_prediction": 8}
    )
    network = game.network

    def lose(source: int, target: int, data: bytes) -> bytes | None:
        late = (source, target) == (1, 0) and 1.0 <= network.now < 1.3
        return None if late or (source == 2 and 0.95 <= network.now < 2.0) else data

    network.on_send = lose
    game.run(until=1.3)
    peer = game.peers[0]
    frame, loads = peer.session.current_frame, peer.loads
    game.run(until=1.9)
    assert peer.session.current_frame == frame
    assert peer.loads == loads + 1
    game.run()
    game.check_identical()


def test_stall_at_window_one_still_plays_through() -> None:
    game = SimulatedGame(frames=60, conditions=Conditions(latency=0.1), config={"max_prediction": 1}).run()
    game.check_identical()
    assert game.peers[0].session.stats.stalled_frames > 60


# The input delay


def test_raised_delay_sends_its_fills_and_does_not_freeze() -> None:
    game = SimulatedGame(frames=300, conditions=Conditions(latency=0.01), script=unique_inputs(1, (1, 1)))
    game.plan(
        (2.0, lambda: game.peers[0].session.change_delay(3, game.network.now)),
        (3.0, lambda: game.peers[0].session.change_delay(1, game.network.now)),
    )
    game.run()
    game.check_identical()
    own = [inputs[0] for inputs in game.peers[1].log]
    repeats = [frame for frame in range(1, len(own)) if own[frame] == own[frame - 1]]
    assert len(repeats) == 3
    assert repeats[2] - repeats[0] == 2
    assert game.peers[0].session.stats.stalled_frames == 0
    assert [event.delay for event in game.peers[0].of(DelayChosen)] == [0, 3, 1]


def test_auto_delay_grows_with_the_link_and_is_the_same_everywhere() -> None:
    delays = []
    for latency in (0.001, 0.1, 0.15, 0.4):
        game = SimulatedGame(
            owners=(0, 1, 2), frames=30, config={"delay": None}, conditions=Conditions(latency=latency)
        ).run()
        game.check_identical()
        chosen = {peer.session.delay for peer in game.peers.values()}
        assert len(chosen) == 1
        delays += chosen
    assert delays == sorted(delays)
    assert delays[0] == 0
    assert delays[-1] == 8


def test_auto_delay_takes_a_slow_environment_into_account() -> None:
    def delay(cost: float) -> int:
        game = SimulatedGame(
            frames=10,
            config={"delay": None, "fps": 30.0},
            config_of={1: {"step_cost": cost}},
            conditions=Conditions(latency=0.1),
        ).run()
        return game.peers[0].session.delay

    assert delay(0.0106) > delay(0.0001)


# Checksums


def test_long_link_without_delay_never_reports_a_desync() -> None:
    game = SimulatedGame(
        frames=240,
        script=unique_inputs(5, (1, 1)),
        conditions=Conditions(latency=0.15),
        config={"checksum_interval": 1, "max_prediction": 12},
    ).run()
    game.check_identical()
    assert len(game.peers[0].checksums) == 240
    assert not any(peer.of(DesyncFound) for peer in game.peers.values())
    assert game.rollbacks > 100


@pytest.mark.parametrize("frame", [31, 60, 100])
def test_corrupted_state_is_found_at_exactly_its_frame_at_both_peers(frame: int) -> None:
    game = SimulatedGame(
        frames=150,
        conditions=Conditions(latency=0.02, loss=0.1),
        config={"checksum_interval": 1, "delay": 3},
        script=held_keys(1, (1, 1), hold=50),
    )
    game.run(until=0.3)
    game.peers[1].corrupt(frame)
    game.run()
    for number, peer in game.peers.items():
        (found,) = peer.of(DesyncFound)
        assert (found.frame, found.peer) == (frame, 1 - number)
        assert found.mine != found.theirs
    verdicts = game.verdicts()
    assert {event.verdict for event in verdicts.values()} == {"divergent"}
    assert str(frame) in verdicts[0].reason


def test_different_ends_are_divergent_at_every_peer() -> None:
    game = SimulatedGame(owners=(0, 1, 2), frames=100)
    game.run(until=0.3)
    game.peers[2].game.frames = 80
    game.run()
    assert {event.verdict for event in game.verdicts().values()} == {"divergent"}


# Time


def test_peers_wait_for_one_that_paused_and_none_stays_ahead() -> None:
    game = SimulatedGame(frames=900, conditions=Conditions(latency=0.03))
    game.run(until=2.0)
    behind = game.peers[1].session
    # A process that was suspended for 60 ms.
    behind._pacer.due_at += 0.06
    game.run(until=2.2)
    assert game.peers[0].session.current_frame - behind.current_frame >= 2
    game.run(until=12.0)
    assert abs(game.peers[0].session.current_frame - behind.current_frame) <= 1
    game.run()
    game.check_identical()
    assert game.peers[0].session.stats.stalled_frames == 0


@pytest.mark.parametrize("rate", [0.99, 1.01])
def test_clock_that_runs_one_percent_off_causes_no_stall(rate: float) -> None:
    game = SimulatedGame(frames=1200, conditions=Conditions(latency=0.02), clock_rates={1: rate}).run()
    game.check_identical()
    assert all(peer.session.stats.stalled_frames == 0 for peer in game.peers.values())


def test_clock_that_jumps_an_hour_changes_nothing() -> None:
    plain = SimulatedGame(frames=240, conditions=Conditions(latency=0.03, loss=0.05), seed=4).run()
    for jump in (3600.0, -3600.0):
        game = SimulatedGame(frames=240, conditions=Conditions(latency=0.03, loss=0.05), seed=4)

        def leap(game: SimulatedGame = game, jump: float = jump) -> None:
            game.peers[0].jump(jump)

        game.plan((1.0, leap), (2.0, leap))
        game.run()
        game.check_identical()
        assert not game.peers[0].of(PeerSuspected)
        assert game.peers[0].session.stats.stalled_frames <= plain.peers[0].session.stats.stalled_frames + 2
        assert game.peers[0].session.stats.peers[1].rtt < 0.1


def test_tick_before_its_deadline_does_nothing() -> None:
    game = SimulatedGame(frames=100)
    game.run(until=RUNNING_AT)
    session, offset = game.peers[0].session, game.peers[0].clock_offset
    session.tick(game.network.now + offset)
    assert session.next_deadline() > game.network.now + offset
    session.effects()
    frame = session.current_frame
    session.tick(game.network.now + offset)
    assert session.effects() == []
    assert session.current_frame == frame


def test_late_caller_catches_up_frame_by_frame() -> None:
    game = SimulatedGame(owners=(0,), frames=100)
    game.run(until=0.5)
    peer = game.peers[0]
    frame = peer.session.current_frame
    for _ in range(20):
        peer.tick(0.6)
    assert 5 <= peer.session.current_frame - frame <= 7


# Datagrams


def test_one_datagram_per_peer_and_frame() -> None:
    game = SimulatedGame(owners=(0, 1, 2), frames=300, conditions=Conditions(latency=0.03)).run()
    for peer in game.peers.values():
        assert peer.datagrams / 2 <= 300 + 60


def test_mean_datagram_of_two_players_is_small() -> None:
    game = SimulatedGame(
        frames=900, sizes=(2, 2), conditions=Conditions(latency=0.015), script=held_keys(1, (2, 2), hold=4)
    ).run()
    peer = game.peers[0]
    assert peer.datagram_bytes / peer.datagrams <= 24
    game = SimulatedGame(
        frames=900, conditions=Conditions(latency=0.05, loss=0.05), script=held_keys(1, (1, 1), hold=4)
    ).run()
    peer = game.peers[0]
    assert peer.datagram_bytes / peer.datagrams <= 32


def test_round_trip_jitter_and_loss_are_measured() -> None:
    game = SimulatedGame(frames=600, conditions=Conditions(latency=0.04, jitter=0.01, loss=0.1)).run()
    link = game.peers[0].session.stats.peers[1]
    assert link.rtt == pytest.approx(0.09, abs=0.015)
    assert 0.0005 < link.jitter < 0.01
    assert link.loss == pytest.approx(0.1, abs=0.06)


def test_malformed_datagrams_are_counted_and_reported_sixteen_times() -> None:
    game = SimulatedGame(frames=60)
    game.run(until=RUNNING_AT)
    peer = game.peers[0]
    for size in range(100):
        peer.receive(1, bytes((0x11, 0)) + b"\xff" * size, game.network.now)
    game.run()
    game.check_identical()
    assert peer.session.stats.rejected == 100
    assert len(peer.of(DatagramRejected)) == 16


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x11",
        b"\x21\x00\x00\x00\x00\x00\xff",
        b"\x11\x09\x00\x00\x00\x00\xff\x00",
        b"\x1f\x00\x00\x00\x00\x00\xff",
        bytes(1151),
        b"\x11\x00\x00\x00\x00\x00\xff",
    ],
)
def test_unusable_datagram_is_rejected_with_a_reason(data: bytes) -> None:
    session = RollbackSession(configure(0, (0, 1)), 0.0)
    session.receive_datagram(1, data, 0.0)
    (event,) = session.events()
    assert isinstance(event, DatagramRejected)
    assert event.reason


def test_datagram_of_the_previous_epoch_is_dropped() -> None:
    sent: list[bytes] = []
    old = RollbackSession(configure(1, (0, 1), epochs={0: 1}), 0.0)
    old.tick(0.0)
    sent += [effect.data for effect in old.effects() if isinstance(effect, SendDatagram)]
    session = RollbackSession(configure(0, (0, 1), epochs={1: 2}), 0.0)
    session.receive_datagram(1, sent[0], 0.0)
    assert session.effects() == []
    assert "epoch 1" in str(session.events())


def test_bytes_like_datagrams_are_accepted() -> None:
    session = RollbackSession(configure(0, (0, 1)), 0.0)
    session.receive_datagram(1, bytearray(b"\x11"), 0.0)
    session.receive_datagram(1, memoryview(b"\x11"), 0.0)  # type: ignore[arg-type]
    assert session.stats.rejected == 2


# Misuse


def test_misuse_by_the_caller_raises_immediately() -> None:
    session = RollbackSession(configure(0, (0, 1)), 0.0)
    with pytest.raises(UnknownPeerError):
        session.receive_datagram(5, b"", 0.0)
    with pytest.raises(UnknownPeerError):
        session.peer_left(0, 0.0)
    with pytest.raises(SessionMisuseError, match="not played"):
        session.add_local_input(1, b"x", 0.0)
    with pytest.raises(SessionMisuseError, match="2 bytes"):
        session.add_local_input(0, b"xx", 0.0)
    with pytest.raises(SessionMisuseError):
        session.checksum_computed(0, 1)
    with pytest.raises(SessionMisuseError):
        session.checksum_computed(0, -1)
    with pytest.raises(SessionMisuseError):
        session.change_delay(1, 0.0)


def test_effects_that_are_not_performed_raise() -> None:
    session = RollbackSession(configure(0, (0,)), 0.0)
    session.tick(0.0)
    session.effects()
    session.tick(0.1)
    with pytest.raises(SessionMisuseError, match="frame 0 was never saved"):
        session.tick(0.2)


def test_states_answered_out_of_order_raise() -> None:
    session = RollbackSession(configure(0, (0,)), 0.0)
    session.tick(0.0)
    with pytest.raises(SessionMisuseError):
        session.state_saved(1)
    session.state_saved(0)
    with pytest.raises(SessionMisuseError):
        session.state_saved(0)


@pytest.mark.parametrize(
    "changes",
    [
        {"owners": ()},
        {"owners": (0,) * 9},
        {"owners": (300, 0)},
        {"default_inputs": (b"",) * 2},
        {"default_inputs": (b"x",)},
        {"fps": 0.0},
        {"delay": -1},
        {"max_prediction": 0},
        {"max_prediction": 125, "delay": 3},
        {"checksum_interval": 0},
        {"prediction": "random"},
        {"epochs": {1: 256}},
        {"digest": {str(number): "" for number in range(32)}},
        {"digest": {"x" * 41: ""}},
        {"digest": {"x" * 30 + str(number): "" for number in range(31)}},
        {"step_cost": -1.0},
    ],
)
def test_config_out_of_range_raises(changes: dict[str, object]) -> None:
    with pytest.raises(SessionMisuseError, match="cannot be set up"):
        configure(0, **{"owners": (0, 1), **changes})  # type: ignore[arg-type]


def test_load_state_is_never_the_first_effect_of_a_game() -> None:
    game = SimulatedGame(frames=20)
    game.run(until=0.2)
    assert not any(isinstance(effect, LoadState) for effect in game.peers[0].session.effects())
