"""Fan charts of the futures: one panel per quantity that spreads."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from exaplan.domain.futures_shown import Fan, FuturesShown
from exaplan.report.drawing import data, hover, panel_title, sparse_axis
from exaplan.report.theme import ACCENT, INK
from exaplan.report.wording import count

if TYPE_CHECKING:
    from exaplan.report.drawing import Chart

MOST_PANELS = 12
UNITS = {"demand": ("T tokens per quarter", 1e-12), "price": ("USD per million tokens", 1e6)}
"""Unit and factor by the kind of quantity; the others are factors on today."""


def fan_charts(record: FuturesShown) -> Chart | None:
    """Draw quantiles over paths for each quantity, with the range of the tree's nodes; None where nothing spreads."""
    import altair as alt

    groups: dict[str, list[Fan]] = {}
    for row in record.fans:
        groups.setdefault(row.quantity, []).append(row)
    if not groups:
        return None
    panels = [_panel(name, rows) for name, rows in list(groups.items())[:MOST_PANELS]]
    return alt.concat(*panels, columns=3, spacing=alt.RowColnumber(row=84, column=56), bounds="flush")


def _panel(name: str, rows: list[Fan]) -> Any:
    import altair as alt

    unit, factor = UNITS.get(name.partition(".")[0], ("against today", 1.0))
    rows = [_scaled(row, factor) for row in rows]
    quarters = [row.quarter for row in rows]
    values = [
        {
            "quarter": row.quarter, "p05": row.p05, "p25": row.p25, "p50": row.p50, "p75": row.p75, "p95": row.p95,
            "low": row.tree_low, "high": row.tree_high,
        }
        for row in rows
    ]  # fmt: skip
    texts = [
        f"{name}, {row.quarter}|median {_told(row.p50)}|50 %: {_told(row.p25)} to {_told(row.p75)}|"
        f"90 %: {_told(row.p05)} to {_told(row.p95)}|nodes {_told(row.tree_low)} to {_told(row.tree_high)}"
        for row in rows
    ]
    # log: what grows by factors is read by factors
    scale = alt.Scale(type="log", nice=False) if min(row.p05 for row in rows) > 0 else alt.Scale()
    base = alt.Chart(data(values)).encode(x=sparse_axis(quarters))
    axis = alt.Axis(format=".2~g", title=None, tickCount=4)
    bands = [
        base.mark_area(color=ACCENT, opacity=opacity).encode(
            y=alt.Y(f"{low}:Q", axis=axis, scale=scale), y2=f"{high}:Q"
        )
        for low, high, opacity in (("p05", "p95", 0.16), ("p25", "p75", 0.26))
    ]
    median = base.mark_line(color=ACCENT, strokeWidth=2.5).encode(y=alt.Y("p50:Q", scale=scale))
    ends = [
        base.mark_point(filled=True, color=INK, size=14, opacity=0.7).encode(y=alt.Y(f"{end}:Q", scale=scale))
        for end in ("low", "high")
    ]
    return alt.layer(*bands, median, *ends, hover(quarters, texts)).properties(
        width=220, height=150, title=panel_title(name, unit)
    )


def _scaled(row: Fan, factor: float) -> Fan:
    """Express a row in the unit of its panel."""
    moved = {
        field.name: getattr(row, field.name) * factor
        for field in fields(row)
        if field.name not in ("quantity", "quarter")
    }
    return replace(row, **moved)


def _told(value: float) -> str:
    return count(value) if abs(value) >= 1000 else f"{value:.3g}"
