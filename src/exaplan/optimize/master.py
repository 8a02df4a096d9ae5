"""The master of a decomposition: columns before the cut and one value per group of blocks, held down by cuts.

It stays in one HiGHS: cuts are added as rows and the next solve starts from the last basis; cuts that have not bound
for some time are deleted. The duals of cuts mix the duals of the blocks: the mixture is feasible for the dual of the
whole program, and worth the master's bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from exaplan.optimize.cuts import Cuts
from exaplan.optimize.handover import STATUS, loaded
from exaplan.optimize.solution import Status
from exaplan.optimize.split import Split

OLD = 6
"""A cut that has not bound in so many solves of the master is deleted."""

BOX, LARGEST_BOX = 10.0, 1e10
"""With few cuts the master may be unbounded: it looks within a box around the start, so many times its largest value.

The box grows until it no longer holds the answer back, and is then taken away; before that the master proves nothing.
"""

ACTIVE, FREE = 1e-9, 1e-7
"""Duals below these count as none: of a cut, and of a side of the box (the solver's own tolerance)."""


@dataclass(frozen=True, eq=False)
class MasterAnswer:
    """An optimum of the master.

    ``bound`` is infinite where a group has no cut yet or a provisional box binds: it then proves nothing.
    ``weight`` are the duals of the cuts at hand.
    """

    status: Status
    point: np.ndarray  # [master column]
    theta: np.ndarray  # [group]
    bound: float
    objective: float
    dual: np.ndarray  # [master row]
    weight: np.ndarray  # [cut]


@dataclass(frozen=True, eq=False)
class CutBook:
    """Where the cuts in the master come from: pass, group (or block for feasibility) and kind, arrays [cut]."""

    source: np.ndarray  # number of the pass
    group: np.ndarray
    optimality: np.ndarray
    idle: np.ndarray  # solves since it last bound

    def joined(self, other: CutBook) -> CutBook:
        """Append other cuts."""
        return CutBook(
            *(np.append(a, b) for a, b in zip(vars(self).values(), vars(other).values(), strict=True))
        )

    def take(self, which: np.ndarray) -> CutBook:
        """Select cuts."""
        return CutBook(*(a[which] for a in vars(self).values()))


class Master:
    """The master in a solver that keeps its basis."""

    def __init__(self, split: Split, groups: int) -> None:
        self._split, self._groups = split, groups
        model = split.master
        self.columns, self.rows = model.column_count, model.row_count
        self._solver: Any = loaded(model)
        self._solver.disableCallbacks()
        nothing, one = np.zeros(0, np.int32), np.ones(groups)
        zero = np.zeros(groups)
        empty = np.zeros(groups, np.int32)
        self._solver.addCols(groups, one, zero, zero, 0, empty, nothing, np.zeros(0))
        self.theta = np.arange(self.columns, self.columns + groups, dtype=np.int32)
        self.has_cut = np.zeros(groups, bool)
        self.book = CutBook(*(np.zeros(0, t) for t in (np.int64, np.int64, bool, np.int64)))
        self._box: float | None = BOX
        self._boxed = model.lower, model.upper
        self.center = np.clip(np.zeros(self.columns), model.lower, model.upper)
        self._integer = np.zeros(self.columns, bool) if model.integer is None else model.integer
        self._lower, self._upper = model.lower, model.upper
        self.relax()
        self._set_box()

    def begin(self, center: np.ndarray) -> None:
        """Lay the box around a point."""
        self.center = center
        self._set_box()

    def relax(self) -> None:
        """Let integer columns take any value."""
        self._set_integrality(highspy.HighsVarType.kContinuous)

    def restrict(self) -> None:
        """Make integer columns whole again."""
        self._set_integrality(highspy.HighsVarType.kInteger)

    def fix(self, point: np.ndarray) -> None:
        """Fix integer columns at their values in ``point`` and let them count as continuous."""
        self.relax()
        at = np.flatnonzero(self._integer)
        value = np.round(point[at])
        self._lower, self._upper = self._lower.copy(), self._upper.copy()
        self._lower[at] = self._upper[at] = value
        self._solver.changeColsBounds(len(at), at.astype(np.int32), value, value)

    def _set_integrality(self, kind: Any) -> None:
        at = np.flatnonzero(self._integer).astype(np.int32)
        self.whole = kind == highspy.HighsVarType.kInteger and bool(len(at))
        if len(at):
            self._solver.changeColsIntegrality(len(at), at, np.full(len(at), int(kind), np.uint8))

    def add(self, cuts: Cuts, which: np.ndarray, source: int) -> None:
        """Hold the value of groups ``which`` [group, bool] down: theta - slope x <= intercept."""
        at = np.flatnonzero(which)
        new = at[~self.has_cut[at]]
        if len(new):
            free = np.full(len(new), np.inf)
            self._solver.changeColsBounds(len(new), self.theta[new], -free, free)
            self.has_cut[new] = True
        self._rows(cuts, at, self.theta[at])
        self._note(source, at, optimality=True)

    def forbid(self, cuts: Cuts, which: np.ndarray, source: int) -> None:
        """Keep points out at which blocks ``which`` [block, bool] are infeasible: - slope x <= intercept."""
        at = np.flatnonzero(which)
        self._rows(cuts, at, None)
        self._note(source, at, optimality=False)

    def _note(self, source: int, at: np.ndarray, *, optimality: bool) -> None:
        zero = np.zeros(len(at), np.int64)
        self.book = self.book.joined(CutBook(zero + source, at, np.full(len(at), optimality), zero))

    def _rows(self, cuts: Cuts, at: np.ndarray, theta: np.ndarray | None) -> None:
        index = [cuts.column[cuts.start[g] : cuts.start[g + 1]] for g in at]
        value = [-cuts.slope[cuts.start[g] : cuts.start[g + 1]] for g in at]
        if theta is not None:
            index = [np.append(i, t) for i, t in zip(index, theta, strict=True)]
            value = [np.append(v, 1.0) for v in value]
        columns = np.concatenate(index) if index else np.zeros(0, np.int64)
        values = np.concatenate(value) if value else np.zeros(0)
        kept = values != 0.0
        length = np.array([len(i) for i in index], np.int64)
        owner = np.repeat(np.arange(len(at)), length)[kept]
        count = np.bincount(owner, minlength=len(at))
        start = np.cumsum(count) - count
        self._solver.addRows(
            len(at), np.full(len(at), -np.inf), cuts.intercept[at].astype(float), int(kept.sum()),
            start.astype(np.int32), columns[kept].astype(np.int32), values[kept],
        )  # fmt: skip

    def solve(self, *, time_limit_s: float = np.inf, gap: float = 0.0) -> MasterAnswer:
        """Find the master's optimum, within the box as long as there is one."""
        self._solver.setOptionValue("time_limit", float(min(self._solver.getRunTime() + time_limit_s, 1e9)))
        if self.whole:
            self._solver.setOptionValue("mip_rel_gap", gap)
        status, binds = self._run(), False
        while self._box is not None:
            binds = status in ("unbounded", "infeasible") or self._at_box()
            if status == "optimal":
                status = "unbounded" if binds and self._box > LARGEST_BOX else "optimal"
                break
            if self._box > LARGEST_BOX or status not in ("unbounded", "infeasible"):
                return self._read(status, proven=False)
            self._box *= 10.0
            self._set_box()
            status = self._run()
        answer = self._read(status, proven=not binds)
        if self._box is not None:
            if binds:
                self._box *= 10.0
            elif self.has_cut.all():  # cuts only hold it further back from here on
                self._box = None
            self._set_box()
        return answer

    def _set_box(self) -> None:
        """Close open bounds at the box, or open them again."""
        low, high = self._lower, self._upper
        if self._box is not None:
            reach = self._box * (1.0 + float(np.abs(self.center).max(initial=0.0)))
            low = np.where(np.isinf(low), self.center - reach, low)
            high = np.where(np.isinf(high), self.center + reach, high)
        at = np.arange(self.columns, dtype=np.int32)
        self._solver.changeColsBounds(self.columns, at, low, high)
        self._boxed = low, high

    def _at_box(self) -> bool:
        """Whether the box holds the answer back; where it has no price, the same answer is optimal without it."""
        found = self._solver.getSolution()
        x, price = np.array(found.col_value)[: self.columns], np.array(found.col_dual)[: self.columns]
        low, high = self._boxed
        near = 1e-6 * (1.0 + np.abs(x))
        held = (np.isinf(self._lower) & (x <= low + near)) | (np.isinf(self._upper) & (x >= high - near))
        return bool((held & (self.whole | (np.abs(price) > FREE))).any())

    def _run(self) -> Status:
        self._solver.run()
        kind = self._solver.getModelStatus()
        if kind == highspy.HighsModelStatus.kUnboundedOrInfeasible:
            self._solver.setOptionValue("presolve", "off")
            self._solver.run()
            self._solver.setOptionValue("presolve", "choose")
            kind = self._solver.getModelStatus()
        status = STATUS.get(kind, "unknown")
        if status in ("optimal", "infeasible", "unbounded", "time_limit"):
            return status
        self._solver.clearSolver()
        self._solver.run()
        return STATUS.get(self._solver.getModelStatus(), "unknown")

    def _read(self, status: Status, *, proven: bool) -> MasterAnswer:
        found, info = self._solver.getSolution(), self._solver.getInfo()
        nothing = np.full(self.columns, np.nan)
        if status in ("infeasible", "unbounded") or not found.value_valid:
            return MasterAnswer(status, nothing, np.zeros(self._groups), np.inf, np.nan, nothing, np.zeros(0))
        x = np.array(found.col_value)
        point = np.clip(x[: self.columns], self._lower, self._upper)
        dual = np.zeros(self.rows + len(self.book.source))
        if not self.whole and found.dual_valid:
            dual = np.array(found.row_dual)
        objective = info.objective_function_value
        bound = info.mip_dual_bound if self.whole else objective
        proven = proven and bool(self.has_cut.all()) and bool(np.isfinite(bound))
        proven = proven and (self.whole or status == "optimal")
        weight = dual[self.rows :]
        if not self.whole:
            idle = np.where(np.abs(weight) > ACTIVE, 0, self.book.idle + 1)
            self.book = CutBook(self.book.source, self.book.group, self.book.optimality, idle)
        return MasterAnswer(
            status,
            point,
            x[self.columns :],
            bound if proven else np.inf,
            objective,
            dual[: self.rows],
            weight,
        )

    def forget(self) -> None:
        """Delete cuts that have not bound for long."""
        old = self.book.idle > OLD
        if old.any():
            at = (self.rows + np.flatnonzero(old)).astype(np.int32)
            self._solver.deleteRows(len(at), at)
            self.book = self.book.take(~old)

    def cost_of(self, point: np.ndarray) -> float:
        """Objective of the master columns alone, the constant included."""
        return float(self._split.master.cost @ point) + self._split.master.offset
