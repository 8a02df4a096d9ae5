"""Lumps: what is started once, at a node of the plan's choice, or never; and what follows from it by age.

A start is a binary at every tree node inside its window, so that waiting for news is a choice. Used for sites, tape-outs,
exclusive deals, optional runs and launches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.optimize.blocks import Builder, Variable
from exaplan.plan.inputs import Inputs


@dataclass(frozen=True)
class Starts:
    """Binaries of one family of lumps; ``item`` runs over the lumps of the family."""

    start: Variable  # [tree node, item] 1 where it is started
    begun: Variable  # [node, item] 1 from the start on


def declare_starts(
    builder: Builder, inputs: Inputs, name: str, window: np.ndarray, *, integer: bool = True
) -> Starts:
    """Declare ``NAME_start`` and ``NAME_begun`` with the row ``NAME_once``: begun[n] = begun[parent] + start[n] <= 1.

    ``window`` is bool [tree node, item]: where the item may be started; without ``integer`` it may be started in part. A tail node keeps what its leaf has begun.
    """
    tree, items = window.shape
    start = builder.variable(f"{name}_start", (tree, items), upper=window.astype(float), integer=integer)
    begun = builder.variable(f"{name}_begun", (inputs.nodes, items), upper=1.0)
    row = builder.rows(f"{name}_once", begun.shape, lower=0.0, upper=0.0)
    builder.add(row, row.position, begun.index, 1.0)
    children = np.arange(1, inputs.nodes)
    builder.add(row, row.position[children], begun.index[inputs.parent[children]], -1.0)
    builder.add(row, row.position[:tree], start.index, -1.0)
    return Starts(start, begun)


def windows_of(inputs: Inputs, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Mark the tree nodes whose quarter lies in first..last (quarters from the start), bool [tree node, item]."""
    quarter = inputs.quarter[: inputs.tree_nodes, None]
    return np.asarray((quarter >= first) & (quarter <= last))


def by_age(
    inputs: Inputs, profile: np.ndarray, *, tail: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Follow every start to the nodes after it: (node, node of the start, item, value), flat and nonzero.

    Parameters
    ----------
    profile
        [age in quarters, item] value at a node whose start lies ``age`` quarters back; nothing beyond the last age.
    tail
        [age, item] the same for tail nodes, age counted to quarter T; None for nothing there.
    """
    begin = np.arange(inputs.quarters)
    age = inputs.quarter[:, None] - begin[None, :]
    in_tail = np.arange(inputs.nodes) >= inputs.tree_nodes
    values = np.zeros((*age.shape, profile.shape[1]))
    for nodes, curve in ((~in_tail, profile), (in_tail, tail)):
        if curve is None:
            continue
        known = (age >= 0) & (age < len(curve)) & (inputs.at_quarter >= 0) & nodes[:, None]
        values[known] = curve[age[known]]
    node, quarter, item = np.nonzero(values)
    return node, inputs.at_quarter[node, quarter], item, values[node, quarter, item]
