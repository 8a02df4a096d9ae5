"""Linking rows of money: payments of what is signed, depreciation and tax, raises, cash, and the tail of the loss."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from exaplan.domain.futures import NEVER
from exaplan.optimize.blocks import Builder, RowRange
from exaplan.plan.calendar import TO_THE_END
from exaplan.plan.columns import Columns
from exaplan.plan.inputs import Inputs
from exaplan.plan.layout import USD, Layout
from exaplan.plan.link_rows import LinkRow, events_at, survivors

Term = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Node, column and coefficient arrays of a cash flow in M$, received positive; they broadcast together."""


def running_cost(columns: Columns, inputs: Inputs) -> Iterator[Term]:
    """Cash that a quarter's work costs: on-demand chips, energy, metered use, upkeep of new stock, new commitments.

    What internal use saves comes off.
    """
    stage, sets = inputs.stage, inputs.sets
    node = np.arange(inputs.nodes)
    yield node[:, None, None], columns.rent.index, -stage.rent_price[:, :, None] * stage.block_share
    yield node[:, None, None], columns.work.index, -stage.energy[:, :, None] * stage.block_share
    yield node[:, None], columns.above.index, -inputs.deals.rent[:, sets.metered]
    yield node[:, None], columns.stock.index, -inputs.deals.holding
    yield node, columns.commit.index, -np.ones(inputs.nodes)
    payment = inputs.deals.contract_payment[:, sets.exits]
    yield node[:, None], columns.left.index, payment
    yield node[:, None], columns.insight.index, savings(sets)


def savings(sets: Layout) -> np.ndarray:
    """M$ saved a quarter by one unit of insight of each internal workload [internal]."""
    return np.array([workload.saving_usd_per_quarter for workload in sets.internal], dtype=float) / USD


def revenue(columns: Columns, inputs: Inputs) -> Iterator[Term]:
    """Collect what customers pay for the output of each node's quarter, and what they pay above or below the stated price.

    Columns and values have the axes [node, ..., ...].
    """
    sets, price = inputs.sets, inputs.stage.price
    node = np.arange(inputs.nodes)[:, None, None]
    output = columns.output.index[:, : len(sets.serve)]
    yield node, output, price[:, :, None] * np.ones(output.shape[2])
    beyond = price[:, sets.point_serve] * (sets.point_price - 1)
    yield node, columns.sold.index, beyond[:, :, None] * np.ones(output.shape[2])
    yield node, columns.premium.index[:, :, None], price[:, sets.premium_serve, None]


def commitments(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Must-pay of new reservations: C[n] = C[p] + sum tau (1 - deposit) price_o[m] y_o[m] over arrivals - retirements.

    The price is that of the node of signature; it steps up at the end of each year. In a tail node: the annuity of what
    is still to be paid.
    """
    row = builder.rows("commitments", (inputs.nodes,), lower=0.0, upper=0.0)
    builder.add(row, row.position, columns.commit.index, 1.0)
    inside = np.arange(1, inputs.tree_nodes)
    builder.add(row, row.position[inside], columns.commit.index[inputs.parent[inside]], -1.0)
    must_pay(builder, row, row.position, columns, inputs, np.ones(len(inputs.sets.orderable)))


def must_pay(
    builder: Builder, row: RowRange, at: np.ndarray, columns: Columns, inputs: Inputs, counted: np.ndarray
) -> None:
    """Subtract the must-pay of orders from a row at the positions ``at`` [node], for offers ``counted`` [orderable]."""
    terms, rent = inputs.deals.terms, inputs.deals.rent[: inputs.tree_nodes] * counted
    carry(builder, row, at, columns, inputs, rent * (terms.take_or_pay * (1 - terms.deposit)))
    for after, rise in terms.steps:
        carry(builder, row, at, columns, inputs, rent * (terms.take_or_pay * rise), after=after)


def depreciation(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Straight-line depreciation of new purchases: W[n] = W[p] + capex/life over arrivals - over retirements."""
    if inputs.lab.finance.tax_rate <= 0:
        return
    row = builder.rows("depreciation", (inputs.nodes,), lower=0.0, upper=0.0)
    builder.add(row, row.position, columns.write_down.index, 1.0)
    inside = np.arange(1, inputs.tree_nodes)
    builder.add(row, row.position[inside], columns.write_down.index[inputs.parent[inside]], -1.0)
    price = inputs.deals.capex[: inputs.tree_nodes] / inputs.deals.terms.life
    carry(builder, row, row.position, columns, inputs, price)


def carry(
    builder: Builder,
    row: RowRange,
    at: np.ndarray,
    columns: Columns,
    inputs: Inputs,
    price: np.ndarray,
    *,
    after: int = 0,
) -> None:
    """Subtract ``price`` [tree node, orderable] times orders on arrival, add it on retirement, annuity in the tail.

    ``at`` [node] are the positions in ``row``; with ``after`` it begins so many quarters after arrival.
    """
    cohorts = inputs.cohorts.later(after) if after else inputs.cohorts
    for event, sign in ((cohorts.arrival, -1.0), (cohorts.retirement, 1.0)):
        node, order_quarter, offer = events_at(event, inputs)
        signed_at = inputs.at_quarter[node, order_quarter]
        builder.add(row, at[node], columns.order.index[signed_at, offer], sign * price[signed_at, offer])
    node, order_quarter, offer, weight = survivors(inputs, inputs.tail_discount, TO_THE_END, after=after)
    signed_at = inputs.at_quarter[node, order_quarter]
    builder.add(row, at[node], columns.order.index[signed_at, offer], -weight * price[signed_at, offer])


def tax(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Taxable profit with losses carried forward (a linear approximation: relief cannot exceed what was carried).

    profit - loss = margin - write-down; relief <= profit; relief <= carried[p]; carried[n] = carried[p] + loss - relief.
    """
    finance = inputs.lab.finance
    if finance.tax_rate <= 0:
        return
    nodes, children = np.arange(inputs.nodes), np.arange(1, inputs.nodes)
    before = inputs.parent[children]
    outlay = inputs.deals.fixed + inputs.deals.contract_payment.sum(axis=1)
    row = builder.rows("profit_balance", (inputs.nodes,), lower=-outlay, upper=-outlay)
    builder.add(row, nodes, columns.profit.index, 1.0)
    builder.add(row, nodes, columns.loss.index, -1.0)
    builder.add(row, nodes, columns.write_down.index, 1.0)
    for node, column, value in revenue(columns, inputs):
        builder.add(row, node, column, -(1 - finance.revenue_cost) * value)
    for node, column, value in running_cost(columns, inputs):
        builder.add(row, node, column, -value)
    limit = builder.rows("relief_profit", (inputs.nodes,), upper=0.0)
    builder.add(limit, nodes, columns.relief.index, 1.0)
    builder.add(limit, nodes, columns.profit.index, -1.0)
    start = np.zeros(inputs.nodes)
    start[0] = finance.losses_carried_usd / USD
    available = builder.rows("relief_carried", (inputs.nodes,), upper=start)
    builder.add(available, nodes, columns.relief.index, 1.0)
    builder.add(available, children, columns.carried.index[before], -1.0)
    carry = builder.rows("carried_balance", (inputs.nodes,), lower=start, upper=start)
    builder.add(carry, nodes, columns.carried.index, 1.0)
    builder.add(carry, nodes, columns.loss.index, -1.0)
    builder.add(carry, nodes, columns.relief.index, 1.0)
    builder.add(carry, children, columns.carried.index[before], -1.0)


def raises(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Raise a round once: raised_total[n] = raised_total[p] + raised[n] <= max."""
    row = builder.rows("raises", columns.raised.shape, lower=0.0, upper=0.0)
    builder.add(row, row.position, columns.raised_total.index, 1.0)
    builder.add(row, row.position, columns.raised.index, -1.0)
    children = np.arange(1, inputs.nodes)
    builder.add(row, row.position[children], columns.raised_total.index[inputs.parent[children]], -1.0)


def cash(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Cash: cash[n] = (1 + r) cash[p] + collected - costs - capex - payments - tax + debt + raises + rescue.

    Purchases pay the deposit at order, milestones, and the rest on arrival, and bring their residual at the end of life;
    reservations pay their deposit at signature. A tail node collects and pays what is left at its present value.
    """
    finance, nodes = inputs.lab.finance, np.arange(inputs.nodes)
    children = np.arange(1, inputs.nodes)
    before = inputs.parent[children]
    due = -inputs.deals.fixed - inputs.deals.contract_payment.sum(axis=1)
    due[0] += (1 + finance.cash_rate / 4) * finance.cash_usd / USD
    due[0] += finance.collection_lag_quarters * finance.receivables_usd / USD
    if finance.debt is not None:
        due[0] -= (1 + finance.debt.rate / 4) * finance.debt.outstanding_usd / USD
    row = builder.rows("cash_balance", (inputs.nodes,), lower=due, upper=due)
    builder.add(row, nodes, columns.cash.index, 1.0)
    builder.add(row, children, columns.cash.index[before], -(1 + finance.cash_rate / 4))
    for node, column, value in (*running_cost(columns, inputs), *order_payments(columns, inputs)):
        builder.add(row, node, column, -value)
    _collect(builder, row, columns, inputs)
    fee = np.array([inputs.lab.contracts[number].exit_fee or 0.0 for number in inputs.sets.exits])
    price = inputs.deals.contract_owed[:, inputs.sets.exits] * fee
    builder.add(row, nodes[:, None], columns.left.index, price)
    builder.add(row, children[:, None], columns.left.index[before], -price[children])
    builder.add(row, nodes, columns.profit.index, finance.tax_rate)
    builder.add(row, nodes, columns.relief.index, -finance.tax_rate)
    builder.add(row, nodes, columns.debt.index, -1.0)
    if finance.debt is not None:
        builder.add(row, children, columns.debt.index[before], 1 + finance.debt.rate / 4)
    builder.add(row, nodes[:, None], columns.raised.index, -1.0)
    builder.add(row, nodes, columns.rescue.index, -1.0)


def _collect(builder: Builder, row: RowRange, columns: Columns, inputs: Inputs) -> None:
    finance = inputs.lab.finance
    late = float(finance.collection_lag_quarters)
    now = np.where(inputs.quarter == inputs.quarters, 1.0, 1.0 - late)[:, None, None]
    children = np.arange(1, inputs.nodes)
    before = inputs.parent[children]
    for node, column, value in revenue(columns, inputs):
        builder.add(row, node, column, -(now - finance.revenue_cost) * value)
        builder.add(row, children[:, None, None], column[before], -late * value[before])


def order_payments(columns: Columns, inputs: Inputs) -> Iterator[Term]:
    """Payments that hang on an order itself: deposits, milestones, the rest on arrival, the residual at the end of life."""
    deals, terms, tree = inputs.deals, inputs.deals.terms, inputs.tree_nodes
    capex = deals.capex[:tree]
    deposit = terms.deposit * (capex + deals.rent[:tree] * terms.take_or_pay * terms.life)
    yield np.arange(tree)[:, None], columns.order.index, -deposit
    cohorts = inputs.cohorts
    stages = zip(cohorts.milestones, (-share for _, share in terms.milestones), strict=True)
    for event, share in ((cohorts.arrival, -terms.rest), (cohorts.retirement, terms.residual), *stages):
        node, order_quarter, offer = events_at(event, inputs)
        signed_at = inputs.at_quarter[node, order_quarter]
        yield node, columns.order.index[signed_at, offer], capex[signed_at, offer] * share[offer]
        late = event[inputs.tails] - inputs.quarters  # quarters after the horizon at which it falls due
        leaf, order_quarter, offer = np.nonzero((late >= 0) & (event[inputs.tails] < NEVER))
        weight = inputs.tail_discount ** late[leaf, order_quarter, offer]
        node = inputs.tails[leaf]
        signed_at = inputs.at_quarter[node, order_quarter]
        yield node, columns.order.index[signed_at, offer], capex[signed_at, offer] * share[offer] * weight


def cover(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Liquidity covers what is committed: cash - debt + credit + uncovered >= minimum + kappa * committed outlay.

    Committed outlay of a quarter: must-pay of new reservations and of contracts not left, and fixed costs.
    """
    finance, quarters = inputs.lab.finance, inputs.lab.policy.cover_quarters
    if quarters <= 0:
        return
    nodes = np.arange(inputs.tree_nodes)
    payment = inputs.deals.contract_payment[nodes]
    credit = finance.debt.limit_usd if finance.debt else 0.0
    need = (
        quarters * (payment.sum(axis=1) + inputs.deals.fixed[nodes])
        + (finance.cash_minimum_usd - credit) / USD
    )
    row = builder.rows("cover", (inputs.tree_nodes,), lower=need)
    builder.add(row, nodes, columns.cash.index[nodes], 1.0)
    builder.add(row, nodes, columns.debt.index[nodes], -1.0)
    builder.add(row, nodes, columns.uncovered.index[nodes], 1.0)
    builder.add(row, nodes, columns.commit.index[nodes], -quarters)
    exits = inputs.sets.exits
    builder.add(row, nodes[:, None], columns.left.index[nodes], quarters * payment[:, exits])


def tail_risk(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Rockafellar-Uryasev: excess + eta >= loss of each leaf, loss = - (free cash to equity - raises - rescue at its price).

    With a limit: eta + sum pi excess / (1 - level) - risk_excess <= limit.
    """
    risk = inputs.lab.policy.risk
    if risk.weight <= 0 and risk.limit_usd is None:
        return
    row = builder.rows("tail_risk", (len(inputs.leaves),), lower=0.0)
    at = row.position
    builder.add(row, at, columns.excess.index, 1.0)
    builder.add(row, at, columns.value_at_risk.index, 1.0)
    path = np.column_stack([inputs.at_quarter[inputs.tails], inputs.tails])
    builder.add(row, at[:, None], columns.cash.index[path], (inputs.discount * inputs.cash_worth)[path])
    price = inputs.discount * inputs.lab.policy.rescue_price
    builder.add(row, at[:, None], columns.rescue.index[path], -price[path])
    for number, chance in enumerate(inputs.lab.finance.rounds):
        given = inputs.discount * (1 + chance.dilution_cost)
        builder.add(row, at[:, None], columns.raised.index[path, number], -given[path])
    if risk.limit_usd is None:
        return
    limit = builder.rows("risk_limit", (1,), upper=risk.limit_usd / USD)
    builder.add(limit, 0, columns.value_at_risk.index, 1.0)
    builder.add(limit, 0, columns.risk_excess.index, -1.0)
    builder.add(limit, 0, columns.excess.index, inputs.probability[inputs.leaves] / (1 - risk.level))


MONEY_ROWS: tuple[LinkRow, ...] = (commitments, depreciation, tax, raises, cash, cover, tail_risk)
