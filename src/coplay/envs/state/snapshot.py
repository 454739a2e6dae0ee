"""A snapshot: everything that a walk over an environment's state saved at one moment.

How each type of object is saved is in `coplay.envs.kinds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coplay.envs.kinds.registry import KINDS, Kind
from coplay.envs.state.plain_tables import PLAIN_TABLE, PlainTable
from coplay.envs.state.plan import Plan

Record = tuple[Kind, Any, Any]


class Snapshot:
    """The state at one moment. It is opaque, and usable only in the process that took it.

    Attributes:
        roots: Where the walk began, by name.
        plan: The members of the state when the episode began.
        contents: Saved contents of the plan's members, in order. Those of stable members are the plan's own.
        added: (kind, holder, contents) of each holder that is no member of the plan, in walk order.
        added_objects: Every object that is no member and not an atom, by its id, in walk order.
    """

    __slots__ = ("added", "added_objects", "contents", "plan", "roots")

    def __init__(
        self,
        roots: Mapping[str, Any],
        plan: Plan,
        contents: list[Any],
        added: list[Record],
        added_objects: dict[int, Any],
    ) -> None:
        self.roots = roots
        self.plan = plan
        self.contents = contents
        self.added = added
        self.added_objects = added_objects

    @property
    def records(self) -> list[Record]:
        """(kind, holder, contents) of every holder, in walk order."""
        members = zip(self.plan.members, self.contents, strict=True)
        found = [(saved_kind(kind, obj, saved), obj, saved) for (kind, obj), saved in members]
        return [record for record in found if record[0].restore is not None] + self.added

    @property
    def objects(self) -> dict[int, Any]:
        """Every object that is not an atom, by its id."""
        return {id(obj): obj for _kind, obj in self.plan.members} | self.added_objects


def saved_kind(kind: Kind, obj: Any, saved: Any) -> Kind:
    """Return the kind by which a member's contents were saved.

    A container that was a plain table when the plan was made may hold other things by now, and is then saved
    as an ordinary dict or list.

    Args:
        kind: The member's kind in the plan.
        obj: The member.
        saved: Its contents.
    """
    return KINDS[type(obj)] if kind is PLAIN_TABLE and not isinstance(saved, PlainTable) else kind
