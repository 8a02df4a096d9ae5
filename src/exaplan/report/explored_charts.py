"""Charts of compared plans: the bridge of a what-if, the lines and maps of a sweep, the efficient frontier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from exaplan.domain.explored import Axis, Frontier, Point, Raises, Sweep, WhatIf
from exaplan.report.drawing import BILLIONS, data, panel_title, sparse_axis
from exaplan.report.explored import Explored, letters, offers_signed
from exaplan.report.raises_chart import raises_chart
from exaplan.report.theme import ACCENT, FAINT, GOOD, INK, QUIET, SOURCE_COLORS, WARNING
from exaplan.report.wording import percent, share_interval, usd

if TYPE_CHECKING:
    import altair as alt

    from exaplan.report.drawing import Chart

MOST_CASES = 4
PANEL_WIDTH = 620
_STEPS = {"total": ACCENT, "more": GOOD, "less": WARNING}


def explored_chart(found: Explored) -> Chart:
    """Draw a comparison, whichever it is."""
    if isinstance(found, WhatIf):
        return whatif_chart(found)
    if isinstance(found, Raises):
        return raises_chart(found)
    return sweep_chart(found) if isinstance(found, Sweep) else frontier_chart(found)


def whatif_chart(found: WhatIf) -> Chart:
    """Draw for each case the bridge from the value as given to its own, and revenue, spend and cash by quarter beside it."""
    import altair as alt

    panels = []
    for name, case in list(zip(letters(found.cases), found.cases, strict=True))[:MOST_CASES]:
        title = panel_title(f"{name}  {case.name}", "value, and what changes in it; dollars of today")
        panels.append(_bridge(found.base, case).properties(width=PANEL_WIDTH, height=190, title=title))
    shown = [("as given", found.base), *zip(letters(found.cases), found.cases, strict=True)][: MOST_CASES + 1]
    whole: Chart = alt.vconcat(*panels, _by_quarter(shown), spacing=36).resolve_scale(color="independent")
    return whole


def bridge_rows(base: Point, case: Point) -> list[dict[str, Any]]:
    """List the bars of a bridge: the value as given, one step for each component, the value of the case."""
    rows: list[dict[str, Any]] = [
        {"step": "as given", "low": 0.0, "high": base.value, "kind": "total", "text": usd(base.value)}
    ]
    reached = base.value
    for before, after in zip(base.components, case.components, strict=True):
        change = after.usd - before.usd
        rows.append(
            {
                "step": before.name,
                "low": reached,
                "high": reached + change,
                "kind": "more" if change >= 0 else "less",
                "text": usd(change, signed=True),
            }
        )
        reached += change
    return [*rows, {"step": "changed", "low": 0.0, "high": case.value, "kind": "total", "text": usd(case.value)}]  # fmt: skip


def _bridge(base: Point, case: Point) -> Any:
    import altair as alt

    rows = bridge_rows(base, case)
    ends = [row[side] for row in rows for side in ("low", "high") if row["kind"] != "total" or side == "high"]
    room = 0.25 * (max(ends) - min(ends)) or 0.1 * abs(max(ends)) or 1.0
    bottom, top = min(ends) - room, max(ends) + room
    for row in rows:  # the axis need not begin at zero: steps are small against the value
        row["low"] = max(row["low"], bottom) if row["kind"] == "total" else row["low"]
        row["top"] = max(row["low"], row["high"])
    steps = [row["step"] for row in rows]
    x = alt.X("step:N", sort=steps, axis=alt.Axis(labelLimit=130), scale=alt.Scale(paddingInner=0.3))
    y = alt.Y(
        "low:Q",
        scale=alt.Scale(domain=[bottom, top], nice=False, zero=False),
        axis=alt.Axis(format="$.3~s", labelExpr=BILLIONS, title=None),
    )
    chart = alt.Chart(data(rows)).encode(x=x)
    color = alt.Color(
        "kind:N", scale=alt.Scale(domain=list(_STEPS), range=list(_STEPS.values())), legend=None
    )
    bars = chart.mark_bar(clip=True).encode(y=y, y2="high:Q", color=color)
    words = chart.mark_text(dy=-8, color=INK).encode(y=alt.Y("top:Q"), text="text:N")
    return alt.layer(bars, words)


def _by_quarter(shown: Sequence[tuple[str, Point]]) -> alt.HConcatChart:
    """Draw chips at work, revenue and cash by quarter, one line per plan."""
    import altair as alt

    names = [name for name, _ in shown]
    colors = [QUIET, ACCENT, WARNING, GOOD, "#5b4680"][: len(names)]
    color = alt.Color("plan:N", scale=alt.Scale(domain=names, range=colors), legend=alt.Legend(title=None))
    panels = []
    for field, title, form in (
        ("chips_at_work", "Chips at work", "~s"),
        ("revenue_usd", "Revenue a quarter", "$.3~s"),
        ("cash_p50_usd", "Cash, median", "$.3~s"),
    ):
        rows = [
            {"plan": name, "quarter": row.quarter, "value": getattr(row, field)}
            for name, point in shown
            for row in point.quarters
        ]
        quarters = [row.quarter for row in shown[0][1].quarters]
        axis = alt.Axis(format=form, labelExpr=BILLIONS, title=None, tickCount=4)
        lines = (
            alt.Chart(data(rows))
            .mark_line()
            .encode(x=sparse_axis(quarters), y=alt.Y("value:Q", axis=axis), color=color)
        )
        panels.append(lines.properties(width=170, height=130, title=panel_title(title, "mean over futures" if field != "cash_p50_usd" else "over futures")))  # fmt: skip
    return alt.hconcat(*panels, spacing=34)


def sweep_chart(found: Sweep) -> Chart:
    """Draw value, P(ruin) and the first signatures over one key, or maps of the first two over the grid of two."""
    return _lines(found) if len(found.axes) == 1 else _maps(found)


def _lines(found: Sweep) -> Chart:
    import altair as alt

    axis = found.axes[0]
    rows = [
        {"setting": axis.settings[place], "x": axis.numbers[place] if axis.numbers else axis.settings[place], "value": point.value,
         "value_low": point.value_ci[0], "value_high": point.value_ci[1], "ruin": point.p_ruin, "ruin_low": point.p_ruin_ci[0],
         "ruin_high": point.p_ruin_ci[1],
         "text": f"{axis.key} = {axis.settings[place]}|value {usd(point.value)}|P(ruin) {percent(point.p_ruin)}"}
        for place, point in enumerate(found.points)
    ]  # fmt: skip
    money = alt.Axis(format="$.3~s", labelExpr=BILLIONS, title=None)
    share = alt.Axis(format=".2~%", title=None)
    value = _band(rows, _along(axis, named=False), "value", money, ACCENT)
    ruin = _band(rows, _along(axis, named=False), "ruin", share, WARNING)
    if found.asked.ruin_limit is not None:
        limit = alt.Chart(data([{"limit": found.asked.ruin_limit}]))
        ruin = alt.layer(ruin, limit.mark_rule(color=INK, strokeDash=[5, 3]).encode(y="limit:Q"))
    note = "with the 95 % interval of the mean over futures"
    parts: list[Any] = [
        value.properties(width=PANEL_WIDTH, height=190, title=panel_title("Value", note)),
        ruin.properties(width=PANEL_WIDTH, height=150, title=panel_title("P(ruin)", "with its 95 % interval; dashed: the limit" if found.asked.ruin_limit is not None else "with its 95 % interval")),
    ]  # fmt: skip
    parts.append(_signatures(found, axis))
    whole: Chart = alt.vconcat(*parts, spacing=34).resolve_scale(color="independent")
    return whole


def _along(axis: Axis, *, named: bool) -> alt.X:
    import altair as alt

    title = f"{axis.key}{f', {axis.unit}' if axis.unit else ''}" if named else None
    if axis.numbers is None:
        return alt.X("x:N", sort=list(axis.settings), axis=alt.Axis(title=title))
    return alt.X("x:Q", scale=alt.Scale(zero=False, nice=False, padding=14), axis=alt.Axis(title=title))


def _band(rows: list[dict[str, Any]], x: alt.X, name: str, axis: alt.Axis, color: str) -> Any:
    """Draw a line with points and the interval of each as an error bar."""
    import altair as alt

    base = alt.Chart(data(rows)).encode(x=x)
    spans = base.mark_rule(color=color, opacity=0.35, strokeWidth=5).encode(
        y=alt.Y(f"{name}_low:Q", axis=axis, scale=alt.Scale(zero=False)), y2=f"{name}_high:Q"
    )
    line = base.mark_line(color=color, strokeWidth=2, point=alt.OverlayMarkDef(color=color, size=34))
    return alt.layer(spans, line.encode(y=f"{name}:Q", description="text:N"))


def _signatures(found: Sweep, axis: Axis) -> Any:
    """Draw what is signed in the first quarter, dollars committed by offer; an offer not signed counts zero."""
    import altair as alt

    offers = offers_signed(found.points)
    paid = [{row.offer: row.committed_usd for row in point.signed} for point in found.points]
    rows = [
        {"x": (axis.numbers or axis.settings)[place], "offer": offer, "usd": one.get(offer, 0.0)}
        for place, one in enumerate(paid)
        for offer in offers
    ]
    base = alt.Chart(data(rows or [{"x": None, "offer": "nothing is signed", "usd": 0.0}]))
    money = alt.Axis(format="$.3~s", labelExpr=BILLIONS, title=None)
    mark = base.mark_line(point=alt.OverlayMarkDef(size=30)) if axis.numbers else base.mark_bar()
    colors = [SOURCE_COLORS[number % len(SOURCE_COLORS)] for number in range(len(offers))]
    return mark.encode(
        x=_along(axis, named=True),
        y=alt.Y("usd:Q", axis=money),
        color=alt.Color(
            "offer:N", scale=alt.Scale(domain=offers, range=colors), legend=alt.Legend(title=None)
        ),
    ).properties(
        width=PANEL_WIDTH,
        height=150,
        title=panel_title("Signed in the first quarter", "dollars committed, by offer"),
    )


def _maps(found: Sweep) -> Chart:
    import altair as alt

    across, up = found.axes
    rows: list[dict[str, Any]] = [
        {"x": point.changes[0][1], "y": point.changes[1][1], "value": point.value, "ruin": point.p_ruin,
         "value_text": usd(point.value).removeprefix("$"), "ruin_text": percent(point.p_ruin).removesuffix(" %")}
        for point in found.points
    ]  # fmt: skip
    width = max(200, min(330, 62 * len(across.settings)))
    panels: list[Any] = []
    schemes: tuple[tuple[str, str, Any, str], ...] = (
        ("value", "Value", "blues", "mean over futures"),
        ("ruin", "P(ruin)", "oranges", "percent of futures"),
    )
    for field, title, scheme, note in schemes:
        base = alt.Chart(data(rows)).encode(
            x=alt.X("x:N", sort=list(across.settings), axis=alt.Axis(title=across.key, labelAngle=-40)),
            y=alt.Y("y:N", sort=list(reversed(up.settings)), axis=alt.Axis(title=up.key)),
        )
        values = [float(row[field]) for row in rows]
        middle = (min(values) + max(values)) / 2
        cells = base.mark_rect().encode(
            color=alt.Color(f"{field}:Q", scale=alt.Scale(scheme=scheme), legend=None)
        )
        words = base.mark_text(fontSize=10).encode(
            text=f"{field}_text:N",
            color=alt.condition(f"datum.{field} > {middle}", alt.value("white"), alt.value(INK)),
        )
        panels.append(alt.layer(cells, words).properties(width=width, height=30 * len(up.settings) + 20, title=panel_title(title, note)))  # fmt: skip
    whole: Chart = alt.hconcat(*panels, spacing=48).resolve_scale(color="independent")
    return whole


def frontier_chart(found: Frontier) -> Chart:
    """Draw value or lead against P(ruin) with error bars: efficient plans joined, the others pale, the limit dashed."""
    import altair as alt

    rows = [_frontier_row(found, place) for place in range(len(found.plans))]
    joined = sorted((row for row in rows if row["efficient"]), key=lambda row: (row["ruin"], row["worth"]))
    lead = found.against == "lead"
    form = (
        alt.Axis(format=".2f", title=None)
        if lead
        else alt.Axis(format="$.3~s", labelExpr=BILLIONS, title=None)
    )
    y = alt.Y("worth:Q", axis=form, scale=alt.Scale(zero=False, nice=False, padding=22))
    widest = 1.1 * max(*(row["ruin_high"] for row in rows), found.asked.ruin_limit or 0.0)
    x = alt.X(
        "ruin:Q",
        axis=alt.Axis(format=".2~%", title="P(ruin)", tickCount=8),
        scale=alt.Scale(domain=[0.0, widest], nice=False),
    )
    base = alt.Chart(data(rows))
    color = alt.condition("datum.efficient", alt.value(ACCENT), alt.value(FAINT))
    spans = base.mark_rule(opacity=0.45).encode(x=x.copy(), color=color, y=alt.Y("low:Q"), y2="high:Q")
    wide = base.mark_rule(opacity=0.45).encode(x="ruin_low:Q", x2="ruin_high:Q", y=y, color=color)
    line = alt.Chart(data(joined)).mark_line(color=ACCENT, strokeWidth=1.5).encode(x=x, y=y, order="order:Q")
    dots = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=x, y=y, color=color, description="text:N"
    )
    words = (
        base.transform_filter("datum.efficient || datum.given")
        .mark_text(align="left", dx=8, dy=-8, color=INK, fontSize=10)
        .encode(x=x, y=y, text="name:N")
    )
    layers: list[Any] = [spans, wide, line, dots, words]
    if found.asked.ruin_limit is not None:
        limit = alt.Chart(data([{"limit": found.asked.ruin_limit}]))
        layers.append(limit.mark_rule(color=WARNING, strokeDash=[5, 3]).encode(x="limit:Q"))
    title = panel_title(
        f"{'Capability at the end' if lead else 'Value'} against P(ruin)",
        "blue: not beaten on the futures of the search; bars: 95 % intervals on fresh futures; dashed: the limit",
    )
    return alt.layer(*layers).properties(width=PANEL_WIDTH, height=360, title=title)  # fmt: skip


def _frontier_row(found: Frontier, place: int) -> dict[str, Any]:
    plan, point = found.plans[place], found.plans[place].point
    lead = found.against == "lead" and point.lead is not None and point.lead_ci is not None
    low, high = (point.lead_ci or point.value_ci) if lead else point.value_ci
    return {
        "name": point.name + (" (given)" if plan.given else ""),
        "worth": point.lead if lead else point.value,
        "low": low,
        "high": high,
        "ruin": point.p_ruin,
        "ruin_low": point.p_ruin_ci[0],
        "ruin_high": point.p_ruin_ci[1],
        "efficient": plan.efficient,
        "given": plan.given,
        "order": point.p_ruin,
        "text": f"{point.name}|{usd(point.value)}|P(ruin) {percent(point.p_ruin)} ({share_interval(point.p_ruin_ci)})",
    }
