"""What knowing the tree is worth: the stochastic solution against the mean future, many stages against two.

Birge (1982), The value of the stochastic solution in stochastic linear programs with fixed recourse, Mathematical
Programming 24:314-325; Huang and Ahmed (2009), The value of multistage stochastic programming in capacity planning under
uncertainty, Operations Research 57(4):893-904.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from exaplan.domain.futures import Tree, World
from exaplan.optimize.blocks import Builder
from exaplan.plan.columns import Columns
from exaplan.plan.formulation import LINKS, build_program
from exaplan.plan.inputs import Inputs, collect
from exaplan.plan.solve import Solved, solve_program


@dataclass(frozen=True)
class TreeWorth:
    """Value of the plan (M$ of objective) beside that of plans that know less of the tree.

    A value of minus infinity: that plan cannot keep the policies that the stochastic plan keeps.
    """

    value: float
    value_of_mean_plan: float  # EEV: first decisions of the mean future, then the best that can be done
    value_of_two_stages: float  # every signature decided at the start, the same in every future

    @property
    def stochastic_solution(self) -> float:
        """VSS: what planning on the tree is worth beside planning on the mean future."""
        return max(self.value - self.value_of_mean_plan, 0.0)

    @property
    def multistage(self) -> float:
        """What it is worth that later signatures may wait for news."""
        return max(self.value - self.value_of_two_stages, 0.0)


Answer = Callable[[Solved], float]


def tree_worth(
    solved: Solved,
    *,
    map: Callable[[Callable[[Answer], float], Iterable[Answer]], Iterable[float]] = map,  # noqa: A002
) -> TreeWorth:
    """Solve the plan of the mean future and the plan of two stages, and put both into the tree; ``map`` may do both at once."""
    mean, fixed = map(lambda answer: answer(solved), (value_of_mean_plan, value_of_two_stages))
    return TreeWorth(solved.solution.objective, mean, fixed)


def mean_future(tree: Tree) -> Tree:
    """Chain of the expected futures: every field its mean over the quarter's nodes, whole numbers the nearest one."""

    def mean(values: np.ndarray) -> np.ndarray:
        total = np.zeros((tree.quarters, *values.shape[1:]))
        weight = tree.probability.reshape(-1, *[1] * (values.ndim - 1))
        np.add.at(total, tree.stage, weight * values)
        return np.rint(total).astype(values.dtype) if values.dtype.kind == "i" else total

    world = World(**{name: mean(values) for name, values in vars(tree.world).items()})
    quarter = np.arange(tree.quarters)
    return Tree(quarter - 1, quarter, np.ones(tree.quarters), world, tree.scale)


def signed(solved: Solved) -> tuple[str, ...]:
    """Variables that are signatures: orders, and the starts of lumps."""
    return ("order", *(name for name in solved.model.columns if name.endswith("_start")))


def value_of_mean_plan(solved: Solved) -> float:
    """EEV: the mean future's signatures up to the first branch, then the best that the tree allows."""
    inputs = solved.program.inputs
    chain = collect(inputs.lab, inputs.rates, mean_future(inputs.tree))
    mean = solve_program(build_program(chain))
    first = np.flatnonzero(
        np.bincount(inputs.quarter[: inputs.tree_nodes])[inputs.quarter[: inputs.tree_nodes]] == 1
    )
    lower, upper = {}, {}
    for name in signed(solved):
        block = solved.model.columns[name]
        low, high = (
            bound[block.span].reshape(block.shape).copy()
            for bound in (solved.model.lower, solved.model.upper)
        )
        planned = mean.value(mean.model.columns[name])[inputs.quarter[first]]
        low[first] = high[first] = np.clip(planned, low[first], high[first])
        lower[name], upper[name] = low, high
    program = replace(solved.program, model=solved.program.model.with_changes(lower=lower, upper=upper))
    found = solve_program(program, start=solved.solution.basis)
    return found.solution.objective if found.relaxed.keys() <= solved.relaxed.keys() else -np.inf


def value_of_two_stages(solved: Solved) -> float:
    """Value when every signature is decided at the start: in each quarter the same at every node."""
    names = signed(solved)

    def decided_at_the_start(builder: Builder, _columns: Columns, inputs: Inputs) -> None:
        """Sign the same in every future: y[n] = y[first node of the quarter]."""
        quarter = inputs.quarter[: inputs.tree_nodes]
        _, first = np.unique(quarter, return_index=True)
        other = np.setdiff1d(np.arange(inputs.tree_nodes), first)
        for name in names:
            block = builder.column(name)
            row = builder.rows(f"{name}_two_stage", (len(other), *block.shape[1:]), lower=0.0, upper=0.0)
            builder.add(row, row.position, block.index[other], 1.0)
            builder.add(row, row.position, block.index[first[quarter[other]]], -1.0)

    program = build_program(solved.program.inputs, links=(*LINKS, decided_at_the_start))
    found = solve_program(program)
    return found.solution.objective if found.relaxed.keys() <= solved.relaxed.keys() else -np.inf
