"""Statements and key figures of a plan as text and as a document: answer first, then the three statements by year."""

from __future__ import annotations

import math
import textwrap
from dataclasses import asdict
from typing import Any

from exaplan.domain.statements import FigureRow, FinanceReport, StatementRow, Switches
from exaplan.report.wording import percent, share_interval, usd

QUARTERS_A_YEAR = 4
_ASCII = str.maketrans({"·": "-", "−": "-", "–": "-", "…": "...", "×": "x", "≤": "<=", "±": "+/-"})
_SCALES = ((1e9, "GUSD"), (1e6, "MUSD"), (1e3, "kUSD"))
MARGINS = ("statement_gross_margin", "operating_margin", "net_margin", "tier_margin_per_mtok")
"""Figures that the switches move: they are printed beside them."""


def statements_document(report: FinanceReport) -> dict[str, Any]:
    """Put a report into plain data for JSON: every number of terminal, page and workbook."""
    plain: dict[str, Any] = finite(asdict(report))
    plain["switches"]["words"] = list(report.switches.words)
    return plain


def finite(value: Any) -> Any:
    """Replace what JSON cannot say: nan by null, an end that never comes by the word."""
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "never" if value > 0 else None
    return value


def headline(report: FinanceReport) -> tuple[str, ...]:
    """Say the answer in sentences: what is earned, under which conventions, whether it balances."""
    figures = {row.key: row for row in report.figures if not row.item}
    recognized, pace = figures["revenue_recognized"], figures["revenue_run_rate"]
    gross, net = figures["statement_gross_margin"], figures["net_margin"]
    seen = (
        f"{report.paths:,} simulated futures, seed {report.seed}"
        if report.source == "simulated"
        else f"the {report.paths:,} futures of the tree"
    )
    check = "every path balances to the cent" if report.worst_difference_usd < 0.01 else (
        f"THE BALANCE IS OFF by {usd(report.worst_difference_usd)}"
    )  # fmt: skip
    return (
        (
            f"{report.lab} earns {usd(recognized.value)} in the last four quarters (run-rate {usd(pace.value)}) at "
            f"{percent(gross.value)} gross and {percent(net.value)} net margin over the horizon, means of {seen}."
        ),
        f"By these conventions: {', '.join(report.switches.words)}.",
        f"{ruin_words(report)}; {check}.",
    )


def ruin_words(report: FinanceReport) -> str:
    """Say P(ruin) as the plan does, and how many books close before the horizon ends."""
    ends = report.p_ruin_interval
    error = f" (95 % interval {share_interval(ends)})" if ends else ""
    if report.ruin_within is None or report.ruin_within >= len(report.quarters):
        return f"P(ruin) {percent(report.p_ruin)}{error}"
    over = f"{percent(report.p_ruin_horizon)} by the end of the horizon, where books close early"
    return f"P(ruin) within {report.ruin_within} quarters {percent(report.p_ruin)}{error}, {over}"


def figure_text(row: FigureRow, value: float) -> str:
    """Write a value of a figure in its unit.

    Examples
    --------
    >>> plain_number(1234.5)
    '1,234'
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "no end"
    if row.unit == "share":
        return percent(value)
    if row.unit in ("USD", "USD/year", "USD/GW/year"):
        return usd(value)
    return plain_number(value)


def plain_number(value: float) -> str:
    """Write a number in at most four digits or with thousands marked."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def figure_cells(row: FigureRow, switches: Switches) -> tuple[str, ...]:
    """Cells of a figure: name, value, interval, p5, p50, p95, unit; beside a margin its conventions."""
    name = f"{row.label}: {row.item}" if row.item else row.label
    same = row.p05 == row.p95 or (math.isnan(row.p05) and math.isnan(row.p95))
    ends = row.interval
    interval = f"{figure_text(row, ends[0])} to {figure_text(row, ends[1])}" if ends and not same else ""
    spread = ("", "", "") if same else tuple(figure_text(row, x) for x in (row.p05, row.p50, row.p95))
    unit = "" if row.unit == "share" else row.unit
    if row.key in MARGINS:
        unit = f"{unit} ({switches.short})".strip()
    return (name, figure_text(row, row.value), interval, *spread, unit)


def years_of(report: FinanceReport) -> tuple[tuple[str, int, int], ...]:
    """Years of four quarters from the start: name, first quarter, quarter after the last."""
    count = len(report.quarters)
    return tuple(
        (f"to {report.quarters[min(begin + QUARTERS_A_YEAR, count) - 1]}", begin, min(begin + QUARTERS_A_YEAR, count))
        for begin in range(0, count, QUARTERS_A_YEAR)
    )  # fmt: skip


def yearly(report: FinanceReport, row: StatementRow) -> tuple[float, ...]:
    """Work out the expected value of a line by year: sums of flows, balances at the end (the opening one first)."""
    years = years_of(report)
    if row.statement == "balance":
        return (row.mean[0], *(row.mean[end] for _, _, end in years))
    if row.key == "closing_cash":
        return tuple(row.mean[end - 1] for _, _, end in years)
    return tuple(sum(row.mean[begin:end]) for _, begin, end in years)


def scale_of(report: FinanceReport) -> tuple[float, str]:
    """Choose the unit in which the statements are written, by the largest amount."""
    largest = max((abs(x) for row in report.rows for x in yearly(report, row)), default=0.0)
    return next(((size, name) for size, name in _SCALES if largest >= 10 * size), (1.0, "USD"))


def amount_text(value: float, size: float) -> str:
    """Write an amount of a statement; costs in brackets, nothing as a dash."""
    scaled = value / size
    if abs(scaled) < 0.005:
        return "–"
    text = f"{abs(scaled):,.2f}" if abs(scaled) < 1000 else f"{abs(scaled):,.0f}"
    return f"({text})" if scaled < 0 else f"{text} "


def statements_text(
    report: FinanceReport, *, width: int = 100, ascii_only: bool = False, place: str | None = None
) -> str:
    """Say the statements in plain text: sentences, key figures, then each statement by year."""
    lines = [each for text in headline(report) for each in textwrap.wrap(text, width)]
    lines += ["", *_figures(report)]
    size, unit = scale_of(report)
    for name, title in (("income", "Income"), ("cash flow", "Cash flow"), ("balance", "Balance sheet")):
        lines += ["", *_statement(report, name, f"{title}, {unit}, expected", size)]
    lines += ["", *_notes(report)]
    if place:
        lines += ["", f"Files: {place}"]
    text = "\n".join(lines)
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii") if ascii_only else text


def _figures(report: FinanceReport) -> list[str]:
    cells = [figure_cells(row, report.switches) for row in report.figures]
    heads = ("Key figure", "value", "95 % interval", "p5", "p50", "p95", "")
    widths = [max(len(row[k]) for row in (heads, *cells)) for k in range(len(heads))]
    lines = []
    for row in (heads, *cells):
        rest = "  ".join(cell.rjust(w) for cell, w in zip(row[1:6], widths[1:6], strict=True))
        lines.append(f"{row[0].ljust(widths[0])}  {rest}  {row[6]}".rstrip())
    return lines


def _statement(report: FinanceReport, name: str, title: str, size: float) -> list[str]:
    years = [year for year, _, _ in years_of(report)]
    heads = ["start", *years] if name == "balance" else years
    lines = [f"{title:<44}" + "".join(f"{head:>13}" for head in heads)]
    section = ""
    for row in (row for row in report.rows if row.statement == name):
        if row.kind == "check":
            continue
        if row.section != section and row.kind == "line" and name != "income":
            lines.append(f" {row.section}")
        section = row.section
        indent = "" if row.kind == "total" else "  "
        cells = "".join(f"{amount_text(value, size):>13}" for value in yearly(report, row))
        lines.append(f"{(indent + row.label)[:44]:<44}{cells}".rstrip())
    return lines


def _notes(report: FinanceReport) -> list[str]:
    size, unit = scale_of(report)
    worth = "; ".join(
        f"{row.label.lower()} {amount_text(row.mean[-1], size).strip()}" for row in report.economic_value
    )
    carried = amount_text(report.losses_carried_usd[-1], size).strip()
    return [
        f"Notes, {unit}, at the end: {worth}; tax losses carried forward (no asset here) {carried}.",
        f"Balance check: worst difference on any path and quarter {report.worst_difference_usd:.6f} USD.",
    ]
