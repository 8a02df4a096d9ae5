"""What the duals of a plan say for its statements: the worth of capability, of a utilization point, of a floor point."""

from __future__ import annotations

import math

import numpy as np

from exaplan.domain.ledger import Priced
from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.optimize.highs import duals
from exaplan.plan.accounts import development_share
from exaplan.plan.layout import CHIPS, USD
from exaplan.plan.prices import worths
from exaplan.plan.result import stage_worth, to_plan
from exaplan.plan.solve import Solved

POINT = 0.01


def priced_of(solved: Solved) -> Priced:
    """Read the duals of a solved plan; see :class:`Priced`."""
    inputs = solved.program.inputs
    tree = inputs.tree_nodes
    progress = stage_worth(solved).by_name["progress"] * solved.value(solved.program.columns.progress)
    floor = next((worth for worth in worths(solved) if worth.kind == "floor"), None)
    policy = inputs.lab.policy.floor
    share = development_share(inputs, to_plan(solved))
    utilization, goodput = _points(solved)
    return Priced(
        capability_value_usd=float(progress[:tree].sum()) * USD,
        utilization_point_usd=utilization,
        goodput_point_usd=goodput,
        floor_share=policy.share if policy else math.nan,
        floor_capacity_share=float(share.mean()) if policy else math.nan,
        floor_point_usd=float(floor.raw.sum()) * POINT if floor is not None and policy else math.nan,
        use_price_usd_per_chip_h=_use_prices(solved),
    )


def _points(solved: Solved) -> tuple[float, float]:
    """Worth today of a point of utilization in all serving, and of a point of goodput in all workloads, USD.

    A point on u raises the rate by 0.01 / u; the worth of a rate is its row's dual times what the row makes.
    """
    inputs, sets, columns = solved.program.inputs, solved.program.inputs.sets, solved.program.columns
    dual = duals(solved.solution, solved.model.rows["technology"])
    made = inputs.stage.rate[:, :, None] * solved.value(columns.work)
    by_workload = np.zeros((inputs.nodes, len(sets.workloads), made.shape[2]))
    np.add.at(by_workload.transpose(1, 0, 2), sets.arc_workload, made.transpose(1, 0, 2))
    worth = (np.abs(dual) * by_workload).sum(axis=(0, 2)) if dual.shape == by_workload.shape else None
    if worth is None:
        return math.nan, math.nan
    workloads = (*sets.serve, *sets.train, *sets.safety, *sets.internal)
    used = sum(
        value * POINT / workload.utilization for value, workload in zip(worth, sets.serve, strict=False)
    )
    good = sum(value * POINT / workload.goodput for value, workload in zip(worth, workloads, strict=True))
    return float(used) * USD, float(good) * USD


def _use_prices(solved: Solved) -> dict[str, float]:
    """Worth of one more chip-hour in each use, there and then, USD: prices of chips weighted by the chips at work."""
    inputs, sets = solved.program.inputs, solved.program.inputs.sets
    tree = slice(0, inputs.tree_nodes)
    raw = duals(solved.solution, solved.model.rows["chips"])[tree]
    cash = duals(solved.solution, solved.model.rows["cash_balance"])[tree]
    work = solved.value(solved.program.columns.work)[tree]
    value = (work * raw[:, sets.arc_group]).sum(axis=2)
    paid = (work * inputs.stage.block_share).sum(axis=2) * cash[:, None]
    ends = np.cumsum([0, len(sets.serve), len(sets.train), len(sets.safety), len(sets.internal)])
    found = {}
    for number, use in enumerate(("serving", "development", "safety", "internal")):
        own = (sets.arc_workload >= ends[number]) & (sets.arc_workload < ends[number + 1])
        whole = float(paid[:, own].sum())
        if whole > 0:
            found[use] = float(value[:, own].sum()) / whole * USD / CHIPS / HOURS_PER_QUARTER
    return found
