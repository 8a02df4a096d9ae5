"""Strategic choices one by one: the best of them is what branch and bound finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.optimize.trees import Kind, random_plan

from exaplan.optimize.highs import solve
from exaplan.optimize.strategies import solve_strategies


@settings(max_examples=10)
@given(st.integers(0, 100_000), st.sampled_from(["max", "min"]))
def test_the_best_of_all_combinations_is_the_integer_optimum(seed, sense):
    model = random_plan(seed, Kind(depth=3, starts=2, sense=sense)).model
    found = solve_strategies(model)
    assert [s.name for s in found.table] == ["none", "start[1]", "start[0]", "start[0], start[1]"]
    assert found.best is not None
    assert found.best.value == pytest.approx(solve(model).objective, rel=1e-6)


def test_the_value_of_waiting_is_the_gain_of_the_free_choice_over_now_and_never():
    """By hand: a start today costs 0.8 times its node's weight; never starting gives up the second offer."""
    model = random_plan(9, Kind(depth=2, late_starts=True)).model
    shape = model.columns["begin"].shape
    never, now = np.zeros(shape), np.zeros(shape)
    now[0] = 1.0
    found = solve_strategies(model, {"never": {"begin": never}, "now": {"begin": now}, "free": {}})
    best = solve(model).objective
    assert found.value("free") == pytest.approx(best, rel=1e-6)
    assert max(found.value("never"), found.value("now")) <= best + 1e-7


def test_answers_do_not_depend_on_threads():
    model = random_plan(2, Kind(depth=3, starts=2)).model
    one, three = (solve_strategies(model, threads=n) for n in (1, 3))
    for a, b in zip(one.table, three.table, strict=True):
        assert np.array_equal(a.solution.x, b.solution.x)


def test_a_strategy_without_an_answer_is_kept_in_the_table_as_such():
    model = random_plan(2, Kind(depth=3, starts=1)).model
    broke = model.with_changes(upper={"rescue": 0.0, "cash": 0.0, "served": 0.0})
    found = solve_strategies(broke, {"never": {"start": 0.0}})
    assert found.table[0].status == "infeasible"
    assert found.best is None
    assert np.isnan(found.value("never"))


@pytest.mark.parametrize(
    ("strategies", "message"),
    [
        ({}, "none given"),
        ({"a": {"nought": 1.0}}, "no variable 'nought'"),
        ({"a": {"start": 2.0}}, r"start\[0\] = 2.0 is outside 0.0..1.0"),
    ],
)
def test_strategies_that_make_no_sense_are_refused(strategies, message):
    model = random_plan(2, Kind(depth=2, starts=1)).model
    with pytest.raises(ValueError, match=message):
        solve_strategies(model, strategies)
