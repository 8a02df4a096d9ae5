"""Solve a plan: policies are kept first, value comes second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from exaplan.domain.errors import NoAnswerError
from exaplan.optimize.certificate import Certificate as Proof
from exaplan.optimize.certificate import certify
from exaplan.optimize.highs import Basis, Progress, Solution, solve, values
from exaplan.optimize.model import Model
from exaplan.optimize.ranges import Variable
from exaplan.optimize.routes import RouteName, solve_staged
from exaplan.plan.formulation import Program, build_program
from exaplan.plan.impossible import clash_of, told
from exaplan.plan.inputs import Inputs, demand_effect
from exaplan.plan.lumpy import is_large, search, without_lumps
from exaplan.plan.policies import free_slacks, policies_of
from exaplan.plan.staging import staged_of

CLOSE = 0.01
"""Error of demand through the line of the demand effect, by revenue, that is small enough."""

MOST_LINES = 4
"""How often that line is moved before the remaining error is left to be reported."""

DECOMPOSE_FROM = 100_000
"""Columns from which the tree is cut: below, the extensive form gives a vertex, and with it a basis for what-ifs."""

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
    route: str = ""  # how it was solved, and why so

    def value(self, variable: Variable) -> np.ndarray:
        """Values of a variable in its shape, LP units."""
        return values(self.solution, variable)


@dataclass(frozen=True)
class Effort:
    """How hard to try: the route (None: by size), the gap at which to stop, and when to stop with the best so far."""

    route: RouteName | None = None
    gap: float | None = None
    time_limit_s: float = np.inf


def solve_program(
    program: Program,
    *,
    start: Basis | None = None,
    effort: Effort | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> Solved:
    """Maximise value with every policy kept; where that is impossible, relax as little as possible first.

    Phase 1 (only when keeping all of them is infeasible) minimises the violations one policy after the other, the
    development floor first, so that it is given up last; phase 2 fixes them at that minimum.

    Raises
    ------
    NoAnswerError
        When no relaxation of a policy makes the plan possible, with the rows that clash; when it was stopped before
        there was any plan.
    """
    effort = effort or Effort()
    model, relaxed = program.model, dict[str, float]()
    solution, route = _optimum(program, start, effort, progress)
    if solution.status == "infeasible":
        model, relaxed = _relax(program)
        solution, route = _optimum(replace(program, model=model), None, effort, progress)
    if not solution.has_values:
        raise NoAnswerError(
            f"the solver stopped as {solution.status!r} without a plan; allow more time or a wider gap"
        )
    return Solved(program, model, solution, certify(model, solution), relaxed, route)


def _optimum(
    program: Program, start: Basis | None, effort: Effort, progress: Callable[[Progress], object] | None
) -> tuple[Solution, str]:
    """Solve by the route that is asked for or that suits the size; returns the solution and the route in words."""
    model = program.model
    if effort.route is None and is_large(program) and model.column_count < DECOMPOSE_FROM:
        return search(program, start=start, gap=effort.gap, time_limit_s=effort.time_limit_s)
    if effort.route is None and model.column_count < DECOMPOSE_FROM:
        found = solve(model, start=start, gap=effort.gap, time_limit_s=effort.time_limit_s, progress=progress)
        how = "branch and bound" if model.integer is not None else "simplex"
        return found, f"extensive form by {how}: {model.column_count:,} columns"
    staged = staged_of(program)
    answer = solve_staged(
        staged,
        route=effort.route,
        gap=effort.gap,
        time_limit_s=effort.time_limit_s,
        progress=progress,
        start=start,
    )
    return answer.solution, answer.route.reason


def solve_plan(
    inputs: Inputs,
    *,
    start: Basis | None = None,
    effort: Effort | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> Solved:
    """Build and solve a plan; move what it is linear around until demand and output are right to 1 %.

    The demand effect of capability is a logarithm; the program holds its line around a reference ratio that follows from
    the futures alone (``inputs.reference_ratio``), so plans that differ in money or offers stand on the same line. Only
    where the answer's own ratio makes expected demand differ by more does the line move half way there. The output on
    which gains in serving efficiency are counted moves to the answer's own in the same rounds.
    """
    program = build_program(inputs)
    if is_large(program) and (effort is None or effort.route is None):
        # The lines settle on the relaxation, seconds a time, so that the search for whole starts runs once, not four times.
        relaxed = _settled(without_lumps(program), start=start, effort=effort, progress=progress)
        program, start = build_program(relaxed.program.inputs), relaxed.solution.basis
    return _settled(program, start=start, effort=effort, progress=progress)


def _settled(
    program: Program,
    *,
    start: Basis | None,
    effort: Effort | None,
    progress: Callable[[Progress], object] | None,
) -> Solved:
    """Solve a program and move its lines until they fit the answer; a program without lumps stays without."""
    solved = solve_program(program, start=start, effort=effort, progress=progress)
    whole = program.model.integer is not None
    for line in range(MOST_LINES):
        inputs = solved.program.inputs
        moved = effect_error(solved) > CLOSE
        if moved:
            # Half way: a full step swings for ever between two lines where development answers strongly to its worth.
            inputs = inputs.around((inputs.reference_ratio + solved.value(solved.program.columns.ratio)) / 2)
        if volume_error(solved) > CLOSE:
            near = worked_output(solved)
            inputs = inputs.on_output(near if line < 2 else (inputs.reference_output + near) / 2)
            moved = True
        if not moved:
            break
        again = build_program(inputs) if whole else without_lumps(build_program(inputs))
        solved = solve_program(again, start=solved.solution.basis, effort=effort, progress=progress)
    return solved


def worked_output(solved: Solved) -> np.ndarray:
    """Tokens that chips at work serve, without gains in efficiency, 1e12 [node, serve]."""
    inputs = solved.program.inputs
    sets, stage = inputs.sets, inputs.stage
    made = stage.rate * (solved.value(solved.program.columns.work) * stage.block_share).sum(axis=2)
    total = np.zeros((len(sets.workloads), inputs.nodes))
    np.add.at(total, sets.arc_workload, made.T)
    return np.asarray(total[: len(sets.serve)].T)


def volume_error(solved: Solved) -> float:
    """Error of the gain in serving efficiency through its reference output, as a share of expected discounted revenue."""
    gained = solved.model.columns.get("efficiency")
    if gained is None:
        return 0.0
    inputs = solved.program.inputs
    weight = (inputs.probability * inputs.discount)[:, None] * inputs.stage.price
    worked = worked_output(solved)
    error = solved.value(gained).sum(axis=1)[:, None] * np.abs(worked - inputs.reference_output)
    stake = float((weight * worked).sum())
    return float((weight * error).sum()) / stake if stake > 0 else 0.0


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
    free = free_slacks(program)
    nothing = dict.fromkeys(program.model.columns, 0.0)
    model = program.model.with_changes(upper=free, cost=nothing)
    relaxed: dict[str, float] = {}
    allowed = {name: np.zeros(model.columns[name].shape) for name in free}
    for policy in policies_of(program):
        column, weight = policy.column, policy.weight
        found = solve(model.with_changes(cost={column: -weight}))
        if not found.has_values or found.status == "infeasible":
            raise NoAnswerError(_clash(replace(program, model=model)))
        gap = np.where(weight > 0, values(found, model.columns[column]), 0.0)
        missed = float((gap * weight).sum())
        if missed > ROOM:
            relaxed[policy.name] = missed
        allowed[column] = np.where(weight > 0, np.maximum(gap, 0.0) + ROOM * (gap > 0), allowed[column])
        upper = np.where(
            weight > 0, allowed[column], model.upper[model.columns[column].span].reshape(weight.shape)
        )
        model = model.with_changes(upper={column: upper})
    return program.model.with_changes(upper=allowed), relaxed


def _clash(program: Program) -> str:
    """Say which lines of the lab file clash when no relaxation of a policy makes a plan possible."""
    lines = "\n".join(f"  {told(member, program.inputs.lab)}" for member in clash_of(program)[:12])
    return f"no plan exists even with every policy relaxed; these cannot hold together:\n{lines or '  none named'}"
