"""What a chip that is there is still worth to the plan: the prices of its use in every quarter that it has left."""

from __future__ import annotations

import numpy as np

from exaplan.optimize.highs import duals
from exaplan.plan.calendar import run_off
from exaplan.plan.inputs import Inputs, holding_of
from exaplan.plan.layout import CHIPS, USD
from exaplan.plan.solve import Solved


def worth_in_use(solved: Solved, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Worth of one chip at the end of a node's quarter, by the quarter in which it retires, USD of that node.

    Sum over later nodes before retirement of what a chip of the plan's stock is worth there (its shadow price net of
    upkeep and of the floors it raises), over the price of cash at the node: dollars of the node, the plan's own
    discount. After the horizon the tail's margin, fading. Returns [node, orderable, retirement], [node, contract,
    retirement]; retirement runs 0..``last``.
    """
    inputs, model = solved.program.inputs, solved.model
    dual = solved.solution.row_dual.copy()
    dual[model.rows["stock_balance"].span] = 0.0
    stock = model.columns["stock"]
    new = (model.cost - model.pulled_back(dual))[stock.span].reshape(stock.shape)
    cash = duals(solved.solution, model.rows["cash_balance"])
    return (
        _still_to_come(inputs, new, cash, last),
        _still_to_come(inputs, _contracts(solved, cash), cash, last),
    )


def _contracts(solved: Solved, cash: np.ndarray) -> np.ndarray:
    """Raw worth of a thousand chips of each contract at each node [node, contract]."""
    inputs, model, stage = solved.program.inputs, solved.model, solved.program.inputs.stage
    group = inputs.sets.contract_group
    worth = duals(solved.solution, model.rows["chips"]).sum(axis=2)
    if "floor" in model.rows:
        floor = duals(solved.solution, model.rows["floor"]).sum(axis=2)
        worth = worth + np.einsum("nj,j,njg->ng", floor, stage.floor_share, stage.floor_weight)
    up = np.array([contract.availability for contract in inputs.sets.contracts])
    holding = np.array([holding_of(inputs.lab, inputs.rates, inputs.sets, int(g)) for g in group])
    return np.asarray(worth[:, group] * up - cash[:, None] * holding)


def _still_to_come(inputs: Inputs, worth: np.ndarray, cash: np.ndarray, last: int) -> np.ndarray:
    """Add up raw worth [node, source] over the nodes below each node that come before retirement, per dollar there."""
    retirement = np.arange(last + 1)
    beyond = run_off(
        np.zeros_like(retirement), retirement, inputs.quarters, inputs.tail_quarters, inputs.tail_margin
    )
    counts = (inputs.quarter[:, None] < retirement).astype(float)
    counts[inputs.tails] = beyond
    below = np.zeros((inputs.nodes, worth.shape[1], last + 1))
    for node in range(inputs.nodes - 1, 0, -1):  # children come after their parents
        below[inputs.parent[node]] += below[node] + worth[node, :, None] * counts[node]
    return np.asarray(below / np.maximum(cash, 1e-300)[:, None, None] * USD / CHIPS)
