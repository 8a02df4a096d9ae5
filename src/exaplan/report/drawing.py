"""What all charts share: the quarter axis, the hover layer, the theme, and the way to SVG and PNG."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from exaplan.report.theme import INK, QUIET, WIDTH, chart_config

if TYPE_CHECKING:
    import altair as alt

    Chart: TypeAlias = alt.TopLevelMixin

BILLIONS = "replace(datum.label, 'G', 'B')"  # people count money and tokens in billions, not in giga
COUNTS = f"datum.value == 0 ? '0' : {BILLIONS}"
POWERS = "datum.value == 0 ? '0' : replace(datum.label, 'e+', 'e')"
Rows = Sequence[dict[str, Any]]


def data(rows: Rows) -> alt.InlineData:
    """Carry rows inside the chart, so that a chart is one self-contained JSON object.

    A number that is not finite becomes null, which Vega leaves out; JSON has no word for it.
    """
    import altair as alt

    def known(value: Any) -> Any:
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return alt.InlineData(values=[{key: known(value) for key, value in row.items()} for row in rows])


def quarter_axis(quarters: Sequence[str]) -> alt.X:
    """Make the time axis: one band per quarter, the year written once under its first quarter.

    Beyond 20 quarters only the years are written.
    """
    import altair as alt

    label = "''" if len(quarters) > 20 else "substring(datum.label, 5)"
    crowded = len(quarters) > 20 and quarters[0][-1] in "34"
    first = "false" if crowded else "datum.index == 0"
    year = f"(substring(datum.label, 6) == '1' || {first}) ? substring(datum.label, 0, 4) : ''"
    return alt.X(
        "quarter:O",
        scale=alt.Scale(domain=list(quarters), type="band", paddingInner=0.08, paddingOuter=0.04),
        axis=alt.Axis(labelExpr=f"[{label}, {year}]", labelOverlap=False),
        title=None,
    )


def sparse_axis(quarters: Sequence[str]) -> alt.X:
    """Make the time axis of a small panel: years only, under their first quarter."""
    import altair as alt

    if len(quarters) < 4:
        return quarter_axis(quarters)
    years = 1 if len(quarters) <= 20 else 2
    first = f"substring(datum.label, 6) == '1' && toNumber(substring(datum.label, 0, 4)) % {years} == 0"
    axis = alt.Axis(labelExpr=f"{first} ? substring(datum.label, 0, 4) : ''", labelOverlap=False)
    return quarter_axis(quarters).axis(axis)


def panel_title(text: str, unit: str) -> alt.TitleParams:
    """Head a small panel with its name and, below, its unit."""
    import altair as alt

    return alt.TitleParams(
        text=text,
        subtitle=unit,
        anchor="start",
        frame="group",
        offset=8,
        fontSize=12,
        color=INK,
        subtitleFontSize=11,
        subtitleColor=QUIET,
    )


def hover(quarters: Sequence[str], texts: Sequence[str]) -> alt.Chart:
    """Lay an invisible column over each quarter that carries its numbers for tooltips and screen readers."""
    import altair as alt

    rows = [{"quarter": quarter, "text": text} for quarter, text in zip(quarters, texts, strict=True)]
    bars = alt.Chart(data(rows)).mark_bar(opacity=0, width=alt.RelativeBandSize(1.0))
    chart: alt.Chart = bars.encode(
        x=quarter_axis(quarters), y=alt.value(0), y2=alt.value("height"), description="text:N"
    )
    return chart


def width_for(quarters: Sequence[str]) -> int:
    """Give the width of a full chart in points, narrower for a handful of quarters."""
    return min(WIDTH, 110 * len(quarters))


def themed(chart: Chart) -> dict[str, Any]:
    """Turn a chart into the Vega-Lite object that is drawn, with the house theme."""
    spec: dict[str, Any] = chart.to_dict(validate=False)
    spec["config"] = chart_config()
    return spec


def load_engine() -> None:
    """Load the chart library and the renderer, about two seconds: worth doing while a solver works on another core."""
    import altair as alt

    chart_svg(alt.Chart(data([{"x": 0}])).mark_point().encode(x="x:Q"), "engine")


def chart_svg(chart: Chart, prefix: str) -> str:
    """Draw a chart as SVG text that may stand beside others in one page.

    Ids are renamed to ``prefix`` and a running number, since two charts of one page must not share any;
    the size follows the column that holds it.
    """
    import vl_convert

    text = str(vl_convert.vegalite_to_svg(themed(chart)))
    for number, old in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', text))):
        text = re.sub(rf'(\bid="|url\(#|href="#){re.escape(old)}(?=["\)])', rf"\g<1>{prefix}-{number}", text)
    width = re.search(r'width="([\d.]+)"', text)
    style = f' style="max-width:{width[1]}px"' if width else ""
    return re.sub(r'(<svg[^>]*?) width="[\d.]+" height="[\d.]+"', rf"\1{style}", text, count=1)


def chart_png(chart: Chart, scale: float = 2.0) -> bytes:
    """Draw a chart as PNG without a browser; ``scale`` is device pixels per point."""
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(themed(chart), scale=scale))
