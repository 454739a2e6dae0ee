"""Dicts, lists, sets, deques and buffers.

The methods of the base classes are called throughout: a subclass may override them with side effects.
"""

from __future__ import annotations

import collections
import enum
import marshal
from typing import Any

import numpy as np

from coplay.envs.kinds.kind import ATOMS, PLAIN, Kind


def _save_dict(obj: dict[Any, Any], stack: list[Any]) -> Any:
    saved = dict.copy(obj)
    stack += [v for v in saved.values() if type(v) not in ATOMS]
    if not ATOMS.issuperset(map(type, saved)):
        stack += [k for k in saved if type(k) not in ATOMS]
    return saved


def _restore_dict(obj: dict[Any, Any], saved: Any) -> None:
    # Clearing first also restores the order of the keys, in which code iterates.
    dict.clear(obj)
    dict.update(obj, saved)


def _save_ordered_dict(obj: Any, stack: list[Any]) -> Any:
    saved = dict(collections.OrderedDict.items(obj))  # `move_to_end` changes its order, not the dict's
    stack += [v for pair in saved.items() for v in pair if type(v) not in ATOMS]
    return saved


def _restore_ordered_dict(obj: Any, saved: Any) -> None:
    collections.OrderedDict.clear(obj)
    for key, value in saved.items():
        collections.OrderedDict.__setitem__(obj, key, value)


def _save_defaultdict(obj: Any, stack: list[Any]) -> Any:
    stack.append(obj.default_factory)
    return _save_dict(obj, stack)


def _save_list(obj: list[Any], stack: list[Any]) -> Any:
    saved = list.copy(obj)
    stack += [v for v in saved if type(v) not in ATOMS]
    return saved


def _restore_list(obj: list[Any], saved: Any) -> None:
    list.__setitem__(obj, slice(None), saved)


def _save_set(obj: set[Any], stack: list[Any]) -> Any:
    # The iteration order of a set depends on its history, which a rollback changes. Filling it again in
    # canonical order, at every frame and on every peer, makes its order depend on its elements alone.
    saved = in_canonical_order(obj)
    _restore_set(obj, saved)
    stack += [v for v in saved if type(v) not in ATOMS]
    return saved


def _restore_set(obj: set[Any], saved: Any) -> None:
    set.clear(obj)
    set.update(obj, saved)


def in_canonical_order(elements: Any) -> list[Any]:
    """Return a set's elements in an order that does not depend on the set's history.

    Elements without a value, such as instances of a class, keep their order among each other.

    Args:
        elements: A set.
    """
    types_held = set(map(type, elements))
    if len(types_held) == 1 and types_held <= _SORTABLE:
        return sorted(elements)
    return sorted(elements, key=_rank)


_SORTABLE: frozenset[type] = frozenset({int, str, bytes})


def _rank(value: Any) -> bytes:
    cls = type(value)
    if cls in PLAIN:
        return marshal.dumps(value, 2)
    if isinstance(value, tuple):
        return b"".join([b"(", *map(_rank, value), b")"])
    if isinstance(value, frozenset):
        return b"".join([b"{", *sorted(map(_rank, value)), b"}"])
    if isinstance(value, np.generic):
        return value.dtype.char.encode() + value.tobytes()
    if isinstance(value, enum.Enum):
        return f"{cls.__qualname__}.{value.name}".encode()
    return cls.__qualname__.encode()


def _save_deque(obj: Any, stack: list[Any]) -> Any:
    saved = list(obj)
    stack += [v for v in saved if type(v) not in ATOMS]
    return saved


def _restore_deque(obj: Any, saved: Any) -> None:
    collections.deque.clear(obj)
    collections.deque.extend(obj, saved)


def _save_buffer(obj: Any, _stack: list[Any]) -> Any:
    return obj[:]


def _restore_buffer(obj: Any, saved: Any) -> None:
    obj[:] = saved


DICT = Kind("dict", _save_dict, _restore_dict)
ORDERED_DICT = Kind("dict", _save_ordered_dict, _restore_ordered_dict)
DEFAULTDICT = Kind("dict", _save_defaultdict, _restore_dict)
LIST = Kind("list", _save_list, _restore_list)
SET = Kind("set", _save_set, _restore_set)
DEQUE = Kind("deque", _save_deque, _restore_deque)
BUFFER = Kind("buffer", _save_buffer, _restore_buffer)
