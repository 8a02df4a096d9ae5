"""The sets of a plan: sources, groups, arcs, policies, and where each stands in the arrays.

LP units keep coefficients near one: thousand chips, million USD, 1e12 tokens, 1e24 FLOP, MW.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from exaplan.domain.lab import Floor, Lab
from exaplan.domain.quarter import MONTHS_PER_QUARTER
from exaplan.domain.rates import RateColumn, RateTable, rate_columns
from exaplan.domain.segment import Distillation
from exaplan.domain.supply import Contract, OnDemand, Purchase, Reserved
from exaplan.domain.workload import Internal, Safety, Serve, Train
from exaplan.economy.load import load_blocks

CHIPS = 1e3
USD = 1e6
TOKENS = 1e12
FLOP = 1e24
WATTS = 1e6


@dataclass(frozen=True)
class Layout:
    """Names and index maps of every set, in lab-file order.

    ``orderable`` are the reserved and purchase offers, ``on_demand`` the offers by the hour, ``groups`` the distinct
    (chip, pool) pairs whose chips may be scheduled together, ``arcs`` the (group, workload) pairs that can work; where
    several models may serve a segment, (group, segment served by the model). ``services`` are those (segment, model)
    pairs, ``runs`` the distillations that have to make some of the models.
    """

    orderable: tuple[Reserved | Purchase, ...]
    on_demand: tuple[OnDemand, ...]
    contracts: tuple[Contract, ...]
    groups: tuple[tuple[str, str], ...]
    serve: tuple[Serve, ...]
    train: tuple[Train, ...]
    safety: tuple[Safety, ...]
    internal: tuple[Internal, ...]
    arc_group: np.ndarray  # [arc] index into groups
    arc_workload: np.ndarray  # [arc] index into workloads
    arc_column: np.ndarray  # [arc] index into RateTable.workloads
    arc_service: np.ndarray  # [arc] index into services, -1 where one model serves
    services: tuple[RateColumn, ...]
    service_workload: np.ndarray  # [service] index into serve
    service_run: np.ndarray  # [service] index into distillations, -1 where the model is there already
    distillations: tuple[tuple[str, Distillation], ...]  # model that is made, and how
    point_serve: np.ndarray  # [point] index into serve: prices a workload may be offered at, cheapest first
    point_price: np.ndarray  # [point] price over the stated price
    point_demand: np.ndarray  # [point] demand over the stated demand
    orderable_group: np.ndarray  # [orderable]
    on_demand_group: np.ndarray  # [hourly] groups of the on-demand offers, then of the flexible contracts
    contract_group: np.ndarray  # [contract]
    group_chip: np.ndarray  # [group] index into RateTable.chips
    group_site: np.ndarray  # [group] index into Lab.sites, -1 in a cloud
    flexible: np.ndarray  # [flexible] contract numbers with volume that is paid by use
    metered: np.ndarray  # [metered] orderable numbers with take-or-pay below 1, whose use is a variable
    exits: np.ndarray  # [exit] contract numbers that can be left for a fee
    sensitivity: np.ndarray  # [serve] demand gained per log-unit of capability, zero where demand ignores it
    steady: np.ndarray  # [steady arc] arcs of work that keeps its chips in every load block
    swinging: np.ndarray  # [swinging arc] arcs of preemptible work that loses by coming and going
    preemptible: np.ndarray  # [preemptible arc] arcs whose chips can be had for serving at once
    homing: np.ndarray  # [homing arc] arcs of work that runs in one group at a time
    restart_loss: np.ndarray  # [swinging arc] share of the work lost on chips that come and go
    reserving: np.ndarray  # [reserving] serve numbers that hold chips ready
    ready_arc: np.ndarray  # [ready arc] arcs of the reserving workloads
    blocks: tuple[str, ...]  # names of the load blocks, busiest first
    block_share: np.ndarray  # [block] share of the quarter's hours
    demand_share: np.ndarray  # [serve, block] share of the quarter's demand
    brought_tokens: np.ndarray  # [serve] 1e12 tokens a quarter that launches and deals can bring at most
    brought_share: (
        np.ndarray
    )  # [serve] what launches, deals and runs can bring as a share of the workload's own demand
    floors: tuple[
        tuple[str, Floor], ...
    ]  # named floors in the order in which they are given up last to first

    @property
    def hourly(self) -> tuple[OnDemand | Contract, ...]:
        """Everything paid by use: the on-demand offers, then the contracts with flexible volume."""
        return (*self.on_demand, *(self.contracts[number] for number in self.flexible))

    @property
    def priced(self) -> np.ndarray:
        """Numbers of the serving workloads that have price points [priced]."""
        return np.unique(self.point_serve)

    @property
    def premium_serve(self) -> np.ndarray:
        """Numbers of the serving workloads whose revenue gains by safety work [premium]."""
        return np.array([s for s, w in enumerate(self.serve) if w.trust and w.trust.premium], dtype=int)

    @property
    def churn_serve(self) -> np.ndarray:
        """Numbers of the serving workloads whose customers leave for want of safety work [churn]."""
        return np.array([s for s, w in enumerate(self.serve) if w.trust and w.trust.churn], dtype=int)

    @property
    def dear(self) -> np.ndarray:
        """Price points but the cheapest of each workload [dear]."""
        return np.flatnonzero(np.diff(self.point_serve, prepend=-1) == 0)

    @property
    def workloads(self) -> tuple[str, ...]:
        """All workloads: serve, then train, then safety, then internal."""
        return tuple(workload.id for workload in (*self.serve, *self.train, *self.safety, *self.internal))

    @property
    def first_internal(self) -> int:
        """Number of the first internal workload."""
        return len(self.serve) + len(self.train) + len(self.safety)

    @property
    def unit(self) -> np.ndarray:
        """Unit of each workload's output [workload]: tokens for what generates, FLOP for what trains."""
        kinds = (TOKENS, FLOP, FLOP, TOKENS)
        counts = [len(group) for group in (self.serve, self.train, self.safety, self.internal)]
        return np.repeat(kinds, counts)


def lay_out(lab: Lab, rates: RateTable) -> Layout:
    """Derive the sets of a plan from a lab and its rates; an offer of which nothing can be ordered is no variable."""
    orderable = tuple(o for o in lab.offers if not isinstance(o, OnDemand) and max(o.max_order) > 0)
    on_demand = tuple(offer for offer in lab.offers if isinstance(offer, OnDemand))
    places = _places(lab, orderable, on_demand)
    groups = tuple(dict.fromkeys(places))
    member = np.array([groups.index(place) for place in places], dtype=int)
    workloads = [workload.id for workload in (*lab.serve, *lab.develop, *lab.oversee, *lab.internal)]
    columns = sorted(rate_columns(lab), key=lambda each: workloads.index(each.workload.id))
    group_chip = np.array([rates.chips.index(chip) for chip, _ in groups], dtype=int)
    column = np.array([rates.workloads.index(each.id) for each in columns], dtype=int)
    can = _able(rates, groups, columns)
    arc_group, arc_place = np.nonzero(can)
    arc_workload = np.array([workloads.index(each.workload.id) for each in columns], dtype=int)[arc_place]
    shared = np.array([each.able is not None for each in columns], dtype=bool)
    sites = [site.id for site in lab.sites]
    first, second = len(orderable), len(orderable) + len(on_demand)
    flexible = np.array(
        [
            i
            for i, c in enumerate(lab.contracts)
            if c.kind == "reserved" and (c.take_or_pay < 1 or c.flex_up > 0)
        ],
        dtype=int,
    )
    return Layout(
        orderable=orderable,
        on_demand=on_demand,
        contracts=lab.contracts,
        groups=groups,
        serve=lab.serve,
        train=lab.develop,
        safety=lab.oversee,
        internal=lab.internal,
        arc_group=arc_group,
        arc_workload=arc_workload,
        arc_column=column[arc_place],
        arc_service=np.where(shared, np.cumsum(shared) - 1, -1)[arc_place],
        **_services(lab),
        **_price_points(lab),
        **_brought(lab),
        orderable_group=member[:first],
        flexible=flexible,
        on_demand_group=np.append(member[first:second], member[second:][flexible]),
        contract_group=member[second:],
        group_chip=group_chip,
        group_site=np.array([sites.index(pool) if pool in sites else -1 for _, pool in groups], dtype=int),
        metered=np.array(
            [i for i, offer in enumerate(orderable) if isinstance(offer, Reserved) and offer.take_or_pay < 1],
            dtype=int,
        ),
        exits=np.array(
            [i for i, contract in enumerate(lab.contracts) if contract.exit_fee is not None], dtype=int
        ),
        sensitivity=np.array([w.sensitivity if lab.capability else 0.0 for w in lab.serve], dtype=float),
        **_block_sets(lab, workloads, arc_workload),
        floors=_floors(lab),
    )


def _places(
    lab: Lab, orderable: tuple[Reserved | Purchase, ...], on_demand: tuple[OnDemand, ...]
) -> list[tuple[str, str]]:
    """Chip and pool of every source: orders, then offers by the hour, then contracts; what has a site stands there."""
    places = [(source.chip, source.pool) for source in (*orderable, *on_demand, *lab.contracts)]
    for number, offer in enumerate(orderable):
        if offer.site is not None:
            places[number] = (offer.chip, offer.site)
    for number, contract in enumerate(lab.contracts, len(orderable) + len(on_demand)):
        if contract.site is not None:
            places[number] = (contract.chip, contract.site)
    return places


def _able(rates: RateTable, groups: tuple[tuple[str, str], ...], columns: Sequence[RateColumn]) -> np.ndarray:
    """Tell which group can run which column of the rates, bool [group, column]; work with a place runs there alone."""
    chip = np.array([rates.chips.index(name) for name, _ in groups], dtype=int)
    number = np.array([rates.workloads.index(each.id) for each in columns], dtype=int)
    can = np.asarray(rates.feasible.any(axis=2), dtype=bool)[np.ix_(chip, number)]
    for place, each in enumerate(columns):
        home = getattr(each.workload, "place", None)
        if home is not None:
            can[:, place] &= [group == (home.chip, home.pool) for group in groups]
    return np.asarray(can, dtype=bool)


def _block_sets(lab: Lab, workloads: list[str], arc_workload: np.ndarray) -> dict[str, Any]:
    """Load blocks, and the arcs of steady, swinging, preemptible and reserved work; one block lets nothing swing."""
    load = load_blocks(lab)
    several = len(load.names) > 1
    training = {workload.id: workload for workload in (*lab.develop, *lab.oversee)}
    done = [training.get(workloads[number]) for number in arc_workload]
    fixed = [several and work is not None and work.preemptible is False for work in done]
    loss = np.array([work.restart_loss if work and several else 0.0 for work in done], dtype=float)
    reserving = np.array([number for number, serve in enumerate(lab.serve) if serve.reserve > 0], dtype=int)
    return {
        "steady": np.flatnonzero(fixed),
        "swinging": np.flatnonzero(loss),
        "preemptible": np.flatnonzero([work is not None and bool(work.preemptible) for work in done]),
        "homing": np.flatnonzero([work is not None and work.single_pool for work in done]),
        "restart_loss": loss[loss > 0],
        "reserving": reserving,
        "ready_arc": np.flatnonzero(np.isin(arc_workload, reserving)),
        "blocks": load.names,
        "block_share": load.hours_share,
        "demand_share": load.demand_share,
    }


def _services(lab: Lab) -> dict[str, Any]:
    services = tuple(each for each in rate_columns(lab) if each.able is not None)
    runs = {each.model: each.able.distil for each in services if each.able and each.able.distil}
    serve = [workload.id for workload in lab.serve]
    made = [list(runs).index(each.model) if each.model in runs else -1 for each in services]
    return {
        "services": services,
        "service_workload": np.array([serve.index(each.workload.id) for each in services], dtype=int),
        "service_run": np.array(made, dtype=int),
        "distillations": tuple(runs.items()),
    }


def _price_points(lab: Lab) -> dict[str, Any]:
    points = [(number, point) for number, workload in enumerate(lab.serve) for point in workload.price_points]
    return {
        "point_serve": np.array([number for number, _ in points], dtype=int),
        "point_price": np.array([point.price_factor for _, point in points], dtype=float),
        "point_demand": np.array([point.demand_factor for _, point in points], dtype=float),
    }


def _brought(lab: Lab) -> dict[str, Any]:
    serve = [workload.id for workload in lab.serve]
    tokens, share = np.zeros(len(serve)), np.zeros(len(serve))
    for launch in lab.launches:
        at = serve.index(launch.workload)
        tokens[at] += (launch.step_tokens_per_month or 0.0) * MONTHS_PER_QUARTER / TOKENS
        share[at] += launch.step_share or 0.0
    for channel in (channel for deal in lab.equity for channel in deal.channels):
        at = serve.index(channel.workload)
        tokens[at] += channel.tokens_per_month * MONTHS_PER_QUARTER / TOKENS
        share[at] += channel.share
    for run in lab.runs:
        share[[serve.index(name) for name in run.uplift_workloads]] += run.uplift
    return {"brought_tokens": tokens, "brought_share": share}


def _floors(lab: Lab) -> tuple[tuple[str, Floor], ...]:
    floors: list[tuple[str, Floor]] = []
    if lab.policy.floor is not None:
        floors.append(("development floor", lab.policy.floor))
    if lab.policy.safety is not None:
        floors.append(("safety floor", lab.policy.safety))
    return tuple(floors)
