import pytest

from coplay.netcode.time_sync import MAX_SLOWDOWN, MAX_SPEEDUP, TimeSync, frame_time_factor


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([(5, -5)] * 60, -5),
        ([(-4, 4)] * 60, 4),
        ([(10, -10)] * 30 + [(0, 0)] * 30, 0),
        ([(2, 6)] * 60, 2),
        ([(3, 5)], 1),
    ],
)
def test_average_of_samples_is_half_the_difference(
    samples: list[tuple[float, float]], expected: float
) -> None:
    sync = TimeSync()
    for local, remote in samples:
        sync.add(local, remote)
    assert sync.frames_ahead == pytest.approx(expected)


def test_average_without_samples_is_zero() -> None:
    assert TimeSync().frames_ahead == 0


@pytest.mark.parametrize(
    ("ahead", "factor"), [(100, 1 + MAX_SLOWDOWN), (-100, 1 - MAX_SPEEDUP), (0, 1), (1, 1.01), (-0.5, 0.995)]
)
def test_frame_time_factor_is_limited_and_proportional(ahead: float, factor: float) -> None:
    assert frame_time_factor(ahead) == pytest.approx(factor)
