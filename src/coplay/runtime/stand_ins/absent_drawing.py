"""A stand-in for a drawing library such as pygame, for browsers, where the study draws instead.

Many environments import pygame at module level and create fonts and surfaces, but simulate without them.
Every name here can be imported, called and passed on, but has no value: computing with it (in a step, say)
raises an error that says what to do. This file becomes the `__init__.py` of the stand-in package.
"""

import importlib.machinery
import sys
import types
from collections.abc import Callable
from typing import Any, NoReturn

_HINT = "give the scene a draw function, or list {0} in the study's packages"


class Absent:
    """Any attribute of the library, and the result of calling it."""

    def __init__(self, path: str = "", *_arguments: Any, **_options: Any) -> None:
        vars(self)["_path"] = path

    def __getattr__(self, name: str) -> "Absent":
        if name.startswith("__"):
            raise AttributeError(name)
        part: Absent = vars(self).setdefault(name, Absent(f"{vars(self).get('_path', __name__)}.{name}"))
        return part

    def __call__(self, *_arguments: Any, **_options: Any) -> "Absent":
        """Return a result without a value."""
        return Absent(f"{self!r}()")

    def __repr__(self) -> str:
        return str(vars(self).get("_path", __name__))

    # Lets environments subclass, for example, pygame.sprite.Sprite.
    def __mro_entries__(self, _bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (Absent,)

    def __instancecheck__(self, _instance: object) -> bool:
        return False

    def __or__(self, _other: object) -> "Absent":
        return self

    __ror__ = __or__

    def __enter__(self) -> "Absent":
        return self

    def __exit__(self, *_error: object) -> None:
        return None

    def __eq__(self, other: object) -> bool:
        if self is not other and other is not None:
            _refuse(self)
        return self is other

    def __hash__(self) -> int:
        return hash(vars(self).get("_path"))


def _refuse(part: Absent, *_others: Any, **_options: Any) -> NoReturn:
    hint = _HINT.format(__name__)
    raise RuntimeError(f"{part!r} is needed to go on, and is not in this browser: {hint}")


_VALUES = """
    bool int float index complex len iter next contains getitem setitem delitem array lt le gt ge add radd sub
    rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow matmul rmatmul and rand xor rxor
    lshift rlshift rshift rrshift neg pos abs invert round iadd isub imul
"""
for _name in _VALUES.split():
    setattr(Absent, f"__{_name}__", _refuse)


class _Finder:
    """A module finder that provides every submodule of the library."""

    @staticmethod
    def find_spec(name: str, _path: Any = None, _target: Any = None) -> Any:
        """Return a spec for every submodule of the library."""
        if not name.startswith(__name__ + "."):
            return None
        loader: Any = _Finder
        return importlib.machinery.ModuleSpec(name, loader, is_package=True)

    @staticmethod
    def create_module(spec: Any) -> types.ModuleType:
        """Create a module whose attributes are all `Absent`."""
        module = types.ModuleType(spec.name)
        vars(module)["__getattr__"] = _parts(spec.name)
        return module

    @staticmethod
    def exec_module(_module: types.ModuleType) -> None:
        """Do nothing: the module is complete."""


def _parts(name: str) -> Callable[[str], Absent]:
    made: dict[str, Absent] = {}

    def part(attribute: str) -> Absent:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if attribute not in made:
            made[attribute] = Absent(f"{name}.{attribute}")
        return made[attribute]

    return part


if __name__ != "coplay.runtime.stand_ins.absent_drawing":
    __getattr__ = _parts(__name__)
    sys.meta_path.append(_Finder)
