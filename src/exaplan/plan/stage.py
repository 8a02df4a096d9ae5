"""The data of one quarter, given its stock: what the stage rows read, for tree nodes and for dispatch alike."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TypedDict

import numpy as np

from exaplan.domain.base import over_quarters
from exaplan.domain.futures import NEVER, World
from exaplan.domain.lab import Lab
from exaplan.domain.quarter import HOURS_PER_QUARTER, MONTHS_PER_QUARTER, SECONDS_PER_QUARTER
from exaplan.domain.rates import RateTable
from exaplan.domain.supply import Contract
from exaplan.plan import calendar, layout, services
from exaplan.plan.rate_news import rate_news
from exaplan.plan.tangents import Tangents, mix_planes, power_tangents

MOST_INSIGHT = 1e4
"""Internal use, in reference volumes, up to which its returns diminish; beyond the last tangent they would no longer."""


@dataclass(frozen=True)
class Stage:
    """Arrays of the stage rows. ``node`` is a tree node, a tail node, or the single node of a dispatch.

    In a tail node chips count as annuities of chip-quarters and demand as the annuity of a quarter's demand.
    """

    weight: np.ndarray  # [node] 1, or the annuity of the tail stage
    demand: np.ndarray  # [node, serve] 1e12 tokens a quarter at z = 1, nothing lost
    price: np.ndarray  # [node, serve] M$ per 1e12 tokens, at the stated price
    reference_effect: np.ndarray  # [node, serve] demand effect of capability at the reference ratio
    rate: np.ndarray  # [node, arc] output per thousand chips and quarter: 1e12 tokens or 1e24 FLOP
    distil_max: np.ndarray  # [node, run] 1e24 FLOP that a distillation run may take in the quarter
    available: np.ndarray  # [orderable] share of hours up
    contract_chips: np.ndarray  # [node, contract] thousand chips up
    rent_max: np.ndarray  # [node, hourly] thousand chips
    rent_available: np.ndarray  # [hourly] share of hours up
    rent_price: np.ndarray  # [node, hourly] M$ per thousand chips and quarter
    energy: np.ndarray  # [node, arc] M$ per thousand chips at work, beyond their idle draw
    power: np.ndarray  # [group] MW per thousand chips at work
    site_power: np.ndarray  # [node, site] MW
    floor_weight: np.ndarray  # [node, floor, group] capacity per thousand chips, by each chip's own rate
    floor_share: np.ndarray  # [floor]
    floor_level: np.ndarray  # [node, floor] capacity
    oversight: float  # safety capacity per unit of capacity on training and serving
    oversight_weight: np.ndarray  # [node, group]
    block_share: np.ndarray  # [block] share of the quarter's hours
    demand_share: np.ndarray  # [serve, block] share of the quarter's demand
    progress: Tangents | None  # progress per quarter against development compute in parity units
    parity: float  # 1e24 FLOP per quarter
    mix_planes: (
        np.ndarray
    )  # [plane, train] slopes of effective development compute; no planes: any mix counts in full
    insight: tuple[Tangents, ...]  # by internal workload: insight against its output, in reference volumes
    insight_reference: np.ndarray  # [internal] 1e12 tokens a quarter

    def take(self, nodes: np.ndarray) -> Stage:
        """Restrict the node axis."""
        axis = {"weight", "demand", "price", "reference_effect", "rate", "distil_max", "contract_chips", "rent_max", "rent_price", "energy",
                "site_power", "floor_weight", "floor_level", "oversight_weight"}  # fmt: skip
        return replace(self, **{f.name: getattr(self, f.name)[nodes] for f in fields(self) if f.name in axis})


def stage_of_lab(  # noqa: PLR0913 - everything a quarter stands on
    lab: Lab,
    rates: RateTable,
    sets: layout.Layout,
    world: World,
    *,
    source: np.ndarray,
    quarter: np.ndarray,
    slip: np.ndarray,
    standstill: np.ndarray,
    tail: tuple[int, int, float],
) -> Stage:
    """Stage data of every node.

    ``source`` [node] is the row of ``world`` that a node sees, ``quarter`` [node] its quarter, ``slip``
    [node, quarter, supplier] and ``standstill`` [node, quarter, site] its history; ``tail`` is (horizon, quarters of
    the tail stage, factor per quarter).
    """
    quarters, length, factor = tail
    t = np.minimum(quarter, quarters - 1)
    in_tail = quarter == quarters
    annuity = float(calendar.run_off(np.array(0), np.array(length), 0, length, factor))
    weight = np.where(in_tail, annuity, 1.0)
    arc_chip = sets.group_chip[sets.arc_group]
    unit = sets.unit[sets.arc_workload]
    rate = rates.mean[arc_chip, sets.arc_column] * layout.CHIPS * SECONDS_PER_QUARTER / unit[:, None]
    floor_weight, oversight_weight = _weights(lab, rates, sets, t)
    level = np.array([floor.level_flop_per_s for _, floor in sets.floors]) * SECONDS_PER_QUARTER / layout.FLOP
    index = world.rental_index[source]
    firm, flexible = _contract_chips(lab, sets, slip, quarter, (quarters, length, factor))
    rent_max, rent_price = _on_demand(sets, index, world.spot_index[source], t, quarters)
    if world.gone.shape[-1]:
        supplier = np.array([lab.suppliers.index(offer.supplier) for offer in sets.on_demand], dtype=int)
        rent_max = np.where(world.gone[source][:, supplier] > 0, 0.0, rent_max)
    hourly = np.array(
        [c.price_usd_per_chip_h for c in sets.hourly[len(sets.on_demand) :] if isinstance(c, Contract)]
    )
    fixed_price = np.broadcast_to(hourly * HOURS_PER_QUARTER * layout.CHIPS / layout.USD, flexible.shape)
    return Stage(
        weight=weight,
        demand=world.demand_tokens[source] / layout.TOKENS,
        price=world.price_usd_per_token[source] * layout.TOKENS / layout.USD,
        reference_effect=np.ones((len(t), len(sets.serve))),
        rate=np.where(in_tail[:, None] & services.retired(lab, sets)[sets.arc_service], 0.0, rate.T[t])
        * rate_news(lab, rates, sets, world, source=source, quarter=quarter),
        distil_max=services.distil_max(lab, sets, quarter),
        available=np.array([offer.availability for offer in sets.orderable], dtype=float),
        contract_chips=firm,
        rent_max=np.hstack([np.where(in_tail[:, None], 0.0, rent_max), flexible]),
        rent_available=np.array([source.availability for source in sets.hourly], dtype=float),
        rent_price=np.hstack([rent_price, fixed_price]),
        energy=np.broadcast_to(_energy(lab, rates, sets), (len(t), len(arc_chip))),
        power=np.maximum(rates.power_w.max(axis=1), rates.idle_power_w)[sets.group_chip]
        * layout.CHIPS
        / layout.WATTS,
        site_power=_site_power(lab, t, quarters, standstill) * weight[:, None],
        floor_weight=floor_weight,
        floor_share=np.array([floor.share for _, floor in sets.floors]),
        floor_level=np.where(in_tail[:, None], 0.0, level[None, :]),
        oversight=lab.policy.oversight,
        oversight_weight=oversight_weight,
        block_share=sets.block_share,
        demand_share=sets.demand_share,
        **_curves(lab, sets),
    )


class _Curves(TypedDict):
    progress: Tangents | None
    parity: float
    mix_planes: np.ndarray
    insight: tuple[Tangents, ...]
    insight_reference: np.ndarray


def _curves(lab: Lab, sets: layout.Layout) -> _Curves:
    """Concave curves of development and of internal use."""
    law = lab.capability
    reference = [workload.reference_tokens_per_month for workload in sets.internal]
    return _Curves(
        progress=power_tangents(law.returns) if law else None,
        parity=law.parity_flop_per_quarter / layout.FLOP if law else 1.0,
        mix_planes=_mix_planes(lab),
        insight=tuple(power_tangents(workload.returns, highest=MOST_INSIGHT) for workload in sets.internal),
        insight_reference=np.array(reference, dtype=float) * MONTHS_PER_QUARTER / layout.TOKENS,
    )


def _mix_planes(lab: Lab) -> np.ndarray:
    """Slopes of effective development compute by plane and training workload [plane, train]."""
    law = lab.capability
    if law is None or law.experiments_share is None:
        return np.zeros((0, len(lab.develop)))
    side = np.array([0 if workload.id in law.experiments else 1 for workload in lab.develop], dtype=int)
    return mix_planes(law.experiments_share)[:, side]


def _contract_chips(
    lab: Lab, sets: layout.Layout, slip: np.ndarray, quarter: np.ndarray, tail: tuple[int, int, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Thousand chips of signed contracts: must-pay ones that are up [node, contract], others to be had [node, flexible]."""
    quarters, length, factor = tail
    tranches = calendar.tranches_of(lab.contracts, lab.horizon.first, lab.suppliers)
    count = len(lab.contracts)
    live = calendar.live_chips(tranches, count, slip, quarter)
    annuity = calendar.run_off_chips(tranches, count, slip, first=quarters, quarters=length, factor=factor)
    chips = np.where((quarter == quarters)[:, None], annuity, live) / layout.CHIPS
    up = np.array([contract.availability for contract in lab.contracts], dtype=float)
    take = np.ones(count)
    take[sets.flexible] = [lab.contracts[number].take_or_pay for number in sets.flexible]
    supplier = np.array([lab.suppliers.index(contract.supplier) for contract in lab.contracts], dtype=int)
    failed = (
        calendar.failure_quarter(slip)[:, supplier] < NEVER
    )  # who has failed gives no more than what came
    more = np.where(failed, 0.0, [contract.flex_up for contract in lab.contracts])
    return chips * take * up, (chips * (1 - take + more))[:, sets.flexible]


def _weights(lab: Lab, rates: RateTable, sets: layout.Layout, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Capacity weights: a chip counts by its best rate among the protected workloads, zero where it runs none.

    A workload with a place runs on that place's chips only.
    """
    can = np.zeros((len(sets.groups), len(rates.workloads), 1))
    can[sets.arc_group, sets.arc_column] = 1.0
    scale = layout.CHIPS * SECONDS_PER_QUARTER / layout.FLOP
    floors = np.zeros((len(t), len(sets.floors), len(sets.groups)))
    for number, (_, floor) in enumerate(sets.floors):
        which = [rates.workloads.index(name) for name in floor.workloads]
        floors[:, number] = (rates.mean[sets.group_chip] * can)[:, which].max(axis=1).T[t] * scale
    oversight = np.zeros((len(t), len(sets.groups)))
    if lab.policy.oversight > 0 and sets.safety:
        which = [rates.workloads.index(workload.id) for workload in sets.safety]
        oversight = (rates.mean[sets.group_chip] * can)[:, which].max(axis=1).T[t] * scale
    return floors, oversight


def _on_demand(
    sets: layout.Layout, index: np.ndarray, spot: np.ndarray, t: np.ndarray, quarters: int
) -> tuple[np.ndarray, np.ndarray]:
    limit = np.zeros((len(t), len(sets.on_demand)))
    price = np.zeros_like(limit)
    for number, offer in enumerate(sets.on_demand):
        followed = spot if offer.market == "spot" else index
        moved = 1 + offer.market_exposure * (followed - 1)
        hourly = over_quarters(offer.price_usd_per_chip_h, quarters)[t] * moved
        price[:, number] = hourly * HOURS_PER_QUARTER * layout.CHIPS / layout.USD
        limit[:, number] = over_quarters(offer.max_chips, quarters)[t] / layout.CHIPS
    return limit, price


def _energy(lab: Lab, rates: RateTable, sets: layout.Layout) -> np.ndarray:
    chip = sets.group_chip[sets.arc_group]
    site = sets.group_site[sets.arc_group]
    tariff = np.array([s.pue * s.electricity_usd_per_j for s in lab.sites] + [0.0])[site]
    extra = np.maximum(rates.power_w[chip, sets.arc_column] - rates.idle_power_w[chip], 0.0)
    return np.asarray(extra * tariff * 3600 * HOURS_PER_QUARTER * layout.CHIPS / layout.USD)


def _site_power(lab: Lab, t: np.ndarray, quarters: int, standstill: np.ndarray) -> np.ndarray:
    """MW of each site [node, site]: what it feeds in its quarter once it is ready, lost quarters counted."""
    power = np.zeros((len(t), len(lab.sites)))
    for number, site in enumerate(lab.sites):
        ready = (site.ready - lab.horizon.first) if site.ready else 0
        built = t.copy()
        if ready > 0 and standstill.shape[-1]:
            # a quarter lost after the site has its power no longer counts: the quarters built have passed ready
            lost = np.cumsum(standstill[:, :, number], axis=1)
            built = (np.arange(quarters) - lost)[np.arange(len(t)), t]
        power[:, number] = np.where(built >= ready, over_quarters(site.power_w, quarters)[t], 0.0)
    return np.asarray(power / layout.WATTS)
