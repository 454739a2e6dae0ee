"""Resolves a study's packages to wheels for the browser.

A study pins what it imports, `packages=["cogrid==0.3.2"]`. A package must be pure Python, or one that Pyodide
publishes for WebAssembly; stand-ins replace drawing libraries (see `stand_ins.wheels`). Dependencies are
found by a walk over the wheels' metadata; nothing is installed or executed.
"""

import hashlib
import json
import zipfile
from collections.abc import Sequence
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from coplay.errors import RuntimeUnavailableError, StudyError
from coplay.runtime.distribution import Distribution, PinnedWheel
from coplay.runtime.fetching.file_cache import FileCache
from coplay.runtime.fetching.package_clients import SourceFailedError
from coplay.runtime.fetching.sources import OFFLINE_HINT, Sources
from coplay.runtime.progress import ReportProgress
from coplay.runtime.stand_ins.wheels import MODULES, VERSION, is_replaced, wheel_of

_STUDY = "the study"


class Resolver:
    """Resolves requirements to pinned wheels.

    The result is cached, so that the same list of packages always resolves to the same wheels.

    Args:
        distribution: The base that every study has.
        catalogue: Path of Pyodide's list of packages (`pyodide-lock.json`).
        store: Cache of wheels and notes.
        sources: Fetches wheels.
        report: Receives progress.
    """

    def __init__(
        self,
        distribution: Distribution,
        catalogue: Path,
        store: FileCache,
        sources: Sources,
        report: ReportProgress,
    ) -> None:
        self._base = {wheel.project: wheel for wheel in distribution.wheels}
        self._catalogue_path = catalogue
        self._store = store
        self._sources = sources
        self._report = report
        self._environment = _browser_environment(distribution.python)

    def resolve(self, packages: Sequence[str]) -> tuple[PinnedWheel, ...]:
        """Return the wheels needed in addition to the base, sorted by project.

        Raises:
            StudyError: A package is not pinned, conflicts with the base, or cannot run in a browser.
            RuntimeUnavailableError: A package could not be fetched.
        """
        requirements = [_pinned(package) for package in packages]
        base = [wheel.sha256 for wheel in self._base.values()]
        stand_ins = [hashlib.sha256(wheel_of(project)[1]).hexdigest() for project in MODULES]
        question = json.dumps([base, stand_ins, sorted(str(requirement) for requirement in requirements)])
        key = "packages-" + hashlib.sha256(question.encode()).hexdigest()
        noted = self._store.read_note(key)
        if isinstance(noted, list):
            wheels = tuple(PinnedWheel(**wheel) for wheel in noted)
            return tuple(self._stand_in(w.project) if w.version == VERSION else w for w in wheels)
        wheels = self._walk(requirements)
        self._store.write_note(
            key,
            [
                {field: getattr(wheel, field) for field in ("name", "sha256", "project", "version")}
                for wheel in wheels
            ],
        )
        return wheels

    def _walk(self, requirements: Sequence[Requirement]) -> tuple[PinnedWheel, ...]:
        chosen: dict[str, PinnedWheel] = {}
        seen: set[str] = set()
        waiting = [(requirement, _STUDY) for requirement in requirements]
        while waiting:
            requirement, wanted_by = waiting.pop(0)
            project = canonicalize_name(requirement.name)
            wheel = self._base.get(project) or chosen.get(project)
            if is_replaced(requirement, by_study=wanted_by == _STUDY):
                # Two projects may provide one module (pygame, pygame-ce), which needs only one stand-in.
                if not any(MODULES[project] == MODULES.get(other) for other in chosen):
                    chosen[project] = self._stand_in(project)
                continue
            if wheel is not None and not requirement.specifier.contains(wheel.version, prereleases=True):
                raise StudyError(
                    f"{wanted_by} needs {requirement}, and the browser has {wheel.requirement}.",
                    "Ask for versions of the study's packages that work together.",
                )
            if wheel is None:
                wheel = chosen[project] = self._choose(requirement, wanted_by)
            # A project with other extras has other dependencies, and is walked again. The base is complete.
            question = f"{project}[{','.join(sorted(requirement.extras))}]"
            if question in seen or (project in self._base and not requirement.extras):
                continue
            seen.add(question)
            path = self._sources.wheels([wheel])[wheel.name]
            waiting += [(needed, wheel.requirement) for needed in self._needs(path, requirement.extras)]
        return tuple(chosen[project] for project in sorted(chosen))

    def _stand_in(self, project: str) -> PinnedWheel:
        name, data = wheel_of(project)
        _path, sha256 = self._store.add_bytes(data, name)
        return PinnedWheel(name, sha256, project, VERSION)

    def _choose(self, requirement: Requirement, wanted_by: str) -> PinnedWheel:
        self._report(f"Finding {requirement}", None)
        published = self._from_pyodide(requirement)
        if published is not None and not published.is_pure:
            return published
        try:
            path, sha256 = self._sources.download_pure_wheel(_plain(requirement))
        except SourceFailedError as failure:
            if published is not None:
                return published
            entry = self._catalogue().get(canonicalize_name(requirement.name))
            if entry is not None:
                raise StudyError(
                    f"{wanted_by} needs {requirement}, and the browser's Python has only {entry['version']}.",
                    f"Ask for {requirement.name}=={entry['version']}.",
                ) from failure
            if "No matching distribution" in str(failure):
                raise StudyError(
                    f"{wanted_by} needs {requirement}, but no wheel of it runs in a browser ({failure}).",
                    "A package must be pure Python (a wheel named …-none-any.whl), or one that Pyodide has: "
                    "https://pyodide.org/en/stable/usage/packages-in-pyodide.html",
                ) from failure
            raise RuntimeUnavailableError(
                f"{requirement} could not be fetched ({failure}).", OFFLINE_HINT
            ) from failure
        project, version, _, _ = parse_wheel_filename(path.name)
        return PinnedWheel(path.name, sha256, project, str(version))

    def _from_pyodide(self, requirement: Requirement) -> PinnedWheel | None:
        """Return the wheel that Pyodide publishes for a requirement; None without a matching version."""
        project = canonicalize_name(requirement.name)
        entry = self._catalogue().get(project)
        if (
            entry is None
            or not entry["file_name"].endswith(".whl")
            or not requirement.specifier.contains(entry["version"], prereleases=True)
        ):
            return None
        return PinnedWheel(entry["file_name"], entry["sha256"], project, entry["version"])

    def _catalogue(self) -> dict[str, dict[str, Any]]:
        packages = json.loads(self._catalogue_path.read_text("utf-8"))["packages"]
        return {canonicalize_name(name): entry for name, entry in packages.items()}

    def _needs(self, wheel: Path, extras: set[str]) -> list[Requirement]:
        """Return the requirements of a wheel that apply in the browser."""
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
            metadata = HeaderParser().parsestr(archive.read(names[0]).decode("utf-8") if names else "")
        needs = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
        return [need for need in needs if need.marker is None or self._applies(need, extras)]

    def _applies(self, need: Requirement, extras: set[str]) -> bool:
        assert need.marker is not None  # noqa: S101 (asked before)
        return any(need.marker.evaluate(self._environment | {"extra": extra}) for extra in {"", *extras})


def _pinned(package: str) -> Requirement:
    try:
        requirement = Requirement(package)
    except InvalidRequirement as error:
        raise StudyError(
            f"The study's package {package!r} is not a requirement: {error}.", _PIN_HINT
        ) from error
    pins = [part for part in requirement.specifier if part.operator == "==" and "*" not in part.version]
    if requirement.url or len(pins) != 1:
        raise StudyError(f"The study's package {package!r} names no exact version.", _PIN_HINT)
    return requirement


_PIN_HINT = 'Write it like "cogrid==0.3.2", so that every participant gets the same.'


def _plain(requirement: Requirement) -> str:
    return f"{requirement.name}{requirement.specifier}"


def _browser_environment(python: str) -> dict[str, str]:
    return {
        "implementation_name": "cpython",
        "implementation_version": python,
        "os_name": "posix",
        "platform_machine": "wasm32",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Emscripten",
        "platform_version": "",
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": "emscripten",
    }
