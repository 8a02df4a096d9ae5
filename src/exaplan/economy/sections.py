"""Lines of the statements in words, and the sections that the income statement sorts its lines into."""

from __future__ import annotations

from exaplan.domain.statements import Switches
from exaplan.economy.accounts import ACCOUNTS, label_of

SECTION_OF: dict[str, tuple[str, ...]] = {
    "revenue": ("revenue",),
    "cost of sales": ("resellers", "serving", "revenue_cost", "partners"),
    "research and development": ("development", "safety", "silicon", "runs"),
    "marketing": ("launches",),
    "general": ("internal", "hours_saved", "idle", "fixed", "fees", "other"),
    "value adjustments": ("impairment", "failures", "disposals"),
    "financial": ("interest_earned", "interest_paid", "lease_interest"),
    "tax": ("tax",),
    "winding up": ("wound_up",),
}
"""Sections of the income statement, in order, with their lines; ``free_users`` goes where the switch says."""

LABELS = {
    "resellers": "Resellers' part",
    "serving": "Compute of serving, paying users",
    "free_users": "Compute of serving, free users",
    "revenue_cost": "Costs that move with revenue",
    "partners": "Revenue shared with investors",
    "development": "Compute of development",
    "safety": "Compute of safety",
    "silicon": "Engineering of own silicon",
    "runs": "Training runs, money",
    "internal": "Compute of internal use",
    "hours_saved": "Hours saved by internal use",
    "idle": "Compute in quarters without work",
    "fees": "Fees of deals",
    "impairment": "Impairment of chips",
    "failures": "Paid to suppliers that failed",
    "disposals": "Residuals less book at end of life",
    "lease_interest": "Interest on leases",
    "lease_repaid": "Leases repaid",
    "cash": "Cash",
    "receivable": "Receivables",
    "prepaid": "Prepaid rent and deposits",
    "construction": "Construction in progress",
    "chips": "Chips, servers and network",
    "halls": "Halls",
    "right_of_use": "Right of use",
    "debt": "Credit line",
    "supplier_loans": "Loans of suppliers",
    "payable": "Payable for what is delivered",
    "lease_liability": "Lease liability",
    "at_start": "Equity at the start",
    "paid_in": "Paid in since",
    "retained": "Net income since",
}
"""Lines that are no flow, in words."""

_FLOWS = {account.key for account in ACCOUNTS}


def section_of(line: str, switches: Switches) -> str:
    """Find the section of the income statement that a line belongs to.

    Raises
    ------
    KeyError
        For a line that no section has.
    """
    name = line.partition(".")[0]
    if name == "free_users":
        return "cost of sales" if switches.free_users == "cost-of-sales" else "marketing"
    for section, lines in SECTION_OF.items():
        if name in lines:
            return section
    raise KeyError(line)


def words_of(line: str) -> str:
    """Say a line of a statement in words.

    Examples
    --------
    >>> words_of("revenue.chat"), words_of("fixed.payroll"), words_of("chips")
    ('Revenue: chat', 'Fixed cost: payroll', 'Chips, servers and network')
    """
    name, _, member = line.partition(".")
    if name == "revenue":
        return f"Revenue: {member}"
    if line in LABELS:
        return LABELS[line]
    return label_of(line) if name in _FLOWS else line
