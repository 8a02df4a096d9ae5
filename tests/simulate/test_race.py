"""A race: chips are conserved, money and power help, like labs have like odds, and nothing depends on what it should not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulate.races import lab, race

from exaplan.domain.errors import InputError
from exaplan.domain.race_result import CAUSES
from exaplan.simulate.race import run_race
from exaplan.simulate.race_draws import cooled_years, draw_race
from exaplan.simulate.race_measures import (
    answer_of,
    best_of_others,
    lags,
    leapfrogs,
    months_to_parity,
)
from exaplan.simulate.race_path import critical_path
from exaplan.simulate.race_step import demand_effect, prices

TWO = (lab("ahead", fleet=900_000, now=1000), lab("behind"))


def arrays(found):
    return {f.name: value for f in dataclasses.fields(found) if isinstance(value := getattr(found, f.name), np.ndarray)}  # fmt: skip


def test_chips_delivered_are_at_work_dark_retired_or_given_back():
    file = race(*TWO, lab("broke", cash=0, funding=1, revenue=1, on_order=10), volatility="80 %")
    found = run_race(file, paths=400, seed=3)
    fleet = np.array([each.fleet for each in file.labs])
    left = found.stock[:, :, -1] + found.retired + found.returned
    np.testing.assert_allclose(fleet + found.delivered, left, rtol=1e-12)
    assert (found.compute <= found.stock * (1 + 1e-12)).all()
    assert found.returned[:, 2].max() > 0  # the cut of ruin is in the count


def test_the_first_quarter_is_what_the_file_says_on_every_path():
    file = race(*TWO)
    found = run_race(file, paths=50, seed=1)
    for name in ("compute", "capability", "revenue_usd", "cash_usd", "stock"):
        first = getattr(found, name)[:, :, 0]
        assert (first == first[0]).all(), name
    np.testing.assert_array_equal(found.compute[0, :, 0], [900_000, 500_000])
    np.testing.assert_allclose(found.revenue_usd[0, :, 0], 2e9)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    one, two, other = (run_race(race(*TWO), paths=60, seed=seed) for seed in (5, 5, 6))
    for name, values in arrays(one).items():
        assert values.tobytes() == getattr(two, name).tobytes(), name
    assert one.compute.tobytes() != other.compute.tobytes()


def test_editing_one_source_leaves_the_draws_of_the_others_as_they_were():
    base = draw_race(race(*TWO), paths=40, seed=1)
    other = draw_race(race(*TWO, growth="10 %/year"), paths=40, seed=1)
    new_lab = draw_race(race(*TWO, lab("third")), paths=40, seed=1)
    assert not np.array_equal(base.demand, other.demand)
    for name in ("cost", "funding", "leap", "power", "recipe_news", "demand_news"):
        np.testing.assert_array_equal(getattr(base, name), getattr(other, name))
        if name != "cost":
            np.testing.assert_array_equal(getattr(base, name), getattr(new_lab, name)[..., :2])


@settings(max_examples=12, deadline=None)
@given(
    cash=st.integers(0, 60), more=st.integers(1, 60), seed=st.integers(0, 10_000), expects=st.sampled_from(["0 %", "50 %"])
)  # fmt: skip
def test_more_cash_never_lowers_a_labs_own_fleet(cash, more, seed, expects):
    def fleet(given_cash):
        own = lab("own", cash=given_cash, expects=expects, commit="50 %")
        return run_race(race(own, lab("other")), paths=60, seed=seed)

    poor, rich = fleet(cash), fleet(cash + more)
    sound = ~poor.ruined[:, 0, -1]  # a ruined lab is cut to its income and starts again
    assert (rich.stock[sound, 0] >= poor.stock[sound, 0] * (1 - 1e-9)).all()
    assert not (rich.ruined[:, 0, -1] & sound).any()


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), late=st.integers(1, 4))
def test_earlier_power_never_delays_parity(seed, late):
    def months(ready):
        own = lab("behind", ready=ready, now=520, build=50, cash=40, share="10 % to 25 %", slip="0 %")
        found = run_race(race(TWO[0], own, sensitivity=0), paths=80, seed=seed)
        return months_to_parity(found, found.compute)[:, 1]

    early, later = months("2026-Q2"), months(["2026-Q3", "2026-Q4", "2027-Q1", "2027-Q2"][late - 1])
    assert (early <= later).all()


def test_like_labs_have_like_odds():
    found = run_race(race(lab("one"), lab("two"), lab("three")), paths=6000, seed=2)
    for levels in (found.compute, found.capability):
        alone = (levels > best_of_others(levels))[:, :, -1]  # labs that power binds end level
        shares = alone.mean(axis=0)
        assert shares.min() > 0.1
        assert shares.max() - shares.min() < 4 * np.sqrt(2 * shares.mean() / 6000)


def test_without_leaps_a_constant_ratio_of_fleets_is_a_constant_lag():
    found = run_race(race(*TWO, leaps="0 %"), paths=1, seed=1)
    growth, ratio = 4.0, 1.8
    ahead = 1e6 * growth ** (found.months / 12)
    past = 1e6 * growth ** (found.past_months / 12)
    levels = np.stack([ahead, ahead / ratio])[None]
    _, behind = lags(found, levels, np.stack([past, past / ratio]))
    np.testing.assert_allclose(behind.months[0, 1], 12 * np.log(ratio) / np.log(growth), rtol=1e-9)
    np.testing.assert_allclose(behind.months[0, 0], 0)


def test_in_the_engine_like_policies_without_leaps_keep_their_lag_in_recipes_and_compute():
    """A tenth of everything, with all sources of difference off: the ratio stays, so both lags stay."""
    small = lab("small", fleet=50_000, revenue=0.8, cash=1, funding=2, on_order=5_000, now=70, build=30, site=50, share="1 %", slip="0 %", funding_growth="50 %/year", capability=0.1)  # fmt: skip
    large = lab("large", share="10 %", slip="0 %", funding_growth="50 %/year")
    file = race(large, small, volatility="0 %", private="0 %", leaps="0 %", sensitivity=0)
    found = run_race(file, paths=3, seed=1)
    np.testing.assert_allclose(found.compute[:, 1] / found.compute[:, 0], 0.1, rtol=1e-9)
    np.testing.assert_allclose(found.capability[:, 1] / found.capability[:, 0], 0.1, rtol=1e-9)
    assert leapfrogs(found).sum() == 0


def test_hand_arithmetic_of_one_quarter():
    """One lab bound by chips: stock after two quarters = kept stock + pre-orders, then + share of that day's shipments."""
    own = lab("own", share="10 %", cash=500, funding=400, now=90_000, on_order=50_000)
    found = run_race(race(own, lab("other"), volatility="0 %"), paths=2, seed=1)
    after_one = 500_000 * 0.98 + 50_000
    after_two = after_one * 0.98 + 0.10 * 2e6 * 2**0.5
    np.testing.assert_allclose(found.stock[:, 0, 1], after_one)
    np.testing.assert_allclose(found.stock[:, 0, 2], after_two)
    assert (found.binding[:, 0, :2] == CAUSES.index("chips")).all()


def test_chips_without_power_stay_dark():
    own = lab(
        "own", share="20 %", cash=500, funding=400, now=550, build=0, site=1, slip="0 %", on_order=200_000
    )
    found = run_race(race(own, lab("other")), paths=20, seed=1)
    assert (found.compute[:, 0] <= 551_000 * (1 + 1e-9)).all()
    assert (found.stock[:, 0, 1] > found.compute[:, 0, 1]).all()
    assert (found.binding[:, 0, 3:] == CAUSES.index("power")).mean() > 0.9


def test_a_bold_lab_is_ruined_more_often_than_a_cautious_one():
    odds = []
    for commit, expects in (("50 %", "0 %"), ("90 %", "150 %")):
        own = lab(
            "own",
            commit=commit,
            expects=expects,
            cash=2,
            funding_growth="-60 % to 60 %/year",
            share="30 %",
            now=5000,
        )
        found = run_race(race(own, lab("other"), volatility="60 %"), paths=1500, seed=1)
        odds.append(found.ruined[:, 0, -1].mean())
    assert odds[1] > odds[0] + 0.1


SHOCKS = """
shocks:
  dark: {kind: power, start: 2026-Q3, length: 4 quarters, size: 100 %, probability: 0 %}  # 2025-12-31, test
  export: {kind: chips, labs: [behind], start: 2026-Q1, length: 8 quarters, size: 80 %, probability: 0 %}  # 2025-12-31, test
  shut: {kind: capital, region: us, start: 2026-Q1, length: 4 quarters, size: 90 %, probability: 0 %}  # 2025-12-31, test
  war: {kind: price, start: 2026-Q1, length: 4 quarters, size: 50 %, probability: 50 %}  # 2025-12-31, test
"""


@pytest.mark.parametrize(("name", "struck"), [("dark", [0, 1]), ("export", [1]), ("shut", [0, 1])])
def test_a_shock_asked_for_by_name_lowers_the_fleets_that_it_strikes(name, struck):
    labs = (
        lab("ahead", fleet=900_000, now=950, share="10 % to 30 %"),
        lab("behind", now=520, share="10 % to 30 %"),
    )
    calm = run_race(race(*labs, shocks=SHOCKS, sensitivity=0), paths=300, seed=1)
    hit = run_race(race(*labs, shocks=SHOCKS, sensitivity=0), paths=300, seed=1, forced=[name])
    change = (hit.compute - calm.compute)[:, :, 5].mean(axis=0)
    assert (change[struck] < -1000).all()
    assert all(abs(change[place]) < 1e-6 for place in {0, 1} - set(struck))


def test_a_price_war_comes_with_its_chance_and_halves_the_price_meanwhile():
    found = run_race(race(*TWO, shocks=SHOCKS), paths=2000, seed=1)
    calm = run_race(race(*TWO), paths=2000, seed=1)
    hit = found.struck[:, 3]
    assert abs(hit.mean() - 0.5) < 0.05
    ratio = found.price / calm.price
    np.testing.assert_allclose(ratio[hit, 1:5], 0.5)
    np.testing.assert_allclose(ratio[hit, 5:], 1)
    np.testing.assert_allclose(ratio[~hit], 1)


def test_an_unknown_shock_is_named_with_those_there_are():
    with pytest.raises(InputError, match=r"'flood' is no shock of this race; the file has: dark, export"):
        run_race(race(*TWO, shocks=SHOCKS), paths=2, seed=1, forced=["flood"])


def test_the_share_passed_on_is_the_share_of_the_log_of_the_fall_of_cost():
    file = race(*TWO)
    draws = draw_race(file, paths=3, seed=1)
    price, earning = prices(4, file, draws)
    unit = (1 - 0.3) / 2  # a year on: chips 30 % cheaper, twice the tokens
    np.testing.assert_allclose(price, unit**0.8)
    np.testing.assert_allclose(earning, unit**0.8 * 2)


def test_demand_effect_is_concave_and_never_negative():
    ratios = np.linspace(0, 1.3, 200)
    effect = demand_effect(ratios, 0.35)
    assert effect.min() >= 0
    assert effect[0] == 0
    assert (np.diff(effect) > 0).all()
    assert (np.diff(effect, 2) <= 1e-12).all()


def test_relaxing_a_limit_never_lowers_the_own_fleet_and_chips_bind_where_they_are_short():
    scarce = lab("behind", share="2 %", cash=60, funding=60, now=5000)
    file = race(TWO[0], scarce, sensitivity=0)
    found = {catch.cause: catch for catch in critical_path(file, seed=1, paths=200)}
    assert set(found) >= {"chips", "power", "money"}
    assert found["chips"].gain > 0.5
    assert found["chips"].gain_low > 0
    assert abs(found["power"].gain) < 1e-12
    assert found["chips"].binding > 0.9
    draws = draw_race(file, paths=50, seed=1)
    base = run_race(file, paths=50, seed=1, draws=draws)
    for place in range(3):
        relaxed = np.zeros((len(CAUSES), 2))
        relaxed[place, 1] = np.inf
        freed = run_race(file, paths=50, seed=1, draws=draws, relaxed=relaxed)
        sound = ~freed.ruined[:, 1, -1]
        assert (freed.stock[sound, 1] >= base.stock[sound, 1] * (1 - 1e-9)).all()


def test_who_leads_lags_by_nothing_and_parity_only_grows():
    answer = answer_of(run_race(race(*TWO), paths=300, seed=1), "2025-12-31")
    assert answer.compute[0].lag_now == 0
    assert answer.compute[1].lag_now == pytest.approx(12 * np.log(1.8) / np.log(4))
    for each in (*answer.compute, *answer.capability):
        chances = [share.value for share in each.parity]
        assert chances == sorted(chances)
        assert all(share.low <= share.value <= share.high for share in each.parity)
    assert sum(each.lead[-1].value for each in answer.compute) == pytest.approx(1)


def test_the_best_of_the_others_is_found_without_looping():
    levels = np.random.default_rng(1).random((4, 5, 3))
    slow = np.stack([np.delete(levels, place, axis=1).max(axis=1) for place in range(5)], axis=1)
    np.testing.assert_array_equal(best_of_others(levels), slow)


def test_a_cooling_growth_loses_its_share_every_year():
    years = cooled_years(0.4, 13)
    first, second, third = years[4] - years[0], years[8] - years[4], years[12] - years[8]
    assert second / first == pytest.approx(0.6)
    assert third / second == pytest.approx(0.6)


def test_leaps_come_at_their_rate_and_make_leapfrogs():
    # 1 - exp(-r/4) a quarter, eleven quarters
    found = run_race(race(lab("one"), lab("two"), leaps="40 %"), paths=4000, seed=1)
    assert found.leapt[:, :, 1:].mean() == pytest.approx(-np.expm1(-0.1), abs=0.004)
    quiet = run_race(race(lab("one"), lab("two"), leaps="0 %"), paths=500, seed=1)
    assert leapfrogs(found).mean() > 0.2
    assert not leapfrogs(quiet).any()
