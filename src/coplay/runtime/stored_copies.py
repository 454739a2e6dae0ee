"""Keeps a runtime with a study's data."""

import os
import shutil
from pathlib import Path

from coplay.runtime.building.assembly import Runtime

KEPT_RUNTIMES = "runtimes"
"""Where a data directory keeps the runtimes of its games, each under the hash of its lock."""


def keep_runtime(data: Path, runtime: Runtime) -> None:
    """Keep a runtime beside the data, so that its games can be replayed when nobody publishes it any more.

    Costs no space on the disk that the user's cache is on. What is there already stays.

    Args:
        data: The data directory.
        runtime: What the study's browsers run.
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
