"""Rows of capital beyond cash, rounds and the credit line: a covenant on debt, and loans of suppliers."""

from __future__ import annotations

import numpy as np

from exaplan.domain.lab import SupplierFinance
from exaplan.optimize.blocks import Builder, Variable
from exaplan.plan.columns import Columns
from exaplan.plan.flows import name_flow, pay
from exaplan.plan.inputs import Inputs
from exaplan.plan.layout import USD
from exaplan.plan.money_rows import order_payments, revenue
from exaplan.plan.options import by_age


def covenant(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Keep the covenant: B[n] <= multiple x 4 x revenue of the quarter; what is above has to be repaid at once."""
    debt = inputs.lab.finance.debt
    if debt is None or debt.revenue_multiple is None:
        return
    tree = np.arange(inputs.tree_nodes)
    row = builder.rows("covenant", (len(tree),), upper=0.0)
    builder.add(row, tree, columns.debt.index[tree], 1.0)
    for _, column, value in revenue(columns, inputs):
        builder.add(row, tree[:, None, None], column[tree], -4 * debt.revenue_multiple * value[tree])


def supplier_loans(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Lend by suppliers: loan[n] <= share x what orders pay the supplier at n; level instalments over the term.

    Instalments that fall after the horizon are paid in the tail node at their present value. Lending is not taxed. The
    quarter's instalments count in ``cover``.
    """
    lenders = inputs.lab.finance.supplier_finance
    if not lenders:
        return
    tree = inputs.tree_nodes
    limit = np.array([lender.limit_usd for lender in lenders]) / USD
    loan = builder.variable("loan", (tree, len(lenders)), upper=limit)
    share = builder.rows("loan_share", loan.shape, upper=0.0)
    builder.add(share, share.position, loan.index, 1.0)
    owner = np.zeros(builder.column_count, dtype=int)
    owner[columns.order.index] = inputs.deals.terms.supplier
    for term in order_payments(columns, inputs):
        node, column, value = (part.reshape(-1) for part in np.broadcast_arrays(*term))
        for number, lender in enumerate(lenders):
            own = owner[column] == inputs.lab.suppliers.index(lender.supplier)
            own &= (node < tree) & (value < 0)
            builder.add(share, share.position[node[own], number], column[own], lender.share * value[own])
    pay(builder, np.arange(tree)[:, None], loan.index, 1.0, taxed=False, flow="supplier_loans_drawn")
    profile, tail = instalments(lenders, inputs.quarters, inputs.tail_discount)
    node, lent_at, item, value = by_age(inputs, -profile, tail=-tail)
    pay(builder, node, loan.index[lent_at, item], value, taxed=False, flow=None)
    _name_instalments(builder, inputs, loan, (profile, tail))
    if builder.has_rows("cover"):  # an instalment is as committed as must-pay
        node, lent_at, item, value = by_age(inputs, profile)
        owed = -inputs.lab.policy.cover_quarters * value
        builder.add(builder.declared("cover"), node, loan.index[lent_at, item], owed)


def _name_instalments(
    builder: Builder, inputs: Inputs, loan: Variable, due: tuple[np.ndarray, np.ndarray]
) -> None:
    """Name the two parts of instalments: interest on what is owed, and repayment; what the tail pays counts as the latter."""
    profile, tail = due
    rate = np.array([lender.rate / 4 for lender in inputs.lab.finance.supplier_finance])
    owed = outstanding(inputs.lab.finance.supplier_finance, len(profile))
    interest = np.zeros_like(profile)
    interest[1:] = rate * owed[:-1]
    parts = (("supplier_loan_interest", interest, None), ("supplier_loans_repaid", profile - interest, -tail))
    for flow, part, later in parts:
        node, lent_at, item, value = by_age(inputs, -part, tail=later)
        name_flow(builder, flow, node, loan.index[lent_at, item], value)


def outstanding(lenders: tuple[SupplierFinance, ...], ages: int) -> np.ndarray:
    """Principal of one dollar lent that is still owed after the instalment of each age [age, lender].

    What n level instalments are still worth at the loan's own rate: level x (1 - (1 + i)^-n) / i.
    """
    rate = np.array([lender.rate / 4 for lender in lenders])
    term = np.array([lender.term_quarters for lender in lenders])
    left = np.clip(term - np.arange(ages)[:, None], 0, None)
    safe = np.where(rate > 0, rate, 1.0)
    shared = (1 - (1 + safe) ** -left.astype(float)) / (1 - (1 + safe) ** -term.astype(float))
    return np.asarray(np.where(rate > 0, shared, left / term))


def instalments(
    lenders: tuple[SupplierFinance, ...], quarters: int, discount: float
) -> tuple[np.ndarray, np.ndarray]:
    """Repayment of one dollar lent by its age in quarters, [age, lender], and what is left of it at the horizon.

    The level instalment of a loan at rate i over m quarters is i / (1 - (1 + i)^-m), the annuity factor turned round.
    """
    age = np.arange(quarters + 1)[:, None]
    rate = np.array([lender.rate / 4 for lender in lenders])
    term = np.array([lender.term_quarters for lender in lenders])
    flat = 1 / term
    safe = np.where(rate > 0, rate, 1.0)
    level = np.where(rate > 0, safe / (1 - (1 + safe) ** -term.astype(float)), flat)
    due = np.where((age >= 1) & (age <= term), level, 0.0)
    left = np.clip(term + 1 - np.maximum(age, 1), 0, None)  # instalments from this age on
    factor = left if discount == 1.0 else (1 - discount**left) / (1 - discount)
    return due, level * factor
