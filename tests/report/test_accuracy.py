"""Pages on accuracy from plain values."""

from __future__ import annotations

import re

import pytest

from exaplan.report.accuracy import KEPT, accuracy_page, grid, kept_remarks, percent
from exaplan.report.accuracy_pages import family_page


def one_score(**changes):
    base = {
        "n": 12, "groups": 3, "coverage": 0.96, "median_abs_log_error": 0.05, "mape": 0.06, "bias": -0.01,
        "interval_coverage": 0.8, "interval_groups": 3, "median_abs_log_error_rows": 0.04, "mape_rows": 0.07, "rank_correlation": 0.9,
        "sweeps": 2, "intervals": {"median_abs_log_error": [0.03, 0.08]},
    }  # fmt: skip
    return base | changes


def nothing():
    keys = ("median_abs_log_error", "mape", "bias", "interval_coverage", "median_abs_log_error_rows", "mape_rows",
            "rank_correlation", "intervals", "coverage")  # fmt: skip
    return one_score(n=0, groups=0, sweeps=0, **dict.fromkeys(keys))


def one_group(**changes):
    base = {
        "group": "H100|gpt|8", "chip": "H100-SXM", "family": "dense", "task": "pretrain", "source": "a table", "n": 1,
        "bias": 0.6931471805599453, "mean_abs_log_error": 0.69, "reason": "not stated: micro-batch", "ids": ["TR1"],
    }  # fmt: skip
    return base | changes


@pytest.fixture
def found():
    document = {
        "total": one_score(),
        "tasks": [{"task": "pretrain", "family": "dense", **one_score()}],
        "groups": [
            {"chip": "H100-SXM", "family": "dense", "task": "pretrain", **one_score()},
            {"chip": "H200-SXM", "family": "moe", "task": "pretrain", **nothing()},
            {"chip": "TPU-v4", "family": "dense", "task": "pretrain", **one_score()},
        ],
        "note": "One note.",
    }
    seen = ("in sample", "source", "model", "chip")
    aim = {
        "name": "dense training, all", "figure": "median_abs_log_error", "limit": 0.12, "judged": "source", "met": False,
        "scores": {one: one_score(median_abs_log_error=0.1 + 0.05 * i) for i, one in enumerate(seen)},
        "worst": [one_group()],
    }  # fmt: skip
    family = {
        "kind": "hopper", "title": "NVIDIA Hopper", "worst": [one_group()],
        "chips": [{"chip": "H100-SXM", "rows": 12}, {"chip": "H200-SXM", "rows": 0}],
        "coefficients": [
            {"name": "flop_share", "start": 0.78, "fitted": 0.8, "low": 0.7, "high": 0.86, "learned_share": 0.4,
             "sentence": "eta_F of a product."},
            {"name": "skew", "start": 1.2, "fitted": 1.2, "low": 1.1, "high": 1.4, "learned_share": 0.0,
             "sentence": "Least imbalance."},
        ],
        "anchors": [
            {"source": "a table", "phase": "training", "chips": ["H100-SXM"], "models": 1, "rows": 12, "groups": 3,
             "dates": ["2024-01", "2025-02"]}
        ],
    }  # fmt: skip
    return {
        "calibration": {"date": "2026-01-02", "data": "12 rows"},
        "validations": dict.fromkeys(seen, document),
        "aims": [aim],
        "coverage_aim": 0.95,
        "bands": [
            {"left": left, "rows": [{"task": "total", "family": "", "groups": 3, "share": 0.8, "band": (0.4, 1.0)}]}
            for left in seen[1:]
        ],
        "facts": [
            {"name": "a fact", "published": 400.0, "modelled": 300.0, "unit": "TFLOP/s/chip", "source": "a report",
             "error": -0.25, "reached": False}
        ],
        "facts_within": 0.1,
        "facts_held_out": 7,
        "loop_makers": ["NVIDIA"],
        "coverage": {"read": {"training": 12}, "reasons": [
            {"table": "training", "counts": True, "reason": "the row does not state x", "rows": 2}]},
        "families": [family],
    }  # fmt: skip


def tables(page):
    """Every Markdown table of a page, as lists of rows of cells."""
    blocks = re.findall(r"(?:^\|.*\|\n?)+", page, re.MULTILINE)
    return [
        [re.split(r"(?<!\\)\|", line.strip())[1:-1] for line in block.strip().splitlines()]
        for block in blocks
    ]


def test_every_table_of_every_page_has_as_many_cells_as_heads(found):
    for page in (accuracy_page(found), family_page(found, found["families"][0])):
        assert tables(page)
        for table in tables(page):
            assert {len(row) for row in table} == {len(table[0])}


def test_the_page_shows_all_four_validations_and_never_only_the_first(found):
    page = accuracy_page(found)
    for words in ("in sample", "leave one source out", "leave one model out", "leave one chip out"):
        assert f"## By task and family: {words}" in page
    (aims,) = (table for table in tables(page) if "judged under" in table[0][3])
    assert [cell.strip() for cell in aims[2]][6:] == ["10.0 %", "15.0 %", "20.0 %", "25.0 %", "**missed**"]


def test_a_missed_aim_and_a_missed_fact_are_named_with_what_the_rows_tell(found):
    page = accuracy_page(found)
    assert "not stated: micro-batch" in page
    assert "2.00" in page  # modelled over measured of a log error of ln 2
    assert "| a fact | 400 TFLOP/s/chip | 300 TFLOP/s/chip | -25.0 % | **missed** | a report |" in page


def test_remarks_of_a_hand_survive_a_new_page(found):
    first = accuracy_page(found)
    assert kept_remarks(first) == ""
    written = first.replace(KEPT[0] + "\n", f"{KEPT[0]}\nWe tried a wider prior.\n")
    kept = kept_remarks(written.replace("Nothing is written here yet", "").split("Text between")[0] + KEPT[1])
    assert "We tried a wider prior." in kept
    again = accuracy_page(found, kept)
    assert kept_remarks(again) == kept
    assert accuracy_page(found, kept_remarks(again)) == again


def test_equal_values_give_equal_bytes(found):
    assert accuracy_page(found) == accuracy_page(found)


def test_a_family_page_shows_its_own_chips_only_and_what_was_learned(found):
    page = family_page(found, found["families"][0])
    assert "TPU-v4" not in page
    assert "Not measured by anybody here: H200-SXM" in page
    coefficients = next(table for table in tables(page) if "coefficient" in table[0][0])
    assert [row[4].strip() for row in coefficients[2:]] == ["40.0 %", "-"]


def test_links_lead_to_the_pages_that_are_written(found):
    assert re.findall(r"\]\(([^)]+)\)", accuracy_page(found)) == ["accuracy/hopper.md"]
    assert "](../accuracy.md)" in family_page(found, found["families"][0])


def test_a_bar_in_a_cell_does_not_end_it():
    assert grid(("a", "b"), [("x|y", 1)]).splitlines()[2] == r"| x\|y | 1 |"


def test_columns_of_numbers_stand_to_the_right():
    marks = grid(("a", "b", "c"), [("x", "1.0 %", "3 to 4 %"), ("2", "-", "-")]).splitlines()[1]
    assert marks == "| --- | ---: | ---: |"


def test_percent_of_nothing_is_a_dash():
    assert [percent(None), percent(0.0), percent(0.123)] == ["-", "0.0 %", "12.3 %"]
