"""All cases in one table: for the terminal, for the index page, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten

from exaplan.domain.casebook import SYSTEMS, CaseRecord, Metric, Value
from exaplan.report.casebook import chance_words, markdown_rows, number, quantity

_COLUMNS = ("case", "verdict", "P(verdict)", "metric", "flips at", "seconds")
_WIDTHS = (30, 8, 10, 60, 44, 7)


@dataclass(frozen=True)
class Answered:
    """A case with the time that its answer took when it was computed; ``kept`` where it was computed before."""

    record: CaseRecord
    seconds: float
    kept: bool = False


def chance_of(record: CaseRecord) -> str:
    """Share of draws that agree with the verdict; a dash where nothing was drawn."""
    judgment = record.judgment
    return f"{judgment.chance(judgment.word):.0%}" if judgment.chances else "—"


def value_words(metric: Metric) -> str:
    """Write the value with the widest interval that there is: over draws of the inputs, else of the sampling."""
    value = quantity(metric.value, metric.unit)
    ends = metric.error if metric.low is None or metric.high is None else (metric.low, metric.high)
    return (
        value
        if ends is None
        else f"{value} ({quantity(ends[0], metric.unit)} to {quantity(ends[1], metric.unit)})"
    )


def flip_words(record: CaseRecord) -> str:
    """Name the first input whose value flips the verdict; a dash where none searched does."""
    found = [one for one in record.thresholds if one.value is not None]
    return f"{found[0].input} = {quantity(found[0].value or 0.0, found[0].unit)}" if found else "—"


def summary_text(answered: Sequence[Answered]) -> str:
    """Write one line per case in columns, and one that says what the numbers are."""
    lines = ["  ".join(name.ljust(width) for name, width in zip(_COLUMNS, _WIDTHS, strict=True)).rstrip()]
    for one in answered:
        record = one.record
        cells = (
            record.name,
            record.judgment.word,
            chance_of(record),
            f"{value_words(record.metric)} {record.metric.name}",
            flip_words(record),
            f"{one.seconds:.0f}" + (" kept" if one.kept else ""),
        )
        fitted = (shorten(cell, width, placeholder=" …") for cell, width in zip(cells, _WIDTHS, strict=True))
        lines.append(
            "  ".join(cell.ljust(width) for cell, width in zip(fitted, _WIDTHS, strict=True)).rstrip()
        )
    note = "P(verdict): share of draws of the inputs with the same verdict. Metric: 90 % interval over the draws."
    return "\n".join([*lines, "", note])


def index_page(records: Sequence[CaseRecord]) -> str:
    """Write the table of contents of a casebook."""
    rows: list[tuple[Value, ...]] = [
        (
            f"[{record.title}]({record.name}.md)",
            record.judgment.word,
            chance_words(record),
            f"{record.metric.name}: {value_words(record.metric)}",
            flip_words(record),
            record.asked.date,
        )
        for record in records
    ]
    covered = [
        (
            number(place),
            name,
            ", ".join(f"[{record.name}]({record.name}.md)" for record in records if place in record.systems)
            or "—",
        )
        for place, name in enumerate(SYSTEMS, 1)
    ]
    lines = [
        "# Casebook",
        "",
        "Questions that were really asked, answered by the engines; every verdict is computed, none is typed.",
        "`exaplan cases list` names them, `exaplan cases run NAME` answers one, and",
        "`exaplan cases run --all --out docs/casebook` writes these pages. Answers are kept in the user's cache, or in",
        "`--cache FOLDER`, until anything changes that they are computed from; `--fresh` computes them anew.",
        "",
        *markdown_rows(("question", "verdict", "over draws", "metric", "flips at", "asked"), tuple(rows)),
        "",
        "A metric stands with its 90 % interval over draws of the inputs, or with the 95 % interval of its sampling where",
        "nothing else is uncertain. 'Flips at' is the first input of the case whose value flips the verdict.",
        "",
        "## What they cover",
        "",
        *markdown_rows(("", "system", "cases"), tuple(covered)),
        "",
    ]
    return "\n".join(lines)


def uncovered(systems: Sequence[tuple[int, ...]]) -> tuple[str, ...]:
    """Name the systems that no case speaks of."""
    spoken = {number for one in systems for number in one}
    return tuple(f"{place} {name}" for place, name in enumerate(SYSTEMS, 1) if place not in spoken)
