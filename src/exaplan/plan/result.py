"""From the solution of a program to a plan in chips, tokens and dollars, and to the prices that dispatch needs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields

import numpy as np

from exaplan.domain.answer import Certificate
from exaplan.domain.plan import Plan
from exaplan.optimize.highs import duals
from exaplan.plan.columns import Columns
from exaplan.plan.layout import CHIPS, FLOP, TOKENS, USD, Layout
from exaplan.plan.price_rows import moved_by_price
from exaplan.plan.solve import Solved


def cash_price(solved: Solved) -> np.ndarray:
    """Value of a dollar at each node, in dollars of value at that node's own weight, shape [node].

    The dual of the cash row over the weight that the objective puts on the node: probability, discount and, where a
    tail is priced, the node's share in it. At a node that draws rescue it equals the price of rescue.
    """
    program = solved.program
    dual = duals(solved.solution, solved.model.rows["cash_balance"])
    reduced = solved.solution.reduced_cost[program.columns.rescue.span]
    weight = np.maximum(dual - reduced, 1e-300) / program.inputs.lab.policy.rescue_price
    return np.asarray(dual / weight)


def to_plan(solved: Solved) -> Plan:
    """Translate a solution into the plan record: SI units and dollars."""
    program, columns = solved.program, solved.program.columns
    inputs, sets = program.inputs, program.inputs.sets
    value = solved.value
    unit = sets.unit
    price = cash_price(solved)
    unaided = value(columns.rescue) < 1e-6
    at_face, priced = leaf_values(solved, rescue_price=1.0), leaf_values(solved)
    chance = inputs.probability[inputs.leaves]
    scale = np.array([_floor_unit(sets.floors[j][1].workloads, sets) for j in range(len(sets.floors))])
    return Plan(
        status=solved.solution.status,
        objective_usd=solved.solution.objective * USD,
        bound_usd=solved.solution.bound * USD,
        gap=abs(solved.solution.bound - solved.solution.objective) / max(1.0, abs(solved.solution.objective)),
        certificate=Certificate(*(float(residual) for residual in solved.proof)),
        offers=tuple(offer.id for offer in sets.orderable),
        on_demand=tuple(source.id for source in sets.hourly),
        groups=sets.groups,
        arcs=tuple(zip(sets.arc_group.tolist(), sets.arc_workload.tolist(), strict=True)),
        workloads=sets.workloads,
        parent=inputs.parent,
        quarter=inputs.quarter,
        probability=inputs.probability,
        discount=inputs.discount,
        ordered=value(columns.order) * CHIPS,
        stock=value(columns.stock) * CHIPS,
        left=value(columns.left),
        rented=value(columns.rent) * CHIPS,
        further=further_chips(solved) * CHIPS,
        brought=further_demand(solved) * TOKENS,
        at_work=value(columns.work) * CHIPS,
        output=value(columns.output) * unit[:, None],
        unserved=value(columns.unserved) * TOKENS,
        lost=value(columns.lost) * TOKENS,
        forgiven=value(columns.forgiven) * TOKENS,
        ratio=value(columns.ratio),
        effect=1
        + value(columns.standing)[:, None] * sets.sensitivity
        + moved_by_price(inputs, value(columns.offered)),
        sold=value(columns.sold) * TOKENS,
        premium=value(columns.premium) * TOKENS,
        cash_usd=value(columns.cash) * USD,
        debt_usd=value(columns.debt) * USD,
        raised_usd=value(columns.raised) * USD,
        rescue_usd=value(columns.rescue) * USD,
        short=value(columns.short) * scale[:, None] if len(scale) else value(columns.short),
        relaxed=solved.relaxed,
        value_usd=float(chance @ at_face) * USD,
        leaf_value_usd=priced * USD,
        rescue_price=inputs.lab.policy.rescue_price,
        largest_cash_price=float(price[unaided].max()) if unaided.any() else float("nan"),
    )


LAUNCHING = frozenset({"launch_chips"})
"""Further variables that take live chips and their power for a quarter: nothing is more or less live for it."""


def further_activity(solved: Solved, *, without: Collection[str] = ()) -> np.ndarray | None:
    """Sum what variables beside the core ones put into every row [row]; None where they are all zero."""
    core, model = {field.name for field in fields(Columns)}, solved.model
    x = np.zeros(model.column_count)
    for name, variable in model.columns.items():
        if name not in core and name not in without:
            x[variable.span] = solved.solution.x[variable.span]
    return model.activity(x) if x.any() else None


def further_chips(solved: Solved) -> np.ndarray:
    """Thousand chips up that variables beside the core ones bring [node, group], mean over the blocks.

    Chips that a launch takes from work are live all the same.
    """
    row, activity = solved.model.rows["chips"], further_activity(solved, without=LAUNCHING)
    if activity is None:
        return np.zeros(row.shape[:2])
    return np.asarray(-activity[row.span].reshape(row.shape) @ solved.program.inputs.stage.block_share)


def further_demand(solved: Solved) -> np.ndarray:
    """Demand that variables beside the core ones bring, 1e12 tokens [node, serve]."""
    row, activity = solved.model.rows["demand"], further_activity(solved)
    if activity is None:
        return np.zeros(row.shape[:2])
    return np.asarray(-activity[row.span].reshape(row.shape).sum(axis=2))


def _floor_unit(protected: tuple[str, ...], sets: Layout) -> float:
    serving = {workload.id for workload in sets.serve}
    return TOKENS if set(protected) & serving else FLOP


def leaf_values(solved: Solved, *, rescue_price: float | None = None) -> np.ndarray:
    """Present value of each future in M$: free cash to equity minus raises with their dilution minus rescue at its price."""
    program, columns = solved.program, solved.program.columns
    inputs = program.inputs
    price = inputs.lab.policy.rescue_price if rescue_price is None else rescue_price
    path = np.column_stack([inputs.at_quarter[inputs.tails], inputs.tails])
    given = 1 + np.array([chance.dilution_cost for chance in inputs.lab.finance.rounds], dtype=float)
    cost = price * solved.value(columns.rescue) + solved.value(columns.raised) @ given
    if "given" in solved.model.columns:
        cost = cost + solved.value(solved.model.columns["given"])
    earned = inputs.cash_worth * solved.value(columns.cash)
    return np.asarray((inputs.discount * (earned - cost))[path].sum(axis=1))


@dataclass(frozen=True)
class StageWorth:
    """What each stage variable is worth at each node, everything that follows included (LP units)."""

    by_name: dict[str, np.ndarray]  # variable -> [node, ...]


STAGE_DECISIONS = (
    "use",
    "above",
    "rent",
    "work",
    "output",
    "sold",
    "premium",
    "leaving",
    "unserved",
    "forgiven",
    "progress",
    "effort",
    "insight",
    "distil",
    "short",
    "unwatched",
    "through",
    "on_call",
    "standby",
)


def stage_worth(solved: Solved) -> StageWorth:
    """Price the stage variables by the duals of the linking rows: c_j - sum over linking rows of dual * coefficient.

    With these costs the quarter's own program (the stage rows alone) has the plan's decisions among its optima
    (Lagrangian decomposition; complementary slackness).
    """
    model = solved.model
    dual = solved.solution.row_dual.copy()
    for name in STAGE_ROW_NAMES:
        if name in model.rows:
            dual[model.rows[name].span] = 0.0
    worth = model.cost - model.pulled_back(dual)
    return StageWorth(
        {name: worth[model.columns[name].span].reshape(model.columns[name].shape) for name in STAGE_DECISIONS}
    )


STAGE_ROW_NAMES = (
    "chips", "flexible", "meter", "beyond", "technology", "demand", "written_off", "floor", "oversight", "mix_least", "mix_most", "power",
    "progress_curve", "effort_plane", "insight_curve", "steady", "run_through", "reserve", "held", "homed",
    "routing_least", "routing_most", "routing_ready", "distil_flop", "distil_taught", "sold_all", "sold_most",
    "premium_line", "leaving_line", "leaving_most",
)  # fmt: skip
