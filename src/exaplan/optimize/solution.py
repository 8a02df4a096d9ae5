"""What a solve returns: status, values, prices and a basis to start the next one from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from exaplan.optimize.ranges import RowRange, Variable

Status = Literal[
    "optimal", "infeasible", "unbounded", "time_limit", "iteration_limit", "interrupted", "unknown"
]


@dataclass(frozen=True, eq=False)
class Basis:
    """Which columns and rows are basic or at which bound, as HiGHS status numbers (int8 arrays)."""

    columns: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True, eq=False)
class Solution:
    """The answer to a model; arrays run over all columns or all rows.

    Duals are derivatives of the objective in the model's own sense: ``row_dual[i]`` is the change of the objective
    per unit by which both bounds of row i rise, ``reduced_cost[j]`` per unit by which both bounds of column j rise.
    So under "max" an upper limit that binds has a dual above zero. With integer columns they are the duals of the
    program with those columns fixed at their values.

    ``objective`` is that of ``x``; ``bound`` is the best value proven possible (equal for an optimal linear program).
    ``x`` and the duals are NaN where the solver has none to give. ``basis`` is None where there is none.
    """

    status: Status
    objective: float
    bound: float
    x: np.ndarray
    row_dual: np.ndarray
    reduced_cost: np.ndarray
    iterations: int
    basis: Basis | None = None

    @property
    def has_values(self) -> bool:
        """Whether there is a point to read, optimal or not."""
        return not np.isnan(self.objective)


def values(solution: Solution, variable: Variable) -> np.ndarray:
    """Read a variable's values in its shape.

    Raises
    ------
    ValueError
        If the solve gave no values.
    """
    if not solution.has_values:
        raise ValueError(
            f"{variable.name}: no values, the model is {solution.status}; "
            "see irreducible_set(model) for the rows that clash where it is infeasible"
        )
    return solution.x[variable.span].reshape(variable.shape)


def duals(solution: Solution, rows: RowRange) -> np.ndarray:
    """Read the duals of a row range in its shape: gain in the objective per unit by which the bounds rise.

    Raises
    ------
    ValueError
        If the solve gave no duals.
    """
    found = solution.row_dual[rows.span]
    if np.isnan(found).any():
        raise ValueError(f"{rows.name}: no duals, the model is {solution.status}")
    return found.reshape(rows.shape)
