"""Statements as one offline HTML page: the answer, the chart, key figures, the three statements, how it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exaplan.domain.statements import FinanceReport
from exaplan.report.drawing import chart_svg, data, panel_title, sparse_axis
from exaplan.report.statements import (
    amount_text,
    figure_cells,
    headline,
    scale_of,
    statements_document,
    yearly,
    years_of,
)
from exaplan.report.theme import ACCENT, GOOD, QUIET, WARNING

if TYPE_CHECKING:
    from exaplan.report.drawing import Chart

TITLES = {"income": "Income statement", "cash flow": "Cash flow statement", "balance": "Balance sheet"}
CHART_WIDTH = 620


def statements_page(report: FinanceReport) -> str:
    """Write the page; it asks no network, font or script for anything. The same report gives the same page."""
    from altair.utils.schemapi import debug_mode
    from jinja2 import Environment, PackageLoader, StrictUndefined

    room = Environment(
        loader=PackageLoader("exaplan.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    with debug_mode(False):
        svg = chart_svg(statements_chart(report), "statements")
    size, unit = scale_of(report)
    return room.get_template("statements.html.j2").render(
        report=report,
        sentences=headline(report),
        svg=svg,
        figures=[(figure_cells(row, report.switches), f"{row.definition} {row.formula}") for row in report.figures],
        statements=[(title, unit, _heads(report, name), _rows(report, name, size)) for name, title in TITLES.items()],
        document=statements_document(report),
    )  # fmt: skip


def _heads(report: FinanceReport, name: str) -> list[str]:
    years = [year for year, _, _ in years_of(report)]
    return ["start", *years] if name == "balance" else years


def _rows(report: FinanceReport, name: str, size: float) -> list[tuple[str, str, list[str]]]:
    """Rows of a statement: its kind (section, line, total), words, cells."""
    rows: list[tuple[str, str, list[str]]] = []
    section = ""
    for row in (row for row in report.rows if row.statement == name and row.kind != "check"):
        if row.section != section and row.kind == "line":
            rows.append(("section", row.section, []))
        section = row.section
        cells = [amount_text(value, size).strip() for value in yearly(report, row)]
        rows.append((row.kind, row.label, cells))
    return rows


def statements_chart(report: FinanceReport) -> Chart:
    """Draw revenue, operating income and net income by quarter, and cash at the end with its p5 to p95."""
    import altair as alt

    size, unit = scale_of(report)
    rows = {row.key: row for row in report.rows}
    revenue = [
        sum(row.mean[t] for row in report.rows if row.key.startswith("revenue."))
        for t in range(len(report.quarters))
    ]
    series = {
        "Revenue": revenue,
        "Operating income": rows["operating_income"].mean,
        "Net income": rows["net_income"].mean,
    }
    points = [
        {"quarter": quarter, "line": name, "value": value / size}
        for name, values in series.items()
        for quarter, value in zip(report.quarters, values, strict=True)
    ]
    quarters = report.quarters
    color = alt.Color(
        "line:N", scale=alt.Scale(domain=list(series), range=[ACCENT, GOOD, WARNING]), title=None
    )
    earned = (
        alt.Chart(data(points))
        .mark_line(point=True)
        .encode(x=sparse_axis(quarters), y=alt.Y("value:Q", title=None), color=color)
        .properties(
            width=CHART_WIDTH, height=190, title=panel_title("What is earned", f"{unit} a quarter, expected")
        )
    )
    cash = rows["closing_cash"]
    ends = [
        {"quarter": q, "low": a / size, "mean": m / size, "high": b / size}
        for q, a, m, b in zip(quarters, cash.p05, cash.mean, cash.p95, strict=True)
    ]
    base = alt.Chart(data(ends)).encode(x=sparse_axis(quarters))
    band = base.mark_area(color=QUIET, opacity=0.25).encode(y=alt.Y("low:Q", title=None), y2="high:Q")
    held = (band + base.mark_line(color=ACCENT, point=True).encode(y="mean:Q")).properties(
        width=CHART_WIDTH, height=150, title=panel_title("Cash", f"{unit} at the end of the quarter: expected, and p5 to p95")
    )  # fmt: skip
    whole: Chart = alt.vconcat(earned, held, spacing=30)
    return whole
