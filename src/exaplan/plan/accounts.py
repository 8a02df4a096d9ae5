"""A plan told by quarter: what is signed, what is live, who uses it, who is served; means over the tree."""

from __future__ import annotations

import numpy as np

from exaplan.domain.answer import Allocation, Capacity, Decision, Development, Service
from exaplan.domain.plan import Plan
from exaplan.domain.supply import Contract, OnDemand, Purchase, Reserved
from exaplan.plan.inputs import Inputs
from exaplan.plan.layout import CHIPS, USD

FEW_CHIPS = 0.5
"""Fewer chips than this are the solver's rounding, not an order."""


def by_quarter(inputs: Inputs, values: np.ndarray) -> np.ndarray:
    """Take the expected value in each quarter of ``values`` [node, ...]; tail nodes are left out. Shape [quarter, ...]."""
    tree = inputs.tree_nodes
    mean = np.zeros((inputs.quarters, *values.shape[1:]))
    weight = inputs.probability[:tree].reshape(-1, *[1] * (values.ndim - 1))
    np.add.at(mean, inputs.quarter[:tree], weight * values[:tree])
    return mean


def weighted_quantile(values: np.ndarray, weight: np.ndarray, level: float) -> float:
    """Smallest value with at least ``level`` of the weight at or below it.

    Examples
    --------
    >>> weighted_quantile(np.array([3.0, 1.0, 2.0]), np.array([0.2, 0.5, 0.3]), 0.6)
    2.0
    """
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order]) >= level * weight.sum() - 1e-12
    return float(values[order][int(np.argmax(reached))])


def decisions_of(inputs: Inputs, plan: Plan) -> tuple[Decision, ...]:
    """Every signature the plan may make, first quarter first; expected chips, and the probability of signing."""
    rows = []
    chance = inputs.probability[: inputs.tree_nodes]
    for number, offer in enumerate(inputs.sets.orderable):
        chips = plan.ordered[:, number]
        for t in range(inputs.quarters):
            at = inputs.quarter[: inputs.tree_nodes] == t
            signing = at & (chips > FEW_CHIPS)
            if signing.any():
                rows.append(
                    _decision(
                        inputs, offer, number, t, chance * chips * signing, float(chance[signing].sum())
                    )
                )
    return tuple(sorted(rows, key=lambda row: (row.quarter, -row.committed_usd, row.offer)))


def _decision(
    inputs: Inputs, offer: Reserved | Purchase, number: int, t: int, chips: np.ndarray, probability: float
) -> Decision:
    deals, first = inputs.deals, inputs.lab.horizon.first
    tree = inputs.tree_nodes
    per_chip = contract_value(inputs)[:, number]
    deposit = deals.terms.deposit[number]
    committed = float((chips * per_chip[:tree]).sum())
    return Decision(
        offer=offer.id,
        chip=offer.chip,
        supplier=offer.supplier,
        kind=offer.kind,
        quarter=str(first + t),
        sign_by=str(first + t),
        delivery=str(first + (t + offer.lead_quarters)),
        chips=float(chips.sum()) / probability,
        committed_usd=committed / probability,
        due_now_usd=deposit * committed / deals.terms.mean_price[number] / probability,
        probability=probability,
        now=t == 0,
    )


def contract_value(inputs: Inputs) -> np.ndarray:
    """Dollars that one chip commits when signed at each node [node, orderable]: rent with its steps, or the price."""
    terms = inputs.deals.terms
    rent = inputs.deals.rent * terms.take_or_pay * terms.life * terms.mean_price
    return np.asarray((rent + inputs.deals.capex) * USD / CHIPS)


def committed_usd(inputs: Inputs, plan: Plan) -> np.ndarray:
    """Sum the expected dollars committed by new signatures in each quarter [quarter]."""
    value = contract_value(inputs)[: inputs.tree_nodes]
    return by_quarter(inputs, (plan.ordered * value).sum(axis=1))


def capacity_of(inputs: Inputs, plan: Plan) -> tuple[Capacity, ...]:
    """Live chips by source and quarter. A source's use is its group's use in proportion to its chips."""
    sets, tree, hours = inputs.sets, inputs.tree_nodes, inputs.sets.block_share
    contract = inputs.stage.contract_chips * CHIPS
    contract = contract / np.array([c.availability for c in sets.contracts]) if sets.contracts else contract
    contract = contract.copy()
    contract[:, sets.exits] *= 1 - plan.left
    sources = (
        [(c.id, "signed" if c.kind == "reserved" else "owned", c.chip, contract[:, k], sets.contract_group[k])
         for k, c in enumerate(sets.contracts)]
        + [(o.id, o.kind, o.chip, plan.stock[:, k], sets.orderable_group[k]) for k, o in enumerate(sets.orderable)]
        + [(_hourly_name(o), _hourly_kind(o), o.chip, plan.rented[:, k] @ hours, sets.on_demand_group[k])
           for k, o in enumerate(sets.hourly)]
    )  # fmt: skip
    sources += [
        (f"{chip} at {pool} (renewed, less left)", "further", chip, plan.further[:, g], g)
        for g, (chip, pool) in enumerate(sets.groups)
        if np.abs(plan.further[:, g]).max(initial=0.0) > FEW_CHIPS
    ]
    live = np.zeros((inputs.nodes, len(sets.groups)))
    for _, _, _, chips, group in sources:
        live[:, group] += chips
    busy = np.zeros_like(live)
    np.add.at(busy.T, sets.arc_group, (plan.at_work @ hours).T)
    share = np.divide(busy, live, out=np.zeros_like(live), where=live > FEW_CHIPS)
    rows = []
    for name, kind, chip, chips, group in sources:
        mean, used = by_quarter(inputs, chips), by_quarter(inputs, chips * share[:, group])
        for t in range(inputs.quarters):
            at = np.flatnonzero(inputs.quarter[:tree] == t)
            low, high = (
                weighted_quantile(chips[at], inputs.probability[at], level) for level in (0.05, 0.95)
            )
            quarter = str(inputs.lab.horizon.first + t)
            rows.append(Capacity(quarter, name, kind, chip, float(mean[t]), low, high, float(used[t])))
    return tuple(rows)


def _hourly_name(source: OnDemand | Contract) -> str:
    return source.id if isinstance(source, OnDemand) else f"{source.id} (by use)"


def _hourly_kind(source: OnDemand | Contract) -> str:
    return source.kind if isinstance(source, OnDemand) else "signed"


def allocation_of(inputs: Inputs, plan: Plan) -> tuple[Allocation, ...]:
    """Chips at work by workload (or segment and model), chip and pool; ``capacity_share`` is the share of all chips at work."""
    mean = by_quarter(inputs, plan.at_work @ inputs.sets.block_share)
    total = mean.sum(axis=1)
    kinds = {w.id: w.kind for w in inputs.lab.workloads}
    rows = []
    for t in range(inputs.quarters):
        for arc, (group, workload) in enumerate(plan.arcs):
            if mean[t, arc] > FEW_CHIPS:
                service = inputs.sets.arc_service[arc]
                name = plan.workloads[workload] if service < 0 else inputs.sets.services[service].id
                chip, pool = plan.groups[group]
                quarter = str(inputs.lab.horizon.first + t)
                share = float(mean[t, arc] / total[t])
                rows.append(
                    Allocation(
                        quarter, name, kinds[plan.workloads[workload]], chip, pool, float(mean[t, arc]), share
                    )
                )
    return tuple(rows)


def service_of(inputs: Inputs, plan: Plan) -> tuple[Service, ...]:
    """Demand, service and revenue by workload and quarter."""
    serve = len(inputs.sets.serve)
    output = plan.output[:, :serve].sum(axis=2)
    wanted = inputs.tree.world.demand_tokens[np.r_[: inputs.tree_nodes, inputs.leaves]] * plan.effect
    wanted = wanted + plan.brought
    price = inputs.tree.world.price_usd_per_token[np.r_[: inputs.tree_nodes, inputs.leaves]]
    revenue = output * price
    sets = inputs.sets
    beyond = plan.sold.sum(axis=2) * price[:, sets.point_serve] * (sets.point_price - 1)
    np.add.at(revenue.T, sets.point_serve, beyond.T)
    revenue[:, sets.premium_serve] += plan.premium * price[:, sets.premium_serve]
    figures = [wanted, output, plan.unserved.sum(axis=2), plan.lost, revenue]
    means = np.stack([by_quarter(inputs, figure) for figure in figures], axis=-1)
    return tuple(
        Service(str(inputs.lab.horizon.first + t), workload.id, *(float(x) for x in means[t, k]))
        for t in range(inputs.quarters)
        for k, workload in enumerate(inputs.sets.serve)
    )


def development_of(inputs: Inputs, plan: Plan) -> tuple[Development, ...]:
    """Development FLOP, capability ratio and the share of capacity that development gets, by the floor's measure."""
    serve, train = len(inputs.sets.serve), len(inputs.sets.train)
    flop = by_quarter(inputs, plan.output[:, serve : serve + train].sum(axis=(1, 2)))
    ratio = by_quarter(inputs, plan.ratio)
    share = development_share(inputs, plan)
    return tuple(
        Development(str(inputs.lab.horizon.first + t), float(flop[t]), float(ratio[t]), float(share[t]))
        for t in range(inputs.quarters)
    )


def development_share(inputs: Inputs, plan: Plan) -> np.ndarray:
    """Share of live capacity at work on training, each chip by its best training rate [quarter]."""
    sets, stage = inputs.sets, inputs.stage
    train = np.flatnonzero(
        (sets.arc_workload >= len(sets.serve)) & (sets.arc_workload < len(sets.serve) + len(sets.train))
    )
    weight = np.zeros((inputs.nodes, len(sets.groups)))
    for arc in train:
        group = sets.arc_group[arc]
        weight[:, group] = np.maximum(weight[:, group], stage.rate[:, arc])
    at_work = ((plan.at_work @ sets.block_share)[:, train] * weight[:, sets.arc_group[train]]).sum(axis=1)
    live = (plan.stock * stage.available * weight[:, sets.orderable_group]).sum(axis=1)
    live += ((plan.rented @ sets.block_share) * stage.rent_available * weight[:, sets.on_demand_group]).sum(
        axis=1
    )
    kept = stage.contract_chips * CHIPS
    kept = kept.copy()
    kept[:, sets.exits] *= 1 - plan.left
    live += (kept * weight[:, sets.contract_group]).sum(axis=1) + (plan.further * weight).sum(axis=1)
    work, capacity = by_quarter(inputs, at_work), by_quarter(inputs, live)
    return np.asarray(np.divide(work, capacity, out=np.zeros_like(work), where=capacity > 0))
