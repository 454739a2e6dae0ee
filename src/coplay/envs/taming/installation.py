"""Puts all replacements in place, and takes them out again."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Final

from coplay.envs.kinds.registry import ATOM, ATOMS, KINDS
from coplay.envs.taming import clocks, patches, randomness
from coplay.envs.taming.dates import SIMULATED

_UNTOUCHED: Final = frozenset(sys.stdlib_module_names) | {"numpy", "coplay", "js", "pyodide"}
_scanned: set[str] = set()


def install() -> None:
    """Replace the sources of randomness and the clocks.

    Call it again after imports: it then also covers the names that new modules have imported.
    """
    if not patches.installed():
        randomness.install()
        clocks.install()
        for cls in (patches.SimulatedFunction, randomness.GlobalRandom):
            ATOMS.add(cls)
            KINDS[cls] = ATOM
    for module_name in sys.modules.keys() - _scanned:
        module = sys.modules.get(module_name)
        _scanned.add(module_name)
        if isinstance(module, ModuleType) and _top_level(module_name) not in _UNTOUCHED:
            patches.replace_imported_names(vars(module))


def uninstall() -> None:
    """Put every original back."""
    patches.restore_all()
    _scanned.clear()
    randomness.uninstall()


def install_dates(package: str) -> None:
    """Replace `datetime` and `date` in the modules of a package that imported these classes by name.

    This is not part of `install`, because other packages, such as a database driver, may compare these
    classes by identity.

    Args:
        package: Name of the environment's top-level package.
    """
    if package in _UNTOUCHED:
        return
    for module_name, module in list(sys.modules.items()):
        if _top_level(module_name) == package and isinstance(module, ModuleType):
            namespace = vars(module)
            for name, value in list(namespace.items()):
                for real, simulated in SIMULATED.items():
                    if value is real:
                        patches.replace(namespace, name, simulated)


def _top_level(module_name: str) -> str:
    return module_name.partition(".")[0]
