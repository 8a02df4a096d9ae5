"""Which node of the tree a simulated future resembles, from what is known by then."""

from __future__ import annotations

import numpy as np

from exaplan.domain.futures import Tree
from exaplan.economy.state import states


def nearest_nodes(tree: Tree, world_states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Walk every path down the tree, each quarter to the nearest child of the node it is at.

    ``world_states`` is [path, quarter, state]; distances are in units of ``tree.scale``. Returns nodes
    [path, quarter] and distances [path, quarter]. The node of a quarter depends on that quarter and those before it
    alone.
    """
    paths, quarters, _ = world_states.shape
    seen = states(tree.world)
    node = np.zeros((paths, quarters), dtype=int)
    distance = np.zeros((paths, quarters))
    current = np.full(paths, -1)
    for t in range(quarters):
        candidates, after = np.flatnonzero(tree.stage == t), np.empty(paths, dtype=int)
        for parent in np.unique(current):
            own = np.flatnonzero(current == parent)
            children = candidates[tree.parent[candidates] == parent]
            gap = (world_states[own, t, None, :] - seen[children]) / tree.scale[t]
            squared = (gap**2).sum(axis=-1)
            best = squared.argmin(axis=1)
            after[own] = children[best]
            distance[own, t] = np.sqrt(squared[np.arange(len(own)), best])
        node[:, t] = current = after
    return node, distance
