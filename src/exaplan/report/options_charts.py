"""Charts of real options and leverage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exaplan.domain.options import LeverageAnswer, OptionsAnswer
from exaplan.report.drawing import BILLIONS, data, panel_title, quarter_axis
from exaplan.report.theme import ACCENT, INK, KIND_COLORS, QUIET, WARNING

if TYPE_CHECKING:
    import altair as alt

    from exaplan.report.drawing import Chart

HEIGHT = 260


def options_chart(answer: OptionsAnswer) -> Chart | None:
    """Draw what each way is worth by the first quarter in which it may start, beside the bargained prices."""
    import altair as alt

    panels = [panel for panel in (_waiting(answer), _bargains(answer.leverage)) if panel is not None]
    if not panels:
        return None
    chart: Chart = alt.hconcat(*panels, spacing=46).resolve_scale(color="independent")
    return chart


def _waiting(answer: OptionsAnswer) -> alt.LayerChart | alt.FacetChart | None:
    """Value over never by the quarter before which a lump may not be started, one line per way."""
    import altair as alt

    ways = [o for o in answer.options if not _has_ways(answer, o.lump)]
    rows = [
        {"quarter": row.quarter, "lump": o.lump, "usd": max(row.above_never_usd, 0.0)}
        for o in ways
        for row in o.by_quarter
    ]
    if not rows:
        return None
    quarters = sorted({str(row["quarter"]) for row in rows})
    colors = alt.Scale(
        domain=[o.lump for o in ways], range=[KIND_COLORS[i % len(KIND_COLORS)] for i in range(len(ways))]
    )
    base = alt.Chart(data(rows)).encode(
        x=quarter_axis(quarters),
        y=alt.Y(
            "usd:Q",
            axis=alt.Axis(format="~s", labelExpr=f"datum.value == 0 ? '0' : '$' + {BILLIONS}", title=None),
        ),
        color=alt.Color("lump:N", scale=colors, legend=alt.Legend(orient="right", padding=4)),
    )
    layers = [base.mark_line(point=alt.OverlayMarkDef(size=40, filled=True))]
    layers += _too_late(answer, quarters)
    return alt.layer(*layers).properties(
        width=max(260, 52 * len(quarters)), height=HEIGHT,
        title=panel_title("What waiting costs", "value over never, if not started before the quarter"),
    )  # fmt: skip


def _has_ways(answer: OptionsAnswer, lump: str) -> bool:
    return any(other.lump.startswith(f"{lump}-") for other in answer.options)


def _too_late(answer: OptionsAnswer, quarters: list[str]) -> list[alt.Chart]:
    import altair as alt

    chips = {way.choice for way in answer.chip_costs}  # other lumps end where their line does
    dates = [o.latest for o in answer.options if o.latest in quarters and (o.lump in chips or not chips)]
    if not dates:
        return []
    last = max(date for date in dates if date is not None)
    base = alt.Chart(
        data([{"quarter": last, "text": "chip too late after" if chips else "too late after"}])
    ).encode(x=quarter_axis(quarters))
    return [
        base.mark_rule(color=WARNING, strokeDash=[4, 3]),
        base.mark_text(color=WARNING, align="right", dx=-5, baseline="top").encode(
            y=alt.value(92), text="text:N"
        ),
    ]


def _bargains(leverage: LeverageAnswer | None) -> alt.LayerChart | alt.FacetChart | None:
    """Bargained price over list by the lab's power, without and with the second source."""
    import altair as alt

    if leverage is None:
        return None
    rows: list[dict[str, Any]] = [
        {"power": b.power, "price": price, "who": who}
        for b in leverage.bargains
        for who, price in (("without second source", b.without), ("with it", b.with_))
        if price is not None
    ]
    if not rows:
        return None
    low = min(row["price"] for row in rows) - 0.05
    axis = alt.Axis(format=".0%", labelExpr="replace(datum.label, '%', ' %')")
    scale = alt.Scale(domain=["without second source", "with it"], range=[QUIET, ACCENT])
    base = alt.Chart(data(rows)).encode(
        x=alt.X(
            "power:Q",
            axis=axis.copy(),
            scale=alt.Scale(domain=[0.15, 0.85]),
            title="bargaining power of the lab",
        ),
        y=alt.Y(
            "price:Q",
            axis=alt.Axis(format=".2f", title=None),
            scale=alt.Scale(domain=[low, 1.05], zero=False),
        ),
        color=alt.Color(
            "who:N", scale=scale, legend=alt.Legend(orient="bottom-left", fillColor="white", padding=4)
        ),
    )
    layers = [base.mark_line(point=alt.OverlayMarkDef(size=40, filled=True)), *_levels(leverage)]
    return alt.layer(*layers).properties(
        width=300,
        height=HEIGHT,
        title=panel_title("What the second source does to the price", "price over list price"),
    )


def _levels(leverage: LeverageAnswer) -> list[alt.Chart]:
    """List price, and the price whose cut makes up for having no second source."""
    import altair as alt

    levels = [{"price": 1.0, "text": "list price", "color": INK}]
    if leverage.break_even:
        cut = f"break-even discount {100 * leverage.break_even:.1f} %"
        levels.append({"price": 1 - leverage.break_even, "text": cut, "color": WARNING})
    drawn = []
    for level, place in zip(levels, (-7, 8), strict=False):
        base = alt.Chart(data([level])).encode(y="price:Q")
        drawn += [
            base.mark_rule(color=str(level["color"]), strokeDash=[4, 3], strokeWidth=1),
            base.mark_text(color=str(level["color"]), align="right", dy=place).encode(
                x=alt.value(298), text="text:N"
            ),
        ]
    return drawn
