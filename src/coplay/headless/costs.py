"""What an environment's frames, snapshots and checksums take, in the Python that runs this file."""

import copy
import statistics
import time
from collections.abc import Iterator
from typing import Any, Final

from coplay.envs import Environment
from coplay.headless.rolling_back import new_game, random_inputs

_WARM_UP: Final = 12
_MEASURED: Final = 90
_DEEP_COPIES: Final = 15
_clock = time.perf_counter


def measured(environment: Environment, seconds: float, found: dict[str, Any]) -> Iterator[float]:
    """Play, and measure; yields how far that is.

    Every frame is played, loaded back and played again, as in a session. What a snapshot costs is what the
    game adds to the environment's own step.

    Args:
        environment: Which one.
        seconds: About how long it may take.
        found: Takes medians in microseconds: `step_us snapshot_us restore_us checksum_us deepcopy_us`; the
            last is None when the environment cannot be copied, and `deepcopy_error` says why.
    """
    inputs = random_inputs(environment, _WARM_UP + _MEASURED, seed=2)
    game = new_game(environment, len(inputs), seed=2)
    game.start()
    own: list[float] = []
    step = environment.step

    def timed_step(actions: tuple[Any, ...]) -> Any:
        began = _clock()
        outcome = step(actions)
        own.append(_clock() - began)
        return outcome

    samples: dict[str, list[float]] = {"step_us": own, "snapshot_us": [], "restore_us": [], "checksum_us": []}
    copies: list[float] = []
    error: str | None = None
    environment.step = timed_step  # type: ignore[method-assign]
    try:
        until = time.monotonic() + seconds
        for number, given in enumerate(inputs):
            if number == _WARM_UP:
                for taken in (*samples.values(), copies):
                    taken.clear()
            before = game.save()
            for _ in range(2):
                stepped = len(own)
                began = _clock()
                game.step(given)
                took = _clock() - began
                if len(own) == stepped + 1:  # not a pause, not the first frame of an episode
                    samples["snapshot_us"].append(took - own[-1])
                began = _clock()
                game.checksum()
                samples["checksum_us"].append(_clock() - began)
                began = _clock()
                game.load(before)
                samples["restore_us"].append(_clock() - began)
            game.step(given)
            if error is None and len(copies) < _DEEP_COPIES:
                began = _clock()
                try:
                    copy.deepcopy((environment.env, environment.live))
                except Exception as refused:
                    error = f"{type(refused).__name__}: {refused}".splitlines()[0]
                copies.append(_clock() - began)
            yield number / len(inputs)
            if number > _WARM_UP + 3 and time.monotonic() > until:
                break
    finally:
        environment.step = step  # type: ignore[method-assign]
    found |= {name: round(1e6 * statistics.median(taken), 1) for name, taken in samples.items()}
    found["deepcopy_us"] = None if error else round(1e6 * statistics.median(copies), 1)
    if error:
        found["deepcopy_error"] = error
