"""The sources of runtime files: Pyodide's CDN, npm, and the user's package index.

A laboratory may reach any of these and not the others, so each file has several sources. The CDN is tried
once, with a short timeout, and skipped after it failed. `pip` and `npm` run with the user's configuration, so
their mirrors and proxies apply. Every file is verified against its pinned SHA-256 before it is kept.
"""

import hashlib
import tarfile
import threading
import urllib.request
import zipfile
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from coplay.errors import RuntimeUnavailableError
from coplay.runtime.distribution import Distribution, PinnedFile, PinnedWheel
from coplay.runtime.fetching.file_cache import FileCache
from coplay.runtime.fetching.package_clients import SourceFailedError, npm_pack, pip_download
from coplay.runtime.progress import ReportProgress

CDN_PATIENCE_S = 4.0
"""Timeout until the first byte, measured outside the request because name resolution has no timeout."""
CDN_STALL_S = 15.0
OFFLINE_HINT = (
    "Connect this machine to the internet, or to a mirror of PyPI and npm, and start again; "
    "once fetched, the files are kept and no network is needed."
)

Source = Callable[[Sequence[PinnedFile]], dict[str, bytes]]
"""Returns files by name, or raises `SourceFailedError`."""


class Sources:
    """Fetches pinned files into the cache.

    Args:
        distribution: Pins and addresses.
        store: Cache that receives the files.
        report: Receives progress.
    """

    def __init__(self, distribution: Distribution, store: FileCache, report: ReportProgress) -> None:
        self._distribution = distribution
        self._store = store
        self._report = report
        self._cdn_answers = bool(distribution.cdn)

    def core(self, files: Iterable[PinnedFile]) -> dict[str, Path]:
        """Return the interpreter's files by name, fetching those that are missing.

        Raises:
            RuntimeUnavailableError: No source provided them.
        """
        return self._ensure(files, f"Pyodide {self._distribution.version}", self._from_cdn, self._from_npm)

    def wheels(self, wheels: Collection[PinnedWheel]) -> dict[str, Path]:
        """Return wheels by name: pure ones from the package index, others from Pyodide's CDN or its mirror.

        Raises:
            RuntimeUnavailableError: No source provided them.
        """
        found: dict[str, Path] = {}
        compiled = [wheel for wheel in wheels if not wheel.is_pure]
        if compiled:
            names = ", ".join(wheel.requirement for wheel in compiled)
            found |= self._ensure(compiled, f"{names} for WebAssembly", self._from_cdn, self._from_mirror)
        for wheel in wheels:
            if wheel.is_pure:
                from_index = self._index_source(wheel)
                found |= self._ensure([wheel], wheel.requirement, from_index, self._from_cdn)
        return found

    def download_pure_wheel(self, requirement: str) -> tuple[Path, str]:
        """Download one pure Python wheel from the package index, without its dependencies.

        Args:
            requirement: `name==version`, or any other requirement without markers.

        Returns:
            Path of the wheel in the cache, and its SHA-256.

        Raises:
            SourceFailedError: The index cannot be reached, or has no such wheel.
        """
        with self._store.scratch() as folder:
            wheel = pip_download(requirement, folder)
            return self._store.add(wheel, wheel.name)

    def _ensure(self, files: Iterable[PinnedFile], what: str, *sources: Source) -> dict[str, Path]:
        found: dict[str, Path] = {}
        missing: list[PinnedFile] = []
        for file in files:
            path = self._store.find(file.sha256, file.name)
            if path is None:
                missing.append(file)
            else:
                found[file.name] = path
        failures: list[str] = []
        for source in sources:
            if not missing:
                break
            self._report(f"Fetching {what}", None)
            try:
                contents = source(missing)
                for file in missing:
                    check(file, contents.get(file.name))
            except SourceFailedError as failure:
                failures.append(str(failure))
                continue
            for file in missing:
                found[file.name], _ = self._store.add_bytes(contents[file.name], file.name)
            missing = []
        if missing:
            raise RuntimeUnavailableError(
                f"{what} is needed in the browser and could not be fetched ({'; '.join(failures)}).",
                OFFLINE_HINT,
            )
        return found

    def _from_cdn(self, files: Sequence[PinnedFile]) -> dict[str, bytes]:
        if not self._cdn_answers:
            raise SourceFailedError("Pyodide's CDN did not answer")
        try:
            return {file.name: self._get(self._distribution.cdn + file.name) for file in files}
        except SourceFailedError:
            self._cdn_answers = False
            raise

    def _get(self, url: str) -> bytes:
        chunks: list[bytes] = []
        failure: list[Exception] = []
        first_byte, finished = threading.Event(), threading.Event()

        def download() -> None:
            try:
                with urllib.request.urlopen(url, timeout=CDN_STALL_S) as answer:  # noqa: S310 (pinned URL)
                    while chunk := answer.read(1 << 16):
                        chunks.append(chunk)
                        first_byte.set()
            except Exception as error:  # noqa: BLE001 (raised again in the waiting thread)
                failure.append(error)
            finally:
                # Also set after a failure, so that the waiting thread does not wait for the timeout.
                first_byte.set()
                finished.set()

        # A daemon thread, because a name resolution that hangs must not keep the process from ending.
        threading.Thread(target=download, daemon=True).start()
        if not first_byte.wait(CDN_PATIENCE_S):
            raise SourceFailedError("Pyodide's CDN did not answer")
        finished.wait()
        if failure:
            raise SourceFailedError("Pyodide's CDN was not reached") from failure[0]
        return b"".join(chunks)

    def _from_npm(self, files: Sequence[PinnedFile]) -> dict[str, bytes]:
        with (
            self._store.scratch() as folder,
            tarfile.open(npm_pack(self._distribution.npm, folder)) as archive,
        ):
            members = {member.name: member for member in archive.getmembers()}
            contents: dict[str, bytes] = {}
            for file in files:
                member = members.get(f"package/{file.name}")
                reader = archive.extractfile(member) if member is not None else None
                if reader is not None:
                    contents[file.name] = reader.read()
            return contents

    def _from_mirror(self, files: Sequence[PinnedFile]) -> dict[str, bytes]:
        mirror = self._distribution.mirror
        stage = f"Fetching {mirror.requirement}, which carries {files[0].name.split('-')[0]} for the browser"
        with self._store.scratch() as folder:
            wheel = pip_download(
                mirror.requirement,
                folder,
                "--ignore-requires-python",  # it is only unpacked
                "--no-cache-dir",  # it is large and needed once
                watch=lambda size: self._report(stage, min(1.0, size / mirror.size)),
            )
            with zipfile.ZipFile(wheel) as archive:
                there = set(archive.namelist())
                names = {file.name: mirror.folder + file.name for file in files}
                return {name: archive.read(member) for name, member in names.items() if member in there}

    def _index_source(self, wheel: PinnedWheel) -> Source:
        def source(files: Sequence[PinnedFile]) -> dict[str, bytes]:
            with self._store.scratch() as folder:
                path = pip_download(wheel.requirement, folder)
                return {path.name: path.read_bytes()}

        return source


def check(file: PinnedFile, data: bytes | None) -> None:
    """Raise `SourceFailedError` unless `data` is the pinned file."""
    if data is None:
        raise SourceFailedError(f"{file.name} is not there")
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise SourceFailedError(f"{file.name} is not the file that was pinned")
