"""The demand side replayed: on the tree's own futures it is worth what the plan said, off the tree its rules still hold."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan.demand_labs import everything_lab, launch_lab, price_lab, segment_lab, trust_lab
from tests.simulate.test_replay import other_futures, own_futures

from exaplan.plan.inputs import collect
from exaplan.plan.result import to_plan
from exaplan.plan.solve import solve_plan
from exaplan.simulate.replay import replay

LABS = pytest.mark.parametrize(
    "make", [segment_lab, price_lab, trust_lab, launch_lab, everything_lab], ids=lambda make: make.__name__
)


@LABS
def test_on_the_trees_own_futures_a_plan_is_worth_what_it_said(make):
    solved = solve_plan(collect(*make()))
    tree, plan = solved.program.inputs.tree, to_plan(solved)
    outcome = replay(solved, own_futures(tree), seed=1, absorbing=False)
    assert tree.probability[tree.leaves] @ outcome.value_usd == pytest.approx(plan.value_usd, rel=1e-6)


@LABS
def test_off_the_tree_nobody_is_served_who_did_not_ask(make):
    solved = solve_plan(collect(*make()))
    outcome = replay(solved, other_futures(solved.program.inputs.tree), seed=1, absorbing=False)
    asked = outcome.demand_tokens - outcome.lost_tokens
    assert (outcome.served_tokens <= np.maximum(asked, 0) * (1 + 1e-6) + 1e3).all()
    assert outcome.served_tokens.sum() > 0


@LABS
@pytest.mark.parametrize("known", [0, 1])
def test_what_is_still_to_come_changes_nothing_done_before(make, known):
    solved = solve_plan(collect(*make()))
    world = other_futures(solved.program.inputs.tree)
    changed = {}
    for name, values in vars(world).items():
        later = values.copy()
        later[:, known + 1 :] = later[:, known + 1 :] * 3 if name != "slip" else 2 - later[:, known + 1 :]
        changed[name] = later
    first, second = (replay(solved, w, seed=1) for w in (world, type(world)(**changed)))
    for name in ("served_tokens", "cash_usd", "flop", "ratio", "revenue_usd"):
        before, after = (getattr(outcome, name)[:, : known + 1] for outcome in (first, second))
        assert np.allclose(before, after, rtol=1e-9, atol=1e-3), name
