"""Policies side by side by hand; intervals that cover; demand that is late."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from tests.plan import toy
from tests.simulate.test_replay import own_futures

from exaplan.domain.lab import Policy, RuinLimit
from exaplan.domain.outcome import Outcome
from exaplan.domain.uncertain import Uncertain
from exaplan.economy.ruin import mean_interval, ruin_probability, share_interval
from exaplan.economy.sampling import sample_world
from exaplan.economy.tree import grow_tree
from exaplan.plan.inputs import collect
from exaplan.plan.solve import solve_plan
from exaplan.simulate import compare
from exaplan.simulate.compare import Played
from exaplan.simulate.delay import delayed, longest_delay
from exaplan.simulate.replay import replay
from exaplan.simulate.signing import PlanOrders


def outcome(values, ruined=None, cash=None) -> Outcome:
    count = len(values)
    cash = np.full((count, 2), 5e6) if cash is None else cash
    nothing, tokens = np.zeros((count, 2)), np.zeros((count, 2, 1))
    return Outcome(
        seed=1, value_usd=np.array(values, dtype=float), ruined_in=np.full(count, -1) if ruined is None else np.array(ruined),
        node=nothing, ordered=nothing, cash_usd=cash, revenue_usd=nothing, compute_cost_usd=nothing, capex_usd=nothing,
        other_cost_usd=nothing, demand_tokens=tokens, served_tokens=tokens, lost_tokens=tokens, flop=nothing, ratio=nothing,
        short=nothing, at_work=nothing, rental_index=nothing, late=nothing,
    )  # fmt: skip


def lab(limit: float | None = None):
    policy = Policy() if limit is None else Policy(ruin=RuinLimit(probability=limit, within_quarters=2))
    return toy.lab(quarters=2, policy=policy)


def test_regret_is_what_a_policy_leaves_to_the_best_one_in_each_future():
    played = [
        Played("plan", "plan", "", outcome([10, 0, 4, 2])),
        Played("other", "rule", "", outcome([6, 8, 4, 1])),
    ]
    plan, other = compare.policy_rows(lab(), played)
    assert plan.regret_mean == pytest.approx((0 + 8 + 0 + 0) / 4)
    assert plan.regret_max == 8
    assert plan.best_share == 0.75
    assert other.gain == pytest.approx((6 + 8 + 4 + 1 - 16) / 4)
    assert other.regret_mean == pytest.approx((4 + 0 + 0 + 1) / 4)
    assert plan.gain == 0


def test_a_policy_that_breaks_the_limit_cannot_win():
    rng = np.random.default_rng(2)
    base = rng.normal(size=400)
    reckless = Played("reckless", "rule", "", outcome(base + 5, ruined=[0] * 40 + [-1] * 360))
    careful = Played("plan", "plan", "", outcome(base))
    rows = compare.policy_rows(lab(limit=0.05), [careful, reckless])
    assert [row.within_limit for row in rows] == [True, False]
    assert compare.winner_of([careful, reckless], rows) == ("plan", None)
    free = compare.policy_rows(lab(), [careful, reckless])
    assert compare.winner_of([careful, reckless], free) == ("reckless", None)


def test_two_policies_within_error_of_each_other_have_no_winner():
    rng = np.random.default_rng(3)
    one, two = (Played(name, "rule", "", outcome(rng.normal(size=400))) for name in ("one", "two"))
    winner, tied = compare.winner_of([one, two], compare.policy_rows(lab(), [one, two]))
    assert winner is None
    assert set(tied.split(" and ")) == {"one", "two"}


def test_quantiles_of_a_known_distribution_lie_in_their_intervals():
    hits = 0
    for seed in range(400):
        values = np.random.default_rng(seed).random(300)
        row = compare.quantiles(values, shares=(0.25,))[0]
        hits += row.low_usd <= 0.25 <= row.high_usd
    assert 0.91 <= hits / 400 <= 0.98


def test_the_histogram_counts_every_future_once():
    rng = np.random.default_rng(1)
    rows = compare.histogram(outcome(rng.normal(size=500), ruined=[0] * 50 + [-1] * 450))
    assert sum(row.share for row in rows) == pytest.approx(1)
    assert sum(row.ruined_share for row in rows) == pytest.approx(0.1)


PAIRS = np.array([1.0, -1.0])


@pytest.mark.parametrize("shape", [np.exp, lambda z: np.maximum(z, 0.5)], ids=["lognormal", "kinked"])
def test_intervals_of_means_from_antithetic_pairs_cover(shape):
    truth = shape(np.random.default_rng(0).standard_normal(4_000_000)).mean()
    hits = 0
    for seed in range(1000):
        z = np.random.default_rng([seed, 1]).standard_normal(400)
        _, low, high = mean_interval(shape((z[:, None] * PAIRS).ravel()), antithetic=True)
        hits += low <= truth <= high
    assert 0.92 <= hits / 1000 <= 0.975


@pytest.mark.parametrize("level", [0.02, 0.1, 0.3, 0.4])
def test_intervals_of_shares_from_antithetic_pairs_cover(level):
    """Plain score intervals cover too much here: of a pair at most one has the bad draw."""
    from statistics import NormalDist

    edge = NormalDist().inv_cdf(1 - level)
    hits = plain = 0
    for seed in range(1000):
        z = np.random.default_rng([seed, 2]).standard_normal(500)
        hit = (z[:, None] * PAIRS).ravel() > edge
        low, high = share_interval(hit)
        hits += low <= level <= high
        low, high = ruin_probability(np.where(hit, 0, -1))[1]
        plain += low <= level <= high
    assert 0.925 <= hits / 1000 <= 0.975
    if level >= 0.3:
        assert plain / 1000 > 0.975


def test_demand_that_is_a_quarter_late_is_that_of_the_quarter_before():
    world = sample_world(lab(), paths=4, seed=1, quarters=5)
    moved = delayed(world, 3.0)
    assert np.allclose(moved.demand_tokens[:, 0], world.demand_tokens[:, 0])
    assert np.allclose(moved.demand_tokens[:, 1:], world.demand_tokens[:, :-1])
    assert np.array_equal(moved.rental_index, world.rental_index)
    half = delayed(world, 1.5).demand_tokens
    assert np.allclose(half[:, 2], np.sqrt(world.demand_tokens[:, 1] * world.demand_tokens[:, 2]))
    assert np.array_equal(delayed(world, 0.0).demand_tokens, world.demand_tokens)


@dataclass
class Fails:
    """Outcomes that ruin one path in four from a delay on."""

    after: float
    runs: int = 0

    def __call__(self, months: float) -> Outcome:
        self.runs += 1
        return outcome([1, 1, 1, 1], ruined=[0 if months > self.after else -1, -1, -1, -1])


@pytest.mark.parametrize("after", [0.2, 4.0, 10.9])
def test_the_longest_delay_is_found_to_half_a_month(after):
    run = Fails(after)
    months, tried = longest_delay(lab(limit=0.1), run, most_months=24)
    assert months is not None
    assert after - 0.5 <= months <= after
    assert [one.survived for one in tried] == [one.months <= after for one in tried]
    assert run.runs == len(tried)


def test_a_plan_that_does_not_survive_demand_on_time_survives_no_delay():
    assert longest_delay(lab(limit=0.1), Fails(-1.0), most_months=24)[0] is None
    assert longest_delay(lab(limit=0.5), Fails(-1.0), most_months=12)[0] == 12


def ruinous_lab():
    """A quick lab whose lead time and growth ruin some futures: two leaves, three quarters."""
    return toy.lab(
        quarters=3,
        workloads=(toy.serve(demand_chips=1000, growth=Uncertain.point(0.6), volatility=0.5),),
        offers=(toy.on_demand(usd_per_quarter=9000, most=300), toy.reserved(lead=1, term=2, most=3000)),
        finance=toy.finance(cash_usd=1.5e6),
    )  # fmt: skip


@pytest.mark.slow
def test_over_200_seeds_intervals_cover_what_a_very_large_sample_says():
    given = ruinous_lab()
    rates, tree = toy.rates(given), grow_tree(given, seed=1)
    solved = solve_plan(collect(given, rates, tree))
    half = PlanOrders(solved, 0.5 * solved.value(solved.program.columns.order))

    def run(paths: int, seed: int):
        world = sample_world(given, paths=paths, seed=seed)
        plan, other = replay(solved, world, seed=seed), replay(solved, world, seed=seed, orders=half)
        ruined = plan.ruined_in >= 0
        return plan.value_usd, ruined, plan.value_usd - other.value_usd

    large = [run(16_000, 10_000 + k) for k in range(2)]
    truth = [np.mean([part[k].mean() for part in large]) for k in range(3)]
    assert 0.02 < truth[1] < 0.9
    hits = np.zeros(3)
    for seed in range(200):
        value, ruined, difference = run(200, seed)
        intervals = (
            mean_interval(value, antithetic=True)[1:],
            share_interval(ruined),
            mean_interval(difference, antithetic=True)[1:],
        )
        hits += [low <= true <= high for (low, high), true in zip(intervals, truth, strict=True)]
    assert (hits / 200 >= 0.91).all(), hits / 200
    assert (hits / 200 <= 0.98).all(), hits / 200


def test_another_plans_orders_can_be_followed_at_this_plans_prices():
    given = ruinous_lab()
    tree = grow_tree(given, seed=1)
    solved = solve_plan(collect(given, toy.rates(given), tree))
    world = own_futures(tree)
    nothing = PlanOrders(solved, np.zeros_like(solved.value(solved.program.columns.order)))
    assert not replay(solved, world, seed=1, orders=nothing).ordered.any()
    assert replace(nothing, order=None).order is None
