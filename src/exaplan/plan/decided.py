"""What a plan decides beside its core variables, as amounts at each node: simulated futures follow the node they resemble."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.plan.deal_result import priority_of, revenue_rate_of
from exaplan.plan.result import STAGE_ROW_NAMES, further_activity, further_demand
from exaplan.plan.solve import Solved


@dataclass(frozen=True)
class Decided:
    """Effects of the variables that further rows declared, at the values of the plan (LP units)."""

    rows: dict[str, np.ndarray]  # stage rows -> [node, ...] what they add to the left side
    cash: np.ndarray  # [node] M$ received, below zero where paid
    profit: np.ndarray  # [node] M$ of taxable profit
    flows: dict[str, np.ndarray]  # name -> [node] M$ received: ``cash`` by name, in the tree's nodes
    given: np.ndarray  # [node] M$ of value given away without cash
    priority: np.ndarray  # [tree node, orderable] share of the lift by priority that deals in force give
    revenue_rate: np.ndarray  # [node] share of revenue due to investors
    revenue_paid: np.ndarray  # [node] M$ of it that stand in cash and profit

    brought: np.ndarray  # [node, serve] 1e12 tokens of demand that deals bring


def decided_of(solved: Solved) -> Decided:
    """Sum what the further variables of a solution put into the stage rows, the cash row and taxable profit."""
    model, inputs = solved.model, solved.program.inputs
    activity = further_activity(solved)
    if activity is None:
        nothing = np.zeros(inputs.nodes)
        return Decided(
            {}, nothing, nothing, {}, nothing, priority_of(solved), nothing, nothing, further_demand(solved)
        )
    amounts = {
        name: activity[model.rows[name].span].reshape(model.rows[name].shape)
        for name in STAGE_ROW_NAMES
        if name in model.rows
    }
    profit = model.rows.get("profit_balance")
    given = model.columns.get("given")
    rate, paid = revenue_rate_of(solved)
    return Decided(
        rows={name: amount for name, amount in amounts.items() if amount.any()},
        cash=-activity[model.rows["cash_balance"].span],
        profit=np.zeros(inputs.nodes) if profit is None else -activity[profit.span],
        flows=_flows(solved),
        given=np.zeros(inputs.nodes) if given is None else solved.solution.x[given.span],
        priority=priority_of(solved),
        revenue_rate=rate,
        revenue_paid=paid,
        brought=further_demand(solved),
    )


def _flows(solved: Solved) -> dict[str, np.ndarray]:
    """Read the named flows of a solution, M$ [node]; those that are zero everywhere are left out."""
    model = solved.program.model
    found = {name: model.expressed(name, solved.solution.x) for name in model.expressions}
    return {name: amount for name, amount in found.items() if amount.any()}
