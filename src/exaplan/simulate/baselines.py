"""Simple rules that sign without a plan: newsvendor base stock, capacity trigger, proportional growth, rent only.

Each has one or two parameters and sees what a planner sees in the quarter: demand so far, what is live, what is on its way,
today's prices and limits. Capacity is counted in shares of today's demand: a thousand chips serve so much of it, after the
share that floors and oversight take. A wish is filled from the cheapest offers of the path's own quarter. What can be
afforded, floors and dispatch are those of every policy (``simulate.signing``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from exaplan.domain.futures import World
from exaplan.plan.calendar import live_chips, tranches_of
from exaplan.plan.inputs import Inputs
from exaplan.plan.layout import CHIPS
from exaplan.simulate.signing import Known, OrderRule

HIGHEST_RESERVED = 0.9
"""Largest share of capacity that floors are taken to need: beyond it a rule would grow without end."""


def rent_only(known: Known) -> np.ndarray:
    """Sign nothing: contracts run on, everything else is rented by the hour."""
    return np.zeros_like(known.most)


@dataclass(frozen=True)
class BaseStock:
    """Order up to a quantile of demand at delivery, times a stock factor: the newsvendor's critical fractile.

    The quantile is that of the growth of demand from this quarter to the delivery, over the training futures. Arrow,
    Harris and Marschak, Econometrica 19 (1951) 250: order up to the critical fractile of demand over the lead time.
    """

    fractile: float
    stock: float
    growth: GrowthTable

    def __call__(self, known: Known) -> np.ndarray:
        """Fill the gap to the quantile of demand at each offer's delivery."""
        return _fill(
            known, lambda ahead: self.stock * self.growth.quantile(known.quarter, ahead, self.fractile)
        )


@dataclass(frozen=True)
class Trigger:
    """Order a batch as soon as demand passes a share of all capacity, live and on its way.

    A batch is stated in shares of today's demand. After Ryan, Manufacturing & Service Operations Management 6 (2004) 167,
    doi 10.1287/msom.1030.0034: with lead times and growing demand, expand when demand reaches a fixed share of the
    capacity position.
    """

    threshold: float
    batch: float

    def __call__(self, known: Known) -> np.ndarray:
        """Wish for a batch where today's demand over the capacity position is at the threshold."""
        position = _capacity(known, None)
        passed = self.threshold * position <= 1.0
        return _fill(known, lambda _: np.where(passed, position + self.batch, 0.0), fixed=position)


@dataclass(frozen=True)
class Proportional:
    """Keep capacity in proportion to demand, grown at a fixed yearly rate to the delivery."""

    stock: float
    growth: float  # 1/year

    def __call__(self, known: Known) -> np.ndarray:
        """Fill the gap to the grown demand at each offer's delivery."""
        return _fill(known, lambda ahead: self.stock * (1 + self.growth) ** (ahead / 4))


@dataclass(frozen=True)
class GrowthTable:
    """Growth of demand, weighted by revenue, from one quarter to a later one over training futures, sorted."""

    ratio: np.ndarray = field(repr=False)  # [path, quarter] demand over demand in the first quarter

    def quantile(self, quarter: int, ahead: int, fractile: float) -> float:
        """Return the quantile of demand ``ahead`` quarters later over demand now; beyond the horizon growth goes on."""
        last = self.ratio.shape[1] - 1
        then = min(quarter + ahead, last)
        begin = max(0, min(quarter, last - ahead))
        grown = self.ratio[:, min(begin + ahead, last)] / np.maximum(self.ratio[:, begin], 1e-300)
        if then > quarter and then - quarter == ahead:
            grown = self.ratio[:, then] / np.maximum(self.ratio[:, quarter], 1e-300)
        return float(np.quantile(grown, fractile))


def growth_of_world(world: World) -> GrowthTable:
    """Collect the growth of demand over training futures; workloads weigh by their revenue in the first quarter."""
    weight = (world.demand_tokens[:, :1] * world.price_usd_per_token[:, :1]).mean(axis=0)
    first = np.where(world.demand_tokens[:, :1] > 0, world.demand_tokens[:, :1], 1.0)
    total = weight.sum()
    share = weight / total if total > 0 else np.full_like(weight, 1 / max(weight.size, 1))
    return GrowthTable((world.demand_tokens / first * share).sum(axis=2))


@dataclass(frozen=True)
class Family:
    """A rule with its parameters: names, ranges that tuning searches, and how it is made from them."""

    name: str
    parameters: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    make: Callable[[tuple[float, ...]], OrderRule]


def families(training: World) -> tuple[Family, ...]:
    """List the rules that are tuned; what they know of growth comes from the ``training`` futures alone."""
    growth = growth_of_world(training)
    return (
        Family("rent only", (), (), (), lambda _: rent_only),
        Family("newsvendor base stock", ("fractile", "stock"), (0.02, 0.1), (0.98, 2.0), lambda p: BaseStock(p[0], p[1], growth)),
        Family("capacity trigger", ("threshold", "batch"), (0.5, 0.02), (8.0, 0.6), lambda p: Trigger(*p)),
        Family("proportional growth", ("stock", "growth"), (0.1, 0.0), (2.0, 2.0), lambda p: Proportional(*p)),
    )  # fmt: skip


def _fill(
    known: Known, target: Callable[[int], float | np.ndarray], *, fixed: np.ndarray | None = None
) -> np.ndarray:
    """Fill the gap between a target and capacity from the cheapest offers [path, orderable].

    ``target`` gives capacity wanted so many quarters ahead, in shares of today's demand; ``fixed`` replaces the capacity
    expected there by one number for all deliveries.
    """
    sets, terms = known.inputs.sets, known.inputs.deals.terms
    serves = demand_served(known)[:, sets.orderable_group] * known.stage.available
    cost = unit_cost(known, serves)
    have: dict[int, np.ndarray] = {}
    wish, added = np.zeros_like(known.most), np.zeros(len(known.most))
    order = np.argsort(cost, axis=1, kind="stable")
    most = _within_sites(known)
    rows = np.arange(len(wish))
    for rank in range(order.shape[1]):
        offer = order[:, rank]
        lead = terms.lead[offer]
        gap = np.zeros(len(wish))
        for ahead in np.unique(lead):
            at = lead == ahead
            if fixed is None and int(ahead) not in have:
                have[int(ahead)] = _capacity(known, int(ahead))
            now = have[int(ahead)] if fixed is None else fixed
            gap[at] = (np.broadcast_to(target(int(ahead)), now.shape) - now)[at]
        each = serves[rows, offer]
        usable = (each > 0) & np.isfinite(cost[rows, offer])
        chips = np.where(usable, np.maximum(gap - added, 0.0) / np.where(each > 0, each, 1.0), 0.0)
        chips = np.minimum(chips, most[rows, offer])
        wish[rows, offer] = chips
        added += chips * each
    return wish


def demand_served(known: Known) -> np.ndarray:
    """Share of today's demand that a thousand chips of each group serve, after floors and oversight [path, group].

    Work is spread over the workloads as demand is; a chip that cannot run some of them counts for the others. Free of the
    reserved part: development and safety floors take their share of capacity first.
    """
    sets, stage = known.inputs.sets, known.stage
    demand = stage.demand * known.state.effect
    serve = len(sets.serve)
    at = sets.arc_workload < serve
    rate = np.zeros((len(demand), len(sets.groups), serve))
    np.maximum.at(rate.transpose(1, 2, 0), (sets.arc_group[at], sets.arc_workload[at]), stage.rate[:, at].T)
    revenue = demand * stage.price
    share = revenue / np.maximum(revenue.sum(axis=1, keepdims=True), 1e-300)
    need = np.divide(demand[:, None, :], rate, out=np.zeros_like(rate), where=rate > 0).sum(axis=2)
    able = (share[:, None, :] * (rate > 0)).sum(axis=2)
    whole = np.divide(able, need, out=np.zeros_like(need), where=need > 0)
    return np.asarray(whole * (1 - reserved_share(known.inputs)))


def reserved_share(inputs: Inputs) -> float:
    """Share of capacity that floors and oversight take before customers are served."""
    floors = float(sum(floor.share for _, floor in inputs.sets.floors))
    return min(floors + inputs.lab.policy.oversight * (1 - floors), HIGHEST_RESERVED)


def unit_cost(known: Known, serves: np.ndarray) -> np.ndarray:
    """Cost of serving all of today's demand for a quarter through each offer, M$ [path, orderable].

    A reservation costs its rent, a purchase its price over its life; upkeep at own sites comes on top. Infinite where the
    chips cannot serve, or cost more than serving all demand earns: nobody stocks what loses on every sale.
    """
    terms = known.inputs.deals.terms
    price = known.deals.rent * terms.mean_price + known.deals.capex * (1 - terms.residual) / terms.life
    each = price + known.deals.holding
    whole = np.where(serves > 0, each / np.where(serves > 0, serves, 1.0), np.inf)
    earns = (known.stage.demand * known.state.effect * known.stage.price).sum(axis=1)
    earns = earns * (1 - known.inputs.lab.finance.revenue_cost)
    return np.where(whole <= earns[:, None], whole, np.inf)


def _capacity(known: Known, ahead: int | None) -> np.ndarray:
    """Share of today's demand that is served by what is expected to be live ``ahead`` quarters later [path].

    With None the capacity position: everything live now or still to come.
    """
    inputs = known.inputs
    sets, lab, t = inputs.sets, inputs.lab, known.quarter
    serves = demand_served(known)
    late = np.zeros((len(known.most), inputs.quarters, known.world.slip.shape[-1]), dtype=np.int64)
    late[:, : t + 1] = known.world.lateness
    tranches = tranches_of(lab.contracts, lab.horizon.first, lab.suppliers)
    up = np.array([contract.availability for contract in lab.contracts], dtype=float)
    if ahead is None:
        arrival, retirement = tranches.lives(late)
        chips = np.zeros((len(late), len(lab.contracts)))
        coming = tranches.chips * ((retirement > t) & (arrival < inputs.quarters + inputs.tail_quarters))
        np.add.at(chips.T, tranches.contract, coming.T)
        live = known.cohorts.retirement > t
        ordered = (known.ordered * (live & (known.cohorts.arrival < 10**4))).sum(axis=1)
    else:
        chips = live_chips(tranches, len(lab.contracts), late, np.full(len(late), t + ahead))
        ordered = known.stock_at(t + ahead)
    signed = chips / CHIPS * up
    signed[:, sets.exits] *= 1 - known.state.left
    total = (signed * serves[:, sets.contract_group]).sum(axis=1)
    own = ordered * known.stage.available * serves[:, sets.orderable_group]
    return np.asarray(total + own.sum(axis=1))


def _within_sites(known: Known) -> np.ndarray:
    """Most that may be signed [path, orderable], and no more than the power of an own site still feeds on delivery."""
    inputs, sets = known.inputs, known.inputs.sets
    most = known.most.copy()
    site = sets.group_site[sets.orderable_group]
    power = known.stage.power[sets.orderable_group]
    feeds = inputs.stage.site_power[: inputs.tree_nodes]
    for number in range(len(inputs.lab.sites)):
        here = np.flatnonzero(site == number)
        if not len(here):
            continue
        highest = float(feeds[:, number].max(initial=0.0))
        ordered = (known.ordered * (known.cohorts.retirement > known.quarter)).sum(axis=1)[:, here]
        signed = np.flatnonzero(sets.group_site[sets.contract_group] == number)
        taken = (known.stage.contract_chips[:, signed] * known.stage.power[sets.contract_group[signed]]).sum(
            axis=1
        )
        room = np.maximum(highest - taken - (ordered * power[here]).sum(axis=1), 0.0)
        most[:, here] = np.minimum(most[:, here], room[:, None] / np.maximum(power[here], 1e-9) / len(here))
    return most
