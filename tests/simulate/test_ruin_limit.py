"""The search for a limit on P(ruin): the winner keeps it on futures of its own, and nothing worth more does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.plan import toy

from exaplan.domain.futures import World
from exaplan.domain.lab import FixedCost, Policy, Risk, RuinLimit
from exaplan.simulate.ruin_limit import COVERS, TAIL_WEIGHTS, Futures, grid_of, search_ruin_limit


def risky_lab(probability: float):
    """Orders for a demand that may fall by nine tenths: whoever signs a lot and holds little cash is ruined."""
    offer = toy.reserved(lead=1, term=4, last=toy.FIRST, usd_per_quarter=4000)
    return toy.lab(
        quarters=4, offers=(offer, toy.on_demand(usd_per_quarter=9000)),
        finance=toy.finance(cash_usd=6e6, cash_minimum_usd=1e6,
                            fixed_costs=(FixedCost(id="staff", amount_usd_per_quarter=(0.2e6,)),)),
        policy=Policy(ruin=RuinLimit(probability=probability, within_quarters=4)),
    )  # fmt: skip


FALL = 0.06
PARENT = [-1, 0, 0, 1, 2, 3, 4]


def tree_of(lab):
    """The tree sees a mild fall: the mean of many futures."""
    return toy.tree(
        lab,
        parent=PARENT,
        probability=[1.0] + [0.5] * 6,
        demand=[1.0, 1.0, 0.85, 1.0, 0.85, 1.0, 0.85],
    )


def paths_of(lab, count: int, seed: int) -> World:
    """Futures in which one in sixteen loses nine tenths of demand after the first quarter."""
    rng = np.random.default_rng(seed)
    world = toy.tree(lab).world
    spread = {name: np.repeat(values[None], count, axis=0) for name, values in vars(world).items()}
    fallen = rng.random(count) < FALL
    factor = np.where(fallen[:, None] & (np.arange(4) >= 1), 0.1, 1.0)
    spread["demand_tokens"] = spread["demand_tokens"] * factor[:, :, None]
    return World(**spread)


def futures_of(lab) -> Futures:
    return Futures(paths_of(lab, 400, 1), [paths_of(lab, 1000, seed) for seed in (2, 3)], seed=1)


def found_for(probability: float):
    lab = risky_lab(probability)
    return search_ruin_limit(lab, toy.rates(lab), tree_of(lab), futures_of(lab))


def test_the_winner_keeps_the_limit_on_fresh_futures_and_nothing_worth_more_does():
    found = found_for(0.03)
    assert found.reached
    assert found.chosen.confirmed is not None
    assert found.chosen.confirmed[2] <= 0.03
    for row in found.tried:
        if row.value_usd > found.chosen.value_usd:
            broken = row.p_ruin > 0.03 if row.confirmed is None else row.confirmed[2] > 0.03
            assert broken
    # the mean future alone would sign for all of demand: ruined wherever it falls
    careless = next(row for row in found.tried if row.policy.cover_quarters == 0)
    assert careless.p_ruin == pytest.approx(FALL, abs=0.03)


def test_a_generous_limit_costs_nothing():
    found = found_for(0.5)
    assert found.reached
    assert found.chosen.value_usd == max(row.value_usd for row in found.tried)


def test_a_limit_out_of_reach_is_said_with_the_lowest_found():
    lab = risky_lab(0.001)
    staff = (FixedCost(id="staff", amount_usd_per_quarter=(0.9e6,)),)  # 0.1 M is earned where demand falls
    poor = lab.model_copy(
        update={"finance": lab.finance.model_copy(update={"cash_usd": 1.05e6, "fixed_costs": staff})}
    )
    found = search_ruin_limit(poor, toy.rates(poor), tree_of(poor), futures_of(poor))
    assert not found.reached
    assert found.chosen.p_ruin == min(row.p_ruin for row in found.tried)
    assert found.chosen.p_ruin > 0.001


def test_the_grid_never_asks_for_less_than_the_owner():
    policy = Policy(cover_quarters=2.5, risk=Risk(weight=0.2))
    grid = grid_of(policy)
    assert min(each.cover_quarters for each in grid) == 2.5
    assert {each.risk.weight for each in grid} == {0.2, 0.3}
    assert len(grid_of(Policy())) == len(COVERS) * len(TAIL_WEIGHTS)


def test_the_answer_does_not_depend_on_who_solves_what_first():
    lab = risky_lab(0.03)
    one = search_ruin_limit(lab, toy.rates(lab), tree_of(lab), futures_of(lab))
    other = search_ruin_limit(
        lab, toy.rates(lab), tree_of(lab), futures_of(lab), map=lambda f, items: [f(i) for i in reversed(list(items))][::-1]
    )  # fmt: skip
    assert [replace(row) for row in one.tried] == list(other.tried)
