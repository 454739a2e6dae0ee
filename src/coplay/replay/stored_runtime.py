"""The runtime of a recorded game, found by its lock."""

import json
from pathlib import Path

from packaging.utils import canonicalize_name

from coplay.errors import CoplayError, RuntimeUnavailableError
from coplay.runtime import ReportProgress, Runtime, RuntimeLock, ensure_runtime, silent
from coplay.runtime.distribution import pinned_distribution
from coplay.runtime.fetching.file_cache import default_cache_directory, sha256_of
from coplay.runtime.stored_copies import KEPT_RUNTIMES


def find_stored_runtime(
    lock_bytes: bytes, *, data: Path | None = None, progress: ReportProgress = silent
) -> Runtime:
    """Return the runtime that a lock describes.

    It is looked for in the data directory and in this machine's cache, where it stays after an upgrade of
    coplay. Otherwise it is assembled from the wheels that the lock names, which yields the same runtime
    only with the version of coplay, and so of Pyodide, of that time.

    Args:
        lock_bytes: The lock that was stored with the game.
        data: The data directory.
        progress: Called with each stage and its progress, and with the name of a damaged file.

    Raises:
        RuntimeUnavailableError: The runtime is neither stored nor can it be assembled.
    """
    lock = RuntimeLock(json.loads(lock_bytes))
    places = [default_cache_directory() / "runtimes" / lock.lock_hash]
    if data is not None:
        places.insert(0, data / KEPT_RUNTIMES / lock.lock_hash)
    for place in places:
        if not place.is_dir():
            continue
        if (bad := _damaged(place, lock)) is None:
            return Runtime(place, lock)
        progress(f"{bad} is not what the lock says; looking for another copy", None)
    base = {wheel.project for wheel in pinned_distribution().wheels}
    packages = [
        f"{project}=={version}"
        for project, version in lock.versions.items()
        if canonicalize_name(project) not in base
    ]
    played_in = f"Pyodide {lock.document['pyodide']['version']}, lock {lock.lock_hash[:12]}"
    hint = "Install the version of coplay that ran the study, and replay with it."
    try:
        made = ensure_runtime(packages, progress=progress)
    except CoplayError as error:
        raise RuntimeUnavailableError(
            f"the runtime that the game was played in ({played_in}) cannot be made here: {error.message}",
            error.hint or hint,
        ) from error
    if made.lock_hash != lock.lock_hash:
        raise RuntimeUnavailableError(
            f"the game was played in another runtime ({played_in}) than this coplay's "
            f"(Pyodide {made.lock.document['pyodide']['version']}, lock {made.lock_hash[:12]})",
            hint,
        )
    return made


def _damaged(directory: Path, lock: RuntimeLock) -> Path | None:
    """Return the first file that is missing or whose hash is not the lock's; None if all are intact."""
    for name, sha256 in lock.files.items():
        try:
            if sha256_of(directory / name) != sha256:
                return directory / name
        except OSError:
            return directory / name
    return None
