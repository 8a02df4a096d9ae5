"""Ruin, and what comes before it: every permitted dollar is used first, debt before equity."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan import toy
from tests.simulate.test_replay import own_futures

from exaplan.domain.lab import Debt, FixedCost, Round
from exaplan.simulate.replay import replay

BAD, GOOD = 0, 1


def hit(**money):
    """Two futures: demand stays, or is gone from quarter 1 while 3 M of staff is due; the plan saw only the first."""
    staff = FixedCost(id="staff", amount_usd_per_quarter=(3e6,))
    lab = toy.lab(
        quarters=4, finance=toy.finance(cash_usd=5e6, fixed_costs=(staff,), **money), contracts=(toy.owned(chips=400, term=4),),
        workloads=(toy.serve(demand_chips=400),),
    )  # fmt: skip
    plan_solved = toy.solved(lab)
    world = own_futures(plan_solved.program.inputs.tree)
    demand = np.repeat(world.demand_tokens, 2, axis=0)
    demand[BAD, 1:] = 0.0
    others = {name: np.repeat(values, 2, axis=0) for name, values in vars(world).items()}
    return plan_solved, type(world)(**{**others, "demand_tokens": demand})


def test_without_credit_ruin_comes_when_cash_is_gone_and_is_final():
    plan_solved, world = hit()
    outcome = replay(plan_solved, world, seed=1)
    # 5 + 4 - 3 = 6, 3, 0, then 3 M short in quarter 3
    assert outcome.ruined_in.tolist() == [3, -1]
    assert outcome.cash_usd[BAD] == pytest.approx([6e6, 3e6, 0, 0], abs=1)
    assert outcome.value_usd[BAD] == pytest.approx(0.0, abs=1)
    assert outcome.value_usd[GOOD] == pytest.approx(5e6 + 4 * 1e6)


def test_after_ruin_nothing_more_happens():
    plan_solved, world = hit(cash_minimum_usd=4e6)
    outcome = replay(plan_solved, world, seed=1)
    # 6, then 3 < 4
    assert outcome.ruined_in[BAD] == 1
    assert outcome.cash_usd[BAD, 1:] == pytest.approx(0)
    assert outcome.served_tokens[BAD, 2:].sum() == 0


def test_where_ruin_is_not_final_the_shortfall_is_put_in_at_face_value():
    plan_solved, world = hit()
    outcome = replay(plan_solved, world, seed=1, absorbing=False)
    # 5 + 4 - 4 x 3 = -3: three million put in
    assert outcome.ruined_in[BAD] == 3
    assert outcome.value_usd[BAD] == pytest.approx(-3e6, abs=1)


def test_debt_is_drawn_first_then_the_round_then_ruin():
    chance = Round(id="C", first=toy.FIRST + 3, last=toy.FIRST + 3, max_usd=5e6, dilution_cost=0.5)
    only_debt = {"debt": Debt(limit_usd=3e6, rate=0.0)}
    both = {**only_debt, "rounds": (chance,)}
    small = {"debt": Debt(limit_usd=1e6, rate=0.0), "rounds": (chance,)}
    # 3 M short in quarter 3: the line covers it and is owed in the end
    plan_solved, world = hit(**only_debt)
    outcome = replay(plan_solved, world, seed=1)
    assert outcome.ruined_in[BAD] == -1
    assert outcome.cash_usd[BAD, 3] == pytest.approx(0, abs=1)
    # with a round at hand the line still comes first: nothing is diluted
    plan_solved, world = hit(**both)
    assert replay(plan_solved, world, seed=1).value_usd[BAD] == pytest.approx(-3e6, abs=1)
    # a line of 1 M leaves 2 M to the round, which cost 3 M: 5 + 4 - 4 x 3 + 2 - 3
    plan_solved, world = hit(**small)
    outcome = replay(plan_solved, world, seed=1)
    assert outcome.ruined_in[BAD] == -1
    assert outcome.value_usd[BAD] == pytest.approx(-4e6, abs=1)


def test_a_round_that_is_not_open_saves_nobody():
    chance = Round(id="C", first=toy.FIRST, last=toy.FIRST + 2, max_usd=5e6, dilution_cost=0.5)
    plan_solved, world = hit(rounds=(chance,))
    assert replay(plan_solved, world, seed=1).ruined_in.tolist() == [3, -1]
