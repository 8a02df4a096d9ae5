"""Does the end of the horizon decide the beginning? Solve again with four more quarters."""

from __future__ import annotations

import numpy as np

from exaplan.app.pipeline import Planned
from exaplan.domain.lab import Horizon
from exaplan.economy.tree import grow_tree
from exaplan.io.calibration import load_calibration
from exaplan.perf.rate_table import fill_rates
from exaplan.plan.accounts import by_quarter, contract_value
from exaplan.plan.inputs import collect
from exaplan.plan.solve import Solved, solve_plan

MORE_QUARTERS = 4
FIRST_YEAR = 4
SMALL = 0.05
"""Share of the first year's commitments that may move before the report says that the end matters."""


def ends_remark(planned: Planned) -> str:
    """Say how much of the first year's commitments move when the horizon is four quarters longer."""
    change = ends_change(planned)
    if change < SMALL:
        return f"Four more quarters would move {change:.1%} of the first year's commitments: the end hardly matters."
    return (
        f"Four more quarters would move {change:.0%} of the first year's commitments (aim: below {SMALL:.0%}): "
        "part of this plan rests on what happens after the horizon; lengthen it before signing."
    )


def ends_change(planned: Planned) -> float:
    """Dollars of the first year's expected orders that move with a longer horizon, over all of them."""
    lab = planned.lab
    longer = Horizon(first=lab.horizon.first, last=lab.horizon.last + MORE_QUARTERS)
    lab = lab.model_copy(update={"horizon": longer})
    again = solve_plan(
        collect(lab, fill_rates(lab, calibration=load_calibration()), grow_tree(lab, seed=lab.futures.seed))
    )
    before, after = _first_year(planned.solved), _first_year(again)
    total = float(before.sum())
    moved = float(np.abs(after - before).sum())
    return moved / total if total > 0 else float(moved > 0)


def _first_year(solved: Solved) -> np.ndarray:
    """Sum the expected dollars committed in the first year by offer [orderable]."""
    inputs = solved.program.inputs
    orders = np.maximum(solved.value(solved.program.columns.order), 0.0)
    value = contract_value(inputs)[: inputs.tree_nodes]
    return np.asarray(by_quarter(inputs, orders * value)[:FIRST_YEAR].sum(axis=0))
