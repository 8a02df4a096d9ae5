"""Typed shocks of suppliers and sites on a toy tree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tests.plan import toy

from exaplan.domain.futures import Tree
from exaplan.domain.lab import Lab
from exaplan.plan.inputs import collect
from exaplan.plan.solve import Solved, solve_plan


def shocked(lab: Lab, tree: Tree, **fields) -> Tree:
    """``supply`` and ``gone`` are {supplier: one number per node}, ``standstill`` {site: one number per node}."""
    nodes, given, scale = len(tree.parent), {}, tree.scale
    for name, by_name in fields.items():
        names = [site.id for site in lab.sites] if name == "standstill" else list(lab.suppliers)
        values = (
            np.ones((nodes, len(names))) if name == "supply" else np.zeros((nodes, len(names)), dtype=int)
        )
        for key, numbers in by_name.items():
            values[:, names.index(key)] = numbers
        given[name] = values
        scale = np.column_stack([scale, np.ones(len(scale))])
    return replace(tree, world=replace(tree.world, **given), scale=scale)


def solved(lab: Lab, *, cannot=(), speed=None, supply=None, gone=None, standstill=None, **branches) -> Solved:
    """Solve a toy lab on a typed tree with typed shocks."""
    fields = {"supply": supply, "gone": gone, "standstill": standstill}
    tree = shocked(lab, toy.tree(lab, **branches), **{k: v for k, v in fields.items() if v is not None})
    return solve_plan(collect(lab, toy.rates(lab, cannot, speed=speed), tree))
