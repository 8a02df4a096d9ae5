"""What one more chip earns in each use: at an interior optimum serving, development and internal use agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.optimize.highs import duals
from exaplan.plan.layout import CHIPS, USD
from exaplan.plan.solve import Solved

AT_WORK = 1e-7
"""Thousand chips below which an arc counts as unused."""

LIMITS = ("floor", "oversight", "power", "reserve", "held", "homed", "run_through", "steady")
"""Rows of limits on chips at work: what they ask for or forbid is no earning of the work itself."""


@dataclass(frozen=True)
class Margin:
    """Worth of one more chip for a quarter on a workload, beside what the chip itself is worth there."""

    node: int
    chip: str
    pool: str
    workload: str
    block: int
    chips: float  # at work
    earns_usd: float  # dollars of objective per chip and quarter that the work adds, limits on it included
    limits_usd: float  # of these, what limits on the work add or take
    worth_usd: float  # dual of the chip row, per chip and quarter


def margins_of(solved: Solved, node: int) -> tuple[Margin, ...]:
    """Marginal return of every arc of one node that is at work.

    ``earns`` is the sum of dual times coefficient over every row of the arc but the chip row, less its own cost: what
    the optimality condition sets equal to ``worth`` wherever chips work.
    """
    model, columns = solved.model, solved.program.columns
    sets = solved.program.inputs.sets
    dual = solved.solution.row_dual.copy()
    chips = duals(solved.solution, model.rows["chips"])
    dual[model.rows["chips"].span] = 0.0
    earned = -(model.pulled_back(dual) - model.cost)[columns.work.index[node]]  # [arc, block]
    limits = np.zeros_like(dual)
    for name in LIMITS:
        if name in model.rows:
            limits[model.rows[name].span] = dual[model.rows[name].span]
    bounded = -model.pulled_back(limits)[columns.work.index[node]]
    working = solved.value(columns.work)[node]
    unit = USD / CHIPS
    place = [sets.groups[group] for group in sets.arc_group]
    return tuple(
        Margin(
            node,
            place[arc][0],
            place[arc][1],
            sets.workloads[sets.arc_workload[arc]],
            int(block),
            float(working[arc, block] * CHIPS),
            float(earned[arc, block] * unit),
            float(bounded[arc, block] * unit),
            float(chips[node, sets.arc_group[arc], block] * unit),
        )
        for arc, block in zip(*np.nonzero(working > AT_WORK), strict=True)
    )
