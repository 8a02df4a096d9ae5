"""Answers in a terminal, as JSON, and as a chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exaplan.domain.casebook import Table
from exaplan.domain.finding import Finding
from exaplan.report.casebook import number, plot_chart
from exaplan.report.perf_tables import grid_text
from exaplan.report.plainjson import finite

if TYPE_CHECKING:
    from exaplan.report.drawing import Chart


_SCALES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def amount(value: float) -> str:
    """Write a count with three digits and the letter that counts of parameters, tokens and dollars go by.

    Examples
    --------
    >>> amount(72.24e9), amount(1.329e12), amount(412e6), amount(15.2)
    ('72.2 B', '1.33 T', '412 M', '15.2')
    """
    for scale, letter in _SCALES:
        if abs(value) >= scale * 0.9995:
            return f"{number(float(f'{value / scale:.3g}'))} {letter}"
    return number(value)


def finding_text(finding: Finding, *, width: int | None = None) -> str:
    """Write an answer: the sentence, the tables, the notes."""
    parts = [finding.answer]
    for table in finding.tables:
        parts += ["", _table_text(table, width)]
        if table.note:
            parts.append(table.note)
    if finding.notes:
        parts += ["", *finding.notes]
    return "\n".join(parts)


def _table_text(table: Table, width: int | None) -> str:
    columns = range(len(table.columns))
    words = [
        table.columns[place]
        for place in columns
        if all(isinstance(row[place], str | None) for row in table.rows)
    ]
    cells = [tuple(number(value) for value in row) for row in table.rows]
    return grid_text(table.columns, cells, title=table.title, left=words, width=width)


def finding_json(finding: Finding) -> dict[str, Any]:
    """Turn an answer into what JSON can say; numbers that are not finite become null."""
    tables = [
        {
            "title": one.title,
            "columns": list(one.columns),
            "rows": [list(row) for row in one.rows],
            "note": one.note,
        }
        for one in finding.tables
    ]
    found: dict[str, Any] = finite(
        {
            "answer": finding.answer,
            "held": finding.held,
            **finding.values,
            "tables": tables,
            "notes": finding.notes,
        }
    )
    return found


def finding_chart(finding: Finding) -> Chart | None:
    """Draw the first plot that has points; None where there is none."""
    plots = [plot for plot in finding.plots if plot.points]
    return plot_chart(plots[0]) if plots else None
