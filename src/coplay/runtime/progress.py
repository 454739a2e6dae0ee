"""Progress reports of long-running work."""

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

ReportProgress = Callable[[str, float | None], None]
"""Callback `(stage, fraction)`. The fraction is 0 to 1, or None if it is unknown."""


def silent(stage: str, fraction: float | None) -> None:
    """Ignore progress."""


@contextlib.contextmanager
def shown_progress() -> Iterator[ReportProgress]:
    """Show progress on stderr: bars on a terminal, otherwise a line for each stage."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        yield _bars(bars)


def _lines(console: Console) -> ReportProgress:
    last = ""

    def report(stage: str, fraction: float | None) -> None:
        nonlocal last
        if stage != last:
            console.print(f"{stage} …", highlight=False, markup=False)
            last = stage

    return report


def _bars(bars: Progress) -> ReportProgress:
    task: TaskID | None = None
    last = ""

    def report(stage: str, fraction: float | None) -> None:
        nonlocal task, last
        if stage != last or task is None:
            if task is not None:
                bars.update(task, total=1.0, completed=1.0)
            task, last = bars.add_task(stage, total=None), stage
        if fraction is not None:
            bars.update(task, total=1.0, completed=fraction)

    return report
