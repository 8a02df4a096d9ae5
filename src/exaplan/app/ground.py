"""What explanations stand on: a solved plan, and how a changed lab is solved again on the same ground."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path

from exaplan.app.pipeline import Clock, Planned
from exaplan.app.variants import thinned
from exaplan.domain.explained import Stood
from exaplan.domain.futures import Tree
from exaplan.domain.lab import Lab
from exaplan.domain.rates import RateTable
from exaplan.economy.tree import grow_tree
from exaplan.io.calibration import load_calibration
from exaplan.perf.rate_table import fill_rates
from exaplan.plan.inputs import Inputs, collect
from exaplan.plan.layout import USD
from exaplan.plan.solve import CLOSE, Solved, effect_error, solve_plan
from exaplan.plan.warm import on_the_line_of, same_tree, solve_warm

FULL_UP_TO_NODES = 250
"""A tree of at most so many nodes is used as it is. Measured on 2 cores: re-solving a plan of 313 nodes for its
near-optimal alternatives took 90 s of processor time, on the thinner tree of 157 nodes 35 s."""


@dataclass(frozen=True)
class Ground:
    """A solved plan with everything it was made of; ``full`` where its tree is the lab's own."""

    lab: Lab
    rates: RateTable
    tree: Tree
    solved: Solved
    full: bool

    def on_branches(self, lab: Lab) -> Lab:
        """Give a lab the dates of news of the tree that this plan stands on."""
        return lab if self.full else thinned(lab)

    @property
    def objective_usd(self) -> float:
        """The objective of the plan, USD."""
        return self.solved.solution.objective * USD


def ground_of(lab: Lab, clock: Clock, *, full: bool = False) -> Ground:
    """Plan a lab on its own tree where that is small or ``full``, else on a thinner one that is quicker to solve again."""
    with clock.phase("technology"):
        rates = fill_rates(lab, calibration=load_calibration())
    with clock.phase("tree"):
        tree = grow_tree(lab, seed=lab.futures.seed)
        full = full or len(tree.parent) <= FULL_UP_TO_NODES
        tree = tree if full else grow_tree(thinned(lab), seed=lab.futures.seed)
    with clock.phase("plan"):
        solved = solve_plan(collect(lab, rates, tree))
    return Ground(lab, rates, tree, solved, full)


def ground_of_plan(planned: Planned) -> Ground:
    """Stand on a plan that is there already."""
    return Ground(planned.lab, planned.rates, planned.tree, planned.solved, full=True)


def again(ground: Ground, lab: Lab, rates: RateTable | None = None, *, tree: Tree | None = None) -> Solved:
    """Solve a changed lab on the same line of the demand effect, so that differences are the change's alone.

    Where the changed program has the shape of the one before, it starts at its basis.
    """
    inputs = collect(lab, rates or ground.rates, tree or ground.tree)
    return again_from(ground.solved, inputs)


def again_from(base: Solved, inputs: Inputs) -> Solved:
    """Solve changed inputs warm from ``base``, on its line of the demand effect where the tree has the same nodes."""
    if not same_tree(base.program.inputs, inputs):
        return solve_plan(inputs)
    return solve_warm(base, on_the_line_of(base, inputs)).solved


def stood_on(ground: Ground, *, lab_file: str | Path, version: str) -> Stood:
    """Say what an explanation stands on."""
    lab = ground.lab
    own = prod(branch.into for branch in lab.futures.branches)
    leaves = len(ground.tree.leaves)
    return Stood(
        lab=lab.lab,
        lab_file=Path(lab_file).name,
        version=version,
        first_quarter=str(lab.horizon.first),
        quarters=lab.horizon.quarters,
        futures=leaves,
        futures_of_plan=leaves if ground.full else own,
        objective_usd=ground.objective_usd,
    )


def remarks_on(ground: Ground, *others: Solved) -> list[str]:
    """Say what a reader must know before trusting differences between solves."""
    remarks = []
    if ground.solved.relaxed:
        given = ", ".join(ground.solved.relaxed)
        remarks.append(f"The plan cannot keep {given}: everything here is beside that relaxed plan.")
    also = {name for solved in others for name in solved.relaxed} - set(ground.solved.relaxed)
    if also:
        remarks.append(
            f"Some of these solves cannot keep {', '.join(sorted(also))}, which the plan keeps: dollars leave that out."
        )
    error = max(effect_error(solved) for solved in (ground.solved, *others))
    if error > CLOSE:
        remarks.append(
            f"All solves share the plan's line of the demand effect; in one of them it is off by {error:.1%} of revenue."
        )
    return remarks
