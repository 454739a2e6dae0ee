"""What an environment's state consists of at the beginning of an episode, and which of it never changes.

Most of an environment stays as it is while an episode is played: its configuration, lookup tables, closures.
A plan is the list of everything that the walk found when the episode began, in walk order; an object's place
in it is its number for as long as the plan holds. Its members are of two sorts:

- a *still* one has held the very same things since then. All still ones together are looked over in a few
  calls into C, and share their contents with every snapshot of the plan;
- a *lively* one changed at least once, and is saved at each frame. Still ones become lively, never the other
  way.

Which ones are lively is a matter of speed alone: two peers may differ in it, and no checksum depends on it.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import attrgetter, call, is_
from typing import Any, Final

import numpy as np

from coplay.envs.kinds.containers import DEFAULTDICT, DEQUE, DICT, LIST, SET
from coplay.envs.kinds.instances import INSTANCE, NAMESPACE
from coplay.envs.kinds.kind import MISSING, Kind
from coplay.envs.kinds.numbers import ARRAY, BIT_GENERATOR, SPACES
from coplay.envs.kinds.references import CELL
from coplay.envs.state.addresses import addresses
from coplay.envs.state.generators import kind_of_generator
from coplay.envs.state.memory import MemoryWatch
from coplay.envs.state.plain_tables import PLAIN_TABLE, PlainTable

Member = tuple[Kind, Any]

_SEPARATOR: Final = [object()]  # between containers, so that nothing moves from one to the next unnoticed
_BUFFER_KINDS: Final = frozenset("?bBiufcSU")  # numbers that numpy shows as plain memory
_contents_of_cell = attrgetter("cell_contents")
_FEW: Final = 64  # with which a loop is faster than their addresses
CALM: Final = 8  # looks in a row that found nothing, after which it pays to look into memory itself
_FALSE_ALARMS: Final = 3  # of memory in which something moved, after which it is not looked into any more
_SMALL_BULK: Final = 64  # containers; to look at those of larger ones word by word takes long to begin with
_chained = chain.from_iterable
_state = attrgetter("state")
_generator_of_space = attrgetter("_np_random")
_shape = np.ndarray.shape.__get__


class Plan:
    """The members of a state, and their contents when it was made.

    Args:
        members: (kind, object), in walk order.
        contents: Of each.
        lively: Places of members that hold what is no member, so are lively from the start.

    Attributes:
        members: (kind, object), in walk order.
        numbers: Each member's place, by its id.
        contents: Each member's contents, as they were when the plan was made.
        lively: The places of those that have changed since, ascending.
        rows: Of each lively one its place, kind, object, and contents when the plan was made; these are empty
            where they held what is no member.
        digests: Of `contents`, each with its place; None until somebody asked for a checksum.
        encodings: What the digests are of.
        still_sum: The sum of the digests of the still ones; None when it is to be summed up again.
    """

    def __init__(self, members: list[Member], contents: list[Any], lively: Iterable[int] = ()) -> None:
        self.members = members
        self.numbers = {id(obj): place for place, (_kind, obj) in enumerate(members)}
        self.contents = contents
        self.digests: list[int] | None = None
        self.encodings: list[Any] = []
        self.still_sum: int | None = None
        self.lively: list[int] = []
        self.rows: list[tuple[int, Kind, Any, Any]] = []
        self._holding = frozenset(lively)
        self._calm = 0
        self._false_alarms = 0
        never_still = {place for place, member in enumerate(members) if not _can_be_still(*member)}
        self._set_lively(never_still | self._holding)

    def _set_lively(self, places: set[int]) -> None:
        self.lively = sorted(places)
        self.still_sum = None
        known = {place: kind for place, kind, _obj, _first in self.rows}
        self.rows = []
        for place in self.lively:
            kind, obj = self.members[place]
            if kind is BIT_GENERATOR:
                kind = known.get(place) or kind_of_generator(obj)
            self.rows.append((place, kind, obj, {} if place in self._holding else self.contents[place]))
        self._look()

    def _is_still(self, place: int, kind: Kind, obj: Any) -> bool:
        held = self.contents[place]
        if kind is PLAIN_TABLE:
            return bool(held.unchanged())
        try:
            return same(kind.name, held, kind.save(obj, []))
        except AttributeError:
            return False

    # All still ones at once

    def _look(self, *, into_memory: bool = False) -> None:
        """Remember how the still ones look.

        Args:
            into_memory: Where that can be done, by the words that they consist of (see `state_memory`):
                slower to begin with, and several times as fast from then on.
        """
        words = MemoryWatch()
        self._calm, self._words = 0, words if into_memory else None
        kept: list[Any] = []  # what those hold that are seen by their words
        dicts: list[dict[Any, Any]] = []
        traversed: list[Any] = []
        cells: list[Any] = []
        arrays: list[Any] = []
        generators: list[Any] = []
        sets: list[tuple[set[Any], list[Any]]] = []
        spaces: list[Any] = []
        names: list[str] = []
        getters: list[Callable[..., Any]] = []
        lively = set(self.lively)
        for place, (kind, obj) in enumerate(self.members):
            if place in lively or kind.restore is None:
                continue
            if kind is INSTANCE:
                held = obj.__dict__
                if into_memory and words.add_dict(held):
                    kept += (type(obj), held, *held, *held.values())
                    if not words.add_instance(obj):
                        traversed += (obj, _SEPARATOR)
                    continue
                dicts.append(held)
                # Where an instance keeps its attributes without a dict, it shows them itself, and its class.
                traversed += (obj, held)
            elif kind is DICT or kind is DEFAULTDICT:
                if into_memory and words.add_dict(obj):
                    kept += (*dict.keys(obj), *dict.values(obj))
                    continue
                dicts.append(obj)
                traversed += (obj, _SEPARATOR)
            elif kind is LIST or kind is DEQUE:
                if into_memory and kind is LIST and words.add_list(obj):
                    kept += obj
                    continue
                traversed += (obj, _SEPARATOR)
            elif kind is CELL:
                if into_memory and words.add_cell(obj):
                    kept.append(obj.cell_contents)
                    continue
                cells.append(obj)  # one thing in each
            elif kind is SET:
                traversed += (obj, _SEPARATOR)
                sets.append((obj, self.contents[place]))
            elif kind is BIT_GENERATOR:
                if not (into_memory and words.add_generator(obj)):
                    generators.append(obj)
            elif kind is ARRAY:
                if into_memory and words.add_array(obj):
                    kept.append(obj.dtype)
                else:
                    arrays.append(obj)
            elif kind is PLAIN_TABLE:
                bulk: PlainTable = self.contents[place]
                small = into_memory and len(bulk.dicts) + len(bulk.lists) <= _SMALL_BULK
                for table in bulk.dicts:
                    if small and words.add_dict(table):
                        continue
                    dicts.append(table)
                    traversed += (table, _SEPARATOR)
                for row in bulk.lists:
                    if not (small and words.add_list(row)):
                        traversed += (row, _SEPARATOR)
            elif kind in SPACES:
                spaces.append(obj)
            elif kind is NAMESPACE:
                names += obj.names
                getters += [vars(obj.owner).get] * len(obj.names)
        words.seal()
        self._kept = tuple(kept)
        self._traversed = (*cells, _SEPARATOR, *traversed)
        # In an empty one no key can come without a thing that shows.
        self._dicts = [held for held in dicts if held]
        self._arrays = arrays
        self._generators, self._sets, self._spaces = generators, sets, spaces
        self._names, self._getters, self._missing = names, getters, [MISSING] * len(names)
        # Kept alive here, so that no address is another thing's as long as it is compared with.
        self._referents = tuple(self._all_referents())
        self._addresses = addresses(self._referents)
        self._keys = list(_chained(self._dicts))
        self._bytes = b"".join(arrays)
        self._states = list(map(_state, generators))
        self._shapes = list(map(_shape, arrays))

    def _all_referents(self) -> list[Any]:
        found = gc.get_referents(*self._traversed)
        if self._names:
            found += map(call, self._getters, self._names, self._missing)
        if self._spaces:
            found += map(_generator_of_space, self._spaces)
        return found

    def unchanged(self) -> bool:
        """Tell whether all still ones hold the very same things in the same order."""
        if self._words is not None and not self._words.unchanged():
            return False
        found = self._all_referents()
        if len(found) < _FEW:
            if len(found) != len(self._referents) or not all(map(is_, found, self._referents)):
                return False
        elif addresses(tuple(found)) != self._addresses:
            return False
        # Dicts show keys that are texts to nobody but those who ask for them.
        if self._keys and list(_chained(self._dicts)) != self._keys:
            return False
        arrays = self._arrays
        if arrays and (list(map(_shape, arrays)) != self._shapes or b"".join(arrays) != self._bytes):
            return False
        return not self._states or list(map(_state, self._generators)) == self._states

    def settle(self) -> None:
        """See to it that everything that changed is lively, and that sets give their elements in order."""
        if self.unchanged():
            self._calm += 1
            if self._calm > CALM and self._words is None and self._false_alarms < _FALSE_ALARMS:
                self._look(into_memory=True)
        else:
            lively = set(self.lively)
            for place, (kind, obj) in enumerate(self.members):
                if place not in lively and kind.restore is not None and not self._is_still(place, kind, obj):
                    lively.add(place)
            if self._words is not None and len(lively) == len(self.lively):
                self._false_alarms += 1  # something only moved
            self._set_lively(lively)
        for elements, in_order in self._sets:
            set.clear(elements)
            set.update(elements, in_order)


def _can_be_still(kind: Kind, obj: Any) -> bool:
    """Tell whether an object can be looked over in C."""
    if kind.restore is None:
        return True
    if kind is ARRAY:
        return bool(obj.flags.c_contiguous and obj.dtype.kind in _BUFFER_KINDS)
    if kind in (INSTANCE, DICT, DEFAULTDICT):
        # Not taken for granted of any interpreter: that it shows all that is held.
        held = obj.__dict__ if kind is INSTANCE else obj
        shown = set(map(id, gc.get_referents(obj, held)))
        return shown.issuperset(map(id, held.values()))
    if kind is BIT_GENERATOR:
        return all(type(held) in (int, str) for held in _leaves(obj.state))
    if kind is CELL:
        return bool(gc.get_referents(obj))
    return kind in _LOOKED_OVER


def _leaves(state: Any) -> Iterator[Any]:
    for held in state.values():
        if isinstance(held, dict):
            yield from _leaves(held)
        else:
            yield held


_LOOKED_OVER: Final = (LIST, DEQUE, SET, PLAIN_TABLE, NAMESPACE, *SPACES)


# Whether two contents of the same object are the same


def same(name: str, old: Any, new: Any) -> bool:
    """Tell whether two contents of one object are the same, bit for bit. In doubt they are not.

    Args:
        name: Of the object's kind.
    """
    return _SAME[name](old, new)


def _same_mapping(old: Any, new: Any) -> bool:
    return len(old) == len(new) and all(map(is_, old, new)) and all(map(is_, old.values(), new.values()))


def _same_sequence(old: Any, new: Any) -> bool:
    return len(old) == len(new) and all(map(is_, old, new))


def _same_array(old: Any, new: Any) -> bool:
    if old.dtype.hasobject or old.dtype != new.dtype or old.shape != new.shape:
        return False
    return bool(old.tobytes() == new.tobytes())


def _same_state(old: Any, new: Any) -> bool:
    try:
        return bool(old == new)
    except ValueError:  # an array in it
        return False


def _same_bytes(old: Any, new: Any) -> bool:
    return bytes(memoryview(old)) == bytes(memoryview(new))


_SAME: dict[str, Callable[[Any, Any], bool]] = {
    "object": _same_mapping,
    "dict": _same_mapping,
    "list": _same_sequence,
    "deque": _same_sequence,
    "set": _same_sequence,
    "namespace": _same_sequence,
    "array": _same_array,
    "cell": is_,
    "space": is_,
    "table": is_,
    "generator": _same_state,
    "buffer": _same_bytes,
}


def _same_slotted(content: Callable[[Any, Any], bool] | None) -> Callable[[Any, Any], bool]:
    def same_slotted(old: Any, new: Any) -> bool:
        (slots, attributes, inner), (new_slots, new_attributes, new_inner) = old, new
        return (
            all(map(is_, slots, new_slots))
            and (attributes is None or _same_mapping(attributes, new_attributes))
            and (content is None or content(inner, new_inner))
        )

    return same_slotted


_SAME |= {f"slotted {name}": _same_slotted(content) for name, content in _SAME.items()}
_SAME["slotted"] = _same_slotted(None)
