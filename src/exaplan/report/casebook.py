"""A case as a Markdown page, as a chart, and as JSON."""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from exaplan.domain.casebook import SYSTEMS, CaseRecord, Metric, Plot, Sway, Table, Threshold, Value
from exaplan.report.drawing import data
from exaplan.report.plainjson import finite
from exaplan.report.theme import INK, KIND_COLORS, QUIET, SOURCE_COLORS, WARNING

if TYPE_CHECKING:
    import altair as alt

    from exaplan.report.drawing import Chart

_WIDTH, _HEIGHT = 460, 240
_MATTERING = 3
_PNG = b"\x89PNG\r\n\x1a\n"


def number(value: Value) -> str:
    """Write a number with three digits, a dash where there is none.

    Examples
    --------
    >>> number(0.12345), number(16384.0), number(None), number(1.4e26), number(float("inf"))
    ('0.123', '16,384', '—', '1.40e26', '∞')
    """
    if value is None:
        return "—"
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return "∞" if value > 0 else "—"
    size = abs(value)
    if size and (size >= 1e9 or size < 1e-3):
        return f"{value:.2e}".replace("e+", "e")
    if value == int(value) or size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def quantity(value: float, unit: str) -> str:
    """Write a number with its unit; a share is a percentage.

    Examples
    --------
    >>> quantity(0.2, "share"), quantity(30.0, "GUSD"), quantity(1.5, "ratio")
    ('20.0%', '30 GUSD', '1.5')
    """
    if unit == "share":
        return f"{value:.1%}" if math.isfinite(value) else number(value)
    return f"{number(value)} {unit}".rstrip() if unit != "ratio" else number(value)


def metric_words(metric: Metric) -> str:
    """Write the metric with its intervals: the error of the sampling, and that over draws of the inputs."""
    words = f"{metric.name}: {quantity(metric.value, metric.unit)}"
    intervals = []
    if metric.error is not None:
        low, high = (quantity(end, metric.unit) for end in metric.error)
        intervals.append(f"{low} to {high} at 95 % on {metric.paths:,} futures")
    if metric.low is not None or metric.high is not None:
        low, high = (
            "not finite" if end is None else quantity(end, metric.unit) for end in (metric.low, metric.high)
        )
        intervals.append(
            f"90 % interval {low} to {high}" + (" over draws of the inputs" if metric.error else "")
        )
    return f"{words} ({'; '.join(intervals)})" if intervals else words


def chance_words(record: CaseRecord) -> str:
    """Write the chances of each word over the draws."""
    judgment = record.judgment
    if not judgment.chances:
        return "nothing in it is uncertain"
    chances = ", ".join(f"{word} {share:.0%}" for word, share in judgment.chances)
    return f"{chances} of {judgment.draws:,} draws"


def systems_words(systems: tuple[int, ...]) -> str:
    """Name systems by number.

    Examples
    --------
    >>> systems_words((4, 6))
    'rent, reserve, buy or build (4), compute as an investment (6)'
    """
    return ", ".join(f"{SYSTEMS[number - 1]} ({number})" for number in systems)


def page(record: CaseRecord, pictures: tuple[str, ...] = ()) -> str:
    """Write a case as a page: answer first, then what it rests on.

    Parameters
    ----------
    record : CaseRecord
        The case.
    pictures : tuple of str
        File names of its plots, in order.
    """
    asked, judgment = record.asked, record.judgment
    lines = [
        f"# {record.title}",
        "",
        f"**{record.answer}**",
        "",
        f"- Question ({asked.date}): {asked.question}",
        f"- Asked at: {asked.where}",
        f"- Claim: {asked.claim}",
        f"- Metric: {metric_words(record.metric)}.",
        f"- Verdict: **{judgment.word}**; {chance_words(record)}.",
        f"- Rule: {judgment.rule}.",
        *([f"- Drawn: {judgment.drawn}."] if judgment.drawn else []),
        *([f"- Coefficients: {record.calibration}."] if record.calibration else []),
        *([f"- Systems: {systems_words(record.systems)}."] if record.systems else []),
        "",
    ]
    for name, plot in zip(pictures, record.plots, strict=True):
        lines += [f"![{plot.title}]({name})", ""]
    lines += _thresholds(record.thresholds)
    for table in record.tables:
        lines += _table(table)
    lines += _sensitivity(record)
    lines += _assumptions(record)
    lines += ["## Reproduce", "", "```sh", f"exaplan cases run {record.name} --out docs/casebook", "```", ""]
    return "\n".join(lines)


def markdown_rows(columns: tuple[str, ...], rows: tuple[tuple[Value, ...], ...]) -> list[str]:
    """Write the lines of a Markdown table."""
    numeric = [any(not isinstance(row[place], str | None) for row in rows) for place in range(len(columns))]
    rule = "|".join("---:" if right else "---" for right in numeric)
    body = ["| " + " | ".join(number(value) for value in row) + " |" for row in rows]
    return ["| " + " | ".join(columns) + " |", f"|{rule}|", *body]


def _table(table: Table) -> list[str]:
    lines = [f"## {table.title}", "", *markdown_rows(table.columns, table.rows), ""]
    return [*lines, table.note, ""] if table.note else lines


def _thresholds(thresholds: tuple[Threshold, ...]) -> list[str]:
    rows: list[tuple[Value, ...]] = []
    for one in thresholds:
        ends = "—"
        if one.low is not None and one.high is not None:
            ends = f"{number(one.low)} to {number(one.high)}"
        share = one.unit == "share" and one.value is not None
        value = quantity(one.value or 0.0, one.unit) if share else one.value
        rows.append((one.input, value, one.unit, ends, one.meaning))
    return [
        "## Where it flips",
        "",
        *markdown_rows(("input", "at", "unit", "90 % interval", "meaning"), tuple(rows)),
        "",
    ]


def _sensitivity(record: CaseRecord) -> list[str]:
    rows: list[tuple[Value, ...]] = []
    for sway in record.sways:
        for setting, value, word in zip(sway.settings, sway.values, sway.words, strict=True):
            rows.append((sway.input, sway.assumed, setting, quantity(value, record.metric.unit), word))
    columns = ("input", "assumed", "instead", record.metric.name, "verdict")
    note = "One input at a time, the others held; the inputs that change the verdict most stand first."
    return ["## Sensitivity", "", *markdown_rows(columns, tuple(rows)), "", note, ""]


def _assumptions(record: CaseRecord) -> list[str]:
    lines = ["## The three assumptions that matter most", ""]
    lines += [f"{place}. {_assumption(sway)}" for place, sway in enumerate(record.sways[:_MATTERING], 1)]
    lines += ["", "Held throughout:", ""]
    lines += [f"- {text}." for text in record.assumed]
    return [*lines, ""]


def _assumption(sway: Sway) -> str:
    return f"{sway.input[0].upper()}{sway.input[1:]}: {sway.assumed} ({sway.source})."


def as_json(record: CaseRecord) -> dict[str, Any]:
    """Turn a case into what JSON can say; numbers that are not finite become null."""
    found: dict[str, Any] = finite(asdict(record))
    return found


def packed_png(picture: bytes) -> bytes:
    """Compress the pixels of a PNG again, as hard as deflate goes; not one of them changes (RFC 2083, section 4)."""
    pixels, kept = b"", []
    place = len(_PNG)
    while place < len(picture):
        length, kind = struct.unpack(">I4s", picture[place : place + 8])
        body = picture[place + 8 : place + 8 + length]
        if kind == b"IDAT":
            pixels += body
        else:
            kept.append((kind, body))
        place += 12 + length
    chunks = [*kept[:-1], (b"IDAT", zlib.compress(zlib.decompress(pixels), 9)), kept[-1]]
    return _PNG + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def plot_chart(plot: Plot) -> Chart:
    """Draw a plot: lines, or bars where the x axis carries words; a dashed rule at the limit, dots for what was measured."""
    import altair as alt

    rows = [{"series": series, "x": x, "y": y} for series, x, y in plot.points]
    words = any(isinstance(row["x"], str) for row in rows)
    layers: list[Any] = [_bars(plot, rows) if words else _lines(plot, rows)]
    if plot.marks:
        marks = [{"series": series, "x": x, "y": y} for series, x, y in plot.marks]
        dots = alt.Chart(data(marks)).mark_point(filled=True, size=45)
        layers.append(dots.encode(x=_x(plot), y=_y(plot), color=_color(plot, rows)))
    if plot.level is not None:
        layers += _level(plot)
    title = alt.TitleParams(
        text=plot.title, anchor="start", fontSize=12, color=INK, offset=14, subtitle=plot.y
    )
    title.subtitleColor = QUIET
    title.subtitleFontSize = 11
    chart: Chart = alt.layer(*layers).properties(width=_WIDTH, height=_HEIGHT, title=title)
    return chart


def _color(plot: Plot, rows: list[dict[str, Any]]) -> alt.Color:
    import altair as alt

    names = list(dict.fromkeys(row["series"] for row in rows))
    colors = [*KIND_COLORS, *SOURCE_COLORS][: len(names)]
    legend = None if len(names) == 1 else alt.Legend(symbolType="stroke" if not _is_words(plot) else "square")
    return alt.Color("series:N", sort=names, scale=alt.Scale(domain=names, range=colors), legend=legend)


def _is_words(plot: Plot) -> bool:
    return any(isinstance(x, str) for _, x, _ in plot.points)


def _x(plot: Plot) -> alt.X:
    import altair as alt

    if _is_words(plot):
        order = list(dict.fromkeys(str(x) for _, x, _ in plot.points))
        return alt.X("x:N", sort=order, title=plot.x or None)
    whole = all(float(x) == int(x) for _, x, _ in plot.points)
    axis = alt.Axis(format=",d" if whole else ",.3~r", tickCount=6)
    if plot.log_x:
        axis.values = _ticks([float(x) for _, x, _ in plot.points])
    scale = alt.Scale(type="log", nice=False) if plot.log_x else alt.Scale(zero=True, nice=True)
    return alt.X("x:Q", title=plot.x, scale=scale, axis=axis)


def _ticks(values: list[float]) -> list[float]:
    """At most seven of the values themselves, spread evenly: they are what was computed."""
    own = sorted(set(values))
    if len(own) <= 7:
        return own
    return [own[round(place * (len(own) - 1) / 6)] for place in range(7)]


def _y(plot: Plot) -> alt.Y:
    import altair as alt

    tops = [y for _, _, y in (*plot.points, *plot.marks)] + ([plot.level] if plot.level is not None else [])
    share = not plot.log_y and max(tops, default=0.0) <= 1.0 and plot.level_name != "equal cost"
    scale = alt.Scale(type="log") if plot.log_y else alt.Scale(zero=not plot.marks, nice=True)
    axis = alt.Axis(format=".0%" if share else ",", tickCount=5)
    if plot.log_y:
        known = [y for y in tops if y > 0]
        low, high = (
            round_to(math.log10(end(known))) for round_to, end in ((math.floor, min), (math.ceil, max))
        )
        axis.values = [10.0**power for power in range(low, high + 1)]
    return alt.Y("y:Q", title=None, scale=scale, axis=axis)


def _lines(plot: Plot, rows: list[dict[str, Any]]) -> alt.Chart:
    import altair as alt

    chart = alt.Chart(data(rows))
    crowded = len(rows) > 60 or bool(plot.marks)
    mark = chart.mark_line() if crowded else chart.mark_line(point=alt.OverlayMarkDef(size=22))
    drawn: alt.Chart = mark.encode(x=_x(plot), y=_y(plot), color=_color(plot, rows))
    return drawn


def _bars(plot: Plot, rows: list[dict[str, Any]]) -> alt.Chart:
    import altair as alt

    encoding: dict[str, Any] = {"x": _x(plot), "y": _y(plot), "color": _color(plot, rows)}
    names = list(dict.fromkeys(row["series"] for row in rows))
    if len(names) > 1:
        encoding["xOffset"] = alt.XOffset("series:N", sort=names)
    chart: alt.Chart = alt.Chart(data(rows)).mark_bar().encode(**encoding)
    return chart


def _level(plot: Plot) -> list[alt.Chart]:
    import altair as alt

    rows = [{"y": plot.level, "text": plot.level_name}]
    rule = alt.Chart(data(rows)).mark_rule(color=WARNING, strokeDash=[4, 3]).encode(y=_y(plot))
    label = alt.Chart(data(rows)).mark_text(align="right", baseline="bottom", dy=-3, color=WARNING)
    return [rule, label.encode(x=alt.value(_WIDTH), y=_y(plot), text="text:N")]
