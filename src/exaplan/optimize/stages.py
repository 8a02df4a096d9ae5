"""A program over a scenario tree: which column belongs to which node, and where the tree can be cut in two.

A row needs no node of its own: it stands where its deepest column stands. A row whose columns lie on one path from the
root is an ordinary row; one that touches several branches (a limit on expected loss, say) is a *coupling row*.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from exaplan.optimize.model import Model, holder

ROOT = 0


@dataclass(frozen=True, eq=False)
class Staged:
    """A model laid over a tree.

    ``parent`` [node] names the node before each node, -1 for node 0, which is the root; every node comes after its
    parent. ``column_node`` [column] names the node at which a column is decided, the root for what no single node
    owns (a value-at-risk, say). ``probability`` [node], where given, weighs nodes when they are merged into a start.

    Raises
    ------
    ValueError
        If the arrays do not fit the model, a node stands before its parent, or a node does not exist.

    Examples
    --------
    Three nodes, the last two of which are two futures of the first:

    >>> from exaplan.optimize.blocks import Builder
    >>> builder = Builder()
    >>> buy, use = builder.variable("buy", ()), builder.variable("use", (2,))
    >>> staged = Staged(builder.build("max"), np.array([-1, 0, 0]), np.array([0, 1, 2]))
    >>> staged.depth
    array([0, 1, 1])
    """

    model: Model
    parent: np.ndarray
    column_node: np.ndarray
    probability: np.ndarray | None = None

    def __post_init__(self) -> None:
        count, node = len(self.parent), np.arange(len(self.parent))
        if not count or self.parent[ROOT] != -1:
            raise ValueError("staged: node 0 is the root and needs parent -1")
        wrong = (self.parent < 0) | (self.parent >= node)
        wrong[ROOT] = False
        if wrong.any():
            at = int(np.argmax(wrong))
            raise ValueError(
                f"staged: node {at} has parent {self.parent[at]}; parents must come before children"
            )
        if self.column_node.shape != (self.model.column_count,):
            raise ValueError(
                f"staged: column_node has shape {self.column_node.shape}; "
                f"the model has {self.model.column_count} columns"
            )
        outside = (self.column_node < 0) | (self.column_node >= count)
        if outside.any():
            at = int(np.argmax(outside))
            label = holder(self.model.columns, at).label(at)
            raise ValueError(f"staged: column {label} is at node {self.column_node[at]} of 0..{count - 1}")
        if self.probability is not None and self.probability.shape != (count,):
            raise ValueError(
                f"staged: probability has shape {self.probability.shape}; there are {count} nodes"
            )

    @property
    def node_count(self) -> int:
        """Number of nodes."""
        return len(self.parent)

    @cached_property
    def depth(self) -> np.ndarray:
        """Number of steps from the root [node]."""
        depth = np.zeros(self.node_count, np.int64)
        at = self.parent.copy()
        while (at >= 0).any():
            depth += at >= 0
            at = np.where(at >= 0, self.parent[at], -1)
        return depth

    @cached_property
    def order(self) -> tuple[np.ndarray, np.ndarray]:
        """Place of every node in a walk of the tree, and the place just past its subtree: two arrays [node]."""
        size = np.ones(self.node_count, np.int64)
        for level in range(int(self.depth.max(initial=0)), 0, -1):
            at = np.flatnonzero(self.depth == level)
            np.add.at(size, self.parent[at], size[at])
        first = np.zeros(self.node_count, np.int64)
        for level in range(1, int(self.depth.max(initial=0)) + 1):
            at = np.flatnonzero(self.depth == level)
            at = at[np.argsort(self.parent[at], kind="stable")]
            before = np.cumsum(size[at]) - size[at]
            eldest = np.searchsorted(self.parent[at], self.parent[at])
            first[at] = first[self.parent[at]] + 1 + before - before[eldest]
        return first, first + size

    @cached_property
    def row_node(self) -> np.ndarray:
        """Node of every row [row]: that of its deepest column; the root for coupling rows and empty ones."""
        node, on_path = self._deepest
        return np.where(on_path, node, ROOT)

    @property
    def coupling_rows(self) -> np.ndarray:
        """Numbers of the rows that touch several branches."""
        return np.flatnonzero(~self._deepest[1])

    @cached_property
    def _deepest(self) -> tuple[np.ndarray, np.ndarray]:
        """Deepest node of every row, and whether all its columns lie on the path to it: two arrays [row]."""
        entry_node = self.column_node[self.model.entry_column]
        rank = self.depth[entry_node] * self.node_count + entry_node
        top = np.zeros(self.model.row_count, np.int64)
        np.maximum.at(top, self.model.index, rank)
        node = top % self.node_count
        first, past = self.order
        at = first[node][self.model.index]
        inside = (first[entry_node] <= at) & (at < past[entry_node])
        on_path = np.bincount(self.model.index, ~inside, minlength=self.model.row_count) == 0
        return node, on_path

    def blocks_at(self, tau: int) -> np.ndarray:
        """Count off the subtrees that begin at depth ``tau``; tell each node its own, -1 before them [node]."""
        top = np.arange(self.node_count)
        for _ in range(int(self.depth.max(initial=0)) - tau):
            top = np.where(self.depth[top] > tau, self.parent[top], top)
        roots = np.flatnonzero(self.depth == tau)
        number = np.full(self.node_count, -1)
        number[roots] = np.arange(len(roots))
        return np.where(self.depth >= tau, number[top], -1)

    @cached_property
    def nodes_at(self) -> np.ndarray:
        """Number of nodes at every depth [depth]."""
        return np.bincount(self.depth)

    def with_model(self, model: Model) -> Staged:
        """Return the same tree over a model of the same columns."""
        return replace(self, model=model)


def fixed_before(staged: Staged, tau: int, x: np.ndarray) -> Model:
    """Return the model with every column decided before depth ``tau`` fixed at its value in ``x`` [column].

    The optimum of that model is the value of living with a first-stage plan: of the plan for the mean future (whose
    distance from the optimum is the value of the stochastic solution), or of a two-stage plan in a multistage world.
    Values are clipped to the columns' bounds first, so that rounding of ``x`` costs nothing.

    Raises
    ------
    ValueError
        If ``x`` has another length or holds NaN where a column is to be fixed.
    """
    model = staged.model
    if x.shape != (model.column_count,):
        raise ValueError(f"fixed_before: x has shape {x.shape}; the model has {model.column_count} columns")
    early = staged.depth[staged.column_node] < tau
    if np.isnan(x[early]).any():
        raise ValueError(
            "fixed_before: x holds NaN before the cut; it is the x of a solve that gave no values"
        )
    value = np.clip(x, model.lower, model.upper)
    if model.integer is not None:
        value = np.where(model.integer, np.round(value), value)
    return replace(
        model, lower=np.where(early, value, model.lower), upper=np.where(early, value, model.upper)
    )
