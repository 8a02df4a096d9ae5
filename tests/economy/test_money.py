"""Money and physical identities with published figures, and the limits within which they hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.economy.money import (
    annuity,
    break_even_utilization,
    npv,
    rate_per_quarter,
    survivor_annuity,
    usd_per_delivered_chip_hour,
)
from exaplan.economy.statements import (
    book_value,
    chips_per_it_power,
    h100_equivalents,
    straight_line_depreciation,
)

HOURS_PER_QUARTER = 2190


@pytest.mark.parametrize(
    ("it_power_w", "chips"),
    [(1453, 688e3), (2090, 478e3)],  # Epoch AI, IT power by chip: H100 SXM, GB200 NVL72
)
def test_chips_per_gigawatt_of_it_power(it_power_w, chips):
    assert float(chips_per_it_power(1e9, it_power_w)) == pytest.approx(chips, rel=1e-3)


@pytest.mark.parametrize(
    ("it_power_w", "dense_8bit", "millions"),
    [
        (1453, 1979e12, 0.69),  # H100 SXM, NVIDIA data sheet
        (871, 1299e12, 0.75),  # Trainium2, AWS Neuron docs; power estimate of Epoch AI
        (2090, 5000e12, 1.21),  # GB200 NVL72, NVIDIA data sheet
        (
            960 * 1.74,
            4614e12,
            1.39,
        ),  # TPU7x, Google Cloud docs; TDP and the 1.74 overhead are estimates of Epoch AI
    ],
)
def test_h100_equivalents_per_gigawatt_of_it_power(it_power_w, dense_8bit, millions):
    found = h100_equivalents(chips_per_it_power(1e9, it_power_w), dense_8bit) / 1e6
    assert float(found) == pytest.approx(millions, abs=0.006)


@pytest.mark.parametrize(
    ("owning", "rent", "share"),
    [
        # Owning: SemiAnalysis AI Cloud TCO, Aug-2025 (by InferenceX). Rents: 2026 indices and lists.
        (1.30, 2.35, 0.55),  # H100, hyperscaler, against a one-year rent
        (1.30, 2.95, 0.44),  # against the on-demand median
        (1.69, 2.65, 0.64),  # H100, neocloud
        (2.21, 3.30, 0.67),  # GB200, against the three-year rent
        (1.30, 15.98, 0.08),  # against a list price
    ],
)
def test_break_even_utilization_against_published_rents(owning, rent, share):
    assert float(break_even_utilization(owning, rent)) == pytest.approx(share, abs=0.005)


def values_at(utilization):
    """Value of a chip over 12 quarters when owned, rented by the hour, or under a fixed contract, USD."""
    quarters, rate = 12, 0.03
    hours = HOURS_PER_QUARTER * utilization
    earned = 4.0 * hours

    def value(paid):
        return float(npv(np.full(quarters, earned - paid), rate))

    return value(1.30 * HOURS_PER_QUARTER), value(2.35 * hours), value(2.35 * HOURS_PER_QUARTER)


def test_the_break_even_utilization_decides_against_pay_per_use():
    share = float(break_even_utilization(1.30, 2.35))
    owned, by_the_hour, _ = values_at(share)
    assert owned == pytest.approx(by_the_hour)
    for utilization in (share - 0.05, share + 0.05):
        owned, by_the_hour, _ = values_at(utilization)
        assert (owned > by_the_hour) == (utilization > share)


def test_the_break_even_utilization_says_nothing_against_a_fixed_contract():
    """A contract is paid used or not: its distance in net present value is the same at any utilization."""
    gaps = [values_at(u)[0] - values_at(u)[2] for u in (0.1, 0.5, 0.6, 1.0)]
    assert gaps == pytest.approx([gaps[0]] * 4)
    assert gaps[0] == pytest.approx((2.35 - 1.30) * HOURS_PER_QUARTER * 1.03 * float(annuity(0.03, 12)))


@given(rate=st.floats(0, 0.5), quarters=st.integers(0, 60))
def test_an_annuity_is_the_present_value_of_its_payments(rate, quarters):
    assert float(annuity(rate, quarters)) == pytest.approx(float(npv([0.0] + [1.0] * quarters, rate)))


@given(
    rate=st.floats(0, 0.3),
    survival=st.floats(0.5, 1),
    growth=st.floats(-0.3, 0.3),
    quarters=st.integers(0, 40),
)
def test_a_survivor_annuity_is_the_sum_of_what_is_left(rate, survival, growth, quarters):
    ratio = survival * (1 + growth) / (1 + rate)
    expected = sum(ratio**k for k in range(1, quarters + 1))
    found = survivor_annuity(rate, quarters, survival=survival, growth=growth)
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_annuities_take_arrays_of_remaining_lives():
    assert survivor_annuity(0.0, np.array([0, 1, 5])) == pytest.approx([0, 1, 5])


def test_four_quarters_compound_to_the_year():
    assert (1 + float(rate_per_quarter(0.12))) ** 4 == pytest.approx(1.12)


def test_idle_hours_make_delivered_ones_dearer():
    assert float(usd_per_delivered_chip_hour(2.0 * 1000, 0.5 * 1000)) == 4.0


@pytest.mark.parametrize("years", [3, 5, 6])
def test_a_server_is_written_off_over_its_life_in_equal_parts(years):
    capex = np.zeros(40)
    capex[4] = 1e9
    charge = straight_line_depreciation(capex, 4 * years)
    assert charge[4 : 4 + 4 * years] == pytest.approx(1e9 / (4 * years))
    assert charge.sum() == pytest.approx(1e9)
    assert book_value(capex, 4 * years)[-1] == pytest.approx(0, abs=1e-3)


def test_a_longer_life_lowers_the_charge_and_not_the_cash():
    capex = np.tile([3e9, 0, 0, 0], (2, 4))
    short, long = (straight_line_depreciation(capex, life) for life in (12, 24))
    assert np.all(short >= long)
    assert np.cumsum(short, axis=1) + book_value(capex, 12) == pytest.approx(np.cumsum(capex, axis=1))


def test_a_life_of_no_time_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        straight_line_depreciation([1.0], 0)
