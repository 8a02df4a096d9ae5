"""Split groups of points into cells: Lloyd's algorithm for all groups at once, with a deterministic start.

Lloyd, IEEE Trans. Inf. Theory 28 (1982) 129; conditional quantisation of scenario paths as in Pflug and Pichler,
Multistage Stochastic Optimization (Springer 2014), chapter 4.
"""

from __future__ import annotations

import numpy as np

STEPS = 100


def split(points: np.ndarray, group: np.ndarray, *, into: int, least: int = 1) -> np.ndarray:
    """Assign each point to one of up to ``into`` cells of its own group, int [point].

    Starts from equal shares along each group's principal direction (so cells ascend along it) and moves to the
    nearest centre until nothing changes. Cells that hold fewer than ``least`` points are dissolved into their
    neighbours, so a group without spread, or too small, stays in one piece.

    Parameters
    ----------
    points
        [point, state], scaled so that Euclidean distance means something.
    group
        [point] int, 0 .. number of groups - 1, each of them present.
    """
    groups = int(group.max()) + 1
    alive = np.ones((groups, into), dtype=bool)
    cell = _settle(points, group, _equal_shares(points, group, into), alive)
    while True:
        count = np.bincount(group * into + cell, minlength=groups * into).reshape(groups, into)
        thin = alive & (count < least) & (alive.sum(axis=1, keepdims=True) > 1)
        if not thin.any():
            return cell
        smallest = np.where(thin, count, len(points) + 1).argmin(axis=1)
        doomed = np.flatnonzero(thin.any(axis=1))
        alive[doomed, smallest[doomed]] = False
        cell = _settle(points, group, cell, alive)


def _settle(points: np.ndarray, group: np.ndarray, cell: np.ndarray, alive: np.ndarray) -> np.ndarray:
    """Move points to the nearest living centre of their group until nothing changes (at most ``STEPS`` times)."""
    groups, into = alive.shape
    for _ in range(STEPS):
        centre = _means(points, group * into + cell, groups * into).reshape(groups, into, -1)
        distance = ((points[:, None, :] - centre[group]) ** 2).sum(axis=2)
        nearest = np.where(alive[group], distance, np.inf).argmin(axis=1)
        if np.array_equal(nearest, cell):
            break
        cell = nearest
    return cell


def _equal_shares(points: np.ndarray, group: np.ndarray, into: int) -> np.ndarray:
    """Cut each group into equal shares along the direction in which it spreads most, int [point]."""
    count = np.bincount(group)
    centred = points - _means(points, group, len(count))[group]
    order = np.argsort(group, kind="stable")
    first = np.cumsum(count) - count
    outer = centred[order, :, None] * centred[order, None, :]
    direction = np.linalg.eigh(np.add.reduceat(outer, first, axis=0))[1][:, :, -1]
    largest = np.take_along_axis(direction, np.abs(direction).argmax(axis=1)[:, None], axis=1)
    direction = direction * np.where(largest < 0, -1.0, 1.0)
    score = (centred * direction[group]).sum(axis=1)
    order = np.lexsort((score, group))
    cell = np.empty(len(points), dtype=np.int64)
    cell[order] = (np.arange(len(points)) - first[group[order]]) * into // count[group[order]]
    return cell


def _means(points: np.ndarray, label: np.ndarray, labels: int) -> np.ndarray:
    """Mean of the points of each label, [label, state]; inf for a label without points."""
    count = np.bincount(label, minlength=labels)
    total = np.stack([np.bincount(label, column, minlength=labels) for column in points.T], axis=1)
    mean = np.full(total.shape, np.inf)
    np.divide(total, count[:, None], out=mean, where=count[:, None] > 0)
    return mean
