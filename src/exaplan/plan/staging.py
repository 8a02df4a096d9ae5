"""A plan's program laid over its tree: which node decides each column, for the engine that cuts trees."""

from __future__ import annotations

import numpy as np

from exaplan.optimize.ranges import LabelledRange
from exaplan.optimize.stages import ROOT, Staged
from exaplan.plan.formulation import Program
from exaplan.plan.inputs import Inputs


def staged_of(program: Program) -> Staged:
    """Lay a program over the nodes of its tree, tail nodes included.

    The first axis of a range tells where its columns stand: all nodes, the tree's nodes, the leaves (whose columns are
    decided in the tail), or none of these: then at the root, as the value-at-risk is. A column at an earlier node than
    its own is still right, only less can be cut away; where two readings fit, the earlier nodes are taken.
    """
    inputs = program.inputs
    node = np.zeros(program.model.column_count, np.int64)
    for variable in program.model.columns.values():
        node[variable.span] = home(variable, inputs)
    parent = np.array(inputs.parent, np.int64)
    parent[ROOT] = -1
    return Staged(program.model, parent, node, np.asarray(inputs.probability, float))


def home(variable: LabelledRange, inputs: Inputs) -> np.ndarray:
    """Node of every column of a range, in their order."""
    first = variable.shape[0] if variable.shape else 0
    if first == inputs.tree_nodes:
        nodes = np.arange(inputs.tree_nodes)
    elif first == inputs.nodes:
        nodes = np.arange(inputs.nodes)
    elif first == len(inputs.tails):
        nodes = np.asarray(inputs.tails)
    else:
        return np.full(variable.size, ROOT)
    return np.repeat(nodes, variable.size // first) if first else np.zeros(0, np.int64)
