"""Charts of a simulation: values over the futures, policies side by side, ruin by year, delay of demand, cash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exaplan.domain.simulated import Simulated
from exaplan.report.drawing import BILLIONS, data, quarter_axis, width_for
from exaplan.report.theme import ACCENT, FAINT, GOOD, INK, QUIET, WARNING, WIDTH
from exaplan.report.wording import money_interval, percent, usd

if TYPE_CHECKING:
    import altair as alt

    from exaplan.report.drawing import Chart

MONEY = "$.3~s"
KIND_COLORS = {"plan": ACCENT, "alternative": "#84b6d9", "rule": "#cf8429"}


def _money_axis() -> alt.Axis:
    import altair as alt

    return alt.Axis(format=MONEY, labelExpr=BILLIONS, title=None)


def values_chart(record: Simulated) -> Chart:
    """Draw the distribution of value: futures that survive and futures that end in ruin, stacked, the mean as a rule."""
    import altair as alt

    rows = []
    for each in record.histogram:
        end = each.low_usd + 0.94 * (each.high_usd - each.low_usd or 1.0)
        survived = each.share - each.ruined_share
        for kind, bottom, share in (("survives", 0.0, survived), ("ruined", survived, each.ruined_share)):
            if share > 0:
                text = f"{usd(each.low_usd)} to {usd(each.high_usd)}: {percent(share)} {kind}"
                rows.append({"low": each.low_usd, "high": end, "bottom": bottom, "top": bottom + share, "kind": kind, "text": text})  # fmt: skip
    color = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=["survives", "ruined"], range=[ACCENT, WARNING]),
        legend=alt.Legend(title=None, orient="top"),
    )
    bars = (
        alt.Chart(data(rows))
        .mark_rect()
        .encode(
            x=alt.X("low:Q", axis=_money_axis(), scale=alt.Scale(nice=False, zero=False, padding=8)),
            x2="high:Q",
            y=alt.Y("bottom:Q", axis=alt.Axis(format=".0%", title=None)),
            y2="top:Q",
            color=color,
            description="text:N",
        )
    )
    mean = [{"value": record.replay.value, "text": f"mean {usd(record.replay.value)}"}]
    rule = alt.Chart(data(mean)).mark_rule(color=INK, strokeDash=[4, 3]).encode(x="value:Q")
    words = (
        alt.Chart(data(mean))
        .mark_text(align="left", dx=4, dy=8, color=INK)
        .encode(x="value:Q", y=alt.value(0), text="text:N")
    )
    chart: Chart = alt.layer(bars, rule, words).properties(width=WIDTH, height=240)
    return chart


def policies_chart(record: Simulated) -> Chart:
    """Draw the difference of each policy to the plan with its interval, best first."""
    import altair as alt

    rows = [
        {
            "name": row.name,
            "kind": row.kind,
            "gain": row.gain,
            "low": row.gain_ci[0],
            "high": row.gain_ci[1],
            "label": f"P(ruin) {percent(row.p_ruin)}",
            "text": f"{row.name}: {money_interval(row.gain_ci, signed=True)} against the plan",
        }
        for row in sorted(record.policies, key=lambda row: -row.gain)
    ]
    y = alt.Y(
        "name:N",
        sort=[str(row["name"]) for row in rows],
        title=None,
        axis=alt.Axis(labelColor=INK, labelLimit=260, ticks=False, domain=False),
    )
    color = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=list(KIND_COLORS), range=list(KIND_COLORS.values())),
        legend=alt.Legend(title=None, orient="top"),
    )
    base = alt.Chart(data(rows)).encode(y=y, description="text:N")
    spans = base.mark_rule(strokeWidth=3).encode(
        x=alt.X("low:Q", axis=_money_axis()), x2="high:Q", color=color
    )
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(x="gain:Q", color=color)
    words = base.mark_text(align="left", dx=8, color=QUIET).encode(x="high:Q", text="label:N")
    zero = alt.Chart(data([{"zero": 0.0}])).mark_rule(color=FAINT, strokeDash=[4, 3]).encode(x="zero:Q")
    chart: Chart = alt.layer(zero, spans, dots, words).properties(
        width=WIDTH - 200, height=30 * len(rows) + 10
    )
    return chart


def delay_chart(record: Simulated) -> Chart:
    """Draw P(ruin) with its interval over months of delay; the owner's limit as a rule."""
    import altair as alt

    rows = [
        {
            "months": row.months,
            "p": row.p_ruin,
            "low": row.p_ruin_low,
            "high": row.p_ruin_high,
            "kind": "survived" if row.survived else "not survived",
            "text": f"{row.months:g} months late: P(ruin) {percent(row.p_ruin)}, lowest median cash {usd(row.least_median_cash_usd)}",
        }
        for row in record.delays
    ]
    axis = alt.Axis(title="months by which demand is late", format="d", tickMinStep=3)
    x = alt.X("months:Q", axis=axis, scale=alt.Scale(nice=False, padding=8))
    y = alt.Y("low:Q", axis=alt.Axis(format=".0%", title=None))
    base = alt.Chart(data(rows)).encode(x=x, description="text:N")
    color = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=["survived", "not survived"], range=[GOOD, WARNING]),
        legend=alt.Legend(title=None, orient="top"),
    )
    layers = [
        base.mark_rule(strokeWidth=2).encode(y=y, y2="high:Q", color=color),
        base.mark_point(filled=True, size=60, opacity=1).encode(y="p:Q", color=color),
    ]
    if record.limit is not None:
        rule = alt.Chart(data([{"limit": record.limit}])).mark_rule(color=INK, strokeDash=[4, 3])
        layers.append(rule.encode(y="limit:Q"))
    chart: Chart = alt.layer(*layers).properties(width=WIDTH - 200, height=200)
    return chart


def cash_chart(record: Simulated) -> Chart:
    """Draw cash by quarter: the middle half and the middle nine tenths of futures, the median, the minimum."""
    import altair as alt

    quarters = [row.quarter for row in record.cash]
    rows = [
        {"quarter": row.quarter, "p05": row.p05_usd, "p25": row.p25_usd, "p50": row.p50_usd, "p75": row.p75_usd, "p95": row.p95_usd}
        for row in record.cash
    ]  # fmt: skip
    base = alt.Chart(data(rows)).encode(x=quarter_axis(quarters))
    wide = base.mark_bar(color="#bcd8ec").encode(y=alt.Y("p05:Q", axis=_money_axis()), y2="p95:Q")
    near = base.mark_bar(color="#84b6d9").encode(y="p25:Q", y2="p75:Q")
    middle = base.mark_tick(color=ACCENT, thickness=2).encode(y="p50:Q")
    least = alt.Chart(data([{"least": record.cash_minimum_usd}])).mark_rule(color=WARNING).encode(y="least:Q")
    chart: Chart = alt.layer(wide, near, middle, least).properties(width=width_for(quarters), height=220)
    return chart
