"""Examination of an environment in the browsers' Python, with the packages and files it needs there."""

import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from coplay.check.probes import examination
from coplay.errors import RuntimeUnavailableError, StudyError, UsageError
from coplay.runtime import ReportProgress, Runtime, ensure_runtime, find_node
from coplay.runtime.bundle import coplay_part
from coplay.runtime.distribution import pinned_distribution
from coplay.wasm.node import NO_NODE_HINT, node_simulation
from coplay.wasm.simulation_process import SimulationProcess

_PACKAGE: Final = Path(__file__).parent
_PROBES: Final = (  # coplay's bundle leaves the check out, so its probes are shipped separately
    _PACKAGE / "__init__.py",
    *sorted((_PACKAGE / "probes").glob("*.py")),
)
_MOST_ATTEMPTS: Final = 6
_MISSING = re.compile(r"No module named '(\w+)|There is no module (\w+)|needs (\w+)\S*, which is missing")
_OTHER_VERSION = re.compile(r"^Ask for (\S+==\S+)\.$")


@dataclass(frozen=True, slots=True)
class WasmTrial:
    """The outcome in the browsers' Python."""

    report: dict[str, Any]
    """The report, or `{error, hint}`."""
    blamed: bool
    """True if the error is the environment's fault, and not this machine's."""
    packages: list[str]
    """The packages that a study has to list."""


def run_in_wasm(
    dependencies: Mapping[str, Any],
    play: Callable[[SimulationProcess], dict[str, Any]],
    *,
    timeout_s: float,
    progress: ReportProgress,
) -> WasmTrial:
    """Start the browsers' Python with what an environment needs, and play.

    Packages that it imports without declaring them are added in the version installed here.

    Args:
        dependencies: From `find_dependencies`.
        play: Sends the requests and returns the report.
        timeout_s: The longest wait for one reply.
        progress: Called with each stage and its progress.
    """
    base = {wheel.project for wheel in pinned_distribution().wheels}
    packages = [p for p in dependencies["packages"] if canonicalize_name(Requirement(p).name) not in base]
    if find_node() is None:
        error = {"error": "there is no Node to run the browsers' Python", "hint": NO_NODE_HINT}
        return WasmTrial(error, False, packages)
    for _ in range(_MOST_ATTEMPTS):
        trial = _try(packages, dependencies["files"], play, timeout_s, progress)
        more = _with_missing(trial, packages) if trial.blamed else None
        if more is None:
            break
        packages = more
    return trial


def _try(
    packages: list[str],
    files: Mapping[str, str],
    play: Callable[[SimulationProcess], dict[str, Any]],
    timeout_s: float,
    progress: ReportProgress,
) -> WasmTrial:
    try:
        runtime = ensure_runtime(packages, progress=progress)
        code = coplay_part(runtime, progress=progress)
    except (StudyError, RuntimeUnavailableError) as error:
        return _failed(error, packages, blamed=isinstance(error, StudyError))
    progress("Starting the browsers' Python", None)
    booted = False
    try:
        with _packed(code, files) as archives, _simulation(runtime, archives, timeout_s) as simulation:
            booted = True
            return WasmTrial(play(simulation), False, packages)
    except (UsageError, RuntimeUnavailableError) as error:
        return _failed(error, packages, blamed=booted)


def _failed(error: UsageError | RuntimeUnavailableError, packages: list[str], *, blamed: bool) -> WasmTrial:
    return WasmTrial({"error": error.message, "hint": error.hint}, blamed, packages)


def _simulation(runtime: Runtime, archives: Sequence[Path], timeout_s: float) -> Any:
    return node_simulation(runtime, archives, examination.__name__, timeout_s=timeout_s)


def _with_missing(trial: WasmTrial, packages: list[str]) -> list[str] | None:
    """Return the packages with the missing one added, or in another version; None if that cannot help."""
    other = _OTHER_VERSION.match(str(trial.report["hint"]))
    if other is not None:
        name = canonicalize_name(Requirement(other[1]).name)
        kept = [p for p in packages if canonicalize_name(Requirement(p).name) != name]
        return [*kept, other[1]] if len(kept) < len(packages) else None
    missing = _MISSING.search(str(trial.report["error"]))
    owners = packages_distributions().get(next(filter(None, missing.groups()))) if missing else None
    if not owners:
        return None
    package = f"{owners[0]}=={version(owners[0])}"
    return None if package in packages else [*packages, package]


@contextmanager
def _packed(coplay: bytes, files: Mapping[str, str]) -> Iterator[list[Path]]:
    """Write two archives: coplay, and the environment's own files with the probes that examine it."""
    with tempfile.TemporaryDirectory(prefix="coplay-") as folder:
        first, second = Path(folder) / "coplay.zip", Path(folder) / "own.zip"
        first.write_bytes(coplay)
        with zipfile.ZipFile(second, "w") as archive:
            for program in _PROBES:
                archive.write(program, f"coplay/check/{program.relative_to(_PACKAGE).as_posix()}")
            for member, path in files.items():
                archive.write(path, member)
        yield [first, second]
