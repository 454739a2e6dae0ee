"""Optional packages, which only some exports need."""

import importlib
from types import ModuleType

from coplay.errors import UsageError


def require_package(module: str, extra: str) -> ModuleType:
    """Import a module that one of coplay's extras installs.

    Args:
        module: The module's name.
        extra: The extra of coplay that installs it.

    Raises:
        UsageError: The module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(
            f"this needs {module.partition('.')[0]}, which is not installed", f"pip install 'coplay[{extra}]'"
        ) from error
