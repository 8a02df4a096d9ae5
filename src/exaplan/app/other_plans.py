"""The plan's own alternatives: other plans of the same lab, to be replayed on the same futures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.again import Made
from exaplan.domain.lab import Lab
from exaplan.domain.uncertain import Uncertain
from exaplan.economy.tree import grow_tree
from exaplan.optimize.alternatives import Direction, near_optimal_point
from exaplan.plan.accounts import contract_value
from exaplan.plan.formulation import build_program
from exaplan.plan.inputs import collect
from exaplan.plan.layout import CHIPS, USD
from exaplan.plan.solve import Solved, solve_plan, solve_program
from exaplan.plan.warm import solve_warm
from exaplan.simulate.signing import PlanOrders

NEAR = 0.01
"""Share of the objective that a near-optimal plan may give up."""

MORE_COVER = 2.0
"""Quarters of committed outlay by which a more careful plan holds more liquidity; a less careful one holds half."""


@dataclass(frozen=True)
class Other:
    """Another plan: what it stands on, and its orders where they are not those of what it stands on."""

    name: str
    setting: str
    solved: Solved
    orders: PlanOrders | None = None


Task = Callable[[], Other]


def other_plans(
    made: Made,
    map: Callable[[Callable[[Task], Other], Iterable[Task]], Iterable[Other]],  # noqa: A002
) -> list[Other]:
    """Make every alternative of a plan, side by side."""
    return list(map(lambda task: task(), tasks_of(made)))


def tasks_of(made: Made) -> list[Task]:
    """List how each alternative is made; one that would be the plan itself is left out."""
    lab, cover = made.lab, made.lab.policy.cover_quarters
    tasks: list[Task] = []
    if any(workload.growth.median != 0 or not workload.growth.is_certain for workload in lab.serve):
        tasks.append(lambda: _no_growth(made))
    tasks.append(lambda: _covered(made, cover + MORE_COVER, "more cover"))
    if cover > 0:
        tasks.append(lambda: _covered(made, cover / 2, "less cover"))
    if made.solved.program.inputs.sets.orderable:
        tasks.append(lambda: _near(made, -1.0, "near-optimal, least now"))
        tasks.append(lambda: _near(made, 1.0, "near-optimal, most now"))
    return tasks


def renting(made: Made) -> Solved:
    """Solve the plan of the same lab that signs nothing: the prices at which a rule that rents much is dispatched."""
    inputs = collect(made.lab, made.rates, made.tree).around(made.solved.program.inputs.reference_ratio)
    program = build_program(inputs)
    barred = program.model.with_changes(upper={"order": 0.0})
    return solve_program(replace(program, model=barred))


def _no_growth(made: Made) -> Other:
    lab = without_growth(made.lab)
    solved = solve_plan(collect(lab, made.rates, grow_tree(lab, seed=lab.futures.seed)))
    return Other("no growth", "planned as though demand stayed", solved)


def without_growth(lab: Lab) -> Lab:
    """Return the lab of a planner who expects demand to stay as it is."""
    still = {workload.id: {"growth": Uncertain.point(0.0)} for workload in lab.serve}
    return lab.model_copy(
        update={"workloads": tuple(w.model_copy(update=still.get(w.id, {})) for w in lab.workloads)}
    )


def _covered(made: Made, quarters: float, name: str) -> Other:
    policy = made.lab.policy.model_copy(update={"cover_quarters": quarters})
    lab = made.lab.model_copy(update={"policy": policy})
    inputs = collect(lab, made.rates, made.tree).around(made.solved.program.inputs.reference_ratio)
    return Other(name, f"{quarters:g} quarters of committed outlay", solve_warm(made.solved, inputs).solved)


def _near(made: Made, sign: float, name: str) -> Other:
    """Find the plan with the least or most committed in the first quarter among those nearly as good."""
    solved = made.solved
    order = solved.program.columns.order
    weight = np.zeros(solved.model.column_count)
    weight[order.index[0]] = contract_value(solved.program.inputs)[0] * CHIPS / USD
    x = near_optimal_point(solved.model, solved.solution, Direction(name, weight), sign=sign, slack=NEAR)
    chips = x[order.span].reshape(order.shape)
    return Other(name, f"{NEAR:.0%} of the objective given up", solved, PlanOrders(solved, chips))
