"""Which inputs move the plan's value: each alone (tornado), and all together (elementary effects)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exaplan.app.fanout import counted_map
from exaplan.app.ground import Ground, again, again_from, remarks_on, stood_on
from exaplan.app.inputs_tried import all_moved, inputs_tried
from exaplan.app.variants import Knob, coarse
from exaplan.domain.explained import Effect, Sensitivity, Swing
from exaplan.domain.futures import Tree
from exaplan.domain.lab import Lab
from exaplan.economy.tree import grow_tree
from exaplan.optimize.elementary_effects import elementary_effects, ranking, trajectories
from exaplan.plan.inputs import collect
from exaplan.plan.layout import USD
from exaplan.plan.solve import Solved, solve_plan

DEFAULT_TRAJECTORIES = 8
"""Trajectories where nobody says otherwise; Campolongo et al. found 4 to 10 enough for a ranking."""


@dataclass(frozen=True)
class Screened:
    """How sensitivity is asked for: trajectories (0: the tornado alone), their seed, who is told of progress."""

    trajectories: int = DEFAULT_TRAJECTORIES
    seed: int = 1
    tell: Callable[[str], object] = lambda text: None  # noqa: ARG005


def sensitivity_of(
    ground: Ground, screened: Screened, *, lab_file: str | Path = "", version: str = ""
) -> Sensitivity:
    """Set each input low and high and solve again; then move all of them along Morris trajectories on a coarse tree."""
    lab, rates = ground.lab, ground.rates
    knobs = inputs_tried(lab, rates)
    ends = [(knob, at) for knob in knobs for at in (knob.low, knob.high)]
    solves = counted_map(screened.tell, "ends of single inputs")(
        lambda end: _moved(ground, end[0], end[1]), ends
    )
    swings = [
        Swing(
            name=knob.name,
            now=knob.now,
            low=knob.show(knob.low),
            high=knob.show(knob.high),
            at_low_usd=solves[2 * place] * USD,
            at_high_usd=solves[2 * place + 1] * USD,
            source=knob.origin,
        )
        for place, knob in enumerate(knobs)
    ]
    base = ground.objective_usd
    swings.sort(key=lambda one: (-max(abs(one.at_low_usd - base), abs(one.at_high_usd - base)), one.name))
    effects, count, leaves = _effects(ground, knobs, screened)
    return Sensitivity(
        stood=stood_on(ground, lab_file=lab_file, version=version),
        swings=tuple(swings),
        effects=effects,
        trajectories=screened.trajectories,
        solves=count,
        screened_futures=leaves,
        seed=screened.seed,
        remarks=tuple(remarks_on(ground)),
    )


def _grown(lab: Lab, like: Tree, own: Lab) -> Tree:
    """Grow the changed lab's tree with the branches of the tree it is compared on."""
    if lab.futures == own.futures and lab.workloads == own.workloads and lab.capability == own.capability:
        return like
    return grow_tree(lab, seed=own.futures.seed)


def _moved(ground: Ground, knob: Knob, at: float) -> float:
    """Objective with one input moved, M$, on a tree of the same branches."""
    if at == knob.base:
        return ground.solved.solution.objective
    lab, rates = knob.at(ground.lab, ground.rates, at)
    tree = _grown(ground.on_branches(lab), ground.tree, ground.on_branches(ground.lab))
    return again(ground, lab, rates, tree=tree).solution.objective


def _effects(
    ground: Ground, knobs: tuple[Knob, ...], screened: Screened
) -> tuple[tuple[Effect, ...], int, int]:
    """Rank by elementary effects; returns the effects, the number of solves and the leaves of the tree they used."""
    lab = coarse(ground.lab)
    tree = grow_tree(lab, seed=lab.futures.seed)
    if screened.trajectories < 1 or not knobs:
        return (), 0, len(tree.leaves)
    first = solve_plan(collect(lab, ground.rates, tree))
    points = trajectories(len(knobs), screened.trajectories, seed=screened.seed)
    rows = [tuple(float(x) for x in row) for row in points.reshape(-1, len(knobs))]
    values = counted_map(screened.tell, "solves of the screening")(
        lambda row: _screened(ground, lab, knobs, row, first), rows
    )
    found = ranking(
        elementary_effects(points, np.array(values).reshape(points.shape[:2])) * USD, seed=screened.seed
    )
    effects = [
        Effect(
            name=knob.name,
            mu_star_usd=float(found.mu_star[place]),
            mu_star_low_usd=float(found.low[place]),
            mu_star_high_usd=float(found.high[place]),
            mu_usd=float(found.mu[place]),
            sigma_usd=float(found.sigma[place]),
        )
        for place, knob in enumerate(knobs)
    ]
    effects.sort(key=lambda one: (-one.mu_star_usd, one.name))
    return tuple(effects), len(rows), len(tree.leaves)


def _screened(
    ground: Ground, lab: Lab, knobs: tuple[Knob, ...], at: tuple[float, ...], first: Solved
) -> float:
    """Objective of the coarse plan with every input set, M$."""
    moved, rates = all_moved(knobs, lab, ground.rates, at)
    inputs = collect(moved, rates, grow_tree(moved, seed=lab.futures.seed))
    return again_from(first, inputs).solution.objective
