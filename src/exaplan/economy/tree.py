"""Cut sampled paths into a scenario tree.

At each branch date the paths of every node are split by what can be seen in that quarter; a node's data are the means
over its paths. Nothing after quarter t takes part in a node of quarter t, and the tree expects exactly what its samples
average to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from exaplan.domain.errors import InputError, Problem
from exaplan.domain.futures import Tree, World
from exaplan.domain.lab import Lab
from exaplan.economy.clustering import split
from exaplan.economy.fit import fit_tree, quantisation_distance
from exaplan.economy.sampling import sample_world
from exaplan.economy.state import money_scale, states

LEAST_PATHS = 30
"""Fewest sample paths a node may rest on: its mean then errs by less than a fifth of the spread inside it."""
MOST_FOLD = 8
"""Samples are multiplied by no more than this to feed thin leaves."""


def grow_tree(lab: Lab, *, seed: int | None = None, quarters: int | None = None) -> Tree:
    """Grow the scenario tree of a lab from ``lab.futures``.

    Where a leaf would rest on fewer than ``LEAST_PATHS`` paths, more are sampled (``Tree.samples`` says how many), up
    to ``MOST_FOLD`` times as many; children that stay too thin join their nearest sibling. Without branches, or where
    nothing is uncertain, the tree is one chain.

    Parameters
    ----------
    seed
        Defaults to ``lab.futures.seed``.
    quarters
        Defaults to the horizon's.

    Raises
    ------
    InputError
        A branch in or before the first quarter, after the last one, into fewer than one child, or dated twice; and
        whatever :func:`exaplan.economy.sampling.sample_world` refuses.
    """
    quarters = lab.horizon.quarters if quarters is None else quarters
    seed = lab.futures.seed if seed is None else seed
    into = _children_by_quarter(lab, quarters)
    samples = max(lab.futures.samples, LEAST_PATHS * math.prod(into))
    world, scale, node = _cut(lab, samples, seed, into, least=1)
    thinnest = int(np.bincount(node[:, -1]).min())
    if thinnest < LEAST_PATHS:
        samples *= min(math.ceil(2 * LEAST_PATHS / thinnest), MOST_FOLD)
        world, scale, node = _cut(lab, samples, seed, into, least=LEAST_PATHS)
    tree = condense(world, node, scale=scale)
    names = [workload.id for workload in lab.serve]
    return Tree(
        parent=tree.parent,
        stage=tree.stage,
        probability=tree.probability,
        world=tree.world,
        scale=scale,
        fit=fit_tree(
            tree,
            world,
            workloads=names,
            suppliers=lab.suppliers,
            chips=tuple(lab.chips),
            rounds=[each.id for each in lab.finance.rounds],
        ),
        samples=len(node),
        distance=quantisation_distance(tree, states(world), node + _first_nodes(tree), states(tree.world)),
    )


def _first_nodes(tree: Tree) -> np.ndarray:
    """Return the first node of each quarter, [quarter]."""
    return np.searchsorted(tree.stage, np.arange(tree.quarters))


def _cut(
    lab: Lab, samples: int, seed: int, into: Sequence[int], *, least: int
) -> tuple[World, np.ndarray, np.ndarray]:
    world = sample_world(lab, paths=samples, seed=seed, quarters=len(into), purpose="tree")
    scale = money_scale(lab, world)
    return world, scale, partition(world, into=into, scale=scale, least=least)


def partition(world: World, *, into: Sequence[int], scale: np.ndarray, least: int = 1) -> np.ndarray:
    """Assign each path to a node of each quarter, numbered from 0 within the quarter, int [path, quarter].

    ``into`` [quarter] is the number of children a node of the quarter before gets; 1 where the tree does not
    branch. Paths are told apart by their states of that quarter, over ``scale`` [quarter, state]. Children that
    would hold fewer than ``least`` paths are not made. Siblings stand in ascending order of their state.
    """
    seen = states(world) / scale
    node = np.zeros(seen.shape[:2], dtype=np.int64)
    for quarter in range(1, seen.shape[1]):
        parents = node[:, quarter - 1]
        node[:, quarter] = parents
        if into[quarter] > 1:
            cell = split(seen[:, quarter], parents, into=into[quarter], least=least)
            node[:, quarter] = np.unique(parents * into[quarter] + cell, return_inverse=True)[1]
    return node


def condense(world: World, node: np.ndarray, *, scale: np.ndarray) -> Tree:
    """Make the tree of a partition ``node`` [path, quarter] of ``world`` [path, quarter].

    Probability is the share of paths. Demand, price, rental index and frontier are arithmetic means over the node's
    paths, so the probability-weighted sum over a quarter is the sample mean, whatever the branches. Slips are whole
    quarters, see :func:`node_slips`, and so are quarters in which building stands still; failures of suppliers are
    whole too, see :func:`node_failures`. Refusals of renewals, open rounds and named futures are shares; errors of the
    performance model average out. Within a node price and demand are taken as independent: what that costs in
    revenue is a row of the fit.
    """
    paths, quarters = node.shape
    first = np.concatenate([[0], np.cumsum(node.max(axis=0) + 1)])
    number = node + first[:-1]
    count = np.bincount(number.ravel())
    parent = np.full(first[-1], -1, dtype=np.int64)
    parent[number[:, 1:]] = number[:, :-1]

    def mean(values: np.ndarray) -> np.ndarray:
        columns = values.reshape(paths * quarters, -1).T
        result = np.empty((len(columns), len(count)))
        for place, column in enumerate(columns):
            result[place] = np.bincount(number.ravel(), column) / count
        return result.T.reshape(len(count), *values.shape[2:])

    stage = np.repeat(np.arange(quarters), np.diff(first))
    probability = count / paths
    data = World(
        demand_tokens=mean(world.demand_tokens),
        price_usd_per_token=mean(world.price_usd_per_token),
        rental_index=mean(world.rental_index),
        frontier=mean(world.frontier),
        slip=node_slips(mean(world.slip >= 1), mean(world.slip >= 2), stage, probability),
        setback=node_events(mean(world.setback), stage, probability),
        supply=mean(world.supply),
        gone=node_failures(mean(world.gone), parent, stage, probability),
        standstill=node_slips(mean(world.standstill), 0 * mean(world.standstill), stage, probability),
        **{
            name: mean(getattr(world, name))
            for name in ("spot", "algorithm", "rate", "jump", "refused", "open_round", "pinned")
        },
    )
    return Tree(parent=parent, stage=stage, probability=probability, world=data, scale=scale, samples=paths)


def node_slips(
    late: np.ndarray, very_late: np.ndarray, stage: np.ndarray, probability: np.ndarray
) -> np.ndarray:
    """Choose whole slips for nodes so that the tree expects as many late quarters as its samples, int [node, supplier].

    A node cannot be a tenth late, and rounding each node's own mean would make every delivery punctual. Instead, per
    quarter and supplier, the nodes whose paths are late most often are late, up to the probability that is nearest
    to the expected one; what is over or missing is carried to the next quarter (error diffusion). A quarter with one
    node therefore waits until a whole slip has come together. The total over the horizon matches to half the
    probability of a node; the fit has the row of each quarter.

    Parameters
    ----------
    late, very_late
        [node, supplier] share of the node's paths that are late by at least one, and by two quarters.
    stage, probability
        [node].
    """
    slip = np.zeros(late.shape, dtype=np.int64)
    for supplier in range(late.shape[1]):
        owed = [0.0, 0.0]
        for quarter in range(int(stage.max()) + 1):
            here = np.flatnonzero(stage == quarter)
            candidates = here
            for step, share in enumerate((late[:, supplier], very_late[:, supplier])):
                owed[step] += float(probability[here] @ share[here])
                ranked = candidates[np.argsort(-share[candidates], kind="stable")]
                reached = np.concatenate([[0.0], np.cumsum(probability[ranked])])
                take = int(np.abs(reached - owed[step]).argmin())
                owed[step] -= float(reached[take])
                candidates = ranked[:take]
                slip[candidates, supplier] += 1
    return slip


def node_events(share: np.ndarray, stage: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Choose the nodes at which a whole event happens, as :func:`node_slips` chooses slips, 0 or 1 [node, source].

    ``share`` [node, source] is the share of the node's paths in which it happens.
    """
    return node_slips(share, np.zeros_like(share), stage, probability).astype(float)


def node_failures(
    share: np.ndarray, parent: np.ndarray, stage: np.ndarray, probability: np.ndarray
) -> np.ndarray:
    """Choose the nodes at which suppliers have failed, int [node, supplier].

    A failure stays: below a failed node all have failed. Of the others, per quarter, those whose paths have failed
    most often join, up to the probability that is nearest to the expected one. A quarter with one node knows no
    failure before more than half of its paths have one.

    Parameters
    ----------
    share
        [node, supplier] share of the node's paths on which the supplier has failed by then.
    parent, stage, probability
        [node].
    """
    gone = np.zeros(share.shape, dtype=np.int64)
    for supplier in range(share.shape[1]):
        for quarter in range(1, int(stage.max()) + 1):
            here = np.flatnonzero(stage == quarter)
            kept = gone[parent[here], supplier] > 0
            ranked = here[np.lexsort((-share[here, supplier], ~kept))]
            reached = np.concatenate([[0.0], np.cumsum(probability[ranked])])
            wanted = float(probability[here] @ share[here, supplier])
            gap = np.abs(reached - wanted)
            gap[: int(kept.sum())] = np.inf
            gone[ranked[: int(gap.argmin())], supplier] = 1
    return gone


def _children_by_quarter(lab: Lab, quarters: int) -> list[int]:
    """Children of each node by quarter, [quarter]; 1 where the tree does not branch."""
    into = [1] * quarters
    problems = []
    seen = set()
    for branch in lab.futures.branches:
        place = branch.date - lab.horizon.first
        reason = ""
        if place == 0:
            reason = f"the tree cannot branch in {branch.date}: the first quarter is known"
        elif not 0 < place < quarters:
            reason = (
                f"the branch in {branch.date} lies outside the {quarters} quarters from {lab.horizon.first}"
            )
        elif branch.into < 1:
            reason = f"the branch in {branch.date} has {branch.into} children"
        elif branch.date in seen:
            reason = f"two branches are dated {branch.date}"
        if reason:
            problems.append(Problem(f"futures.branches: {reason}", suggestion="correct or remove it"))
            continue
        seen.add(branch.date)
        into[place] = branch.into
    if problems:
        raise InputError(*problems)
    return into
