"""Objects that cannot change but hold things that can: tuples, functions, methods, weak references."""

from __future__ import annotations

import types
from typing import Any

from coplay.envs.kinds.kind import ATOMS, MISSING, Kind


def _save_tuple(obj: Any, stack: list[Any]) -> Any:
    stack += [v for v in obj if type(v) not in ATOMS]
    return None


def _save_function(obj: Any, stack: list[Any]) -> Any:
    for cell in obj.__closure__ or ():
        stack.append(cell)
    for default in (obj.__defaults__, obj.__kwdefaults__):
        if default:
            stack.append(default)
    stack.append(obj.__dict__)  # even if empty: a function may begin to keep state in it
    return None


def _save_cell(obj: Any, stack: list[Any]) -> Any:
    try:
        contents = obj.cell_contents
    except ValueError:
        return MISSING
    if type(contents) not in ATOMS:
        stack.append(contents)
    return contents


def _restore_cell(obj: Any, saved: Any) -> None:
    if saved is not MISSING:
        obj.cell_contents = saved
    elif obj != types.CellType():  # an empty cell is equal only to an empty one
        del obj.cell_contents


def _save_method(obj: Any, stack: list[Any]) -> Any:
    stack.append(obj.__self__)
    stack.append(obj.__func__)
    return None


def _save_builtin(obj: Any, stack: list[Any]) -> Any:
    owner = obj.__self__
    if owner is not None and type(owner) not in ATOMS:
        stack.append(owner)
    return None


def _save_partial(obj: Any, stack: list[Any]) -> Any:
    stack += [obj.func, obj.args, obj.keywords]
    return None


def _save_weakref(obj: Any, stack: list[Any]) -> Any:
    target = obj()
    if target is not None:
        stack.append(target)
    return None


def _save_generator(obj: Any, stack: list[Any]) -> Any:
    stack.append(obj.bit_generator)
    return None


TUPLE = Kind("tuple", _save_tuple, None)
FUNCTION = Kind("through", _save_function, None)
METHOD = Kind("through", _save_method, None)
BUILTIN = Kind("through", _save_builtin, None)
PARTIAL = Kind("through", _save_partial, None)
WEAKREF = Kind("through", _save_weakref, None)
GENERATOR = Kind("through", _save_generator, None)
CELL = Kind("cell", _save_cell, _restore_cell)
