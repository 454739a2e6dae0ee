"""Libraries that only some exports need, and that are installed when wanted."""

import importlib
from types import ModuleType

from coplay.errors import UsageError


def needed(module: str, extra: str) -> ModuleType:
    """Import a module of an optional extra.

    Args:
        module: Its name.
        extra: The extra of coplay that brings it.

    Raises:
        UsageError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(
            f"this needs {module.partition('.')[0]}, which is not installed", f"pip install 'coplay[{extra}]'"
        ) from error
