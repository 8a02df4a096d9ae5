"""Solve all blocks of a split at one master point, hot, in threads, the same way whatever their number.

Every block keeps a HiGHS of its own, so that what it does depends on its own history alone. A block starts from the
basis of the first block of its shape, which is solved cold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np

from exaplan.optimize.handover import STATUS, loaded
from exaplan.optimize.model import Model
from exaplan.optimize.solution import Status
from exaplan.optimize.split import Blocks

OPTIONS = (
    ("presolve", "off"),
    ("solver", "simplex"),
    ("simplex_dual_edge_weight_strategy", 1),
    ("dual_simplex_cost_perturbation_multiplier", 0.0),
)
"""Presolve would discard the basis; devex weights need no set-up; perturbed costs would cost a second solve."""

Tick = Callable[[float], bool]
"""Called with the share of a pass that is done; true stops the pass."""


class StoppedError(Exception):
    """A pass was stopped before its end: by the time limit, or by the caller."""


class BlockError(RuntimeError):
    """A block has no answer at all: infeasible whatever the master decides, unbounded, or numerically lost."""

    def __init__(self, status: Status, block: int, rows: tuple[int, ...] = ()) -> None:
        super().__init__(f"block {block} is {status}")
        self.status, self.block, self.rows = status, block, rows


@dataclass(frozen=True, eq=False)
class Pass:
    """What all blocks say at one master point.

    ``dual`` [block row] are duals of the block; where the block is infeasible there, those of the program that
    minimises its violation, and ``value`` is minus that violation.
    """

    point: np.ndarray
    dual: np.ndarray
    value: np.ndarray  # [block]
    feasible: np.ndarray  # [block]
    iterations: int


class Subproblems:
    """The blocks of a split, ready to be solved again and again."""

    def __init__(self, blocks: Blocks, *, threads: int) -> None:
        self.blocks = blocks
        self._solver: list[Any] = [None] * blocks.count
        self._elastic: dict[int, Any] = {}
        self._pool = ThreadPoolExecutor(max(threads, 1))
        self._threads = max(threads, 1)
        self._shape = blocks.shapes()
        self._shared: dict[tuple[int, int], Any] = {}
        linked, self._link_place = np.unique(blocks.links.row, return_inverse=True)
        self._linked = linked
        block = np.searchsorted(blocks.row_start, linked, side="right") - 1
        self._linked_start = np.searchsorted(block, np.arange(blocks.count + 1))
        self._linked_local = (linked - blocks.row_start[block]).astype(np.int32)

    def close(self) -> None:
        """Let the threads and the solvers go."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._solver = [None] * self.blocks.count

    def evaluate(self, point: np.ndarray, tick: Tick) -> Pass:
        """Solve every block at master columns ``point``.

        Raises
        ------
        StoppedError
            If ``tick`` asks to stop.
        BlockError
            If a block cannot be made feasible by any master point, or is unbounded.
        """
        blocks, links = self.blocks, self.blocks.links
        used = np.bincount(self._link_place, links.value * point[links.column], minlength=len(self._linked))
        bounds = blocks.row_lower[self._linked] - used, blocks.row_upper[self._linked] - used
        dual, value = np.zeros(len(blocks.rows)), np.zeros(blocks.count)
        feasible, count = np.ones(blocks.count, bool), np.zeros(blocks.count, np.int64)

        def one(k: int) -> None:
            rows = slice(blocks.row_start[k], blocks.row_start[k + 1])
            value[k], feasible[k], count[k], dual[rows] = self._solve(k, bounds)

        first: dict[tuple[int, int], int] = {}
        for k, shape in enumerate(self._shape):
            if shape not in self._shared:
                first.setdefault(shape, k)
        self._run(one, list(first.values()), tick)
        for shape, k in first.items():
            self._shared[shape] = self._solver[k].getBasis()
        chosen = set(first.values())
        self._run(one, [k for k in range(blocks.count) if k not in chosen], tick)
        return Pass(point, dual, value, feasible, int(count.sum()))

    def values(self) -> np.ndarray:
        """Read the columns of all blocks as they were last solved [block column]."""
        x = np.empty(len(self.blocks.columns))
        for k, solver in enumerate(self._solver):
            x[self.blocks.column_start[k] : self.blocks.column_start[k + 1]] = solver.getSolution().col_value
        return x

    def _run(self, one: Callable[[int], None], todo: list[int], tick: Tick) -> None:
        size = max(1, min(16, len(todo) // (4 * self._threads)))
        stopped = False

        def chunk(numbers: Iterable[int]) -> None:
            for k in numbers:
                if stopped:
                    return
                one(k)

        waiting = {self._pool.submit(chunk, todo[i : i + size]) for i in range(0, len(todo), size)}
        total = len(waiting)
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                stop_if(tick(1.0 - len(waiting) / total) and bool(waiting))
        except BaseException:
            stopped = True
            for future in waiting:
                future.cancel()
            wait(waiting)
            raise

    def _solve(self, k: int, bounds: tuple[np.ndarray, np.ndarray]) -> tuple[float, bool, int, list[float]]:
        solver = self._solver[k]
        if solver is None:
            solver = self._solver[k] = hot(self.blocks.model(k), self._shared.get(self._shape[k]))
        linked = slice(self._linked_start[k], self._linked_start[k + 1])
        local, lower, upper = self._linked_local[linked], bounds[0][linked], bounds[1][linked]
        solver.changeRowsBounds(len(local), local, lower, upper)
        status = run(solver)
        info = solver.getInfo()
        if status == "optimal":
            return (
                info.objective_function_value,
                True,
                info.simplex_iteration_count,
                solver.getSolution().row_dual,
            )
        if status != "infeasible":
            raise BlockError(status, k)
        value, dual = self._violation(k, lower, upper)
        return value, False, 0, dual

    def _violation(self, k: int, lower: np.ndarray, upper: np.ndarray) -> tuple[float, list[float]]:
        """Least violation of the linked rows, as a number below zero, and its duals."""
        linked = slice(self._linked_start[k], self._linked_start[k + 1])
        local = self._linked_local[linked]
        if k not in self._elastic:
            self._elastic[k] = hot(elastic(self.blocks.model(k), local), None)
        solver = self._elastic[k]
        solver.changeRowsBounds(len(local), local, lower, upper)
        status = run(solver)
        if status != "optimal":
            raise BlockError(status, k)
        return solver.getInfo().objective_function_value, solver.getSolution().row_dual


def stop_if(wished: bool) -> None:
    """Stop a pass where that is wished."""
    if wished:
        raise StoppedError


def hot(model: Model, basis: Any) -> Any:
    """Make a solver that keeps its basis from one solve to the next."""
    solver = loaded(model)
    solver.disableCallbacks()
    for option, setting in OPTIONS:
        solver.setOptionValue(option, setting)
    if basis is not None:
        solver.setBasis(basis)
    return solver


def run(solver: Any) -> Status:
    """Solve; a stale basis can look infeasible, so only a cold start has the last word."""
    solver.run()
    status = STATUS.get(solver.getModelStatus(), "unknown")
    if status == "optimal":
        return status
    solver.clearSolver()
    solver.run()
    status = STATUS.get(solver.getModelStatus(), "unknown")
    if status not in ("optimal", "infeasible"):
        solver.clearSolver()
        solver.setOptionValue("presolve", "on")
        solver.run()
        solver.setOptionValue("presolve", "off")
        status = STATUS.get(solver.getModelStatus(), "unknown")
        if solver.getModelStatus() == highspy.HighsModelStatus.kUnboundedOrInfeasible:
            status = "infeasible"  # the violation program tells the two apart
    return status


def elastic(model: Model, rows: np.ndarray) -> Model:
    """Drop the costs and let the given rows be violated both ways, at a cost of one per unit."""
    count, more = len(rows), 2 * len(rows)
    start = np.append(model.start, model.start[-1] + 1 + np.arange(more)).astype(np.int32)
    return replace(
        model,
        cost=np.append(np.zeros(model.column_count), -np.ones(more)),
        lower=np.append(model.lower, np.zeros(more)), upper=np.append(model.upper, np.full(more, np.inf)),
        start=start, index=np.concatenate([model.index, rows, rows]).astype(np.int32),
        value=np.concatenate([model.value, np.ones(count), -np.ones(count)]),
    )  # fmt: skip
