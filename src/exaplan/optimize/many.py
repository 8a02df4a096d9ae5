"""Solve many linear programs that share a matrix and differ in bounds, costs and sides of rows, all at once.

A few of them go to HiGHS. Their bases are starts for the programs that stand beside them: where the basis of the start is
optimal for the neighbor too, its answer is one product; the others walk to their own optimum in common array
operations (:mod:`exaplan.optimize.walk`). Every answer is certified by arithmetic on the numbers that were asked,
point and prices both; what does not pass, or does not arrive, goes to HiGHS, one after the other, hot.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.optimize.highs import HotSolver
from exaplan.optimize.model import Model
from exaplan.optimize.nearby import SLACK, TIED, Known
from exaplan.optimize.programs import Programs, Reduced
from exaplan.optimize.solution import Status
from exaplan.optimize.tableaus import place_of, times
from exaplan.optimize.walk import PAIRS, Walkers, at_bound, walk

PATHS_PER_START = 200
"""One program in so many is a start."""

PORTION = 160_000
"""Variables of programs that walk together: few enough for the processor's cache, many enough for array operations."""

FEW = 12
"""So few programs go to HiGHS at once."""

MOST_STEPS = 40
"""A program that has not arrived after so many pivots is left to HiGHS."""

STRIDES = (20, 1)
"""First every twentieth program is solved, then the others: the bases that the first end with are starts for these."""

FEASIBLE, GAP = 1e-9, 1e-9
"""What a certificate allows: missing a bound, over the size of the numbers in it; dual less primal value, relative."""

INTERIOR = 1e-6
"""How far inside its bounds a start is taken to be at least, over its largest bound or cost: breaks ties."""

GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Answers:
    """Answers to many programs, and by which way they were found."""

    x: np.ndarray  # [path, column]; NaN where there is no solution
    status: list[Status]  # [path]
    starts: int  # programs that HiGHS solved first
    at_once: int  # programs for which the basis of a start was optimal
    walked: int  # programs that walked
    left: int  # programs that HiGHS solved in the end


def solve_many(model: Model, programs: Programs) -> Answers:
    """Solve every program with the matrix and the sense of ``model``, whose own bounds and costs play no part.

    Programs that stand side by side should be alike. Where a program has several optima, which of them is found may
    depend on the others; the same call gives the same bytes.

    Raises
    ------
    ValueError
        If the model has integer columns, or arrays do not fit it or hold NaN.
    """
    group = _Group(model, programs.checked(model))
    paths = len(programs.lower)
    starts = np.zeros(0, dtype=int)
    if paths > FEW and group.reduced.matrix.size:
        starts = np.unique(np.linspace(0, paths - 1, -(-paths // PATHS_PER_START) + 1).round().astype(int))
    for path in starts:
        group.start_at(int(path))
    at_once, walked = 0, 0
    for stride in STRIDES:
        todo = np.flatnonzero(~group.done)
        first, then = group.settle(todo[todo % stride == 0], keep=stride > 1)
        at_once, walked = at_once + first, walked + then
    left = np.flatnonzero(~group.done)
    for path in left:
        group.solve(int(path))
    return Answers(group.x, group.status, len(starts), at_once, walked, len(left))


def solve_many_matrices(model: Model, values: np.ndarray, programs: Programs) -> Answers:
    """Solve programs that differ in coefficients too: ``values`` [path, entry] stand where ``model.value`` does.

    Programs with equal coefficients are solved together where they are many; the others one after the other, each by HiGHS
    from the basis of the one before.

    Raises
    ------
    ValueError
        As :func:`solve_many`; or if ``values`` does not fit.
    """
    programs.checked(model)
    paths = len(programs.lower)
    if values.shape != (paths, model.entry_count):
        raise ValueError(
            f"programs: values has shape {values.shape}; the model needs {(paths, model.entry_count)}"
        )
    _, group, count = np.unique(values, axis=0, return_inverse=True, return_counts=True)
    group = group.reshape(-1)
    x, status = np.full(programs.lower.shape, np.nan), np.full(paths, "unknown", dtype=object)
    totals = np.zeros(4, dtype=int)
    for number in np.flatnonzero(count > FEW):
        which = np.flatnonzero(group == number)
        found = solve_many(replace(model, value=values[which[0]].copy()), programs.part(which))
        x[which], status[which] = found.x, found.status
        totals += (found.starts, found.at_once, found.walked, found.left)
    alone = np.flatnonzero(count[group] <= FEW)
    if len(alone):
        hot = HotSolver(model)
        for path in alone:
            hot.change_entries(values[path])
            status[path], point = hot.point(**programs.at(int(path)))
            if status[path] == "optimal":
                x[path] = point
    starts, at_once, walked, left = totals.tolist()
    return Answers(x, status.tolist(), starts, at_once, walked, left + len(alone))


class _Group:
    """The programs of one call, and what is known of their answers."""

    def __init__(self, model: Model, programs: Programs) -> None:
        self.reduced = Reduced(model, programs)
        self.known = Known(self.reduced)
        self.hot = HotSolver(self.reduced.model(model))
        self.x = programs.lower.copy()  # right where columns are fixed
        self.status: list[Status] = ["optimal"] * len(self.x)
        self.done = np.zeros(len(self.x), dtype=bool)

    def solve(self, path: int) -> None:
        """Let HiGHS solve a program."""
        status, x = self._nothing_open(path) if not len(self.reduced.open) else self._asked(path)
        self.status[path], self.done[path] = status, True
        self.x[path, self.reduced.open] = x
        if status != "optimal":
            self.x[path] = np.nan

    def _asked(self, path: int) -> tuple[Status, np.ndarray]:
        return self.hot.point(**self.reduced.programs.at(path))

    def _nothing_open(self, path: int) -> tuple[Status, np.ndarray]:
        """All columns are fixed: only rows can be missed, which HiGHS does not look at without columns."""
        programs, allowed = self.reduced.programs, FEASIBLE * self.reduced.size[path]
        met = (programs.row_lower[path] <= allowed).all() and (programs.row_upper[path] >= -allowed).all()
        return "optimal" if met else "infeasible", np.zeros(0)

    def start_at(self, path: int) -> None:
        """Let HiGHS solve a program and keep its basis."""
        self.solve(path)
        basis = self.hot.basis() if self.status[path] == "optimal" else None
        if basis is not None:
            self.known.add(path, place_of(basis))

    def settle(self, paths: np.ndarray, *, keep: bool) -> tuple[int, int]:
        """Answer programs from the bases that are known, at once or by a walk; ``keep`` what walks end with.

        Returns how many were answered at once and how many by a walk.
        """
        if not self.known.bases or not len(paths):
            return 0, 0
        basis, wrong = self.known.choose(paths)
        order = np.argsort(wrong, kind="stable")  # alike in length, they walk together
        paths, basis, wrong = paths[order], basis[order], wrong[order]
        at_once, walked, tableaus = 0, 0, np.stack([tableau.entries for tableau in self.known.bases])
        portion = max(FEW, PORTION // len(self.reduced.unit))
        for begin in range(0, len(paths), portion):
            part = slice(begin, begin + portion)
            first, then = self._settle(paths[part], basis[part], wrong[part] == 0, tableaus, keep)
            at_once, walked = at_once + first, walked + then
        return at_once, walked

    def _settle(
        self, paths: np.ndarray, basis: np.ndarray, ready: np.ndarray, tableaus: np.ndarray, keep: bool
    ) -> tuple[int, int]:
        side, value, gain = self.known.points(paths, basis)
        variables = self._variables(basis)
        at = self._spread(paths[ready], *(each[ready] for each in (*variables, side, value, gain)))
        at_once = self._accept(paths[ready], *at)
        rest = np.flatnonzero(~self.done[paths])
        if not len(rest):
            return at_once, 0
        walkers = self._begin(paths[rest], basis[rest], side[rest], value[rest], gain[rest])
        arrived = walk(walkers, tableaus, most=MOST_STEPS)
        if not arrived:
            return at_once, 0
        there = joined(arrived)
        lower, upper = self.reduced.lower[there.number], self.reduced.upper[there.number]
        walked = self._accept(there.number, there.held(lower, upper), there.gain())
        if keep:
            for path, place in zip(there.number, there.place(), strict=True):
                if self.done[path]:
                    self.known.add(int(path), place)
        return at_once, walked

    def _variables(self, basis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Look up basic [program, row] and nonbasic [program, column] variables at bases."""
        bases = self.known.bases
        return np.stack([each.basic for each in bases])[basis], np.stack([each.nonbasic for each in bases])[
            basis
        ]

    def _spread(
        self, paths: np.ndarray, basic: np.ndarray, nonbasic: np.ndarray, side: np.ndarray, value: np.ndarray,
        gain: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        """Put values and gains in the order of all variables [path, variable]."""
        own = np.arange(len(paths))[:, None]
        held, gains = (
            np.empty((len(paths), len(self.reduced.unit))),
            np.zeros((len(paths), len(self.reduced.unit))),
        )
        number = paths[:, None]
        low, high = self.reduced.lower[number, nonbasic], self.reduced.upper[number, nonbasic]
        held[own, nonbasic], held[own, basic], gains[own, nonbasic] = at_bound(side, low, high), value, gain
        return held, gains

    def _accept(self, paths: np.ndarray, held: np.ndarray, gains: np.ndarray) -> int:
        """Keep the answers of programs that pass the certificate; returns how many do."""
        if not len(paths):
            return 0
        values, good = self._certified(paths, held, gains)
        number = paths[good]
        self.x[np.ix_(number, self.reduced.open)] = values[good]
        self.done[number] = True
        return len(number)

    def _begin(
        self, paths: np.ndarray, basis: np.ndarray, side: np.ndarray, value: np.ndarray, gain: np.ndarray
    ) -> Walkers:
        """Put programs at known bases; the program for which each was found is taken to lie a little inside its bounds."""
        reduced, known = self.reduced, self.known
        basic, nonbasic = self._variables(basis)
        own, own_path = np.array(known.own)[basis][:, None], paths[:, None]
        own_value, own_gain = (np.stack([point[part] for point in known.own_point])[basis] for part in (0, 1))
        low, high, own_low, own_high = (
            each[who, basic] for who in (own_path, own) for each in (reduced.lower, reduced.upper)
        )
        least, most, own_least, own_most = (
            each[who, nonbasic] for who in (own_path, own) for each in (reduced.lower, reduced.upper)
        )
        size, keen = reduced.size[paths], reduced.keen[paths]
        generic = INTERIOR * (1 + (GOLDEN * np.arange(1, len(reduced.unit) + 1)) % 1)

        def pair(ask: np.ndarray, room: np.ndarray, which: np.ndarray) -> np.ndarray:
            inside = np.maximum(np.where(np.isfinite(room), room, 0.0), size[:, None] * generic[which])
            return np.stack([ask, np.where(np.isfinite(ask), inside, ask)])

        low_pair, high_pair = pair(low, own_value - own_low, basic), pair(high, own_high - own_value, basic)
        low_pair[1] = own_value - low_pair[1] * np.where(np.isfinite(low), 1.0, -1.0)
        high_pair[1] = own_value + high_pair[1]
        free, width = np.isinf(least) & np.isinf(most), most - least
        slack = SLACK * size
        return Walkers(
            number=paths, start=basis, basic=basic, nonbasic=nonbasic, side=side, free=free,
            able=(width > 0) & ~free, value=np.stack([value, own_value]), low=low_pair, high=high_pair,
            floor=low - slack[:, None], ceiling=high + slack[:, None],
            width=pair(width, own_most - own_least, nonbasic),
            loss=np.stack([-side * gain, np.maximum(-side * own_gain, keen[:, None] * generic[nonbasic])]),
            slack=slack, tied=TIED * keen,
        )  # fmt: skip

    def _certified(
        self, number: np.ndarray, held: np.ndarray, gains: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Read points [path, open column] off values of all variables, and which of them pass the certificate."""
        reduced, columns = self.reduced, len(self.reduced.open)
        lower, upper, cost = reduced.lower[number], reduced.upper[number], reduced.cost[number, :columns]
        x, dual = held[:, :columns], gains[:, columns:]
        whole = np.hstack([x, times(x, reduced.scaled.T)])
        gain = np.hstack([cost - times(dual, reduced.scaled), dual])
        size, keen = reduced.size[number], reduced.keen[number]
        miss = np.maximum(lower - whole, whole - upper).max(axis=1, initial=0.0)
        bound = np.where(gain > 0, upper, lower)
        finite = np.isfinite(bound)
        gap = np.where(finite, gain * (np.where(finite, bound, 0.0) - whole), np.abs(gain * whole)).sum(
            axis=1
        )
        wrong = (~finite & (np.abs(gain) > GAP * keen[:, None])).any(axis=1)
        worth = np.abs((cost * x).sum(axis=1))
        good = (miss <= FEASIBLE * size) & ~wrong & (gap <= GAP * np.maximum(worth, keen * FEASIBLE))
        return np.clip(x, lower[:, :columns], upper[:, :columns]) * reduced.unit[:columns], good


def joined(parts: list[Walkers]) -> Walkers:
    """Put portions of programs together."""
    names = vars(parts[0])
    return Walkers(
        **{
            name: np.concatenate([getattr(part, name) for part in parts], axis=int(name in PAIRS))
            for name in names
        }
    )
