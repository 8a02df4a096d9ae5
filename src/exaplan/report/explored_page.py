"""Compared plans as one offline HTML page: the finding, the chart, the table, the command that gives it again."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from exaplan.domain.explored import Raises, Sweep, WhatIf
from exaplan.report.drawing import chart_svg
from exaplan.report.explored import (
    Explored,
    bound,
    chips_of,
    letters,
    offers_signed,
    plan_mark,
    points_of,
    sentences_of,
    table_csv,
)
from exaplan.report.explored_charts import explored_chart
from exaplan.report.raises import raise_mark
from exaplan.report.wording import count, money_interval, percent, share_interval, usd

_TITLES = {
    "WhatIf": "What if",
    "Sweep": "Sweep",
    "Frontier": "Value, lead and ruin",
    "Raises": "By when to raise",
}


def explored_page(found: Explored, command: str) -> str:
    """Write the page; it asks no network, font or script for anything. The same comparison gives the same page."""
    from altair.utils.schemapi import debug_mode
    from jinja2 import Environment, PackageLoader, StrictUndefined

    room = Environment(
        loader=PackageLoader("exaplan.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    with debug_mode(False):
        svg = chart_svg(explored_chart(found), "explored")
    csv = base64.b64encode(table_csv(found).encode()).decode("ascii")
    heads, rows = _table(found)
    return room.get_template("explored.html.j2").render(
        asked=found.asked,
        title=_TITLES[type(found).__name__],
        sentences=sentences_of(found),
        svg=svg,
        heads=heads,
        rows=rows,
        link=f"data:text/csv;charset=utf-8;base64,{csv}",
        command=command,
    )


def _table(found: Explored) -> tuple[list[str], list[Sequence[str]]]:
    """Lay out one row per plan."""
    points = points_of(found)
    offers = offers_signed(points)[:6]
    heads = [
        "Plan",
        "Value",
        "95 %",
        "P(ruin)",
        "95 %",
        *(f"Now: {offer}" for offer in offers),
        "Limits that bind",
    ]
    names = [point.name for point in points]
    if isinstance(found, WhatIf):
        marks = ["", *(f"{letter}  " for letter in letters(found.cases))]
        names = [mark + name for mark, name in zip(marks, names, strict=True)]
    elif isinstance(found, Raises):
        marks = [raise_mark(each, late) for each in found.rounds for late in each.plans]
        names = [f"{name} {mark}".rstrip() for name, mark in zip(names, marks, strict=True)]
    elif not isinstance(found, Sweep):
        names = [f"{name} {plan_mark(plan)}".rstrip() for name, plan in zip(names, found.plans, strict=True)]
    rows: list[Sequence[str]] = [
        [
            name,
            usd(point.value),
            money_interval(point.value_ci),
            percent(point.p_ruin),
            share_interval(point.p_ruin_ci),
            *(count(round(chips_of(point, offer))) for offer in offers),
            bound(point),
        ]
        for name, point in zip(names, points, strict=True)
    ]  # fmt: skip
    return heads, rows
