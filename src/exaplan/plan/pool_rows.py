"""Work that runs in one place at a time: one chip family in one pool, chosen quarter by quarter."""

from __future__ import annotations

import numpy as np

from exaplan.domain.supply import Reserved
from exaplan.optimize.blocks import Builder
from exaplan.plan.columns import Columns, StageColumns
from exaplan.plan.inputs import Inputs
from exaplan.plan.layout import CHIPS, WATTS, Layout
from exaplan.plan.stage import Stage


def one_pool(builder: Builder, columns: StageColumns, sets: Layout, stage: Stage) -> None:
    """Work of a single pool needs a home: x[n,a,b] <= most[n,a] home[n,a], the right side added by ``homes``.

    As a stage row it says x <= 0; what a node decides about homes shifts it, so simulated futures keep to it too.
    """
    if not len(sets.homing):
        return
    shape = (len(stage.weight), len(sets.homing), len(stage.block_share))
    row = builder.rows("homed", shape, upper=0.0)
    builder.add(row, row.position, columns.work.index[:, sets.homing], 1.0)


def homes(builder: Builder, _columns: Columns, inputs: Inputs) -> None:
    """Choose the home of each workload of a single pool at every tree node: sum over its groups of home[n,a] <= 1.

    A tail node keeps the home of its leaf.
    """
    sets = inputs.sets
    if not len(sets.homing):
        return
    home = builder.variable("home", (inputs.tree_nodes, len(sets.homing)), upper=1.0, integer=True)
    workloads, place = np.unique(sets.arc_workload[sets.homing], return_inverse=True)
    row = builder.rows("one_home", (inputs.tree_nodes, len(workloads)), upper=1.0)
    builder.add(row, row.position[:, place], home.index, 1.0)
    if builder.has_rows("homed"):
        homed = builder.declared("homed")
        nodes = np.arange(inputs.nodes)
        chooser = np.where(nodes < inputs.tree_nodes, nodes, inputs.parent)
        most = most_chips(inputs)[:, sets.arc_group[sets.homing]]
        builder.add(homed, homed.position, home.index[chooser][:, :, None], -most[:, :, None])


def most_chips(inputs: Inputs) -> np.ndarray:
    """Most thousand chips that can be at work in each group at each node [node, group]: all that could be signed so far.

    What offers allow beyond a reservation counts, and contracts that may be renewed count as long as the plan lasts. At an
    own site no more than it could feed with all of its steps.
    """
    sets, stage = inputs.sets, inputs.stage
    most = np.zeros((inputs.nodes, len(sets.groups)))
    limit = inputs.deals.max_order * stage.available * beyond_order(inputs)
    known = inputs.at_quarter >= 0
    signed = (limit[inputs.at_quarter] * known[:, :, None]).sum(axis=1) * stage.weight[:, None]
    np.add.at(most.T, sets.orderable_group, signed.T)
    np.add.at(most.T, sets.on_demand_group, (stage.rent_max * stage.rent_available).T)
    np.add.at(most.T, sets.contract_group, stage.contract_chips.T)
    np.add.at(most.T, sets.contract_group, (stage.weight[:, None] * renewable_chips(inputs)).T)
    built = np.array([sum(step.power_w for step in site.steps) for site in inputs.lab.sites]) / WATTS
    own = np.flatnonzero(sets.group_site >= 0)
    fed = (stage.site_power + built * stage.weight[:, None])[:, sets.group_site[own]]
    most[:, own] = np.minimum(most[:, own], fed / np.maximum(stage.power[own], 1e-12))
    return most


def renewable_chips(inputs: Inputs) -> np.ndarray:
    """Thousand chips up of contracts that may be renewed, all of their tranches, live or not [contract]."""
    chips = np.array([
        sum(tranche.chips for tranche in contract.tranches) * contract.availability if contract.renewal else 0.0
        for contract in inputs.sets.contracts
    ])  # fmt: skip
    return np.asarray(chips / CHIPS)


def beyond_order(inputs: Inputs) -> np.ndarray:
    """Most chips that an order of one may bring: more than one where the offer lets more be used [orderable]."""
    offers = inputs.sets.orderable
    return np.array(
        [1 + (offer.flex_up if isinstance(offer, Reserved) else 0.0) for offer in offers], dtype=float
    )
