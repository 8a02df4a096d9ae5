"""How well a tree matches the paths it was cut from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from exaplan.domain.futures import Fit, Tree, World

COUNTED = ("slip", "default", "standstill", "refusal", "window")
"""States that are whole numbers: their errors are differences, not shares."""


def fit_tree(
    tree: Tree,
    world: World,
    *,
    workloads: Sequence[str],
    suppliers: Sequence[str],
    chips: Sequence[str] = (),
    rounds: Sequence[str] = (),
) -> tuple[Fit, ...]:
    """Compare a tree with its samples ``world`` [path, quarter], per quarter and state.

    ``mean_error`` is the relative error of the arithmetic mean (for slips: the difference in quarters). ``sd_ratio`` is
    the tree's standard deviation of the logarithm over the samples' (of the slip itself), 1 where neither spreads. It
    lies below 1 after a branch and at 0 before the first one: a tree of few nodes is narrower than its futures, and
    only the replay on fresh paths speaks of ruin. ``revenue`` is demand times price, in all and per workload.
    ``distance`` is the Wasserstein distance of the state from its samples (see :func:`wasserstein`).
    """
    rows = []
    for name, nodes, paths in _quantities(tree.world, world, (workloads, suppliers, chips, rounds)):
        whole = name.partition(".")[0] in COUNTED
        average = paths.mean(axis=0)
        base = np.where(whole | (average == 0), 1.0, average)
        error = (_by_quarter(tree, nodes) - average) / base
        seen, known = (_as_state(values, whole) for values in (nodes, paths))
        middle = _by_quarter(tree, seen)
        spread = np.sqrt(_by_quarter(tree, (seen - middle[tree.stage]) ** 2))
        expected = known.std(axis=0)
        ratio = np.divide(spread, expected, out=np.ones_like(spread), where=expected > 1e-9)
        apart = wasserstein(tree, seen, known)
        rows += [
            Fit(q, name, float(error[q]), float(ratio[q]), float(apart[q])) for q in range(tree.quarters)
        ]
    return tuple(sorted(rows, key=lambda row: row.quarter))


def wasserstein(tree: Tree, nodes: np.ndarray, paths: np.ndarray) -> np.ndarray:
    """Wasserstein distance of order 1 between a state on the tree [node] and on its paths [path, quarter], [quarter].

    The mean over probabilities of the distance of the two quantile functions (Vallender, Theory Probab. Appl. 18 (1974)
    784): by how much, on average, a path's state has to move to stand on a node's.
    """
    ordered = np.sort(paths, axis=0)
    count = len(paths)
    found = np.zeros(tree.quarters)
    for quarter in range(tree.quarters):
        here = np.flatnonzero(tree.stage == quarter)
        rank = here[np.argsort(nodes[here], kind="stable")]
        end = np.rint(np.cumsum(tree.probability[rank]) * count).astype(int)
        step = np.repeat(nodes[rank], np.diff(end, prepend=0))
        found[quarter] = np.abs(ordered[: len(step), quarter] - step).mean()
    return found


def quantisation_distance(tree: Tree, seen: np.ndarray, node: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Root mean square distance of paths from their nodes, in log money still to come [quarter].

    ``seen`` [path, quarter, state], ``known`` [node, state], ``node`` [path, quarter]: the distance in which the tree was cut.
    """
    gap = (seen - known[node]) / tree.scale
    return np.asarray(np.sqrt((gap**2).sum(axis=-1).mean(axis=0)))


def _by_quarter(tree: Tree, values: np.ndarray) -> np.ndarray:
    """Take the expectation of values [node] in each quarter, [quarter]."""
    return np.bincount(tree.stage, tree.probability * values)


def _as_state(values: np.ndarray, whole: bool) -> np.ndarray:
    """Return slips as they are and everything else as its logarithm."""
    return values.astype(float) if whole else np.log(np.maximum(values, np.finfo(float).tiny))


def _quantities(
    nodes: World, paths: World, names: tuple[Sequence[str], ...]
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name each compared quantity with its values on nodes [node] and on paths [path, quarter]."""
    workloads, suppliers, chips, rounds = names
    for place, workload in enumerate(workloads):
        demand = nodes.demand_tokens[..., place], paths.demand_tokens[..., place]
        price = nodes.price_usd_per_token[..., place], paths.price_usd_per_token[..., place]
        yield f"demand.{workload}", *demand
        yield f"price.{workload}", *price
        yield f"revenue.{workload}", demand[0] * price[0], demand[1] * price[1]
    total = [(world.demand_tokens * world.price_usd_per_token).sum(axis=-1) for world in (nodes, paths)]
    yield "revenue", total[0], total[1]
    yield "rental", nodes.rental_index, paths.rental_index
    yield "frontier", nodes.frontier, paths.frontier
    for place, supplier in enumerate(suppliers):
        yield f"slip.{supplier}", nodes.slip[..., place], paths.slip[..., place]
        for name, field in (
            ("supply", "supply"),
            ("default", "gone"),
            ("renewal", "jump"),
            ("refusal", "refused"),
        ):
            if getattr(nodes, field).shape[-1]:
                yield (
                    f"{name}.{supplier}",
                    getattr(nodes, field)[..., place],
                    getattr(paths, field)[..., place],
                )
    if nodes.standstill.shape[-1]:
        yield "standstill", nodes.standstill.sum(axis=-1), paths.standstill.sum(axis=-1)
    for name, field in (("spot", "spot"), ("algorithm", "algorithm")):
        if getattr(nodes, field).shape[-1]:
            yield name, getattr(nodes, field)[..., 0], getattr(paths, field)[..., 0]
    for name, field, known in (("rate", "rate", chips), ("window", "open_round", rounds)):
        for place in range(getattr(nodes, field).shape[-1]):
            yield (
                f"{name}.{known[place]}",
                getattr(nodes, field)[..., place],
                getattr(paths, field)[..., place],
            )
