"""Charts of the performance model: operators under their roofline, and time by operator.

They draw the small records below, which whoever knows the engine fills: a renderer knows no engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exaplan.report.drawing import chart_png, data, themed
from exaplan.report.theme import INK, QUIET, SOURCE_COLORS

if TYPE_CHECKING:
    import altair as alt

    from exaplan.report.drawing import Chart

_TERM_COLORS = {
    "attention products": "#14507a",
    "attention": "#3f85b5",
    "feed-forward": "#84b6d9",
    "experts": "#1d6b57",
    "elementwise": "#4aa394",
    "head": "#a3a04f",
    "head and uneven stages": "#a3a04f",
    "optimizer": "#dcc878",
    "tensor-parallel traffic": "#8c4a0e",
    "expert traffic": "#cf8429",
    "data-parallel traffic": "#e9b872",
    "context-parallel traffic": "#cc7684",
    "pipeline messages": "#8d3f66",
    "pipeline bubble": "#aa6fae",
    "prefill of other requests": "#5b4680",
    "proposals": "#9783b8",
    "small kernels": "#5c6773",
    "small kernels of sparse layers": "#5c6773",
    "between steps": "#98a2ad",
    "fixed per step": "#98a2ad",
    "rollouts": "#3f85b5",
    "scoring and learning": "#cf8429",
    "sync and switch": "#5b4680",
    "waiting and sync": "#98a2ad",
    "small parts": "#d5dade",
}
"""Products in blue, experts and vectors in green, messages in orange and red, waiting in violet and gray."""
_PARTS = {"decode": "circle", "prefill": "diamond", "step": "circle"}
_LEAST_SHARE = 0.01
CHART_WIDTH = 560
_POWER_LABEL = "replace(datum.label, /([kMGTPE])$/, ' $1')"
_ROOF_LABEL = 136  # points to the right of the plot that the names of roofs take


@dataclass(frozen=True)
class Roof:
    """One roof: a peak and the bandwidth under it."""

    name: str
    peak_flop_per_s: float
    bytes_per_s: float


@dataclass(frozen=True)
class RoofPoint:
    """One operator on a roofline."""

    name: str
    part: str  # decode, prefill or step
    flop_per_s: float
    intensity: float  # FLOP per byte
    seconds: float
    binds: str


@dataclass(frozen=True)
class TimePart:
    """One term of the time of one bar."""

    bar: str
    term: str
    seconds: float


def chart_file(chart: Chart, suffix: str) -> bytes:
    """Draw a chart as the bytes of a file.

    Parameters
    ----------
    chart : Chart
        Of this module or any other.
    suffix : str
        ``.png``, or ``.html`` for a page that carries all it needs and shows numbers under the pointer.

    Raises
    ------
    ValueError
        For any other suffix.
    """
    if suffix == ".png":
        return chart_png(chart)
    if suffix == ".html":
        import vl_convert

        return str(vl_convert.vegalite_to_html(themed(chart), bundle=True)).encode("utf-8")
    raise ValueError(f"a chart is written as .png or .html, not as {suffix or 'a file without suffix'}")


def titled(text: str, *lines: str) -> alt.TitleParams:
    """Head a chart: what it shows and, below, in which units and what is left out."""
    import altair as alt

    return alt.TitleParams(
        text=text,
        subtitle=[line for line in lines if line],
        anchor="start",
        frame="group",
        offset=22,
        fontSize=14,
        color=INK,
        subtitleFontSize=11,
        subtitleColor=QUIET,
        subtitlePadding=6,
    )


def log_axis(title: str) -> alt.Axis:
    """Make an axis of powers of ten with prefixes."""
    import altair as alt

    return alt.Axis(format="~s", labelExpr=_POWER_LABEL, title=title, tickCount=6, grid=False, domain=True)


def roofline_chart(
    roofs: Sequence[Roof], points: Sequence[RoofPoint], *, title: str, note: str = ""
) -> Chart | None:
    """Draw operators under the roofs of a chip; None where no operator has both FLOP and bytes.

    Parameters
    ----------
    roofs : sequence of Roof
        Peaks at the precisions in use, over one memory bandwidth.
    points : sequence of RoofPoint
        Operators; the area of a mark is its share of the time of its part.
    title, note : str
        Head of the chart.
    """
    import altair as alt

    drawn = [point for point in points if point.flop_per_s > 0 and 0 < point.intensity < float("inf")]
    if not drawn or not roofs:
        return None
    ridge = max(roof.peak_flop_per_s / roof.bytes_per_s for roof in roofs)
    left = min(0.5 * min(point.intensity for point in drawn), 0.1 * ridge)
    right = max(4 * ridge, 3 * max(point.intensity for point in drawn))
    lowest = 0.5 * min(*(point.flop_per_s for point in drawn), left * roofs[0].bytes_per_s)
    highest = 2 * max(roof.peak_flop_per_s for roof in roofs)
    x = alt.X(
        "intensity:Q",
        scale=alt.Scale(type="log", domain=[left, right], nice=False),
        axis=log_axis("FLOP per byte of main memory"),
    )
    y = alt.Y(
        "rate:Q",
        scale=alt.Scale(type="log", domain=[lowest, highest], nice=False),
        axis=log_axis("FLOP/s performed, padding included"),
    )
    layers = [*_roof_layers(roofs, (left, right), (x, y)), _operator_marks(drawn, (x, y))]
    return alt.layer(*layers, title=titled(title, note)).properties(width=CHART_WIDTH, height=330)


def _roof_layers(
    roofs: Sequence[Roof], ends: tuple[float, float], axes: tuple[alt.X, alt.Y]
) -> list[alt.Chart]:
    import altair as alt

    rows = [
        {"intensity": at, "rate": min(at * roof.bytes_per_s, roof.peak_flop_per_s), "roof": roof.name}
        for roof in roofs
        for at in (ends[0], roof.peak_flop_per_s / roof.bytes_per_s, ends[1])
    ]
    lines = (
        alt.Chart(data(rows))
        .mark_line(color=INK, strokeWidth=1.5)
        .encode(x=axes[0], y=axes[1], detail="roof:N")
    )
    names = [
        {
            "intensity": ends[1],
            "rate": roof.peak_flop_per_s,
            "label": f"{roof.name}\n{_prefixed(roof.peak_flop_per_s)}FLOP/s",
        }
        for roof in roofs
    ]
    peaks = (
        alt.Chart(data(names))
        .mark_text(align="left", baseline="middle", dx=8, color=INK, lineBreak="\n")
        .encode(x=axes[0], y=axes[1], text="label:N")
    )
    low = roofs[0]
    slope = [
        {
            "intensity": ends[0],
            "rate": ends[0] * low.bytes_per_s,
            "label": f"main memory {_prefixed(low.bytes_per_s)}B/s",
        }
    ]
    memory = (
        alt.Chart(data(slope))
        .mark_text(align="left", baseline="top", dx=16, dy=6, color=INK)
        .encode(x=axes[0], y=axes[1], text="label:N")
    )
    return [lines, peaks, memory]


def _prefixed(value: float) -> str:
    for scale, letter in ((1e15, "P"), (1e12, "T"), (1e9, "G")):
        if value >= scale:
            return f"{value / scale:.3g} {letter}"
    return f"{value:.3g} "


def _operator_marks(points: Sequence[RoofPoint], axes: tuple[alt.X, alt.Y]) -> alt.Chart:
    import altair as alt

    total = {point.part: 0.0 for point in points}
    for point in points:
        total[point.part] += point.seconds
    rows = [
        {
            "intensity": point.intensity,
            "rate": point.flop_per_s,
            "operator": point.name,
            "part": point.part,
            "share": point.seconds / total[point.part],
            "time": f"{1e3 * point.seconds:.3g} ms",
            "binds": point.binds,
        }
        for point in points
    ]
    names = list(dict.fromkeys(point.name for point in points))
    parts = list(total)
    shapes = alt.Shape(
        "part:N",
        scale=alt.Scale(domain=parts, range=[_PARTS.get(part, "square") for part in parts]),
        legend=alt.Legend(title=None, offset=_ROOF_LABEL) if len(parts) > 1 else None,
    )
    colors = alt.Color(
        "operator:N",
        scale=alt.Scale(domain=names, range=[_color(name, i) for i, name in enumerate(names)]),
        legend=alt.Legend(title=None, symbolType="circle", offset=_ROOF_LABEL),
    )
    marks: alt.Chart = (
        alt.Chart(data(rows))
        .mark_point(filled=True, opacity=0.9, stroke="white", strokeWidth=0.8)
        .encode(
            x=axes[0],
            y=axes[1],
            color=colors,
            shape=shapes,
            size=alt.Size("share:Q", scale=alt.Scale(domain=[0, 1], range=[40, 600]), legend=None),
            tooltip=["operator:N", "part:N", "time:N", "binds:N", "intensity:Q", "rate:Q"],
        )
    )
    return marks


def _color(term: str, number: int) -> str:
    return _TERM_COLORS.get(term, SOURCE_COLORS[number % len(SOURCE_COLORS)])


def time_chart(parts: Sequence[TimePart], *, title: str, note: str = "", unit: str = "s") -> Chart | None:
    """Draw where the time goes as stacked bars, one per configuration or chip, in the order given.

    Parameters
    ----------
    parts : sequence of TimePart
        Terms; those below 1 % of every bar are put together.
    title, note : str
        Head of the chart.
    unit : str
        ``s``, ``ms`` or ``us``.
    """
    import altair as alt

    if not parts:
        return None
    rows, names = _time_rows(parts, {"s": 1.0, "ms": 1e3, "us": 1e6}[unit])
    bars = list(dict.fromkeys(part.bar for part in parts))
    colors = alt.Color(
        "term:N",
        scale=alt.Scale(domain=names, range=[_color(name, i) for i, name in enumerate(names)]),
        sort=names,
        legend=alt.Legend(title=None),
    )
    chart: Chart = (
        alt.Chart(data(rows), title=titled(title, note))
        .mark_bar()
        .encode(
            x=alt.X("time:Q", axis=alt.Axis(title=unit, grid=True, format=",.3~f", tickCount=8)),
            y=alt.Y("bar:N", sort=bars, axis=alt.Axis(title=None, labelLimit=300)),
            color=colors,
            order="order:Q",
            tooltip=["bar:N", "term:N", alt.Tooltip("time:Q", format=".3~g", title=unit)],
        )
        .properties(width=CHART_WIDTH, height=alt.Step(34))
    )
    return chart


def _time_rows(parts: Sequence[TimePart], scale: float) -> tuple[list[dict[str, Any]], list[str]]:
    total: dict[str, float] = {}
    for part in parts:
        total[part.bar] = total.get(part.bar, 0.0) + part.seconds
    largest: dict[str, float] = {}
    for part in parts:
        share = part.seconds / total[part.bar] if total[part.bar] else 0.0
        largest[part.term] = max(largest.get(part.term, 0.0), share)
    order = [name for name in _TERM_COLORS if largest.get(name, 0.0) >= _LEAST_SHARE]
    order += [name for name in largest if name not in _TERM_COLORS and largest[name] >= _LEAST_SHARE]
    summed: dict[tuple[str, str], float] = {}
    for part in parts:
        name = part.term if part.term in order else "small parts"
        summed[part.bar, name] = summed.get((part.bar, name), 0.0) + part.seconds
    if any(name == "small parts" for _, name in summed):
        order.append("small parts")
    rows = [
        {"bar": bar, "term": name, "time": scale * seconds, "order": order.index(name)}
        for (bar, name), seconds in summed.items()
    ]
    return rows, order


def stacked(*charts: Any) -> Chart | None:
    """Put charts under each other, each with its own colors; None where all are."""
    import altair as alt

    there = [chart for chart in charts if chart is not None]
    if len(there) < 2:
        only: Chart | None = there[0] if there else None
        return only
    whole: Chart = alt.vconcat(*there, spacing=42).resolve_scale(
        color="independent", shape="independent", size="independent"
    )
    return whole
