"""Chart of a round raised later and later: P(ruin) and value by the quarter from which it can be raised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exaplan.domain.explored import LateRaise, Raises, RoundDates
from exaplan.report.drawing import BILLIONS, data, panel_title
from exaplan.report.theme import ACCENT, INK, WARNING
from exaplan.report.wording import percent, share_interval, usd

if TYPE_CHECKING:
    import altair as alt

    from exaplan.report.drawing import Chart

WIDTH = 620


def raises_chart(found: Raises) -> Chart:
    """Draw for each round P(ruin) with its interval, the limit dashed, the latest safe date filled, and value below."""
    import altair as alt

    panels: list[Any] = []
    for each in found.rounds:
        panels += _panels(each, found.asked.ruin_limit)
    whole: Chart = alt.vconcat(*panels, spacing=34).resolve_scale(color="independent")
    return whole


def _panels(each: RoundDates, limit: float | None) -> list[Any]:
    import altair as alt

    rows = [_row(each, late) for late in each.plans]
    x = alt.X("when:N", sort=[row["when"] for row in rows], axis=alt.Axis(title=None, labelAngle=-40))
    share = alt.Axis(format=".2~%", title=None)
    money = alt.Axis(format="$.3~s", labelExpr=BILLIONS, title=None)
    ruin = _spans(rows, x, "ruin", share)
    if limit is not None:
        rule = alt.Chart(data([{"limit": limit}])).mark_rule(color=INK, strokeDash=[5, 3])
        ruin = alt.layer(ruin, rule.encode(y="limit:Q"))
    note = "by the first quarter in which it can be raised; blue: safe; 95 % intervals"
    if limit is not None:
        note += "; dashed: the limit"
    top = panel_title(f"P(ruin), round {each.round}", note)
    below = panel_title(f"Value, round {each.round}", "95 % intervals of the mean")
    return [
        ruin.properties(width=WIDTH, height=170, title=top),
        _spans(rows, x, "value", money).properties(width=WIDTH, height=130, title=below),
    ]


def _spans(rows: list[dict[str, Any]], x: alt.X, name: str, axis: alt.Axis) -> Any:
    import altair as alt

    base = alt.Chart(data(rows)).encode(
        x=x, color=alt.condition("datum.safe", alt.value(ACCENT), alt.value(WARNING))
    )
    y = alt.Y(f"{name}_low:Q", axis=axis, scale=alt.Scale(zero=name == "ruin"))
    spans = base.mark_rule(opacity=0.35, strokeWidth=5).encode(y=y, y2=f"{name}_high:Q")
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(y=f"{name}:Q", description="text:N")
    words = base.transform_filter("datum.latest").mark_text(dx=9, dy=-9, align="left", fontSize=10)
    if name == "ruin":
        return alt.layer(spans, dots, words.encode(y="ruin:Q", text=alt.value("latest safe date")))
    return alt.layer(spans, dots)


def _row(each: RoundDates, late: LateRaise) -> dict[str, Any]:
    point = late.point
    return {
        "when": late.quarter or "never",
        "ruin": point.p_ruin,
        "ruin_low": point.p_ruin_ci[0],
        "ruin_high": point.p_ruin_ci[1],
        "value": point.value,
        "value_low": point.value_ci[0],
        "value_high": point.value_ci[1],
        "safe": late.safe,
        "latest": each.needed and late.quarter is not None and late.quarter == each.latest_safe,
        "text": f"{point.name}|P(ruin) {percent(point.p_ruin)} ({share_interval(point.p_ruin_ci)})|value {usd(point.value)}",
    }
