"""Frame rate and input delay that a game can have, given what its environment costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from coplay.netcode.config import SessionConfig
from coplay.netcode.phases.hello import PREDICTED_S, RESIMULATION_SHARE, choose_delay

FRAME_RATES: Final = (60, 50, 40, 30, 25, 20, 15, 12, 10, 8, 6, 5, 4, 3, 2, 1)
ROUND_TRIPS_MS: Final = (50, 100, 200)
USUAL_FPS: Final = 30
_LONGEST_DELAY: Final = SessionConfig((0,), 0, (b"0",), 1).max_delay  # the default


@dataclass(frozen=True, slots=True)
class Advice:
    """What the costs allow in a game of two."""

    max_fps: int
    """The highest usual frame rate at which a rollback over 50 ms takes at most half a frame; 0 for none."""
    fps: float
    """The environment's own frame rate, or 30, if that is affordable; else `max_fps`."""
    delays: dict[int, int]
    """Input delay in frames at `fps`, keyed by the round trip in milliseconds."""


def advise(costs: Mapping[str, Any]) -> Advice:
    """Return the frame rate and delays that a session itself would choose.

    Args:
        costs: `step_us`, `snapshot_us` and `render_fps`, from the report of `examination.answer`.
    """
    frame_s = (costs["step_us"] + costs["snapshot_us"]) / 1e6
    max_fps = next((fps for fps in FRAME_RATES if _affordable(fps, frame_s)), 0)
    wanted = costs["render_fps"] or USUAL_FPS
    fps = wanted if _affordable(wanted, frame_s) else max_fps
    delays = (
        {rtt: choose_delay(rtt / 1000, fps, frame_s, _LONGEST_DELAY) for rtt in ROUND_TRIPS_MS} if fps else {}
    )
    return Advice(max_fps, fps, delays)


def _affordable(fps: float, frame_s: float) -> bool:
    return max(1, round(PREDICTED_S * fps)) * frame_s <= RESIMULATION_SHARE / fps
