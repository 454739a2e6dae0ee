"""The HTML of a report: one file without scripts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from coplay.export.report.report_tables import ReportRow, Share

_ROWS_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page: a chart and the table that goes with it.

    Attributes:
        title: The heading.
        words: An explanation of the chart and the tables, in a few sentences.
        chart: The chart as SVG; empty if there is nothing to draw.
        table: The rows that were drawn, or that explain the chart.
        more: The rows of a wider table below both; empty if there is none.
    """

    title: str
    words: str
    chart: str
    table: Sequence[ReportRow]
    more: Sequence[ReportRow] = ()


def page(title: str, subtitle: str, figures: Sequence[tuple[str, str]], sections: Sequence[Section]) -> str:
    """Return the page as HTML.

    Args:
        title: The heading.
        subtitle: A line below the heading.
        figures: The headline figures as (label, figure).
        sections: The sections, in order.
    """
    tiles = "".join(f"<div><dd>{escape(n)}</dd><dt>{escape(what)}</dt></div>" for what, n in figures)
    body = "".join(_section(section) for section in sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<header><h1>{escape(title)}</h1><p>{escape(subtitle)}</p></header>"
        f"<dl>{tiles}</dl>{body}</body></html>\n"
    )


def _section(section: Section) -> str:
    chart = f"<figure>{section.chart}</figure>" if section.chart else ""
    table = _table(section.table) if section.table else "<p class=none>There are none.</p>"
    both = f"<div class=both>{chart}<div class=table>{table}</div></div>"
    more = f"<div class=more>{_table(section.more)}</div>" if section.more else ""
    return f"<section><h2>{escape(section.title)}</h2><p>{escape(section.words)}</p>{both}{more}</section>"


def _table(rows: Sequence[ReportRow]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    numbers = {name for name in names if all(_is_number(row.get(name)) for row in rows)}
    head = "".join(f"<th{_side(name, numbers)}>{escape(name)}</th>" for name in names)
    body = "".join(_row(row, names, numbers) for row in rows[:_ROWS_SHOWN])
    more = f"<p class=none>and {len(rows) - _ROWS_SHOWN} more</p>" if len(rows) > _ROWS_SHOWN else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _row(row: Mapping[str, Any], names: Sequence[str], numbers: set[str]) -> str:
    cells = "".join(f"<td{_side(name, numbers)}>{escape(_words(row.get(name)))}</td>" for name in names)
    return f"<tr>{cells}</tr>"


def _side(name: str, numbers: set[str]) -> str:
    return " class=n" if name in numbers else ""


def _is_number(value: object) -> bool:
    return value is None or isinstance(value, int | float)


def _words(value: object) -> str:
    match value:
        case None:
            return "–"
        case Share():
            return f"{100 * value:.0f} %" if value > 0.1 or not value else f"{100 * value:.1f} %"
        case float():
            return (
                f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"
            )
        case _:
            return str(value)


_STYLE: Final = """
:root { color-scheme: light; --ink: #17202a; --soft: #5b6875; --line: #e3e8ed;
  --paper: #fff; --back: #f5f7f9; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1160px; padding: 40px 24px 80px; color: var(--ink); background: var(--back);
  font: 15px/1.5 system-ui, "Segoe UI", "Liberation Sans", Arial, sans-serif; }
h1 { margin: 0; font-size: 30px; line-height: 1.2; }
header p { margin: 6px 0 0; color: var(--soft); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(118px, 1fr)); gap: 12px; margin: 24px 0; }
dl div { display: flex; flex-direction: column; padding: 14px 18px; border: 1px solid var(--line);
  border-radius: 10px; background: var(--paper); }
dd { margin: 0; font-size: 26px; font-weight: 650; font-variant-numeric: tabular-nums; }
dt { color: var(--soft); font-size: 13px; }
section { margin: 16px 0; padding: 22px 26px 26px; border: 1px solid var(--line); border-radius: 12px;
  background: var(--paper); }
h2 { margin: 0 0 2px; font-size: 19px; }
section > p { margin: 0 0 16px; max-width: 100ch; color: var(--soft); }
.both { display: flex; flex-wrap: wrap; gap: 28px; align-items: flex-start; }
figure { flex: 0 1 auto; margin: 0; max-width: 100%; overflow-x: auto; }
figure svg { display: block; max-width: 100%; height: auto; }
.table { flex: 1 1 300px; min-width: 0; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-weight: 500; text-align: left; border-bottom: 1px solid var(--line); }
th, td { padding: 5px 10px 5px 0; vertical-align: top; }
td { border-bottom: 1px solid #f0f3f5; }
.n { text-align: right; white-space: nowrap; }
.n + :not(.n) { padding-left: 14px; }
.more { margin-top: 20px; overflow-x: auto; }
.none { margin: 4px 0; color: var(--soft); font-size: 13px; }
@media print { body { background: none; padding: 0; }
  section { break-inside: avoid; border: none; padding: 12px 0; } }
"""
