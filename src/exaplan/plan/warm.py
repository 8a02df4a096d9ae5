"""Solve a changed plan from the solution of another one, and say how that start was made.

Three starts, from the nearest to the farthest: the matrix is the same and only bounds, costs or sides of rows moved; the
shape is the same and coefficients moved; the shape is another and the basis is carried by the names of offers, contracts,
workloads and rounds. A tree with other nodes has nothing to carry.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from exaplan.optimize.certificate import certify
from exaplan.optimize.restart import (
    BASIC,
    LOWER,
    UPPER,
    Difference,
    carried_basis,
    difference,
    solve_again,
)
from exaplan.optimize.solution import Basis
from exaplan.plan.formulation import Program, build_program
from exaplan.plan.inputs import Inputs, collect
from exaplan.plan.solve import (
    CLOSE,
    MOST_LINES,
    Solved,
    effect_error,
    solve_program,
    volume_error,
    worked_output,
)

Route = Literal["same program", "same matrix", "same shape", "other shape", "cold"]

AXES: dict[str, tuple[str, ...]] = {
    "order": ("tree", "orderable"),
    "stock": ("node", "orderable"),
    "stock_balance": ("node", "orderable"),
    "left": ("node", "exit"),
    "exits": ("node", "exit"),
    "exits_close": ("leaf", "exit"),
    "lost": ("node", "serve"),
    "lost_balance": ("node", "serve"),
    "use": ("node", "metered", "block"),
    "meter": ("node", "metered", "block"),
    "above": ("node", "metered"),
    "beyond": ("node", "metered"),
    "rent": ("node", "hourly", "block"),
    "work": ("node", "arc", "block"),
    "chips": ("node", "group", "block"),
    "power": ("node", "site", "block"),
    "output": ("node", "workload", "block"),
    "technology": ("node", "workload", "block"),
    "unserved": ("node", "serve", "block"),
    "forgiven": ("node", "serve", "block"),
    "demand": ("node", "serve", "block"),
    "written_off": ("node", "serve", "block"),
    "short": ("node", "floor", "block"),
    "floor": ("node", "floor", "block"),
    "raised": ("node", "round"),
    "raised_total": ("node", "round"),
}
"""Axes of the ranges whose length depends on what the lab names; a range that is not here is carried as it stands."""

METERED = {"use": BASIC, "above": BASIC, "meter": UPPER, "beyond": LOWER}
"""Where an order begins to be metered it is used in full, as it was before, and what exceeds the must-pay is paid."""


@dataclass(frozen=True)
class Warm:
    """A plan solved from another one: which start was used, why, and what it took."""

    solved: Solved
    route: Route
    why: str
    iterations: int


def solve_warm(start: Solved, inputs: Inputs) -> Warm:
    """Solve the plan of ``inputs`` from the solution ``start`` of a plan like it.

    The line of the demand effect is moved as by :func:`exaplan.plan.solve.solve_plan` where demand by it is off by more
    than 1 %, and by more than it was at the start. The optimum is that of a solve from nothing on the same line.

    Raises
    ------
    NoAnswerError
        When no relaxation of a policy makes the plan possible.
    """
    first = found = _solve_from(start, build_program(inputs))
    enough = CLOSE if first.route == "cold" else max(CLOSE, effect_error(start))
    iterations, moves = first.iterations, 0
    while moves < MOST_LINES and (better := _better_line(found.solved, enough)) is not None:
        found, moves = _solve_from(found.solved, build_program(better)), moves + 1
        iterations += found.iterations
    moved = f"; the line of the demand effect moved {moves} x" if moves else ""
    return Warm(found.solved, first.route, first.why + moved, iterations)


def _better_line(solved: Solved, enough: float) -> Inputs | None:
    """Move the line half way to the plan's own ratios, and the output on which gains are counted likewise.

    None where demand by the line and gains by the output are right enough.
    """
    inputs, ratio = solved.program.inputs, solved.value(solved.program.columns.ratio)
    moved = effect_error(solved) > enough
    if moved:
        inputs = inputs.around((inputs.reference_ratio + ratio) / 2)
    if volume_error(solved) > max(CLOSE, enough):
        inputs, moved = inputs.on_output((inputs.reference_output + worked_output(solved)) / 2), True
    return inputs if moved else None


def on_the_line_of(base: Solved, inputs: Inputs) -> Inputs:
    """Put the demand effect of changed inputs on the line of ``base``, so that the two plans can be compared.

    Where the futures changed too, the line moves with the reference that follows from them alone. A tree of other nodes
    keeps its own reference.
    """
    old = base.program.inputs
    if not same_tree(old, inputs):
        return inputs
    if old.reference_output.shape == inputs.reference_output.shape:
        inputs = inputs.on_output(old.reference_output)
    if not inputs.sets.sensitivity.any():
        return inputs
    before = collect(old.lab, old.rates, old.tree).reference_ratio
    after = inputs.reference_ratio
    return inputs.around(np.where(before == after, old.reference_ratio, old.reference_ratio * after / before))


def same_tree(old: Inputs, new: Inputs) -> bool:
    """Whether two trees have the same nodes, whatever happens in them."""
    return old.quarters == new.quarters and np.array_equal(old.parent, new.parent)


def _solve_from(start: Solved, program: Program) -> Warm:
    old = start.program.model
    found = difference(old, program.model)
    basis = start.solution.basis
    if found.same_program:
        same = Program(program.inputs, old, program.columns)
        return Warm(replace(start, program=same), "same program", "nothing in the program changed", 0)
    if basis is None or program.model.integer is not None:
        whole = "the program has whole numbers" if basis is not None else "the plan before has no basis"
        return _cold(program, whole)
    if found.shape:
        if not same_tree(start.program.inputs, program.inputs):
            return _cold(program, "the scenario tree has other nodes")
        basis = _carried(start, program, basis)
    elif found.same_matrix:
        shared = replace(program.model, start=old.start, index=old.index, value=old.value)
        program = replace(program, model=shared)
    solution = solve_again(program.model, basis)
    if solution.status == "iteration_limit":
        return _cold(program, f"{_why(found)}: too far away for the basis before")
    if solution.status != "optimal":
        return _cold(program, f"from the basis before it looks {solution.status}")
    solved = Solved(program, program.model, solution, certify(program.model, solution), {})
    return Warm(solved, _route(found), _why(found), solution.iterations)


def _cold(program: Program, why: str) -> Warm:
    solved = solve_program(program)
    return Warm(solved, "cold", why, solved.solution.iterations)


def _route(found: Difference) -> Route:
    if found.shape:
        return "other shape"
    return "same matrix" if found.same_matrix else "same shape"


def _why(found: Difference) -> str:
    if found.shape:
        return "other columns or rows; the basis was carried by their names"
    counts = {"costs": found.costs, "bounds": found.bounds, "sides of rows": found.sides}
    coefficients = {"coefficients": found.coefficients}
    parts = [f"{number} {what}" for what, number in {**coefficients, **counts}.items() if number]
    if found.pattern:
        parts = ["coefficients stand in other places", *parts]
    return ", ".join(parts) + " changed" if parts else "nothing changed"


def _carried(start: Solved, program: Program, basis: Basis) -> Basis:
    old, new = _labels(start.program.inputs), _labels(program.inputs)
    before = {axis: {label: place for place, label in enumerate(labels)} for axis, labels in old.items()}
    place = {
        axis: np.array([before[axis].get(label, -1) for label in labels], dtype=int)
        for axis, labels in new.items()
    }
    moved = {axis for axis in new if old[axis] != new[axis]}
    places = {name: tuple(place[axis] for axis in axes) for name, axes in AXES.items() if moved & set(axes)}
    return carried_basis(start.program.model, basis, program.model, places=places, fresh=METERED)


def _labels(inputs: Inputs) -> dict[str, Sequence[Hashable]]:
    """Name every position of every axis of a plan."""
    sets, workloads = inputs.sets, inputs.sets.workloads
    contracts = [contract.id for contract in sets.contracts]
    orderable = [offer.id for offer in sets.orderable]
    arcs = zip(sets.arc_group.tolist(), sets.arc_workload.tolist(), strict=True)
    return {
        "node": range(inputs.nodes),
        "tree": range(inputs.tree_nodes),
        "leaf": range(len(inputs.leaves)),
        "block": range(len(inputs.stage.block_share)),
        "orderable": orderable,
        "metered": [orderable[number] for number in sets.metered],
        "hourly": [source.id for source in sets.hourly],
        "exit": [contracts[number] for number in sets.exits],
        "group": list(sets.groups),
        "site": [site.id for site in inputs.lab.sites],
        "serve": [workload.id for workload in sets.serve],
        "workload": list(workloads),
        "arc": [(sets.groups[group], workloads[workload]) for group, workload in arcs],
        "floor": [name for name, _ in sets.floors],
        "round": [chance.id for chance in inputs.lab.finance.rounds],
    }
