"""Branch and bound on warm linear programs finds what the solver's own branch and bound finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exaplan.optimize.blocks import Builder
from exaplan.optimize.branching import Brancher
from exaplan.optimize.highs import solve


def lumps(seed: int, count: int, limits: int, most: float = 1.0):
    """Starts with a cost, volume behind each start, and shared limits on the volume: fractional relaxations."""
    rng = np.random.default_rng(seed)
    builder = Builder()
    start = builder.variable("start", (count,), upper=most, cost=-rng.uniform(1, 9, count), integer=True)
    made = builder.variable("made", (count,), cost=rng.uniform(0.5, 3, count))
    ramp = builder.rows("ramp", (count,), upper=0.0)
    builder.add(ramp, ramp.position, made.index, 1.0)
    builder.add(ramp, ramp.position, start.index, -rng.uniform(1, 8, count))
    shared = builder.rows("shared", (limits,), upper=rng.uniform(3, 10, limits))
    builder.add(shared, shared.position[:, None], made.index[None, :], rng.uniform(0, 2, (limits, count)))
    return builder.build("max")


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 9),
    limits=st.integers(1, 4),
    most=st.sampled_from([1.0, 3.0]),
)
def test_it_finds_the_optimum_and_proves_it(seed, count, limits, most):
    model = lumps(seed, count, limits, most)
    found, referee = Brancher(model).best(gap=0.0, most=5000), solve(model, gap=0.0)
    assert found.value == pytest.approx(referee.objective, rel=1e-6, abs=1e-6)
    assert found.bound == pytest.approx(found.value, rel=1e-9, abs=1e-9)
    start = found.solution.x[model.columns["start"].span]
    assert np.abs(start - np.round(start)).max() < 1e-6


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), most=st.integers(2, 8))
def test_a_search_that_is_cut_short_still_bounds_the_optimum(seed, most):
    model = lumps(seed, 8, 3)
    found, best = Brancher(model).best(gap=0.0, most=most), solve(model, gap=0.0).objective
    assert found.value <= best + 1e-6 <= found.bound + 2e-6


def test_bounds_of_one_question_do_not_leak_into_the_next():
    model = lumps(4, 6, 2)
    brancher = Brancher(model)
    free = brancher.best().value
    none = brancher.best(upper=np.zeros(6)).value
    assert none == pytest.approx(0.0)
    assert brancher.best().value == pytest.approx(free) == pytest.approx(Brancher(model).best().value)


def test_a_forced_start_is_made():
    model = lumps(4, 6, 2)
    forced = np.zeros(6)
    forced[3] = 1.0
    assert Brancher(model).best(lower=forced).solution.x[3] == pytest.approx(1.0)


def test_bounds_that_contradict_the_rows_are_an_error():
    builder = Builder()
    start = builder.variable("start", (2,), upper=1.0, integer=True)
    both = builder.rows("both", (), lower=2.0)
    builder.add(both, 0, start.index, 1.0)
    brancher = Brancher(builder.build("max"))
    with pytest.raises(ValueError, match="no solution"):
        brancher.best(upper=np.array([1.0, 0.0]))
