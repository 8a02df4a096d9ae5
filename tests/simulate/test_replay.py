"""A plan replayed: on the tree's own futures it does what it said; off the tree it knows nothing of what is to come."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from tests.plan import toy
from tests.plan.labs import conduct_lab, contracts_lab, developer_lab, owner_lab

from exaplan.domain.futures import Tree, World
from exaplan.domain.lab import FixedCost, Policy
from exaplan.plan.inputs import collect
from exaplan.plan.result import to_plan
from exaplan.plan.solve import Solved, solve_plan
from exaplan.simulate.replay import replay

LABS = pytest.mark.parametrize(
    "make", [contracts_lab, owner_lab, developer_lab], ids=lambda make: make.__name__
)


def own_futures(tree: Tree) -> World:
    """The tree's futures as paths [leaf, quarter]."""
    path = np.zeros((len(tree.leaves), tree.quarters), dtype=int)
    node = tree.leaves
    for t in reversed(range(tree.quarters)):
        path[:, t], node = node, tree.parent[node]
    return World(*(values[path] for values in vars(tree.world).values()))


def other_futures(tree: Tree, paths: int = 40, seed: int = 3) -> World:
    """Futures around the tree's: other demand, prices and rents, deliveries late at random."""
    rng = np.random.default_rng(seed)
    near = own_futures(tree)
    which = rng.integers(len(tree.leaves), size=paths)
    moved = {name: values[which] for name, values in vars(near).items()}
    for name in ("demand_tokens", "price_usd_per_token", "rental_index", "frontier"):
        steps = rng.normal(0, 0.15, size=moved[name].shape)
        steps[:, 0] = 0.0
        moved[name] = moved[name] * np.exp(steps.cumsum(axis=1))
    late = rng.integers(0, 3, size=moved["slip"].shape)
    late[:, 0] = near.slip[which][:, 0]
    return World(**{**moved, "slip": late})


def solved(make) -> Solved:
    return solve_plan(collect(*make()))


@pytest.mark.parametrize("make", [contracts_lab, owner_lab], ids=lambda make: make.__name__)
def test_on_the_trees_own_futures_a_plan_is_worth_what_it_said(make):
    plan_solved = solved(make)
    tree, plan = plan_solved.program.inputs.tree, to_plan(plan_solved)
    outcome = replay(plan_solved, own_futures(tree), seed=1, absorbing=False)
    chance = tree.probability[tree.leaves]
    assert chance @ outcome.value_usd == pytest.approx(plan.value_usd, rel=1e-6)
    assert outcome.value_usd == pytest.approx(plan.leaf_value_usd, rel=1e-6)
    assert (outcome.ruined_in == -1).all()


@pytest.mark.parametrize("make", [developer_lab, conduct_lab], ids=lambda make: make.__name__)
def test_with_the_loop_too_the_trees_own_futures_are_worth_what_the_plan_said(make):
    plan_solved = solved(make)
    tree, plan = plan_solved.program.inputs.tree, to_plan(plan_solved)
    outcome = replay(plan_solved, own_futures(tree), seed=1, absorbing=False)
    assert tree.probability[tree.leaves] @ outcome.value_usd == pytest.approx(plan.value_usd, rel=1e-6)


@LABS
@pytest.mark.parametrize("known", [0, 1, 2])
def test_what_is_still_to_come_changes_nothing_done_before(make, known):
    plan_solved = solved(make)
    world = other_futures(plan_solved.program.inputs.tree)
    changed = {}
    for name, values in vars(world).items():
        later = values.copy()
        later[:, known + 1 :] = later[:, known + 1 :] * 3 if name != "slip" else 2 - later[:, known + 1 :]
        changed[name] = later
    first, second = (replay(plan_solved, w, seed=1) for w in (world, World(**changed)))
    for name in ("ordered", "served_tokens", "cash_usd", "flop", "ratio", "compute_cost_usd"):
        before, after = (getattr(outcome, name)[:, : known + 1] for outcome in (first, second))
        assert np.allclose(before, after, rtol=1e-9, atol=1e-3), name


@LABS
def test_nobody_is_served_who_did_not_ask(make):
    plan_solved = solved(make)
    tree = plan_solved.program.inputs.tree
    for world in (own_futures(tree), other_futures(tree)):
        outcome = replay(plan_solved, world, seed=1, absorbing=False)
        asked = outcome.demand_tokens - outcome.lost_tokens
        assert (outcome.served_tokens <= np.maximum(asked, 0) * (1 + 1e-6) + 1e3).all()


@LABS
def test_the_answer_does_not_depend_on_who_computes_it(make):
    plan_solved = solved(make)
    world = other_futures(plan_solved.program.inputs.tree, paths=300)
    with ThreadPoolExecutor(2) as pool:
        serial, threaded = (
            replay(plan_solved, world, seed=1),
            replay(plan_solved, world, seed=1, map=pool.map),
        )
    for name in ("value_usd", "ordered", "served_tokens", "cash_usd", "flop"):
        assert np.array_equal(getattr(serial, name), getattr(threaded, name)), name


def test_paths_come_back_in_the_order_in_which_they_were_given():
    plan_solved = solved(contracts_lab)
    world = other_futures(plan_solved.program.inputs.tree)
    back = np.arange(len(world.slip))[::-1]
    turned = World(*(values[back] for values in vars(world).values()))
    straight, reverse = replay(plan_solved, world, seed=1), replay(plan_solved, turned, seed=1)
    assert reverse.value_usd[back] == pytest.approx(straight.value_usd, rel=1e-9)


def test_a_delivery_that_is_late_off_the_tree_works_later():
    lab = toy.lab(quarters=3, offers=(toy.reserved(lead=1, term=1, last=toy.FIRST),))
    plan_solved = toy.solved(lab)
    on_time = own_futures(plan_solved.program.inputs.tree)
    late = replace(on_time, slip=np.where(np.arange(3) == 1, 1, 0)[None, :, None])
    outcome = replay(plan_solved, late, seed=1)
    assert outcome.at_work[0] == pytest.approx([0, 0, 1000])


def test_deposits_may_be_paid_out_of_what_the_quarter_itself_brings():
    offer = toy.purchase(usd=10_000, lead=1, life=2, deposit=0.5, last=toy.FIRST)
    lab = toy.lab(
        quarters=3, sites=(toy.site(),), offers=(offer,), contracts=(toy.owned(chips=500, term=1),), finance=toy.finance(cash_usd=0)
    )  # fmt: skip
    plan_solved = toy.solved(lab)
    plan = to_plan(plan_solved)
    outcome = replay(plan_solved, own_futures(plan_solved.program.inputs.tree), seed=1)
    # 5 M earned by the old fleet pay the deposits of 1000 chips, at work in quarters 1 and 2
    assert plan.ordered[0, 0] == pytest.approx(1000)
    assert outcome.ordered[0, 0, 0] == pytest.approx(1000)
    assert outcome.value_usd[0] == pytest.approx(plan.value_usd, rel=1e-6)


def test_a_plan_in_distress_is_worth_what_it_said_with_rescue_at_face_value():
    lab, rates, tree = contracts_lab()
    poor = lab.finance.model_copy(
        update={"cash_usd": 2e6, "fixed_costs": (FixedCost(id="staff", amount_usd_per_quarter=(14e6,)),)}
    )
    # nothing to sign: a plan that can sign may draw rescue early to invest it, a replay puts in what is short and no more
    bound = lab.model_copy(update={"finance": poor, "offers": lab.offers[:1], "policy": Policy()})
    plan_solved = solve_plan(collect(bound, rates, tree))
    plan = to_plan(plan_solved)
    outcome = replay(plan_solved, own_futures(tree), seed=1, absorbing=False)
    assert plan.rescue_usd.max() > 1e6
    assert tree.probability[tree.leaves] @ outcome.value_usd == pytest.approx(plan.value_usd, rel=1e-6)
