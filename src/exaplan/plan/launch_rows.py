"""Rows of launches: whether and when each is made, the demand that it brings, and what it takes."""

from __future__ import annotations

import numpy as np

from exaplan.domain.quarter import HOURS_PER_QUARTER, MONTHS_PER_QUARTER
from exaplan.optimize.blocks import Builder, Variable
from exaplan.plan.columns import Columns
from exaplan.plan.flows import pay
from exaplan.plan.inputs import Inputs
from exaplan.plan.layout import CHIPS, FLOP, TOKENS, USD
from exaplan.plan.options import by_age, declare_starts, windows_of


def launches(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Launch or wait: launch_start in {0, 1} at a node of the window, once; demand gains step (1 - decay)^(age - 1) from age 1 on.

    In its own quarter it takes launch_chips from the chips, sum_g weight_g launch_chips = need launch_start; development
    sum_r q_r >= flop launch_start, which makes no progress; and money.
    """
    each = inputs.lab.launches
    if not each:
        return
    start = inputs.lab.horizon.first
    first, last = (np.array([getattr(item, end) - start for item in each]) for end in ("first", "last"))
    begun = declare_starts(builder, inputs, "launch", windows_of(inputs, first, last))
    _demand(builder, inputs, begun.start)
    _chips(builder, inputs, begun.start)
    _development(builder, columns, inputs, begun.start)
    cost = np.array([item.cost_usd for item in each]) / USD
    pay(builder, np.arange(inputs.tree_nodes)[:, None], begun.start.index, -cost, flow="launches")


def launch_serve(inputs: Inputs) -> np.ndarray:
    """Find the serving workload whose demand each launch raises: its number [launch]."""
    serve = [workload.id for workload in inputs.sets.serve]
    return np.array([serve.index(item.workload) for item in inputs.lab.launches], dtype=int)


def demand_steps(inputs: Inputs) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Demand of every launch at the nodes after it: (node, node of the launch, launch, 1e12 tokens), flat and nonzero."""
    each, quarters = inputs.lab.launches, inputs.quarters
    kept = 1 - np.array([item.decay for item in each])
    age = np.arange(quarters + 1)[:, None]
    left = np.where(age > 0, kept ** np.maximum(age - 1, 0), 0.0)
    k = np.arange(inputs.tail_quarters)[:, None]
    annuity = ((inputs.tail_margin * kept) ** k).sum(axis=0)
    node, begun, item, value = by_age(inputs, left, tail=left * annuity)
    tokens = np.array([(item.step_tokens_per_month or 0.0) * MONTHS_PER_QUARTER / TOKENS for item in each])
    share = np.array([item.step_share or 0.0 for item in each])
    own = inputs.stage.demand[node, launch_serve(inputs)[item]]
    return node, begun, item, value * (tokens[item] + share[item] * own)


def _demand(builder: Builder, inputs: Inputs, start: Variable) -> None:
    row = builder.declared("demand")
    node, begun, item, value = demand_steps(inputs)
    serve = launch_serve(inputs)[item]
    tokens = -value[:, None] * inputs.stage.demand_share[serve]
    builder.add(row, row.position[node, serve], start.index[begun, item][:, None], tokens)


def _chips(builder: Builder, inputs: Inputs, start: Variable) -> None:
    """Take chips of any group, each by its own rate on the workload against the best: hours, or a share of its demand."""
    each, sets, tree = inputs.lab.launches, inputs.sets, inputs.tree_nodes
    hours = np.array([item.cost.serving_chip_hours for item in each])
    share = np.array([item.cost.serving_share for item in each])
    taking = np.flatnonzero(hours + share > 0)
    groups, blocks = len(sets.groups), len(inputs.stage.block_share)
    rate = np.zeros((len(sets.workloads) * groups, tree))
    np.maximum.at(rate, sets.arc_workload * groups + sets.arc_group, inputs.stage.rate[:tree].T)
    own = rate.T.reshape(tree, -1, groups)[:, launch_serve(inputs)[taking]]
    best = own.max(axis=2, keepdims=True, initial=0.0)
    weight = np.divide(own, best, out=np.zeros_like(own), where=best > 0)
    most = np.where(weight > 0, np.inf, 0.0)[:, :, :, None]
    chips = builder.variable("launch_chips", (tree, len(taking), groups, blocks), upper=most)
    pool = builder.declared("chips")
    builder.add(pool, pool.position[:tree, None], chips.index, 1.0)
    _feed(builder, inputs, chips, launch_serve(inputs)[taking])
    row = builder.rows("launch_capacity", (tree, len(taking), blocks), lower=0.0, upper=0.0)
    builder.add(row, row.position[:, :, None], chips.index, weight[:, :, :, None])
    asked = inputs.stage.demand[:tree, launch_serve(inputs)[taking]] * share[taking]
    top = best[:, :, 0]
    need = hours[taking] / HOURS_PER_QUARTER / CHIPS + np.divide(
        asked, top, out=np.zeros_like(asked), where=top > 0
    )
    builder.add(row, row.position, start.index[:, taking, None], -need[:, :, None])


def _feed(builder: Builder, inputs: Inputs, chips: Variable, serve: np.ndarray) -> None:
    """Feed the chips of launches [tree node, launch, group, block] at own sites: power and energy as at work.

    ``serve`` [launch] is the workload of each launch; where several models serve it, the one that draws most counts.
    """
    sets, stage, tree = inputs.sets, inputs.stage, inputs.tree_nodes
    own = np.flatnonzero(sets.group_site >= 0)
    if not len(own) or not builder.has_rows("power"):
        return
    power = builder.declared("power")
    at = power.position[:tree, sets.group_site[own]]
    builder.add(power, at[:, None], chips.index[:, :, own], stage.power[own][:, None])
    energy = np.zeros((len(sets.workloads), len(sets.groups), tree))
    np.maximum.at(energy, (sets.arc_workload, sets.arc_group), stage.energy[:tree].T)
    paid = np.moveaxis(energy[serve], 2, 0)[:, :, :, None] * stage.block_share
    pay(builder, np.arange(tree)[:, None, None, None], chips.index, -paid)


def _development(builder: Builder, columns: Columns, inputs: Inputs, start: Variable) -> None:
    flop = np.array([item.cost.development_flop for item in inputs.lab.launches]) / FLOP
    taking = np.flatnonzero(flop > 0)
    tree, first, sets = inputs.tree_nodes, len(inputs.sets.serve), inputs.sets
    row = builder.rows("launch_flop", (tree if len(taking) else 0,), lower=0.0)
    if not len(taking):
        return
    trained = columns.output.index[:tree, first : first + len(sets.train)]
    builder.add(row, row.position[:, None, None], trained, 1.0)
    builder.add(row, row.position[:, None], columns.distil.index[:tree], -1.0)
    builder.add(row, row.position[:, None], start.index[:, taking], -flop[taking])
    stage = inputs.stage
    if stage.progress is not None:
        curve = builder.declared("progress_curve")
        slope = (stage.progress.slope / stage.parity)[:, None] * flop[taking]
        builder.add(curve, curve.position[:tree, :, None], start.index[:, None, taking], slope)
