"""Simple rules by hand: what they stock, when they order, what they leave alone, and that each is tuned with the same effort."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.plan import toy
from tests.simulate.test_replay import own_futures

from exaplan.domain.futures import World
from exaplan.domain.lab import Floor, Policy
from exaplan.plan.layout import CHIPS
from exaplan.simulate.baselines import (
    BaseStock,
    GrowthTable,
    Proportional,
    Trigger,
    families,
    growth_of_world,
    rent_only,
)
from exaplan.simulate.replay import replay
from exaplan.simulate.tuning import Ground, tune


def lab(**more):
    given = {
        "quarters": 4,
        "workloads": (toy.serve(demand_chips=1000),),
        "offers": (
            toy.on_demand(usd_per_quarter=9000),
            toy.reserved("dear", usd_per_quarter=5000, lead=1, term=8),
            toy.reserved("cheap", usd_per_quarter=4000, lead=1, term=8, most=600),
        ),
        "finance": toy.finance(cash_usd=1e9),
    }
    return toy.lab(**{**given, **more})


def played(given, rule):
    solved = toy.solved(given)
    outcome = replay(solved, own_futures(solved.program.inputs.tree), seed=1, orders=rule)
    return outcome.ordered[0]


def test_renting_only_signs_nothing():
    assert not played(lab(), rent_only).any()


def test_capacity_in_proportion_to_demand_comes_from_the_cheapest_offers_first():
    # 1000 chips of demand, one quarter ahead, no growth: 600 of the cheap ones, 400 of the dear ones, and no more later
    ordered = played(lab(), Proportional(stock=1.0, growth=0.0))
    assert ordered[0] == pytest.approx([400, 600])
    assert ordered[1:] == pytest.approx(np.zeros((3, 2)), abs=1e-6)


def test_growth_is_counted_to_the_delivery():
    ordered = played(lab(), Proportional(stock=1.0, growth=1.5**4 - 1))
    assert ordered[0].sum() == pytest.approx(1500)


def test_floors_take_their_share_before_customers():
    given = lab(
        workloads=(toy.serve(demand_chips=600), toy.train()), policy=Policy(floor=Floor(workloads=("pretrain",), share=0.4))
    )  # fmt: skip
    assert played(given, Proportional(stock=1.0, growth=0.0))[0].sum() == pytest.approx(600 / (1 - 0.4))


def test_signed_contracts_and_what_is_on_its_way_count():
    given = lab(
        contracts=(
            toy.contract(chips=300, due=(-1,), term=8),
            toy.contract("late", chips=200, due=(1,), term=8),
        )
    )
    assert played(given, Proportional(stock=1.0, growth=0.0))[0].sum() == pytest.approx(500)


def test_nobody_stocks_what_costs_more_than_it_earns():
    given = lab(workloads=(toy.serve(demand_chips=1000, usd_per_chip_quarter=4500),))
    ordered = played(given, Proportional(stock=1.0, growth=0.0))
    assert ordered[0] == pytest.approx([0, 600])  # the dear one costs 5000 a quarter and earns 4500


def test_the_base_stock_is_the_quantile_of_demand_at_delivery():
    growth = GrowthTable(np.column_stack([np.ones(101), np.linspace(1, 2, 101), np.ones(101), np.ones(101)]))
    for fractile in (0.1, 0.5, 0.9):
        ordered = played(lab(), BaseStock(fractile, 1.0, growth))
        assert ordered[0].sum() == pytest.approx(1000 * (1 + fractile))


def test_a_batch_is_ordered_only_past_the_trigger():
    given = lab(contracts=(toy.contract(chips=800, due=(-1,), term=8),))
    # demand over the capacity position is 1.25
    assert played(given, Trigger(threshold=1.2, batch=0.3))[0].sum() == pytest.approx(300)
    assert not played(given, Trigger(threshold=1.3, batch=0.3)).any()
    twice = played(given, Trigger(threshold=1.2, batch=0.1))
    assert twice[:, :].sum(axis=1)[:2] == pytest.approx([100, 0])  # 900 against 1000 is below the trigger


def test_a_site_is_filled_up_to_its_power_and_no_further():
    site = toy.site(power_w=0.4e6)
    offer = toy.purchase(usd=9_000, lead=1, life=8)
    solved = toy.solved(lab(sites=(site,), offers=(offer,)))
    power = solved.program.inputs.stage.power[solved.program.inputs.sets.orderable_group][0]
    outcome = replay(
        solved, own_futures(solved.program.inputs.tree), seed=1, orders=Proportional(stock=2.0, growth=0.0)
    )
    most = 0.4 / power * CHIPS
    assert outcome.ordered[0].sum() == pytest.approx(min(most, 2000), rel=1e-6)


def futures_of(solved, paths: int) -> World:
    near = own_futures(solved.program.inputs.tree)
    rng = np.random.default_rng(4)
    steps = rng.normal(0, 0.3, size=(paths, 4, 1)).cumsum(axis=1)
    steps[:, 0] = 0
    world = World(*(np.repeat(values, paths, axis=0) for values in vars(near).values()))
    return replace(world, demand_tokens=world.demand_tokens * np.exp(steps))


def test_each_rule_is_tuned_with_the_same_budget_and_the_better_setting_wins():
    solved = toy.solved(lab())
    training = futures_of(solved, 30)
    found = {
        family.name: tune(family, (Ground("the plan", solved),), training, budget=10, seed=1)
        for family in families(training)
    }
    assert {one.evaluations for one in found.values() if one.setting} == {10}
    for one in found.values():
        if one.setting:
            middle = tuple(
                (low + high) / 2 for low, high in zip(one.family.low, one.family.high, strict=True)
            )
            there = replay(solved, training, seed=1, orders=one.family.make(middle)).value_usd.mean()
            assert one.value_usd >= there - 1e-6


def test_tuning_is_the_same_whatever_else_was_tuned_before():
    solved = toy.solved(lab())
    training = futures_of(solved, 20)
    family = families(training)[1]
    one, two = (tune(family, (Ground("the plan", solved),), training, budget=6, seed=3) for _ in range(2))
    assert one.setting == two.setting


def test_growth_is_learned_from_training_futures_weighted_by_revenue():
    world = futures_of(toy.solved(lab()), 50)
    table = growth_of_world(world)
    assert table.quantile(0, 0, 0.5) == pytest.approx(1.0)
    assert table.quantile(0, 2, 0.5) == pytest.approx(
        float(np.median(world.demand_tokens[:, 2, 0] / world.demand_tokens[:, 0, 0]))
    )
