"""Solve models with HiGHS, handed over as arrays in one call.

HiGHS and its options: Huangfu and Hall (2018), Parallelizing the dual revised simplex method, Mathematical
Programming Computation 10:119-142, doi 10.1007/s12532-017-0130-5; the interior point method (IPX): Schork and Gondzio
(2020), doi 10.1007/s12532-020-00181-8.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from exaplan.optimize.handover import STATUS, basis_of, integer_solution, linear_solution, loaded, set_basis
from exaplan.optimize.model import Model
from exaplan.optimize.solution import Basis, Solution, Status, duals, values

__all__ = ["Basis", "HotSolver", "Progress", "Solution", "duals", "solve", "values"]

Method = Literal["auto", "simplex", "ipx"]

SIMPLEX_UP_TO_COLUMNS = 60_000
"""Below this the dual simplex is quicker than interior point with crossover on multistage plans, above it slower.

Measured on a plan of 313 nodes (44 thousand columns, 25 thousand rows): 2.4 s against 5.8 s.
"""

COLD_OPTIONS = (("dual_simplex_cost_perturbation_multiplier", 0.0),)
"""Plans are rarely dual degenerate; without perturbing costs the same 313-node plan took 2.4 s instead of 3.9 s."""

STUCK_OPTIONS = (("dual_simplex_cost_perturbation_multiplier", 1.0),)
"""Where a plan is degenerate all the same, HiGHS stops in a cycle without an answer; perturbed costs lead out of it."""

DUAL, PRIMAL = 1, 4
"""Numbers of the simplex strategies in HiGHS: dual after a change of bounds, primal after a change of costs."""

HOT_OPTIONS = (("presolve", "off"), ("solver", "simplex"), ("simplex_dual_edge_weight_strategy", 1))
"""Presolve would discard the basis; devex weights need no set-up at a basis that is not all slack."""


@dataclass(frozen=True)
class Progress:
    """How far a solve has come; None for what the method at work does not tell.

    ``phase`` names what is being done, ``share`` how much of that phase is done. ``seconds_left`` is an estimate, None
    as long as the bound has not begun to fall.
    """

    iterations: int | None
    objective: float | None
    bound: float | None
    phase: str = "solve"
    share: float | None = None
    seconds_left: float | None = None


def solve(
    model: Model,
    *,
    start: Basis | None = None,
    method: Method = "auto",
    time_limit_s: float = np.inf,
    gap: float | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> Solution:
    """Solve a model on one thread, the same way every time.

    Parameters
    ----------
    model
        The program.
    start
        A basis of a model of the same size to begin at; presolve is then left out and the simplex is used. Branch and
        bound has no use for it.
    method
        ``simplex`` (dual), ``ipx`` (interior point with crossover), or ``auto``: by the number of columns.
        Programs with integer columns always go to branch and bound.
    time_limit_s
        Seconds after which the solver stops with status ``time_limit``.
    gap
        Relative distance of the bounds at which branch and bound stops, by default the solver's own (1e-4); nothing to a
        program without integers.
    progress
        Called with a :class:`Progress` from time to time; a result that is true stops the solve (``interrupted``).

    Raises
    ------
    ValueError
        For an unknown method, a basis of another size, or a start given to the interior point method.
    RuntimeError
        If HiGHS refuses the model.
    """
    solver = loaded(model)
    solver.setOptionValue("time_limit", float(time_limit_s))
    solver.setOptionValue("solver", chosen_method(model, start, method))
    if gap is not None:
        solver.setOptionValue("mip_rel_gap", float(gap))
    for option, setting in COLD_OPTIONS:
        solver.setOptionValue(option, setting)
    if start is not None and model.integer is None:
        set_basis(solver, model, start)
    if progress is not None:
        report_progress(solver, progress)
    solver.run()
    status = STATUS.get(solver.getModelStatus(), "unknown")
    if status == "unknown":
        solver.clearSolver()
        for option, setting in STUCK_OPTIONS:
            solver.setOptionValue(option, setting)
        solver.run()
        status = STATUS.get(solver.getModelStatus(), "unknown")
    if model.integer is None:
        return linear_solution(solver, model, status)
    return integer_solution(solver, model, model.integer, status)


def chosen_method(model: Model, start: Basis | None, method: Method) -> str:
    """Translate ``method`` to the option of HiGHS.

    Interior point is asked for as ``ipx`` by name: ``ipm`` means another solver once ``highspy[extras]`` is there.
    """
    if method not in ("auto", "simplex", "ipx"):
        raise ValueError(f"solve: method {method!r} is not known; use 'auto', 'simplex' or 'ipx'")
    if model.integer is not None:
        return "choose"
    if method == "ipx" and start is not None:
        raise ValueError("solve: the interior point method cannot start from a basis; use method='simplex'")
    if method == "auto":
        return "simplex" if start is not None or model.column_count <= SIMPLEX_UP_TO_COLUMNS else "ipx"
    return method


def report_progress(solver: Any, progress: Callable[[Progress], object]) -> None:
    """Pass the solver's own progress on, at every hundredth of its checks; the callback may ask to stop."""
    checks = 0

    def passed_on(event: Any) -> None:
        nonlocal checks
        if checks % 100 == 0:
            data = event.data_out
            iterations = max(data.simplex_iteration_count, data.ipm_iteration_count)
            known = (known_or_none(data.mip_primal_bound), known_or_none(data.mip_dual_bound))
            if progress(Progress(iterations if iterations >= 0 else None, *known)):
                event.interrupt()
        checks += 1

    for callback in (solver.cbSimplexInterrupt, solver.cbIpmInterrupt, solver.cbMipInterrupt):
        callback.subscribe(passed_on)


def known_or_none(value: float) -> float | None:
    """HiGHS writes infinity for a number that it has not got yet."""
    return float(value) if np.isfinite(value) else None


class HotSolver:
    """One HiGHS kept alive for many small linear programs that share a matrix.

    Each :meth:`resolve` begins at the basis of the last one, without presolve. What is changed stays changed.

    Examples
    --------
    >>> from exaplan.optimize.blocks import Builder
    >>> builder = Builder()
    >>> use = builder.variable("use", (2,), cost=[3.0, 1.0])
    >>> fleet = builder.rows("fleet", (), upper=10.0)
    >>> builder.add(fleet, 0, use.index, 1.0)
    >>> hot = HotSolver(builder.build("max"))
    >>> hot.resolve().objective, hot.resolve(cost=np.array([3.0, 4.0])).objective
    (30.0, 40.0)
    """

    def __init__(self, model: Model, *, start: Basis | None = None) -> None:
        if model.integer is not None:
            raise ValueError("HotSolver: the model has integer columns; use solve()")
        self._model = model
        self._solver = loaded(model)
        self._solver.disableCallbacks()
        for option, setting in HOT_OPTIONS:
            self._solver.setOptionValue(option, setting)
        if start is not None:
            set_basis(self._solver, model, start)
        self._column = np.arange(model.column_count, dtype=np.int32)
        self._row = np.arange(model.row_count, dtype=np.int32)
        self._value = model.value
        self._lower, self._upper = model.lower, model.upper
        self._row_lower, self._row_upper = model.row_lower, model.row_upper

    def resolve(
        self,
        *,
        lower: np.ndarray | None = None,
        upper: np.ndarray | None = None,
        cost: np.ndarray | None = None,
        row_lower: np.ndarray | None = None,
        row_upper: np.ndarray | None = None,
    ) -> Solution:
        """Change whole arrays, one number per column or per row of the model, and solve again.

        A lower bound above its upper bound makes the answer ``infeasible``. The result carries no basis;
        :meth:`basis` reads it where one is wanted.

        Raises
        ------
        ValueError
            If an array has the wrong length or holds NaN.
        """
        status = self._run(lower, upper, cost, row_lower, row_upper)
        return linear_solution(self._solver, self._model, status, with_basis=False)

    def point(
        self,
        *,
        lower: np.ndarray | None = None,
        upper: np.ndarray | None = None,
        cost: np.ndarray | None = None,
        row_lower: np.ndarray | None = None,
        row_upper: np.ndarray | None = None,
    ) -> tuple[Status, np.ndarray]:
        """Do as :meth:`resolve` does, but read the status and the columns' values alone: a fifth less time."""
        status = self._run(lower, upper, cost, row_lower, row_upper)
        return status, np.array(self._solver.getSolution().col_value)

    def _run(
        self,
        lower: np.ndarray | None,
        upper: np.ndarray | None,
        cost: np.ndarray | None,
        row_lower: np.ndarray | None,
        row_upper: np.ndarray | None,
    ) -> Status:
        self._change_columns(lower, upper, cost)
        self._change_rows(row_lower, row_upper)
        only_cost = cost is not None and all(a is None for a in (lower, upper, row_lower, row_upper))
        self._solver.setOptionValue("simplex_strategy", PRIMAL if only_cost else DUAL)
        self._solver.run()
        status = STATUS.get(self._solver.getModelStatus(), "unknown")
        if status != "optimal":  # a stale basis can look infeasible: only a cold start has the last word
            self._solver.clearSolver()
            self._solver.setOptionValue("presolve", "on")
            self._solver.run()
            self._solver.setOptionValue("presolve", "off")
            status = STATUS.get(self._solver.getModelStatus(), "unknown")
        return status

    def change_entries(self, value: np.ndarray) -> None:
        """Change coefficients of the matrix: one number per entry of the model, aligned with ``Model.value``.

        Raises
        ------
        ValueError
            If the array has the wrong length or holds NaN.
        """
        changed = np.flatnonzero(checked("value", value, self._model.entry_count) != self._value)
        row, column = self._model.index[changed].tolist(), self._model.entry_column[changed].tolist()
        for i, j, entry in zip(row, column, value[changed].tolist(), strict=True):
            self._solver.changeCoeff(i, j, entry)
        self._value = np.array(value)

    def basis(self) -> Basis | None:
        """Read the basis of the last solve."""
        return basis_of(self._solver)

    def _change_columns(
        self, lower: np.ndarray | None, upper: np.ndarray | None, cost: np.ndarray | None
    ) -> None:
        count = len(self._column)
        if cost is not None:
            self._solver.changeColsCost(count, self._column, checked("cost", cost, count))
        if lower is not None or upper is not None:
            self._lower = self._lower if lower is None else checked("lower", lower, count)
            self._upper = self._upper if upper is None else checked("upper", upper, count)
            self._solver.changeColsBounds(count, self._column, self._lower, self._upper)

    def _change_rows(self, lower: np.ndarray | None, upper: np.ndarray | None) -> None:
        count = len(self._row)
        if lower is not None or upper is not None:
            self._row_lower = self._row_lower if lower is None else checked("row_lower", lower, count)
            self._row_upper = self._row_upper if upper is None else checked("row_upper", upper, count)
            self._solver.changeRowsBounds(count, self._row, self._row_lower, self._row_upper)


def checked(what: str, array: np.ndarray, count: int) -> np.ndarray:
    """Refuse a wrong length, which the solver would read past the end of, and NaN; returns the array."""
    if array.shape != (count,):
        raise ValueError(f"HotSolver: {what} has shape {array.shape}; the model needs ({count},)")
    if np.isnan(array).any():
        raise ValueError(f"HotSolver: {what} holds NaN at {int(np.argmax(np.isnan(array)))}")
    return array
