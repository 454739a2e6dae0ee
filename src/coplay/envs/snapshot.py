"""What a walk over an environment's state keeps of one moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coplay.envs.state_kinds import Kind


class Snapshot:
    """The state at one moment; opaque, only for the process that took it.

    Attributes:
        roots: Where the walk began, by name.
        records: (kind, holder, contents), in walk order.
        met: Every object met that is not an atom, by its id, in walk order.
    """

    __slots__ = ("met", "records", "roots")

    def __init__(
        self, roots: Mapping[str, Any], records: list[tuple[Kind, Any, Any]], met: dict[int, Any]
    ) -> None:
        self.roots = roots
        self.records = records
        self.met = met
