"""Branch and bound on warm linear programs, for a few integers whose relaxation is nearly whole.

Land and Doig, Econometrica 28 (1960) 497. Every subproblem differs from the last in bounds of integer columns alone, so
the dual simplex starts at its basis; where the relaxation of a plan is whole or almost so, a handful of subproblems
proves the optimum, and many variants of the same program (a lump forbidden, forced, dated) cost a warm solve each.
"""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass, replace

import numpy as np

from exaplan.optimize.highs import HotSolver
from exaplan.optimize.model import Model
from exaplan.optimize.solution import Basis, Solution

WHOLE = 1e-6
"""Distance from a whole number that counts as none."""


MOST_DIVES = 60
"""Programs of one dive from a relaxation to a whole point."""


@dataclass(frozen=True, eq=False)
class Found:
    """The best point found and the value that no point can pass; ``solution`` is the linear program at that point."""

    solution: Solution
    bound: float
    subproblems: int

    @property
    def value(self) -> float:
        """Objective of the point."""
        return self.solution.objective

    @property
    def gap(self) -> float:
        """Distance of value and bound, relative to the value (at least 1)."""
        return abs(self.bound - self.value) / max(1.0, abs(self.value))


class Brancher:
    """One program with integers, solved again and again under other bounds on them ("max" only).

    Examples
    --------
    >>> from exaplan.optimize.blocks import Builder
    >>> builder = Builder()
    >>> start = builder.variable("start", (2,), upper=1.0, cost=[-3.0, -2.0], integer=True)
    >>> made = builder.variable("made", (2,), cost=[1.0, 1.0])
    >>> ramp = builder.rows("ramp", (2,), upper=0.0)
    >>> builder.add(ramp, ramp.position, made.index, 1.0)
    >>> builder.add(ramp, ramp.position, start.index, [-5.0, -4.0])
    >>> sold = builder.rows("sold", (), upper=6.0)
    >>> builder.add(sold, 0, made.index, 1.0)
    >>> brancher = Brancher(builder.build("max"))
    >>> found = brancher.best()
    >>> round(found.value, 6), round(found.bound, 6)
    (2.0, 2.0)
    """

    def __init__(
        self,
        model: Model,
        *,
        start: Basis | None = None,
        guides: np.ndarray | None = None,
        weight: np.ndarray | None = None,
    ) -> None:
        """Load the program.

        ``guides`` are columns that are whole wherever the integers are (sums of starts up to a date): to branch on them
        parts the choices evenly. ``weight`` [column] says how much each column matters; among fractional ones the search
        branches on the largest distance from a whole number times weight.
        """
        if model.sense != "max" or model.integer is None:
            raise ValueError("Brancher: needs a program to maximize with integer columns")
        self.whole = np.flatnonzero(model.integer)
        self._split = np.concatenate([self.whole, np.zeros(0, int) if guides is None else guides])
        self._weight = np.ones(len(self._split)) if weight is None else weight[self._split]
        self._model = model
        self._hot = HotSolver(replace(model, integer=None), start=start)

    def best(
        self,
        *,
        lower: np.ndarray | None = None,
        upper: np.ndarray | None = None,
        gap: float = 1e-5,
        most: int = 200,
        time_limit_s: float = np.inf,
    ) -> Found:
        """Maximize under other bounds on the integer columns (in the order of ``whole``).

        Stops at the relative ``gap``, after ``most`` subproblems or, once it has a point, after ``time_limit_s``, with the
        best point and the bound.

        Raises
        ------
        ValueError
            Where no whole point has been found: the bounds contradict the rows.
        """
        lower = self._model.lower[self.whole] if lower is None else lower
        upper = self._model.upper[self.whole] if upper is None else upper
        rest, until = self._split[len(self.whole) :], time.monotonic() + time_limit_s
        lower = np.concatenate([lower, self._model.lower[rest]])
        upper = np.concatenate([upper, self._model.upper[rest]])
        root = self._at(lower, upper)
        if not root.has_values or root.status == "infeasible":
            raise ValueError("Brancher: the program has no solution under these bounds")
        incumbent: Solution | None = None
        waiting: list[tuple[float, int, np.ndarray, np.ndarray, Solution]] = [
            (-root.objective, 0, lower, upper, root)
        ]
        solved, next_dive = 1, 0
        while waiting:
            bound = -waiting[0][0]
            if incumbent is not None and (
                _close(bound, incumbent.objective, gap) or solved >= most or time.monotonic() > until
            ):
                return Found(incumbent, max(bound, incumbent.objective), solved)
            _, _, low, high, relaxed = heapq.heappop(waiting)
            x = relaxed.x[self._split]
            column = _most_fractional(x, self._weight)
            if column is None:
                incumbent = _better(incumbent, relaxed)
                continue
            if incumbent is None or solved >= next_dive:
                tried, steps = self._dive(x, low, high)
                incumbent, solved = _better(incumbent, tried), solved + steps
                next_dive = solved + 4 * steps
            below, above = (low, high.copy()), (low.copy(), high)
            below[1][column], above[0][column] = np.floor(x[column]), np.ceil(x[column])
            for new_low, new_high in (above, below) if x[column] % 1 >= 0.5 else (below, above):
                child = self._at(new_low, new_high)
                solved += 1
                if child.status == "optimal" and (incumbent is None or child.objective > incumbent.objective):
                    heapq.heappush(waiting, (-child.objective, solved, new_low, new_high, child))
        if incumbent is None:
            raise ValueError("Brancher: no whole point satisfies the rows under these bounds")
        return Found(incumbent, incumbent.objective, solved)

    def basis(self) -> Basis | None:
        """Read the basis of the last subproblem, to start another program of the same size."""
        return self._hot.basis()

    def _at(self, low: np.ndarray, high: np.ndarray) -> Solution:
        lower, upper = self._model.lower.copy(), self._model.upper.copy()
        lower[self._split], upper[self._split] = low, high
        return self._hot.resolve(lower=lower, upper=upper)

    def _dive(self, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[Solution | None, int]:
        """Round one integer after another, the nearest to its next whole number up first, until all are whole.

        What the rows do not allow up goes down. Returns the point, None where none was reached, and the programs solved.
        """
        low, high, steps, count = low.copy(), high.copy(), 0, len(self.whole)
        x = x[:count]
        while steps < MOST_DIVES:
            part = np.where(np.abs(x - np.round(x)) > WHOLE, x - np.floor(x), 0.0)
            column = int(np.argmax(part))
            floor = np.floor(x[column])
            keep = low[column]
            low[column] = floor + 1
            found = self._at(low, high)
            steps += 1
            if found.status != "optimal":
                low[column], high[column] = keep, floor
                found = self._at(low, high)
                steps += 1
            if found.status != "optimal":
                return None, steps
            x = found.x[self.whole]
            if _most_fractional(x, self._weight[:count]) is None:
                return found, steps
        return None, steps


def _close(bound: float, value: float, gap: float) -> bool:
    return bound - value <= gap * max(1.0, abs(value))


def _most_fractional(x: np.ndarray, weight: np.ndarray) -> int | None:
    """Find the fractional entry that matters most; None where all are whole."""
    distance = np.abs(x - np.round(x))
    column = int(np.argmax(np.where(distance > WHOLE, distance * weight, 0.0)))
    return column if distance[column] > WHOLE else None


def _better(old: Solution | None, new: Solution | None) -> Solution | None:
    if new is None or (old is not None and old.objective >= new.objective):
        return old
    return new
