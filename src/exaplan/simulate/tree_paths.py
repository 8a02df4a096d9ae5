"""The futures of a scenario tree as paths, so that a replay can follow a plan on what it was made for."""

from __future__ import annotations

import numpy as np

from exaplan.domain.futures import Tree, World


def tree_futures(tree: Tree) -> tuple[World, np.ndarray]:
    """Return the tree's futures [leaf, quarter] and their probabilities [leaf]."""
    path = np.zeros((len(tree.leaves), tree.quarters), dtype=int)
    node = tree.leaves
    for t in reversed(range(tree.quarters)):
        path[:, t], node = node, tree.parent[node]
    return World(*(values[path] for values in vars(tree.world).values())), tree.probability[tree.leaves]
