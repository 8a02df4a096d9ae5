"""Rows of volume: reservations that can be left for a fee, and more chips than were reserved."""

from __future__ import annotations

import numpy as np

from exaplan.domain.supply import Reserved
from exaplan.optimize.blocks import Builder, Variable
from exaplan.plan.calendar import TO_THE_END, run_off
from exaplan.plan.columns import Columns
from exaplan.plan.flows import pay
from exaplan.plan.inputs import Inputs
from exaplan.plan.link_rows import events_at
from exaplan.plan.renewal_rows import granted_by_node, renewables


def order_exits(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Leave orders: left[n, order, o] <= y[order, o], left[n] >= left[p] while the cohort lives; equal in the tail.

    Chips left work no more and are not paid; leaving costs the fee's share of what was still owed. The deposit is lost.
    """
    which = leavable(inputs)
    if not which:
        return
    alive = _annuity(inputs, 0, inputs.tail_margin, inputs.tail_quarters)[:, :, which] > 0
    before = np.maximum(inputs.parent, 0)
    in_tail = (np.arange(inputs.nodes) >= inputs.tree_nodes)[:, None, None]
    stays = alive & alive[before] & (np.arange(inputs.nodes) > 0)[:, None, None]
    left = builder.variable(
        "order_left", alive.shape, upper=np.where(alive & (stays | ~in_tail), np.inf, 0.0)
    )
    most = builder.rows("order_exits_most", alive.shape, upper=0.0)
    builder.add(most, most.position[alive], left.index[alive], 1.0)
    node, signed, place = np.nonzero(alive)
    order = columns.order.index[inputs.at_quarter[node, signed], np.array(which)[place]]
    builder.add(most, most.position[alive], order, -1.0)
    row = builder.rows("order_exits", alive.shape, lower=0.0, upper=np.where(stays & in_tail, 0.0, np.inf))
    builder.add(row, row.position[stays], left.index[stays], 1.0)
    builder.add(row, row.position[stays], left.index[before][stays], -1.0)
    _take_off(builder, inputs, left, which)
    _settle(builder, inputs, left, (which, stays))


def leavable(inputs: Inputs) -> list[int]:
    """Orderable offers whose orders can be left for a fee."""
    offers = enumerate(inputs.sets.orderable)
    return [number for number, o in offers if isinstance(o, Reserved) and o.exit_fee is not None]


def _annuity(inputs: Inputs, after: int, factor: float, quarters: int) -> np.ndarray:
    """1 where a cohort (from so many quarters after arrival) lives, in the tail its annuity [node, order quarter, orderable]."""
    cohorts = inputs.cohorts.later(after) if after else inputs.cohorts
    now = inputs.quarter[:, None, None]
    lives = ((cohorts.arrival <= now) & (now < cohorts.retirement)).astype(float)
    tails = inputs.tails
    lives[tails] = run_off(
        cohorts.arrival[tails], cohorts.retirement[tails], inputs.quarters, quarters, factor
    )
    return lives


def _take_off(builder: Builder, inputs: Inputs, left: Variable, which: list[int]) -> None:
    """Take chips that have been left off ``chips``, off what floors are a share of, and off what can be renewed."""
    stage, sets = inputs.stage, inputs.sets
    weight = _annuity(inputs, 0, inputs.tail_margin, inputs.tail_quarters)
    chips, floor = builder.declared("chips"), builder.declared("floor")
    for place, number in enumerate(which):
        group, up = int(sets.orderable_group[number]), stage.available[number]
        column, value = left.index[:, :, place], up * weight[:, :, number]
        builder.add(chips, chips.position[:, group, :, None], column[:, None], value[:, None])
        asked = (stage.floor_share * stage.floor_weight[:, :, group])[:, :, None, None] * value[:, None, None]
        builder.add(floor, floor.position[..., None], column[:, None, None], asked)
    if not builder.has_rows("renewal_limit"):
        return
    limit = builder.declared("renewal_limit")
    node, signed, offer = events_at(inputs.cohorts.retirement, inputs)
    renewable = [k for k, o in enumerate(sets.orderable) if isinstance(o, Reserved) and o.renewal is not None]
    granted = granted_by_node(inputs, renewables(sets))
    for place, number in enumerate(which):
        if number in renewable:
            own, again = offer == number, renewable.index(number)
            gone = left.index[inputs.parent[node[own]], signed[own], place]
            builder.add(limit, limit.position[node[own], again], gone, granted[node[own], again])


def _settle(builder: Builder, inputs: Inputs, left: Variable, exits: tuple[list[int], np.ndarray]) -> None:
    """Save what is no longer paid, pay the fee when leaving; both count in ``cover`` and in what is spent with a partner."""
    (which, stays), tree = exits, inputs.tree_nodes
    saved, owed = must_pay_of_cohorts(inputs)
    fee = np.array([getattr(inputs.sets.orderable[number], "exit_fee", None) or 0.0 for number in which])
    nodes = np.arange(inputs.nodes)[:, None, None]
    pay(builder, nodes, left.index, saved[:, :, which], flow="rent_of_orders_left")
    price = fee * owed[:, :, which]
    price[tree:] = 0.0
    pay(builder, nodes, left.index, -price, flow="order_exit_fees")
    before = np.maximum(inputs.parent, 0)
    pay(builder, nodes, left.index[before], np.where(stays, price, 0.0), flow="order_exit_fees")
    if builder.has_rows("cover"):
        cover, kept = builder.declared("cover"), np.arange(tree)[:, None, None]
        value = inputs.lab.policy.cover_quarters * saved[:tree][:, :, which]
        builder.add(cover, kept, left.index[:tree], value)
    partners = [deal.supplier for deal in inputs.lab.deals if deal.must_spend is not None]
    suppliers = np.array([inputs.sets.orderable[number].supplier for number in which])
    for place, partner in enumerate(partners):
        row = builder.declared("partner_spending")
        value = saved[:, :, which] * (suppliers == partner)
        builder.add(row, row.position[:, place][:, None, None], left.index, value)


def must_pay_of_cohorts(inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
    """Must-pay of each cohort in a node's quarter and all that is owed from it on, M$ per thousand chips.

    Both [node, order quarter, orderable]; in the tail what is paid is its present value.
    """
    terms, now = inputs.deals.terms, inputs.quarter[:, None, None]
    known = inputs.at_quarter >= 0
    rent = np.where(known[:, :, None], inputs.deals.rent[inputs.at_quarter], 0.0) * terms.take_or_pay
    paid, owed = np.zeros(rent.shape), np.zeros(rent.shape)
    for after, rise in ((0, 1 - terms.deposit), *terms.steps):
        cohorts = inputs.cohorts.later(after) if after else inputs.cohorts
        paid += rise * _annuity(inputs, after, inputs.tail_discount, TO_THE_END)
        lives = cohorts.arrival < cohorts.retirement
        owed += rise * lives * np.clip(cohorts.retirement - np.maximum(cohorts.arrival, now), 0, None)
    return rent * paid, rent * owed


def stretchable(inputs: Inputs) -> list[int]:
    """Orderable offers of which more may be used than was reserved."""
    offers = enumerate(inputs.sets.orderable)
    return [number for number, o in offers if isinstance(o, Reserved) and o.flex_up > 0]


def flex_up(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Use more than was reserved: extra[n, o, b] <= flex_up * (l[n, o] - left), paid for the hours used.

    The price is that of the quarter of use; at an own site the holding cost of the chips comes on top.
    """
    sets, stage = inputs.sets, inputs.stage
    which = stretchable(inputs)
    if not which:
        return
    share = np.array([getattr(offer, "flex_up", 0.0) for offer in sets.orderable])
    blocks, nodes = len(stage.block_share), np.arange(inputs.nodes)
    failed = inputs.failed([sets.orderable[number].supplier for number in which])
    extra = builder.variable(
        "flex_up_use", (*failed.shape, blocks), upper=np.where(failed, 0.0, np.inf)[..., None]
    )
    row = builder.rows("flex_up", extra.shape, upper=0.0)
    builder.add(row, row.position, extra.index, 1.0)
    builder.add(row, row.position, columns.stock.index[:, which, None], -share[which, None])
    if "order_left" in builder.variables:  # what has been left stretches no further
        alive = _annuity(inputs, 0, inputs.tail_margin, inputs.tail_quarters)
        for place, number in enumerate(leavable(inputs)):
            if number in which:
                gone = builder.column("order_left").index[:, :, place]
                at = row.position[:, which.index(number)]
                builder.add(row, at[:, :, None], gone[:, None], share[number] * alive[:, None, :, number])
    chips, floor = builder.declared("chips"), builder.declared("floor")
    group, up = sets.orderable_group[which], stage.available[which]
    builder.add(chips, chips.position[:, group], extra.index, -up[:, None])
    asked = stage.floor_share[:, None] * stage.floor_weight[:, :, group] * up
    builder.add(floor, floor.position[:, :, None], extra.index[:, None], -asked[..., None])
    price = inputs.deals.rent[:, which, None] * stage.block_share
    holding = inputs.deals.holding[:, which, None] * stage.block_share
    pay(builder, nodes[:, None, None], extra.index, -price, flow="flexible_rent")
    pay(builder, nodes[:, None, None], extra.index, -holding, flow="flexible_upkeep")
    partners = [deal.supplier for deal in inputs.lab.deals if deal.must_spend is not None]
    suppliers = np.array([sets.orderable[number].supplier for number in which])
    for place, partner in enumerate(partners):
        spending = builder.declared("partner_spending")
        own = price * (suppliers == partner)[:, None]
        builder.add(spending, spending.position[:, place][:, None, None], extra.index, -own)
