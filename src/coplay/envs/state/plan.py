"""The members of a state when an episode begins, and which of them have changed since.

Most of an environment stays as it is while an episode is played: configuration, lookup tables, closures. A
plan is the list of everything that the walk found when the episode began, in walk order. An object's place in
the list is its number for as long as the plan is used. A member of a plan is either

- *stable*: it has held the very same things since then. All stable members are checked together by a
  `ChangeDetector`, and share their saved contents with every snapshot of the plan; or
- *volatile*: it changed at least once, and is saved at each frame. A volatile member never becomes stable.

Which members are volatile decides only the speed. Two peers may differ in it after different rollbacks, so no
checksum may depend on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from coplay.envs.kinds.kind import Kind
from coplay.envs.kinds.random_generators import BIT_GENERATOR
from coplay.envs.state.change_detector import ChangeDetector, can_detect
from coplay.envs.state.equality import same_contents
from coplay.envs.state.generators import kind_of_generator
from coplay.envs.state.plain_tables import PLAIN_TABLE

Member = tuple[Kind, Any]

QUIET_CHECKS: Final = 8
"""Successive checks without a change, after which setting up a watch on memory pays off."""
_MAX_FALSE_ALARMS: Final = 3
"""False alarms (objects moved in memory without a change) after which memory is no longer watched."""


class Plan:
    """The members of a state, and their contents when the plan was made.

    Args:
        members: (kind, object) of each, in walk order.
        contents: Saved contents of each.
        incomplete: Places of members that hold something that is no member. They are volatile from the start.

    Attributes:
        members: (kind, object) of each, in walk order.
        numbers: Each member's place, by the id of its object.
        contents: Each member's contents when the plan was made.
        volatile: Places of the volatile members, ascending.
        rows: (place, kind, object, contents when the plan was made) of each volatile member. The contents are
            empty for incomplete members, so that everything in them counts as changed.
        digests: Digest of each of `contents` with its place; None until the first checksum.
        encodings: What the digests are computed from.
        stable_sum: Sum of the digests of the stable members; None when it has to be computed again.
    """

    def __init__(self, members: list[Member], contents: list[Any], incomplete: Iterable[int] = ()) -> None:
        self.members = members
        self.numbers = {id(obj): place for place, (_kind, obj) in enumerate(members)}
        self.contents = contents
        self.digests: list[int] | None = None
        self.encodings: list[Any] = []
        self.stable_sum: int | None = None
        self.volatile: list[int] = []
        self.rows: list[tuple[int, Kind, Any, Any]] = []
        self._incomplete = frozenset(incomplete)
        self._quiet_checks = 0
        self._false_alarms = 0
        undetectable = {place for place, member in enumerate(members) if not can_detect(*member)}
        self._set_volatile(undetectable | self._incomplete)

    def update(self) -> None:
        """Make every changed member volatile, and put the elements of sets into canonical order."""
        detector = self._detector
        if detector.unchanged():
            self._quiet_checks += 1
            if (
                self._quiet_checks > QUIET_CHECKS
                and not detector.reads_memory
                and self._false_alarms < _MAX_FALSE_ALARMS
            ):
                self._detect(reads_memory=True)
        else:
            volatile = set(self.volatile)
            for place, (kind, obj) in enumerate(self.members):
                if place not in volatile and kind.restore is not None and self._changed(place, kind, obj):
                    volatile.add(place)
            if detector.reads_memory and len(volatile) == len(self.volatile):
                self._false_alarms += 1
            self._set_volatile(volatile)
        # A set's order depends on elements that it held in the meantime, even if it is equal again.
        for elements, in_order in self._detector.sets:
            set.clear(elements)
            set.update(elements, in_order)

    def _set_volatile(self, places: set[int]) -> None:
        self.volatile = sorted(places)
        self.stable_sum = None
        known = {place: kind for place, kind, _obj, _first in self.rows}
        self.rows = []
        for place in self.volatile:
            kind, obj = self.members[place]
            # The kind caches the generator's last state: keep the one that is in use.
            if kind is BIT_GENERATOR:
                kind = known.get(place) or kind_of_generator(obj)
            self.rows.append((place, kind, obj, {} if place in self._incomplete else self.contents[place]))
        self._detect(reads_memory=False)

    def _detect(self, *, reads_memory: bool) -> None:
        volatile = set(self.volatile)
        stable = [
            (kind, obj, saved)
            for place, ((kind, obj), saved) in enumerate(zip(self.members, self.contents, strict=True))
            if place not in volatile
        ]
        self._quiet_checks = 0
        self._detector = ChangeDetector(stable, reads_memory=reads_memory)

    def _changed(self, place: int, kind: Kind, obj: Any) -> bool:
        first = self.contents[place]
        if kind is PLAIN_TABLE:
            return not first.unchanged()
        try:
            return not same_contents(kind.name, first, kind.save(obj, []))
        except AttributeError:  # the object lost an attribute that its kind saves
            return True
