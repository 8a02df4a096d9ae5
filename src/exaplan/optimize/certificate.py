"""Check an answer by our own arithmetic: no solver is asked whether the solver was right.

Weak duality: for "max", any row prices y give the upper bound ``sum_i y_i * b_i + sum_j d_j * l_j + offset`` with
``d = cost - y @ A``, where b_i and l_j are the upper bounds where y_i, d_j > 0 and the lower ones where they are < 0.
A point within its bounds whose objective meets that value is optimal (e.g. Bertsimas and Tsitsiklis, Introduction to
Linear Optimization, 1997, theorem 4.3).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from exaplan.optimize.model import Model
from exaplan.optimize.solution import Solution


class Certificate(NamedTuple):
    """Three relative errors, all zero for an exact optimum."""

    primal_residual: float
    dual_residual: float
    gap: float


def certify(model: Model, solution: Solution) -> Certificate:
    """Measure how far an answer is from a proven optimum.

    Returns
    -------
    Certificate
        ``primal_residual``: largest violation of a bound of a row or column, relative to the size of the terms in it
        (at least 1), and for integer columns the largest distance from a whole number. ``dual_residual``: largest
        price that pushes towards a bound that is not there, and largest difference between the reported reduced costs
        and ``cost - y @ A``, relative in the same way. ``gap``: the dual objective less the primal one, relative to
        the larger (at least 1). All three are infinite where the solution has no values or no duals. With integer
        columns the gap is that of the program with these columns fixed; the bound over all integers is the
        solver's (``Solution.bound``).
    """
    if not solution.has_values or np.isnan(solution.row_dual).any():
        return Certificate(np.inf, np.inf, np.inf)
    x, y, sign = solution.x, solution.row_dual, 1.0 if model.sense == "max" else -1.0
    lower, upper = fixed_bounds(model, x)
    reduced = model.cost - model.pulled_back(y)
    dual_size = np.abs(model.cost) + size_by_column(model, y)
    row_value, row_wrong = dual_terms(sign * y, model.row_lower, model.row_upper)
    column_value, column_wrong = dual_terms(sign * reduced, lower, upper)
    dual_residual = max(
        largest(row_wrong, np.ones(1)),
        largest(column_wrong, dual_size),
        largest(np.abs(reduced - solution.reduced_cost), dual_size),
    )
    primal = float(model.cost @ x) + model.offset
    dual = sign * float(row_value.sum() + column_value.sum()) + model.offset
    stated = abs(primal - solution.objective)
    gap = max(abs(dual - primal), stated) / max(1.0, abs(primal), abs(dual))
    return Certificate(primal_residual(model, x), dual_residual, float(gap))


def primal_residual(model: Model, x: np.ndarray) -> float:
    """Largest relative violation of a row, a bound or integrality by the point ``x`` [column]."""
    activity = model.activity(x)
    row_size = np.bincount(
        model.index, np.abs(model.value * x[model.entry_column]), minlength=model.row_count
    )
    whole = 0.0 if model.integer is None else largest(np.abs(x - np.round(x))[model.integer], np.ones(1))
    return max(
        largest(np.maximum(model.row_lower - activity, activity - model.row_upper), row_size),
        largest(np.maximum(model.lower - x, x - model.upper), np.abs(x)),
        whole,
    )


def fixed_bounds(model: Model, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of the columns, with integer columns fixed at their values."""
    if model.integer is None:
        return model.lower, model.upper
    return np.where(model.integer, x, model.lower), np.where(model.integer, x, model.upper)


def size_by_column(model: Model, y: np.ndarray) -> np.ndarray:
    """Sum the absolute terms of ``y @ A`` by column: the scale against which rounding errors are judged."""
    return np.bincount(model.entry_column, np.abs(model.value * y[model.index]), minlength=model.column_count)


def dual_terms(price: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Value each price at the bound towards which it pushes, for a program that maximises.

    Returns the terms of the dual objective, and the size of each price that has no bound to push towards (whose term
    is left out).
    """
    bound = np.where(price > 0.0, upper, np.where(price < 0.0, lower, 0.0))
    has_bound = np.isfinite(bound)
    return np.where(has_bound, price * np.where(has_bound, bound, 0.0), 0.0), np.where(
        has_bound, 0.0, np.abs(price)
    )


def largest(violation: np.ndarray, size: np.ndarray) -> float:
    """Return the largest violation relative to ``size``, at least 1; never below zero, and zero for no entries."""
    return float(np.max(np.maximum(violation, 0.0) / np.maximum(size, 1.0), initial=0.0))
