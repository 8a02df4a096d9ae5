"""The newsvendor: one order before demand is known; the plan is the closed form, in the limit and on the way.

A chip costs 4000 USD and earns 10 000 where it is wanted, so the best order is the 60 % quantile of demand
(critical fractile; e.g. Porteus, Foundations of Stochastic Inventory Theory, 2002, section 1.2).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from tests.plan import toy

from exaplan.plan.inputs import collect
from exaplan.plan.solve import solve_plan

FRACTILE, SIGMA = 0.6, 0.5
CLOSED_FORM = 1000 * float(np.exp(SIGMA * NormalDist().inv_cdf(FRACTILE)))


def ordered(demand: np.ndarray) -> float:
    """Chips ordered before one of the demands, all equally likely, shows itself; they retire with the horizon."""
    lab = toy.lab(quarters=2, offers=(toy.reserved(lead=1, term=1, last=toy.FIRST),))
    scenarios = len(demand)
    tree = toy.tree(
        lab, parent=[-1, *[0] * scenarios], probability=[1.0, *[1 / scenarios] * scenarios], demand=np.append(1.0, demand)
    )  # fmt: skip
    solved = solve_plan(collect(lab, toy.rates(lab), tree))
    return float(solved.value(solved.program.columns.order)[0, 0]) * 1e3


def lognormal(uniform: np.ndarray) -> np.ndarray:
    inverse = NormalDist().inv_cdf
    return np.exp(SIGMA * np.array([inverse(float(u)) for u in uniform]))


def stratified(scenarios: int, seed: int) -> np.ndarray:
    """One draw in each of equally likely strata, shuffled."""
    rng = np.random.default_rng(seed)
    return rng.permutation(lognormal((np.arange(scenarios) + rng.uniform(size=scenarios)) / scenarios))


def test_two_thousand_scenarios_order_within_a_percent_of_the_closed_form():
    assert ordered(stratified(2000, seed=1)) == pytest.approx(CLOSED_FORM, rel=0.01)


def test_the_error_falls_at_least_as_fast_as_one_over_the_root_of_scenarios():
    counts = np.array([125, 500, 2000])
    errors = [
        np.sqrt(np.mean([(ordered(stratified(n, seed)) / CLOSED_FORM - 1) ** 2 for seed in range(6)]))
        for n in counts
    ]
    slope = np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert slope <= -0.45


@pytest.mark.parametrize("seed", range(4))
def test_on_plain_draws_the_order_is_exactly_the_sample_quantile(seed):
    # of 301 equally likely demands the 181st is the first that 60 % do not exceed; plain draws converge as it does
    draws = lognormal(np.random.default_rng(seed).uniform(size=301))
    assert ordered(draws) == pytest.approx(1000 * np.sort(draws)[180], rel=1e-9)
