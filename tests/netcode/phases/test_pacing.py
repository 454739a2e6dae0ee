import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coplay.netcode.phases.pacing import FORGIVEN_S, FramePacer, SteadyClock


@settings(deadline=None)
@given(st.lists(st.one_of(st.floats(0, 0.4), st.sampled_from([3600.0, -3600.0, 1e9]))))
def test_steady_clock_passes_plausible_time_and_no_other(steps: list[float]) -> None:
    clock = SteadyClock(50.0, 0.5)
    now, expected = 50.0, 50.0
    for step in steps:
        now += step
        expected += step if abs(step) < 1 else 0
        assert clock.read(now) == pytest.approx(expected, abs=1e-3)
        assert clock.caller_time(clock.latest) == pytest.approx(now)


def test_datagram_from_before_the_last_tick_is_no_jump() -> None:
    clock = SteadyClock(10.0, 0.5)
    assert clock.read(10.1) == 10.1
    assert clock.read(10.08) == 10.08
    assert clock.read(10.12) == 10.12


def test_lateness_is_caught_up_until_it_is_forgiven() -> None:
    pacer = FramePacer(50)
    pacer.start(1.0)
    pacer.frame_passed(1.1, 1.0)
    assert pacer.due_at == pytest.approx(1.02)
    pacer.frame_passed(1.1 + FORGIVEN_S, 1.0)
    assert pacer.due_at == pytest.approx(1.1 + FORGIVEN_S)


def test_stall_looks_at_frame_rate_then_twenty_times_a_second() -> None:
    pacer = FramePacer(100)
    pacer.start(0.0)
    looks = [0.0]
    assert pacer.stall(0.0) is True
    while pacer.due_at < 2.0:
        looks.append(pacer.due_at)
        assert pacer.stall(pacer.due_at) is False
    early = [at for at in looks if at < 0.5]
    late = [at for at in looks if at >= 0.6]
    assert len(early) == pytest.approx(50, abs=2)
    assert len(late) == pytest.approx(28, abs=2)
    assert pacer.stalled_frames == pytest.approx(200, abs=8)


def test_news_during_a_stall_bring_the_next_look_forward() -> None:
    pacer = FramePacer(100)
    pacer.stall(0.0)
    pacer.stall(1.0)
    pacer.hurry(1.001)
    assert pacer.due_at == pytest.approx(1.01)
    pacer.hurry(1.03)
    assert pacer.due_at == pytest.approx(1.01)


def test_early_look_during_a_stall_does_not_count_as_one() -> None:
    pacer = FramePacer(100)
    pacer.stall(0.0)
    assert not pacer.early
    pacer.stall(1.0)
    stalled = pacer.stalled_frames
    pacer.hurry(1.02)
    pacer.stall(1.02)
    assert pacer.early
    assert pacer.stalled_frames == stalled
    assert pacer.due_at == pytest.approx(1.05)
    pacer.stall(1.05)
    assert not pacer.early


def test_news_without_a_stall_change_nothing() -> None:
    pacer = FramePacer(100)
    pacer.start(5.0)
    pacer.hurry(1.0)
    assert pacer.due_at == 5.0
