"""Examines an environment in the Python that runs this file: CPython, or WebAssembly under Node.

`coplay check` runs it in both, with the same request, and compares. It needs `coplay.envs` alone.
"""

import json
import platform
import random
import statistics
import time
from dataclasses import asdict
from typing import Any

from coplay.envs import Environment, Game, check_environment, load_environment
from coplay.envs.state_walk import StateWalk
from coplay.errors import CoplayError

_WARM_UP_FRAMES = 12
_MEASURED_FRAMES = 60


def answer(request_json: str) -> str:
    """Examine an environment.

    Args:
        request_json: `{environment, frames, rollback}`; with a rollback of 0 the game is only traced.

    Returns:
        JSON: the fields of `envs.Report` with `final_checksum` as 16 digits; `python`, `render_fps`; median
        microseconds `step_us snapshot_us checksum_us`; and `trace`, the checksum before every frame. Or
        `{error, hint}`.
    """
    request = json.loads(request_json)
    try:
        return json.dumps(_examined(**request))
    except CoplayError as error:
        return json.dumps({"error": error.message, "hint": error.hint})
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        return json.dumps(
            {
                "error": f"{request['environment']} stopped with {said}",
                "hint": "Play it alone first, with random actions.",
            }
        )


def _examined(environment: str, frames: int, rollback: int) -> dict[str, Any]:
    loaded = load_environment(environment)
    trace = {"trace": _trace(loaded, frames)}
    if not rollback:
        return trace
    report = check_environment(loaded, frames=frames, rollback=rollback)
    return {
        **asdict(report),
        "final_checksum": f"{report.final_checksum:016x}",
        "python": platform.python_version(),
        "render_fps": loaded.render_fps,
        **_costs(loaded),
        **trace,
    }


def _trace(environment: Environment, frames: int) -> list[str]:
    """Play once, and give the checksum before every frame: of another process, they are to be the same."""
    game = Game(environment, seed=1, episodes=3, max_frames=max(1, frames // 3))
    game.start()
    source = random.Random(1)
    checksums = [game.checksum()]
    while len(checksums) <= frames and not game.over:
        game.step(tuple([codec.sample(source) for codec in environment.codecs]))
        checksums.append(game.checksum())
    return [f"{checksum:016x}" for checksum in checksums]


def _costs(environment: Environment) -> dict[str, float]:
    game = Game(environment, seed=2, episodes=_WARM_UP_FRAMES + _MEASURED_FRAMES)
    game.start()
    walk = StateWalk(environment.roots())
    source = random.Random(2)
    clock = time.perf_counter
    frames, snapshots, checksums = [], [], []
    for _ in range(_WARM_UP_FRAMES + _MEASURED_FRAMES):
        inputs = tuple(codec.sample(source) for codec in environment.codecs)
        began = clock()
        game.step(inputs)
        stepped = clock()
        walk.take()
        taken = clock()
        game.checksum()
        frames.append(stepped - began)
        snapshots.append(taken - stepped)
        checksums.append(clock() - taken)
    frame, snapshot, checksum = (
        1e6 * statistics.median(samples[_WARM_UP_FRAMES:]) for samples in (frames, snapshots, checksums)
    )
    # A frame of the game is a step and its snapshot.
    return {
        "step_us": round(max(0.0, frame - snapshot), 1),
        "snapshot_us": round(snapshot, 1),
        "checksum_us": round(checksum, 1),
    }
