"""The examination of an environment in the Python that runs this file: CPython, or WebAssembly under Node.

`coplay check` runs it in both with the same requests, and compares. One process examines one environment:

    begin  → start the examination: trace, roll back, play after another game, transfer, measure, draw
    go_on  → continue; replies {stage, fraction} a few times a second, and {report} at the end
    trace  → {trace}: only the checksum of each frame, for a process that should compute the same
    look   → {leaves}: every attribute of the state before one frame, keyed by path
"""

import json
import platform
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from typing import Any

import numpy

from coplay.check.probes import costs, untracked_state
from coplay.check.probes.live_state import LiveStateMonitor
from coplay.check.probes.rollbacks import Inputs, RollbackResult, new_game, random_inputs, roll_back, traced
from coplay.check.probes.side_effects import SideEffectMonitor
from coplay.check.probes.state_transfer import transfer_state
from coplay.envs import Environment, load_environment
from coplay.envs.state.paths import describe
from coplay.errors import CoplayError

_REPLY_EVERY_S = 0.25
_SHARES = {"rollbacks": 0.6, "costs": 0.1}  # of the time limit
_KEPT_STATES = 60
_KEPT_BYTES = 64 << 20
_LARGE_BYTES = 4 << 20  # describing every attribute of a larger state takes too long
_OTHER_SEED = 77

Progress = Iterator[tuple[str, float]]
Played = Generator[tuple[str, float], None, list[int]]


class _Subject:
    """The environment that this process examines, and how far it is."""

    environment: Environment
    progress: Progress
    report: dict[str, Any]
    where = ""
    """What was being done, for error messages."""


def answer(request_json: str) -> str:
    """Return the reply to one request.

    Args:
        request_json: `{do: "begin", environment, frames, seconds}`, `{do: "go_on"}`,
            `{do: "trace", environment, frames, before}`, `{do: "look", frames, frame}`.

    Returns:
        The reply as JSON, as in the module's docstring; or `{error, hint}`.
    """
    request = json.loads(request_json)
    try:
        return json.dumps(_DO[request.pop("do")](**request))
    except CoplayError as error:
        return json.dumps({"error": error.message, "hint": error.hint})
    except Exception as error:  # noqa: BLE001 (an environment may raise anything; it becomes the reply)
        return json.dumps(_failed(error))


def _failed(error: Exception) -> dict[str, str]:
    said = f"{type(error).__name__}: {error}".splitlines()[0]
    places = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if "/coplay/check/" not in frame.filename and "/coplay/envs/" not in frame.filename
    ]
    at = f", at {places[-1]}" if places else ""
    return {"error": f"it stopped {_Subject.where} with {said}{at}", "hint": _hint(error)}


def _hint(error: Exception) -> str:
    text = str(error).lower()
    if isinstance(error, ModuleNotFoundError):
        return (
            f"pip install {error.name}"
            if sys.platform != "emscripten"
            else "Import it only where it is used."
        )
    if any(word in text for word in ("render", "pygame", "surface", "viewer", "window", "display")):
        return "It seems to draw while it steps. Let step() compute, and render() alone draw."
    if "can't start new thread" in text:
        return "The browsers' Python has no threads. Do the work in step()."
    return "Play it outside coplay first, with random actions over its whole action space."


def _begin(environment: str, frames: int, seconds: float) -> dict[str, Any]:
    _Subject.report = {"python": platform.python_version(), "numpy": numpy.__version__}
    _Subject.progress = _examine(environment, frames, seconds, _Subject.report)
    return _go_on()


def _go_on() -> dict[str, Any]:
    until = time.monotonic() + _REPLY_EVERY_S
    for stage, fraction in _Subject.progress:
        if time.monotonic() > until:
            return {"stage": stage, "fraction": round(fraction, 3)}
    return {"report": _Subject.report}


def _examine(name: str, frames: int, seconds: float, report: dict[str, Any]) -> Progress:
    side_effects = SideEffectMonitor()
    _Subject.where = "while it was made"
    with side_effects.watching(playing=False):
        environment = _Subject.environment = load_environment(name)
    report |= {"render_fps": environment.render_fps, "players": environment.n_players}
    inputs = random_inputs(environment, frames)
    states: list[Any] = []
    found = RollbackResult()
    with side_effects.watching(playing=True):
        before = untracked_state.fingerprints(environment)
        trace = yield from _play(environment, inputs, report, states)
        for fraction in roll_back(environment, inputs, trace, seconds * _SHARES["rollbacks"], found):
            yield "rolling back", 0.1 + 0.6 * fraction
        if found.difference is None:
            yield from _play_again(environment, inputs, trace, states, report)
            if not report["unwalkable"]:
                for fraction in transfer_state(environment, inputs, trace, report):
                    yield "transferring", 0.75 + 0.05 * fraction
        report["unsaved"] = untracked_state.changes(before, untracked_state.fingerprints(environment))
    side_effects.count_threads()
    difference = found.difference
    report |= {
        "deterministic": difference is None and not report["unwalkable"],
        "resimulated": found.resimulated,
        "distances": found.distances,
        "first_difference": difference.frame if difference else None,
        "distance": difference.distance if difference else None,
        "differing": difference.differing if difference else [],
        "sightings": side_effects.sightings(),
    }
    _Subject.where = "while its costs were measured"
    for fraction in costs.measure_costs(environment, seconds * _SHARES["costs"], report):
        yield "measuring", 0.8 + 0.1 * fraction
    yield from _draw(name, inputs, trace, report)


def _play(environment: Environment, inputs: Inputs, report: dict[str, Any], states: list[Any]) -> Played:
    """Play without rollbacks, and look at the state; returns the trace."""
    trace: list[int] = []
    monitor = LiveStateMonitor(environment)
    row: Any = None
    for game, checksum, row in traced(environment, inputs):
        frame = len(trace)
        _Subject.where = f"in frame {frame}"
        trace.append(checksum)
        if row is not None:
            monitor.note_frame(frame, row)
        if frame == 0:
            size = monitor.measure(game)
        rarely = frame in (1, len(inputs) // 2, len(inputs))
        if rarely:
            monitor.note_state(game, closely=size <= _LARGE_BYTES)
        if frame < _KEPT_STATES and frame * size < _KEPT_BYTES:
            states.append(game.save())
        yield "playing", 0.1 * frame / len(inputs)
    report |= {"frames": len(trace) - 1, "episodes": game.episode + 1, **monitor.report()}
    report |= {"trace": _hex(trace), "final_checksum": _hex(trace[-1:])[0]}
    return trace


def _play_again(
    environment: Environment, inputs: Inputs, trace: list[int], states: list[Any], report: dict[str, Any]
) -> Progress:
    """Play another game and then the first one again, to find state that survives a reset."""
    another = islice(traced(environment, inputs, seed=_OTHER_SEED), max(3, len(inputs) // 3))
    other = [checksum for _game, checksum, _row in another]
    report["seed_matters"] = other != trace[: len(other)]
    report["remembered"] = None
    frame = 0
    for frame, (game, checksum, _row) in enumerate(traced(environment, inputs)):
        if checksum != trace[frame]:
            differing = game.diff(states[frame], game.save())[:20] if frame < len(states) else []
            report["remembered"] = {"frame": frame, "differing": differing}
            return
        yield "playing again", 0.7 + 0.05 * frame / len(inputs)


def _draw(name: str, inputs: Inputs, trace: list[int], report: dict[str, Any]) -> Progress:
    """Let the environment render, as in a study without a draw function, and compare the states."""
    report["draws"] = {"picture": None, "frame": None, "differing": []}
    drawing = report["draws"]
    part = inputs[:_KEPT_STATES]
    try:
        environment = load_environment(name, render=True)
        game = new_game(environment, len(inputs))
        game.start()
        picture = environment.render()
    except Exception as error:  # noqa: BLE001 (an environment may raise anything; it is reported)
        drawing["error"] = f"{type(error).__name__}: {error}".splitlines()[0]
        return
    if picture is None:
        return
    drawing["picture"] = "text" if isinstance(picture, str) else "×".join(map(str, picture.shape[1::-1]))
    plain: list[Any] = []
    until = time.monotonic() + 2.0
    for game, _checksum, _row in traced(environment, part):
        plain.append((game.checksum(), game.save()))
        if time.monotonic() > until:
            break
    until = time.monotonic() + 4.0
    for frame, (game, checksum, _row) in enumerate(traced(environment, part, draw=3)):
        if frame >= len(plain) or time.monotonic() > until:
            return
        if checksum != plain[frame][0]:
            drawing |= {"frame": frame, "differing": game.diff(plain[frame][1], game.save())[:20]}
            return
        yield "drawing", 0.9 + 0.1 * frame / len(part)


def _trace(environment: str, frames: int, before: bool) -> dict[str, Any]:
    _Subject.where = "while it was traced"
    loaded = _Subject.environment = load_environment(environment)
    inputs = random_inputs(loaded, frames)
    if before:
        for _ in traced(loaded, random_inputs(loaded, frames, _OTHER_SEED), seed=_OTHER_SEED):
            pass
    return {"trace": _hex([checksum for _game, checksum, _row in traced(loaded, inputs)])}


def _look(frames: int, frame: int) -> dict[str, Any]:
    environment = _Subject.environment
    played = traced(environment, random_inputs(environment, frames))
    game = next(game for number, (game, _, _) in enumerate(played) if number == frame)
    leaves = describe(game.save().snapshot)
    return {"leaves": {path: _shown(*leaf) for path, leaf in leaves.items()}}


def _shown(kind: str, value: object) -> str:
    """Return a leaf of the state as text for a person."""
    if kind == "float" and isinstance(value, tuple):
        value = value[0]
    elif isinstance(value, bytes) and kind not in ("bytes", "buffer"):
        value = f"{numpy.frombuffer(value, kind)[0]} {numpy.dtype(kind).name}"
    return str(value)[:200]


def _hex(checksums: list[int]) -> list[str]:
    return [f"{checksum:016x}" for checksum in checksums]


_DO: dict[str, Callable[..., dict[str, Any]]] = {
    "begin": _begin,
    "go_on": _go_on,
    "trace": _trace,
    "look": _look,
}
