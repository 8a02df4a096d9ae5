"""Colors and type of every chart and page: one color per source and per workload wherever it appears.

Sources take Paul Tol's 'muted' scheme (Tol 2021, SRON/EPS/TN/09-002, safe for color-blind readers);
workloads take one hue per kind, lightness telling those of a kind apart, so that they stay distinct in gray.
"""

from __future__ import annotations

from typing import Any

from exaplan.domain.answer import Answer

INK, QUIET, FAINT, RULE, PAPER = "#1b2430", "#5c6773", "#98a2ad", "#e3e7eb", "#ffffff"
ACCENT, WARNING, GOOD = "#14507a", "#a3321f", "#1d6b57"
FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"
WIDTH = 760

SOURCE_COLORS = (
    "#4a5a8a", "#88b8d8", "#4aa394", "#2f7146", "#a3a04f", "#dcc878", "#cc7684", "#8d3f66", "#aa6fae",
)  # fmt: skip
WORKLOAD_HUES = {
    "serve": ("#14507a", "#3f85b5", "#84b6d9", "#bcd8ec"),
    "train": ("#8c4a0e", "#cf8429", "#e9b872", "#f5dcb4"),
    "safety": ("#5b4680", "#9783b8", "#c6b9da"),
}
KIND_COLORS = ("#14507a", "#8c4a0e", "#1d6b57", "#5b4680", "#7d6a12", "#8d3f66")
OTHER_HUES = ("#5c6773", "#98a2ad", "#c5ccd3")


def _shade(colors: tuple[str, ...], number: int) -> str:
    """Give the color of a running number; each further round is a lighter shade of the same colors."""
    turn, place = divmod(number, len(colors))
    white = 1 - 0.62**turn
    parts = (int(colors[place][start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{round(part + (255 - part) * white):02x}" for part in parts)


def source_colors(answer: Answer) -> dict[str, str]:
    """Give each source of capacity its color, in order of first appearance."""
    names = dict.fromkeys(row.source for row in answer.capacity)
    return {name: _shade(SOURCE_COLORS, number) for number, name in enumerate(names)}


def workload_colors(answer: Answer) -> dict[str, str]:
    """Give each workload its color: the hue says serving, training or safety."""
    kinds: dict[str, str] = {row.workload: row.kind for row in answer.allocation}
    for item in answer.service:
        kinds.setdefault(item.workload, "serve")
    colors: dict[str, str] = {}
    for kind in dict.fromkeys((*WORKLOAD_HUES, *kinds.values())):
        names = [name for name, its_kind in kinds.items() if its_kind == kind]
        hues = WORKLOAD_HUES.get(kind, OTHER_HUES)
        colors |= {name: _shade(hues, number) for number, name in enumerate(names)}
    return colors


def chart_config() -> dict[str, Any]:
    """Give the Vega-Lite ``config`` block: quiet axes, horizontal rules only, legends to the right."""
    return {
        "font": FONT,
        "background": PAPER,
        "padding": {"left": 6, "top": 8, "right": 14, "bottom": 6},
        "view": {"stroke": None},
        "axis": {
            "labelColor": QUIET,
            "labelFontSize": 11,
            "titleColor": QUIET,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "domainColor": FAINT,
            "tickColor": FAINT,
            "gridColor": RULE,
        },
        "axisX": {"grid": False, "labelAngle": 0, "ticks": False, "labelPadding": 6, "title": None},
        "axisY": {
            "domain": False,
            "ticks": False,
            "labelPadding": 6,
            "tickCount": 5,
            "titleAngle": 0,
            "titleAlign": "left",
            "titleAnchor": "start",
            "titleBaseline": "bottom",
            "titleX": 0,
            "titleY": -10,
        },
        "legend": {
            "title": None,
            "labelColor": INK,
            "labelFontSize": 11,
            "symbolType": "square",
            "symbolSize": 110,
            "symbolStrokeWidth": 0,
            "rowPadding": 5,
            "offset": 16,
            "labelLimit": 170,
        },
        "header": {
            "title": None,
            "labelColor": INK,
            "labelFontSize": 12,
            "labelFontWeight": "bold",
            "labelAnchor": "start",
        },
        "text": {"color": INK, "fontSize": 11, "font": FONT},
        "line": {"strokeWidth": 2},
    }
