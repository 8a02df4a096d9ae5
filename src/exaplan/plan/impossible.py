"""Why policies cannot be kept: checks in the words of the domain, the cheapest way to give in, and the rows that clash.

Three answers of rising cost. ``prechecks`` compares what a policy asks for with the most that could be there by that date,
lead times counted, without solving anything. ``relaxations`` asks for each policy alone how little of it must be missed
when all others are kept. ``clash_of`` finds a smallest set of rows and bounds that cannot hold together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exaplan.domain.lab import Lab
from exaplan.domain.supply import Reserved
from exaplan.optimize.highs import solve, values
from exaplan.optimize.irreducible import Clash, irreducible_set
from exaplan.plan.formulation import Program
from exaplan.plan.inputs import Inputs
from exaplan.plan.layout import FLOP, Layout
from exaplan.plan.policies import policies_of
from exaplan.plan.pool_rows import beyond_order, renewable_chips

SMALL = 1e-7
KeysOf = Callable[[Layout, int, Inputs], tuple[str, ...]]


@dataclass(frozen=True)
class Impossible:
    """A policy that no decision can keep in a quarter: what it asks for and the most that could be there."""

    policy: str
    quarter: str
    asked: float
    possible: float
    unit: str
    keys: tuple[str, ...]  # keys of the lab file that could change it


@dataclass(frozen=True)
class Relaxation:
    """The least by which one policy must be missed when every other is kept; None: that alone does not help."""

    policy: str
    key: str
    missed: float | None  # expected over the tree, LP units, summed over quarters
    worst_quarter: str | None
    quarters: int


@dataclass(frozen=True)
class Member:
    """One member of a set of rows and bounds that clash, in the words of the lab file."""

    label: str
    quarters: tuple[str, ...]
    keys: tuple[str, ...]


def prechecks(inputs: Inputs) -> tuple[Impossible, ...]:
    """Compare floors given as a level, and runs that are due, with the most compute that could be there by then."""
    most = _most_capacity(inputs)  # [quarter, floor]
    lab, first = inputs.lab, inputs.lab.horizon.first
    found: list[Impossible] = []
    for number, (name, floor) in enumerate(inputs.sets.floors):
        share = floor.share
        asked = inputs.stage.floor_level[: inputs.tree_nodes, number].max(initial=0.0) + 0.0
        key = "policy.safety" if "safety" in name else "policy.floor"
        for t in np.flatnonzero(most[:, number] * (1 - share) < asked - SMALL):
            supply = (f"{key}.level", *(f"offers.{offer.id}.lead" for offer in inputs.sets.orderable))
            possible = float(most[t, number] * (1 - share)) * FLOP
            found.append(
                Impossible(name, str(first + int(t)), asked * FLOP, possible, "FLOP/quarter", supply)
            )
            break  # the first quarter says it
    shares = sum(floor.share for _, floor in inputs.sets.floors)
    if shares > 1 + SMALL:
        keys = ("policy.floor.share", "policy.safety.share")
        found.append(Impossible("floors", str(first), shares, 1.0, "share of capacity", keys))
    for run in lab.runs:
        if run.due is None or "development floor" not in [name for name, _ in inputs.sets.floors]:
            continue
        by = run.due - first
        could = float(most[: by + 1, 0].sum()) * FLOP
        if 0 <= by < inputs.quarters and could < run.flop:
            keys = (f"runs.{run.id}.due", f"runs.{run.id}.flop")
            found.append(Impossible(f"run {run.id}", str(run.due), run.flop, could, "FLOP", keys))
    return tuple(found)


def _most_capacity(inputs: Inputs) -> np.ndarray:
    """Most protected capacity that any decision could have live, 1e24 FLOP a quarter [quarter, floor]."""
    sets, stage = inputs.sets, inputs.stage
    tree = np.arange(inputs.tree_nodes)
    weight = stage.floor_weight[tree]  # [node, floor, group]
    kept = np.maximum(stage.contract_chips[tree], renewable_chips(inputs))  # renewed, they may go on
    signed = (weight[:, :, sets.contract_group] * kept[:, None]).sum(axis=2)
    hourly = stage.rent_max[tree] * stage.rent_available
    rented = (weight[:, :, sets.on_demand_group] * hourly[:, None]).sum(axis=2)
    stock = np.zeros((len(tree), len(sets.orderable)))
    arrival, retirement = inputs.cohorts.arrival[tree], inputs.cohorts.retirement[tree]
    quarter = inputs.quarter[tree][:, None, None]
    again = np.array([isinstance(o, Reserved) and o.renewal is not None for o in sets.orderable], dtype=bool)
    alive = (arrival <= quarter) & ((quarter < retirement) | again)
    node, order_quarter, offer = np.nonzero(alive)
    ordered_at = inputs.at_quarter[node, order_quarter]
    np.add.at(stock, (node, offer), inputs.deals.max_order[ordered_at, offer] * beyond_order(inputs)[offer])
    owned = (weight[:, :, sets.orderable_group] * (stock * stage.available)[:, None]).sum(axis=2)
    most = np.full((inputs.quarters, len(sets.floors)), -np.inf)
    np.maximum.at(most, inputs.quarter[tree], signed + rented + owned)
    return most


def relaxations(program: Program) -> tuple[Relaxation, ...]:
    """For each policy alone: how little of it must be missed so that a plan exists with all the others kept."""
    inputs = program.inputs
    nothing = dict.fromkeys(program.model.columns, 0.0)
    first = inputs.lab.horizon.first
    rows = []
    for policy in policies_of(program):
        variable = program.model.columns[policy.column]
        upper = np.where(policy.weight > 0, np.inf if policy.column != "missed" else 1.0, 0.0)
        model = program.model.with_changes(upper={policy.column: upper}, cost=nothing)
        found = solve(model.with_changes(cost={policy.column: -policy.weight}))
        if not found.has_values or found.status != "optimal":
            rows.append(Relaxation(policy.name, policy.key, None, None, 0))
            continue
        gap = np.where(policy.weight > 0, values(found, variable), 0.0) * policy.weight
        missed = float(gap.sum())
        if missed <= SMALL:
            continue
        by_node = gap.reshape(len(gap), -1).sum(axis=1) if gap.ndim else np.zeros(0)
        missing = np.flatnonzero(by_node > SMALL)
        worst = str(first + int(inputs.quarter[by_node.argmax()])) if len(missing) else None
        quarters = len(set(inputs.quarter[missing].tolist()))
        rows.append(Relaxation(policy.name, policy.key, missed, worst, quarters))
    return tuple(rows)


def clash_of(program: Program) -> tuple[Member, ...]:
    """Rows and bounds of the strict program that cannot hold together, by the keys of the lab file that set them."""
    found = irreducible_set(program.model)
    grouped: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    labels: dict[tuple[str, tuple[str, ...]], str] = {}
    for clash in (*found.rows, *found.bounds):
        keys = keys_of(clash, program.inputs)
        where = (clash.name, keys)
        grouped.setdefault(where, []).append(_quarter(clash, program.inputs))
        labels.setdefault(where, str(clash))
    first = program.inputs.lab.horizon.first
    return tuple(
        Member(
            labels[where], tuple(str(first + t) for t in sorted({q for q in quarters if q >= 0})), where[1]
        )
        for where, quarters in grouped.items()
    )


def place_of(keys: tuple[str, ...], lab: Lab) -> str:
    """Write where the lab file says the first of ``keys`` that it says: ``lab.yaml:12 policy.floor.share``."""
    for key in keys:
        origin = lab.origins.get(key)
        if origin is not None:
            return f"{Path(origin.file).name}:{origin.line} {key}"
    return keys[0] if keys else ""


def told(member: Member, lab: Lab) -> str:
    """Write one member of a clash: where it is said, when it binds, and how the program reads it."""
    when = f" in {', '.join(member.quarters[:3])}" if member.quarters else ""
    return f"{place_of(member.keys, lab) or 'a rule of the program'}{when}: {member.label}"


def _quarter(clash: Clash, inputs: Inputs) -> int:
    """Quarter of a member whose first axis is the node; -1 for what has none."""
    node = clash.place[0] if clash.place else -1
    return min(int(inputs.quarter[node]), inputs.quarters - 1) if 0 <= node < inputs.nodes else -1


def keys_of(clash: Clash, inputs: Inputs) -> tuple[str, ...]:
    """Keys of the lab file that set a row or bound, the most telling first; empty where no single key does."""
    sets, place = inputs.sets, clash.place
    item = place[1] if len(place) > 1 else 0
    if clash.name in _FIXED:
        return _FIXED[clash.name]
    maker = _BY_ITEM.get(clash.name)
    return maker(sets, item, inputs) if maker else ()


_FIXED: dict[str, tuple[str, ...]] = {
    "oversight": ("policy.oversight",),
    "unwatched": ("policy.oversight",),
    "cash_balance": ("finance.cash",),
    "cash": ("finance.cash_minimum", "finance.cash"),
    "debt": ("finance.debt.limit",),
    "risk_limit": ("policy.risk.limit",),
    "risk_excess": ("policy.risk.limit",),
    "cover": ("policy.cover",),
    "covenant": ("finance.debt.revenue_multiple",),
    "capability": ("capability.start",),
}


def _floor_key(sets: Layout, item: int, _inputs: Inputs) -> tuple[str, ...]:
    name = "policy.safety" if "safety" in sets.floors[item][0] else "policy.floor"
    return (f"{name}.share", f"{name}.level", name)


def _chips_key(sets: Layout, item: int, inputs: Inputs) -> tuple[str, ...]:
    """Name what could bring chips to the group: its offers and contracts."""
    signed = [
        f"contracts.{c.id}" for c, g in zip(sets.contracts, sets.contract_group, strict=True) if g == item
    ]
    offered = [
        f"offers.{o.id}.lead" for o, g in zip(sets.orderable, sets.orderable_group, strict=True) if g == item
    ]
    return (*offered, *signed) or (f"chips.{inputs.rates.chips[sets.group_chip[item]]}",)


def _offer(field: str) -> KeysOf:
    def key(sets: Layout, item: int, _inputs: Inputs) -> tuple[str, ...]:
        return (f"offers.{sets.orderable[item].id}.{field}", f"offers.{sets.orderable[item].id}")

    return key


def _rent_key(sets: Layout, item: int, _inputs: Inputs) -> tuple[str, ...]:
    source = sets.hourly[item]
    return (f"offers.{source.id}.max_chips", f"contracts.{source.id}")


def _workload(field: str) -> KeysOf:
    def key(sets: Layout, item: int, _inputs: Inputs) -> tuple[str, ...]:
        return (f"workloads.{sets.workloads[item]}.{field}", f"workloads.{sets.workloads[item]}")

    return key


def _mix(field: str) -> KeysOf:
    def key(sets: Layout, item: int, _inputs: Inputs) -> tuple[str, ...]:
        return (f"workloads.{sets.train[item].id}.{field}", f"workloads.{sets.train[item].id}")

    return key


def _run_due(_sets: Layout, item: int, inputs: Inputs) -> tuple[str, ...]:
    due = [run for run in inputs.lab.runs if run.due is not None]
    return (f"runs.{due[item].id}.due",)


def _run_flop(_sets: Layout, item: int, inputs: Inputs) -> tuple[str, ...]:
    return (f"runs.{inputs.lab.runs[item].id}.flop",)


def _site(_sets: Layout, item: int, inputs: Inputs) -> tuple[str, ...]:
    site = inputs.lab.sites[item].id
    return (f"sites.{site}.power", f"sites.{site}.ready")


_BY_ITEM: dict[str, KeysOf] = {
    "floor": _floor_key,
    "short": _floor_key,
    "chips": _chips_key,
    "power": _site,
    "order": _offer("max_order"),
    "stock_balance": _offer("lead"),
    "stock": _offer("lead"),
    "rent": _rent_key,
    "demand": _workload("demand"),
    "technology": _workload("model"),
    "mix_least": _mix("share_min"),
    "mix_most": _mix("share_max"),
    "run_due": _run_due,
    "missed": _run_due,
    "run_release": _run_flop,
}
