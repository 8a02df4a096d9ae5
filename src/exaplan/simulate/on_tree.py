"""Where a simulated path stands exactly where the plan stood."""

from __future__ import annotations

import numpy as np

from exaplan.plan.inputs import demand_effect
from exaplan.plan.solve import Solved
from exaplan.plan.stage import Stage
from exaplan.simulate.dispatch import State

ON_TREE = 1e-9
"""Distance of a path from its node, in the tree's scale, up to which it is the node's own future."""


def as_planned(solved: Solved, state: State, stage: Stage, ratio: np.ndarray, node: np.ndarray) -> np.ndarray:
    """Whether a path's state and its quarter are the plan's own at its node [path].

    Distance alone does not tell: it leaves out states that move no money on average.
    """
    columns, inputs = solved.program.columns, solved.program.inputs
    own_stage = inputs.stage
    pairs = [
        (state.stock, solved.value(columns.stock)[node]),
        (state.lost, solved.value(columns.lost)[node]),
        (state.left, solved.value(columns.left)[node]),
        (state.ready, solved.value(columns.ready)[node]),
        (stage.demand, own_stage.demand[node]),
        (stage.price, own_stage.price[node]),
        (stage.contract_chips, own_stage.contract_chips[node]),
        (stage.rent_price, own_stage.rent_price[node]),
        (stage.rent_max, own_stage.rent_max[node]),
        (stage.site_power, own_stage.site_power[node]),
        (stage.rate, own_stage.rate[node]),
    ]
    if inputs.sets.sensitivity.any():
        pairs.append((ratio[:, None], solved.value(columns.ratio)[node][:, None]))
    same = np.ones(len(node), dtype=bool)
    for own, planned in pairs:
        same &= (np.abs(own - planned) <= 1e-6 * (1 + np.abs(planned))).all(axis=1)
    return same


def demand_effect_of(solved: Solved, ratio: np.ndarray, node: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Demand effect of capability [path, serve]: the true curve off the tree, the plan's own line where a path is on it."""
    inputs = solved.program.inputs
    line = 1 + solved.value(solved.program.columns.standing)[node][:, None] * inputs.sets.sensitivity
    return np.where(exact[:, None], line, demand_effect(inputs, ratio))
