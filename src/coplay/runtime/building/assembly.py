"""Assembling a runtime: fetch pinned files, build archives, lock, compress, lay out."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from coplay.runtime.building.archives import SITE_PACKAGES
from coplay.runtime.building.compiler import Compiler, Job
from coplay.runtime.distribution import (
    CORE_FILES,
    LOCK_FILE,
    STDLIB_FILE,
    Distribution,
    PinnedWheel,
    pinned_distribution,
)
from coplay.runtime.fetching.file_cache import FileCache, default_cache_directory, sha256_of
from coplay.runtime.fetching.resolver import Resolver
from coplay.runtime.fetching.sources import Sources
from coplay.runtime.lock import RuntimeLock
from coplay.runtime.node import find_node
from coplay.runtime.progress import ReportProgress, silent
from coplay.runtime.serving import ENCODINGS, ServedFile, compress, describe
from coplay.runtime.stand_ins.wheels import MODULES, wheel_of

STDLIB_PREFIX = "/lib/python314.zip/"
RUNTIME_LOCK_FILE = "lock.json"
MANIFEST_FILE = "manifest.json"


@dataclass(frozen=True, slots=True)
class Runtime:
    """A complete browser runtime on this machine."""

    directory: Path
    """Folder of all files and their compressed forms. It also serves as Pyodide's `indexURL` under Node."""
    lock: RuntimeLock
    """The hashes of its files."""

    @property
    def lock_hash(self) -> str:
        """Hash of its lock, which identifies it."""
        return self.lock.lock_hash

    @property
    def wheel_names(self) -> tuple[str, ...]:
        """Archives to unpack into site-packages, in load order."""
        return self.lock.load

    def file(self, name: str) -> Path:
        """Return the path of a file of the runtime.

        Raises:
            KeyError: The runtime has no such file.
        """
        if name not in self.lock.files:
            raise KeyError(name)
        return self.directory / name

    def lookup(self, name: str, accept_encoding: str = "") -> ServedFile:
        """Answer a request for `/runtime/<lock hash>/<name>`.

        Args:
            name: File name from the URL; not trusted.
            accept_encoding: The request's header.

        Raises:
            KeyError: There is no such file; respond with 404.
        """
        return describe(self.file(name), self.lock.files[name], accept_encoding)

    def compile_ahead(self, archive: bytes, *, progress: ReportProgress = silent) -> bytes:
        """Return an archive of modules with byte code added. The result is cached."""
        store = FileCache(self.directory.parents[1])
        path, _ = store.add_bytes(archive, "modules.zip")
        job = Job(path.name, (path,), sources=True, prefix="")
        core = {name: self.directory / name for name in CORE_FILES}
        compiler = Compiler(store, core)
        if compiler.missing([job]):
            progress("Compiling coplay ahead", None)
        return compiler.make([job])[job.name].read_bytes()

    def boot_info(self) -> dict[str, Any]:
        """Return what a page's worker needs to start: `base`, `lock_hash` and `packages` in load order."""
        return {
            "base": f"/runtime/{self.lock_hash}/",
            "lock_hash": self.lock_hash,
            "packages": list(self.wheel_names),
        }


def ensure_runtime(
    packages: Sequence[str] = (),
    *,
    progress: ReportProgress = silent,
    cache: Path | None = None,
    distribution: Distribution | None = None,
) -> Runtime:
    """Return the runtime for a study's packages, fetching and building what is missing.

    The first call on a machine takes about a minute; later calls verify every file in under a second. Several
    processes may call it concurrently.

    Args:
        packages: Requirements that the study pins, for example `["cogrid==0.3.2"]`.
        progress: Receives progress.
        cache: Cache directory; by default `$COPLAY_CACHE` or the user's cache directory.
        distribution: A base other than the pinned one, for tests.

    Raises:
        StudyError: `packages` cannot run in a browser, or conflict with each other.
        RuntimeUnavailableError: A file is missing and none of its sources can be reached.
    """
    assembly = _Assembly(
        distribution or pinned_distribution(), FileCache(cache or default_cache_directory()), progress
    )
    return assembly.ready(packages) or assembly.assemble(packages)


class _Assembly:
    def __init__(self, distribution: Distribution, store: FileCache, report: ReportProgress) -> None:
        self._distribution = distribution
        self._store = store
        self._report = report

    def ready(self, packages: Sequence[str]) -> Runtime | None:
        """Return the runtime if it was assembled before and no file is damaged."""
        note = self._store.read_note(self._note_key(packages))
        if not isinstance(note, dict):
            return None
        directory = self._store.root / "runtimes" / str(note["lock_hash"])
        try:
            lock = RuntimeLock(json.loads((directory / RUNTIME_LOCK_FILE).read_text("utf-8")))
            manifest = json.loads((directory / MANIFEST_FILE).read_text("utf-8"))
            # Verified on every start, because a damaged file would break the page of every participant.
            whole = all(sha256_of(directory / name) == sha256 for name, sha256 in manifest.items())
        except (OSError, ValueError):
            return None
        return Runtime(directory, lock) if whole and lock.lock_hash == note["lock_hash"] else None

    def assemble(self, packages: Sequence[str]) -> Runtime:
        """Build the runtime, reusing what is in the cache."""
        with self._store.exclusive():
            # Another process may have assembled it while this one waited for the lock.
            if (made_meanwhile := self.ready(packages)) is not None:
                return made_meanwhile
            sources = Sources(self._distribution, self._store, self._report)
            core = sources.core(self._distribution.core)
            base = self._distribution.wheels
            resolver = Resolver(self._distribution, core[LOCK_FILE], self._store, sources, self._report)
            extra = resolver.resolve(packages)
            wheels = sources.wheels([*base, *extra])
            files, load = self._make(core, wheels, extra)
            lock = RuntimeLock.of(
                self._distribution, [*base, *extra], files, load, compiled=find_node() is not None
            )
            directory = self._lay_out(lock, files)
            self._store.write_note(self._note_key(packages), {"lock_hash": lock.lock_hash})
            return Runtime(directory, lock)

    def _make(
        self, core: Mapping[str, Path], wheels: Mapping[str, Path], extra: Sequence[PinnedWheel]
    ) -> tuple[dict[str, Path], list[str]]:
        """Return the served files by name, and the names of the archives to load."""
        jobs: list[Job] = []
        for wheel in (*self._distribution.wheels, *extra):
            if not wheel.is_pure:
                jobs.append(Job(wheel.name, (wheels[wheel.name],), sources=False, prefix=SITE_PACKAGES))
        for name, group in (("base-packages.zip", self._distribution.wheels), ("study-packages.zip", extra)):
            if pure := tuple(wheels[wheel.name] for wheel in group if wheel.is_pure):
                jobs.append(Job(name, pure, sources=True, prefix=SITE_PACKAGES))
        compiler = Compiler(self._store, core)
        stdlib = [Job(STDLIB_FILE, (core[STDLIB_FILE],), sources=False, prefix=STDLIB_PREFIX)]
        if not compiler.compiles:
            stdlib = []
        if compiler.missing([*stdlib, *jobs]):
            stage = "Compiling Python modules ahead" if compiler.compiles else "Joining Python modules"
            self._report(stage, None)
        files = {**core, **compiler.make([*stdlib, *jobs])}
        files[LOCK_FILE] = self._catalogue(core[LOCK_FILE], files)
        return files, [job.name for job in jobs]

    def _catalogue(self, original: Path, files: Mapping[str, Path]) -> Path:
        """Reduce Pyodide's list of packages to those that are served, with the hashes of the served files."""
        catalogue = json.loads(original.read_text("utf-8"))
        catalogue["packages"] = {
            name: {**entry, "sha256": files[entry["file_name"]].parent.name}
            for name, entry in catalogue["packages"].items()
            if entry["file_name"] in files
        }
        return self._store.add_bytes(json.dumps(catalogue, sort_keys=True).encode(), LOCK_FILE)[0]

    def _lay_out(self, lock: RuntimeLock, files: Mapping[str, Path]) -> Path:
        directory = self._store.root / "runtimes" / lock.lock_hash
        directory.mkdir(parents=True, exist_ok=True)
        manifest: dict[str, str] = {}
        for index, (name, path) in enumerate(files.items()):
            self._report("Compressing for transfer", index / len(files))
            _link(path, directory / name)
            manifest[name] = lock.files[name]
            for suffix, compressed in self._compressed(path, lock.files[name]).items():
                _link(compressed, directory / (name + suffix))
                manifest[name + suffix] = compressed.parent.name
        _link(self._store.add_bytes(lock.to_bytes(), RUNTIME_LOCK_FILE)[0], directory / RUNTIME_LOCK_FILE)
        # The manifest is written last: a folder without one is incomplete, and is assembled again.
        listing = json.dumps(manifest, indent=1, sort_keys=True).encode()
        _link(self._store.add_bytes(listing, MANIFEST_FILE)[0], directory / MANIFEST_FILE)
        return directory

    def _compressed(self, path: Path, sha256: str) -> dict[str, Path]:
        """Return the compressed forms of a file, by suffix."""
        key = f"compressed-{sha256}"
        note = self._store.read_note(key) or {}
        found = {
            suffix: self._store.find(note.get(suffix, "-"), path.name + suffix)
            for suffix in ENCODINGS.values()
        }
        whole = {suffix: form for suffix, form in found.items() if form is not None}
        if len(whole) == len(ENCODINGS):
            return whole
        forms: dict[str, Path] = {}
        hashes: dict[str, str] = {}
        for encoding, data in compress(path.read_bytes()).items():
            suffix = ENCODINGS[encoding]
            forms[suffix], hashes[suffix] = self._store.add_bytes(data, path.name + suffix)
        self._store.write_note(key, hashes)
        return forms

    def _note_key(self, packages: Sequence[str]) -> str:
        # The sources of the build are part of the key, so that a changed build does not reuse old results.
        here = resources.files(__package__)
        recipe = [here.joinpath(name).read_text("utf-8") for name in ("archives.py", "assembly.py")]
        recipe += [hashlib.sha256(wheel_of(project)[1]).hexdigest() for project in MODULES]
        question = [asdict(self._distribution), sorted(packages), recipe, find_node() is not None]
        return "runtime-" + hashlib.sha256(json.dumps(question).encode()).hexdigest()


def _link(source: Path, target: Path) -> None:
    """Hard-link (or copy) a file atomically."""
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    try:
        os.link(source, partial)
    except OSError:  # another disk, or a file system without links
        shutil.copyfile(source, partial)
    partial.replace(target)
    partial.unlink(missing_ok=True)  # renaming onto a hard link of the same file does nothing
