"""The sets of a plan: sources, groups, arcs, policies, and where each stands in the arrays.

LP units keep coefficients near one: thousand chips, million USD, 1e12 tokens, 1e24 FLOP, MW.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.lab import Floor, Lab
from exaplan.domain.rates import RateTable
from exaplan.domain.supply import Contract, OnDemand, Purchase, Reserved
from exaplan.domain.workload import Safety, Serve, Train

CHIPS = 1e3
USD = 1e6
TOKENS = 1e12
FLOP = 1e24
WATTS = 1e6


@dataclass(frozen=True)
class Layout:
    """Names and index maps of every set, in lab-file order.

    ``orderable`` are the reserved and purchase offers, ``on_demand`` the offers by the hour, ``groups`` the distinct
    (chip, pool) pairs whose chips may be scheduled together, ``arcs`` the (group, workload) pairs that can work.
    """

    orderable: tuple[Reserved | Purchase, ...]
    on_demand: tuple[OnDemand, ...]
    contracts: tuple[Contract, ...]
    groups: tuple[tuple[str, str], ...]
    serve: tuple[Serve, ...]
    train: tuple[Train, ...]
    safety: tuple[Safety, ...]
    arc_group: np.ndarray  # [arc] index into groups
    arc_workload: np.ndarray  # [arc] index into workloads
    orderable_group: np.ndarray  # [orderable]
    on_demand_group: np.ndarray  # [hourly] groups of the on-demand offers, then of the flexible contracts
    contract_group: np.ndarray  # [contract]
    group_chip: np.ndarray  # [group] index into RateTable.chips
    group_site: np.ndarray  # [group] index into Lab.sites, -1 in a cloud
    flexible: np.ndarray  # [flexible] contract numbers whose volume beyond take-or-pay is paid by use
    metered: np.ndarray  # [metered] orderable numbers with take-or-pay below 1, whose use is a variable
    exits: np.ndarray  # [exit] contract numbers that can be left for a fee
    sensitivity: np.ndarray  # [serve] demand gained per log-unit of capability, zero where demand ignores it
    floors: tuple[
        tuple[str, Floor], ...
    ]  # named floors in the order in which they are given up last to first

    @property
    def hourly(self) -> tuple[OnDemand | Contract, ...]:
        """Everything paid by use: the on-demand offers, then the contracts with flexible volume."""
        return (*self.on_demand, *(self.contracts[number] for number in self.flexible))

    @property
    def workloads(self) -> tuple[str, ...]:
        """All workloads: serve, then train, then safety."""
        return tuple(workload.id for workload in (*self.serve, *self.train, *self.safety))


def lay_out(lab: Lab, rates: RateTable) -> Layout:
    """Derive the sets of a plan from a lab and its rates; an offer of which nothing can be ordered is no variable."""
    orderable = tuple(o for o in lab.offers if not isinstance(o, OnDemand) and max(o.max_order) > 0)
    on_demand = tuple(offer for offer in lab.offers if isinstance(offer, OnDemand))
    places = [(source.chip, source.pool) for source in (*orderable, *on_demand, *lab.contracts)]
    for number, offer in enumerate(orderable):
        if isinstance(offer, Purchase):
            places[number] = (offer.chip, offer.site)
    for number, contract in enumerate(lab.contracts, len(orderable) + len(on_demand)):
        if contract.site is not None:
            places[number] = (contract.chip, contract.site)
    groups = tuple(dict.fromkeys(places))
    member = np.array([groups.index(place) for place in places], dtype=int)
    workloads = [workload.id for workload in (*lab.serve, *lab.develop, *lab.oversee)]
    group_chip = np.array([rates.chips.index(chip) for chip, _ in groups], dtype=int)
    column = np.array([rates.workloads.index(name) for name in workloads], dtype=int)
    can = np.asarray(rates.feasible.any(axis=2), dtype=bool)[np.ix_(group_chip, column)]
    arc_group, arc_workload = np.nonzero(can)
    sites = [site.id for site in lab.sites]
    first, second = len(orderable), len(orderable) + len(on_demand)
    flexible = np.array(
        [i for i, c in enumerate(lab.contracts) if c.kind == "reserved" and c.take_or_pay < 1], dtype=int
    )
    return Layout(
        orderable=orderable,
        on_demand=on_demand,
        contracts=lab.contracts,
        groups=groups,
        serve=lab.serve,
        train=lab.develop,
        safety=lab.oversee,
        arc_group=arc_group,
        arc_workload=arc_workload,
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
        floors=_floors(lab),
    )


def _floors(lab: Lab) -> tuple[tuple[str, Floor], ...]:
    floors: list[tuple[str, Floor]] = []
    if lab.policy.floor is not None:
        floors.append(("development floor", lab.policy.floor))
    if lab.policy.safety is not None:
        floors.append(("safety floor", lab.policy.safety))
    return tuple(floors)
