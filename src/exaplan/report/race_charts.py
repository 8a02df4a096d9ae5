"""Fan charts of a race: compute and capability by lab, months behind, and P(parity by date)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from exaplan.domain.race_result import RaceAnswer, Spread, Standing
from exaplan.report.drawing import data, panel_title, sparse_axis
from exaplan.report.theme import KIND_COLORS, OTHER_HUES

if TYPE_CHECKING:
    import altair as alt

    from exaplan.report.drawing import Chart

PANEL_WIDTH, PANEL_HEIGHT = 270, 210


def race_chart(answer: RaceAnswer) -> Chart:
    """Draw for compute (above) and capability (below): levels, months behind, P(parity by); one color per lab."""
    import altair as alt

    rows = [
        alt.hconcat(
            _fan(answer, standings, title=name.capitalize(), unit=unit, lags=False),
            _fan(answer, standings, title=f"Months behind in {name}", unit="the best of the others; p10, p50, p90", lags=True),
            _parity(answer, standings, f"P(parity by) in {name}"),
            spacing=34,
        )
        for name, unit, standings in (
            ("compute", "H100-equivalents at work; p10, p50, p90", answer.compute),
            ("capability", "over the best of the quarter; p10, p50, p90", answer.capability),
        )
    ]  # fmt: skip
    whole: Chart = alt.vconcat(*rows, spacing=36)
    return whole


def _color(answer: RaceAnswer) -> alt.Color:
    import altair as alt

    names = [each.lab for each in answer.compute]
    hues = (*KIND_COLORS, *OTHER_HUES)
    scale = alt.Scale(domain=names, range=[hues[place % len(hues)] for place in range(len(names))])
    return alt.Color("lab:N", scale=scale, legend=alt.Legend(title=None, orient="right", symbolOpacity=1))


def fan_rows(quarters: Sequence[str], lab: str, spreads: Sequence[Spread]) -> list[dict[str, Any]]:
    """List a fan: one row per quarter."""
    return [
        {"lab": lab, "quarter": quarter, "low": spread.p10, "middle": spread.p50, "high": spread.p90}
        for quarter, spread in zip(quarters, spreads, strict=True)
    ]


def _fan(answer: RaceAnswer, standings: Sequence[Standing], *, title: str, unit: str, lags: bool) -> Any:
    import altair as alt

    rows = [
        row
        for each in standings
        for row in fan_rows(answer.quarters, each.lab, each.lag if lags else each.level)
    ]
    if lags:
        axis, scale = alt.Axis(format="d", title=None, tickCount=5), alt.Scale(nice=True)
    else:
        low, high = min(row["low"] for row in rows), max(row["high"] for row in rows)
        axis = alt.Axis(format="~s" if high > 1000 else "~g", title=None, values=round_steps(low, high))
        scale = alt.Scale(type="log", domain=[low, high], nice=False)
    chart = alt.Chart(data(rows)).encode(x=sparse_axis(answer.quarters), color=_color(answer))
    band = chart.mark_area(opacity=0.13).encode(y=alt.Y("low:Q", axis=axis, scale=scale), y2="high:Q")
    line = chart.mark_line().encode(y=alt.Y("middle:Q", axis=axis, scale=scale))
    panel = alt.layer(band, line).properties(
        width=PANEL_WIDTH, height=PANEL_HEIGHT, title=panel_title(title, unit)
    )
    return panel


def round_steps(low: float, high: float) -> list[float]:
    """Round values between two ends for a logarithmic axis: 1, 2 and 5 times powers of ten.

    Examples
    --------
    >>> round_steps(0.6e6, 4e6)
    [1000000.0, 2000000.0]
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = [digit * 10.0**power for power in range(first, last + 1) for digit in (1, 2, 5)]
    return [step for step in steps if low <= step <= high]


def _parity(answer: RaceAnswer, standings: Sequence[Standing], title: str) -> Any:
    import altair as alt

    rows = [
        {"lab": each.lab, "quarter": quarter, "middle": share.value, "low": share.low, "high": share.high}
        for each in standings
        for quarter, share in zip(answer.quarters, each.parity, strict=True)
        if not (each.lag_now == 0 and share.value == 1)
    ]
    axis = alt.Axis(format="%", title=None, tickCount=5)
    scale = alt.Scale(domain=[0, 1])
    chart = alt.Chart(data(rows)).encode(x=sparse_axis(answer.quarters), color=_color(answer))
    band = chart.mark_area(opacity=0.2).encode(y=alt.Y("low:Q", axis=axis, scale=scale), y2="high:Q")
    line = chart.mark_line().encode(y=alt.Y("middle:Q", axis=axis, scale=scale))
    panel = alt.layer(band, line).properties(
        width=PANEL_WIDTH, height=PANEL_HEIGHT, title=panel_title(title, "share of futures, 95 % interval; without today's leader")
    )  # fmt: skip
    return panel
