"""Numbers and findings read the same everywhere."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.domain.answer import Answer, Benchmark, Limit, Price
from exaplan.report.wording import (
    answer_sentence,
    benchmark_sentence,
    limit_sentence,
    now_decisions,
    price_sentence,
    quantity,
    rescue_sentence,
    top_prices,
    usd,
    waiting,
)

TABLE = (
    (1.23e9, "$1.2 B"),
    (12.34e9, "$12.3 B"),
    (123.4e9, "$123 B"),
    (2.5e12, "$2.5 T"),
    (999.96e6, "$1.0 B"),
    (999.4e6, "$999 M"),
    (310e6, "$310 M"),
    (620_000.0, "$0.62 M"),
    (99_960.0, "$0.10 M"),
    (45_200.0, "$45.2 k"),
    (1_000.0, "$1.0 k"),
    (999.0, "$999"),
    (3.3, "$3.30"),
    (0.94, "$0.94"),
    (0.0021, "$0.0021"),
    (0.0, "$0"),
    (-0.0, "$0"),
    (-4.1e9, "−$4.1 B"),
    (math.nan, "n/a"),
    (math.inf, "$unbounded"),
    (None, "n/a"),
)


@pytest.mark.parametrize(("dollars", "text"), TABLE)
def test_money_reads_as_a_board_writes_it(dollars: float | None, text: str) -> None:
    assert usd(dollars) == text


def test_a_sign_is_written_on_demand() -> None:
    assert (usd(620_000.0, signed=True), usd(-5.0, signed=True), usd(0.0, signed=True)) == (
        "+$0.62 M",
        "−$5.00",
        "$0",
    )


@given(st.floats(min_value=0.01, max_value=9e14))
def test_money_read_back_is_within_one_percent_or_its_last_digit(dollars: float) -> None:
    found = re.fullmatch(r"\$([\d.,]+)(?: ([kMBT]))?", usd(dollars))
    assert found is not None
    scale = {None: 1.0, "k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}[found[2]]
    assert float(found[1].replace(",", "")) * scale == pytest.approx(dollars, rel=0.051)


def test_a_price_names_its_unit_its_quarter_and_both_dollars() -> None:
    price = Price("2027-Q3", "power", "texas", "USD/MW", 0.62e6, 0.2e6, 1e6, 0.58e6)
    assert price_sentence(price) == "One more MW (texas) in 2027-Q3 is worth +$0.62 M (+$0.58 M today)"


def test_a_floor_is_priced_by_the_percentage_point() -> None:
    assert limit_sentence(Limit("floor", "binds", 2.9e9, "share", 0.0, 9)) == (
        "binds in 9 quarters, worth $29.0 M per percentage point"
    )
    assert limit_sentence(Limit("floor", "relaxed", 2.9e9, "share", 0.03)) == (
        "relaxed by 3.0 % of what it asks at $29.0 M per percentage point"
    )
    assert limit_sentence(Limit("power", "slack", 0.0, "MW")) == "slack"
    due = ("run next due 2027-Q2", 0.0, "future")
    assert limit_sentence(Limit(due[0], "binds", *due[1:])) == "kept in its last quarter"
    assert limit_sentence(Limit(due[0], "slack", *due[1:])) == "kept earlier"
    assert limit_sentence(Limit(due[0], "relaxed", *due[1:], 0.25)) == "missed in 25.0 % of futures"


def test_unlike_things_take_turns_among_the_top_prices(full: Answer) -> None:
    assert [price.kind for price in top_prices(full, 3)] == ["power", "chips", "cash"]


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((1e9, 2e9), "The plan beats rent only by $1.0 B to $2.0 B"),
        ((-2e9, -1e9), "The plan does NOT beat rent only: it is $1.0 B to $2.0 B worse"),
        ((-1e9, 2e9), "The plan does NOT clearly beat rent only: the difference is −$1.0 B to +$2.0 B"),
    ],
)
def test_a_plan_that_does_not_win_says_so(full: Answer, interval: tuple[float, float], words: str) -> None:
    against = replace(full, benchmark=Benchmark("rent only", 1e9, (0.9e9, 1.1e9), 0.0, interval))
    assert benchmark_sentence(against).startswith(words)


def test_renting_on_demand_is_not_a_signature(full: Answer) -> None:
    assert [item.offer for item in now_decisions(full)] == ["reserve-gb200", "texas-site"]
    assert answer_sentence(full) == "Sign 2 orders by 2026-Q3: $8.3 B committed, $1.3 B due now."


def test_an_empty_plan_signs_nothing(empty: Answer) -> None:
    assert answer_sentence(empty) == "Sign nothing in 2026-Q3."


def test_growth_that_ruin_may_finance_is_called_out(full: Answer) -> None:
    assert "WARNING" not in rescue_sentence(full)
    assert rescue_sentence(replace(full, rescue_price=2.0)).startswith("WARNING")


def test_waiting_may_cost_or_gain_or_be_unknown() -> None:
    assert waiting(3.1e8) == "waiting a quarter costs $310 M"
    assert waiting(-2e6) == "waiting a quarter gains $2.0 M"
    assert waiting(None) == ""


def test_quantities_carry_their_units() -> None:
    assert quantity(3.1e27, "FLOP") == "3.1e27 FLOP"
    assert quantity(None, "USD/Mtok") == "n/a"
    assert quantity(12.0, "") == "12"
