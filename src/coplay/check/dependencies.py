"""What an environment needs to run elsewhere: the user's own files, and installed packages."""

import ast
import sys
import sysconfig
from collections import deque
from importlib.metadata import packages_distributions, version
from pathlib import Path
from types import ModuleType
from typing import Any

from coplay.runtime.bundle import FILE_LIMIT, SUFFIXES

_INSTALLED = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib"))


def find_dependencies(environment: str) -> dict[str, Any]:
    """Return what an environment that is loaded in this process imports, directly or indirectly.

    Args:
        environment: `package:id`, `module:factory`, or a Gymnasium id, which needs nothing more.

    Returns:
        `files`: each file's path, keyed by its place below a directory of `sys.path`; `packages`: installed
        packages as `name==version`.
    """
    module, colon, _ = environment.partition(":")
    files: dict[str, str] = {}
    packages: set[str] = set()
    owners = packages_distributions()
    waiting, seen = deque([module] if colon else []), set[str]()
    while waiting:
        name = waiting.popleft()
        loaded = sys.modules.get(name)
        top = name.partition(".")[0]
        if name in seen or loaded is None or top in sys.stdlib_module_names or top == "coplay":
            continue
        seen.add(name)
        file = _own_file(loaded)
        if file is None:
            packages |= {f"{owner}=={version(owner)}" for owner in owners.get(top, ())[:1]}
            continue
        files |= _with_neighbours(name, loaded, file)
        waiting += _imports(loaded, file)
    return {"files": files, "packages": sorted(packages)}


def _own_file(module: ModuleType) -> Path | None:
    """Return the file of a module that was not installed by a package manager; None for any other."""
    path = getattr(module, "__file__", None)
    if path is None or not path.endswith(".py"):
        return None
    file = Path(path).resolve()
    in_site = any(part in ("site-packages", "dist-packages") for part in file.parts)
    return None if in_site or any(file.is_relative_to(place) for place in _INSTALLED) else file


def _with_neighbours(name: str, module: ModuleType, file: Path) -> dict[str, str]:
    """Return a module's file and the data files next to it, such as maps and levels."""
    place = name.replace(".", "/")
    folder = place if hasattr(module, "__path__") else place.rpartition("/")[0]
    member = f"{place}/__init__.py" if hasattr(module, "__path__") else f"{place}.py"
    found = {member: str(file)}
    for path in sorted(file.parent.iterdir()):
        data = path.suffix.lower() in SUFFIXES - {".py"} and not path.name.startswith(".")
        if data and path.is_file() and path.stat().st_size <= FILE_LIMIT:
            found[f"{folder}/{path.name}".lstrip("/")] = str(path)
    return found


def _imports(module: ModuleType, file: Path) -> list[str]:
    """Return every module that the imports of a module may refer to, and the packages around it."""
    names = [module.__name__.rpartition(".")[0]]
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = (module.__package__ or "").split(".")
            base = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            base = ".".join(part for part in (base, node.module) if part)
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    # Importing a.b.c also runs a and a.b.
    return [
        ".".join(name.split(".")[:depth]) for name in names for depth in range(1, name.count(".") + 2) if name
    ]
