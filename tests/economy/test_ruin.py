"""Ruin statistics: a toy with a closed form, and intervals that cover."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from exaplan.domain.errors import InputError
from exaplan.economy.ruin import mean_interval, ruin_probability, wilson_interval

# The toy, in units of this year's revenue: growth to next year is lognormal (median 3, sigma 0.6). The lab commits
# capacity for m times median revenue. 90 cents of a revenue dollar are there for compute, so it owes 0.9 x m x 3
# whether used or not; revenue is what is demanded, up to capacity; cash is 1.5. Ruin: cash and what revenue leaves
# for compute do not pay the commitment.
MEDIAN, SIGMA, FOR_COMPUTE, CASH = 3.0, 0.6, 0.9, 1.5
TOY = [(0.75, 0.003, 0.69, 2.05), (1.0, 0.09, 0.50, 2.48), (1.25, 0.27, 0.36, 2.80), (1.5, 0.46, 0.26, 3.04)]


@pytest.fixture(scope="module")
def demand():
    z = np.random.Generator(np.random.PCG64(11)).standard_normal(20_000)
    return MEDIAN * np.exp(SIGMA * z)


@pytest.mark.parametrize(("commitment", "p_ruin", "p_short", "mean_revenue"), TOY)
def test_buying_more_trades_lost_customers_for_ruin(demand, commitment, p_ruin, p_short, mean_revenue):
    capacity = commitment * MEDIAN
    revenue = np.minimum(demand, capacity)
    owed = FOR_COMPUTE * capacity
    ruined = np.where(CASH + FOR_COMPUTE * revenue < owed, 3, -1)
    found, (low, high) = ruin_probability(ruined)
    mean, mean_low, mean_high = mean_interval(revenue)

    cdf = NormalDist().cdf
    edge = (owed - CASH) / FOR_COMPUTE
    closed_ruin = cdf(math.log(edge / MEDIAN) / SIGMA)
    d = math.log(commitment) / SIGMA
    closed_short = 1 - cdf(d)
    closed_mean = MEDIAN * math.exp(SIGMA**2 / 2) * cdf(d - SIGMA) + capacity * closed_short

    # Published from 20,000 samples and rounded to a percent.
    assert closed_ruin == pytest.approx(p_ruin, abs=0.005)
    assert closed_short == pytest.approx(p_short, abs=0.011)
    assert closed_mean == pytest.approx(mean_revenue, abs=0.02)
    assert low < closed_ruin < high
    assert found == pytest.approx(closed_ruin, abs=0.01)
    assert mean_low < closed_mean < mean_high
    assert mean == pytest.approx(closed_mean, abs=0.02)


def test_ruin_is_counted_within_the_quarters_asked_for():
    first = np.array([-1, 0, 11, 12, 40])
    assert ruin_probability(first)[0] == 0.8
    assert ruin_probability(first, within=12)[0] == 0.4
    assert ruin_probability(first, within=0)[0] == 0.0


def test_no_ruin_in_a_thousand_paths_is_not_no_risk():
    _, (low, high) = ruin_probability(np.full(1000, -1))
    assert low == 0
    assert high == pytest.approx(0.0038, abs=1e-4)  # Wilson: z^2 / (n + z^2)


def test_wilson_agrees_with_the_published_example():
    # Newcombe, Statistics in Medicine 17 (1998) 857, table I: 81 of 263 gives 0.2553 to 0.3662.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)


def test_intervals_cover_the_truth_as_often_as_they_say():
    rng = np.random.Generator(np.random.PCG64(5))
    hits = rng.binomial(500, 0.04, size=2000)
    ends = np.array([wilson_interval(int(h), 500) for h in hits])
    assert ((ends[:, 0] < 0.04) & (ends[:, 1] > 0.04)).mean() == pytest.approx(0.95, abs=0.02)
    means = [mean_interval(rng.standard_normal(200)) for _ in range(1000)]
    assert np.mean([low < 0 < high for _, low, high in means]) == pytest.approx(0.95, abs=0.02)


def test_antithetic_pairs_count_once():
    z = np.random.Generator(np.random.PCG64(6)).standard_normal(500)
    pairs = np.exp(0.5 * np.column_stack([z, -z]).ravel())
    mean, low, high = mean_interval(pairs, antithetic=True)
    naive = mean_interval(pairs)
    assert mean == naive[0]
    assert high - low < 0.6 * (naive[2] - naive[1])
    assert low < math.exp(0.125) < high
    halves = mean_interval(pairs.reshape(-1, 2).mean(axis=1))
    assert (low, high) == pytest.approx(halves[1:])


def test_an_odd_last_path_stands_alone():
    mean, low, high = mean_interval(np.array([1.0, 3.0, 2.0, 2.0, 7.0]), antithetic=True)
    assert mean == pytest.approx(3.0)
    assert low < mean < high


def test_one_path_proves_nothing_and_none_is_refused():
    assert mean_interval(np.array([2.0])) == (2.0, -math.inf, math.inf)
    with pytest.raises(InputError, match="at least one path"):
        mean_interval(np.array([]))
    with pytest.raises(InputError, match="at least one path"):
        ruin_probability(np.array([], dtype=int))
