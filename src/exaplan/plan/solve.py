"""Solve a plan: policies are kept first, value comes second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from exaplan.domain.errors import NoAnswerError
from exaplan.optimize.certificate import Certificate as Proof
from exaplan.optimize.certificate import certify
from exaplan.optimize.highs import Basis, Progress, Solution, solve, values
from exaplan.optimize.irreducible import irreducible_set
from exaplan.optimize.model import Model
from exaplan.optimize.ranges import Variable
from exaplan.plan.formulation import Program, build_program
from exaplan.plan.inputs import Inputs, demand_effect

CLOSE = 0.01
"""Error of demand through the line of the demand effect, by revenue, that is small enough."""

MOST_LINES = 4
"""How often that line is moved before the remaining error is left to be reported."""

ROOM = 1e-7
"""Slack left on a relaxed policy so that its own rounding does not make the second phase infeasible."""


@dataclass(frozen=True)
class Solved:
    """A program with its optimum: the model actually solved (policies relaxed where they had to be) and the proof."""

    program: Program
    model: Model
    solution: Solution
    proof: Proof
    relaxed: dict[str, float]  # limit -> expected shortfall, LP units; empty when every policy is kept

    def value(self, variable: Variable) -> np.ndarray:
        """Values of a variable in its shape, LP units."""
        return values(self.solution, variable)


def solve_program(
    program: Program,
    *,
    start: Basis | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> Solved:
    """Maximise value with every policy kept; where that is impossible, relax as little as possible first.

    Phase 1 (only when keeping all of them is infeasible) minimises the violations one policy after the other, the
    development floor first, so that it is given up last; phase 2 fixes them at that minimum.

    Raises
    ------
    NoAnswerError
        When no relaxation of a policy makes the plan possible, with the rows that clash.
    """
    model = program.model
    relaxed: dict[str, float] = {}
    solution = solve(model, start=start, progress=progress)
    if solution.status == "infeasible":
        model, relaxed = _relax(program)
        solution = solve(model, progress=progress)
    if not solution.has_values:
        raise NoAnswerError(f"the solver stopped as {solution.status!r} without a plan")
    return Solved(program, model, solution, certify(model, solution), relaxed)


def solve_plan(
    inputs: Inputs,
    *,
    start: Basis | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> Solved:
    """Build and solve a plan; move the line of the demand effect until the plan's demand is right to 1 %.

    The demand effect of capability is a logarithm; the program holds its line around a reference ratio that follows from
    the futures alone (``inputs.reference_ratio``), so plans that differ in money or offers stand on the same line. Only
    where the answer's own ratio makes expected demand differ by more does the line move half way there.
    """
    solved = solve_program(build_program(inputs), start=start, progress=progress)
    for _ in range(MOST_LINES):
        if effect_error(solved) <= CLOSE:
            break
        # Half way: a full step swings for ever between two lines where development answers strongly to its worth.
        inputs = inputs.around((inputs.reference_ratio + solved.value(solved.program.columns.ratio)) / 2)
        solved = solve_program(build_program(inputs), start=solved.solution.basis, progress=progress)
    return solved


def effect_error(solved: Solved) -> float:
    """Error of demand through the line of the demand effect, as a share of expected discounted revenue at stake."""
    program = solved.program
    inputs, sensitivity = program.inputs, program.inputs.sets.sensitivity
    true = demand_effect(inputs, solved.value(program.columns.ratio))
    line = 1 + solved.value(program.columns.standing)[:, None] * sensitivity
    stage = inputs.stage
    weight = (inputs.probability * inputs.discount * stage.weight)[:, None] * stage.demand * stage.price
    stake = float((weight * true).sum())
    return float((weight * np.abs(line - true)).sum()) / stake if stake > 0 else 0.0


def _relax(program: Program) -> tuple[Model, dict[str, float]]:
    """Find the least violation, policy by policy, and allow exactly that."""
    columns, inputs = program.columns, program.inputs
    free = {"short": np.inf, "unwatched": np.inf, "risk_excess": np.inf}
    nothing = dict.fromkeys(program.model.columns, 0.0)
    model = program.model.with_changes(upper=free, cost=nothing)
    chance = inputs.probability[:, None]
    ranks: list[tuple[str, str, np.ndarray]] = []
    for number, (name, _) in enumerate(inputs.sets.floors):
        weight = np.zeros(columns.short.shape)
        weight[:, number] = chance
        ranks.append((name, "short", weight))
    ranks.append(("oversight", "unwatched", np.broadcast_to(chance, columns.unwatched.shape)))
    ranks.append(("CVaR limit", "risk_excess", np.ones(())))
    relaxed: dict[str, float] = {}
    allowed = {name: np.zeros(model.columns[name].shape) for name in free}
    for name, column, weight in ranks:
        found = solve(model.with_changes(cost={column: -weight}))
        if not found.has_values or found.status == "infeasible":
            raise NoAnswerError(_clash(model))
        gap = np.where(weight > 0, values(found, model.columns[column]), 0.0)
        missed = float((gap * weight).sum())
        if missed > ROOM:
            relaxed[name] = missed
        allowed[column] = np.where(weight > 0, np.maximum(gap, 0.0) + ROOM * (gap > 0), allowed[column])
        upper = np.where(
            weight > 0, allowed[column], model.upper[model.columns[column].span].reshape(weight.shape)
        )
        model = model.with_changes(upper={column: upper})
    return program.model.with_changes(upper=allowed), relaxed


def _clash(model: Model) -> str:
    clash = irreducible_set(model)
    rows = ", ".join(str(item) for item in clash.rows[:8]) or "none named"
    return f"no plan exists even with every policy relaxed; rows that clash: {rows}"
