"""Regimes of the rental market and windows of capital: against closed forms, and against the published series."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.domain.futures_input import CapitalWindow
from exaplan.domain.rental import Regime, RentalMarket, Switch
from exaplan.economy.processes import rental_index
from exaplan.economy.published_rents import H100_MARKET, published_against
from exaplan.economy.regimes import (
    expected_index,
    generator,
    regime_index,
    stationary,
    transition,
    walk,
    window_generator,
)

PATHS, QUARTERS = 100_000, 25


def market(**changes):
    regimes = (
        Regime(id="glut", level=0.6, switches=(Switch(to="balance", rate=0.9),)),
        Regime(
            id="balance", level=1.0, switches=(Switch(to="glut", rate=0.3), Switch(to="scarcity", rate=0.5))
        ),
        Regime(id="scarcity", level=1.6, switches=(Switch(to="balance", rate=1.2),)),
    )
    given = {"volatility": 0.25, "reversion": 1.2, "regimes": regimes, "regime": "balance"}
    return RentalMarket(**{**given, **changes})


@pytest.fixture(scope="module")
def news():
    return np.random.Generator(np.random.PCG64(11)).standard_normal((2, PATHS, QUARTERS))


@pytest.fixture(scope="module")
def regime(news):
    return walk(generator(market()), market().first_regime, news[0])


@pytest.fixture(scope="module")
def index(news, regime):
    return regime_index(market(), drift=np.zeros(PATHS), regime=regime, news=news[1])


def test_a_window_of_two_states_switches_as_its_closed_form_says():
    rates = window_generator(CapitalWindow(id="ipo", closes=0.7, reopens=1.9))
    for years in (0.25, 1.0, 5.0):
        gone = np.exp(-2.6 * years)  # P(open at t | open) = b/(a+b) + a/(a+b) exp(-(a+b) t)
        assert transition(rates, years)[1] == pytest.approx(
            [0.7 / 2.6 * (1 - gone), (1.9 + 0.7 * gone) / 2.6]
        )
    assert stationary(rates) == pytest.approx([0.7 / 2.6, 1.9 / 2.6])


@given(rates=st.lists(st.floats(0.0, 6.0), min_size=6, max_size=6), years=st.floats(0.01, 4.0))
def test_chances_of_a_chain_add_up_and_compose(rates, years):
    made = np.zeros((3, 3))
    made[~np.eye(3, dtype=bool)] = rates
    np.fill_diagonal(made, -made.sum(axis=1))
    once, twice = transition(made, years), transition(made, 2 * years)
    assert once.sum(axis=1) == pytest.approx(1)
    assert (once >= 0).all()
    assert once @ once == pytest.approx(twice, abs=1e-10)


def test_time_in_each_regime_is_that_of_the_balance_of_flows(regime):
    # glut 0.9 = balance 0.3, scarcity 1.2 = balance 0.5: shares 1/3 : 1 : 5/12, together 7/4
    expected = np.array([1 / 3, 1, 5 / 12]) / 1.75
    assert stationary(generator(market())) == pytest.approx(expected)
    assert np.bincount(regime[:, -1]) / PATHS == pytest.approx(expected, abs=0.006)


def test_a_regime_lasts_one_over_its_rate(regime):
    here = regime[:, :-1] == 2
    left = (regime[:, 1:] != 2)[here].mean()
    assert left == pytest.approx(1 - transition(generator(market()))[2, 2], abs=0.005)


def test_the_index_has_its_exact_mean_in_every_quarter(index):
    assert index[:, 0] == pytest.approx(1)
    assert index.mean(axis=0) == pytest.approx(expected_index(market(), QUARTERS), rel=0.01)


def test_the_exact_mean_is_that_of_all_histories_told_one_by_one():
    given, quarters = market(start=1.3), 4
    step, kept = transition(generator(given)), np.exp(-given.reversion / 4)
    level = np.log([each.level for each in given.regimes])
    total = 0.0
    for history in np.ndindex(3, 3, 3):
        chance, before, deviation = 1.0, given.first_regime, np.log(given.start)
        for now in history:
            chance *= step[before, now]
            deviation = kept * deviation + (1 - kept) * level[now]
            before = now
        total += chance * np.exp(deviation) / given.start
    assert expected_index(given, quarters)[3] == pytest.approx(total)


def test_the_index_forgets_as_its_regimes_and_its_reversion_do(news, regime, index):
    """Autocorrelation of the stationary log index: an OU part and an exponentially smoothed chain, by the spectral sum."""
    given = market()
    rates, level = generator(given), np.log([each.level for each in given.regimes])
    share, kept, lag = stationary(rates), np.exp(-given.reversion / 4), 4
    spread = given.volatility**2 / (2 * given.reversion)
    # the chain's own autocovariance, c(k) = pi l P^k l - (pi l)^2, filtered by (1 - a) sum a^j
    step = transition(rates)
    far = 200
    moved, chain = level.copy(), np.empty(far)
    for k in range(far):
        chain[k] = share @ (level * moved) - (share @ level) ** 2
        moved = step @ moved
    weight = (1 - kept) * kept ** np.arange(far)
    gap = np.abs(lag + np.arange(far)[:, None] - np.arange(far)[None, :])
    own = np.abs(np.arange(far)[:, None] - np.arange(far)[None, :])
    padded = np.append(chain, np.zeros(far))
    covariance = weight @ padded[gap] @ weight + spread * kept**lag
    variance = weight @ padded[own] @ weight + spread
    logs = np.log(index[:, -1 - lag]), np.log(index[:, -1])
    assert np.corrcoef(logs)[0, 1] == pytest.approx(covariance / variance, abs=0.02)
    assert logs[1].var() == pytest.approx(variance, rel=0.03)


def test_quantiles_are_those_of_a_simulation_in_small_steps():
    """An Euler scheme of the same market with 8 steps a quarter; a chain frozen for a quarter differs by a little."""
    given, paths, per = market(volatility=0.2), 40_000, 8
    rng = np.random.Generator(np.random.PCG64(5))
    rates, level = generator(given), np.log([each.level for each in given.regimes])
    state, log, h = np.full(paths, 1), np.zeros(paths), 0.25 / per
    for _ in range(8 * per):
        jump = rng.random(paths) < -rates[state, state] * h
        odds = np.cumsum(np.where(np.eye(3, dtype=bool), 0, rates), axis=1)
        drawn = rng.random(paths) * odds[state, -1]
        state = np.where(jump, (drawn[:, None] > odds[state]).sum(axis=1), state)
        log += given.reversion * (level[state] - log) * h + given.volatility * np.sqrt(
            h
        ) * rng.standard_normal(paths)
    news = rng.standard_normal((2, paths, 9))
    regime = walk(rates, 1, news[0])
    ours = np.log(regime_index(given, drift=np.zeros(paths), regime=regime, news=news[1])[:, 8])
    centred = ours + given.volatility**2 * (1 - np.exp(-2 * given.reversion * 2)) / (4 * given.reversion)
    assert np.quantile(centred, [0.05, 0.5, 0.95]) == pytest.approx(
        np.quantile(log, [0.05, 0.5, 0.95]), abs=0.035
    )


def test_regimes_at_one_level_are_the_market_without_regimes(news):
    flat = (Regime(id="a", level=1.0, switches=(Switch(to="b", rate=1.0),)), Regime(id="b", level=1.0))
    given = market(regimes=flat, regime="a", start=1.3)
    drift = np.full(PATHS, -0.1)
    plain = rental_index(start=1.3, drift=drift, volatility=0.25, reversion=1.2, news=news[1])
    switching = regime_index(given, drift=drift, regime=walk(generator(given), 0, news[0]), news=news[1])
    assert np.allclose(switching, plain, rtol=1e-12)


def test_a_high_draw_leads_to_scarcity():
    up, down = (walk(generator(market()), 1, np.full((1, 5), sign * 6.0))[0] for sign in (1, -1))
    assert up.tolist() == [1, 2, 2, 2, 2]
    assert down.tolist() == [1, 0, 0, 0, 0]


def test_the_published_rent_of_an_h100_is_inside_the_calibrated_markets_band():
    """2.99 USD/h in 2024-Q4, then 1.70, 2.35 and 2.65: each between the 5 % and the 95 % quantile of the market."""
    rows = published_against(H100_MARKET)
    assert [row.usd_per_chip_h for row in rows] == [1.70, 2.35, 2.65]
    for row in rows:
        assert 0.05 < row.quantile < 0.95
        assert row.low_usd < row.usd_per_chip_h < row.high_usd


def test_a_market_that_only_declines_would_not_have_produced_it():
    from exaplan.domain.uncertain import Uncertain

    declining = RentalMarket(drift=Uncertain.point(-0.3), volatility=0.1)
    assert any(not 0.05 < row.quantile < 0.95 for row in published_against(declining))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"regime": "boom"}, "'boom' is none of glut, balance, scarcity"),
        ({"reversion": 0.0}, "regimes act through reversion"),
        ({"regimes": (Regime(id="a", level=1.0),), "regime": None}, "at least two"),
        ({"regimes": (Regime(id="a", level=2.0), Regime(id="b", level=1.0)), "regime": None}, "the loosest first"),
        (
            {"regimes": (Regime(id="a", level=0.5, switches=(Switch(to="c", rate=1.0),)), Regime(id="b", level=1.0)),
             "regime": None},
            "'c', which is no other regime",
        ),
    ],
)  # fmt: skip
def test_a_market_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        market(**changes)
