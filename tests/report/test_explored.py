"""Compared plans in text, table and chart: every number shown is a number of the records."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from exaplan.domain.explored import (
    Asked,
    Axis,
    Caution,
    Component,
    Frontier,
    KeyFigure,
    Point,
    QuarterFigures,
    Signed,
    Sweep,
    WhatIf,
)
from exaplan.report.drawing import chart_svg, themed
from exaplan.report.explored import (
    explored_document,
    explored_text,
    frontier_sentence,
    limits_moved,
    offers_signed,
    plan_mark,
    sweep_sentence,
    table_csv,
    table_frame,
)
from exaplan.report.explored_charts import bridge_rows, explored_chart
from exaplan.report.explored_page import explored_page

ASKED = Asked("Toy", "toy.yaml", "0", 100, 1, 8, 0.05, 1.5)


def point(name: str, value: float, p_ruin: float, **more) -> Point:
    given = {
        "name": name, "changes": (("finance.cash", name),), "value": value, "value_ci": (value - 1e8, value + 1e8),
        "p_ruin": p_ruin, "p_ruin_ci": (p_ruin / 2, p_ruin * 2), "lead": 0.8, "lead_ci": (0.7, 0.9), "served_share": 0.9,
        "tree_value": value, "gain": 0.0, "gain_ci": (-1e8, 1e8), "signed": (Signed("own", 1000.0, 5e7),), "binds": ("power at here",),
        "relaxed": (), "components": (Component("revenue", 2 * value), Component("capital and the end", -value)),
        "quarters": tuple(QuarterFigures(f"2027-Q{q}", 10.0 * q, 1e8, 5e7, 2e8) for q in (1, 2, 3, 4)),
        "figures": (KeyFigure("revenue", "Revenue over the horizon", 2 * value, "USD"),),
        "start": "same matrix", "why": "1 bounds changed", "anew": (), "seconds": 0.1,
    }  # fmt: skip
    return Point(**{**given, **more})


BASE = point("as given", 1e9, 0.02, gain=None, gain_ci=None)
WHATIF = WhatIf(
    ASKED,
    BASE,
    (
        point("20 GUSD", 1.4e9, 0.01, gain=4e8, gain_ci=(3e8, 5e8), signed=(Signed("rent", 300.0, 9e7),)),
        point("10 GUSD", 0.95e9, 0.06, gain=-5e7, relaxed=("development floor",), binds=()),
    ),
)
SWEEP = Sweep(
    ASKED, BASE, (Axis("finance.cash", ("10 GUSD", "20 GUSD"), (10.0, 20.0), "GUSD"),), WHATIF.cases[::-1]
)
GRID = Sweep(
    ASKED,
    BASE,
    (Axis("a.b", ("1", "2"), (1.0, 2.0), ""), Axis("c.d", ("x", "y"), None, "")),
    tuple(
        point(f"{a} · {b}", 1e9 * place, 0.01 * place, changes=(("a.b", a), ("c.d", b)))
        for place, (a, b) in enumerate([("1", "x"), ("1", "y"), ("2", "x"), ("2", "y")], start=1)
    ),
)


def caution(cover: float, value: float, p_ruin: float, **more) -> Caution:
    given = {"efficient": True, "confirmed": True, "given": False}
    return Caution(cover, 0.0, value, p_ruin, 0.8, point=point(f"cover {cover:g} q", value, p_ruin), **{**given, **more})  # fmt: skip


FRONTIER = Frontier(
    ASKED, "value", 400,
    (caution(0, 2e9, 0.10), caution(2, 1.6e9, 0.03, given=True, confirmed=False), caution(4, 1.2e9, 0.01),
     caution(3, 1.1e9, 0.04, efficient=False, confirmed=False)),
)  # fmt: skip
ALL = {"what-if": WHATIF, "sweep": SWEEP, "grid": GRID, "frontier": FRONTIER, "lead": replace(FRONTIER, against="lead")}  # fmt: skip


@pytest.mark.parametrize("found", ALL.values(), ids=ALL)
def test_every_comparison_has_text_page_chart_table_and_json(found) -> None:
    text = explored_text(found, width=120, ascii_only=True, run_folder="runs/x")
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 120
    page = explored_page(found, "exaplan sweep toy.yaml")
    assert "<svg" in page
    assert "exaplan sweep toy.yaml" in page
    assert "<script" not in page
    assert explored_page(found, "exaplan sweep toy.yaml") == page
    assert themed(explored_chart(found))["config"]
    rows = table_csv(found).splitlines()
    assert len(rows) - 1 == table_frame(found).height
    json.dumps(explored_document(found), allow_nan=False)


def test_the_bridge_leads_from_one_value_to_the_other() -> None:
    rows = bridge_rows(BASE, WHATIF.cases[0])
    assert [row["step"] for row in rows] == ["as given", "revenue", "capital and the end", "changed"]
    for before, after in pairwise(rows[1:-1]):
        assert after["low"] == before["high"]
    assert rows[-2]["high"] == pytest.approx(rows[-1]["high"])
    assert [row["kind"] for row in rows[1:-1]] == ["more", "less"]


def test_a_difference_whose_interval_holds_zero_is_not_called_clear() -> None:
    first, second = explored_text(WHATIF, width=300).splitlines()[1:3]
    assert "not clearly different" not in first
    assert "not clearly different" in second


def test_limits_are_told_by_what_changes_in_them() -> None:
    assert limits_moved(BASE, BASE) == "as given"
    assert limits_moved(BASE, WHATIF.cases[1]) == "RELAXED development floor; no longer power at here"
    assert limits_moved(WHATIF.cases[1], BASE) == "also power at here"


def test_a_sweep_says_where_it_is_worth_most_and_that_the_first_signature_turns() -> None:
    sentence = sweep_sentence(SWEEP)
    assert "worth most at 20 GUSD ($1.4 B, P(ruin) 1.0 %)" in sentence
    assert "changes 1 time" in sentence
    assert offers_signed(SWEEP.points) == ["rent", "own"]


def test_the_frontier_names_its_ends_and_the_best_plan_within_the_limit() -> None:
    sentence = frontier_sentence(FRONTIER)
    assert "3 plans of 4 are efficient: from $1.2 B at P(ruin) 1.0 % to $2.0 B at P(ruin) 10.0 %" in sentence
    assert sentence.endswith("within the limit of 5.0 %: cover 2 q")
    assert [plan_mark(plan) for plan in FRONTIER.plans] == [
        "efficient",
        "efficient? (given)",
        "efficient",
        "",
    ]
    strict = replace(FRONTIER, asked=replace(ASKED, ruin_limit=0.001))
    assert "none keeps the limit" in frontier_sentence(strict)


def test_charts_carry_the_values_and_the_limit() -> None:
    drawn = chart_svg(explored_chart(FRONTIER), "f")
    assert "cover 2 q (given)" in drawn
    values = json.dumps(explored_chart(SWEEP).to_dict(validate=False))
    assert "0.05" in values
    assert "1400000000.0" in values
