"""Charts of dollars: cash over futures, what one more unit is worth, the inputs that decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exaplan.domain.answer import Answer, Price
from exaplan.report.drawing import BILLIONS, data, hover, panel_title, quarter_axis, sparse_axis, width_for
from exaplan.report.theme import ACCENT, INK, KIND_COLORS, QUIET, WARNING, WIDTH
from exaplan.report.wording import per_unit, usd

if TYPE_CHECKING:
    import altair as alt

    from exaplan.report.drawing import Chart

MOST_PANELS = 9


def cash_chart(answer: Answer) -> Chart | None:
    """Draw cash at the end of each quarter: 90 % and 50 % bands and median over futures, mean over the tree."""
    import altair as alt

    if not answer.cash:
        return None
    quarters = [row.quarter for row in answer.cash]
    rows = [
        {
            "quarter": row.quarter,
            "p05": row.p05_usd,
            "p25": row.p25_usd,
            "p50": row.p50_usd,
            "p75": row.p75_usd,
            "p95": row.p95_usd,
            "tree": row.tree_mean_usd,
        }
        for row in answer.cash
    ]
    texts = [
        f"Cash, end of {row.quarter}|median {usd(row.p50_usd)}|50 %: {usd(row.p25_usd)} to {usd(row.p75_usd)}|"
        f"90 %: {usd(row.p05_usd)} to {usd(row.p95_usd)}|tree mean {usd(row.tree_mean_usd)}"
        for row in answer.cash
    ]
    base = alt.Chart(data(rows)).encode(x=quarter_axis(quarters))
    axis = alt.Axis(format="$.3~s", labelExpr=BILLIONS, title=None)
    zero = alt.Chart(data([{"zero": 0}])).mark_rule(color=WARNING, strokeWidth=1).encode(y="zero:Q")
    bands = [
        _band(base, low, high, opacity, axis if low == "p05" else alt.Axis(title=None), single=len(rows) == 1)
        for low, high, opacity in (("p05", "p95", 0.16), ("p25", "p75", 0.26))
    ]
    median = base.mark_line(color=ACCENT, strokeWidth=2.5, point=alt.OverlayMarkDef(color=ACCENT, size=20))
    tree = base.mark_line(color=INK, strokeDash=[5, 3], strokeWidth=1.5)
    return alt.layer(
        *bands, zero, tree.encode(y="tree:Q"), median.encode(y="p50:Q"), hover(quarters, texts)
    ).properties(width=width_for(quarters), height=270)


def _band(base: alt.Chart, low: str, high: str, opacity: float, axis: alt.Axis, *, single: bool) -> alt.Chart:
    """Shade between two columns; a single quarter has no area, so it gets a bar."""
    import altair as alt

    mark = (
        base.mark_bar(color=ACCENT, opacity=opacity, width=40)
        if single
        else base.mark_area(color=ACCENT, opacity=opacity)
    )
    band: alt.Chart = mark.encode(y=alt.Y(f"{low}:Q", axis=axis), y2=f"{high}:Q")
    return band


def price_panels(answer: Answer) -> list[list[Price]]:
    """Group prices by thing, those that are ever worth something, at most nine, kinds in turn.

    Within a kind the dearest today come first.
    """
    groups: dict[tuple[str, str], list[Price]] = {}
    for price in answer.prices:
        groups.setdefault((price.kind, price.name), []).append(price)
    alive = [group for group in groups.values() if any(price.there_and_then for price in group)]
    alive.sort(key=lambda group: -max(abs(price.today) for price in group))
    rank: dict[str, int] = {}
    turns = []
    for group in alive:
        rank[group[0].kind] = rank.get(group[0].kind, 0) + 1
        turns.append((rank[group[0].kind], group))
    best = [group for _, group in sorted(turns, key=lambda item: item[0])[:MOST_PANELS]]
    return sorted(best, key=lambda group: list(rank).index(group[0].kind))


def prices_chart(answer: Answer) -> Chart | None:
    """Draw what one more unit is worth in each quarter, one panel per thing, with its 90 % interval."""
    import altair as alt

    panels = price_panels(answer)
    if not panels:
        return None
    kinds = list(dict.fromkeys(group[0].kind for group in panels))
    drawn = [
        _price_panel(group, KIND_COLORS[kinds.index(group[0].kind) % len(KIND_COLORS)]) for group in panels
    ]
    return alt.concat(*drawn, columns=3, spacing=alt.RowColnumber(row=84, column=56), bounds="flush")


def _price_panel(group: list[Price], color: str) -> alt.LayerChart | alt.FacetChart:
    import altair as alt

    ordered = sorted(group, key=lambda price: price.quarter)
    quarters = [price.quarter for price in ordered]
    _, thing = per_unit(0.0, ordered[0].unit)
    rows: list[dict[str, Any]] = []
    texts: list[str] = []
    largest = 0.0
    for price in ordered:
        values = [
            per_unit(value, price.unit)[0]
            for value in (
                price.there_and_then,
                price.there_and_then_p05,
                price.there_and_then_p95,
                price.today,
            )
        ]
        largest = max(largest, *map(abs, values))
        rows.append({"quarter": price.quarter, "then": values[0], "p05": values[1], "p95": values[2]})
        texts.append(
            f"{price.name} · {price.quarter}|one more {thing}: {usd(values[0], signed=True)}|"
            f"90 %: {usd(values[1])} to {usd(values[2])}|today {usd(values[3], signed=True)}"
        )
    base = alt.Chart(data(rows)).encode(x=sparse_axis(quarters))
    axis = alt.Axis(format="$.2~s" if largest >= 10 else "$.2f", labelExpr=BILLIONS, title=None, tickCount=4)
    band = (
        base.mark_bar(color=color, opacity=0.22)
        .encode(y=alt.Y("p05:Q", axis=axis, scale=alt.Scale(nice=4)), y2="p95:Q")
    )  # fmt: skip
    line = base.mark_line(color=color, strokeWidth=2, point=alt.OverlayMarkDef(color=color, size=18)).encode(
        y="then:Q"
    )
    title = ordered[0].name if ordered[0].name != thing else ordered[0].kind
    return alt.layer(
        band,
        line,
        hover(quarters, texts),
        title=panel_title(
            title, f"{ordered[0].kind}, worth of one more {'dollar' if thing == 'USD' else thing}"
        ),
    ).properties(width=225, height=120)


def _ends(answer: Answer) -> list[dict[str, Any]]:
    """Give two rows per deciding input: its value at the low end and at the high end."""
    return [
        {
            "name": item.name,
            "end": end,
            "value": value,
            "base": answer.tree_value,
            "label": setting,
            "side": "right" if value >= answer.tree_value else "left",
            "text": f"{item.name} at {setting}|value {usd(value)}|"
            f"{usd(value - answer.tree_value, signed=True)} against {usd(answer.tree_value)}",
        }
        for item in answer.deciding_inputs
        for end, setting, value in (
            ("low", item.low, item.value_at_low_usd),
            ("high", item.high, item.value_at_high_usd),
        )
    ]


def deciding_chart(answer: Answer) -> Chart | None:
    """Draw the plan's value with each deciding input at its low and at its high end."""
    import altair as alt

    if not answer.deciding_inputs:
        return None
    names = [item.name for item in answer.deciding_inputs]
    name = alt.Y(
        "name:N",
        sort=names,
        title=None,
        axis=alt.Axis(labelColor=INK, labelLimit=300, labelFontSize=12),
        scale=alt.Scale(paddingInner=0.45),
    )
    money = alt.X(
        "value:Q",
        scale=alt.Scale(zero=False, padding=70),
        axis=alt.Axis(format="$.3~s", labelExpr=BILLIONS, grid=True, tickCount=6),
    )
    base = alt.Chart(data(_ends(answer))).encode(y=name, x=money, description="text:N")
    color = alt.Color(
        "end:N", scale=alt.Scale(domain=["low", "high"], range=["#cf8429", "#3f85b5"]), legend=None
    )
    bars = base.mark_bar().encode(x2="base:Q", color=color)
    right = (
        base.transform_filter("datum.side == 'right'").mark_text(align="left", dx=5).encode(text="label:N")
    )
    left = (
        base.transform_filter("datum.side == 'left'").mark_text(align="right", dx=-5).encode(text="label:N")
    )
    middle = alt.Chart(data([{"base": answer.tree_value}])).mark_rule(color=QUIET).encode(x="base:Q")
    return alt.layer(bars, middle, right, left).properties(width=WIDTH - 220, height=alt.Step(44))
