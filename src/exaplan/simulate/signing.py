"""What is signed on each simulated path: an order rule wishes, and what is allowed and affordable is signed.

The rule is an argument of a replay. The default follows the plan's node (``PlanOrders``); simple rules and a planner that
plans again every quarter are others. Whatever the rule, the same clipping holds (``sign``), dispatch is priced by the
plan's nearest node, and everything but orders (rounds of equity, debt, exits, deals, runs, price points) follows that node.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from exaplan.domain.futures import World
from exaplan.domain.lab import Finance
from exaplan.plan.calendar import Cohorts, cohorts_of
from exaplan.plan.deal_rows import in_force
from exaplan.plan.decided import Decided
from exaplan.plan.inputs import Deals, Inputs
from exaplan.plan.layout import CHIPS, USD
from exaplan.plan.silicon_rows import choices_of
from exaplan.plan.solve import Solved
from exaplan.plan.stage import Stage
from exaplan.plan.supply_rows import whole_lots
from exaplan.simulate.cash import Books, Draws
from exaplan.simulate.dispatch import State, ratio_of
from exaplan.simulate.fleet import Fleet

ALMOST = 1e-6
"""Part of a lot by which a whole one may be missed in rounding."""


@dataclass(frozen=True)
class Known:
    """What is known on every path when a quarter's orders are decided; LP units. Nothing of it lies in the future."""

    quarter: int
    world: World  # [path, quarter 0 .. now]
    node: np.ndarray  # [path] node of the tree that the path resembles
    inputs: Inputs
    stage: Stage  # the quarter's data by path
    deals: Deals  # the quarter's prices and limits by path
    state: State  # live stock, exits, lost demand
    ratio: np.ndarray  # [path] capability against the frontier
    books: Books  # at the end of the quarter before
    ordered: (
        np.ndarray
    )  # [path, quarter, orderable] thousand chips signed in the quarters before; later ones are zero
    rent: np.ndarray  # [path, quarter, orderable] prices at signature
    capex: np.ndarray  # [path, quarter, orderable]
    spare: np.ndarray  # [path] M$ of cash and undrawn credit above the minimum
    most: np.ndarray  # [path, orderable] thousand chips that may be signed

    @cached_property
    def cohorts(self) -> Cohorts:
        """When orders arrive and retire as far as is known: what is due later is expected on time."""
        inputs, seen = self.inputs, self.world.lateness
        paths, _, suppliers = seen.shape
        late = np.zeros((paths, inputs.quarters, suppliers), dtype=np.int64)
        late[:, : self.quarter + 1] = seen
        return cohorts_of(inputs.deals.terms, late, np.full(paths, inputs.quarters))

    def stock_at(self, quarter: int) -> np.ndarray:
        """Thousand chips of what has been ordered that are expected to be live in a quarter [path, orderable]."""
        live = (self.cohorts.arrival <= quarter) & (quarter < self.cohorts.retirement)
        return np.asarray((self.ordered * live).sum(axis=1))


class OrderRule(Protocol):
    """Who decides what is signed: called once a quarter for all paths of a batch, by several threads at once.

    A rule that looks across paths or remembers them is replayed with ``together``.
    """

    def __call__(self, known: Known) -> np.ndarray:
        """Wish for thousand chips [path, orderable]; what is not allowed or affordable is cut from it."""
        ...


@dataclass(frozen=True)
class PlanOrders:
    """Sign what the plan signs at the node that a path resembles.

    The node's orders were sized for the node's liquidity: a path that has less wishes for less, in proportion. ``order``
    [tree node, orderable] in thousand chips stands for the orders of another plan on the same tree, such as a near-optimal
    one; None for the plan's own.
    """

    solved: Solved
    order: np.ndarray | None = None

    def __call__(self, known: Known) -> np.ndarray:
        """Wish for the node's orders, in proportion to the path's liquidity."""
        own = self.solved.value(self.solved.program.columns.order) if self.order is None else self.order
        order = own[known.node]
        wish = np.minimum(np.maximum(order, 0.0), known.most)
        return np.asarray(wish * liquidity(self.solved, known.node, known.quarter, known.spare)[:, None])


def sign(solved: Solved, rule: OrderRule, known: Known, fleet: Fleet, draws: Draws) -> np.ndarray:
    """Sign what the rule wishes for, clipped to what is allowed and affordable; returns deposits paid, M$ [path].

    Allowed is the offer's largest order of the quarter, whole lots where the offer comes in lots, what suppliers and open
    deals let one sign. Nobody signs more deposits than can be paid from liquidity, receivables and planned raises, or than
    the plan itself pays there from the quarter's income.
    """
    inputs, deals, books = solved.program.inputs, known.deals, known.books
    wish = np.minimum(np.maximum(rule(known), 0.0), known.most)
    wish = _within_supplier_orders(inputs, np.where(books.alive[:, None], wish, 0.0))
    means = np.maximum(known.spare + books.receivable, 0.0) + draws.planned_raise.sum(axis=1)
    own, order = inputs.deals, solved.value(solved.program.columns.order)[known.node]
    planned = fleet.deposit(order, own.rent[known.node], own.capex[known.node]).sum(axis=1)
    means = np.maximum(means, liquidity(solved, known.node, known.quarter, known.spare) * planned)
    due = fleet.deposit(wish, deals.rent, deals.capex).sum(axis=1)
    share = np.minimum(1.0, ratio_of(means, due))
    chips, paid = wish * share[:, None], due * share
    lot = whole_lots(inputs, known.quarter)
    if (lot > 0).any():
        chips = np.where(lot > 0, np.floor(chips / np.where(lot > 0, lot, 1.0) + ALMOST) * lot, chips)
        paid = fleet.deposit(chips, deals.rent, deals.capex).sum(axis=1)
    fleet.sign(known.quarter, chips, deals.rent, deals.capex)
    return np.asarray(paid)


def most_allowed(
    solved: Solved, deals: Deals, decided: Decided, gated: np.ndarray, node: np.ndarray
) -> np.ndarray:
    """Most that may be signed [path, orderable]; behind an option, what the plan signs at the node."""
    most = deals.max_order - deals.priority_lift * (1 - decided.priority[node])
    order = np.maximum(solved.value(solved.program.columns.order)[node], 0.0)
    return np.asarray(np.where(gated[node], np.minimum(most, order), most))


def gated_offers(solved: Solved) -> np.ndarray:
    """Offers that the plan's lumps open or shut at a node [tree node, orderable]: their start follows the node.

    Offers that an option unlocks, own silicon, and offers of suppliers that a deal in force excludes.
    """
    inputs = solved.program.inputs
    sets, lab = inputs.sets, inputs.lab
    own = {choice.id for choice in choices_of(lab.silicon)}
    behind = [offer.unlocked_by is not None or offer.id in own for offer in sets.orderable]
    gated = np.tile(np.array(behind, dtype=bool), (inputs.tree_nodes, 1))
    ids = [deal.id for deal in lab.deals]
    for deal in lab.exclusives:
        start = np.round(solved.value(solved.model.columns["deal_start"])[:, ids.index(deal.id)])
        node, at, value = in_force(inputs, deal.id)
        active = np.bincount(node, start[at] * value, minlength=inputs.tree_nodes)[: inputs.tree_nodes] > 0
        excluded = np.array([offer.supplier in deal.excludes for offer in sets.orderable], dtype=bool)
        gated |= active[:, None] & excluded
    return gated


def _within_supplier_orders(inputs: Inputs, wish: np.ndarray) -> np.ndarray:
    """Cut wishes in proportion to the most that may be signed with a supplier in a quarter."""
    for cap in inputs.lab.policy.supplier_order:
        theirs = np.array([offer.supplier == cap.supplier for offer in inputs.sets.orderable], dtype=bool)
        total = wish[:, theirs].sum(axis=1)
        most = np.full_like(total, cap.most_chips / CHIPS)
        share = np.where(total > most, ratio_of(most, total), 1.0)
        wish = np.where(theirs, wish * share[:, None], wish)
    return wish


def spare_of(finance: Finance, books: Books) -> np.ndarray:
    """Liquidity: cash and undrawn credit above the minimum, M$ [path]; negative where there is none."""
    return np.asarray(credit_of(finance) - books.debt + books.cash - finance.cash_minimum_usd / USD)


def liquidity(solved: Solved, node: np.ndarray, quarter: int, spare: np.ndarray) -> np.ndarray:
    """Share of the liquidity with which the plan enters each path's node that the path has, at most 1 [path]."""
    return np.asarray(
        np.minimum(1.0, ratio_of(np.maximum(spare, 0.0), _planned_spare(solved, node, quarter)))
    )


def _planned_spare(solved: Solved, node: np.ndarray, t: int) -> np.ndarray:
    """Liquidity with which the plan enters each path's node, M$ [path]."""
    inputs, columns = solved.program.inputs, solved.program.columns
    finance = inputs.lab.finance
    if t == 0:
        opening = finance.cash_usd / USD
        debt = finance.debt.outstanding_usd / USD if finance.debt else 0.0
        spare = np.full(len(node), opening - debt)
    else:
        before = inputs.parent[node]
        spare = solved.value(columns.cash)[before] - solved.value(columns.debt)[before]
    return np.maximum(spare + credit_of(finance) - finance.cash_minimum_usd / USD, 0.0)


def credit_of(finance: Finance) -> float:
    """Size of the credit line, M$."""
    return finance.debt.limit_usd / USD if finance.debt else 0.0


def draws_of(solved: Solved, world: World, node: np.ndarray, t: int) -> Draws:
    """Say what may be drawn on each path: rounds in their window, as far as the path's own market is open."""
    columns, inputs = solved.program.columns, solved.program.inputs
    first = inputs.lab.horizon.first
    windows = [chance.first - first <= t <= chance.last - first for chance in inputs.lab.finance.rounds]
    able = np.broadcast_to(np.array(windows, dtype=float) * (t < inputs.quarters), (len(node), len(windows)))
    if world.open_round.shape[-1]:
        able = able * world.open_round[:, min(t, inputs.quarters - 1)]
    return Draws(
        open_rounds=able,
        planned_raise=np.maximum(solved.value(columns.raised)[node], 0.0) * (able > 0),
        planned_debt=np.maximum(solved.value(columns.debt)[node], 0.0),
    )
