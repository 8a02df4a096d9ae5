"""What one more unit is worth, and which limits bind: the duals in dollars.

Two prices: *there and then* is a row's dual over the cash row's dual at the same node, in dollars of that node;
*today* is the sum of raw duals over the quarter's nodes, in dollars of value now. A parameter that stands in many rows
is priced by the sum of dual times derivative.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from exaplan.domain.answer import Limit, Price
from exaplan.optimize.highs import duals
from exaplan.plan.accounts import by_quarter, weighted_quantile
from exaplan.plan.contract_prices import contract_worth
from exaplan.plan.layout import CHIPS, USD
from exaplan.plan.result import LAUNCHING, cash_price, further_activity, further_chips
from exaplan.plan.solve import Solved
from exaplan.plan.supply_rows import fleet_terms, signed_fleet

WORTHLESS = 1e-7
"""A dual below this share of the largest one of its kind is the solver's rounding."""


@dataclass(frozen=True)
class Worth:
    """Raw worth of one more unit at every tree node: dollars of value now."""

    kind: str
    name: str
    unit: str
    raw: np.ndarray  # [tree node]


def worths(solved: Solved) -> Iterator[Worth]:
    """Worth of a chip, a MW, a floor point, a dollar, a larger order limit and contract, at every tree node."""
    inputs, model = solved.program.inputs, solved.model
    sets, tree = inputs.sets, inputs.tree_nodes

    def dual(name: str) -> np.ndarray:
        return duals(solved.solution, model.rows[name])[:tree]

    chips = dual("chips").sum(axis=2) * USD / CHIPS
    for group, (chip, pool) in enumerate(sets.groups):
        yield Worth("chips", f"{chip} at {pool}", "chip", chips[:, group])
    # A site that is not ready yet has no megawatt to price; what steps feed stands below zero on the left side.
    energized = inputs.stage.site_power[:tree] + _fed_by_steps(solved) > 1e-9
    power = np.where(energized, dual("power").sum(axis=2) * USD, 0.0)
    for number, site in enumerate(inputs.lab.sites):
        yield Worth("power", site.id, "MW", power[:, number])
    floor = dual("floor")
    capacity = _protected_capacity(solved)
    for number, (name, _) in enumerate(sets.floors):
        yield Worth("floor", name, "share", -(floor[:, number] * capacity[:, number]).sum(axis=1) * USD)
    yield Worth("cash", "cash", "USD", dual("cash_balance"))
    reduced = solved.solution.reduced_cost[solved.program.columns.order.span].reshape(tree, -1) * USD / CHIPS
    for number, offer in enumerate(sets.orderable):
        yield Worth("supply", offer.id, "chip", np.maximum(reduced[:, number], 0.0))
    volume = contract_worth(solved)
    for number, contract in enumerate(sets.contracts):
        yield Worth("contract", contract.id, "chip", volume[:, number])


def _fed_by_steps(solved: Solved) -> np.ndarray:
    """MW that what has been built adds at each site [tree node, site]."""
    row, activity = solved.model.rows["power"], further_activity(solved, without=LAUNCHING)
    if activity is None:
        return np.zeros(row.shape[:2])[: solved.program.inputs.tree_nodes]
    return -activity[row.span].reshape(row.shape)[: solved.program.inputs.tree_nodes, :, 0]


def _protected_capacity(solved: Solved) -> np.ndarray:
    """Live capacity by each floor's weights [tree node, floor, block]: what one point of share asks for."""
    program = solved.program
    inputs, sets, stage = program.inputs, program.inputs.sets, program.inputs.stage
    weight = stage.floor_weight
    kept = stage.contract_chips.copy()
    kept[:, sets.exits] *= 1 - solved.value(program.columns.left)
    steady = (weight[:, :, sets.contract_group] * kept[:, None]).sum(axis=2)
    steady += (
        weight[:, :, sets.orderable_group] * (stage.available * solved.value(program.columns.stock))[:, None]
    ).sum(axis=2)
    steady += (weight * further_chips(solved)[:, None]).sum(axis=2)
    rent = solved.value(program.columns.rent) * stage.rent_available[:, None]
    flexible = np.einsum("njg,ngb->njb", weight[:, :, sets.on_demand_group], rent)
    return np.asarray((steady[:, :, None] + flexible)[: inputs.tree_nodes])


def prices_of(solved: Solved) -> tuple[Price, ...]:
    """Prices by quarter, of everything that is worth anything in some quarter."""
    inputs = solved.program.inputs
    tree, chance = inputs.tree_nodes, inputs.probability[: inputs.tree_nodes]
    cash = duals(solved.solution, solved.model.rows["cash_balance"])[:tree]
    then_cash = cash_price(solved)[:tree]
    rows = []
    for worth in worths(solved):
        raw = np.where(np.abs(worth.raw) > WORTHLESS * np.abs(worth.raw).max(initial=0.0), worth.raw, 0.0)
        if not raw.any():
            continue
        there = then_cash if worth.kind == "cash" else raw / np.maximum(cash, 1e-300)
        for t in range(inputs.quarters):
            at = np.flatnonzero(inputs.quarter[:tree] == t)
            low, high = (weighted_quantile(there[at], chance[at], level) for level in (0.05, 0.95))
            mean = float(chance[at] @ there[at])
            quarter = str(inputs.lab.horizon.first + t)
            rows.append(
                Price(quarter, worth.kind, worth.name, worth.unit, mean, low, high, float(raw[at].sum()))
            )
    return tuple(rows)


def limits_of(solved: Solved) -> tuple[Limit, ...]:
    """Every limit that the owner or the market set: binds and what a unit is worth today, slack, or relaxed by how much."""
    inputs = solved.program.inputs
    policy, finance = inputs.lab.policy, inputs.lab.finance
    missed = _missed_floors(solved)
    rows = [
        _limit(solved, worth, missed.get(worth.name, 0.0))
        for worth in worths(solved)
        if worth.kind in ("floor", "power", "supply")
    ]
    rows.append(_cash_limit(solved))
    if policy.oversight > 0 and "oversight" in solved.model.rows:
        dual = -duals(solved.solution, solved.model.rows["oversight"])[: inputs.tree_nodes].sum(axis=1)
        short = solved.relaxed.get("oversight", 0.0)
        rows.append(_limit(solved, Worth("oversight", "oversight", "1e24 FLOP/quarter", dual * USD), short))
    if finance.debt is not None and finance.debt.limit_usd > 0:
        rows.append(_limit(solved, Worth("debt", "credit line", "USD", _bound_worth(solved, "debt"))))
    rows.extend(_capital_limits(solved))
    for number, chance in enumerate(finance.rounds):
        worth = _bound_worth(solved, "raised_total")[:, number]
        rows.append(_limit(solved, Worth("round", f"round {chance.id}", "USD", worth)))
    rows.extend(_supplier_limits(solved))
    rows.extend(_due_limits(solved))
    if policy.risk.limit_usd is not None:
        dual = duals(solved.solution, solved.model.rows["risk_limit"])
        over = solved.relaxed.get("CVaR limit", 0.0) * USD
        rows.append(_limit(solved, Worth("risk", "CVaR limit", "USD", dual), over))
    return tuple(rows)


def _capital_limits(solved: Solved) -> Iterator[Limit]:
    """Tell the covenant, a dollar more debt at the same revenue, and each supplier's loans, a dollar more lent."""
    model, tree = solved.model, solved.program.inputs.tree_nodes
    finance = solved.program.inputs.lab.finance
    if "covenant" in model.rows:
        worth = duals(solved.solution, model.rows["covenant"])[:tree]
        yield _limit(solved, Worth("covenant", "covenant on debt", "USD", worth))
    if "loan_share" in model.rows:
        share = duals(solved.solution, model.rows["loan_share"])[:tree]
        most = _bound_worth(solved, "loan")
        lent = solved.value(model.columns["loan"]) > 0  # where nothing is bought there is nothing to lend on
        for number, lender in enumerate(finance.supplier_finance):
            worth = np.where(lent[:, number], share[:, number] + most[:, number], 0.0)
            yield _limit(solved, Worth("loan", f"loans of {lender.supplier}", "USD", worth))


def _due_limits(solved: Solved) -> Iterator[Limit]:
    """Tell each date that a run has to keep. A start is a whole one, so the date has no price: it binds where it is kept last."""
    if "run_due" not in solved.model.rows:
        return
    inputs = solved.program.inputs
    missed = by_quarter(inputs, solved.value(solved.model.columns["missed"]))
    start = by_quarter(inputs, solved.value(solved.model.columns["run_start"]))
    due = [(item, run) for item, run in enumerate(inputs.lab.runs) if run.due is not None]
    begin = inputs.lab.horizon.first
    for number, (item, run) in enumerate(due):
        late = float(missed[:, number].sum()) if "runs that are due" in solved.relaxed else 0.0
        last = start[(run.due or begin) - begin, item] > 1e-6
        state = "relaxed" if late > 0 else "binds" if last else "slack"
        yield Limit(f"run {run.id} due {run.due}", state, 0.0, "future", late)


def _supplier_limits(solved: Solved) -> Iterator[Limit]:
    """Tell each largest order and largest share of a supplier: the worth of a point is the row's dual times the live fleet."""
    inputs, columns = solved.program.inputs, solved.program.columns
    if "supplier_order" in solved.model.rows:
        more = duals(solved.solution, solved.model.rows["supplier_order"]) * USD / CHIPS
        for number, most in enumerate(inputs.lab.policy.supplier_order):
            yield _limit(
                solved, Worth("supplier order", f"orders of {most.supplier}", "chip", more[:, number])
            )
    if "supplier_share" not in solved.model.rows:
        return
    dual = duals(solved.solution, solved.model.rows["supplier_share"])
    signed, _ = signed_fleet(inputs)
    fleet = signed.sum(axis=1)
    for column, weight, _ in fleet_terms(columns, inputs, solved.model.columns):
        fleet = fleet + (solved.solution.x[column] * weight).sum(axis=tuple(range(1, column.ndim)))
    chance = inputs.probability[: inputs.tree_nodes]
    over = chance @ solved.value(solved.model.columns["over_share"]) / max(float(chance @ fleet), 1e-12)
    for number, cap in enumerate(inputs.lab.policy.supplier_share):
        missed = float(over[number]) if "supplier share" in solved.relaxed else 0.0
        yield _limit(
            solved,
            Worth("supplier share", f"share of {cap.supplier}", "share", dual[:, number] * fleet * USD),
            missed,
        )


def _missed_floors(solved: Solved) -> dict[str, float]:
    """Share of what each relaxed floor asks for that is missed, expected over the tree."""
    inputs = solved.program.inputs
    chance = inputs.probability[: inputs.tree_nodes, None, None] * inputs.stage.block_share
    level = inputs.stage.floor_level[: inputs.tree_nodes, :, None]
    asked = level + inputs.stage.floor_share[:, None] * _protected_capacity(solved)
    short = solved.value(solved.program.columns.short)[: inputs.tree_nodes]
    missed, wanted = ((chance * amount).sum(axis=(0, 2)) for amount in (short, asked))
    shares = np.divide(missed, wanted, out=np.zeros_like(missed), where=wanted > 0)
    names = [name for name, _ in inputs.sets.floors]
    return {name: float(share) for name, share in zip(names, shares, strict=True) if name in solved.relaxed}


def _bound_worth(solved: Solved, name: str) -> np.ndarray:
    """Worth of a higher upper bound of a variable, dollars per dollar [tree node, ...]."""
    column = solved.model.columns[name]
    reduced = solved.solution.reduced_cost[column.span].reshape(column.shape)
    return np.asarray(np.maximum(reduced, 0.0)[: solved.program.inputs.tree_nodes])


def _limit(solved: Solved, worth: Worth, missed: float = 0.0) -> Limit:
    inputs = solved.program.inputs
    total = float(worth.raw.sum())
    binding = np.abs(worth.raw) > WORTHLESS * max(1.0, float(np.abs(worth.raw).max(initial=0.0)))
    quarters = (
        len(set(inputs.quarter[: len(worth.raw)][binding].tolist()))
        if len(worth.raw) > 1
        else int(binding.any())
    )
    name = {"power": f"power at {worth.name}", "supply": f"supply of {worth.name}"}.get(
        worth.kind, worth.name
    )
    state = "relaxed" if missed > 0 else "binds" if binding.any() else "slack"
    return Limit(name, state, total if binding.any() else 0.0, worth.unit, missed, quarters)


def _cash_limit(solved: Solved) -> Limit:
    """Worth of a dollar lower minimum cash: the reduced cost of cash at its lower bound."""
    inputs = solved.program.inputs
    column = solved.program.columns.cash
    reduced = solved.solution.reduced_cost[column.span][: inputs.tree_nodes]
    return _limit(solved, Worth("cash", "minimum cash", "USD", np.maximum(-reduced, 0.0)))
