"""One walk over an environment's state: snapshot, restore in place, checksum, differences.

A snapshot is a list of (holder, contents). The holder is the live object itself and restoring puts the
contents back into it, so that identities, aliases and cycles survive by construction: a reference to the
environment, its grid or its generator still refers to the one that plays on.

The walk visits everything once, when an episode begins, and makes a plan of it (see `plan`). From then on it
saves only what changed or was added since.

The order of the walk is part of the checksum. Two peers in the same state visit it in the same order, so an
object's position can stand for the object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import compress
from operator import is_not
from typing import Any, Final

from numpy import ndarray

from coplay.envs.kinds.arrays import ARRAY
from coplay.envs.kinds.instances import INSTANCE
from coplay.envs.kinds.references import TUPLE
from coplay.envs.kinds.registry import ATOM, ATOMS, DRAWING, KINDS, UNWALKABLE, Kind, kind_of
from coplay.envs.state.digest import digest
from coplay.envs.state.equality import same_contents
from coplay.envs.state.paths import describe, differences, find_paths
from coplay.envs.state.plain_tables import MIN_LENGTH, PLAIN_TABLE, PlainTable, collect_table
from coplay.envs.state.plan import Plan
from coplay.envs.state.snapshot import Record, Snapshot, saved_kind

_MAX_TABLES: Final = 64
_COMPARED: Final = ("generator", "set")  # quicker to compare with the plan's contents than to digest


class StateWalk:
    """Saves and restores everything that is reachable from some named roots.

    Args:
        roots: Where the walk begins, by name.

    Attributes:
        roots: As given.
    """

    def __init__(self, roots: Mapping[str, Any]) -> None:
        self.roots = roots
        first = [root for root in roots.values() if type(root) not in ATOMS]
        self._first = first[::-1]
        self._tables: dict[int, PlainTable] = {}
        self._plan: Plan | None = None

    def begin_plan(self) -> None:
        """Make a new plan with the next snapshot. All peers must do so at the same frame."""
        self._plan = None

    def adopt_plan(self, objects: list[Any], tables: frozenset[int]) -> None:
        """Use a plan that another peer made.

        Args:
            objects: Its members, in order.
            tables: Places of the members that are saved as a plain table.
        """
        members: list[tuple[Kind, Any]] = []
        contents: list[Any] = []
        known = set(map(id, objects))
        incomplete = []
        for place, obj in enumerate(objects):
            kind = kind_of(type(obj))
            saved: Any = None
            if place in tables:
                saved = self._table(obj)
                members.append((PLAIN_TABLE, obj))
            else:
                members.append((kind, obj))
            if saved is None:
                stack: list[Any] = []
                saved = kind.save(obj, stack)
                if any(id(held) not in known for held in _possible_members(stack)):
                    incomplete.append(place)
            contents.append(saved)
        self._plan = Plan(members, contents, incomplete)

    def take(self) -> Snapshot:
        """Return a snapshot of the state.

        This rebuilds every set in place, in canonical order (see `kinds.containers`). Every peer therefore
        has to take a snapshot at each frame, even if it needs none.
        """
        plan = self._plan
        if plan is None:
            found = self._walk_all()
            plan = Plan([(kind, obj) for kind, obj, _ in found], [saved for _, _, saved in found])
            self._plan = plan
            return Snapshot(self.roots, plan, plan.contents, [], {})
        plan.update()
        contents = plan.contents.copy()
        stack: list[Any] = []
        for place, kind, obj, first in plan.rows:
            saved: Any = None
            if kind is INSTANCE:
                saved = obj.__dict__.copy()
                changed: Any = saved.values()
                if len(saved) == len(first):
                    # Values that were here when the plan was made are members: follow only the others.
                    changed = compress(changed, map(is_not, changed, first.values()))
                stack += [v for v in changed if type(v) not in ATOMS]
            elif kind is PLAIN_TABLE:
                saved = self._table(obj)
                if saved is None:
                    saved = KINDS[type(obj)].save(obj, stack)
            else:
                saved = kind.save(obj, stack)
                # Sharing the plan's contents lets the checksum reuse their digest.
                if kind.name in _COMPARED and same_contents(kind.name, first, saved):
                    continue
            contents[place] = saved
        added: list[Record] = []
        added_objects: dict[int, Any] = {}
        self._walk_added(stack, plan.numbers, added, added_objects)
        return Snapshot(self.roots, plan, contents, added, added_objects)

    def _walk_all(self) -> list[Record]:
        """Save everything that is reachable from the roots, except tuples and drawing objects."""
        stack = self._first[:]
        seen: dict[int, Any] = {}
        found: list[Record] = []
        while stack:
            obj = stack.pop()
            if id(obj) in seen:
                continue
            cls = type(obj)
            kind = kind_of(cls)
            if kind is ATOM:
                continue
            seen[id(obj)] = obj
            saved: Any = None
            if (cls is dict or cls is list) and len(obj) >= MIN_LENGTH:
                saved = self._table(obj)
                if saved is not None:
                    kind = PLAIN_TABLE
            if saved is None:
                saved = kind.save(obj, stack)
            if kind is not TUPLE and kind is not DRAWING:
                found.append((kind, obj, saved))
        return found

    def _walk_added(
        self, stack: list[Any], known: Mapping[int, Any], records: list[Record], seen: dict[int, Any]
    ) -> None:
        """Save what is reachable from a stack of objects and is not yet known.

        Args:
            stack: Where to begin; empty afterwards.
            known: Ids of the plan's members.
            records: Gets (kind, holder, contents) of each holder.
            seen: Gets every object that is not an atom, by its id.
        """
        kinds = KINDS
        while stack:
            obj = stack.pop()
            key = id(obj)
            if key in known or key in seen:
                continue
            cls = type(obj)
            if cls is ndarray and not obj.dtype.hasobject:
                seen[key] = obj
                records.append((ARRAY, obj, obj.copy()))
                continue
            if cls is tuple:
                seen[key] = obj
                stack += [v for v in obj if type(v) not in ATOMS]
                continue
            kind = kinds[cls] if cls in kinds else kind_of(cls)
            if kind is ATOM:
                # Only the first instance of its type gets here, later ones are not even put on the stack. It
                # must not be counted either, or positions would depend on a process's history.
                continue
            seen[key] = obj
            saved: Any = None
            if (cls is dict or cls is list) and len(obj) >= MIN_LENGTH:
                saved = self._table(obj)
                if saved is not None:
                    kind = PLAIN_TABLE
            if saved is None:
                saved = kind.save(obj, stack)
            if kind.restore is not None:
                records.append((kind, obj, saved))

    def restore(self, snapshot: Snapshot) -> None:
        """Put the saved contents back into the same objects. A snapshot can be restored any number of times.

        Args:
            snapshot: One that this walk took.
        """
        plan, contents = snapshot.plan, snapshot.contents
        rows: Any
        if plan is self._plan:
            # Makes members that changed since the last snapshot volatile, so that they are restored, too.
            plan.update()
            rows = plan.rows
        else:
            # What changed while another plan was in use is not known, so every member is restored.
            rows = [(place, kind, obj, None) for place, (kind, obj) in enumerate(plan.members)]
        self._plan = plan
        for place, kind, obj, _first in rows:
            saved = contents[place]
            if kind is PLAIN_TABLE:
                kind = self._restored_table(obj, saved)
            if kind.restore is not None:
                kind.restore(obj, saved)
        for kind, obj, saved in snapshot.added:
            if kind is PLAIN_TABLE:
                self._restored_table(obj, saved)
            kind.restore(obj, saved)  # type: ignore[misc]

    def _restored_table(self, obj: Any, saved: Any) -> Kind:
        if isinstance(saved, PlainTable):
            self._tables[id(obj)] = saved
        return saved_kind(PLAIN_TABLE, obj, saved)

    def _table(self, root: Any) -> PlainTable | None:
        """Return a large container as a plain table, or None if it holds anything other than plain data."""
        table = self._tables.get(id(root))  # it keeps its root alive, so the id is still the root's
        if table is None or not table.unchanged():
            table = collect_table(root)
            if table is None:
                self._tables.pop(id(root), None)
                return None
            if len(self._tables) >= _MAX_TABLES:
                self._tables.clear()
            self._tables[id(root)] = table
        return table

    def checksum(self, snapshot: Snapshot, extra: object = None) -> int:
        """Return 64 bits that are equal for equal states, in every process of the same build.

        Args:
            snapshot: The state.
            extra: Plain values that belong to the state as well.
        """
        return digest(snapshot, extra)

    def diff(self, mine: Snapshot, theirs: Snapshot) -> list[str]:
        """Return the attribute paths that differ, such as `env.state[2]`.

        Args:
            mine: One state.
            theirs: Another.
        """
        return differences(describe(mine), describe(theirs))

    def generators(self, snapshot: Snapshot) -> list[Any]:
        """Return the random generators in a snapshot, in walk order.

        Args:
            snapshot: The state.
        """
        return [obj for kind, obj, _saved in snapshot.records if kind.name.endswith("generator")]

    def unwalkable(self) -> list[str]:
        """Return the objects whose state cannot be seen, as `path (type)`."""
        found = find_paths(self.roots, lambda obj: kind_of(type(obj)) is UNWALKABLE)
        return [f"{path} ({type(obj).__module__}.{type(obj).__qualname__})" for path, obj in found]


def _possible_members(stack: list[Any]) -> Iterator[Any]:
    """Yield what a plan can have as members, of the objects in a stack and in the tuples among them."""
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
