"""One walk over an environment's state: snapshot, restore in place, checksum, differences.

A snapshot is a list of (holder, contents). The holder is the live object itself, and restoring puts the
contents back into it, so identities, aliases and cycles survive by construction: whoever held a reference to
the environment, its grid or its generator still holds the one that plays on.

The walk goes over everything once, when an episode begins, and makes a plan of it. From then on only what has
changed since, and what has come since, is saved again (see `state_plan`).

Order matters: two peers in the same state walk it in the same order, so a holder's place in the plan, or
among what came later, can stand for it in the checksum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import compress
from operator import is_not
from typing import Any

from numpy import ndarray

from coplay.envs.kinds.instances import INSTANCE
from coplay.envs.kinds.numbers import ARRAY
from coplay.envs.kinds.references import TUPLE
from coplay.envs.kinds.registry import ATOM, ATOMS, DRAWING, KINDS, UNWALKABLE, Kind, kind_of
from coplay.envs.state.digest import digest
from coplay.envs.state.paths import describe, differences, find_paths
from coplay.envs.state.plain_tables import MIN_LENGTH, PLAIN_TABLE, PlainTable, collect
from coplay.envs.state.plan import Plan, same
from coplay.envs.state.snapshot import Record, Snapshot, kind_now

_KEPT_BULKS = 64
# Worth comparing with what the plan holds, whose digest is known.
_COMPARED = ("generator", "set")


class StateWalk:
    """Saves and restores everything reachable from some named roots.

    Attributes:
        roots: By name.
    """

    def __init__(self, roots: Mapping[str, Any]) -> None:
        self.roots = roots
        first = [root for root in roots.values() if type(root) not in ATOMS]
        self._first = first[::-1]
        self._bulks: dict[int, PlainTable] = {}
        self._plan: Plan | None = None

    def begin(self) -> None:
        """Let the next snapshot begin a new plan. Every peer has to do so at the same moment of the game."""
        self._plan = None

    def begin_with(self, objects: list[Any], tables: frozenset[int]) -> None:
        """Begin a plan that another peer has made.

        Args:
            objects: Its members, in order.
            tables: The places of those that it saves as one thing (see `state_bulk`).
        """
        members: list[tuple[Kind, Any]] = []
        contents: list[Any] = []
        known = set(map(id, objects))
        lively = []
        for place, obj in enumerate(objects):
            kind = kind_of(type(obj))
            saved: Any = None
            if place in tables:
                saved = self._bulk(obj)
                members.append((PLAIN_TABLE, obj))
            else:
                members.append((kind, obj))
            if saved is None:
                stack: list[Any] = []
                saved = kind.save(obj, stack)
                if any(id(held) not in known for held in _through_tuples(stack)):
                    lively.append(place)
            contents.append(saved)
        self._plan = Plan(members, contents, lively)

    def take(self) -> Snapshot:
        """Save the state.

        Rebuilds every set in place on the way (see `state_containers`): take a snapshot at each frame, on
        every peer.
        """
        plan = self._plan
        later: list[Record] = []
        met: dict[int, Any] = {}
        if plan is None:
            found: list[Record] = []
            self._walk(self._first[:], {}, later, met, found)
            plan = Plan([(kind, obj) for kind, obj, _ in found], [saved for _, _, saved in found])
            self._plan = plan
            return Snapshot(self.roots, plan, plan.contents, [], {})
        plan.settle()
        contents = plan.contents.copy()
        stack: list[Any] = []
        for place, kind, obj, first in plan.rows:
            saved: Any = None
            if kind is INSTANCE:
                saved = obj.__dict__.copy()
                changed: Any = saved.values()
                if len(saved) == len(first):
                    # Everything that was here when the plan was made is its member.
                    changed = compress(changed, map(is_not, changed, first.values()))
                stack += [v for v in changed if type(v) not in ATOMS]
            elif kind is PLAIN_TABLE:
                saved = self._bulk(obj)
                if saved is None:
                    saved = KINDS[type(obj)].save(obj, stack)
            else:
                saved = kind.save(obj, stack)
                if kind.name in _COMPARED and same(kind.name, first, saved):
                    continue
            contents[place] = saved
        self._walk(stack, plan.numbers, later, met, None)
        return Snapshot(self.roots, plan, contents, later, met)

    def _walk(
        self,
        stack: list[Any],
        known: Mapping[int, Any],
        records: list[Record],
        met: dict[int, Any],
        members: list[Record] | None,
    ) -> None:
        """Save what is reachable from a stack of objects and neither known nor met."""
        kinds = KINDS
        while stack:
            obj = stack.pop()
            key = id(obj)
            if key in known or key in met:
                continue
            cls = type(obj)
            if cls is ndarray and members is None and not obj.dtype.hasobject:
                met[key] = obj
                records.append((ARRAY, obj, obj.copy()))
                continue
            if cls is tuple:
                met[key] = obj
                stack += [v for v in obj if type(v) not in ATOMS]
                continue
            kind = kinds[cls] if cls in kinds else kind_of(cls)
            if kind is ATOM:
                # Its type was seen for the first time: from now on it is not even met. Positions must not
                # depend on that.
                continue
            met[key] = obj
            saved: Any = None
            if (cls is dict or cls is list) and len(obj) >= MIN_LENGTH:
                saved = self._bulk(obj)
                if saved is not None:
                    kind = PLAIN_TABLE
            if saved is None:
                saved = kind.save(obj, stack)
            if members is not None:
                if kind is not TUPLE and kind is not DRAWING:
                    members.append((kind, obj, saved))
            elif kind.restore is not None:
                records.append((kind, obj, saved))

    def restore(self, snapshot: Snapshot) -> None:
        """Put the state back, into the same objects. A snapshot can be restored any number of times."""
        plan, contents = snapshot.plan, snapshot.contents
        rows: Any
        if plan is self._plan:
            plan.settle()
            rows = plan.rows
        else:
            rows = [(place, kind, obj, None) for place, (kind, obj) in enumerate(plan.members)]
        self._plan = plan
        for place, kind, obj, _first in rows:
            saved = contents[place]
            if kind is PLAIN_TABLE:
                kind = self._restored_bulk(obj, saved)
            if kind.restore is not None:
                kind.restore(obj, saved)
        for kind, obj, saved in snapshot.later:
            if kind is PLAIN_TABLE:
                self._restored_bulk(obj, saved)
            kind.restore(obj, saved)  # type: ignore[misc]

    def _restored_bulk(self, obj: Any, saved: Any) -> Kind:
        if isinstance(saved, PlainTable):
            self._bulks[id(obj)] = saved
        return kind_now(PLAIN_TABLE, obj, saved)

    def _bulk(self, root: Any) -> PlainTable | None:
        """Give the contents of a large container as one thing, if it is plain data."""
        bulk = self._bulks.get(id(root))  # it keeps its root alive, so the id is still the root's
        if bulk is None or not bulk.unchanged():
            bulk = collect(root)
            if bulk is None:
                self._bulks.pop(id(root), None)
                return None
            if len(self._bulks) >= _KEPT_BULKS:
                self._bulks.clear()
            self._bulks[id(root)] = bulk
        return bulk

    def checksum(self, snapshot: Snapshot, extra: object = None) -> int:
        """Give 64 bits that are equal for equal states, in every process of the same build.

        Args:
            snapshot: What to sum up.
            extra: Plain values that belong to the state as well.
        """
        return digest(snapshot, extra)

    def diff(self, mine: Snapshot, theirs: Snapshot) -> list[str]:
        """Name what differs, as attribute paths such as `env.state[2]`."""
        return differences(describe(mine), describe(theirs))

    def generators(self, snapshot: Snapshot) -> list[Any]:
        """Give the random generators in a snapshot, in walk order."""
        return [obj for kind, obj, _saved in snapshot.records if kind.name.endswith("generator")]

    def unwalkable(self) -> list[str]:
        """Name the objects whose state cannot be seen, as `path (type)`."""
        found = find_paths(self.roots, lambda obj: kind_of(type(obj)) is UNWALKABLE)
        return [f"{path} ({type(obj).__module__}.{type(obj).__qualname__})" for path, obj in found]


def _through_tuples(stack: list[Any]) -> Iterator[Any]:
    """Give what a plan can have as members, of what is in a stack and in its tuples."""
    seen: dict[int, Any] = {}
    while stack:
        obj = stack.pop()
        kind = kind_of(type(obj))
        if id(obj) in seen or kind is ATOM or kind is DRAWING:
            continue
        seen[id(obj)] = obj
        if kind is TUPLE:
            kind.save(obj, stack)
        else:
            yield obj
