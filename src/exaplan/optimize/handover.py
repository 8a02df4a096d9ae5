"""To HiGHS and back: a model goes over as arrays in one call, an answer comes back as arrays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import highspy
import numpy as np

from exaplan.optimize.model import Model
from exaplan.optimize.solution import Basis, Solution, Status

STATUS: dict[Any, Status] = {
    highspy.HighsModelStatus.kOptimal: "optimal",
    highspy.HighsModelStatus.kModelEmpty: "optimal",
    highspy.HighsModelStatus.kInfeasible: "infeasible",
    highspy.HighsModelStatus.kUnbounded: "unbounded",
    highspy.HighsModelStatus.kTimeLimit: "time_limit",
    highspy.HighsModelStatus.kIterationLimit: "iteration_limit",
    highspy.HighsModelStatus.kInterrupt: "interrupted",
}
BASIS_STATUS: list[Any] = sorted(highspy.HighsBasisStatus.__members__.values(), key=int)


def loaded(model: Model) -> Any:
    """Make a silent, single-threaded, seeded HiGHS that holds the model."""
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, setting in (("output_flag", False), ("threads", 1), ("parallel", "off"), ("random_seed", 0)):
        solver.setOptionValue(option, setting)
    sense = highspy.ObjSense.kMaximize if model.sense == "max" else highspy.ObjSense.kMinimize
    integer = (
        np.zeros(model.column_count, np.int32) if model.integer is None else model.integer.astype(np.int32)
    )
    status = solver.passModel(
        model.column_count, model.row_count, model.entry_count,
        int(highspy.MatrixFormat.kColwise), int(sense), model.offset,
        model.cost, model.lower, model.upper, model.row_lower, model.row_upper,
        model.start, model.index, model.value, integer,
    )  # fmt: skip
    if status == highspy.HighsStatus.kError:
        raise RuntimeError(
            f"HiGHS refuses the model of {model.column_count} columns and {model.row_count} rows"
        )
    return solver


def set_basis(solver: Any, model: Model, start: Basis) -> None:
    """Begin at a basis; presolve would discard it, so it is turned off."""
    if len(start.columns) != model.column_count or len(start.rows) != model.row_count:
        raise ValueError(
            f"solve: the starting basis has {len(start.columns)} columns and {len(start.rows)} rows, "
            f"the model {model.column_count} and {model.row_count}"
        )
    basis = highspy.HighsBasis()
    basis.col_status = [BASIS_STATUS[k] for k in start.columns.tolist()]
    basis.row_status = [BASIS_STATUS[k] for k in start.rows.tolist()]
    basis.valid = True
    solver.setBasis(basis)
    solver.setOptionValue("presolve", "off")


def basis_of(solver: Any) -> Basis | None:
    """Read the basis, or None where the solver has none."""
    basis = solver.getBasis()
    if not basis.valid:
        return None
    columns, rows = basis.col_status, basis.row_status
    return Basis(
        np.fromiter(map(int, columns), np.int8, len(columns)), np.fromiter(map(int, rows), np.int8, len(rows))
    )


def linear_solution(solver: Any, model: Model, status: Status, *, with_basis: bool = True) -> Solution:
    """Read the answer to a linear program."""
    found, info = solver.getSolution(), solver.getInfo()
    usable = status not in ("infeasible", "unbounded") and (found.value_valid or model.column_count == 0)
    nothing = np.full(model.column_count, np.nan)
    priced = usable and (found.dual_valid or model.column_count == 0)
    objective = model.offset if model.column_count == 0 else info.objective_function_value
    return Solution(
        status=status,
        objective=objective if usable else np.nan,
        bound=objective if status == "optimal" else np.nan,
        x=np.array(found.col_value) if usable else nothing,
        row_dual=np.array(found.row_dual) if priced else np.full(model.row_count, np.nan),
        reduced_cost=np.array(found.col_dual) if priced else nothing,
        iterations=simplex_and_interior(info),
        basis=basis_of(solver) if usable and with_basis else None,
    )


def integer_solution(solver: Any, model: Model, integer: np.ndarray, status: Status) -> Solution:
    """Read the answer to a program with integers; duals come from solving it again with the integers fixed.

    Where the fixed program has no solution (rounding can cost feasibility), the point is the one found and the duals
    are NaN.
    """
    found, info = solver.getSolution(), solver.getInfo()
    nothing, no_duals = np.full(model.column_count, np.nan), np.full(model.row_count, np.nan)
    if status in ("infeasible", "unbounded") or not found.value_valid:
        return Solution(status, np.nan, np.nan, nothing, no_duals, nothing, 0)
    bound, iterations, x = info.mip_dual_bound, simplex_and_interior(info), np.array(found.col_value)
    whole = np.flatnonzero(integer).astype(np.int32)
    lower, upper = model.lower.copy(), model.upper.copy()
    lower[whole] = upper[whole] = np.round(x[whole])
    linear = loaded(replace(model, lower=lower, upper=upper, integer=None))
    linear.run()
    if STATUS.get(linear.getModelStatus()) != "optimal":
        return Solution(status, info.objective_function_value, bound, x, no_duals, nothing, iterations)
    fixed = linear_solution(linear, model, status)
    return replace(fixed, bound=bound, iterations=iterations + fixed.iterations)


def simplex_and_interior(info: Any) -> int:
    """Count iterations of every kind; HiGHS writes -1 for a method that did not run."""
    counts = (info.simplex_iteration_count, info.ipm_iteration_count, info.crossover_iteration_count)
    return sum(max(int(count), 0) for count in counts)
