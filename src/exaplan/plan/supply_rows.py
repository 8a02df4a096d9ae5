"""Rows of supply: no more than a share of the fleet from one supplier; orders in whole lots."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from exaplan.economy.statements import h100_equivalents
from exaplan.optimize.blocks import Builder, Variable
from exaplan.plan.calendar import live_chips, tranches_of
from exaplan.plan.columns import Columns
from exaplan.plan.inputs import Inputs
from exaplan.plan.layout import CHIPS
from exaplan.plan.renewal_rows import renewables
from exaplan.plan.volume_rows import leavable, stretchable

FIRST_YEAR = 4
"""Quarters in which orders come in whole lots unless the offer says otherwise."""


def supplier_share(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Depend on nobody too much: live chips of the supplier <= share * all live chips + over_share, by dense 8-bit peak.

    Live are stock and contracts not left, renewed chips, and chips by the hour as they are used. Like every policy it is kept,
    not sold: ``over_share`` is 0 unless no plan can keep it.
    """
    caps = inputs.lab.policy.supplier_share
    if not caps:
        return
    tree = inputs.tree_nodes
    over = builder.variable("over_share", (tree, len(caps)), upper=0.0)
    signed, suppliers = signed_fleet(inputs)
    named = [cap.supplier for cap in caps]
    part = _part(suppliers, named) - np.array([[cap.share] for cap in caps])
    row = builder.rows("supplier_share", over.shape, upper=-signed @ part.T)
    builder.add(row, row.position, over.index, -1.0)
    for column, weight, names in fleet_terms(columns, inputs, builder.variables):
        count = _part(names, named) - np.array([[cap.share] for cap in caps])
        value = weight[:, None] * count.reshape(1, len(caps), *[1] * (weight.ndim - 2), -1)
        at = row.position.reshape(*row.shape, *[1] * (value.ndim - 2))
        builder.add(row, at, column[:, None], value)


def _part(names: list[str], caps: list[str]) -> np.ndarray:
    """1 where a source is of the capped supplier [cap, source]."""
    return np.array([[name == cap for name in names] for cap in caps], dtype=float).reshape(
        len(caps), len(names)
    )


def weights(inputs: Inputs) -> np.ndarray:
    """H100-equivalents per chip of each group by dense 8-bit peak [group]."""
    chips = [inputs.lab.chips[chip] for chip, _ in inputs.sets.groups]
    return h100_equivalents(1.0, [chip.dense_8bit_op_per_s for chip in chips])


def signed_fleet(inputs: Inputs) -> tuple[np.ndarray, list[str]]:
    """Thousand H100-equivalents of each contract that is live [tree node, contract], and its supplier."""
    lab, tree = inputs.lab, inputs.tree_nodes
    tranches = tranches_of(lab.contracts, lab.horizon.first, lab.suppliers)
    live = live_chips(tranches, len(lab.contracts), inputs.slip[:tree], inputs.quarter[:tree]) / CHIPS
    return live * weights(inputs)[inputs.sets.contract_group], [
        contract.supplier for contract in lab.contracts
    ]


def fleet_terms(
    columns: Columns, inputs: Inputs, further: Mapping[str, Variable]
) -> Iterator[tuple[np.ndarray, np.ndarray, list[str]]]:
    """Columns of live chips [tree node, .., source], their weight, and the supplier of each source.

    ``further`` are all variables by name: renewed chips, orders that have been left, and use beyond the reserved count
    where there are any.
    """
    sets, tree, weight = inputs.sets, inputs.tree_nodes, weights(inputs)
    own = weight[sets.orderable_group]
    yield columns.stock.index[:tree], own * np.ones((tree, 1)), [offer.supplier for offer in sets.orderable]
    count = len(sets.on_demand)
    rent = np.swapaxes(columns.rent.index[:tree, :count], 1, 2)
    hours = inputs.stage.block_share[None, :, None] * weight[sets.on_demand_group[:count]]
    yield rent, hours * np.ones((tree, 1, 1)), [offer.supplier for offer in sets.on_demand]
    yield from _beyond_what_was_signed(columns, inputs, further)
    signed, suppliers = signed_fleet(inputs)
    yield columns.left.index[:tree], -signed[:, sets.exits], [suppliers[number] for number in sets.exits]
    if "renewed_stock" in further:
        found = renewables(sets)
        own = weight[[each.group for each in found]]
        kept = further["renewed_stock"].index[:tree]
        yield kept, own * np.ones((tree, 1)), [each.source.supplier for each in found]
    if "order_left" in further:
        which = leavable(inputs)
        own = -weight[sets.orderable_group[which]]
        gone = further["order_left"].index[:tree]
        yield gone, own * np.ones((tree, 1, 1)), [sets.orderable[number].supplier for number in which]


def _beyond_what_was_signed(
    columns: Columns, inputs: Inputs, further: Mapping[str, Variable]
) -> Iterator[tuple[np.ndarray, np.ndarray, list[str]]]:
    """Chips used beyond those reserved, of orders and of contracts with ``flex_up``: live as they are used.

    A contract's use is of its own flexible volume, which is live already, and of what ``flex_up`` adds; it counts in
    proportion to the two.
    """
    sets, tree, weight = inputs.sets, inputs.tree_nodes, weights(inputs)
    shares = inputs.stage.block_share[None, :, None]
    if "flex_up_use" in further:
        which = stretchable(inputs)
        used = np.swapaxes(further["flex_up_use"].index[:tree], 1, 2)
        own = shares * weight[sets.orderable_group[which]]
        yield used, own * np.ones((tree, 1, 1)), [sets.orderable[number].supplier for number in which]
    signed = [sets.contracts[number] for number in sets.flexible]
    more = np.array([each.flex_up for each in signed])
    place = np.flatnonzero(more)
    if not len(place):
        return
    added = more / (1 - np.array([each.take_or_pay for each in signed]) + more)
    at = len(sets.on_demand) + place
    used = np.swapaxes(columns.rent.index[:tree, at], 1, 2)
    own = shares * (added[place] * weight[sets.on_demand_group[at]])
    yield used, own * np.ones((tree, 1, 1)), [signed[number].supplier for number in place]


def supplier_order(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Sign no more with one supplier in a quarter: sum of y[n, o] over its offers <= most."""
    caps = inputs.lab.policy.supplier_order
    if not caps:
        return
    most = np.array([cap.most_chips for cap in caps]) / CHIPS
    row = builder.rows("supplier_order", (inputs.tree_nodes, len(caps)), upper=most)
    part = _part([offer.supplier for offer in inputs.sets.orderable], [cap.supplier for cap in caps])
    builder.add(row, row.position[:, :, None], columns.order.index[:, None], part)


def lots(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Order whole lots: y[n, o] = lot * count[n, o], count a whole number, until ``lot_until``; any amount afterwards."""
    lot = np.stack([whole_lots(inputs, t) for t in range(inputs.quarters)])
    which = np.flatnonzero((lot > 0).any(axis=0))
    if not len(which):
        return
    tree = inputs.tree_nodes
    size = lot[inputs.quarter[:tree]][:, which]
    whole = size > 0
    most = inputs.deals.max_order[:tree, which] / np.where(whole, size, 1.0)
    count = builder.variable(
        "lot_count", whole.shape, upper=np.where(whole, np.floor(most + 1e-9), 0.0), integer=True
    )
    row = builder.rows(
        "lots", whole.shape, lower=np.where(whole, 0.0, -np.inf), upper=np.where(whole, 0.0, np.inf)
    )
    builder.add(row, row.position, columns.order.index[:, which], 1.0)
    builder.add(row, row.position, count.index, -size)


def whole_lots(inputs: Inputs, quarter: int) -> np.ndarray:
    """Thousand chips of which orders of a quarter are whole multiples [orderable]; 0 where any amount can be ordered."""
    first = inputs.lab.horizon.first
    offers = inputs.sets.orderable
    last = [FIRST_YEAR - 1 if offer.lot_until is None else offer.lot_until - first for offer in offers]
    lots_of = zip(offers, last, strict=True)
    return np.array(
        [(offer.lot_chips or 0.0) / CHIPS if quarter <= end else 0.0 for offer, end in lots_of], dtype=float
    )


Begun = Callable[[Inputs], tuple[str, ...]]

FAMILIES: tuple[tuple[str, Begun], ...] = (
    ("deal", lambda inputs: tuple(deal.id for deal in inputs.lab.deals)),
)
"""Families of options whose start may unlock an offer: name of the family (its variable is NAME_begun) and its items."""


def unlocked(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Open an offer with a deal: y[n, o] <= max_order * begun[n, deal], for offers with ``unlocked_by``.

    What a chip program opens, ``plan.silicon_rows.silicon`` does: it may be from volume on.
    """
    known = {name for _, items in FAMILIES for name in items(inputs)}
    locked = [number for number, offer in enumerate(inputs.sets.orderable) if offer.unlocked_by in known]
    if not locked:
        return
    most = inputs.deals.max_order[: inputs.tree_nodes]
    row = builder.rows("unlocked", (inputs.tree_nodes, len(locked)), upper=0.0)
    builder.add(row, row.position, columns.order.index[:, locked], 1.0)
    for place, number in enumerate(locked):
        name = inputs.sets.orderable[number].unlocked_by
        family, item = next(
            (family, items(inputs).index(name)) for family, items in FAMILIES if name in items(inputs)
        )
        begun = builder.column(f"{family}_begun").index[: inputs.tree_nodes, item]
        builder.add(row, row.position[:, place], begun, -most[:, number])
