"""Months behind: closed forms, censoring, and the published lags of labs from the public series."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.economy.lags import months_behind, months_until

SHARED = Path(__file__).resolve().parents[3] / "shared"
INDEX = SHARED / "epoch" / "epoch_capabilities_index.csv"
FINANCE = SHARED / "facts" / "lab_finance.csv"
DAYS_PER_MONTH = 365.25 / 12

QUARTERS = 3.0 * np.arange(-12, 13)


@given(growth=st.floats(1.2, 20), ratio=st.floats(1.01, 3))
def test_under_exponential_growth_the_lag_is_the_log_of_the_ratio_over_the_log_of_growth(growth, ratio):
    leader = growth ** (QUARTERS / 12)
    expected = 12 * np.log(ratio) / np.log(growth)
    found = months_behind(QUARTERS, leader / ratio, leader_months=QUARTERS, leader=leader)
    known = ~found.censored
    assert np.allclose(found.months[known], expected, rtol=1e-6)
    assert known[-1] == (expected <= 72)


def test_forward_and_backward_agree_when_both_grow_alike():
    leader = 4.0 ** (QUARTERS / 12)
    forward = months_until(QUARTERS, leader / 2, leader)
    backward = months_behind(QUARTERS, leader / 2, leader_months=QUARTERS, leader=leader)
    np.testing.assert_allclose(forward.months[:22], 6)
    np.testing.assert_allclose(backward.months[3:], 6)
    assert forward.censored[-1]
    assert np.isinf(forward.months[-1])
    assert backward.censored[0]


def test_a_lab_ahead_lags_by_nothing_and_a_level_once_held_stays_held():
    months = np.array([0.0, 12.0, 24.0])
    assert (
        months_behind(
            months, np.array([9.0, 9, 9]), leader_months=months, leader=np.array([1.0, 2, 3])
        ).months.max()
        == 0
    )
    fell = months_behind(months[-1:], np.array([2.0]), leader_months=months, leader=np.array([1.0, 4.0, 1.0]))
    assert fell.months[0] == pytest.approx(18)


def test_steps_count_from_the_release_and_lines_from_in_between():
    months, leader = np.array([0.0, 10.0]), np.array([1.0, 4.0])
    lag = {
        between: months_behind(np.array([20.0]), np.array([2.0]), leader_months=months, leader=leader, between=between).months[0]
        for between in ("log", "step")
    }  # fmt: skip
    assert lag == {"log": pytest.approx(15), "step": pytest.approx(10)}


def releases() -> list[tuple[date, float, str]]:
    with INDEX.open(encoding="utf-8-sig", newline="") as lines:
        rows = [
            (date.fromisoformat(row["Release date"]), float(row["ECI Score"]), row["Organization"])
            for row in csv.DictReader(lines)
            if row["ECI Score"] and row["Release date"]
        ]
    return sorted(rows)


def own_record_lags(rows, lab: str, until: date) -> list[float]:
    """Lag of each release since 2024 that was its lab's best: months since the frontier first had that score."""
    frontier = np.array([score for _, score, _ in rows])
    days = np.array([(day - date(2000, 1, 1)).days for day, _, _ in rows]) / DAYS_PER_MONTH
    own = sorted(
        ((day, score) for day, score, name in rows if lab in name), key=lambda each: (each[0], -each[1])
    )
    best, found = 0.0, []
    for day, score in own:
        if score > best:
            best = score
            if date(2024, 1, 1) <= day <= until:
                now = np.array([(day - date(2000, 1, 1)).days / DAYS_PER_MONTH])
                lag = months_behind(
                    now, np.array([score]), leader_months=days, leader=frontier, between="step"
                )
                found.append(float(lag.months[0]))
    return found


@pytest.mark.skipif(not INDEX.exists(), reason="the public capabilities index is not at hand")
@pytest.mark.parametrize(
    ("lab", "expected"),
    [("OpenAI", 0.0), ("Anthropic", 1.9), ("Google", 3.2), ("Meta", 6.7), ("DeepSeek", 5.3)],
)
def test_median_capability_lags_of_own_records_are_those_published(lab, expected):
    """To mid-February 2026. The releases after it that the snapshot holds move Anthropic and Google to 1.6, Meta to 4.4."""
    assert median(own_record_lags(releases(), lab, date(2026, 2, 15))) == pytest.approx(expected, abs=0.06)


@pytest.mark.skipif(not INDEX.exists(), reason="the public capabilities index is not at hand")
def test_the_published_lag_of_xai_is_the_later_of_its_two_dated_records():
    """Grok 3 came 3.7 months late and Grok 4 1.0: the published 3.7 is the upper median; the middle of the two is 2.35."""
    assert sorted(own_record_lags(releases(), "xAI", date(2026, 4, 8))) == pytest.approx([1.0, 3.7], abs=0.06)


@pytest.mark.skipif(not FINANCE.exists(), reason="the table of lab finance is not at hand")
@pytest.mark.parametrize(
    ("lab", "expected"),
    [("Anthropic", 3.0), ("Meta Superintelligence Labs", 4.5), ("SpaceXAI (xAI)", 8.1)],
)
def test_the_compute_lead_of_openai_at_four_and_a_half_times_a_year(lab, expected):
    with FINANCE.open(encoding="utf-8", newline="") as lines:
        fleets = {
            row["lab"]: float(row["value"])
            for row in csv.DictReader(lines)
            if row["metric"] == "operational compute" and row["date"] == "2025-12-31"
        }
    months = 3.0 * np.arange(-8, 1)
    leader = fleets["OpenAI"] * 4.5 ** (months / 12)
    lag = months_behind(np.array([0.0]), np.array([fleets[lab]]), leader_months=months, leader=leader)
    assert lag.months[0] == pytest.approx(expected, abs=0.06)
