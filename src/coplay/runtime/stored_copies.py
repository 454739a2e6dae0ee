"""Copies of the runtime, kept with a study's data."""

import os
import shutil
from pathlib import Path

from coplay.runtime.building.assembly import Runtime

KEPT_RUNTIMES = "runtimes"
"""Folder of a data directory that holds the runtimes of its games, each named by the hash of its lock."""


def keep_runtime(data: Path, runtime: Runtime) -> None:
    """Keep a copy of a runtime with the data, so that games can be replayed when it is no longer published.

    Files are hard links where possible and then take no space. Existing files are left alone.

    Args:
        data: The data directory.
        runtime: The runtime that the study's browsers use.
    """
    folder = data / KEPT_RUNTIMES / runtime.lock_hash
    folder.mkdir(parents=True, exist_ok=True)
    for name in runtime.lock.files:
        target, partial = folder / name, folder / f".{name}.{os.getpid()}"
        if target.exists():
            continue
        try:
            os.link(runtime.directory / name, partial)
        except OSError:  # another disk, or a file system without links
            shutil.copyfile(runtime.directory / name, partial)
        partial.replace(target)
