"""The classes, functions and constants of an environment's code, which a received state may use.

A received state can use nothing else, and nothing is imported for it. Known is what the modules of the
environment's own packages hold now, and what its objects use.
"""

from __future__ import annotations

import collections
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from coplay.envs.kinds.registry import PLAIN, Namespace
from coplay.envs.state.globals import own_modules
from coplay.errors import StateTransferError

Key = tuple[str, str]

_LABEL_LENGTH: Final = 200
_BUILTIN_CLASSES: Final = frozenset(
    {bool, int, float, complex, str, bytes, bytearray, list, dict, set, frozenset, tuple, object}
)
_ALWAYS: Final = (
    *_BUILTIN_CLASSES,
    collections.OrderedDict,
    collections.Counter,
    collections.deque,
    types.SimpleNamespace,
)


def key_of(cls: type) -> Key:
    """Return the module and qualified name of a class."""
    return cls.__module__, cls.__qualname__


def label_of(value: Any) -> str:
    """Return a text that identifies an object among those of its type, the same in every process."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    module = getattr(value, "__module__", None)
    if isinstance(name, str):
        return f"{module}.{name}"[:_LABEL_LENGTH]
    return repr(value).split(" at 0x")[0][:_LABEL_LENGTH]


class KnownObjects:
    """The objects that an environment's modules and classes hold by name, except its state.

    A received state that refers to one of these gets the receiver's own, so that `cell is EMPTY` stays true.

    Args:
        roots: Roots of the walk. The names that they watch are state and therefore not included.
    """

    def __init__(self, roots: Mapping[str, Any]) -> None:
        self._by_key: dict[Key, Any] = {}
        self._by_id: dict[int, Key] = {}
        self._classes: dict[Key, type] = {key_of(cls): cls for cls in _ALWAYS}
        self._entered: set[type] = {type, *_ALWAYS}
        self._codes: dict[Key, tuple[types.CodeType, dict[str, Any]]] = {}
        self._watched = {
            (id(root.owner), name)
            for root in roots.values()
            if isinstance(root, Namespace)
            for name in root.names
        }
        layers = [root for root in roots.values() if not isinstance(root, Namespace)]
        modules, packages = own_modules(layers)
        names = {module.__name__ for module in modules}
        for module in modules:
            for name, value in self._held(module):
                self._add((module.__name__, name), value)
                if isinstance(value, type):
                    home = value.__module__
                    if home in names or home.partition(".")[0] in packages:
                        self._add_class(value)
        self.add_classes(map(type, layers))

    def add_classes(self, classes: Iterable[type]) -> None:
        """Add classes that the environment has instances of, and their bases.

        Args:
            classes: The classes.
        """
        for cls in classes:
            for base in cls.__mro__:
                self._add_class(base)

    def name_of(self, value: Any) -> Key | None:
        """Return the name of an object, or None if it has none."""
        return self._by_id.get(id(value))

    def object_named(self, key: Key) -> Any:
        """Return the object with a name, or None if there is none."""
        return self._by_key.get(key)

    def class_named(self, key: Key) -> type:
        """Return the class with a name.

        Args:
            key: Its module and qualified name.

        Raises:
            StateTransferError: The environment does not use such a class.
        """
        cls = self._classes.get(key)
        if cls is None:
            raise _unknown(key)
        return cls

    def make_function(
        self, key: Key, defaults: Any, keyword_defaults: Any, cells: tuple[types.CellType, ...]
    ) -> types.FunctionType:
        """Return a new function with the code of a known one.

        Args:
            key: Module and qualified name of the known function.
            defaults: Default values of positional arguments.
            keyword_defaults: Default values of keyword arguments.
            cells: What the function closes over.

        Raises:
            StateTransferError: The environment has no such function.
        """
        code, scope = self._codes.get(key, (None, {}))
        if code is None or len(code.co_freevars) != len(cells):
            raise _unknown(key)
        made = types.FunctionType(code, scope, code.co_name, defaults, cells)
        made.__kwdefaults__ = keyword_defaults
        made.__module__ = key[0]
        return made

    def _held(self, owner: Any) -> Iterator[tuple[str, Any]]:
        for name, value in list(vars(owner).items()):
            # Watched names are state, and plain values are sent as they are.
            if (
                (id(owner), name) in self._watched
                or type(value) in PLAIN
                or isinstance(value, types.ModuleType)
            ):
                continue
            if not name.startswith("__") or isinstance(value, types.FunctionType):
                yield name, value

    def _add(self, key: Key, value: Any) -> None:
        self._by_key[key] = value
        self._by_id.setdefault(id(value), key)
        self._add_functions(value)

    def _add_class(self, cls: type) -> None:
        if self._classes.setdefault(key_of(cls), cls) is not cls or cls in self._entered:
            return
        self._entered.add(cls)
        for name, value in self._held(cls):
            self._add((cls.__module__, f"{cls.__qualname__}:{name}"), value)
            if isinstance(value, type) and value.__module__ == cls.__module__:
                self._add_class(value)

    def _add_functions(self, value: Any) -> None:
        """Add the functions behind a method or property."""
        if isinstance(value, staticmethod | classmethod):
            value = value.__func__
        for function in (value.fget, value.fset) if isinstance(value, property) else (value,):
            if isinstance(function, types.FunctionType):
                self.add_function(function)

    def add_function(self, function: types.FunctionType) -> None:
        """Add a function that the environment holds, and those that it defines inside.

        Args:
            function: The function.
        """
        module = function.__module__ or ""
        for code, name in _codes(function.__code__, function.__qualname__):
            self._codes.setdefault((module, name), (code, function.__globals__))


def _unknown(key: Key) -> StateTransferError:
    return StateTransferError(f"the received state uses {'.'.join(key)}, which the environment does not use")


def _codes(code: types.CodeType, qualname: str) -> Iterator[tuple[types.CodeType, str]]:
    yield code, qualname
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from _codes(const, f"{qualname}.<locals>.{const.co_name}")
