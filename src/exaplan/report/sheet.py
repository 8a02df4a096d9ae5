"""A sheet: sentences, tables and charts of one explanation, as a terminal text, an offline page, frames and JSON."""

from __future__ import annotations

import re
import textwrap
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from exaplan.report.drawing import chart_svg
from exaplan.report.plainjson import finite

if TYPE_CHECKING:
    import polars as pl

    from exaplan.report.drawing import Chart

SCHEMA_VERSION = 1
_ASCII = str.maketrans(
    {"·": "-", "−": "-", "–": "-", "—": "-", "±": "+/-", "≤": "<=", "≥": ">=", "…": "...", "×": "x", "σ": "sigma", "μ": "mu", "█": "#", "─": "-", "│": "|", "●": "o"}
)  # fmt: skip


@dataclass(frozen=True)
class Section:
    """One table; a column is right-aligned where its head ends with a blank; ``long`` wraps its last column."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    long: bool = False


@dataclass(frozen=True)
class Picture:
    """One chart with its title and what it shows."""

    key: str
    title: str
    definition: str
    chart: Chart


@dataclass(frozen=True)
class Sheet:
    """What a reader sees of one explanation, answer first."""

    kicker: str
    lab: str
    source: str
    say: str
    facts: tuple[tuple[str, str], ...]  # label, sentence
    sections: tuple[Section, ...]
    pictures: tuple[Picture, ...]
    remarks: tuple[str, ...]
    command: str
    timings: tuple[tuple[str, float], ...] = ()


def sheet_text(
    sheet: Sheet, *, width: int = 100, ascii_only: bool = False, run_folder: str | None = None
) -> str:
    """Write a sheet as plain text: the answer, the facts, the tables, then what it rests on."""
    width = max(width, 60)
    lines = [*_wrapped(f"{sheet.lab} · {sheet.source}", width), *_wrapped(sheet.say, width)]
    if sheet.facts:
        lines += [""]
        lines += [line for label, text in sheet.facts for line in _wrapped(text, width, label)]
    for section in sheet.sections:
        lines += ["", section.title, *_table(section, width)]
        if section.note:
            lines += _wrapped(section.note, width, indent=2)
    lines.append("")
    for remark in sheet.remarks:
        lines += _wrapped(remark, width, "Note")
    if sheet.timings:
        total = sum(seconds for _, seconds in sheet.timings)
        parts = ", ".join(f"{phase} {seconds:.1f}" for phase, seconds in sheet.timings)
        lines += _wrapped(f"{total:.1f} s: {parts}", width, "Time")
    if run_folder is not None:
        lines += _wrapped(f"{run_folder}/ report.html · run.json · tables/*.parquet", width, "Files")
    text = "\n".join(lines)
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii") if ascii_only else text


def _wrapped(text: str, width: int, label: str = "", indent: int = 0) -> list[str]:
    head = f"  {label:<17}" if label else " " * indent
    lines = textwrap.wrap(
        _unbroken(text), width, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False
    )
    return [line.replace("\u00a0", " ") for line in lines]


def _unbroken(text: Any) -> Any:
    """Keep a number and its scale or per cent sign on one line."""
    return re.sub(r"(?<=\d) (?=[kMBT%](?!\w))", "\u00a0", text) if type(text) is str else text


def _table(section: Section, width: int) -> list[str]:
    table = [section.columns, *section.rows]
    spans = [max(len(row[place].rstrip()) for row in table) for place in range(len(section.columns))]
    right = [head.endswith(" ") for head in section.columns]
    lines = []
    for row in table:
        cells = (
            cell.strip().rjust(span) if to_the_right else cell.ljust(span)
            for cell, span, to_the_right in zip(row, spans, right, strict=True)
        )
        line = ("  " + "  ".join(cells)).rstrip()
        if section.long:
            indent = 2 + sum(span + 2 for span in spans[:-1])
            indent = indent if indent <= width - 24 else 6  # too little room beside the other columns
            first, *more = textwrap.wrap(line, width, drop_whitespace=True, replace_whitespace=False) or [""]
            rest = textwrap.wrap(" ".join(more), width - indent)
            lines += [first, *(" " * indent + part for part in rest)]
            continue
        lines.append(line if len(line) <= width else f"{line[: width - 1]}…")
    return lines


def sheet_html(sheet: Sheet) -> str:
    """Write a sheet as one HTML file that opens offline: no script, no network, charts as SVG."""
    from altair.utils.schemapi import debug_mode
    from jinja2 import Environment, PackageLoader, StrictUndefined

    room = Environment(
        loader=PackageLoader("exaplan.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_unbroken,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    with debug_mode(False):  # the charts are ours and tested: checking them against a schema takes a second
        drawn = {picture.key: chart_svg(picture.chart, picture.key) for picture in sheet.pictures}
    return room.get_template("sheet.html.j2").render(sheet=sheet, drawn=drawn)


def record_document(kind: str, record: Any) -> dict[str, Any]:
    """Turn a record into what ``--json`` prints and ``run.json`` holds; NaN and infinity become null."""
    found: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "kind": kind, **finite(asdict(record))}
    return found


def record_frames(record: Any) -> dict[str, pl.DataFrame]:
    """Make one frame of every tuple of rows that a record holds; a table without rows is left out."""
    import polars as pl

    frames = {}
    for item in fields(record):
        rows = getattr(record, item.name)
        if isinstance(rows, tuple) and rows and is_dataclass(rows[0]):
            frames[item.name] = pl.DataFrame([asdict(row) for row in rows], infer_schema_length=None)
    return frames
