"""Who decides what is signed is an argument of a replay; what is allowed and affordable is the same for everybody."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan.combined_lab import combined_lab
from tests.plan.labs import contracts_lab, developer_lab, owner_lab
from tests.simulate.test_replay import other_futures, own_futures, solved

from exaplan.plan.inputs import collect
from exaplan.plan.layout import CHIPS
from exaplan.plan.result import to_plan
from exaplan.plan.solve import solve_plan
from exaplan.simulate.replay import replay
from exaplan.simulate.signing import Known, PlanOrders, gated_offers

LABS = pytest.mark.parametrize(
    "make", [contracts_lab, owner_lab, developer_lab], ids=lambda make: make.__name__
)


def nothing(known: Known) -> np.ndarray:
    return np.zeros_like(known.most)


def everything(known: Known) -> np.ndarray:
    return np.full_like(known.most, 1e6)


@LABS
def test_the_default_rule_is_the_plans_own(make):
    plan_solved = solved(make)
    world = other_futures(plan_solved.program.inputs.tree)
    default = replay(plan_solved, world, seed=1)
    named = replay(plan_solved, world, seed=1, orders=PlanOrders(plan_solved))
    assert np.array_equal(default.value_usd, named.value_usd)


@LABS
def test_a_rule_that_signs_nothing_signs_nothing(make):
    plan_solved = solved(make)
    outcome = replay(plan_solved, own_futures(plan_solved.program.inputs.tree), seed=1, orders=nothing)
    assert not outcome.ordered.any()


@LABS
def test_greed_is_cut_to_what_is_allowed_and_to_what_can_be_paid(make):
    plan_solved = solved(make)
    seen: list[Known] = []

    def watched(known: Known) -> np.ndarray:
        seen.append(known)
        return everything(known)

    outcome = replay(
        plan_solved, own_futures(plan_solved.program.inputs.tree), seed=1, orders=watched, absorbing=False
    )
    assert outcome.ordered.any()
    last = seen[-1]
    for known in seen:
        signed = (
            last.ordered[:, known.quarter]
            if known.quarter < last.quarter
            else known.ordered[:, known.quarter]
        )
        assert (signed <= known.most * (1 + 1e-9) + 1e-12).all()
        terms = known.inputs.deals.terms
        price = known.deals.capex + known.deals.rent * terms.take_or_pay * terms.life
        paid = (terms.deposit * signed * price).sum(axis=1)
        plan_pays = (
            terms.deposit * plan_solved.value(plan_solved.program.columns.order)[known.node] * price
        ).sum(axis=1)
        raised = plan_solved.value(plan_solved.program.columns.raised)[known.node].sum(axis=1)
        means = np.maximum(np.maximum(known.spare + known.books.receivable, 0) + raised, plan_pays)
        assert (paid <= means * (1 + 1e-9) + 1e-9).all()


@LABS
def test_a_rule_is_told_nothing_of_the_future(make):
    plan_solved = solved(make)
    world = other_futures(plan_solved.program.inputs.tree)

    def watched(known: Known) -> np.ndarray:
        assert all(field.shape[1] == known.quarter + 1 for field in vars(known.world).values())
        assert not known.ordered[:, known.quarter :].any()
        expected = known.stock_at(known.quarter)
        assert np.allclose(expected, known.state.stock)  # by now what is known and what is live agree
        return everything(known)

    replay(plan_solved, world, seed=1, orders=watched)


def test_orders_are_recorded_in_chips_and_deposits_in_dollars():
    plan_solved = solved(contracts_lab)
    tree = plan_solved.program.inputs.tree
    outcome = replay(plan_solved, own_futures(tree), seed=1)
    order = plan_solved.value(plan_solved.program.columns.order)[0] * CHIPS
    assert outcome.ordered[:, 0] == pytest.approx(np.tile(np.maximum(order, 0), (len(tree.leaves), 1)))


OFF_DEFAULT = [
    ("blocks", "deals", "runs"),
    ("blocks", "silicon", "exits"),
    ("deals", "shocks", "exits", "metered"),
    ("launches", "trust", "blocks"),
]


@pytest.mark.parametrize("features", OFF_DEFAULT, ids="-".join)
def test_with_several_features_at_once_the_trees_own_futures_are_worth_what_the_plan_said(features):
    plan_solved = solve_plan(collect(*combined_lab(features)))
    tree, plan = plan_solved.program.inputs.tree, to_plan(plan_solved)
    outcome = replay(plan_solved, own_futures(tree), seed=1, absorbing=False, orders=PlanOrders(plan_solved))
    assert tree.probability[tree.leaves] @ outcome.value_usd == pytest.approx(plan.value_usd, rel=1e-6)


def test_what_an_option_opens_only_the_plan_that_started_it_may_order():
    plan_solved = solve_plan(collect(*combined_lab(("silicon",))))
    inputs = plan_solved.program.inputs
    own = [
        number for number, offer in enumerate(inputs.sets.orderable) if gated_offers(plan_solved)[0, number]
    ]
    assert own
    outcome = replay(plan_solved, own_futures(inputs.tree), seed=1, orders=everything, absorbing=False)
    order = plan_solved.value(plan_solved.program.columns.order)
    for t in range(inputs.quarters):
        most = np.maximum(order[outcome.node[:, t]][:, own], 0) * CHIPS
        assert (outcome.ordered[:, t][:, own] <= most * (1 + 1e-6) + 1e-3).all()
