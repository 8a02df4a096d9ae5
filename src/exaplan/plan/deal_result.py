"""What a plan decided about deals, and what of it a simulated future follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.errors import NoAnswerError
from exaplan.plan.deal_rows import in_force, largest_revenue, still_due
from exaplan.plan.inputs import highest_priority
from exaplan.plan.layout import USD
from exaplan.plan.money_rows import revenue
from exaplan.plan.options import by_age
from exaplan.plan.solve import Solved


@dataclass(frozen=True)
class SignedDeal:
    """A deal of the plan: where it is signed and what it moves, expected over the tree and undiscounted."""

    id: str
    probability: float  # of being signed within the horizon
    by_quarter: tuple[tuple[str, float], ...]  # quarters in which it may be signed, with probability
    shortfall_usd: float  # paid for nothing because less was spent with the partner than agreed
    revenue_paid_usd: float  # shared with the investor


def deals_of(solved: Solved) -> tuple[SignedDeal, ...]:
    """Tell the deals of a plan.

    Raises
    ------
    NoAnswerError
        Where revenue passed the bound that switches a revenue share off (``largest_revenue``): the plan then paid a
        share that it did not owe.
    """
    inputs, model = solved.program.inputs, solved.model
    if not inputs.lab.deals:
        return ()
    _check_largest_revenue(solved)
    tree, chance = inputs.tree_nodes, inputs.probability
    start = solved.value(model.columns["deal_start"]) * chance[:tree, None]
    rows = []
    for number, deal in enumerate(inputs.lab.deals):
        signed = np.bincount(inputs.quarter[:tree], start[:, number], minlength=inputs.quarters)
        when = tuple((str(inputs.lab.horizon.first + t), float(p)) for t, p in enumerate(signed) if p > 1e-6)
        asked = [each.id for each in inputs.lab.deals if each.must_spend is not None]
        sharing = [each.id for each in inputs.lab.equity if each.revenue_share is not None]
        rows.append(
            SignedDeal(
                id=deal.id,
                probability=float(signed.sum()),
                by_quarter=when,
                shortfall_usd=_expected(solved, "must_spend_short", asked, deal.id),
                revenue_paid_usd=_expected(solved, "revenue_paid", sharing, deal.id),
            )
        )
    return tuple(rows)


def _expected(solved: Solved, name: str, items: list[str], item: str) -> float:
    if item not in items:
        return 0.0
    amount = solved.value(solved.model.columns[name])[:, items.index(item)]
    return float(solved.program.inputs.probability @ amount) * USD


def _check_largest_revenue(solved: Solved) -> None:
    inputs = solved.program.inputs
    if "revenue_paid" not in solved.model.columns:
        return
    x, terms = solved.solution.x, revenue(solved.program.columns, inputs)
    earned = sum((x[column] * value).reshape(inputs.nodes, -1).sum(axis=1) for _, column, value in terms)
    over = earned - largest_revenue(inputs)
    if over.max() > 1e-6 * (1 + np.abs(over).max()):
        where = int(over.argmax())
        raise NoAnswerError(
            f"revenue of node {where} is {over[where]:.3g} M$ above the bound on which the revenue share rests"
        )


def priority_of(solved: Solved) -> np.ndarray:
    """Share of the lift by priority that the deals in force give at each node [tree node, orderable]."""
    inputs = solved.program.inputs
    share = np.zeros((inputs.tree_nodes, len(inputs.sets.orderable)))
    suppliers = np.array([offer.supplier for offer in inputs.sets.orderable])
    ids = [deal.id for deal in inputs.lab.deals]
    for deal in inputs.lab.exclusives:
        if deal.priority > 0:
            start = np.round(solved.value(solved.model.columns["deal_start"])[:, ids.index(deal.id)])
            node, at, value = in_force(inputs, deal.id)
            active = np.bincount(node, start[at] * value, minlength=inputs.tree_nodes)
            part = deal.priority / highest_priority(inputs.lab, deal.supplier)
            share += part * active[:, None] * (suppliers == deal.supplier)
    return np.minimum(share, 1.0)


def revenue_rate_of(solved: Solved) -> tuple[np.ndarray, np.ndarray]:
    """Share of revenue that is due to investors at each node, and what the plan pays there, M$ [node] both."""
    inputs, ids = solved.program.inputs, [deal.id for deal in solved.program.inputs.lab.deals]
    rate, paid = np.zeros(inputs.nodes), np.zeros(inputs.nodes)
    if "revenue_paid" not in solved.model.columns:
        return rate, paid
    paid = solved.value(solved.model.columns["revenue_paid"]).sum(axis=1)
    for deal in inputs.lab.equity:
        clause = deal.revenue_share
        if clause is not None:
            start = np.round(solved.value(solved.model.columns["deal_start"])[:, ids.index(deal.id)])
            node, begun, _, _ = by_age(inputs, np.ones((clause.quarters, 1)))
            rate += clause.share * np.bincount(node, start[begun], minlength=inputs.nodes)
            signed = start[inputs.at_quarter[inputs.tails]]
            rate[inputs.tails] += clause.share * (signed @ still_due(inputs, clause.quarters))
    return rate, paid
