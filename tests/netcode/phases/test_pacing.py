import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coplay.netcode.phases.pacing import MAX_LATENESS_S, FramePacer, SteadyClock


@settings(deadline=None)
@given(st.lists(st.one_of(st.floats(0, 0.4), st.sampled_from([3600.0, -3600.0, 1e9]))))
def test_steady_clock_counts_plausible_steps_and_ignores_jumps(steps: list[float]) -> None:
    clock = SteadyClock(50.0, 0.5)
    now, expected = 50.0, 50.0
    for step in steps:
        now += step
        expected += step if abs(step) < 1 else 0
        assert clock.read(now) == pytest.approx(expected, abs=1e-3)
        assert clock.caller_time(clock.latest) == pytest.approx(now)


def test_datagram_from_before_the_last_tick_is_not_a_jump() -> None:
    clock = SteadyClock(10.0, 0.5)
    assert clock.read(10.1) == 10.1
    assert clock.read(10.08) == 10.08
    assert clock.read(10.12) == 10.12


def test_lateness_is_caught_up_to_a_limit() -> None:
    pacer = FramePacer(50)
    pacer.start(1.0)
    pacer.advance(1.1, 1.0)
    assert pacer.due_at == pytest.approx(1.02)
    pacer.advance(1.1 + MAX_LATENESS_S, 1.0)
    assert pacer.due_at == pytest.approx(1.1 + MAX_LATENESS_S)


def test_stalled_game_is_polled_at_frame_rate_then_twenty_times_a_second() -> None:
    pacer = FramePacer(100)
    pacer.start(0.0)
    polls = [0.0]
    assert pacer.stall(0.0) is True
    while pacer.due_at < 2.0:
        polls.append(pacer.due_at)
        assert pacer.stall(pacer.due_at) is False
    early = [at for at in polls if at < 0.5]
    late = [at for at in polls if at >= 0.6]
    assert len(early) == pytest.approx(50, abs=2)
    assert len(late) == pytest.approx(28, abs=2)
    assert pacer.stalled_frames == pytest.approx(200, abs=8)


def test_datagram_during_a_stall_brings_the_next_poll_forward() -> None:
    pacer = FramePacer(100)
    pacer.stall(0.0)
    pacer.stall(1.0)
    pacer.poll_soon(1.001)
    assert pacer.due_at == pytest.approx(1.01)
    pacer.poll_soon(1.03)
    assert pacer.due_at == pytest.approx(1.01)


def test_early_poll_does_not_count_as_a_stalled_frame() -> None:
    pacer = FramePacer(100)
    pacer.stall(0.0)
    assert not pacer.polled_early
    pacer.stall(1.0)
    stalled = pacer.stalled_frames
    pacer.poll_soon(1.02)
    pacer.stall(1.02)
    assert pacer.polled_early
    assert pacer.stalled_frames == stalled
    assert pacer.due_at == pytest.approx(1.05)
    pacer.stall(1.05)
    assert not pacer.polled_early


def test_datagram_without_a_stall_changes_no_deadline() -> None:
    pacer = FramePacer(100)
    pacer.start(5.0)
    pacer.poll_soon(1.0)
    assert pacer.due_at == 5.0
