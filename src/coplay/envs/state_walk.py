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

from coplay.envs.state_digest import digest
from coplay.envs.state_kinds import ATOMS, KINDS, UNWALKABLE, Restore, kind_of
from coplay.envs.state_paths import describe, differences, find_paths


class Snapshot:
    """The state at one moment; opaque, only for the process that took it.

    Attributes:
        roots: Where the walk began, by name.
        records: (restore, holder, contents), in walk order.
        index: Position in `records` by the holder's id; -1 for what was met and has nothing to save.
    """

    __slots__ = ("index", "records", "roots")

    def __init__(
        self,
        roots: Mapping[str, Any],
        records: list[tuple[Restore, Any, Any]],
        index: dict[int, int],
    ) -> None:
        self.roots = roots
        self.records = records
        self.index = index


class StateWalk:
    """Saves and restores everything reachable from some named roots."""

    def __init__(self, roots: Mapping[str, Any]) -> None:
        self._roots = roots
        first = [root for root in roots.values() if type(root) not in ATOMS]
        self._first = first[::-1]

    def take(self) -> Snapshot:
        """Save the state.

        Rebuilds every set in place on the way (see `state_kinds`): take a snapshot at each frame, on every
        peer.
        """
        records: list[tuple[Restore, Any, Any]] = []
        index: dict[int, int] = {}
        stack = self._first[:]
        pop = stack.pop
        kinds = KINDS
        while stack:
            obj = pop()
            key = id(obj)
            if key in index:
                continue
            cls = type(obj)
            kind = kinds[cls] if cls in kinds else kind_of(cls)
            saved = kind.save(obj, stack)
            restore = kind.restore
            if restore is None:
                index[key] = -1
            else:
                index[key] = len(records)
                records.append((restore, obj, saved))
        return Snapshot(self._roots, records, index)

    def restore(self, snapshot: Snapshot) -> None:
        """Put the state back, into the same objects. A snapshot can be restored any number of times."""
        for restore, obj, saved in snapshot.records:
            restore(obj, saved)

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

    def unwalkable(self) -> list[str]:
        """Name the objects whose state cannot be seen, as `path (type)`."""
        found = find_paths(self._roots, lambda obj: kind_of(type(obj)) is UNWALKABLE)
        return [f"{path} ({type(obj).__module__}.{type(obj).__qualname__})" for path, obj in found]
