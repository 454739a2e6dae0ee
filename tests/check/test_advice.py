"""The frame rate and the input delay that follow from an environment's costs."""

from coplay.check.advice import advise


def test_costs_decide_frame_rate_and_input_delay() -> None:
    cheap = advise({"step_us": 50, "snapshot_us": 30, "render_fps": 50.0})
    assert (cheap.max_fps, cheap.fps, cheap.delays) == (60, 50.0, {50: 0, 100: 1, 200: 3})
    slow = advise({"step_us": 9_000, "snapshot_us": 1_000, "render_fps": 30.0})
    # At 30 frames per second 50 ms are two frames, and simulating them takes more than half of 33 ms.
    assert (slow.max_fps, slow.fps) == (25, 25)
    hopeless = advise({"step_us": 2e6, "snapshot_us": 0.0, "render_fps": None})
    assert (hopeless.max_fps, hopeless.fps, hopeless.delays) == (0, 0, {})
