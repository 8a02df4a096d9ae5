"""Solve a model again from the basis of another one: which simplex, and a basis carried to a model of another shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from exaplan.optimize.handover import STATUS, linear_solution, loaded, set_basis
from exaplan.optimize.highs import COLD_OPTIONS, DUAL, HOT_OPTIONS
from exaplan.optimize.model import Model
from exaplan.optimize.ranges import LabelledRange
from exaplan.optimize.solution import Basis, Solution

QUICK_ITERATIONS = 1000
"""Iterations with devex weights before exact steepest-edge weights are set up.

Devex weights cost nothing to start with but need more iterations; exact ones cost about as much as this many iterations
at a basis that is not all slack. Measured on a plan of 313 nodes: 0.9 s against 1.7 s where few hundred iterations are
enough, 8.2 s against 4.4 s where thousands are needed.
"""

MOST_ITERATIONS = 10_000
"""Further iterations after which a start from an old basis is given up.

Far from the optimum an iteration at a full basis takes three to four times as long as one of a cold solve (30 thousand
of them on that plan), so this many cost about as much as a cold solve.
"""

CHOOSE, STEEPEST_EDGE = 0, 2
"""Numbers of HiGHS: let it choose between primal and dual by what is feasible; exact dual weights."""

LOWER, BASIC, UPPER, ZERO = 0, 1, 2, 3
"""HiGHS basis statuses: nonbasic at the lower bound, basic, at the upper bound, free and nonbasic at zero."""


@dataclass(frozen=True)
class Difference:
    """How two models differ; counts of entries that are not equal, 0 where all are."""

    shape: bool  # columns, rows or their ranges
    pattern: bool  # where the matrix has entries
    coefficients: int
    costs: int
    bounds: int
    sides: int  # of rows

    @property
    def same_matrix(self) -> bool:
        """Whether one matrix serves both."""
        return not (self.shape or self.pattern or self.coefficients)

    @property
    def same_program(self) -> bool:
        """Whether nothing differs."""
        return self.same_matrix and not (self.costs or self.bounds or self.sides)


def difference(old: Model, new: Model) -> Difference:
    """Compare two models entry by entry."""
    if old.columns != new.columns or old.rows != new.rows:
        return Difference(shape=True, pattern=True, coefficients=0, costs=0, bounds=0, sides=0)
    pattern = not (np.array_equal(old.start, new.start) and np.array_equal(old.index, new.index))
    return Difference(
        shape=False,
        pattern=pattern,
        coefficients=0 if pattern else int((old.value != new.value).sum()),
        costs=int((old.cost != new.cost).sum()),
        bounds=int(((old.lower != new.lower) | (old.upper != new.upper)).sum()),
        sides=int(((old.row_lower != new.row_lower) | (old.row_upper != new.row_upper)).sum()),
    )


def solve_again(model: Model, start: Basis) -> Solution:
    """Solve a linear program from a basis, without presolve.

    The primal simplex runs where the basis still gives a feasible point (only costs or columns changed), the dual one
    elsewhere. Where ``QUICK_ITERATIONS`` with cheap weights are not enough, the dual simplex goes on with exact ones, and
    is given up after ``MOST_ITERATIONS`` more (status ``iteration_limit``). The status is what that basis leads to: a caller
    that gets anything but ``optimal`` should solve from scratch.

    Raises
    ------
    ValueError
        For integer columns, or a basis of another size.
    """
    if model.integer is not None:
        raise ValueError("solve_again: the model has integer columns; use solve()")
    solver = loaded(model)
    for option, setting in (*COLD_OPTIONS, *HOT_OPTIONS):
        solver.setOptionValue(option, setting)
    set_basis(solver, model, start)
    solver.setOptionValue("simplex_strategy", CHOOSE)
    solver.setOptionValue("simplex_iteration_limit", QUICK_ITERATIONS)
    solver.run()
    status, quick = STATUS.get(solver.getModelStatus(), "unknown"), 0
    if status == "iteration_limit":
        quick = QUICK_ITERATIONS
        solver.setOptionValue("simplex_strategy", DUAL)
        solver.setOptionValue("simplex_dual_edge_weight_strategy", STEEPEST_EDGE)
        solver.setOptionValue("simplex_iteration_limit", MOST_ITERATIONS)
        solver.run()
        status = STATUS.get(solver.getModelStatus(), "unknown")
    found = linear_solution(solver, model, status)
    return replace(found, iterations=found.iterations + quick)


def carried_basis(
    old: Model,
    basis: Basis,
    new: Model,
    *,
    places: Mapping[str, tuple[np.ndarray, ...]],
    fresh: Mapping[str, int],
) -> Basis:
    """Carry a basis to a model of another shape by its labelled ranges.

    A range that stands in both with one shape keeps its statuses. Where positions moved, ``places`` says for a range's
    name and each of its axes which old position a new one continues (-1: none). What has no predecessor is nonbasic at
    its lower bound (columns) or basic (rows), or as ``fresh`` says by name. Then rows leave or enter until there are as
    many basics as rows; columns that depend on each other are left to the solver's repair.
    """
    columns, rows = np.full(new.column_count, LOWER, np.int8), np.full(new.row_count, BASIC, np.int8)
    _carry(columns, basis.columns, (old.columns, new.columns), places, fresh)
    _carry(rows, basis.rows, (old.rows, new.rows), places, fresh)
    excess = int((columns == BASIC).sum() + (rows == BASIC).sum()) - new.row_count
    if excess > 0:  # fewer rows than basics: slack rows leave first
        leaving = np.flatnonzero(rows == BASIC)[:excess]
        rows[leaving] = LOWER
        columns[np.flatnonzero(columns == BASIC)[: excess - len(leaving)]] = LOWER
    elif excess < 0:
        rows[np.flatnonzero(rows != BASIC)[:-excess]] = BASIC
    return Basis(_at_a_bound(columns, new.lower, new.upper), _at_a_bound(rows, new.row_lower, new.row_upper))


def _carry(
    found: np.ndarray,
    status: np.ndarray,
    ranges: tuple[Mapping[str, LabelledRange], Mapping[str, LabelledRange]],
    places: Mapping[str, tuple[np.ndarray, ...]],
    fresh: Mapping[str, int],
) -> None:
    """Write the carried statuses of one side, columns or rows, into ``found``."""
    for name, block in ranges[1].items():
        found[block.span] = fresh.get(name, found[block.span])
        before = ranges[0].get(name)
        if before is None or len(before.shape) != len(block.shape):
            continue
        if before.shape == block.shape and name not in places:
            found[block.span] = status[before.span]
        elif name in places:
            kept = [np.flatnonzero(axis >= 0) for axis in places[name]]
            own = status[before.span].reshape(before.shape)
            view = found[block.span].reshape(block.shape)
            view[np.ix_(*kept)] = own[
                np.ix_(*(axis[here] for axis, here in zip(places[name], kept, strict=True)))
            ]


def _at_a_bound(status: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Put what is not basic at a bound that exists."""
    status = np.where((status == LOWER) & np.isneginf(lower), UPPER, status)
    status = np.where((status == UPPER) & np.isposinf(upper), LOWER, status)
    none = np.isneginf(lower) & np.isposinf(upper)
    status = np.where((status != BASIC) & none, ZERO, status)
    return np.where((status == ZERO) & ~none, LOWER, status).astype(np.int8)
