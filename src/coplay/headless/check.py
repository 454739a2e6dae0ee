"""Is an environment safe for peer-to-peer play? Tried in CPython and in the browsers' Python."""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from coplay.errors import RuntimeUnavailableError, StudyError, UsageError
from coplay.headless import examination
from coplay.headless.advice import Advice, advise
from coplay.headless.node_simulation import NO_NODE_HINT, node_simulation
from coplay.runtime import Report, Runtime, ensure_runtime, find_node, silent
from coplay.runtime.bundle import coplay_part
from coplay.runtime.distribution import pinned_distribution

FRAMES = 300
ROLLBACK = 4
CPYTHON, WASM = "CPython", "WebAssembly"
_OTHER_PROCESS = (
    "Two processes of CPython differ in the state before frame {}: something depends on where objects lie in "
    "memory (id(), the hash of an object) or on the system."
)


@dataclass(frozen=True, slots=True)
class Check:
    """What was found."""

    environment: str
    """As it was named."""
    safe: bool
    """Whether peers that each simulate it stay in the same state."""
    reasons: list[str]
    """Sentences that say why it is not safe; empty if it is."""
    cpython: dict[str, Any]
    """See `examination.answer`."""
    wasm: dict[str, Any]
    """The same in the browsers' Python, or `{error, hint}` if it was not tried or did not run."""
    disagree_at: int | None
    """The first frame before which the states of the two differ; None if they never do, or one was not
    tried."""
    advice: Advice
    """What it costs, in frame rate and delay."""

    @property
    def agree(self) -> bool | None:
        """Whether both Pythons compute the same; None if only one was tried."""
        return None if "error" in self.wasm else self.disagree_at is None

    def as_json(self) -> dict[str, Any]:
        """Plain values for a program."""
        return {
            "environment": self.environment,
            "safe": self.safe,
            "reasons": self.reasons,
            "cpython": self.cpython,
            "wasm": self.wasm,
            "agree": self.agree,
            "disagree_at": self.disagree_at,
            "max_fps": self.advice.max_fps,
            "fps": self.advice.fps,
            "delay_frames": {f"{rtt}_ms": frames for rtt, frames in self.advice.delays.items()},
        }


def check(environment: str, *, frames: int = FRAMES, progress: Report = silent) -> Check:
    """Play random inputs, roll back at every frame, and compare, in both Pythons.

    Args:
        environment: A Gymnasium id, `package:id`, or `module:factory` importable from the current folder.
        frames: How many to play; fewer when the episodes end before.
        progress: Told what is being done.

    Raises:
        UsageError: It cannot be made or played even here.
    """
    progress(f"Playing {environment} in {CPYTHON}", None)
    request = {"environment": environment, "frames": frames, "rollback": ROLLBACK}
    cpython = _in_cpython({**request, "displaced": False})
    sources = cpython.pop("sources")
    trace = cpython.pop("trace")
    reasons = _reasons(CPYTHON, cpython)
    if not reasons:
        other = _in_cpython({**request, "rollback": 0, "displaced": True})["trace"]
        if (frame := _first_difference(trace, other)) is not None:
            reasons.append(_OTHER_PROCESS.format(frame))
    wasm, blame = _in_wasm(request, sources, progress)
    if blame:
        reasons.append(f"It does not run in the browsers' Python: {wasm['error'].rstrip('.')}.")
    reasons += _reasons(WASM, wasm)
    tried = "error" not in wasm
    disagree_at = _first_difference(trace, wasm.pop("trace")) if tried else None
    return Check(
        environment=environment,
        safe=not reasons,
        reasons=reasons,
        cpython=cpython,
        wasm=wasm,
        disagree_at=disagree_at,
        advice=advise(wasm if tried else cpython),
    )


def _reasons(where: str, report: Mapping[str, Any]) -> list[str]:
    reasons = []
    if report.get("first_difference") is not None:
        differing = report["differing"]
        more = f" and {len(differing) - 5} more" if len(differing) > 5 else ""
        reasons.append(
            f"In {where} the state before frame {report['first_difference']} came out differently when it "
            f"was played again: {', '.join(differing[:5]) or 'no attribute that is in sight'}{more}."
        )
    if report.get("unwalkable"):
        parts = ", ".join(report["unwalkable"][:5])
        reasons.append(f"In {where} parts of the state cannot be saved, so not be rolled back: {parts}.")
    return reasons


def _first_difference(trace: Sequence[str], other: Sequence[str]) -> int | None:
    pairs = enumerate(zip_longest(trace, other))
    return next((frame for frame, (mine, theirs) in pairs if mine != theirs), None)


def _in_cpython(request: Mapping[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "coplay.headless.native"],
        input=json.dumps(request),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONHASHSEED": "0"},
        check=False,
    )
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise UsageError(
            f"{request['environment']} ended Python itself: {said[-300:]}",
            "Play it alone first, with random actions.",
        )
    reply: dict[str, Any] = json.loads(lines[-1])
    if "error" in reply:
        raise UsageError(str(reply["error"]), str(reply["hint"]))
    return reply


def _in_wasm(
    request: Mapping[str, Any], sources: Mapping[str, Any], progress: Report
) -> tuple[dict[str, Any], bool]:
    """What was found in the browsers' Python; or an error, and whether the environment is to blame for it."""
    if find_node() is None:
        return {"error": "there is no Node to run the browsers' Python", "hint": NO_NODE_HINT}, False
    base = {wheel.project for wheel in pinned_distribution().wheels}
    packages = [p for p in sources["packages"] if canonicalize_name(Requirement(p).name) not in base]
    try:
        runtime = ensure_runtime(packages, progress=progress)
        code = coplay_part(runtime, progress=progress)
    except StudyError as error:
        return {"error": error.message, "hint": error.hint}, True
    except RuntimeUnavailableError as error:
        return {"error": error.message, "hint": error.hint}, False
    progress(f"Playing {request['environment']} in {WASM}", None)
    try:
        with _packed(code, sources["files"]) as archives:
            return _asked(runtime, archives, request)
    except RuntimeUnavailableError as error:
        return {"error": error.message, "hint": error.hint}, False


def _asked(runtime: Runtime, code: list[Path], request: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    with node_simulation(runtime, code, examination.__name__) as simulation:
        try:
            return simulation.ask(**request), False
        except (UsageError, RuntimeUnavailableError) as error:  # it had booted: the environment's doing
            return {"error": error.message, "hint": error.hint}, True


@contextmanager
def _packed(coplay: bytes, files: Mapping[str, str]) -> Iterator[list[Path]]:
    """Archives with coplay, and with the environment's own files and the program that examines it."""
    with tempfile.TemporaryDirectory(prefix="coplay-") as folder:
        first, second = Path(folder) / "coplay.zip", Path(folder) / "own.zip"
        first.write_bytes(coplay)
        with zipfile.ZipFile(second, "w") as archive:
            for name in ("__init__.py", "examination.py"):
                archive.write(Path(__file__).with_name(name), f"coplay/headless/{name}")
            for member, path in files.items():
                archive.write(path, member)
        yield [first, second]
