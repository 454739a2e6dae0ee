"""What an environment's own code offers a transferred state: its classes, its functions, its constants.

A state that came from elsewhere may only use what is here already. Nothing is imported for it: what counts is
what the modules of the environment's own packages hold now, and what its graph of objects uses.
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
    """Name a class."""
    return cls.__module__, cls.__qualname__


def label_of(value: Any) -> str:
    """Give what tells one thing that is sent by reference from others of its type, in every process."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    module = getattr(value, "__module__", None)
    if isinstance(name, str):
        return f"{module}.{name}"[:_LABEL_LENGTH]
    return repr(value).split(" at 0x")[0][:_LABEL_LENGTH]


class KnownObjects:
    """Objects that the environment's own modules and classes hold by name, and that are not its state.

    A state that holds one of them gets the receiver's own, so that `cell is EMPTY` stays true.

    Args:
        roots: Of the walk; what they watch may change, so it is no landmark.
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
        self.use(map(type, layers))

    def use(self, classes: Iterable[type]) -> None:
        """Add classes that the environment's objects have, and what these inherit."""
        for cls in classes:
            for base in cls.__mro__:
                self._add_class(base)

    def name_of(self, value: Any) -> Key | None:
        """Give the name of an object, if it has one."""
        return self._by_id.get(id(value))

    def named(self, key: Key) -> Any:
        """Give the object of a name; None if there is none."""
        return self._by_key.get(key)

    def class_of(self, key: Key) -> type:
        """Give the class of a name.

        Raises:
            StateTransferError: The environment does not use it.
        """
        cls = self._classes.get(key)
        if cls is None:
            raise StateTransferError(
                f"a state that was received uses {'.'.join(key)}, which is not used here"
            )
        return cls

    def function(
        self, key: Key, defaults: Any, keyword_defaults: Any, cells: tuple[types.CellType, ...]
    ) -> types.FunctionType:
        """Make a function around the code of the one of a name.

        Raises:
            StateTransferError: The environment has no such code.
        """
        code, scope = self._codes.get(key, (None, {}))
        if code is None or len(code.co_freevars) != len(cells):
            raise StateTransferError(
                f"a state that was received uses {'.'.join(key)}, which is not used here"
            )
        made = types.FunctionType(code, scope, code.co_name, defaults, cells)
        made.__kwdefaults__ = keyword_defaults
        made.__module__ = key[0]
        return made

    def _held(self, owner: Any) -> Iterator[tuple[str, Any]]:
        for name, value in list(vars(owner).items()):
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
        """Remember functions and the code of those that they make."""
        if isinstance(value, staticmethod | classmethod):
            value = value.__func__
        for function in (value.fget, value.fset) if isinstance(value, property) else (value,):
            if isinstance(function, types.FunctionType):
                self.use_function(function)

    def use_function(self, function: types.FunctionType) -> None:
        """Add a function that the environment's objects hold."""
        module = function.__module__ or ""
        for code, name in _codes(function.__code__, function.__qualname__):
            self._codes.setdefault((module, name), (code, function.__globals__))


def _codes(code: types.CodeType, qualname: str) -> Iterator[tuple[types.CodeType, str]]:
    yield code, qualname
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from _codes(const, f"{qualname}.<locals>.{const.co_name}")
