"""Statements as a workbook: a sheet of numbers, and statements, margins, depreciation and checks as live formulas.

Numbers are expected values in million USD. The yellow cell holds the life of chips: changing it changes depreciation,
book value, margins and net income, and the balance still has to hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from exaplan.domain.statements import FinanceReport, StatementRow
from exaplan.domain.workbook import Sheet
from exaplan.report.cells import At, Page
from exaplan.report.statements import figure_cells, ruin_words
from exaplan.report.statements_plant_sheet import PlantCells, plant_sheet

MILLION = 1e6
USES = ("serving", "free_users", "development", "safety", "internal", "idle")
MEASURED = ("disposals", "wound_up")  # measured from stocks, not sums of flows
FIRST = 2  # column of the first quarter, after key and words
Row = list[At]


@dataclass
class _Numbers:
    """Cells of the sheet of numbers, by key."""

    page: Page
    rows: dict[str, Row] = field(default_factory=dict)

    def add(self, key: str, words: str, values: tuple[float, ...] | list[float]) -> Row:
        self.page.row += 1
        self.page.text(0, key)
        self.page.text(1, words)
        self.rows[key] = self.page.numbers(FIRST, [value / MILLION for value in values])
        return self.rows[key]


def sheets_of(report: FinanceReport) -> tuple[Sheet, ...]:
    """Lay out the workbook: summary, income, cash flow, balance, numbers, plant, key figures."""
    summary = Page("Summary", (46.0, 18.0, 60.0))
    life = _summary_head(summary, report)
    live = report.switches.impairment == "off"
    plant = plant_sheet(report, life)
    numbers = _Numbers(Page("Flows", (26.0, 40.0), (1, 2)))
    _heads(numbers.page, report, None)
    for row in report.flows:
        numbers.add(row.key, row.label, row.mean)
    compute = _compute(numbers, report, plant, live)
    income, lines = _income(report, numbers, compute, plant, live)
    cash, closing = _cash(report, numbers, lines)
    balance, checks = _balance(report, numbers, plant, (lines, closing), live)
    _summary_checks(summary, report, checks)
    pages = (summary, income, cash, balance, numbers.page, plant.page, _figures(report))
    return tuple(page.sheet() for page in pages)


def _summary_head(page: Page, report: FinanceReport) -> At:
    page.text(0, f"{report.lab}: statements", "title")
    page.row = 1
    page.text(0, f"Expected values of {report.paths} futures, million USD; {report.lab_file}", "note")
    page.row = 3
    page.text(0, "Life of chips, years")
    life = page.number(1, float(report.switches.life_years), "input")
    live = report.switches.impairment == "off"
    page.text(
        2,
        "change it: depreciation follows" if live else "with impairment on, depreciation is a number",
        "note",
    )
    for words in report.switches.words[1:]:
        page.row += 1
        page.text(0, words)
    page.row += 1
    return life


def _heads(page: Page, report: FinanceReport, start: str | None) -> None:
    names = [*([start] if start else []), *report.quarters]
    for k, name in enumerate(names):
        page.text(FIRST + k, name, "head")


def _shown(report: FinanceReport, statement: str, *sections: str) -> list[StatementRow]:
    return [
        row
        for row in report.rows
        if row.statement == statement and row.kind == "line" and (not sections or row.section in sections)
    ]


def _compute(numbers: _Numbers, report: FinanceReport, plant: PlantCells, live: bool) -> Row:
    """Compute expensed: flows and accruals as numbers, depreciation of chips from the plant sheet; and shares by use."""
    parts, quarters = [], range(len(report.quarters))
    for row in report.parts:
        if row.key == "plant_depreciation" and live:
            halls = [row.mean[t] - plant.depreciation[t].value * MILLION for t in quarters]
            parts.append(numbers.add("halls_depreciation", "Depreciation of halls", halls))
            parts.append(plant.depreciation)
        elif row.key in numbers.rows:
            numbers.page.row += 1
            numbers.page.text(0, f"{row.key} (cost)")
            numbers.page.text(1, row.label)
            parts.append(
                [numbers.page.formula(FIRST + t, f"-{at.name}", -at.value) for t, at in enumerate(numbers.rows[row.key])]
            )  # fmt: skip
        else:
            parts.append(numbers.add(row.key, row.label, row.mean))
    numbers.page.row += 1
    numbers.page.text(0, "compute")
    numbers.page.text(1, "Compute expensed")
    if not parts:
        parts = [numbers.page.numbers(FIRST, [0.0 for _ in quarters])]
        numbers.page.row += 1
    whole = numbers.page.sums(FIRST, parts, "total")
    lines = {row.key: row for row in _shown(report, "income")}
    for use in USES:
        if use in lines:
            numbers.page.row += 1
            numbers.page.text(0, f"share.{use}")
            numbers.page.text(1, f"Share of compute: {lines[use].label}")
            share = [
                -lines[use].mean[t] / MILLION / whole[t].value if whole[t].value else 0.0 for t in quarters
            ]
            numbers.rows[f"share.{use}"] = numbers.page.numbers(FIRST, share, "share")
    return whole


def _income(
    report: FinanceReport, numbers: _Numbers, compute: Row, plant: PlantCells, live: bool
) -> tuple[Page, dict[str, Row]]:
    page = Page("Income", (4.0, 46.0), (1, 2))
    _heads(page, report, None)
    lines: dict[str, Row] = {}
    above: list[Row] = []
    revenue: list[Row] = []
    for row in (row for row in report.rows if row.statement == "income"):
        page.row += 1
        page.text(1, row.label)
        if row.kind == "total":
            lines[row.key] = page.sums(FIRST, above, "total")
            continue
        cells = _income_line(row, (numbers, page), compute, plant, live)
        lines[row.key] = cells
        above.append(cells)
        if row.key.startswith("revenue."):
            revenue.append(cells)
    page.row += 2
    page.text(1, "Revenue")
    whole = page.sums(FIRST, revenue, "total")
    for key, words in (("gross_profit", "Gross margin"), ("operating_income", "Operating margin"), ("net_income", "Net margin")):  # fmt: skip
        page.row += 1
        page.text(1, words)
        for t, (part, base) in enumerate(zip(lines[key], whole, strict=True)):
            value = part.value / base.value if base.value else 0.0
            page.formula(FIRST + t, f"IF({base.name}=0,0,{part.name}/{base.name})", value, "share")
        page.text(FIRST + len(whole), "; ".join(report.switches.words), "note")
    return page, lines


def _income_line(
    row: StatementRow, sheets: tuple[_Numbers, Page], compute: Row, plant: PlantCells, live: bool
) -> Row:
    """One line of the income statement: from flows, from compute by its share, from the plant, or a number."""
    numbers, page = sheets
    if row.key in USES:
        share = numbers.rows[f"share.{row.key}"]
        return [
            page.formula(FIRST + t, f"-{a.name}*{b.name}", -a.value * b.value)
            for t, (a, b) in enumerate(zip(compute, share, strict=True))
        ]
    taken = {"disposals": plant.written_off, "wound_up": plant.handed}.get(row.key) if live else None
    if taken is not None:
        rest = [mean + at.value * MILLION for mean, at in zip(row.mean, taken, strict=True)]
        other = numbers.add(f"{row.key}_other", f"{row.label}, without chips", rest)
        return [
            page.formula(FIRST + t, f"{a.name}-{b.name}", a.value - b.value)
            for t, (a, b) in enumerate(zip(other, taken, strict=True))
        ]
    made = [numbers.rows[name] for name in row.made_of if name in numbers.rows]
    if made and row.key not in MEASURED:
        return page.sums(FIRST, made)
    accrued = numbers.add(f"accrued.{row.key}", row.label, row.mean)
    return page.sums(FIRST, [accrued])


def _cash(report: FinanceReport, numbers: _Numbers, lines: dict[str, Row]) -> tuple[Page, Row]:
    """Write the cash flow statement; returns it with closing cash."""
    page = Page("Cash flow", (4.0, 46.0), (1, 2))
    _heads(page, report, None)
    opening = next(row.mean[0] for row in report.rows if row.key == "cash" and row.statement == "balance")
    interest = lines.get("lease_interest") or numbers.add(
        "no_interest", "No interest on leases", [0.0] * len(report.quarters)
    )
    totals = []
    for activity in ("operating", "investing", "financing"):
        page.row += 1
        page.text(0, activity, "head")
        rows = []
        for row in _shown(report, "cash flow", activity):
            page.row += 1
            page.text(1, row.label)
            made = [numbers.rows[name] for name in row.made_of if name in numbers.rows]
            if row.key == "lease_interest":
                cells = page.sums(FIRST, [interest])
            elif row.key == "lease_repaid":
                cells = []
                for t, part in enumerate(interest):
                    words = "+".join(rent[t].name for rent in made) + f"-{part.name}"
                    cells.append(
                        page.formula(FIRST + t, words, sum(rent[t].value for rent in made) - part.value)
                    )
            else:
                cells = page.sums(FIRST, made)
            rows.append(cells)
        page.row += 1
        page.text(1, f"Cash from {activity}")
        totals.append(
            page.sums(FIRST, rows, "total")
            if rows
            else page.numbers(FIRST, [0.0] * len(report.quarters), "total")
        )
    page.row += 1
    page.text(1, "Change of cash")
    change = page.sums(FIRST, totals, "total")
    page.row += 1
    page.text(1, "Cash at the start")
    start = page.number(FIRST, opening / MILLION)
    page.row += 1
    page.text(1, "Cash at the end")
    closing: Row = []
    for t, moved in enumerate(change):
        before = closing[-1] if closing else start
        closing.append(
            page.formula(FIRST + t, f"{before.name}+{moved.name}", before.value + moved.value, "total")
        )
    return page, closing


def _balance(
    report: FinanceReport, numbers: _Numbers, plant: PlantCells,
    linked: tuple[dict[str, Row], Row], live: bool,
) -> tuple[Page, list[Row]]:  # fmt: skip
    """Write the balance sheet with its checks: stocks are numbers, book value and equity are formulas."""
    lines, closing = linked
    page = Page("Balance", (4.0, 46.0), (1, 2))
    _heads(page, report, "start")
    numbers.page.row += 1
    numbers.page.text(1, "Stocks at the start, then at the end of each quarter", "note")
    totals: dict[str, Row] = {}
    cells: dict[str, Row] = {}
    for section in ("assets", "liabilities"):
        page.row += 1
        page.text(0, section, "head")
        rows = []
        for row in _shown(report, "balance", section):
            held = (
                plant.book
                if row.key == "chips" and live
                else numbers.add(f"stock.{row.key}", row.label, row.mean)
            )
            page.row += 1
            page.text(1, row.label)
            cells[row.key] = page.sums(FIRST, [held])
            rows.append(cells[row.key])
        page.row += 1
        page.text(1, f"Total {section}")
        empty = [0.0] * (len(report.quarters) + 1)
        totals[section] = page.sums(FIRST, rows, "total") if rows else page.numbers(FIRST, empty, "total")
    totals["equity"] = _equity(page, report, numbers, totals, lines["net_income"])
    page.row += 2
    page.text(1, "Assets less liabilities less equity")
    off = [
        page.formula(FIRST + t, f"{a.name}-{b.name}-{c.name}", a.value - b.value - c.value, "check")
        for t, (a, b, c) in enumerate(zip(totals["assets"], totals["liabilities"], totals["equity"], strict=True))
    ]  # fmt: skip
    page.row += 1
    page.text(1, "Cash by the cash flow statement less the books")
    drift = [
        page.formula(FIRST + 1 + t, f"{a.name}-{b.name}", a.value - b.value, "check")
        for t, (a, b) in enumerate(zip(closing, cells["cash"][1:], strict=True))
    ]
    return page, [off, drift]


def _equity(page: Page, report: FinanceReport, numbers: _Numbers, totals: dict[str, Row], earned: Row) -> Row:
    """Equity at the start, paid in and earned since; nothing is taken from the other side but the opening balance."""
    page.row += 1
    page.text(0, "equity", "head")
    page.row += 1
    page.text(1, "Equity at the start")
    owned, owed = totals["assets"][0], totals["liabilities"][0]
    start = page.formula(FIRST, f"{owned.name}-{owed.name}", owned.value - owed.value)
    at_start = [
        start,
        *(page.formula(FIRST + 1 + t, start.name, start.value) for t in range(len(report.quarters))),
    ]
    made = next((row.made_of for row in report.rows if row.key == "paid_in"), ())
    paid = [numbers.rows[name] for name in made if name in numbers.rows]
    rows = [at_start]
    for words, flows in (("Paid in since", paid), ("Net income since", [earned])):
        page.row += 1
        page.text(1, words)
        grown = [page.number(FIRST, 0.0)]
        for t in range(len(report.quarters)):
            terms = [grown[-1], *(flow[t] for flow in flows)]
            grown.append(
                page.formula(FIRST + 1 + t, "+".join(at.name for at in terms), sum(at.value for at in terms))
            )
        rows.append(grown)
    page.row += 1
    page.text(1, "Total equity")
    return page.sums(FIRST, rows, "total")


def _summary_checks(page: Page, report: FinanceReport, checks: list[Row]) -> None:
    page.row += 1
    page.text(0, "Balance check, million USD: largest difference in this workbook")
    cells = [at for row in checks for at in row]
    words = ",".join(f"ABS({at.name})" for at in cells)
    page.formula(1, f"MAX({words})", max(abs(at.value) for at in cells), "check")
    page.row += 1
    page.text(0, "Worst difference on any single path and quarter, USD")
    page.number(1, report.worst_difference_usd, "check")
    page.row += 1
    page.text(0, ruin_words(report), "note")


def _figures(report: FinanceReport) -> Page:
    page = Page("Key figures", (46.0, 14.0, 26.0, 12.0, 12.0, 12.0, 14.0, 60.0, 60.0), (1, 1))
    for k, words in enumerate(
        ("", "value", "95 % interval", "p5", "p50", "p95", "unit", "equation", "definition")
    ):
        page.text(k, words, "head")
    for row in report.figures:
        page.row += 1
        for k, words in enumerate((*figure_cells(row, report.switches), row.formula, row.definition)):
            page.text(k, words)
    return page
