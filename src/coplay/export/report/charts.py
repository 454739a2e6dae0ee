"""Charts as SVG, drawn in advance by Vega-Lite, so that the report runs no script and needs no network.

Source: https://vega.github.io/vega-lite/docs/
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from coplay.export.optional_packages import require_package
from coplay.export.report.connections import most_uneven
from coplay.export.report.report_tables import ReportRow

WIDTH: Final = 560
NARROW: Final = 400
"""The width of charts beside long names or wide tables."""
_GAMES_SHOWN: Final = 40
_COLORS: Final = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999"]
"""Distinguishable for the colour-blind. Source: Okabe and Ito, https://jfly.uni-koeln.de/color/"""
_VERDICTS: Final = {
    "identical": "#009e73",
    "truncated": "#e69f00",
    "divergent": "#d55e00",
    "unverified": "#999999",
    "running": "#56b4e9",
}
_CONFIG: Final[dict[str, Any]] = {
    "background": "transparent",
    "font": "Liberation Sans, Arial, sans-serif",
    "axis": {
        "labelColor": "#44505c",
        "titleColor": "#44505c",
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "gridColor": "#e6eaee",
        "domainColor": "#c5ccd3",
        "tickColor": "#c5ccd3",
        "labelLimit": 260,
    },
    "legend": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelColor": "#44505c",
    },
    "view": {"stroke": None},
    # The fonts of the reader's machine may be wider than those that were measured here.
    "padding": {"left": 28, "right": 12, "top": 5, "bottom": 5},
    "range": {"category": _COLORS},
    "bar": {"cornerRadiusEnd": 3},
}


def bars(
    rows: Sequence[ReportRow], category: str, count: str, *, title: str, color: str | None = None
) -> str:
    """Draw horizontal bars in the order of the rows, each with its number or coloured by verdict.

    Args:
        rows: The rows of the chart.
        category: The field with a bar's name.
        count: The field with a bar's length; rows of one category are stacked.
        title: The title of the axis.
        color: `"verdict"` to colour the bars by verdict; None for one colour and numbers.

    Returns:
        The chart as SVG.
    """
    totals: Counter[str] = Counter()
    for row in rows:
        totals[row[category]] += row[count]
    most = max(totals.values(), default=0)
    ticks = {"values": list(range(0, most + 1, max(1, -(-most // 8)))), "format": "d"}
    x = {"field": count, "type": "quantitative", "title": title, "axis": ticks}
    y = {"field": category, "type": "nominal", "sort": None, "title": None}
    fill: dict[str, Any] = {"value": _COLORS[0]}
    if color == "verdict":
        names = list(_VERDICTS)
        scale = {"domain": names, "range": [_VERDICTS[name] for name in names]}
        fill = {"field": color, "type": "nominal", "scale": scale, "title": None}
        here = {row["verdict"] for row in rows}
        fill["legend"] = {"values": [name for name in names if name in here], "orient": "top"}
        layers: list[dict[str, Any]] = [{"mark": "bar", "encoding": {"x": x, "y": y, "color": fill}}]
    else:
        text = {"text": {"field": count}, "x": x, "y": y, "color": {"value": "#44505c"}}
        layers = [
            {"mark": "bar", "encoding": {"x": x, "y": y, "color": fill}},
            {"mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 12}, "encoding": text},
        ]
    return _svg(rows, {"layer": layers, "height": {"step": 30}, "width": NARROW})


def lines(rows: Sequence[ReportRow]) -> str:
    """Draw the mean return over episodes with its standard error: one line a condition, one panel a scene."""
    data = [
        {**row, "low": row["mean"] - row["se"], "high": row["mean"] + row["se"]}
        if row["se"] is not None
        else {**row, "low": row["mean"], "high": row["mean"]}
        for row in rows
    ]
    scenes = {row["scene"] for row in rows}
    x = {"field": "episode", "type": "ordinal", "title": "episode", "axis": {"labelAngle": 0}}
    y = {"field": "mean", "type": "quantitative", "title": "return", "scale": {"zero": False}}
    color = {"field": "condition", "type": "nominal", "title": "condition"}
    if len({row["condition"] for row in rows}) == 1:
        color["legend"] = None  # type: ignore[assignment]
    ends = {"y": {"field": "low", "type": "quantitative", "title": "return"}, "y2": {"field": "high"}}
    layer = [
        {"mark": {"type": "rule", "opacity": 0.6}, "encoding": {"x": x, "color": color, **ends}},
        {"mark": {"type": "line", "point": {"size": 50}}, "encoding": {"x": x, "y": y, "color": color}},
    ]
    width = WIDTH / min(2, len(scenes)) - 40 * (len(scenes) > 1)
    if len(scenes) == 1:
        return _svg(data, {"layer": layer, "height": 220})
    panel = {"layer": layer, "width": width, "height": 180}
    facet = {"field": "scene", "type": "nominal", "title": None}
    return _svg(
        data, {"facet": facet, "columns": 2, "spec": panel, "resolve": {"scale": {"y": "independent"}}}
    )


def histogram(rows: Sequence[ReportRow], color: str, *, title: str) -> str:
    """Draw a histogram of rows with `from`, `to` and `seconds`, stacked by the field `color`.

    Args:
        rows: The bins, each with the seconds in it.
        color: The field by which bins are stacked and coloured.
        title: The title of the horizontal axis.

    Returns:
        The chart as SVG.
    """
    encoding = {
        "x": {"field": "from", "bin": {"binned": True}, "type": "quantitative", "title": title},
        "x2": {"field": "to"},
        "y": {"field": "seconds", "type": "quantitative", "title": "seconds, counted on both sides"},
        "color": {"field": color, "type": "nominal", "title": color, "legend": {"orient": "top"}},
    }
    mark = {"type": "bar", "cornerRadiusEnd": 0}
    return _svg(rows, {"mark": mark, "encoding": encoding, "height": 220, "width": NARROW})


def pairs(rows: Sequence[ReportRow], field: str, *, title: str, share: bool = False) -> str:
    """Draw each game as a line between the values of its sides: the longer the line, the more uneven.

    If there are many games, only the most uneven ones are drawn.

    Args:
        rows: One row for each side of each game.
        field: The field with a side's value.
        title: The title of the axis.
        share: True if the values are shares, shown in percent.

    Returns:
        The chart as SVG.
    """
    rows = most_uneven(rows, field, _GAMES_SHOWN)
    axis: dict[str, Any] = {"tickCount": 8}
    if share:
        axis["format"] = ".1%"
    x = {"field": field, "type": "quantitative", "title": title, "axis": axis}
    y = {"field": "game", "type": "nominal", "sort": None, "title": None}
    ends = {
        "x": {"aggregate": "min", **x},
        "x2": {"aggregate": "max", "field": field},
        "y": y,
        "color": {"value": "#c5ccd3"},
    }
    color = {"field": "player", "type": "nominal", "title": None, "legend": {"orient": "top"}}
    layer = [
        {"mark": {"type": "rule", "strokeWidth": 3}, "encoding": ends},
        {
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 0.85},
            "encoding": {"x": x, "y": y, "color": color},
        },
    ]
    return _svg(rows, {"layer": layer, "height": {"step": 22}})


def _svg(rows: Sequence[ReportRow], spec: dict[str, Any]) -> str:
    whole = {"data": {"values": list(rows)}, "config": _CONFIG, **spec}
    if "facet" not in spec:
        whole.setdefault("width", WIDTH)
    picture: str = require_package("vl_convert", "report").vegalite_to_svg(whole)
    return picture
