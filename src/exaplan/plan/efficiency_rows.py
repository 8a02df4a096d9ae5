"""What internal use does to serving: a gain in efficiency that comes a quarter later and goes stale."""

from __future__ import annotations

import numpy as np

from exaplan.optimize.blocks import Builder
from exaplan.plan.columns import Columns
from exaplan.plan.inputs import Inputs


def efficiency(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Serve more with the same chips: eff[n] = (1 - decay) eff[p] + gain insight[p]; output gains eff x reference.

    The gain is counted on a reference output (tokens by chips at work) that ``solve.solve_plan`` moves until it fits, so
    that the program stays linear. A tail node makes one more step; its reference is the annuity of a quarter's.
    """
    gains = np.array([workload.efficiency_gain for workload in inputs.sets.internal], dtype=float)
    if not gains.any():
        return
    keep = 1 - np.array([workload.efficiency_decay for workload in inputs.sets.internal], dtype=float)
    gained = builder.variable("efficiency", (inputs.nodes, len(gains)))
    row = builder.rows("efficiency_balance", gained.shape, lower=0.0, upper=0.0)
    builder.add(row, row.position, gained.index, 1.0)
    children = np.arange(1, inputs.nodes)
    before = inputs.parent[children]
    builder.add(row, row.position[children], gained.index[before], -keep)
    builder.add(row, row.position[children], columns.insight.index[before], -gains)
    technology = builder.declared("technology")
    share = inputs.stage.demand_share
    serve = len(inputs.sets.serve)
    at = technology.position[:, :serve, :, None]
    extra = (inputs.reference_output[:, :, None] * share)[..., None]
    builder.add(technology, at, gained.index[:, None, None, :], -extra)
