"""Statements as rows: expected values and quantiles over the paths by quarter, with sections, totals and checks."""

from __future__ import annotations

import numpy as np

from exaplan.domain.ledger import Ledger
from exaplan.domain.statements import Kind, PlantRow, Statement, StatementRow, Statements, total
from exaplan.economy.accounts import PAID_IN, account_of, label_of
from exaplan.economy.drawn_up import LINE_OF
from exaplan.economy.sections import SECTION_OF, section_of, words_of

LEVELS = (0.05, 0.5, 0.95)

SUBTOTALS = {
    "cost of sales": ("gross_profit", "Gross profit"),
    "value adjustments": ("operating_income", "Operating income"),
    "financial": ("pretax_income", "Income before tax"),
    "winding up": ("net_income", "Net income"),
}
"""What stands below a section of the income statement: the sum of all lines so far."""

RENT = ("committed_rent", "contract_rent")
"""Flows that leases split into interest and repayment."""

ACTIVITIES = ("operating", "investing", "financing")


def quantiles(values: np.ndarray, weight: np.ndarray, levels: tuple[float, ...] = LEVELS) -> np.ndarray:
    """Weighted quantiles over the first axis: the smallest value with at least that weight at or below. [level, ...]."""
    order = np.argsort(values, axis=0, kind="stable")
    ordered = np.take_along_axis(values, order, axis=0)
    reached = np.cumsum(weight[order], axis=0)
    picks = [(reached < level * weight.sum() - 1e-12).sum(axis=0) for level in levels]
    last = len(values) - 1
    return np.stack([np.take_along_axis(ordered, np.minimum(p, last)[None], axis=0)[0] for p in picks])


def row_of(
    values: np.ndarray,
    weight: np.ndarray,
    *,
    place: tuple[Statement, str],
    name: tuple[str, str],
    kind: Kind = "line",
    made_of: tuple[str, ...] = (),
) -> StatementRow:
    """Make a row of ``values`` [path, quarter]; ``place`` is (statement, section), ``name`` (key, words)."""
    p05, p50, p95 = (_floats(level) for level in quantiles(values, weight))
    mean = _floats(weight @ values)
    return StatementRow(place[0], place[1], name[0], name[1], kind, mean, p05, p50, p95, made_of)


def _floats(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def income_rows(drawn: Statements) -> tuple[StatementRow, ...]:
    """Lay out the income statement by section; a subtotal sums all lines above it."""
    rows: list[StatementRow] = []
    running = np.zeros(drawn.alive.shape)
    for section in SECTION_OF:
        for name, amount in drawn.income.items():
            if section_of(name, drawn.switches) == section:
                running = running + amount
                rows.append(
                    row_of(
                        amount,
                        drawn.weight,
                        place=("income", section),
                        name=(name, words_of(name)),
                        made_of=flows_behind(name, drawn),
                    )
                )
        if section in SUBTOTALS:
            rows.append(
                row_of(
                    running, drawn.weight, place=("income", section), name=SUBTOTALS[section], kind="total"
                )
            )
    return tuple(rows)


def cash_rows(drawn: Statements) -> tuple[StatementRow, ...]:
    """Lay out the cash flow statement: three parts with their totals, change of cash, cash at the end."""
    rows = []
    for activity in ACTIVITIES:
        lines: dict[str, np.ndarray] = getattr(drawn, activity)
        for name, amount in lines.items():
            rows.append(
                row_of(
                    amount,
                    drawn.weight,
                    place=("cash flow", activity),
                    name=(name, words_of(name)),
                    made_of=RENT if name == "lease_repaid" else (name,),
                )
            )
        whole = total(lines) + np.zeros(drawn.alive.shape)
        words = (f"total_{activity}", f"Cash from {activity}")
        rows.append(row_of(whole, drawn.weight, place=("cash flow", activity), name=words, kind="total"))
    change = drawn.net_cash
    closing = drawn.opening["cash"][:, None] + change.cumsum(axis=1)
    for values, words in (
        (change, ("net_cash", "Change of cash")),
        (closing, ("closing_cash", "Cash at the end")),
    ):
        rows.append(row_of(values, drawn.weight, place=("cash flow", "cash"), name=words, kind="total"))
    return tuple(rows)


def balance_rows(drawn: Statements) -> tuple[StatementRow, ...]:
    """Lay out the balance sheet and its two checks; the first value of each row is the opening balance."""
    rows = []
    equity_start = {"at_start": drawn.opening["equity_at_start"]}
    for section in ("assets", "liabilities", "equity"):
        lines: dict[str, np.ndarray] = getattr(drawn, section)
        start = {
            k: equity_start.get(k, 0 * drawn.weight) if section == "equity" else drawn.opening[k]
            for k in lines
        }
        whole = np.zeros((len(drawn.weight), drawn.alive.shape[1] + 1))
        for name, amount in lines.items():
            values = np.column_stack([start[name], amount])
            whole = whole + values
            if values.any():
                rows.append(
                    row_of(
                        values,
                        drawn.weight,
                        place=("balance", section),
                        name=(name, words_of(name)),
                        made_of=_paid_in(drawn) if name == "paid_in" else (),
                    )
                )
        words = (f"total_{section}", f"Total {section}")
        rows.append(row_of(whole, drawn.weight, place=("balance", section), name=words, kind="total"))
    zero = np.zeros((len(drawn.weight), 1))
    checks = (
        ("balance_difference", "Assets less liabilities less equity", drawn.balance_difference),
        ("cash_difference", "Cash by the cash flow statement less the books", drawn.cash_difference),
    )
    for key, words_, values in checks:
        shown = np.column_stack([zero, values])
        rows.append(row_of(shown, drawn.weight, place=("balance", "check"), name=(key, words_), kind="check"))
    return tuple(rows)


def flows_behind(line: str, drawn: Statements) -> tuple[str, ...]:
    """Flows of the ledger that a line of the income statement sums; none where it is measured or shared out."""
    names = [n for part in ACTIVITIES for n in getattr(drawn, part) if not n.startswith("lease_")]
    return tuple(
        name
        for name in names
        if account_of(name).line != "none" and (name == line or LINE_OF.get(account_of(name).line) == line)
    )


def _paid_in(drawn: Statements) -> tuple[str, ...]:
    return tuple(name for name in drawn.financing if name.partition(".")[0] in PAID_IN)


def flow_rows(ledger: Ledger) -> tuple[StatementRow, ...]:
    """Lay out the ledger: every flow by name."""
    return tuple(
        row_of(amount, ledger.weight, place=("cash flow", "flows"), name=(name, label_of(name)))
        for name, amount in ledger.flows.items()
    )


def plant_rows(ledger: Ledger) -> tuple[PlantRow, ...]:
    """Sum the expected cost of chips by the quarters of delivery and retirement and the end of their path."""
    bought = ledger.purchases
    there = (bought.cost_usd > 0) & (bought.arrival < ledger.quarters) & ~bought.hall
    path, cohort = np.nonzero(there)
    dates = np.stack(
        [bought.arrival[path, cohort], bought.retirement[path, cohort], np.minimum(ledger.ended[path], ledger.quarters)],
        axis=1,
    )  # fmt: skip
    amount = bought.cost_usd[path, cohort] * ledger.weight[path]
    keys, which = np.unique(dates, axis=0, return_inverse=True)
    cost = np.bincount(which.reshape(-1), amount, minlength=len(keys))
    return tuple(
        PlantRow(int(a), int(r), int(e), float(c)) for (a, r, e), c in zip(keys, cost, strict=True) if a <= e
    )
