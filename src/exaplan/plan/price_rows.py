"""Rows of workloads that may be offered at several prices: the mix of prices, the demand at each, what is sold at each."""

from __future__ import annotations

import numpy as np

from exaplan.optimize.blocks import Builder
from exaplan.plan.columns import Columns, StageColumns
from exaplan.plan.inputs import Inputs
from exaplan.plan.layout import Layout
from exaplan.plan.stage import Stage


def pricing(builder: Builder, columns: StageColumns, sets: Layout, stage: Stage) -> None:
    """Sell at a price what is asked for at it: sum_k sold_k = q; sold_k <= share_b D e d_k offered_k but at the cheapest.

    D e is demand at the reference effect of capability; the demand row gains share_b D e sum_k (d_k - 1) offered_k. What
    capability brings beyond its reference, and what stays away, is at the cheapest price of the list.
    """
    if not len(sets.priced):
        return
    wanted = stage.weight[:, None] * stage.demand * stage.reference_effect
    at_price = wanted[:, sets.point_serve, None] * stage.demand_share[sets.point_serve]
    if builder.has_rows("demand"):
        row = builder.declared("demand")
        moved = -at_price * (sets.point_demand - 1)[:, None]
        builder.add(row, row.position[:, sets.point_serve], columns.offered.index[:, :, None], moved)
    place = np.searchsorted(sets.priced, sets.point_serve)
    whole = builder.rows(
        "sold_all", (len(wanted), len(sets.priced), len(stage.block_share)), lower=0.0, upper=0.0
    )
    builder.add(whole, whole.position[:, place], columns.sold.index, 1.0)
    builder.add(whole, whole.position, columns.output.index[:, sets.priced], -1.0)
    dear = sets.dear
    most = builder.rows("sold_most", (len(wanted), len(dear), len(stage.block_share)), upper=0.0)
    builder.add(most, most.position, columns.sold.index[:, dear], 1.0)
    builder.add(
        most, most.position, columns.offered.index[:, dear, None],
        -at_price[:, dear] * sets.point_demand[dear, None],
    )  # fmt: skip


def price_mix(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Offer at one price or at a mix of them: sum_k offered_k = 1, as parts of the quarter or of the customers."""
    sets = inputs.sets
    if not len(sets.priced):
        return
    row = builder.rows("offered_once", (inputs.nodes, len(sets.priced)), lower=1.0, upper=1.0)
    place = np.searchsorted(sets.priced, sets.point_serve)
    builder.add(row, row.position[:, place], columns.offered.index, 1.0)


def moved_by_price(inputs: Inputs, offered: np.ndarray) -> np.ndarray:
    """Demand that prices other than the stated one add, over the stated demand [node, serve]."""
    sets = inputs.sets
    moved = np.zeros((len(offered), len(sets.serve)))
    np.add.at(moved.T, sets.point_serve, (offered * (sets.point_demand - 1)).T)
    return np.asarray(moved * inputs.stage.reference_effect)
