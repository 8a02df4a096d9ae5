"""A small stand-in for a staged program: after the cut every branch is replaced by the mean of its futures.

Nodes of one depth below the same last node before the cut become one node: columns that stand at the same place of
their nodes share one value, rows are averaged by probability. The optimum of that mean-value program is where a
decomposition starts from.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exaplan.optimize.highs import solve
from exaplan.optimize.model import Model
from exaplan.optimize.stages import Staged

MOST_COLUMNS = 25_000
"""A mean-value program larger than this takes longer than the rounds that it saves: merge branches earlier."""


def mean_point(staged: Staged, tau: int, *, time_limit_s: float = np.inf) -> np.ndarray | None:
    """Solve a mean-value program and spread its answer over all columns; None where it has no answer.

    Branches are merged from depth ``tau`` on, or from the latest depth before it that leaves a program small enough.
    """
    while True:
        model, column = mean_model(staged, tau)
        tau = int(np.flatnonzero(staged.nodes_at < staged.nodes_at[tau])[-1]) if tau > 0 else 0
        if model.column_count <= MOST_COLUMNS or tau < 1:
            break
    if not (model.lower <= model.upper).all() or not (model.row_lower <= model.row_upper).all():
        return None
    found = solve(model, time_limit_s=time_limit_s)
    if found.status != "optimal":
        return None
    return np.asarray(np.clip(found.x[column], staged.model.lower, staged.model.upper))


def nearest_point(model: Model, x: np.ndarray, *, time_limit_s: float = np.inf) -> np.ndarray | None:
    """Move a point as little as possible, each column relative to its size, until it keeps every row and bound.

    The columns are moves up and down from ``x``: where few rows are broken the dual simplex needs few steps. Returns
    None where no point keeps them, or not in time.
    """
    x = np.clip(x, model.lower, model.upper)
    at = model.activity(x)
    weight = 1.0 / (1.0 + np.abs(x))
    moves = replace(
        model,
        cost=np.append(-weight, -weight), lower=np.zeros(2 * len(x)),
        upper=np.append(model.upper - x, x - model.lower),
        row_lower=model.row_lower - at, row_upper=model.row_upper - at,
        start=np.append(model.start, model.start[-1] + model.start[1:]).astype(np.int32),
        index=np.append(model.index, model.index), value=np.append(model.value, -model.value),
        sense="max", integer=None, offset=0.0, columns={}, rows={},
    )  # fmt: skip
    found = solve(moves, method="simplex", time_limit_s=time_limit_s)
    if found.status != "optimal":
        return None
    up, down = np.split(found.x, 2)
    return np.asarray(np.clip(x + up - down, model.lower, model.upper))


def mean_model(staged: Staged, tau: int) -> tuple[Model, np.ndarray]:
    """Build the mean-value program, integers relaxed, and name the column that stands for each one [column]."""
    model = staged.model
    merged = merged_nodes(staged, tau)
    column = same_place(merged, staged.column_node)
    row = same_place(merged, staged.row_node)
    coupled = staged.coupling_rows
    row[coupled] = row.max(initial=-1) + 1 + np.arange(len(coupled))
    row = np.unique(row, return_inverse=True)[1]
    chance = np.ones(staged.node_count) if staged.probability is None else staged.probability
    columns, rows = int(column.max()) + 1, int(row.max(initial=-1)) + 1
    row_share = shares(chance[staged.row_node], row, rows)
    column_share = shares(chance[staged.column_node], column, columns)
    key = column[model.entry_column].astype(np.int64) * max(rows, 1) + row[model.index]
    distinct, slot = np.unique(key, return_inverse=True)
    value = np.bincount(slot, model.value * row_share[model.index], minlength=len(distinct))
    start = np.searchsorted(distinct, np.arange(columns + 1) * max(rows, 1))

    def mean(values: np.ndarray, share: np.ndarray, into: np.ndarray, size: int) -> np.ndarray:
        return np.bincount(into, np.where(share > 0, values, 0.0) * share, minlength=size)

    small = replace(
        model,
        cost=np.bincount(column, model.cost, minlength=columns),
        lower=mean(model.lower, column_share, column, columns),
        upper=mean(model.upper, column_share, column, columns),
        row_lower=mean(model.row_lower, row_share, row, rows),
        row_upper=mean(model.row_upper, row_share, row, rows),
        start=start.astype(np.int32), index=(distinct % max(rows, 1)).astype(np.int32), value=value,
        columns={}, rows={}, integer=None,
    )  # fmt: skip
    return small, column


def merged_nodes(staged: Staged, tau: int) -> np.ndarray:
    """Name the merged node that stands for each node [node]."""
    top = np.arange(staged.node_count)
    for _ in range(int(staged.depth.max()) - tau + 1):
        top = np.where(staged.depth[top] >= tau, staged.parent[top], top)
    key = np.where(staged.depth >= tau, staged.depth * staged.node_count + top, np.arange(staged.node_count))
    return np.unique(key, return_inverse=True)[1]


def same_place(merged: np.ndarray, node: np.ndarray) -> np.ndarray:
    """Count what stands at the same place of nodes that are merged; ``node`` is the node of each."""
    order = np.argsort(node, kind="stable")
    place = np.empty(len(node), np.int64)
    count = np.bincount(node)
    place[order] = np.arange(len(node)) - np.repeat(np.cumsum(count) - count, count)
    return np.unique(merged[node] * (count.max(initial=0) + 1) + place, return_inverse=True)[1]


def shares(chance: np.ndarray, into: np.ndarray, size: int) -> np.ndarray:
    """Share of each among those merged with it; equal where none has any probability."""
    total = np.bincount(into, chance, minlength=size)
    equal = np.bincount(into, minlength=size)
    nil = total[into] <= 0
    return np.where(nil, 1.0 / equal[into], chance / np.where(nil, 1.0, total[into]))
