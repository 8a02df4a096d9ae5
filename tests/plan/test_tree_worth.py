"""What knowing the tree is worth, on plans small enough to be worked out by hand."""

from __future__ import annotations

import pytest
from tests.plan import toy

from exaplan.app.fanout import thread_map
from exaplan.plan.tree_worth import mean_future, tree_worth

FORK = {"parent": [-1, 0, 0], "probability": [1.0, 0.5, 0.5]}


def near(value: float):
    return pytest.approx(value, rel=1e-6, abs=1e-4)


def lab_with(usd_per_quarter: float, **more):
    """Chips are signed now for the next quarter; nothing is to be had by the hour."""
    offer = toy.reserved(lead=1, term=1, usd_per_quarter=usd_per_quarter, last=toy.FIRST, **more)
    return toy.lab(quarters=2, offers=(offer,))


def test_the_mean_future_orders_the_mean_and_the_tree_knows_better():
    # demand 2000 or 0 with even odds, a chip costs 6000 and earns 10 000 where it is needed: half of the time, 5000
    solved = toy.solved(lab_with(6000), demand=[1.0, 2.0, 0.0], **FORK)
    worth = tree_worth(solved)
    # the mean future asks for 1000 and orders them: 1000 x (5000 - 6000) = -1 M; the tree orders nothing
    assert worth.value - 1000 == near(0)
    assert worth.stochastic_solution == near(1.0)
    assert worth.multistage == near(0)


def test_where_nothing_is_uncertain_the_tree_is_worth_nothing():
    worth = tree_worth(toy.solved(lab_with(6000), demand=[1.0, 1.5, 1.5], **FORK))
    assert worth.stochastic_solution == near(0)
    assert worth.multistage == near(0)


def test_waiting_for_news_is_worth_what_orders_decided_at_the_start_lose():
    # orders take no time: after the news 2000 or none are signed, and each earns 10 000 - 6000
    offer = toy.reserved(lead=0, term=1, usd_per_quarter=6000, first=toy.FIRST + 1)
    solved = toy.solved(toy.lab(quarters=2, offers=(offer,)), demand=[1.0, 2.0, 0.0], **FORK)
    worth = tree_worth(solved)
    # many stages: 0.5 x 2000 x 4000 = 4 M; two stages: 2000 for both futures lose, so none
    assert worth.value - 1000 == near(4.0)
    assert worth.multistage == near(4.0)


def test_the_mean_future_is_a_chain_of_expected_data():
    lab = lab_with(6000)
    tree = toy.tree(
        lab, demand=[1.0, 2.0, 0.5], slip=[0, 1, 0], parent=[-1, 0, 0], probability=[1.0, 0.25, 0.75]
    )
    chain = mean_future(tree)
    base = tree.world.demand_tokens[0, 0]
    assert chain.world.demand_tokens[:, 0] / base == near([1.0, 0.25 * 2 + 0.75 * 0.5])
    assert chain.world.slip[:, 0].tolist() == [0, 0]
    assert chain.parent.tolist() == [-1, 0]


def test_both_plans_may_be_solved_at_once():
    solved = toy.solved(lab_with(6000), demand=[1.0, 2.0, 0.0], **FORK)
    assert tree_worth(solved, map=thread_map) == tree_worth(solved)
