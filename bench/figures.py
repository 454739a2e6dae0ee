"""What was measured: values over all runs, their median, and the target beside it."""

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
        sense: On which side of `bound` it should stay.
        bound: In the figure's unit.
    """

    sense: Literal["≤", "≥"]
    bound: float

    def holds(self, value: float) -> bool:
        """Whether a value keeps it."""
        return value <= self.bound if self.sense == "≤" else value >= self.bound

    def __str__(self) -> str:
        return f"{self.sense} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a figure is; its values are in `Figures`.

    Attributes:
        name: Unique; also its key in JSON.
        unit: As printed; empty for a plain number.
        target: None where nothing was promised.
        reference: What others reach, or what to know beside it.
    """

    name: str
    unit: str = ""
    target: Target | None = None
    reference: str = ""


class Figures:
    """Collects values as they are measured, in the order of the sections that measure them."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Kind]] = defaultdict(dict)
        self._values: dict[tuple[str, str], list[float]] = defaultdict(list)

    def add(self, section: str, kind: Kind, value: float | None) -> None:
        """Take one value; None is kept as "not measured"."""
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
        """All of it, for a machine."""
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
    """How much a counter of `stats()` grew."""
    return float(after[name]) - float(before[name])
