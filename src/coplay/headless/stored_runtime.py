"""The runtime that a recorded game ran in, found again by its lock."""

import json
from pathlib import Path

from packaging.utils import canonicalize_name

from coplay.errors import CoplayError, RuntimeUnavailableError
from coplay.runtime import Report, Runtime, RuntimeLock, ensure_runtime, silent
from coplay.runtime.distribution import pinned_distribution
from coplay.runtime.store import default_cache_directory, sha256_of


def runtime_of_lock(lock_bytes: bytes, *, progress: Report = silent) -> Runtime:
    """Return the very runtime that a lock describes.

    It may be in this machine's cache, also after coplay itself has moved on; else it is made from the wheels
    that the lock names, which gives the same only with the coplay (and so the Pyodide) of its time.

    Args:
        lock_bytes: The lock as it was stored with the game.
        progress: Told what is being done.

    Raises:
        RuntimeUnavailableError: It is not here and cannot be made.
    """
    lock = RuntimeLock(json.loads(lock_bytes))
    directory = default_cache_directory() / "runtimes" / lock.lock_hash
    if _is_whole(directory, lock):
        return Runtime(directory, lock)
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


def _is_whole(directory: Path, lock: RuntimeLock) -> bool:
    try:
        return all(sha256_of(directory / name) == sha256 for name, sha256 in lock.files.items())
    except OSError:
        return False
