"""State that an environment keeps outside of its object: in globals of its modules and in its classes.

`RNG = np.random.default_rng()` at the top of a module, `global score` and `Env.episodes += 1` survive a
reset, and would differ after a rollback. Only names that can hold such state are watched, so that an
environment without it pays nothing:

- in modules of the environment's package: generators, and names that a function assigns with `global`;
- in the modules that define its classes also lists, dicts, sets, arrays and instances of the package's own
  classes;
- in its classes: data attributes, except `metadata`.
"""

from __future__ import annotations

import collections
import opcode
import random
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from coplay.envs.kinds.registry import ATOM, Namespace, kind_of
from coplay.envs.state.snapshot import Snapshot
from coplay.envs.state.walk import StateWalk

_LIBRARIES = frozenset(sys.stdlib_module_names) | {"gymnasium", "pettingzoo", "numpy", "coplay"}
_GENERATORS = (np.random.Generator, np.random.RandomState, np.random.BitGenerator, random.Random)
_CONTAINERS = (dict, list, set, collections.deque, np.ndarray, bytearray)
_STORE_GLOBAL = opcode.opmap["STORE_GLOBAL"]
_EXTENDED_ARG = opcode.opmap["EXTENDED_ARG"]


def find_namespaces(layers: list[Any]) -> dict[str, Namespace]:
    """Return the watched names, by the name of the module or class that holds them.

    Args:
        layers: The environment and its wrappers.
    """
    classes = _own_classes(layers)
    defining = {cls.__module__ for cls in classes}
    modules, packages = own_modules(layers)
    found: dict[str, Namespace] = {}
    for module in modules:
        name = module.__name__
        names = sorted(_stateful_globals(module, packages, everything=name in defining))
        if names:
            found[name] = Namespace(module, names)
    for cls in classes:
        names = [name for name, value in vars(cls).items() if _is_data(name, value)]
        if names:
            found[f"{cls.__module__}.{cls.__qualname__}"] = Namespace(cls, names)
    return found


def own_modules(layers: list[Any]) -> tuple[list[types.ModuleType], set[str]]:
    """Return the modules of the environment's own packages, sorted by name, and the names of these packages.

    Args:
        layers: The environment and its wrappers.
    """
    defining = {cls.__module__ for cls in _own_classes(layers)}
    packages = {name.partition(".")[0] for name in defining} - {"__main__"}
    found = [
        module
        for name, module in sorted(sys.modules.items())
        if name.partition(".")[0] in packages or name in defining
    ]
    return [module for module in found if isinstance(module, types.ModuleType)], packages


def _own_classes(layers: list[Any]) -> list[type]:
    classes = {cls: None for layer in layers for cls in type(layer).__mro__}
    return [cls for cls in classes if cls.__module__.partition(".")[0] not in _LIBRARIES]


_first_values: dict[str, Snapshot] = {}


def restore_first_values(roots: Mapping[str, Any]) -> None:
    """Restore the values that watched names had when they were first watched.

    Otherwise a process that already played a game with the same modules would start from another state than a
    fresh one.

    Args:
        roots: Roots of a walk, by name; only the namespaces among them matter.
    """
    for name, root in roots.items():
        if isinstance(root, Namespace):
            walk = StateWalk({name: root})
            if name in _first_values:
                walk.restore(_first_values[name])
            else:
                _first_values[name] = walk.take()


def _stateful_globals(module: types.ModuleType, packages: set[str], *, everything: bool) -> Iterator[str]:
    contents = dict(vars(module))
    assigned = {name for code in _codes(contents, module.__name__) for name in _assigned_globals(code)}
    for name, value in contents.items():
        if name.startswith("__"):
            continue
        belongs = type(value).__module__.partition(".")[0] in packages and kind_of(type(value)) is not ATOM
        held = everything and (isinstance(value, _CONTAINERS) or belongs)
        reassigned = name in assigned and not isinstance(value, type | types.ModuleType | types.FunctionType)
        if isinstance(value, _GENERATORS) or held or reassigned:
            yield name
    # Names that no code has defined yet, but that a function may define later.
    yield from assigned - contents.keys()


def _codes(contents: dict[str, Any], module_name: str) -> Iterator[types.CodeType]:
    """Yield the code of every function that the module defines, methods and inner functions included."""
    todo: list[Any] = list(contents.values())
    while todo:
        value = todo.pop()
        if isinstance(value, type) and value.__module__ == module_name:
            todo += [held for held in vars(value).values() if not isinstance(held, type)]
        elif isinstance(value, property):
            todo += [value.fget, value.fset]
        elif isinstance(value, staticmethod | classmethod):
            todo.append(value.__func__)
        elif isinstance(value, types.FunctionType) and value.__module__ == module_name:
            todo.append(value.__code__)
        elif isinstance(value, types.CodeType):
            yield value
            todo += [const for const in value.co_consts if isinstance(const, types.CodeType)]


def _assigned_globals(code: types.CodeType) -> Iterator[str]:
    # Read from the bytes: `dis` takes thirty times as long, and a package may have thousands of functions.
    high = 0
    instructions = code.co_code
    for operation, low in zip(instructions[::2], instructions[1::2], strict=True):
        if operation == _STORE_GLOBAL:
            yield code.co_names[high | low]
        high = (high | low) << 8 if operation == _EXTENDED_ARG else 0


def _is_data(name: str, value: Any) -> bool:
    if name.startswith("__") or name in ("metadata", "_abc_impl") or callable(value):
        return False
    return not hasattr(type(value), "__get__")  # a descriptor: a property, a slot
