"""The certificate: silent on an optimum, loud on anything else."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exaplan.optimize.blocks import Builder
from exaplan.optimize.certificate import certify
from exaplan.optimize.highs import solve


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["max", "min"]))
def test_an_optimum_is_certified(random_model, seed, sense):
    model = random_model(seed, sense)
    assert max(certify(model, solve(model))) < 1e-8


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["max", "min"]), st.integers(0, 6), st.floats(0.01, 1))
def test_a_corrupted_price_or_value_is_caught(random_model, seed, sense, at, size):
    model = random_model(seed, sense)
    solution = solve(model)
    for field in ("x", "row_dual", "reduced_cost"):
        wrong = getattr(solution, field).copy()
        wrong[at] += size
        assert max(certify(model, replace(solution, **{field: wrong}))) > 1e-4
    assert certify(model, replace(solution, objective=solution.objective + size)).gap > 1e-4


def test_each_figure_has_its_own_meaning(furnace):
    solution = solve(furnace)
    too_much = certify(furnace, replace(solution, x=np.array([2.0, 7.0])))
    assert too_much.primal_residual == pytest.approx(
        2 / 14
    )  # 14 hours used against 12; 20 against 18 is 2 / 20
    too_little = certify(furnace, replace(solution, x=np.array([2.0, 5.0]), objective=31.0))
    assert too_little.primal_residual == 0
    assert too_little.gap == pytest.approx(5 / 36)
    wrong_sign = certify(furnace, replace(solution, row_dual=np.array([-1.0, 1.5, 1.0])))
    assert wrong_sign.dual_residual == pytest.approx(1.0)


def test_a_clean_gap_at_a_worse_vertex_is_impossible(furnace):
    worse = solve(furnace.with_changes(cost={"batches": [3.0, 1.0]}))
    assert certify(furnace, worse).gap > 0.1


def test_no_answer_is_no_certificate(furnace):
    impossible = furnace.with_changes(lower={"batches": 100.0})
    assert certify(impossible, solve(impossible)) == (np.inf, np.inf, np.inf)


def test_whole_numbers_are_checked_too():
    builder = Builder()
    site = builder.variable("site", (), upper=3.0, cost=1.0, integer=True)
    limit = builder.rows("limit", (), upper=2.5)
    builder.add(limit, 0, site.index, 1.0)
    model = builder.build("max")
    solution = solve(model)
    assert max(certify(model, solution)) < 1e-9
    half = replace(solution, x=np.array([2.5]), objective=2.5)
    assert certify(model, half).primal_residual == pytest.approx(0.5)
