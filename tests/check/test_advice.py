"""The frame rate and the input delay that follow from an environment's costs."""

from coplay.check.advice import advise


def test_costs_decide_rate_and_delay() -> None:
    cheap = advise({"step_us": 50, "snapshot_us": 30, "render_fps": 50.0})
    assert (cheap.max_fps, cheap.fps, cheap.delays) == (60, 50.0, {50: 0, 100: 1, 200: 3})
    dear = advise({"step_us": 9_000, "snapshot_us": 1_000, "render_fps": 30.0})
    # At 30 a second, 50 ms are two frames, and simulating them again takes more than half of a frame's 33 ms.
    assert (dear.max_fps, dear.fps) == (25, 25)
    hopeless = advise({"step_us": 2e6, "snapshot_us": 0.0, "render_fps": None})
    assert (hopeless.max_fps, hopeless.fps, hopeless.delays) == (0, 0, {})
