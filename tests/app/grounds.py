"""Toy plans as explanations stand on them."""

from __future__ import annotations

from tests.plan import toy

from exaplan.app.ground import Ground
from exaplan.domain.lab import Lab
from exaplan.plan.inputs import collect
from exaplan.plan.solve import solve_plan


def ground(lab: Lab, **branches) -> Ground:
    """A toy lab planned on its toy rates and a typed tree."""
    rates, tree = toy.rates(lab), toy.tree(lab, **branches)
    return Ground(lab, rates, tree, solve_plan(collect(lab, rates, tree)), full=True)
