"""What the chips that a path owns are still worth: by use at the plan's prices, and at market rent."""

from __future__ import annotations

import numpy as np

from exaplan.domain.base import over_quarters
from exaplan.domain.futures import NEVER, World
from exaplan.domain.lab import Lab
from exaplan.domain.ledger import Purchases
from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.domain.supply import Purchase
from exaplan.economy.money import rate_per_quarter, survivor_annuity
from exaplan.plan.fleet_worth import worth_in_use
from exaplan.plan.inputs import holding_of
from exaplan.plan.layout import CHIPS, USD, Layout
from exaplan.plan.solve import Solved


def economic_value(
    solved: Solved, purchases: Purchases, world: World, node: np.ndarray
) -> dict[str, np.ndarray]:
    """Value of what is in service at the end of each quarter, USD [path, quarter], by ``use`` and by ``rent``.

    By use: :func:`worth_in_use` at the node that the path resembles. By rent: what the market asks for the chip by the
    hour in that quarter, less upkeep and idle power, falling by ``ends.fade`` a year, discounted at the cost of equity.
    Both add the residual at the end of life. Halls are not valued: chips are priced with the power they stand on.
    """
    inputs = solved.program.inputs
    paths, quarters = node.shape
    chips = np.flatnonzero(~purchases.hall & (purchases.chips > 0).any(axis=0))
    found = {name: np.zeros((paths, quarters)) for name in ("use", "rent")}
    if not len(chips):
        return found
    items = _items(inputs.sets)
    place = np.array([items.index(purchases.name[number]) for number in chips])
    arrival, retirement = purchases.arrival[:, chips], purchases.retirement[:, chips]
    owned, cost = purchases.chips[:, chips], purchases.cost_usd[:, chips]
    last = int(np.where(retirement < NEVER, retirement, 0).max(initial=0))
    table = np.concatenate(worth_in_use(solved, last), axis=1)
    residual = np.array([_residual(inputs.sets, number) for number in range(len(items))])[place]
    beta = inputs.tail_discount
    keep = inputs.lab.ends.fade
    rate, fade = (float(rate_per_quarter(each)) for each in (inputs.lab.finance.cost_of_equity, -keep))
    for t in range(quarters):
        here = (arrival <= t) & (t < retirement)
        ends = np.where(here, retirement, 0)
        in_use = np.maximum(table[node[:, t, None], place, np.minimum(ends, last)], 0.0)
        scrap = residual * cost * beta ** np.where(here, ends - t, 0)
        rent = _market_rent(solved, world.rental_index[:, t], t)[:, place]
        left = survivor_annuity(rate, np.maximum(ends - t - 1, 0), growth=fade)
        found["use"][:, t] = np.where(here, owned * in_use + scrap, 0.0).sum(axis=1)
        found["rent"][:, t] = np.where(here, owned * rent * left + scrap, 0.0).sum(axis=1)
    return found


def _items(sets: Layout) -> list[str]:
    return [*(offer.id for offer in sets.orderable), *(contract.id for contract in sets.contracts)]


def _residual(sets: Layout, number: int) -> float:
    source = (*sets.orderable, *sets.contracts)[number]
    return source.residual if isinstance(source, Purchase) else 0.0


def _market_rent(solved: Solved, index: np.ndarray, quarter: int) -> np.ndarray:
    """Rent of a chip of each source in a quarter less what it costs to keep, never below zero, USD [path, item]."""
    inputs = solved.program.inputs
    rents = _rents(inputs.lab, index, quarter)
    groups = np.append(inputs.sets.orderable_group, inputs.sets.contract_group)
    up = np.array([source.availability for source in (*inputs.sets.orderable, *inputs.sets.contracts)])
    keep = np.array([holding_of(inputs.lab, inputs.rates, inputs.sets, int(group)) for group in groups])
    chip = [inputs.sets.groups[group][0] for group in groups]
    rent = np.stack([rents[name] for name in chip], axis=1)
    return np.asarray(np.maximum(rent * up - keep * USD / CHIPS, 0.0))


def _rents(lab: Lab, index: np.ndarray, quarter: int) -> dict[str, np.ndarray]:
    """Market rent of each chip of the lab, USD a quarter [path]: the cheapest offer by the hour, else by the term.

    A chip that nobody rents out takes the cheapest rent per dense 8-bit operation; zero where nothing is for rent.
    """
    found: dict[str, np.ndarray] = {}
    for kind in ("reserved", "on-demand"):
        best: dict[str, np.ndarray] = {}
        for offer in lab.offers:
            if offer.kind != kind or isinstance(offer, Purchase):
                continue
            hourly = over_quarters(offer.price_usd_per_chip_h, lab.horizon.quarters)[quarter]
            rent = hourly * (1 + offer.market_exposure * (index - 1)) * HOURS_PER_QUARTER
            best[offer.chip] = np.minimum(best.get(offer.chip, rent), rent)
        found |= best  # by the hour, where there is such an offer
    per_op = [rent / lab.chips[name].dense_8bit_op_per_s for name, rent in found.items()]
    cheapest = np.min(per_op, axis=0) if per_op else np.zeros_like(index)
    return {name: found.get(name, cheapest * chip.dense_8bit_op_per_s) for name, chip in lab.chips.items()}
