"""Each process against its closed form, on fresh draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.economy.processes import compound, rental_index, slip_quarters, wander

PATHS, QUARTERS = 200_000, 13


@pytest.fixture(scope="module")
def news():
    return np.random.Generator(np.random.PCG64(7)).standard_normal((PATHS, QUARTERS))


def test_wandering_is_lognormal_with_mean_one_and_the_yearly_spread(news):
    factor = wander(0.3, news)
    logs = np.log(factor[:, 12])  # three years on
    assert np.all(factor[:, 0] == 1)
    assert factor[:, 12].mean() == pytest.approx(1, abs=0.005)
    assert logs.std() == pytest.approx(0.3 * np.sqrt(3), rel=0.01)
    assert np.quantile(logs, 0.95) == pytest.approx(1.6449 * 0.3 * np.sqrt(3) - 0.3**2 * 3 / 2, rel=0.02)


def test_wandering_has_independent_increments(news):
    steps = np.diff(np.log(wander(0.3, news)), axis=1)
    assert np.corrcoef(steps[:, 0], steps[:, 7])[0, 1] == pytest.approx(0, abs=0.01)
    assert steps.std(axis=0) == pytest.approx(0.15, rel=0.01)


def test_the_rental_market_returns_to_its_mean_as_an_ornstein_uhlenbeck_process(news):
    index = rental_index(start=1.6, drift=np.zeros(PATHS), volatility=0.4, reversion=1.5, news=news)
    years = 3.0
    spread = 0.4 * np.sqrt((1 - np.exp(-2 * 1.5 * years)) / (2 * 1.5))
    assert np.all(index[:, 0] == pytest.approx(1))
    assert index[:, 12].mean() == pytest.approx(1.6 ** (np.exp(-1.5 * years) - 1), rel=0.005)
    assert np.log(index[:, 12]).std() == pytest.approx(spread, rel=0.01)
    lag = np.corrcoef(np.log(index[:, 11]), np.log(index[:, 12]))[0, 1]
    before = 0.4 * np.sqrt((1 - np.exp(-2 * 1.5 * 2.75)) / (2 * 1.5))
    assert lag == pytest.approx(np.exp(-1.5 / 4) * before / spread, abs=0.005)


def test_without_reversion_the_rental_market_wanders_around_its_drift(news):
    index = rental_index(start=1.6, drift=np.full(PATHS, 0.21), volatility=0.2, reversion=0.0, news=news)
    assert index[:, 12].mean() == pytest.approx(1.21**3, rel=0.01)
    assert np.log(index[:, 12]).std() == pytest.approx(0.2 * np.sqrt(3), rel=0.01)


@given(start=st.floats(0.3, 3.0), drift=st.floats(-0.5, 1.0), reversion=st.floats(0.0, 5.0))
def test_a_calm_rental_market_glides_from_its_start_to_its_mean(start, drift, reversion):
    index = rental_index(
        start=start, drift=np.array([drift]), volatility=0.0, reversion=reversion, news=np.zeros((1, 41))
    )[0]
    assert index[0] == pytest.approx(1)
    assert index[40] == pytest.approx((1 + drift) ** 10 * start ** (np.exp(-10 * reversion) - 1))


def test_slips_come_with_probability_p_and_p_squared(news):
    late = slip_quarters(0.3, news)
    assert np.all(late[:, 0] == 0)
    assert (late[:, 1:] >= 1).mean() == pytest.approx(0.3, abs=0.002)
    assert (late[:, 1:] == 2).mean() == pytest.approx(0.09, abs=0.002)
    assert late.max() == 2


def test_a_punctual_supplier_is_never_late(news):
    assert slip_quarters(0.0, news[:100]).sum() == 0


def test_growth_compounds_by_the_year():
    assert compound(np.array([0.5, -0.5]), 9)[:, 8] == pytest.approx([2.25, 0.25])
