"""Charts that compare designs: Pareto lines of chips, and gains of co-design over a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exaplan.report.drawing import data
from exaplan.report.perf_charts import CHART_WIDTH, log_axis, titled
from exaplan.report.theme import ACCENT, FAINT, INK, KIND_COLORS, QUIET, SOURCE_COLORS

if TYPE_CHECKING:
    from exaplan.report.drawing import Chart


_PALE, _SPAN = "#bcd8ec", "#cf8429"


@dataclass(frozen=True)
class RatePoint:
    """One configuration of a Pareto line."""

    line: str
    tpot_s: float
    tokens_per_s_per_chip: float
    text: str


@dataclass(frozen=True)
class Gain:
    """One gain over the baseline, with its interval where there is one."""

    name: str
    gain: float
    kind: str  # one layer, together
    low: float | None = None
    high: float | None = None


def pareto_chart(points: Sequence[RatePoint], *, title: str, note: str = "") -> Chart | None:
    """Draw throughput per chip against time per output token, one line per chip; None without points."""
    import altair as alt

    if not points:
        return None
    rows = [
        {
            "line": point.line,
            "tpot": 1e3 * point.tpot_s,
            "rate": point.tokens_per_s_per_chip,
            "text": point.text,
        }
        for point in points
    ]
    names = list(dict.fromkeys(point.line for point in points))
    palette = (*KIND_COLORS, *SOURCE_COLORS)
    color = alt.Color(
        "line:N",
        scale=alt.Scale(domain=names, range=[palette[i % len(palette)] for i in range(len(names))]),
        legend=alt.Legend(title=None),
    )

    def scale_of(values: list[float]) -> alt.Scale:
        return alt.Scale(type="log", domain=[0.85 * min(values), 1.18 * max(values)], nice=False)

    base = alt.Chart(data(rows), title=titled(title, note)).encode(
        x=alt.X(
            "tpot:Q",
            scale=scale_of([row.tpot_s * 1e3 for row in points]),
            axis=log_axis("TPOT, ms per output token"),
        ),
        y=alt.Y(
            "rate:Q",
            scale=scale_of([row.tokens_per_s_per_chip for row in points]),
            axis=log_axis("tokens/s per chip, input and output"),
        ),
        color=color,
        tooltip=["line:N", "tpot:Q", "rate:Q", "text:N"],
    )
    return alt.layer(
        base.mark_line(interpolate="step-after", strokeWidth=1.5), base.mark_point(filled=True, size=26)
    ).properties(width=CHART_WIDTH, height=360)


def gains_chart(gains: Sequence[Gain], *, title: str, note: str = "") -> Chart | None:
    """Draw gains over the baseline as bars on a log scale from 1, with intervals; None without gains."""
    import altair as alt

    if not gains:
        return None
    rows = [
        {
            "name": item.name,
            "gain": item.gain,
            "one": 1.0,
            "low": item.low,
            "high": item.high,
            "kind": item.kind,
            "label": f"{item.gain:.2f}",
            "end": max(item.gain, item.high or item.gain, 1.0),
        }
        for item in gains
    ]
    names = [item.name for item in gains]
    kinds = list(dict.fromkeys(item.kind for item in gains))
    y = alt.Y("name:N", sort=names, axis=alt.Axis(title=None, labelLimit=320))
    low = 0.95 * min(1.0, *(item.low or item.gain for item in gains))
    high = 1.25 * max(max(item.gain, item.high or 0.0) for item in gains)
    scale = alt.Scale(type="log", domain=[low, high], nice=False)
    axis = alt.Axis(title="times the baseline", format="~g", grid=True)
    base = alt.Chart(data(rows), title=titled(title, note))
    bars = base.mark_bar(height=16).encode(
        y=y,
        x=alt.X("one:Q", scale=scale, axis=axis),
        x2="gain:Q",
        color=alt.Color(
            "kind:N",
            scale=alt.Scale(domain=kinds, range=[FAINT, _PALE, ACCENT][: len(kinds)]),
            legend=alt.Legend(title=None),
        ),
        tooltip=["name:N", "gain:Q", "low:Q", "high:Q"],
    )
    spans = base.mark_rule(color=_SPAN, strokeWidth=2.5).encode(
        y=y, x=alt.X("low:Q", scale=scale), x2="high:Q"
    )
    words = base.mark_text(align="left", dx=6, color=INK).encode(
        y=y, x=alt.X("end:Q", scale=scale), text="label:N"
    )
    ruler = (
        alt.Chart(data([{"one": 1.0}]))
        .mark_rule(color=QUIET)
        .encode(x=alt.X("one:Q", scale=scale, axis=axis))
    )
    return alt.layer(bars, spans, words, ruler).properties(width=CHART_WIDTH, height=alt.Step(30))
