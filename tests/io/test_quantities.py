"""What a quantity or an uncertain number in the lab file means, by hand arithmetic."""

from __future__ import annotations

import contextlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.io.literals import read_uncertain
from exaplan.io.units import QuantityError, convert

HOURS_PER_YEAR = 8760


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("2.5 USD/Mtok", "USD/token", 2.5e-6),
        ("4e12 tokens/month", "token/month", 4e12),
        ("40 ms", "s", 0.040),
        ("989 TFLOP/s", "FLOP/s", 989e12),
        ("192 GB", "B", 192e9),
        ("80 GiB", "B", 80 * 2**30),
        ("400 Gbit/s", "B/s", 50e9),
        ("3.35 TB/s", "B/s", 3.35e12),
        ("300 MW", "W", 300e6),
        ("0.08 USD/kWh", "USD/J", 0.08 / 3.6e6),
        ("20 GUSD", "USD", 20e9),
        ("5B USD", "USD", 5e9),
        ("60k chips/quarter", "chip/quarter", 60_000),
        ("20k chips/month", "chip/quarter", 60_000),
        ("500 MUSD/quarter", "USD/quarter", 5e8),
        ("2 GUSD/year", "USD/quarter", 5e8),
        ("3 years", "quarter", 12),
        ("18 months", "quarter", 6),
        ("40 %", "share", 0.4),
        ("1.2", "ratio", 1.2),
        ("-40 % /year", "1/year", -0.4),
        ("5 %/quarter", "1/year", 0.2),
        ("2.19 USD/chip/h", "USD/chip/quarter", 2.19 * HOURS_PER_YEAR / 4),
        ("20 USD per user per month", "USD/user/month", 20),
    ],
)
def test_a_quantity_is_read_in_the_unit_of_its_record(text: str, unit: str, value: float) -> None:
    assert convert(text, unit) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "unit"),
    [("3", "USD"), ("0.4", "share"), ("3 W", "USD"), ("30 %", "1/year"), ("3 USD/h", "USD/chip/h"), ("", "USD"), ("nan USD", "USD"),
     ("3 TFLOPS", "FLOP/s"), ("1,000 USD", "USD"), ("$3", "USD"), ("3 W(2)", "W"), ("3 GPUs", "chip"), ("2 ** 9 W", "W"), ("3 USD", "ratio")],
)  # fmt: skip
def test_what_is_not_that_quantity_is_refused(text: str, unit: str) -> None:
    with pytest.raises(QuantityError):
        convert(text, unit)


@given(st.text(max_size=60), st.sampled_from(["USD", "share", "ratio", "1/year", "quarter", "USD/chip/h"]))
def test_any_text_is_a_finite_number_or_a_told_fault(text: str, unit: str) -> None:
    with contextlib.suppress(QuantityError):
        assert math.isfinite(convert(text, unit))


def test_a_positive_quantity_between_two_ends_is_lognormal_with_5_percent_on_either_side() -> None:
    price = read_uncertain("1 to 4 USD/Mtok", "USD/token", {"ge": 0})
    assert price.family == "lognormal"
    assert price.median == pytest.approx(2e-6)
    draws = price.at(np.random.default_rng(1).standard_normal(100_000))
    assert np.mean(draws < 1e-6) == pytest.approx(0.05, abs=0.003)
    assert np.mean(draws > 4e-6) == pytest.approx(0.05, abs=0.003)


def test_growth_is_normal_in_log_of_one_plus_g_on_either_side_of_zero() -> None:
    growth = read_uncertain("-40 % to 30 % /year", "1/year", {"gt": -1})
    assert growth.family == "growth"
    assert (growth.low, growth.high) == (pytest.approx(-0.4), pytest.approx(0.3))
    assert 1 + growth.median == pytest.approx(math.sqrt(0.6 * 1.3))
    assert growth.at(np.array([-8.0]))[0] > -1


@pytest.mark.parametrize(
    "text", ["30 % to 120 % /year", "30 %/year to 120 %/year", "30 to 120 %/year", "0.3 to 1.2 1/year"]
)
def test_the_lower_end_borrows_the_unit_of_the_upper(text: str) -> None:
    found = read_uncertain(text, "1/year", {"gt": -1})
    assert (found.low, found.high) == (pytest.approx(0.3), pytest.approx(1.2))


def test_a_quantity_that_may_be_negative_is_normal() -> None:
    assert read_uncertain("-5 to 5 USD", "USD", {}).family == "normal"


def test_uniform_and_choice_keep_their_ends_and_weights() -> None:
    flat = read_uncertain("uniform(2 to 6)", "ratio", {"gt": 0})
    assert (flat.family, flat.median) == ("uniform", pytest.approx(4))
    pick = read_uncertain("choice(2 years: 70 %, 18 months: 30 %)", "quarter", {"ge": 0})
    assert (pick.values, pick.weights) == ((8, 6), (0.7, 0.3))


@pytest.mark.parametrize(
    ("text", "unit", "bounds", "reason"),
    [
        ("4 to 1", "ratio", {"gt": 0}, "turned round"),
        ("0 to 1", "ratio", {"gt": 0}, "cannot reach zero"),
        ("normal(1 to 2)", "ratio", {"gt": 0}, "reaches below 0"),
        ("0.2 to 0.4", "ratio", {"gt": 0, "le": 1}, "reaches above 1"),
        ("uniform(0.5 to 2)", "ratio", {"gt": 0, "le": 1}, "at most 1"),
        ("-120 % to 10 %/year", "1/year", {"gt": -1}, "cannot reach -100 %"),
        ("choice(1: 70 %, 3: 20 %)", "ratio", {}, "add up to 90 %"),
        ("choice(1, 3)", "ratio", {}, "no weight"),
        ("triangle(1 to 3)", "ratio", {}, "not a distribution"),
        ("normal(1)", "ratio", {}, "two ends"),
        ("1 to 2 to 3", "ratio", {}, "two ends"),
    ],
)
def test_a_literal_that_cannot_be_meant_is_refused(
    text: str, unit: str, bounds: dict[str, float], reason: str
) -> None:
    with pytest.raises(QuantityError, match=reason):
        read_uncertain(text, unit, bounds)
