"""The user's cache: files by their sha256, checked on every use.

```
<cache>/files/<sha256>/<name>     what was downloaded or made
<cache>/notes/<key>.json          what a step produced, so that it is not done twice
<cache>/runtimes/<lock hash>/     one complete runtime, ready to be served (see `assembly`)
```
A file appears under its name only when complete (written beside it, then renamed), so a killed process leaves
nothing half-written, and processes that race write the same bytes.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs

CACHE_VARIABLE = "COPLAY_CACHE"


def default_cache_directory() -> Path:
    """`$COPLAY_CACHE`, or the user's cache directory."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("coplay"))


def sha256_of(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class FileCache:
    """Files by their hash.

    Args:
        root: The cache; made when it is missing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def find(self, sha256: str, name: str) -> Path | None:
        """Return the file when it is there and whole; a damaged one is removed."""
        path = self._path(sha256, name)
        if not path.is_file():
            return None
        if sha256_of(path) == sha256:
            return path
        path.unlink(missing_ok=True)
        return None

    def add(self, source: Path, name: str) -> tuple[Path, str]:
        """Take a copy of a file; return where it is now, and its sha256."""
        with self.scratch() as scratch:
            copy = scratch / "file"
            shutil.copyfile(source, copy)
            sha256 = sha256_of(copy)
            return self._place(copy, sha256, name), sha256

    def add_bytes(self, data: bytes, name: str) -> tuple[Path, str]:
        """The same for bytes in memory."""
        with self.scratch() as scratch:
            copy = scratch / "file"
            copy.write_bytes(data)
            sha256 = hashlib.sha256(data).hexdigest()
            return self._place(copy, sha256, name), sha256

    def read_note(self, key: str) -> Any:
        """Return what was noted under `key`, or None; a damaged note counts as none."""
        try:
            return json.loads((self.root / "notes" / f"{key}.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None

    def write_note(self, key: str, value: Any) -> None:
        """Note a JSON value under `key`."""
        with self.scratch() as scratch:
            copy = scratch / "note"
            copy.write_text(json.dumps(value, indent=1, sort_keys=True), "utf-8")
            path = self.root / "notes" / f"{key}.json"
            path.parent.mkdir(exist_ok=True)
            copy.replace(path)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder on the cache's own disk (so that files can be renamed out of it), removed afterwards."""
        folder = Path(tempfile.mkdtemp(prefix="scratch-", dir=self.root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other processes from the same work meanwhile. It only saves work: safety is in the renames."""
        try:
            import fcntl
        except ImportError:  # Windows
            yield
            return
        with (self.root / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _path(self, sha256: str, name: str) -> Path:
        return self.root / "files" / sha256 / name

    def _place(self, complete: Path, sha256: str, name: str) -> Path:
        path = self._path(sha256, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        complete.replace(path)
        return path
