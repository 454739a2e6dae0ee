"""Measurement of what an environment's steps, snapshots and checksums cost in this Python."""

import copy
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from coplay.check.probes.rollbacks import new_game, random_inputs
from coplay.envs import Environment, Game, SavedGame

_WARM_UP: Final = 12
_MEASURED: Final = 90
_DEEP_COPIES: Final = 15
_TRIES: Final = 3  # the quickest counts, because other programs run as well
_MEASURES: Final = ("step_us", "snapshot_us", "restore_us", "checksum_us")
# WebAssembly has no clock of processor time.
_clock = time.perf_counter if sys.platform == "emscripten" else time.process_time


def measure_costs(environment: Environment, seconds: float, found: dict[str, Any]) -> Iterator[float]:
    """Play and measure; yields the progress in [0, 1].

    Every frame is played, loaded back and played again, as in a session. The cost of a snapshot is what the
    game adds to the environment's own step.

    Args:
        environment: The environment to measure.
        seconds: Approximate limit.
        found: Receives medians in microseconds: `step_us snapshot_us restore_us checksum_us deepcopy_us`. The
            last is None if the environment cannot be copied, and `deepcopy_error` says why.
    """
    inputs = random_inputs(environment, _WARM_UP + _MEASURED, seed=2)
    game = new_game(environment, len(inputs), seed=2)
    game.start()
    samples: dict[str, list[float]] = {name: [] for name in _MEASURES}
    copies: list[float] = []
    error: str | None = None
    with _timed_steps(environment) as own:
        until = time.monotonic() + seconds
        for number, given in enumerate(inputs):
            if number == _WARM_UP:
                for taken in samples.values():
                    taken.clear()
            before = game.save()
            tries = [_try(game, given, before, own) for _ in range(_TRIES)]
            for name in _MEASURES:
                samples[name] += [min(known) for known in [[t[name] for t in tries if name in t]] if known]
            game.step(given)
            if error is None and len(copies) < _DEEP_COPIES:
                began = _clock()
                try:
                    copy.deepcopy((environment.env, environment.live))
                except Exception as refused:  # noqa: BLE001 (the copied objects may raise anything)
                    error = f"{type(refused).__name__}: {refused}".splitlines()[0]
                copies.append(_clock() - began)
            yield number / len(inputs)
            if number > _WARM_UP + 3 and time.monotonic() > until:
                break
    found |= {name: round(1e6 * statistics.median(taken), 1) for name, taken in samples.items()}
    found["deepcopy_us"] = None if error else round(1e6 * statistics.median(copies), 1)
    if error:
        found["deepcopy_error"] = error


def _try(game: Game, given: tuple[bytes, ...], before: SavedGame, own: list[float]) -> dict[str, float]:
    """Play a frame and load the state before it; returns the seconds that each part took."""
    own.clear()
    began = _clock()
    game.step(given)
    stepped = _clock()
    game.checksum()
    summed = _clock()
    game.load(before)
    took = {"checksum_us": summed - stepped, "restore_us": _clock() - summed}
    if own:  # empty in the pause between episodes
        took |= {"step_us": own[0], "snapshot_us": stepped - began - own[0]}
    return took


@contextmanager
def _timed_steps(environment: Environment) -> Iterator[list[float]]:
    """Time the environment's own steps; yields the list that collects the seconds."""
    own: list[float] = []
    step = environment.step

    def timed_step(actions: tuple[Any, ...]) -> Any:
        began = _clock()
        outcome = step(actions)
        own.append(_clock() - began)
        return outcome

    environment.step = timed_step  # type: ignore[method-assign]
    try:
        yield own
    finally:
        environment.step = step  # type: ignore[method-assign]
