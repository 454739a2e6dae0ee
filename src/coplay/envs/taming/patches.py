"""Functions replaced in their modules, and the originals to put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from coplay.envs.taming.streams import current_frame


class SimulatedFunction:
    """A function that is computed from the frame while one is simulated, and is the original otherwise.

    Args:
        original: The function that is replaced.
        simulated: Called with the frame and the arguments instead.
    """

    __slots__ = ("__name__", "_simulated", "original")
    # An environment's state may hold a replaced function, and then its checksum includes this name. It must
    # stay what it was when games were recorded.
    __qualname__ = "Tamed"

    def __init__(self, original: Callable[..., Any], simulated: Callable[..., Any]) -> None:
        self.original = original
        self._simulated = simulated
        self.__name__ = getattr(original, "__name__", "simulated")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the simulated function in a frame, the original outside."""
        frame = current_frame()
        return self.original(*args, **kwargs) if frame is None else self._simulated(frame, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<{self.__name__}, a function of the frame inside a simulation>"


_replaced: list[tuple[dict[str, Any], str, Any]] = []
_by_original: dict[int, SimulatedFunction] = {}


def installed() -> bool:
    """Return True if anything is replaced."""
    return bool(_replaced)


def replace_function(namespace: dict[str, Any], name: str, simulated: Callable[..., Any]) -> None:
    """Replace a function by one that is computed from the frame inside a simulation.

    Args:
        namespace: A module's globals.
        name: The function's name in it.
        simulated: Called with the frame and the function's arguments.
    """
    original = namespace[name]
    function = SimulatedFunction(original, simulated)
    _by_original[id(original)] = function
    replace(namespace, name, function)


def replace(namespace: dict[str, Any], name: str, value: Any) -> None:
    """Replace a global until `restore_all`.

    Args:
        namespace: A module's globals.
        name: The global's name.
        value: Its new value.
    """
    _replaced.append((namespace, name, namespace[name]))
    namespace[name] = value


def replace_imported_names(namespace: dict[str, Any]) -> None:
    """Replace the functions that a module imported by name before they were replaced at their origin.

    Args:
        namespace: The importing module's globals.
    """
    for name, value in list(namespace.items()):
        function = _by_original.get(id(value))
        if function is not None and function.original is value:
            replace(namespace, name, function)


def restore_all() -> None:
    """Put every original back."""
    while _replaced:
        namespace, name, original = _replaced.pop()
        namespace[name] = original
    _by_original.clear()


def original_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the original of a function that may have been replaced.

    The original is faster, and returns real time even inside a frame.
    """
    return function.original if isinstance(function, SimulatedFunction) else function
