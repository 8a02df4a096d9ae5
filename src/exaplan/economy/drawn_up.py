"""Three statements from a ledger: cash flow, income, balance sheet. No line is the difference of others.

Assets and liabilities are measured from stocks: the books, orders with their dates, contracts with theirs. Equity is
what it was at the start, plus what was paid in, plus accumulated net income. That both sides agree is a check.
"""

from __future__ import annotations

import numpy as np

from exaplan.domain.lab import Lab
from exaplan.domain.ledger import Ledger
from exaplan.domain.statements import Statements, Switches, total
from exaplan.domain.workload import Serve
from exaplan.economy.accounts import PAID_IN, account_of
from exaplan.economy.leases import Rented, as_leases, as_services
from exaplan.economy.plant import Plant, plant_of

QUARTERS_PER_YEAR = 4
Lines = dict[str, np.ndarray]

LINE_OF = {
    "revenue cost": "revenue_cost", "partners": "partners", "silicon": "silicon", "runs": "runs", "launches": "launches",
    "fees": "fees", "saved": "hours_saved", "other": "other", "interest earned": "interest_earned",
    "interest paid": "interest_paid", "tax": "tax",
}  # fmt: skip
"""Line of the income statement by the line of the account; ``compute``, ``rent`` and ``fixed`` have rules of their own."""


def draw_up(lab: Lab, ledger: Ledger, switches: Switches) -> Statements:
    """Draw up the statements of every path by the conventions of ``switches``."""
    worth = None if switches.impairment == "off" else ledger.economic_value[switches.impairment]
    plant = plant_of(ledger.purchases, QUARTERS_PER_YEAR * switches.life_years, ledger.quarters, worth)
    rented = (
        as_leases(ledger.reservations, ledger.quarters, switches.borrowing_rate)
        if switches.lease == "lease"
        else as_services(ledger.reservations, ledger.quarters)
    )
    open_before = np.arange(ledger.quarters) <= ledger.ended[:, None]  # the quarter of ruin counts
    income = {
        name: amount * open_before
        for name, amount in _income(lab, ledger, switches, plant=plant, rented=rented).items()
        if (amount * open_before).any()
    }
    assets, liabilities = _balances(ledger, plant, rented)
    opening = _opening(ledger, plant, rented)
    equity = _equity(ledger, income, opening, (assets, liabilities))
    alive = ledger.alive
    return Statements(
        first=ledger.first,
        switches=switches,
        weight=ledger.weight,
        alive=alive,
        **_cash_flows(ledger, switches, rented, open_before),
        income=income,
        assets={name: amount * alive for name, amount in assets.items()},
        liabilities={name: amount * alive for name, amount in liabilities.items()},
        equity=equity,
        opening=opening,
    )


def compute_expense(ledger: Ledger, switches: Switches, plant: Plant, rented: Rented) -> Lines:
    """Collect what compute costs in a quarter by its parts, as expensed, positive USD [path, quarter]."""
    rows = {
        name: -amount
        for name, amount in ledger.flows.items()
        if account_of(name).line == "compute"
        or (account_of(name).line == "rent" and switches.lease == "service")
    }
    rows["deposits_credited"] = rented.credited
    rows["renewals_used"] = ledger.used_renewals
    rows["right_of_use_depreciation"] = rented.depreciation
    rows["plant_depreciation"] = plant.depreciation
    return {name: amount for name, amount in rows.items() if amount.any()}


def shares_of_work(ledger: Ledger) -> Lines:
    """Work out the share of all H100-equivalent hours at work by workload; ``idle`` is 1 where nothing works [path, quarter]."""
    hours = ledger.activity.h100e_hours
    whole = total(hours)
    safe = np.where(whole > 0, whole, 1.0)
    return {**{name: amount / safe for name, amount in hours.items()}, "idle": (whole <= 0).astype(float)}


def free_share(workload: Serve) -> float:
    """Share of a workload's tokens that users who pay nothing consume."""
    return workload.seats.free_share if workload.seats is not None else 0.0


def _income(lab: Lab, ledger: Ledger, switches: Switches, *, plant: Plant, rented: Rented) -> Lines:
    lines: Lines = {}
    resold = np.zeros_like(ledger.cash)
    for workload in lab.serve:
        own = ledger.revenues[workload.id]
        kept = own * (1 / workload.revenue_share - 1) if switches.resale == "gross" else 0.0 * own
        lines[f"revenue.{workload.id}"], resold = own + kept, resold + kept
    lines["resellers"] = -resold
    cost = total(compute_expense(ledger, switches, plant, rented))
    shares = shares_of_work(ledger)
    paying, free = np.zeros_like(cost), np.zeros_like(cost)
    for workload in lab.serve:
        paying = paying - cost * shares[workload.id] * (1 - free_share(workload))
        free = free - cost * shares[workload.id] * free_share(workload)
    lines["serving"], lines["free_users"] = paying, free
    for name, group in (("development", lab.develop), ("safety", lab.oversee), ("internal", lab.internal)):
        lines[name] = -cost * sum((shares[workload.id] for workload in group), np.zeros_like(cost))
    lines["idle"] = -cost * shares["idle"]
    for name, amount in ledger.flows.items():
        line = account_of(name).line
        if line == "fixed":
            lines[name] = amount
        elif line in LINE_OF:
            lines[LINE_OF[line]] = lines.get(LINE_OF[line], 0.0) + amount
    lines["impairment"], lines["failures"] = -plant.impaired, -plant.lost - rented.lost
    received = [ledger.flows[name] for name in ("residuals", "hall_residuals") if name in ledger.flows]
    lines["disposals"] = sum(received, -plant.written_off)
    lines["lease_interest"] = -rented.interest
    return lines


def _cash_flows(
    ledger: Ledger, switches: Switches, rented: Rented, open_before: np.ndarray
) -> dict[str, Lines]:
    """Sort the flows into the three parts; the rent of leases is interest and repayment."""
    parts: dict[str, Lines] = {"operating": {}, "investing": {}, "financing": {}}
    paid = np.zeros_like(ledger.cash)
    for name, amount in ledger.flows.items():
        account = account_of(name)
        if account.line == "rent" and switches.lease == "lease":
            paid = paid + amount
        else:
            parts[account.activity][name] = amount
    if switches.lease == "lease":
        interest = -rented.interest * open_before
        if not (interest.any() or paid.any()):
            return parts
        parts["operating"]["lease_interest"] = interest
        parts["financing"]["lease_repaid"] = paid - interest
    return parts


def _balances(ledger: Ledger, plant: Plant, rented: Rented) -> tuple[Lines, Lines]:
    assets = {
        "cash": ledger.cash,
        "receivable": ledger.receivable,
        "prepaid": rented.prepaid[:, 1:] + ledger.prepaid_renewals,
        "construction": plant.construction[:, 1:],
        "chips": plant.chips[:, 1:],
        "halls": plant.halls[:, 1:],
        "right_of_use": rented.right_of_use[:, 1:],
    }
    liabilities = {
        "debt": ledger.debt,
        "supplier_loans": ledger.supplier_loans,
        "payable": plant.payable[:, 1:],
        "lease_liability": rented.liability[:, 1:],
    }
    return assets, liabilities


def _opening(ledger: Ledger, plant: Plant, rented: Rented) -> Lines:
    """Balance sheet before the first quarter: what the lab file tells; what it does not tell stands at zero."""
    told, ones = ledger.opening, np.ones(ledger.paths)
    rows = {
        "cash": told.cash_usd * ones,
        "receivable": told.receivable_usd * ones,
        "prepaid": rented.prepaid[:, 0],
        "construction": plant.construction[:, 0],
        "chips": plant.chips[:, 0],
        "halls": plant.halls[:, 0],
        "right_of_use": rented.right_of_use[:, 0],
        "debt": told.debt_usd * ones,
        "supplier_loans": 0.0 * ones,
        "payable": plant.payable[:, 0],
        "lease_liability": rented.liability[:, 0],
    }
    owed = ("debt", "supplier_loans", "payable", "lease_liability")
    rows["equity_at_start"] = sum(
        (-amount if name in owed else amount for name, amount in rows.items()), 0.0 * ones
    )
    return rows


def _equity(ledger: Ledger, income: Lines, opening: Lines, balances: tuple[Lines, Lines]) -> Lines:
    """Equity from the flows: paid in and earned. Ruin hands what is owned and owed to the creditors.

    The loss of winding up is cash handed over and the other assets less liabilities as measured on that day; it is put
    into ``income``.
    """
    assets, liabilities = balances
    last = np.arange(ledger.quarters) == ledger.ended[:, None]
    if last.any():
        others = total({name: amount for name, amount in assets.items() if name != "cash"})
        handed = ledger.flows.get("wound_up", np.zeros_like(others))
        income["wound_up"] = handed - (others - total(liabilities)) * last
    paid = sum(
        (amount for name, amount in ledger.flows.items() if account_of(name).key in PAID_IN),
        np.zeros_like(ledger.cash),
    )
    return {
        "at_start": np.repeat(opening["equity_at_start"][:, None], ledger.quarters, axis=1),
        "paid_in": paid.cumsum(axis=1),
        "retained": total(income).cumsum(axis=1),
    }
