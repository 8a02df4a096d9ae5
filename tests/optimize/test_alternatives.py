"""Near-optimal alternatives: ranges that hold the optimum, shrink to it, and are right by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exaplan.optimize.alternatives import Direction, near_optimal, with_row
from exaplan.optimize.blocks import Builder
from exaplan.optimize.highs import solve
from exaplan.optimize.model import Model


def two_products() -> Model:
    """Maximise 2 a + b over a + b <= 10, a <= 6: the optimum is 16 at (6, 4)."""
    builder = Builder()
    made = builder.variable("made", (2,), upper=[6.0, np.inf], cost=[2.0, 1.0])
    hours = builder.rows("hours", (), upper=10.0)
    builder.add(hours, 0, made.index, 1.0)
    return builder.build("max")


def test_a_tenth_given_up_moves_each_product_as_far_as_its_margin_says():
    model = two_products()
    directions = [Direction("a", np.array([1.0, 0.0])), Direction("b", np.array([0.0, 1.0]))]
    a, b = near_optimal(model, solve(model), directions, slack=0.1)
    # 14.4 are left to earn. Least a: 2 a + (10 - a) = 14.4. Least b: 12 + b = 14.4. Most b: with a at its least.
    assert (a.at_optimum, a.least, a.most) == pytest.approx((6.0, 4.4, 6.0))
    assert (b.at_optimum, b.least, b.most) == pytest.approx((4.0, 2.4, 5.6))


def test_a_program_that_minimises_gives_up_cost():
    builder = Builder()
    made = builder.variable("made", (2,), cost=[1.0, 2.0])
    need = builder.rows("need", (), lower=10.0)
    builder.add(need, 0, made.index, 1.0)
    model = builder.build("min", offset=10.0)
    found = solve(model)
    assert found.objective == pytest.approx(20.0)
    (b,) = near_optimal(model, found, [Direction("b", np.array([0.0, 1.0]))], slack=0.1)
    assert (b.least, b.most) == pytest.approx((0.0, 2.0))  # two more may be spent, one for each unit moved


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), slack=st.floats(1e-3, 0.3))
def test_every_range_holds_the_optimum_and_agrees_with_a_cold_solve(random_model, seed, slack):
    model = random_model(seed)
    best = solve(model)
    weight = np.random.default_rng(seed).normal(size=model.column_count)
    (extent,) = near_optimal(model, best, [Direction("any", weight)], slack=slack)
    assert extent.least <= extent.at_optimum <= extent.most
    limit = best.objective - slack * abs(best.objective)
    near = with_row(model, "value", model.cost, lower=limit)
    for sign, end in ((-1.0, extent.least), (1.0, extent.most)):
        cold = solve(replace(near, cost=sign * weight))
        assert sign * cold.objective == pytest.approx(end, rel=1e-5, abs=1e-5)


def test_the_range_closes_on_the_optimum_as_nothing_may_be_given_up():
    model = two_products()
    widths = []
    for slack in (0.1, 0.01, 0.0):
        (a,) = near_optimal(model, solve(model), [Direction("a", np.array([1.0, 0.0]))], slack=slack)
        widths.append(a.most - a.least)
    assert widths == pytest.approx([1.6, 0.16, 0.0], abs=1e-6)


def test_whole_numbers_stay_whole():
    builder = Builder()
    lots = builder.variable("lots", (2,), upper=5.0, cost=[3.0, 2.0], integer=True)
    room = builder.rows("room", (), upper=7.0)
    builder.add(room, 0, lots.index, [2.0, 1.0])
    model = builder.build("max")
    best = solve(model)
    assert best.objective == pytest.approx(13.0)  # one of the first, five of the second
    (first,) = near_optimal(model, best, [Direction("first", np.array([1.0, 0.0]))], slack=0.1)
    assert (first.least, first.most) == pytest.approx(
        (1.0, 2.0)
    )  # (2, 3) brings 12 of the 11.7 that must stay


def test_a_quantity_without_an_end_is_said_to_have_none():
    builder = Builder()
    builder.variable("idle", (1,))
    model = builder.build("max")
    (idle,) = near_optimal(model, solve(model), [Direction("idle", np.ones(1))], slack=0.01)
    assert (idle.least, idle.most) == (0.0, np.inf)


def test_nonsense_is_refused():
    model = two_products()
    best = solve(model)
    with pytest.raises(ValueError, match="below zero"):
        near_optimal(model, best, [], slack=-0.1)
    with pytest.raises(ValueError, match="taken"):
        with_row(model, "hours", model.cost)
    with pytest.raises(ValueError, match="weights"):
        with_row(model, "value", np.ones(3))
