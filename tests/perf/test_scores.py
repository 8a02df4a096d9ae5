"""Scores of predictions: hand arithmetic, laws, an independent implementation."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.domain.calibration import Calibration
from exaplan.io.catalogue import load_chips
from exaplan.perf.calibration.class_knobs import class_knobs
from exaplan.perf.calibration.hierarchy import RULES
from exaplan.perf.calibration.named_facts import NamedFact, named_facts
from exaplan.perf.calibration.scores import (
    binomial_band,
    mean_ranks,
    published,
    root_of,
    score,
    scores_by_place,
    spearman,
    total_score,
    worst_groups,
)
from exaplan.perf.calibration.validate import Predictions


def predictions(**columns):
    """Predictions with sensible words where a test names none."""
    size = len(columns["log_modelled"])
    numbers = {"log_modelled", "log_measured", "log_sd", "variance"}
    given_ = {
        "ids": [f"r{i}" for i in range(size)],
        "tasks": ["pretrain"] * size,
        "main": [True] * size,
        "doubts": [""] * size,
        **columns,
    }
    return Predictions(
        **{
            field.name: np.array(
                given_.get(field.name, [0.1 if field.name in numbers else "x"] * size),
                dtype=float if field.name in numbers else bool if field.name == "main" else str,
            )
            for field in fields(Predictions)
        }
    )  # fmt: skip


def everything(rows):
    return np.ones(rows.ids.size, dtype=bool)


def test_a_row_whose_settings_cannot_be_those_that_ran_is_not_scored():
    rows = predictions(
        log_modelled=[0.1, 3.0], log_measured=[0.0, 0.0], groups=["a", "b"], doubts=["", "not admitted"]
    )
    assert score(rows, everything(rows)).n == 1
    assert score(rows, everything(rows)).median_abs_log_error == pytest.approx(0.1)


def test_groups_weigh_the_same_however_many_near_duplicates_they_have():
    # Group a: three rows 10 % off in the logarithm; group b: one row 30 % off.
    rows = predictions(
        log_modelled=[0.1, 0.1, 0.1, -0.3], log_measured=[0.0] * 4, groups=["a", "a", "a", "b"]
    )
    found = score(rows, everything(rows))
    assert (found.n, found.groups) == (4, 2)
    assert found.median_abs_log_error == pytest.approx(0.2)
    assert found.bias == pytest.approx(-0.1)
    assert found.mape == pytest.approx(((np.exp(0.1) - 1) + (1 - np.exp(-0.3))) / 2)
    assert found.median_abs_log_error_rows == pytest.approx(0.1)
    assert found.mape_rows == pytest.approx((3 * (np.exp(0.1) - 1) + (1 - np.exp(-0.3))) / 4)


def test_the_80_percent_interval_reaches_1_28_standard_deviations():
    rows = predictions(
        log_modelled=[0.127, 0.129, 0.127, -0.127],
        log_measured=[0.0] * 4,
        groups=["a", "a", "b", "b"],
        log_sd=[0.1] * 4,
    )
    assert score(rows, everything(rows)).interval_coverage == pytest.approx((0.5 + 1.0) / 2)


def test_rows_without_an_interval_count_in_errors_but_not_in_its_coverage():
    rows = predictions(
        log_modelled=[0.2, 0.0, 0.0],
        log_measured=[0.0] * 3,
        groups=["a", "b", "b"],
        log_sd=[np.nan, 0.1, np.nan],
    )
    found = score(rows, everything(rows))
    assert (found.n, found.groups, found.interval_groups) == (3, 2, 1)
    assert found.interval_coverage == 1.0
    nowhere = score(rows, np.array([True, False, False]))
    assert (nowhere.n, nowhere.interval_coverage, nowhere.interval_groups) == (1, None, 0)


def test_a_standard_normal_error_lies_inside_its_interval_four_times_of_five():
    errors = np.random.default_rng(3).normal(0, 0.2, 2_000)
    rows = predictions(
        log_modelled=errors, log_measured=0 * errors, groups=[f"g{i}" for i in range(errors.size)], log_sd=0 * errors + 0.2
    )  # fmt: skip
    found = score(rows, everything(rows))
    low, high = binomial_band(errors.size)
    assert low <= found.interval_coverage <= high
    # The median of |N(0, s)| is 0.6745 s.
    assert found.median_abs_log_error == pytest.approx(0.6745 * 0.2, rel=0.06)


def test_coverage_counts_rows_that_are_missing_and_rows_without_a_finite_value():
    rows = predictions(log_modelled=[0.0, np.nan], log_measured=[0.0, 0.0])
    found = score(rows, everything(rows), missing=2)
    assert (found.n, found.coverage) == (1, pytest.approx(1 / 3))


def test_no_row_gives_no_figure_and_no_error():
    rows = predictions(log_modelled=[0.0], log_measured=[0.0])
    empty = score(rows, ~everything(rows))
    assert (empty.n, empty.groups, empty.coverage, empty.mape, empty.intervals) == (0, 0, None, None, None)
    assert score(rows, ~everything(rows), missing=3).coverage == 0.0


def test_bootstrap_intervals_hold_the_figure_repeat_and_shrink_with_groups():
    rng = np.random.default_rng(1)

    def interval(count):
        errors = rng.normal(0, 0.2, count)
        rows = predictions(
            log_modelled=errors, log_measured=0 * errors, groups=[f"g{i}" for i in range(count)]
        )
        one, again = score(rows, everything(rows)), score(rows, everything(rows))
        assert one == again
        low, high = one.intervals["mape"]
        assert low <= one.mape <= high
        return high - low

    assert interval(400) < interval(25)


def test_a_single_group_has_no_bootstrap_interval():
    rows = predictions(log_modelled=[0.1, 0.2], log_measured=[0.0, 0.0])
    assert set(score(rows, everything(rows)).intervals.values()) == {None}


def test_total_counts_a_published_row_once_by_its_main_metric():
    rows = predictions(
        ids=["IN1:tpot_s", "IN1:ttft_s", "IN2", "IN2:tpot_s", "IN2:ttft_s"],
        tasks=["tpot", "ttft", "throughput", "tpot", "ttft"],
        main=[True, False, True, True, False],
        log_modelled=[0.1, 5.0, 0.1, 5.0, 5.0],
        log_measured=[0.0] * 5,
    )
    assert published(rows).tolist() == [True, False, True, False, False]
    found = total_score(rows)
    assert (found.n, found.median_abs_log_error) == (2, pytest.approx(0.1))


def test_only_a_metric_is_cut_off_an_id():
    assert [root_of(name) for name in ("a:tpot_s", "a:b", "a")] == ["a", "a:b", "a"]


def test_rows_that_could_not_be_read_lower_the_coverage_of_their_own_group():
    rows = predictions(
        chips=["A", "A", "B"], families=["dense"] * 3, log_modelled=[0.0] * 3, log_measured=[0.0] * 3
    )
    missing = {("A", "dense", "pretrain"): 2, ("C", "moe", "pretrain"): 1}
    by_chip = dict(scores_by_place(rows, missing))
    assert by_chip["A", "dense", "pretrain"].coverage == 0.5
    assert by_chip["B", "dense", "pretrain"].coverage == 1.0
    assert (by_chip["C", "moe", "pretrain"].n, by_chip["C", "moe", "pretrain"].coverage) == (0, 0.0)
    by_task = dict(scores_by_place(rows, missing, tasks_only=True))
    assert by_task["all", "dense", "pretrain"].coverage == pytest.approx(3 / 5)


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=30).filter(
        lambda pairs: len({a for a, _ in pairs}) > 1 and len({b for _, b in pairs}) > 1
    )
)
def test_spearman_agrees_with_ranks_counted_one_by_one(pairs):
    first, second = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))

    def slow_ranks(values):
        return [
            sum(other < one for other in values) + (sum(other == one for other in values) + 1) / 2
            for one in values
        ]

    assert mean_ranks(first).tolist() == slow_ranks(first.tolist())
    expected = np.corrcoef(slow_ranks(first.tolist()), slow_ranks(second.tolist()))[0, 1]
    assert spearman(first, second) == pytest.approx(expected, abs=1e-12)


def test_rank_correlation_needs_three_rows_of_one_task_and_an_order():
    rows = predictions(
        sweeps=["s", "s", "s", "t", "t", "u", "u", "u"],
        log_modelled=[1, 2, 3, 1, 2, 1, 1, 1],
        log_measured=[3, 2, 1, 1, 2, 1, 2, 3],
    )
    found = score(rows, everything(rows))
    assert (found.rank_correlation, found.sweeps) == (pytest.approx(-1.0), 1)


def test_worst_groups_come_worst_first_with_their_sign():
    rows = predictions(
        log_modelled=[0.1, -0.5, -0.7, 0.2], log_measured=[0.0] * 4, groups=["train|a", "train|b", "train|b", "train|c"]
    )  # fmt: skip
    first, second = worst_groups(rows, most=2)
    assert (first.group, first.n, first.mean_log_error) == ("b", 2, pytest.approx(-0.6))
    assert second.group == "c"


@pytest.mark.parametrize("groups", [5, 40, 400])
def test_the_binomial_band_holds_95_percent_and_no_tighter_one_does(groups):
    low, high = binomial_band(groups)
    counts = np.random.default_rng(groups).binomial(groups, 0.8, 200_000) / groups
    assert np.mean((counts >= low - 1e-12) & (counts <= high + 1e-12)) >= 0.945
    step = 1 / groups
    if high < 1:
        assert np.mean((counts >= low + step - 1e-12) & (counts <= high - step + 1e-12)) < 0.955


def test_without_data_a_class_keeps_its_start_and_its_prior():
    chip = load_chips()["H100-SXM"]
    nothing = Calibration("2026-01-01", "none", (), np.zeros((0, 0)))
    found = class_knobs(chip, nothing)
    assert [knob.name for knob in found] == list(RULES)
    for knob in found:
        rule = RULES[knob.name]
        assert knob.learned_share == pytest.approx(0.0, abs=1e-9)
        assert rule.low <= knob.low <= knob.fitted <= knob.high <= rule.high
        inside = (
            rule.low + 2e-3 * (rule.high - rule.low) < knob.start < rule.high - 2e-3 * (rule.high - rule.low)
        )
        if inside:
            assert knob.fitted == pytest.approx(knob.start, rel=1e-6)


def test_a_fact_is_reached_within_ten_percent():
    assert NamedFact("f", 100.0, 109.9, "", "").reached
    assert not NamedFact("f", 100.0, 89.0, "", "").reached


def test_an_expert_of_width_768_split_eight_ways_leaves_five_eighths_of_a_wide_array_idle():
    from exaplan.domain.measured import Measurements

    (fact,), held_out = named_facts(Measurements(), load_chips())
    assert held_out == 0
    assert fact.published == pytest.approx(5 / 8)
    assert fact.modelled == pytest.approx(5 / 8)
