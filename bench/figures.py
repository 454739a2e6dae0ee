"""The measured figures: their values in all runs, medians and targets."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, Literal

from rich import box
from rich.console import Console
from rich.table import Table

WIDTH: Final = 136
COLUMNS: Final[tuple[tuple[str, Literal["left", "right"]], ...]] = (
    ("figure", "left"),
    ("median", "right"),
    ("", "left"),
    ("range", "right"),
    ("target", "right"),
    ("", "left"),
    ("beside", "left"),
)


@dataclass(frozen=True, slots=True)
class Target:
    """A bound that a figure should keep.

    Attributes:
        sense: The side of `bound` on which the figure should stay.
        bound: The bound, in the figure's unit.
    """

    sense: Literal["≤", "≥"]
    bound: float

    def holds(self, value: float) -> bool:
        """Return True if a value keeps the bound."""
        return value <= self.bound if self.sense == "≤" else value >= self.bound

    def __str__(self) -> str:
        return f"{self.sense} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Kind:
    """The description of a figure, whose values are in `Figures`.

    Attributes:
        name: The unique name; also the key in JSON.
        unit: The unit as printed; empty for a plain number.
        target: The target; None if nothing was promised.
        reference: The value that other projects reach, or another remark.
    """

    name: str
    unit: str = ""
    target: Target | None = None
    reference: str = ""


class Figures:
    """All values of a bench, in the order in which its sections measured them."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Kind]] = defaultdict(dict)
        self._values: dict[tuple[str, str], list[float]] = defaultdict(list)

    def add(self, section: str, kind: Kind, value: float | None) -> None:
        """Add one value; None is shown as "not measured"."""
        self._kinds[section][kind.name] = kind
        values = self._values[section, kind.name]
        if value is not None:
            values.append(float(value))

    def print(self) -> None:
        """Print a table for each section."""
        console = Console(width=WIDTH)
        for section, kinds in self._kinds.items():
            table = Table(title=section, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
            for column, side in COLUMNS:
                table.add_column(column, justify=side, no_wrap=column != "beside")
            for kind in kinds.values():
                table.add_row(*self._cells(section, kind))
            console.print(table)

    def as_json(self) -> dict[str, Any]:
        """Return all figures as JSON."""
        return {
            section: {kind.name: self._entry(section, kind) for kind in kinds.values()}
            for section, kinds in self._kinds.items()
        }

    def _cells(self, section: str, kind: Kind) -> list[str]:
        values = self._values[section, kind.name]
        target = "" if kind.target is None else str(kind.target)
        if not values:
            return [kind.name, "–", "", "not measured", target, "", kind.reference]
        middle = median(values)
        verdict = "" if kind.target is None else ("holds" if kind.target.holds(middle) else "FALLS SHORT")
        spread = f"{_short(min(values))} – {_short(max(values))}" if len(values) > 1 else ""
        return [kind.name, _short(middle), kind.unit, spread, target, verdict, kind.reference]

    def _entry(self, section: str, kind: Kind) -> dict[str, Any]:
        values = self._values[section, kind.name]
        middle = median(values) if values else None
        return {
            "median": middle,
            "values": values,
            "unit": kind.unit,
            "target": None if kind.target is None else str(kind.target),
            "holds": None if kind.target is None or middle is None else kind.target.holds(middle),
        }


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def difference(before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> float:
    """Return how much a counter of `stats()` grew between two readings."""
    return float(after[name]) - float(before[name])
