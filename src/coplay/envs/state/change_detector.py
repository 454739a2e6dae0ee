"""Finds out in a few calls into C whether any of many objects changed.

A loop in Python over every object would cost more than the simulation does. What all objects hold is
therefore collected into one list, by `gc.get_referents`, and compared by address with the last such list.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import attrgetter, call, is_
from typing import Any, Final

import numpy as np

from coplay.envs.kinds.arrays import ARRAY
from coplay.envs.kinds.containers import DEFAULTDICT, DEQUE, DICT, LIST, SET
from coplay.envs.kinds.instances import INSTANCE, NAMESPACE, Namespace
from coplay.envs.kinds.kind import MISSING, Kind
from coplay.envs.kinds.random_generators import BIT_GENERATOR, SPACES
from coplay.envs.kinds.references import CELL
from coplay.envs.state.addresses import addresses
from coplay.envs.state.memory import MemoryWatch
from coplay.envs.state.plain_tables import PLAIN_TABLE, PlainTable

# Between containers, so that an item that moves from the end of one to the start of the next is noticed.
_SEPARATOR: Final = [object()]
_BUFFER_KINDS: Final = frozenset("?bBiufcSU")  # the dtypes that numpy exposes as a buffer
_FEW: Final = 64  # up to here a loop is quicker than comparing addresses
_SMALL_TABLE: Final = 64  # containers; adding those of a larger table to a memory watch one by one takes long
_chained = chain.from_iterable
_state = attrgetter("state")
_generator_of_space = attrgetter("_np_random")
_shape = np.ndarray.shape.__get__


class ChangeDetector:
    """Records what objects hold, and detects any change of it.

    Args:
        objects: (kind, object, contents) of each; `can_detect` holds for them.
        reads_memory: Watch the words of memory that the objects consist of, where that is possible (see
            `memory`). This takes longer to set up, and each check is several times as fast.

    Attributes:
        reads_memory: As given.
        sets: Each set among the objects, with its elements in canonical order.
    """

    def __init__(self, objects: Iterable[tuple[Kind, Any, Any]], *, reads_memory: bool) -> None:
        self.reads_memory = reads_memory
        self.sets: list[tuple[set[Any], list[Any]]] = []
        self._watch = MemoryWatch() if reads_memory else None
        self._kept: list[Any] = []  # keeps alive what is compared by address only
        self._dicts: list[dict[Any, Any]] = []
        self._containers: list[Any] = []
        self._cells: list[Any] = []
        self._arrays: list[Any] = []
        self._generators: list[Any] = []
        self._spaces: list[Any] = []
        self._names: list[str] = []
        self._getters: list[Callable[..., Any]] = []
        for kind, obj, contents in objects:
            add = _ADD.get(kind)
            if add is not None:
                add(self, obj, contents)
        if self._watch is not None:
            self._watch.record()
        self._traversed = (*self._cells, _SEPARATOR, *self._containers)
        # An empty dict cannot gain a key without gaining a value, which is noticed.
        self._dicts = [held for held in self._dicts if held]
        self._missing = [MISSING] * len(self._names)
        # Kept alive, because the address of a freed object may be reused.
        self._referents = tuple(self._all_referents())
        self._addresses = addresses(self._referents)
        self._keys = list(_chained(self._dicts))
        self._bytes = b"".join(self._arrays)
        self._states = list(map(_state, self._generators))
        self._shapes = list(map(_shape, self._arrays))

    def unchanged(self) -> bool:
        """Return True if all objects hold the very same things in the same order."""
        if self._watch is not None and not self._watch.unchanged():
            return False
        found = self._all_referents()
        if len(found) < _FEW:
            if len(found) != len(self._referents) or not all(map(is_, found, self._referents)):
                return False
        elif addresses(tuple(found)) != self._addresses:
            return False
        # A dict whose keys are all strings does not show them to the garbage collector.
        if self._keys and list(_chained(self._dicts)) != self._keys:
            return False
        arrays = self._arrays
        if arrays and (list(map(_shape, arrays)) != self._shapes or b"".join(arrays) != self._bytes):
            return False
        return not self._states or list(map(_state, self._generators)) == self._states

    def _all_referents(self) -> list[Any]:
        found = gc.get_referents(*self._traversed)
        if self._names:
            found += map(call, self._getters, self._names, self._missing)
        if self._spaces:
            found += map(_generator_of_space, self._spaces)
        return found

    # How each kind of object is observed

    def _add_instance(self, obj: Any, _contents: Any) -> None:
        attributes = obj.__dict__
        watch = self._watch
        if watch is not None and watch.add_dict(attributes):
            self._kept += (type(obj), attributes, *attributes, *attributes.values())
            if not watch.add_instance(obj):
                self._containers += (obj, _SEPARATOR)
            return
        self._dicts.append(attributes)
        # An instance with inline attributes shows them itself; every instance shows its class.
        self._containers += (obj, attributes)

    def _add_dict(self, obj: dict[Any, Any], _contents: Any) -> None:
        if self._watch is not None and self._watch.add_dict(obj):
            self._kept += (*dict.keys(obj), *dict.values(obj))
            return
        self._dicts.append(obj)
        self._containers += (obj, _SEPARATOR)

    def _add_list(self, obj: list[Any], _contents: Any) -> None:
        if self._watch is not None and self._watch.add_list(obj):
            self._kept += obj
            return
        self._containers += (obj, _SEPARATOR)

    def _add_deque(self, obj: Any, _contents: Any) -> None:
        self._containers += (obj, _SEPARATOR)

    def _add_cell(self, obj: Any, _contents: Any) -> None:
        if self._watch is not None and self._watch.add_cell(obj):
            self._kept.append(obj.cell_contents)
            return
        self._cells.append(obj)  # no separators between them: each holds exactly one thing

    def _add_set(self, obj: set[Any], contents: list[Any]) -> None:
        self._containers += (obj, _SEPARATOR)
        self.sets.append((obj, contents))

    def _add_generator(self, obj: Any, _contents: Any) -> None:
        if self._watch is None or not self._watch.add_generator(obj):
            self._generators.append(obj)

    def _add_array(self, obj: Any, _contents: Any) -> None:
        if self._watch is not None and self._watch.add_array(obj):
            self._kept.append(obj.dtype)
            return
        self._arrays.append(obj)

    def _add_table(self, _obj: Any, contents: PlainTable) -> None:
        small = len(contents.dicts) + len(contents.lists) <= _SMALL_TABLE
        watch = self._watch if small else None
        for held in contents.dicts:
            if watch is None or not watch.add_dict(held):
                self._dicts.append(held)
                self._containers += (held, _SEPARATOR)
        for row in contents.lists:
            if watch is None or not watch.add_list(row):
                self._containers += (row, _SEPARATOR)

    def _add_space(self, obj: Any, _contents: Any) -> None:
        self._spaces.append(obj)

    def _add_namespace(self, obj: Namespace, _contents: Any) -> None:
        self._names += obj.names
        self._getters += [vars(obj.owner).get] * len(obj.names)


_ADD: Final[dict[Kind, Callable[[ChangeDetector, Any, Any], None]]] = {
    INSTANCE: ChangeDetector._add_instance,
    DICT: ChangeDetector._add_dict,
    DEFAULTDICT: ChangeDetector._add_dict,
    LIST: ChangeDetector._add_list,
    DEQUE: ChangeDetector._add_deque,
    CELL: ChangeDetector._add_cell,
    SET: ChangeDetector._add_set,
    BIT_GENERATOR: ChangeDetector._add_generator,
    ARRAY: ChangeDetector._add_array,
    PLAIN_TABLE: ChangeDetector._add_table,
    NAMESPACE: ChangeDetector._add_namespace,
    **dict.fromkeys(SPACES, ChangeDetector._add_space),
}


def can_detect(kind: Kind, obj: Any) -> bool:
    """Return True if a `ChangeDetector` would notice every change of an object.

    Args:
        kind: The object's kind.
        obj: The object.
    """
    if kind.restore is None:
        return True
    if kind is ARRAY:
        # Arrays are compared by joining their buffers, which must be contiguous.
        return bool(obj.flags.c_contiguous and obj.dtype.kind in _BUFFER_KINDS)
    if kind in (INSTANCE, DICT, DEFAULTDICT):
        # Verified, because interpreters differ: the garbage collector must see every value.
        held = obj.__dict__ if kind is INSTANCE else obj
        shown = set(map(id, gc.get_referents(obj, held)))
        return shown.issuperset(map(id, held.values()))
    if kind is BIT_GENERATOR:
        # Other states contain arrays, whose comparison does not yield one truth value.
        return all(type(held) in (int, str) for held in _leaves(obj.state))
    if kind is CELL:
        return bool(gc.get_referents(obj))  # an empty cell holds nothing that could be compared
    return kind in _ADD


def _leaves(state: Any) -> Iterator[Any]:
    for held in state.values():
        if isinstance(held, dict):
            yield from _leaves(held)
        else:
            yield held
