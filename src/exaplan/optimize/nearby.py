"""Bases that are optimal for some programs of a call, and which of them another program should begin with.

Programs that lie near each other often share their optimal basis. So every basis that a program of the call was found to
end with is kept, factored, with the programs it is known from. Another program looks at the bases of the few solved
programs nearest to it and takes the one that leaves the least to mend.
"""

from __future__ import annotations

import numpy as np

from exaplan.optimize.programs import Reduced
from exaplan.optimize.tableaus import Tableau, tableau_of, times
from exaplan.optimize.walk import at_bound

NEAREST = 8
"""Solved programs of which a program tries the bases."""

SLACK, TIED = 1e-12, 1e-12
"""Tolerances on values and on prices, over the largest bound and the largest cost of the program."""


class Known:
    """The bases found so far."""

    def __init__(self, reduced: Reduced) -> None:
        self.reduced = reduced
        self.bases: list[Tableau] = []
        self.own: list[int] = []  # [basis] program that it was found for
        self.own_point: list[tuple[np.ndarray, np.ndarray]] = []  # [basis] its values and gains there
        self._number: dict[bytes, int | None] = {}
        self._program: list[int] = []  # programs solved
        self._basis: list[int] = []  # and what they ended with
        slack = SLACK * reduced.size[:, None]
        self._floor, self._ceiling = reduced.lower - slack, reduced.upper + slack
        self._bounded = [np.isfinite(each).any(axis=0) for each in (reduced.lower, reduced.upper)]
        self._open, self._tied = reduced.upper > reduced.lower, TIED * reduced.keen[:, None]
        self._fixed = ~self._open.all(axis=0)  # in some program
        self._at = [np.where(np.isfinite(each), each, 0.0) for each in (reduced.lower, reduced.upper)]
        self._somewhere = [(each != 0).any(axis=0) for each in self._at]
        self._costly = (reduced.cost != 0).any(axis=0)
        self._news = _news(np.hstack([*self._at, reduced.cost]))

    def add(self, program: int, place: np.ndarray) -> None:
        """Keep what a program ended with: ``place`` int8 [variable], 0 basic, +1 at the lower bound, -1 at the upper."""
        key = place.tobytes()
        if key not in self._number:
            tableau = tableau_of(self.reduced.scaled, place)
            self._number[key] = None if tableau is None else len(self.bases)
            if tableau is not None:
                self.bases.append(tableau)
                self.own.append(program)
                _, value, gain = self._point(np.array([program]), tableau)
                self.own_point.append((value[0], gain[0]))
        number = self._number[key]
        if number is not None:
            self._program.append(program)
            self._basis.append(number)

    def choose(self, programs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find the basis to begin with [program], and how much is wrong there [program]."""
        near = np.sort(self._nearest(programs), axis=1)
        again = np.zeros(near.shape, dtype=bool)
        again[:, 1:] = near[:, 1:] == near[:, :-1]
        who, basis = np.nonzero(~again)[0], near[~again]
        order = np.argsort(basis, kind="stable")
        ends = np.flatnonzero(np.diff(basis[order], append=-1)) + 1
        wrong = np.full(near.shape, np.iinfo(np.int32).max)
        found = np.empty(len(who), dtype=int)
        for group in np.split(order, ends[:-1]):
            found[group] = self._to_mend(programs[who[group]], self.bases[basis[group[0]]])
        wrong[~again] = found
        best = wrong.argmin(axis=1)[:, None]
        return np.take_along_axis(near, best, 1)[:, 0], np.take_along_axis(wrong, best, 1)[:, 0]

    def points(self, programs: np.ndarray, basis: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Compute each program at a basis: sides of nonbasic variables, values of basic ones, gains of nonbasic ones."""
        rows, columns = self.reduced.scaled.shape
        side, value, gain = (np.empty((len(programs), count)) for count in (columns, rows, columns))
        for number in np.unique(basis):
            which = np.flatnonzero(basis == number)
            side[which], value[which], gain[which] = self._point(programs[which], self.bases[number])
        return side, value, gain

    def _point(self, programs: np.ndarray, tableau: Tableau) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        reduced, nonbasic, own = self.reduced, tableau.nonbasic, programs[:, None]
        low, high = reduced.lower[own, nonbasic], reduced.upper[own, nonbasic]
        up = np.where(high < np.inf, -1.0, 1.0)
        side = np.where((tableau.side > 0) & (low > -np.inf), 1.0, up)
        value = -times(at_bound(side, low, high), tableau.across)
        return side, value, self._gain(own, tableau)

    def _nearest(self, programs: np.ndarray) -> np.ndarray:
        """Bases of the solved programs nearest to each [program, few]."""
        solved, basis = np.array(self._program), np.array(self._basis)
        few = min(NEAREST, len(solved))
        if len(solved) == few:
            return np.repeat(basis[None], len(programs), axis=0)
        there = self._news[solved]
        distance = (there**2).sum(axis=1) - 2 * times(self._news[programs], there.T)
        return basis[np.argpartition(distance, few - 1, axis=1)[:, :few]]

    def _to_mend(self, programs: np.ndarray, tableau: Tableau) -> np.ndarray:
        """Count what is out of its bounds or gains by leaving them at a basis [program]."""
        basic, nonbasic, entries, own = tableau.basic, tableau.nonbasic, tableau.entries, programs[:, None]
        value = np.zeros((len(programs), len(basic)))
        for side, held, somewhere in zip((1.0, -1.0), self._at, self._somewhere, strict=True):
            which = np.flatnonzero((tableau.side == side) & somewhere[nonbasic])
            if len(which):
                value -= times(held[own, nonbasic[which]], entries[:, which].T)
        low, high = (np.flatnonzero(each[basic]) for each in self._bounded)
        wrong = (value[:, low] < self._floor[own, basic[low]]).sum(axis=1)
        wrong += (value[:, high] > self._ceiling[own, basic[high]]).sum(axis=1)
        gain = self._gain(own, tableau)
        gain *= tableau.side
        pays, fixed = gain > self._tied[programs], np.flatnonzero(self._fixed[nonbasic])
        pays[:, fixed] &= self._open[own, nonbasic[fixed]]
        return np.asarray(wrong + pays.sum(axis=1))

    def _gain(self, own: np.ndarray, tableau: Tableau) -> np.ndarray:
        """Gain of the objective per unit of each nonbasic variable [program, column]."""
        basic, nonbasic, cost = tableau.basic, tableau.nonbasic, self.reduced.cost
        held, priced = np.flatnonzero(self._costly[basic]), np.flatnonzero(self._costly[nonbasic])
        gain = times(cost[own, basic[held]], -tableau.entries[held])
        gain[:, priced] += cost[own, nonbasic[priced]]
        return gain


def _news(numbers: np.ndarray) -> np.ndarray:
    """Take what differs between programs, in standard deviations from the mean [program, number that differs]."""
    moving = numbers[:, (numbers != numbers[:1]).any(axis=0)]
    moving = moving - moving.mean(axis=0)
    spread = np.sqrt((moving**2).mean(axis=0))
    return np.asarray(moving / np.where(spread > 0, spread, 1.0))
