"""What the runtime's tests share: the real runtime, from the user's cache, and a cache of their own."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from coplay.runtime import Runtime, ensure_runtime
from coplay.runtime.distribution import Distribution, Mirror, PinnedFile, PinnedWheel
from coplay.runtime.fetching.file_cache import FileCache, default_cache_directory


@pytest.fixture(scope="session")
def runtime() -> Runtime:
    """The base runtime; in the user's cache after the set-up, so that this is quick."""
    return ensure_runtime()


@pytest.fixture
def linked_cache(runtime: Runtime, tmp_path: Path) -> Path:
    """A cache with everything in it, which a test may damage by replacing files."""
    cache = tmp_path / "cache"
    for part in ("files", "notes", "runtimes"):
        shutil.copytree(default_cache_directory() / part, cache / part, copy_function=_link)
    return cache


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # the user's cache is on another disk
        shutil.copyfile(source, target)


@pytest.fixture
def store(tmp_path: Path) -> FileCache:
    """An empty cache."""
    return FileCache(tmp_path / "store")


@pytest.fixture
def make_distribution() -> Callable[..., Distribution]:
    """Makes a small distribution of given files, which has no network unless told otherwise."""

    def make(
        core: tuple[PinnedFile, ...] = (), wheels: tuple[PinnedWheel, ...] = (), cdn: str = ""
    ) -> Distribution:
        mirror = Mirror("nothing==1", "folder/", 1)
        return Distribution("1.0", "3.14.0", "abi", cdn, "nothing@1", mirror, core, wheels)

    return make
