"""The user's cache: files by SHA-256, verified on every use.

```
<cache>/files/<sha256>/<name>     downloaded and built files
<cache>/notes/<key>.json          results of steps, so that they are not repeated
<cache>/runtimes/<lock hash>/     complete runtimes, ready to be served (see `building.assembly`)
```
Files are written under a temporary name and renamed when complete, so a killed process leaves no partial
file. Concurrent processes write the same bytes.
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
    """Return `$COPLAY_CACHE`, or the user's cache directory."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("coplay"))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class FileCache:
    """A content-addressed cache of files.

    Args:
        root: Folder of the cache; created if missing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def find(self, sha256: str, name: str) -> Path | None:
        """Return the path of a file, or None. A damaged file is removed."""
        path = self._path(sha256, name)
        if not path.is_file():
            return None
        if sha256_of(path) == sha256:
            return path
        path.unlink(missing_ok=True)
        return None

    def add(self, source: Path, name: str) -> tuple[Path, str]:
        """Copy a file into the cache; return its new path and its SHA-256."""
        with self.scratch() as scratch:
            copy = scratch / "file"
            shutil.copyfile(source, copy)
            sha256 = sha256_of(copy)
            return self._place(copy, sha256, name), sha256

    def add_bytes(self, data: bytes, name: str) -> tuple[Path, str]:
        """Write bytes into the cache; return the path and the SHA-256."""
        with self.scratch() as scratch:
            copy = scratch / "file"
            copy.write_bytes(data)
            sha256 = hashlib.sha256(data).hexdigest()
            return self._place(copy, sha256, name), sha256

    def read_note(self, key: str) -> Any:
        """Return the JSON value of a note; None if it is missing or damaged."""
        try:
            return json.loads((self.root / "notes" / f"{key}.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None

    def write_note(self, key: str, value: Any) -> None:
        """Write a JSON value as the note `key`."""
        with self.scratch() as scratch:
            copy = scratch / "note"
            copy.write_text(json.dumps(value, indent=1, sort_keys=True), "utf-8")
            path = self.root / "notes" / f"{key}.json"
            path.parent.mkdir(exist_ok=True)
            copy.replace(path)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """Create a temporary folder on the cache's disk, so that files can be renamed out of it."""
        folder = Path(tempfile.mkdtemp(prefix="scratch-", dir=self.root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold a lock so that processes do not repeat each other's work. Renames alone ensure correctness."""
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
