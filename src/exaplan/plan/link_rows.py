"""Linking rows: how one quarter's state follows from the quarters before it (stock, exits, lost demand, capability)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from exaplan.optimize.blocks import Builder
from exaplan.plan.calendar import run_off
from exaplan.plan.columns import Columns
from exaplan.plan.inputs import Inputs, growth_of

LinkRow = Callable[[Builder, Columns, Inputs], None]


def stock(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Live chips: l[n] = l[parent] + arrivals(n) - retirements(n), over the arrival map with its slips.

    In a tail node: the annuities of the cohorts that survive, discounted and fading.
    """
    row = builder.rows("stock_balance", columns.stock.shape, lower=0.0, upper=0.0)
    at = row.position
    builder.add(row, at, columns.stock.index, 1.0)
    inside = np.arange(1, inputs.tree_nodes)
    builder.add(row, at[inside], columns.stock.index[inputs.parent[inside]], -1.0)
    for event, sign in ((inputs.cohorts.arrival, -1.0), (inputs.cohorts.retirement, 1.0)):
        node, order_quarter, offer = events_at(event, inputs)
        order = columns.order.index[inputs.at_quarter[node, order_quarter], offer]
        builder.add(row, at[node, offer], order, sign)
    node, order_quarter, offer, weight = survivors(inputs, inputs.tail_margin, inputs.tail_quarters)
    order = columns.order.index[inputs.at_quarter[node, order_quarter], offer]
    builder.add(row, at[node, offer], order, -weight)


def exits(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Keep left what has been left: left[n] >= left[parent]; nothing is left in the tail stage."""
    row = builder.rows("exits", columns.left.shape, lower=0.0, upper=np.inf)
    builder.add(row, row.position, columns.left.index, 1.0)
    children = np.arange(1, inputs.nodes)
    builder.add(row, row.position[children], columns.left.index[inputs.parent[children]], -1.0)
    close = builder.rows("exits_close", (len(inputs.tails), len(inputs.sets.exits)), lower=0.0, upper=0.0)
    builder.add(close, close.position, columns.left.index[inputs.tails], 1.0)
    builder.add(close, close.position, columns.left.index[inputs.leaves], -1.0)


def lost(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Remember customers turned away: H[n] = (1 - recovery) (D[n]/D[p]) H[p] + kappa (D[n]/D[p]) unserved[p].

    Those who leave for want of trust are gone likewise: + (D[n]/D[p]) leaving[p].
    """
    row = builder.rows("lost_balance", columns.lost.shape, lower=0.0, upper=0.0)
    builder.add(row, row.position, columns.lost.index, 1.0)
    children = np.arange(1, inputs.nodes)
    before = inputs.parent[children]
    builder.add(row, row.position[children], columns.lost.index[before], -inputs.lost_keep[children])
    builder.add(
        row,
        row.position[children, :, None],
        columns.unserved.index[before],
        -inputs.lost_new[children, :, None],
    )
    leaving = inputs.sets.churn_serve
    demand = inputs.stage.demand[:, leaving]
    builder.add(
        row,
        row.position[children][:, leaving],
        columns.leaving.index[before],
        -growth_of(demand[before], demand[children]),
    )


def capability(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Effective compute against the frontier and what it does to demand.

    z[n] = keep[n] z[p] + inflow[n] progress[p], z[root] = start; standing[n] = ln z0[n] + (z[n] - z0[n]) / z0[n], the
    logarithm around a reference ratio z0 that is moved until it fits (``solve.solve_plan``). An equality: with "<=" a
    plan would shed customers for free by forgetting how good its models are, and turning them away would cost nothing.
    """
    if inputs.lab.capability is None:
        return
    first = np.zeros(inputs.nodes)
    first[0] = inputs.ratio_start
    row = builder.rows("capability", (inputs.nodes,), lower=first, upper=first)
    builder.add(row, row.position, columns.ratio.index, 1.0)
    children = np.arange(1, inputs.nodes)
    before = inputs.parent[children]
    builder.add(row, row.position[children], columns.ratio.index[before], -inputs.keep[children])
    builder.add(row, row.position[children], columns.progress.index[before], -inputs.inflow[children])
    if not inputs.sets.sensitivity.any():
        return
    near = inputs.reference_ratio
    standing = builder.rows("standing_line", (inputs.nodes,), lower=np.log(near) - 1, upper=np.log(near) - 1)
    builder.add(standing, standing.position, columns.standing.index, 1.0)
    builder.add(standing, standing.position, columns.ratio.index, -1 / near)


LINK_ROWS: tuple[LinkRow, ...] = (stock, exits, lost, capability)


def events_at(event: np.ndarray, inputs: Inputs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Node, order quarter and offer of every event [node, order quarter, orderable] that happens at the node."""
    happens = event == inputs.quarter[:, None, None]
    happens[inputs.tails] = False
    node, order_quarter, offer = np.nonzero(happens)
    return node, order_quarter, offer


def survivors(
    inputs: Inputs, factor: float, quarters: int, *, after: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Tail node, order quarter, offer and run-off annuity of every cohort that outlives the horizon.

    With ``after`` the annuity begins so many quarters after arrival.
    """
    cohorts = inputs.cohorts.later(after) if after else inputs.cohorts
    arrival, retirement = cohorts.arrival[inputs.tails], cohorts.retirement[inputs.tails]
    weight = run_off(arrival, retirement, inputs.quarters, quarters, factor)
    leaf, order_quarter, offer = np.nonzero(weight > 0)
    return inputs.tails[leaf], order_quarter, offer, weight[leaf, order_quarter, offer]
