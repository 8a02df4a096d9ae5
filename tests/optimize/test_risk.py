"""Risk measures at their ends and in between."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.optimize.blocks import Builder
from exaplan.optimize.highs import solve
from exaplan.optimize.risk import cvar, cvar_weights, expectation


@st.composite
def lotteries(draw):
    count = draw(st.integers(1, 8))
    losses = np.array(draw(st.lists(st.floats(-1e3, 1e3), min_size=count, max_size=count)))
    mass = np.array(draw(st.lists(st.floats(0.01, 1), min_size=count, max_size=count)))
    return losses, mass / mass.sum()


levels = st.floats(0, 1)


@given(lotteries())
def test_level_zero_is_the_mean_and_level_one_the_worst_case(lottery):
    losses, probability = lottery
    assert cvar(losses, probability, 0.0) == pytest.approx(expectation(losses, probability), abs=1e-9)
    assert cvar(losses, probability, 1.0) == pytest.approx(losses.max(), abs=1e-9)
    assert cvar(losses, probability, 1 - 1e-9) == pytest.approx(losses.max(), abs=1e-9)


@given(lotteries(), levels, levels)
def test_cvar_rises_with_its_level(lottery, a, b):
    assert cvar(*lottery, min(a, b)) <= cvar(*lottery, max(a, b)) + 1e-7


@given(lotteries(), levels)
def test_weights_are_a_bounded_reweighting(lottery, level):
    losses, probability = lottery
    weights = cvar_weights(losses, probability, level)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    assert (weights * (1 - level) <= probability + 1e-12).all()


@given(lotteries(), st.floats(0, 0.99), st.floats(-100, 100), st.floats(0, 10))
def test_cvar_is_coherent(lottery, level, shift, scale):
    losses, probability = lottery
    base = cvar(losses, probability, level)
    assert cvar(scale * losses + shift, probability, level) == pytest.approx(scale * base + shift, abs=1e-6)
    other = losses[::-1]
    together = cvar(losses + other, probability, level)
    assert together <= base + cvar(other, probability, level) + 1e-6


def test_cvar_equals_the_linear_program_of_rockafellar_and_uryasev():
    rng = np.random.default_rng(7)
    losses, probability, level = rng.normal(size=30), rng.dirichlet(np.ones(30)), 0.9
    builder = Builder()
    threshold = builder.variable("threshold", (), lower=-np.inf, cost=1.0)
    excess = builder.variable("excess", (30,), cost=probability / (1 - level))
    tail = builder.rows("tail", (30,), lower=losses)
    builder.add(tail, tail.position, threshold.index, 1.0)
    builder.add(tail, tail.position, excess.index, 1.0)
    assert solve(builder.build("min")).objective == pytest.approx(cvar(losses, probability, level))


def test_scenarios_that_cannot_happen_do_not_count():
    losses, probability = np.array([1.0, 99.0]), np.array([1.0, 0.0])
    for level in (0.0, 0.5, 0.999, 1.0):
        assert cvar(losses, probability, level) == 1.0


def test_misuse_is_refused():
    for losses, probability, level, reason in (
        ([1.0, 2.0], [0.5, 0.4], 0.5, "sum to 0.9"),
        ([1.0, 2.0], [1.5, -0.5], 0.5, ">= 0"),
        ([1.0, np.nan], [0.5, 0.5], 0.5, "loss 1 is NaN"),
        ([1.0], [0.5, 0.5], 0.5, "shape"),
        ([1.0, 2.0], [0.5, 0.5], 95.0, "outside 0..1"),
    ):
        with pytest.raises(ValueError, match=reason):
            cvar(np.array(losses), np.array(probability), level)
