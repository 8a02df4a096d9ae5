"""The table of flows: every flow of money by name, where it stands in the cash flow statement and in which account.

One table for solved and for simulated plans. A key with a dot belongs to a family: ``fixed.payroll`` to ``fixed``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Activity = Literal["operating", "investing", "financing"]
Group = Literal["collected", "compute", "capex", "other", "draws"]
Line = Literal[
    "compute", "rent", "revenue cost", "partners", "silicon", "runs", "launches", "fees", "fixed", "saved", "other",
    "interest earned", "interest paid", "tax", "wound up", "none",
]  # fmt: skip


@dataclass(frozen=True)
class Account:
    """One flow: its name, its words, its part of the cash flow statement, its account.

    ``line`` is the line of the income statement that it is booked on when it is paid; ``none`` where the money changes
    what is owned or owed and the income statement has it at another time or never. ``group`` is the figure of the
    outcome that it is part of.
    """

    key: str
    label: str
    activity: Activity
    line: Line
    group: Group
    words: str


ACCOUNTS: tuple[Account, ...] = (
    Account("collected", "Collected from customers", "operating", "none", "collected", "revenue of the quarter, or of the one before where collection lags"),
    Account("rent_by_use", "Rent by the hour", "operating", "compute", "compute", "on-demand chips, for the hours used"),
    Account("contract_use", "Contracts, volume by use", "operating", "compute", "compute", "volume of signed contracts beyond take-or-pay"),
    Account("energy", "Energy", "operating", "compute", "compute", "power of chips at work beyond their idle draw, at own sites"),
    Account("metered", "Reservations above take-or-pay", "operating", "compute", "compute", "use of metered reservations beyond what is paid anyway"),
    Account("upkeep", "Upkeep of new chips", "operating", "compute", "compute", "hall and idle power of new chips at own sites"),
    Account("committed_rent", "Rent of new reservations", "operating", "rent", "compute", "must-pay of new reservations, less the deposit credited"),
    Account("contract_rent", "Rent of signed contracts", "operating", "rent", "compute", "must-pay of the contracts signed before the start"),
    Account("contracts_left", "Rent of contracts left", "operating", "compute", "compute", "must-pay no longer due after leaving for a fee"),
    Account("contract_exit_fees", "Exit fees of contracts", "operating", "compute", "compute", "paid to leave signed contracts"),
    Account("signed_upkeep", "Upkeep of the signed fleet", "operating", "compute", "other", "hall and idle power of what stands at own sites already"),
    Account("renewed_rent", "Rent of renewals", "operating", "compute", "other", "must-pay of chips kept for another term"),
    Account("renewed_upkeep", "Upkeep of renewals", "operating", "compute", "other", "hall and idle power of chips kept"),
    Account("flexible_rent", "Chips beyond reservations", "operating", "compute", "other", "flexible volume above what was reserved"),
    Account("flexible_upkeep", "Upkeep beyond reservations", "operating", "compute", "other", "hall and idle power of flexible volume at own sites"),
    Account("rent_of_orders_left", "Rent of orders left", "operating", "compute", "other", "must-pay no longer due after leaving an order"),
    Account("order_exit_fees", "Exit fees of orders", "operating", "compute", "other", "paid to leave orders"),
    Account("must_spend_short", "Must-spend not used", "operating", "compute", "other", "least spending with a partner, paid for nothing"),
    Account("hall_upkeep", "Upkeep of new halls", "operating", "compute", "other", "staff and maintenance of site steps"),
    Account("revenue_cost", "Costs that move with revenue", "operating", "revenue cost", "other", "payment, support, hosting partners"),
    Account("revenue_shared", "Revenue shared with investors", "operating", "partners", "other", "share of revenue under equity deals"),
    Account("silicon_engineering", "Engineering of own silicon", "operating", "silicon", "other", "stages of engineering, expensed when paid"),
    Account("silicon_respins", "Re-spins of own silicon", "operating", "silicon", "other", "what re-spins cost"),
    Account("runs", "Training runs, money", "operating", "runs", "other", "money that named runs and their rules cost"),
    Account("launches", "Launches", "operating", "launches", "other", "money that launches cost"),
    Account("deal_fees", "Fees of deals", "operating", "fees", "other", "paid at signature of deals"),
    Account("fixed", "Fixed cost", "operating", "fixed", "other", "payroll, data, sales and what else no plan avoids"),
    Account("hours_saved", "Hours saved", "operating", "saved", "other", "cost that internal use of own models saves"),
    Account("other", "Other", "operating", "other", "other", "further rows that name no flow"),
    Account("reservation_deposits", "Deposits on reservations", "operating", "none", "capex", "paid at signature and credited over the term: prepaid rent"),
    Account("renewal_payments", "Payments on renewal", "operating", "none", "other", "paid when chips are kept, for the whole further term: prepaid rent"),
    Account("tax", "Tax", "operating", "tax", "other", "tax on the quarter's profit after losses carried forward"),
    Account("interest_earned", "Interest on cash", "operating", "interest earned", "draws", "on cash at the quarter's start"),
    Account("interest_paid", "Interest on the credit line", "operating", "interest paid", "draws", "on the balance at the quarter's start"),
    Account("supplier_loan_interest", "Interest on loans of suppliers", "operating", "interest paid", "other", "interest part of instalments"),
    Account("purchase_deposits", "Deposits on purchases", "investing", "none", "capex", "paid at order"),
    Account("milestones", "Milestones of purchases", "investing", "none", "capex", "parts of the price due between order and delivery"),
    Account("on_delivery", "Rest on delivery", "investing", "none", "capex", "what is left of the price, on arrival"),
    Account("residuals", "Residuals", "investing", "none", "capex", "received for purchases at the end of their life"),
    Account("instalments", "Instalments of signed purchases", "investing", "none", "other", "dated payments of purchases under way at the start"),
    Account("halls", "Halls", "investing", "none", "other", "cost of site steps while they are built"),
    Account("hall_residuals", "Residuals of halls", "investing", "none", "other", "received for site steps at the end of their life"),
    Account("debt_drawn", "Credit line drawn", "financing", "none", "draws", "rise of the balance"),
    Account("debt_repaid", "Credit line repaid", "financing", "none", "draws", "fall of the balance"),
    Account("supplier_loans_drawn", "Loans of suppliers drawn", "financing", "none", "other", "lent by suppliers on what they are paid"),
    Account("supplier_loans_repaid", "Loans of suppliers repaid", "financing", "none", "other", "principal part of instalments"),
    Account("deal_equity", "Equity from deals", "financing", "none", "other", "money received for shares under equity-for-compute deals"),
    Account("raised", "Equity raised", "financing", "none", "draws", "rounds of equity"),
    Account("rescue", "Rescue equity", "financing", "none", "draws", "cash put in at face value where ruin does not end the path"),
    Account("wound_up", "Handed over on ruin", "financing", "wound up", "draws", "cash left when ruin ends the path"),
)  # fmt: skip

_BY_KEY = {account.key: account for account in ACCOUNTS}
PAID_IN = ("deal_equity", "raised", "rescue")
"""Flows that are paid-in capital."""


def account_of(flow: str) -> Account:
    """Find the account of a flow.

    Raises
    ------
    KeyError
        For a flow that is not in the table.

    Examples
    --------
    >>> account_of("fixed.payroll").line
    'fixed'
    """
    return _BY_KEY[flow.partition(".")[0]]


def label_of(flow: str) -> str:
    """Say a flow in words, with the member of its family.

    Examples
    --------
    >>> label_of("fixed.payroll")
    'Fixed cost: payroll'
    """
    member = flow.partition(".")[2]
    label = account_of(flow).label
    return f"{label}: {member}" if member else label
