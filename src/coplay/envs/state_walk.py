"""One walk over an environment's state: snapshot, restore in place, checksum, differences.

A snapshot is a list of (holder, contents). The holder is the live object itself, and restoring puts the
contents back into it, so identities, aliases and cycles survive by construction: whoever held a reference to
the environment, its grid or its generator still holds the one that plays on.

Order matters: two peers in the same state walk it in the same order, so a holder's position in the list can
stand for it in the checksum.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coplay.envs.snapshot import Snapshot
from coplay.envs.state_bulk import BULK, MIN_LENGTH, Bulk, collect
from coplay.envs.state_digest import digest
from coplay.envs.state_kinds import ATOM, ATOMS, KINDS, UNWALKABLE, Kind, kind_of
from coplay.envs.state_paths import describe, differences, find_paths

_KEPT_BULKS = 64


class StateWalk:
    """Saves and restores everything reachable from some named roots.

    Attributes:
        roots: By name.
    """

    def __init__(self, roots: Mapping[str, Any]) -> None:
        self.roots = roots
        first = [root for root in roots.values() if type(root) not in ATOMS]
        self._first = first[::-1]
        self._bulks: dict[int, Bulk] = {}

    def take(self) -> Snapshot:
        """Save the state.

        Rebuilds every set in place on the way (see `state_kinds`): take a snapshot at each frame, on every
        peer.
        """
        records: list[tuple[Kind, Any, Any]] = []
        met: dict[int, Any] = {}
        kinds = KINDS
        stack = self._first[:]
        while stack:
            obj = stack.pop()
            key = id(obj)
            if key in met:
                continue
            cls = type(obj)
            kind = kinds[cls] if cls in kinds else kind_of(cls)
            if kind is ATOM:
                # Its type was seen for the first time: from now on it is not even met. Positions must not
                # depend on that.
                continue
            met[key] = obj
            if (cls is dict or cls is list) and len(obj) >= MIN_LENGTH:
                bulk = self._bulk(obj)
                if bulk is not None:
                    records.append((BULK, obj, bulk))
                    continue
            saved = kind.save(obj, stack)
            if kind.restore is not None:
                records.append((kind, obj, saved))
        return Snapshot(self.roots, records, met)

    def restore(self, snapshot: Snapshot) -> None:
        """Put the state back, into the same objects. A snapshot can be restored any number of times."""
        for kind, obj, saved in snapshot.records:
            kind.restore(obj, saved)  # type: ignore[misc]
            if kind is BULK:
                self._bulks[id(obj)] = saved

    def _bulk(self, root: Any) -> Bulk | None:
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
