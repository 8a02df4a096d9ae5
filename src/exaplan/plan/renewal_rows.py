"""Rows of renewals: chips whose term ends may be kept for another, at a price fixed before or at the market's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.base import over_quarters
from exaplan.domain.deals import Renewal
from exaplan.domain.futures import World
from exaplan.domain.lab import Lab
from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.domain.supply import Contract, Reserved
from exaplan.optimize.blocks import Builder, RowRange, Variable
from exaplan.plan.calendar import TO_THE_END, run_off, tranches_of
from exaplan.plan.columns import Columns
from exaplan.plan.flows import pay
from exaplan.plan.inputs import Inputs, holding_of
from exaplan.plan.layout import CHIPS, USD, Layout
from exaplan.plan.link_rows import events_at


@dataclass(frozen=True)
class Renewable:
    """A source of chips that may be kept when its term ends."""

    source: Reserved | Contract
    clause: Renewal
    number: int  # among the orderable offers, or among the contracts
    group: int


def renewables(sets: Layout) -> tuple[Renewable, ...]:
    """List the offers and contracts with a right of renewal, offers first."""
    offers = [
        Renewable(offer, offer.renewal, number, int(sets.orderable_group[number]))
        for number, offer in enumerate(sets.orderable)
        if isinstance(offer, Reserved) and offer.renewal is not None
    ]
    contracts = [
        Renewable(contract, contract.renewal, number, int(sets.contract_group[number]))
        for number, contract in enumerate(sets.contracts)
        if contract.renewal is not None
    ]
    return (*offers, *contracts)


def renewals(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Keep chips whose term ends: renewed[n] <= chips that retire at n; kept[n] = kept[p] + renewed[n] - those of a term ago.

    Kept chips join ``chips``, the right side of ``floor``, and are paid, used or not: commit[n] = commit[p] + price[n]
    renewed[n] - what ends. In the tail annuities of what survives, as for orders. A supplier that has failed renews nothing.
    """
    found = renewables(inputs.sets)
    if not found:
        return
    failed = inputs.failed([each.source.supplier for each in found])[: inputs.tree_nodes]
    renewed = builder.variable("renewed", failed.shape, upper=np.where(failed, 0.0, np.inf))
    kept = builder.variable("renewed_stock", (inputs.nodes, len(found)))
    commit = builder.variable("renewed_commit", kept.shape, lower=-np.inf)
    _expiring(builder, columns, inputs, renewed, found)
    price = np.stack([price_of(inputs, each) for each in found], axis=1)
    term = np.array([each.clause.term_quarters for each in found])
    for name, total, unit, factor, quarters in (
        ("renewed_balance", kept, np.ones_like(price), inputs.tail_margin, inputs.tail_quarters),
        ("renewed_commitments", commit, price, inputs.tail_discount, TO_THE_END),
    ):
        row = builder.rows(name, total.shape, lower=0.0, upper=0.0)
        builder.add(row, row.position, total.index, 1.0)
        _accumulate(builder, row, inputs, (total, renewed), unit, term, (factor, quarters))
    _put_to_work(builder, inputs, kept, found)
    _paid(builder, inputs, (renewed, kept, commit), found)


def price_of(inputs: Inputs, each: Renewable) -> np.ndarray:
    """Price of a renewal at each tree node, M$ per thousand chips and quarter [tree node]."""
    return renewal_price(inputs, each, inputs.tree.world, inputs.quarter[: inputs.tree_nodes])


def renewal_price(inputs: Inputs, each: Renewable, world: World, quarter: np.ndarray) -> np.ndarray:
    """Price of a renewal in ``quarter`` [node or path] of a world of the same axis, M$ per thousand chips and quarter."""
    clause, source = each.clause, each.source
    if clause.price_usd_per_chip_h is not None:
        price = np.full(len(quarter), clause.price_usd_per_chip_h)
    elif isinstance(source, Contract):
        price = np.full(len(quarter), source.price_usd_per_chip_h)
    else:
        price = over_quarters(source.price_usd_per_chip_h, inputs.quarters)[quarter]
    moved = (1 + clause.market_exposure * (world.rental_index - 1)) * jump_of(inputs.lab, world, each)
    return np.asarray(price * moved * HOURS_PER_QUARTER * CHIPS / USD)


def jump_of(lab: Lab, world: World, each: Renewable) -> np.ndarray:
    """Return the factor by which the supplier has moved the price of what it renews now [...]."""
    if not world.jump.shape[-1]:
        return np.ones(world.rental_index.shape)
    return np.asarray(world.jump[..., lab.suppliers.index(each.source.supplier)])


def granted_of(lab: Lab, world: World, each: Renewable) -> np.ndarray:
    """Share of what ends now that the supplier renews [...]."""
    if not world.refused.shape[-1]:
        return np.ones(world.rental_index.shape)
    return np.asarray(1 - world.refused[..., lab.suppliers.index(each.source.supplier)])


def granted_by_node(inputs: Inputs, found: tuple[Renewable, ...]) -> np.ndarray:
    """Share of what ends at each tree node that is renewed [tree node, renewable]."""
    shares = [granted_of(inputs.lab, inputs.tree.world, each) for each in found]
    return np.stack(shares, axis=1) if shares else np.zeros((inputs.tree_nodes, 0))


def _expiring(
    builder: Builder, columns: Columns, inputs: Inputs, renewed: Variable, found: tuple[Renewable, ...]
) -> None:
    """Add ``renewal_limit``: renewed <= what ends here (orders, or tranches not left) and the supplier does not refuse."""
    sets, tree = inputs.sets, inputs.tree_nodes
    tranches = tranches_of(sets.contracts, inputs.lab.horizon.first, inputs.lab.suppliers)
    _, retirement = tranches.lives(inputs.slip[:tree])
    ends = (retirement == inputs.quarter[:tree, None]) * tranches.chips / CHIPS
    chips = np.zeros((tree, len(found)))
    granted = granted_by_node(inputs, found)
    for place, each in enumerate(found):
        if isinstance(each.source, Contract):
            chips[:, place] = ends[:, tranches.contract == each.number].sum(axis=1) * granted[:, place]
    row = builder.rows("renewal_limit", renewed.shape, upper=chips)
    builder.add(row, row.position, renewed.index, 1.0)
    node, order_quarter, offer = events_at(inputs.cohorts.retirement, inputs)
    for place, each in enumerate(found):
        if isinstance(each.source, Contract):
            for exit_ in np.flatnonzero(sets.exits == each.number):
                left = columns.left.index[:tree, exit_]
                builder.add(row, row.position[:, place], left, chips[:, place])
            continue
        own = offer == each.number
        order = columns.order.index[inputs.at_quarter[node[own], order_quarter[own]], each.number]
        builder.add(row, row.position[node[own], place], order, -granted[node[own], place])


def _accumulate(
    builder: Builder,
    row: RowRange,
    inputs: Inputs,
    variables: tuple[Variable, Variable],
    unit: np.ndarray,
    term: np.ndarray,
    tail: tuple[float, int],
) -> None:
    """Add total[n] = total[p] + unit renewed[n] - unit renewed[term ago]; in the tail annuities by (factor, quarters)."""
    (total, renewed), tree = variables, np.arange(inputs.tree_nodes)
    builder.add(row, row.position[1 : len(tree)], total.index[inputs.parent[1 : len(tree)]], -1.0)
    builder.add(row, row.position[tree], renewed.index, -unit)
    for place, quarters in enumerate(term):
        node = tree[inputs.quarter[tree] >= quarters]
        before = inputs.at_quarter[node, inputs.quarter[node] - quarters]
        builder.add(row, row.position[node, place], renewed.index[before, place], unit[before, place])
        begin = np.arange(inputs.quarters)
        weight = run_off(begin, begin + quarters, inputs.quarters, tail[1], tail[0])
        before = inputs.at_quarter[inputs.tails]
        value = -weight * unit[before, place]
        builder.add(row, row.position[inputs.tails, place][:, None], renewed.index[before, place], value)


def _put_to_work(builder: Builder, inputs: Inputs, kept: Variable, found: tuple[Renewable, ...]) -> None:
    """Add kept chips to ``chips``, and to what floors are a share of."""
    chips, floor, stage = builder.declared("chips"), builder.declared("floor"), inputs.stage
    for place, each in enumerate(found):
        up, column = each.source.availability, kept.index[:, place]
        builder.add(chips, chips.position[:, each.group], column[:, None], -up)
        asked = stage.floor_share * stage.floor_weight[:, :, each.group] * up
        builder.add(floor, floor.position, column[:, None, None], -asked[:, :, None])


def _paid(
    builder: Builder,
    inputs: Inputs,
    variables: tuple[Variable, Variable, Variable],
    found: tuple[Renewable, ...],
) -> None:
    """Pay for kept chips: must-pay, the payment on renewal, the holding cost at an own site; they count as committed and spent."""
    (renewed, kept, commit), nodes = variables, np.arange(inputs.nodes)
    tree = nodes[: inputs.tree_nodes]
    once = np.array([each.clause.payment_usd_per_chip for each in found]) * CHIPS / USD
    pay(builder, nodes[:, None], commit.index, -1.0, flow="renewed_rent")
    pay(builder, tree[:, None], renewed.index, -once, flow="renewal_payments")
    holding = np.array([holding_of(inputs.lab, inputs.rates, inputs.sets, each.group) for each in found])
    pay(builder, nodes[:, None], kept.index, -holding, flow="renewed_upkeep")
    if builder.has_rows("cover"):
        cover = builder.declared("cover")
        builder.add(cover, tree[:, None], commit.index[tree], -inputs.lab.policy.cover_quarters)
    partners = [deal.supplier for deal in inputs.lab.deals if deal.must_spend is not None]
    for place, partner in enumerate(partners):
        row = builder.declared("partner_spending")
        own = [number for number, each in enumerate(found) if each.source.supplier == partner]
        at = row.position[:, [place]]
        builder.add(row, at, commit.index[:, own], -1.0)
        builder.add(row, at[tree], renewed.index[:, own], -once[own])
