"""Benders decomposition of a staged program: a master before the cut, one block per subtree, cuts between them.

Benders (1962), doi 10.1007/BF01386316; the L-shaped method: Van Slyke and Wets (1969), doi 10.1137/0117061; several cuts
a round: Birge and Louveaux (1988), doi 10.1016/0377-2217(88)90159-2; points between the best one and the master's (in-out):
Ben-Ameur and Neto (2007), doi 10.1002/net.20137.

Bounds from both sides: the master's optimum is a bound because every cut is a valid line by weak duality; the best point
at which all blocks were solved is an answer. A block that is infeasible at a master point gives a feasibility cut, so a
plan that later cannot be carried on is never taken for an answer.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from exaplan.optimize.certificate import primal_residual
from exaplan.optimize.collapse import mean_point, nearest_point
from exaplan.optimize.cuts import CutMaker
from exaplan.optimize.highs import Progress
from exaplan.optimize.master import CutBook, Master, MasterAnswer
from exaplan.optimize.model import holder
from exaplan.optimize.solution import Solution, Status
from exaplan.optimize.split import Split, split_at
from exaplan.optimize.stages import Staged
from exaplan.optimize.subproblems import BlockError, Pass, StoppedError, Subproblems

Report = Callable[[Progress], object]

STEP = 0.7
"""Share of the way from the best point to the master's at which blocks are solved.

Of 0.3, 0.5, 0.6, 0.7, 0.9 and 1, those from 0.6 to 0.9 needed fewest rounds on plans (5 to 9, against 15 with 0.3)."""

MOST_GROUPS = 200
"""Most cuts a round: blocks beyond share one by groups. On 1,000 blocks 200 took five rounds and 100 six."""

MOST_STILL = 500
"""Rounds in which neither bound moves after which the program is given up as numerically lost."""

TOLERANCE = 1e-6
"""Relative violation of the master's rows up to which a point is an answer, as the solver's own."""


@dataclass(frozen=True, eq=False)
class Decomposed:
    """The answer of a decomposition.

    ``solution`` holds values of all columns and duals of all rows of the model, mixed from the blocks' duals by the
    master's multipliers, so that ``certify`` judges it like any other; ``solution.bound`` is the master's bound.
    ``clashes`` names the rows that made blocks infeasible at points on the way, most frequent first, with counts.
    """

    solution: Solution
    tau: int
    blocks: int
    rounds: int
    cuts: int
    feasibility_cuts: int
    clashes: tuple[tuple[str, int], ...] = ()
    log: tuple[tuple[float, float, float], ...] = ()  # seconds, bound, objective after every round

    @property
    def gap(self) -> float:
        """Distance of the answer from the bound, relative to the larger (at least 1); infinite where one is missing."""
        return relative_gap(self.solution.bound, self.solution.objective)


def relative_gap(bound: float, objective: float) -> float:
    """Distance relative to the larger of the two, at least 1.

    Examples
    --------
    >>> relative_gap(101.0, 100.0), relative_gap(np.inf, 100.0)
    (0.009900990099009901, inf)
    """
    if not (np.isfinite(bound) and np.isfinite(objective)):
        return np.inf
    return abs(bound - objective) / max(1.0, abs(bound), abs(objective))


def decompose(
    staged: Staged,
    tau: int,
    *,
    gap: float = 1e-6,
    time_limit_s: float = np.inf,
    threads: int = 2,
    progress: Report | None = None,
    start: np.ndarray | None = None,
) -> Decomposed:
    """Solve a staged program by cutting its tree before depth ``tau``.

    Parameters
    ----------
    staged
        The program; integer columns must lie before the cut.
    tau
        Depth of the first nodes of the blocks.
    gap
        Relative distance of the bounds at which to stop.
    time_limit_s, progress
        When to stop with the best answer so far; ``progress`` stops by returning something true.
    threads
        How many blocks are solved at once. The answer does not depend on it.
    start
        Values of all columns [column] to begin at, of a plan for a similar program; by default those of the
        mean-value program.

    Raises
    ------
    ValueError
        As :func:`exaplan.optimize.split.split_at`.
    """
    clock = Clock(time.monotonic(), time_limit_s, progress)
    run = Run(split_at(staged, tau), gap, clock, threads)
    try:
        return run.solve(start)
    finally:
        run.blocks.close()


@dataclass
class Clock:
    """Time, progress and the wish to stop."""

    began: float
    limit_s: float
    progress: Report | None
    reason: Status | None = None
    log: list[tuple[float, float, float]] = field(default_factory=list)

    def passed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began

    def left(self) -> float:
        """Seconds until the limit."""
        return max(self.limit_s - self.passed(), 0.0)

    def stops(self, note: Progress) -> bool:
        """Report, and say whether to stop."""
        if self.progress is not None and self.progress(note):
            self.reason = "interrupted"
        elif self.passed() > self.limit_s:
            self.reason = "time_limit"
        return self.reason is not None


class Run:
    """State of one decomposition; everything is for maximising until the answer is written."""

    def __init__(self, split: Split, gap: float, clock: Clock, threads: int) -> None:
        self.split, self.gap, self.clock = split, gap, clock
        count = split.blocks.count
        self.maker = CutMaker(split.blocks, min(count, MOST_GROUPS))
        self.master = Master(split, self.maker.groups)
        self.blocks = Subproblems(split.blocks, threads=threads)
        self.point: np.ndarray | None = None  # best master point
        self.later = np.full(len(split.blocks.columns), np.nan)  # its block columns
        self.objective, self.bound = -np.inf, np.inf
        self.duals: dict[int, np.ndarray] = {}  # pass -> duals [block row]
        self.best: tuple[MasterAnswer, CutBook] | None = None
        self.relaxed = split.master.integer is not None  # integers come once their relaxation has converged
        self.rounds = self.cuts = self.feasibility_cuts = 0
        self.clashes: Counter[int] = Counter()

    def solve(self, start: np.ndarray | None) -> Decomposed:
        """Run to the gap, the limit or the wish to stop."""
        try:
            status = self._solve(start)
        except (StoppedError, KeyboardInterrupt):
            status = self.clock.reason or "interrupted"
        except BlockError as error:
            status = error.status
        return self._answer(status)

    def _solve(self, start: np.ndarray | None) -> Status:
        if self.clock.stops(self._note("start", 0.0)):
            raise StoppedError
        if start is None:
            start = mean_point(self.split.staged, self.split.tau, time_limit_s=self.clock.left())
        if start is not None:
            first = np.append(start[self.split.columns], self.split.allocations(start))
            if not self._allowed(first):
                nearest = nearest_point(self.split.master, first, time_limit_s=self.clock.left())
                first = first if nearest is None else nearest
            self.master.begin(first)
            self._round(first, "first pass")
        status = self._converge()
        if status != "optimal" or self.split.master.integer is None:
            return status
        self.master.restrict()
        self.relaxed = False
        self.objective, self.point = -np.inf, None
        status = self._converge()
        if status == "optimal" and self.point is not None:
            self._price_integers(self.point)
        return status

    def _price_integers(self, point: np.ndarray) -> None:
        """Converge once more with integer columns fixed: duals exist only there. The bound stays that of all integers."""
        bound = self.bound
        self.master.fix(point)
        self.bound = np.inf
        try:
            self._converge()
        finally:
            self.bound = bound

    def _converge(self) -> Status:
        step, still, last = STEP, 0, np.inf
        while True:
            answer = self.master.solve(time_limit_s=self.clock.left(), gap=self.gap / 4)
            if answer.status in ("infeasible", "unbounded", "unknown"):
                return answer.status
            if answer.status == "time_limit":
                self.clock.reason = "time_limit"
                return "time_limit"
            if answer.bound < self.bound:
                self.bound = answer.bound
                self.best = self.best if self.master.whole else (answer, self.master.book)
            self._log()
            if relative_gap(self.bound, self.objective) <= self.gap:
                return "optimal"
            if self.clock.reason is not None:  # asked for when the last pass was all but done
                return self.clock.reason
            point, step = self._between(answer, step)
            before = self.objective
            violated = self._round(point, "cuts", answer)
            if violated <= 0.0 and point is answer.point and np.isfinite(answer.bound):
                return "optimal" if relative_gap(self.bound, self.objective) <= 1e-5 else "unknown"
            still = 0 if (self.objective > before or answer.bound < last) else still + 1
            last = answer.bound
            if still > MOST_STILL:
                return "iteration_limit"
            step = 1.0 if violated <= 0.0 else (STEP if self.objective > before else min(1.0, step * 1.3))
            self.master.forget()

    def _between(self, answer: MasterAnswer, step: float) -> tuple[np.ndarray, float]:
        """Point at which to solve the blocks: on the way from the best one to the master's."""
        if self.point is None or step >= 1.0:
            return answer.point, step
        whole = self.split.master.integer
        if (
            self.master.whole
            and whole is not None
            and (np.round(self.point - answer.point)[whole] != 0).any()
        ):
            return answer.point, step
        return self.point + step * (answer.point - self.point), step

    def _round(self, point: np.ndarray, phase: str, answer: MasterAnswer | None = None) -> float:
        """Solve all blocks at a point and add their cuts; returns by how much they cut the master's answer off."""
        found = self.blocks.evaluate(point, lambda share: self.clock.stops(self._note(phase, share)))
        self.rounds += 1
        clean, cuts, whole = self.maker.optimality(found.dual, found.feasible)
        self.duals[self.rounds] = clean
        violated = 0.0
        if answer is None:
            chosen = whole
        else:
            room = 1e-9 * (1.0 + np.abs(answer.theta))
            below = np.where(whole, answer.theta - cuts.at(answer.point), 0.0)
            fresh = whole & ~self.master.has_cut
            chosen = whole & (fresh | (below > room))
            violated = float(np.maximum(below, 0.0)[chosen].sum()) + float(fresh.sum())
        self.master.add(cuts, chosen, self.rounds)
        self.cuts += int(chosen.sum())
        if not found.feasible.all():
            return violated + self._forbid(found)
        objective = self.master.cost_of(point) + float(found.value.sum())
        if objective > self.objective and self._allowed(point):
            self.objective, self.point, self.later = objective, point, self.blocks.values()
        return violated

    def _allowed(self, point: np.ndarray) -> bool:
        """Whether the point keeps the master's rows: a start need not, and its cuts are as good as any."""
        model = self.split.master if self.master.whole else replace(self.split.master, integer=None)
        return primal_residual(model, point) < TOLERANCE

    def _forbid(self, found: Pass) -> float:
        """Add feasibility cuts and count the rows that clash."""
        bad = ~found.feasible
        lines = self.maker.feasibility(found.dual, found.feasible)
        self.master.forbid(lines, bad, self.rounds)
        self.feasibility_cuts += int(bad.sum())
        blocks = self.split.blocks
        owner = np.repeat(np.arange(blocks.count), np.diff(blocks.row_start))
        rows = blocks.rows[bad[owner] & (np.abs(found.dual) > 1e-7)]
        own = np.append(np.arange(self.split.staged.model.row_count), self.split.coupling.row)
        self.clashes.update(own[rows].tolist())
        return float(-found.value[bad].sum())

    def _note(self, phase: str, share: float) -> Progress:
        sign = self.split.sign
        known = self.objective if np.isfinite(self.objective) else None
        bound = self.bound if np.isfinite(self.bound) else None
        return Progress(
            self.rounds, None if known is None else sign * known, None if bound is None else sign * bound,
            phase=phase, share=share, seconds_left=seconds_left(self.clock.log, self.gap, self.clock.passed()),
        )  # fmt: skip

    def _log(self) -> None:
        self.clock.log.append((self.clock.passed(), self.bound, self.objective))
        used = set(self.master.book.source.tolist())
        if self.best is not None:
            used |= set(self.best[1].source.tolist())
        self.duals = {k: v for k, v in self.duals.items() if k in used}

    def _answer(self, status: Status) -> Decomposed:
        split, model, sign = self.split, self.split.staged.model, self.split.sign
        nothing = np.full(model.column_count, np.nan)
        if self.relaxed and self.point is not None and primal_residual(split.master, self.point) > TOLERANCE:
            self.point = None  # an optimum of the relaxation is no answer
        x = nothing if self.point is None else split.joined_x(self.point, self.later)
        y = np.full(model.row_count, np.nan)
        if self.best is not None:
            y = split.joined_duals(self.best[0].dual, self._mixed(*self.best))
        x = np.clip(x, model.lower, model.upper)
        objective = np.nan if self.point is None else float(model.cost @ x) + model.offset
        solution = Solution(
            status=status, objective=objective,
            bound=sign * self.bound if np.isfinite(self.bound) else np.nan,
            x=x, row_dual=y, reduced_cost=model.cost - model.pulled_back(y), iterations=self.rounds,
        )  # fmt: skip
        named = [(holder(model.rows, row).label(row), n) for row, n in self.clashes.most_common(20)]
        return Decomposed(
            solution, split.tau, split.blocks.count, self.rounds, self.cuts, self.feasibility_cuts,
            tuple(named), tuple((t, sign * b, sign * o) for t, b, o in self.clock.log),
        )  # fmt: skip

    def _mixed(self, answer: MasterAnswer, book: CutBook) -> np.ndarray:
        """Mix the blocks' duals of all passes by the duals of the cuts [block row]."""
        blocks = self.split.blocks
        owner = np.repeat(np.arange(blocks.count), np.diff(blocks.row_start))
        mixed = np.zeros(len(blocks.rows))
        for source, dual in self.duals.items():
            for optimality, place in ((True, self.maker.group[owner]), (False, owner)):
                mine = (book.source == source) & (book.optimality == optimality)
                weight = np.zeros(blocks.count)
                weight[book.group[mine]] = answer.weight[mine]
                mixed += weight[place] * dual
        return mixed


def seconds_left(log: list[tuple[float, float, float]], gap: float, now: float) -> float | None:
    """Estimate seconds to the gap from the fall of its logarithm over the last rounds; None while it does not fall.

    Examples
    --------
    The gap falls tenfold every two seconds:

    >>> round(seconds_left([(0.0, 2.0, 1.0), (2.0, 1.1, 1.0), (4.0, 1.01, 1.0)], 1e-3, 4.0))
    2
    """
    known = [(t, relative_gap(b, o)) for t, b, o in log[-5:]]
    known = [(t, g) for t, g in known if np.isfinite(g) and g > 0]
    if len(known) < 2 or known[-1][1] >= known[0][1]:
        return None
    pace = (np.log(known[0][1]) - np.log(known[-1][1])) / (known[-1][0] - known[0][0])
    return max(float((np.log(known[-1][1]) - np.log(gap)) / pace) - (now - known[-1][0]), 0.0)
