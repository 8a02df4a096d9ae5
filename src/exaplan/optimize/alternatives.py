"""Near-optimal alternatives: how little and how much of each quantity there is among solutions nearly as good as the best.

Modelling to generate alternatives: Brill, Chang and Hopkins (1982), Modeling to generate alternatives: the HSJ approach,
Management Science 28:221-235, doi 10.1287/mnsc.28.3.221; minima and maxima of chosen directions as in Neumann and Brown
(2021), doi 10.1016/j.epsr.2020.106690.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from exaplan.optimize.highs import HotSolver, solve
from exaplan.optimize.model import Model
from exaplan.optimize.ranges import RowRange
from exaplan.optimize.solution import Basis, Solution

VALUE_ROW = "near_optimal_value"
ROUNDING = 1e-9
"""Share of the optimum by which the row is looser than asked, so that rounding cannot cut off the optimum itself."""

_BASIC = 1  # HiGHS's number of a basic column or row


@dataclass(frozen=True, eq=False)
class Direction:
    """A quantity of interest: a weighted sum of columns."""

    name: str
    weight: np.ndarray  # [column]


@dataclass(frozen=True)
class Extent:
    """A quantity at the optimum, and its least and most among the near-optimal solutions."""

    name: str
    at_optimum: float
    least: float
    most: float


Goal: TypeAlias = tuple[Direction, float]
Map: TypeAlias = Callable[[Callable[[Goal], float], Iterable[Goal]], list[float]]


def serial(function: Callable[[Goal], float], items: Iterable[Goal]) -> list[float]:
    """Do one after the other."""
    return [function(item) for item in items]


def near_optimal(
    model: Model,
    solution: Solution,
    directions: Sequence[Direction],
    *,
    slack: float,
    map: Map = serial,  # noqa: A002 - the name that every parallel function here uses
) -> tuple[Extent, ...]:
    """Find the least and the most of each direction among solutions within ``slack`` of the optimum.

    Every direction is one linear program more: the model with the row objective >= (1 - slack) * optimum (by the size of
    the optimum, so that it also holds for losses), started at the optimum, which stays feasible. The primal simplex goes
    on from there. Measured on a plan of 313 nodes (41 thousand columns): 2 to 4 s a direction, none where the optimum is
    an end already; cold starts of the same programs took 40 s (interior point) to over 60 s (dual simplex), and a dual
    simplex from the optimum, whose basis is not dual feasible for another objective, over 60 s.

    Parameters
    ----------
    model, solution
        A solved model.
    directions
        What to minimise and maximise.
    slack
        Share of the optimum that may be given up, 0 or more.
    map
        How to do many of them; their order does not matter.

    Raises
    ------
    ValueError
        For a negative slack, or a solution without a point.
    """
    near, start = _near(model, solution, slack)
    goals = [(direction, sign) for direction in directions for sign in (-1.0, 1.0)]
    found = map(lambda goal: _end(near, start, goal, solution), goals)
    rows = []
    for number, direction in enumerate(directions):
        at = float(direction.weight @ solution.x)
        least, most = found[2 * number], found[2 * number + 1]
        rows.append(Extent(direction.name, at, min(least, at), max(most, at)))
    return tuple(rows)


def near_optimal_point(
    model: Model, solution: Solution, direction: Direction, *, sign: float, slack: float
) -> np.ndarray:
    """Find the solution with the least (sign -1) or most (+1) of a direction within ``slack`` of the optimum [column].

    Raises
    ------
    ValueError
        For a negative slack, or a solution without a point.
    """
    near, start = _near(model, solution, slack)
    return _point(near, start, (direction, sign))


def _near(model: Model, solution: Solution, slack: float) -> tuple[Model, Basis | None]:
    """Add the row that keeps a model near its optimum; the basis of the optimum stays one."""
    if not slack >= 0:
        raise ValueError(f"near_optimal: slack {slack} is below zero")
    if not solution.has_values:
        raise ValueError(f"near_optimal: the solution is {solution.status}, there is nothing to stay near to")
    room = slack * abs(solution.objective) + ROUNDING * max(1.0, abs(solution.objective))
    limit = solution.objective - model.offset - (room if model.sense == "max" else -room)
    ends = (limit, np.inf) if model.sense == "max" else (-np.inf, limit)
    near = with_row(model, VALUE_ROW, model.cost, lower=ends[0], upper=ends[1])
    start = solution.basis
    if start is not None:
        start = Basis(start.columns, np.append(start.rows, _BASIC).astype(np.int8))
    return near, start


def with_row(
    model: Model, name: str, weight: np.ndarray, *, lower: float = -np.inf, upper: float = np.inf
) -> Model:
    """Return the model with one row more: ``lower <= weight @ x <= upper``.

    Raises
    ------
    ValueError
        If the name is taken or the weights do not fit the columns.
    """
    if name in model.rows or name in model.columns:
        raise ValueError(f"with_row: the name {name!r} is taken")
    if weight.shape != (model.column_count,):
        raise ValueError(f"with_row: {weight.shape} weights for {model.column_count} columns")
    count = model.row_count
    used = weight != 0
    # The new row is the last one, so in each column its entry comes after all others.
    at = model.start[1:][used]
    start = model.start + np.concatenate([[0], np.cumsum(used)]).astype(model.start.dtype)
    return replace(
        model,
        row_lower=np.append(model.row_lower, lower),
        row_upper=np.append(model.row_upper, upper),
        start=start,
        index=np.insert(model.index, at, count),
        value=np.insert(model.value, at, weight[used]),
        rows={**model.rows, name: RowRange(name, (1,), count)},
    )


def _end(near: Model, start: Basis | None, goal: Goal, best: Solution) -> float:
    """Least (sign -1) or most (+1) of one direction."""
    direction, sign = goal
    x = _point(near, start, goal)
    if np.isinf(x).all():
        return sign * np.inf
    worth = float(direction.weight @ x)
    # The optimum itself is near-optimal: rounding must not put an end inside it.
    return max(worth * sign, float(direction.weight @ best.x) * sign) * sign


def _point(near: Model, start: Basis | None, goal: Goal) -> np.ndarray:
    """Solution at one end of a direction [column]; infinite where there is no end."""
    direction, sign = goal
    upwards = sign if near.sense == "max" else -sign
    cost = upwards * direction.weight
    if near.integer is not None or start is None:
        found = solve(replace(near, cost=cost, offset=0.0))
        status, x = found.status, found.x
    else:
        status, x = HotSolver(near, start=start).point(cost=cost)
    if status == "unbounded":
        return np.full(near.column_count, np.inf)
    if status != "optimal":
        raise RuntimeError(f"near_optimal: {direction.name} ended as {status}")
    return np.asarray(x)
