"""What a walk over an environment's state keeps of one moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coplay.envs.kinds.registry import KINDS, Kind
from coplay.envs.state.plain_tables import PLAIN_TABLE, PlainTable
from coplay.envs.state.plan import Plan

Record = tuple[Kind, Any, Any]


class Snapshot:
    """The state at one moment; opaque, only for the process that took it.

    Attributes:
        roots: Where the walk began, by name.
        plan: What the state consisted of when its episode began.
        contents: Of the plan's members, by their places. Those that never changed are the plan's own.
        later: (kind, holder, contents) of what is in the state since, in walk order.
        met: Every object that is in the state since and is not an atom, by its id, in walk order.
    """

    __slots__ = ("contents", "later", "met", "plan", "roots")

    def __init__(
        self,
        roots: Mapping[str, Any],
        plan: Plan,
        contents: list[Any],
        later: list[Record],
        met: dict[int, Any],
    ) -> None:
        self.roots = roots
        self.plan = plan
        self.contents = contents
        self.later = later
        self.met = met

    @property
    def records(self) -> list[Record]:
        """(kind, holder, contents) of every holder, in walk order."""
        members = zip(self.plan.members, self.contents, strict=True)
        found = [(kind_now(kind, obj, saved), obj, saved) for (kind, obj), saved in members]
        return [record for record in found if record[0].restore is not None] + self.later

    @property
    def objects(self) -> dict[int, Any]:
        """Every object that is not an atom, by its id."""
        return {id(obj): obj for _kind, obj in self.plan.members} | self.met


def kind_now(kind: Kind, obj: Any, saved: Any) -> Kind:
    """Give the kind by which a member was saved: plain data when the plan was made may be more now."""
    return KINDS[type(obj)] if kind is PLAIN_TABLE and not isinstance(saved, PlainTable) else kind
