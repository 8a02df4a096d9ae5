"""A linear program as plain dictionaries, handed to linopy and HiGHS."""

from __future__ import annotations

import math
import warnings
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

Expression = dict[tuple, float]


def plus(*parts: Expression) -> Expression:
    total: Expression = defaultdict(float)
    for part in parts:
        for key, value in part.items():
            total[key] += value
    return total


def times(factor: float, part: Expression) -> Expression:
    return {key: factor * value for key, value in part.items()}


@dataclass
class Sheet:
    """Variables with bounds, rows with a right-hand side, and what is maximised; keys are tuples of words."""

    bounds: dict[tuple, tuple[float, float]] = field(default_factory=dict)
    rows: list[tuple[Expression, str, float]] = field(default_factory=list)
    goal: Expression = field(default_factory=lambda: defaultdict(float))

    def var(self, *key, low: float = 0.0, high: float = math.inf) -> Expression:
        self.bounds[key] = (low, high)
        return {key: 1.0}

    def row(self, left: Expression, sign: str, right: float) -> None:
        """``left`` may hold a constant under the empty key."""
        self.rows.append(({k: v for k, v in left.items() if k}, sign, right - left.get((), 0.0)))

    def solve(self) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import linopy
            import xarray

            place = {key: i for i, key in enumerate(self.bounds)}
            low, high = (np.array(side) for side in zip(*self.bounds.values(), strict=True))
            matrix = np.zeros((len(self.rows), len(place)))
            goal = np.zeros(len(place))
            for number, (left, _, _) in enumerate(self.rows):
                for key, value in left.items():
                    matrix[number, place[key]] = value
            for key, value in self.goal.items():
                goal[place[key]] = value
            model = linopy.Model()
            x = model.add_variables(low, high, coords=[range(len(place))], dims=["i"], name="x")
            left = (xarray.DataArray(matrix, dims=["row", "i"]) * x).sum("i")
            sign, right = (xarray.DataArray([row[k] for row in self.rows], dims=["row"]) for k in (1, 2))
            model.add_constraints(left, sign, right, name="rows")
            model.add_objective((xarray.DataArray(goal, dims=["i"]) * x).sum(), sense="max")
            status, condition = model.solve(solver_name="highs", io_api="direct", output_flag=False)
        assert (status, condition) == ("ok", "optimal")
        return float(model.objective.value)
