"""Solving again from an old basis: the same optimum, whatever changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exaplan.optimize.blocks import Builder
from exaplan.optimize.highs import solve
from exaplan.optimize.model import Model
from exaplan.optimize.restart import BASIC, carried_basis, difference, solve_again


def fleet(worth: list[float], demand: list[float], *, speed: float = 1.0, power: float = np.inf) -> Model:
    """Chips bought once serve each period's demand: as many periods as there are demands."""
    builder = Builder()
    buy = builder.variable("buy", (len(worth),), cost=[-1.0] * len(worth), upper=50.0)
    served = builder.variable("served", (len(worth), len(demand)), cost=np.array(worth)[:, None])
    capacity = builder.rows("capacity", served.shape, upper=0.0)
    builder.add(capacity, capacity.position, served.index, 1.0)
    builder.add(capacity, capacity.position, buy.index[:, None], -speed)
    wanted = builder.rows("wanted", (len(demand),), upper=demand)
    builder.add(wanted, wanted.position[None, :], served.index, 1.0)
    if np.isfinite(power):
        limit = builder.rows("power", (), upper=power)
        builder.add(limit, 0, buy.index, 1.0)
    return builder.build("max")


BASE = fleet([0.6, 0.7], [9.0, 4.0, 6.0])


@pytest.mark.parametrize(
    ("model", "same_matrix", "shape"),
    [
        (fleet([0.6, 0.7], [2.0, 4.0, 8.0]), True, False),
        (fleet([0.9, 0.7], [9.0, 4.0, 6.0]), True, False),
        (fleet([0.9, 0.2], [1.0, 4.0, 6.0]), True, False),
        (fleet([0.6, 0.7], [9.0, 4.0, 6.0], speed=1.3), False, False),
        (fleet([0.6, 0.7], [9.0, 4.0, 6.0], power=3.0), False, True),
        (fleet([0.6, 0.7, 0.8], [9.0, 4.0, 6.0]), False, True),
        (fleet([0.7], [9.0, 4.0, 6.0]), False, True),
    ],
)
def test_the_optimum_from_an_old_basis_is_the_optimum(model: Model, same_matrix: bool, shape: bool) -> None:
    old = solve(BASE)
    assert old.basis is not None
    found = difference(BASE, model)
    assert (found.same_matrix, found.shape) == (same_matrix, shape)
    start = carried_basis(BASE, old.basis, model, places={}, fresh={}) if shape else old.basis
    assert int((start.columns == BASIC).sum() + (start.rows == BASIC).sum()) == model.row_count
    again = solve_again(model, start)
    assert again.status == "optimal"
    assert again.objective == pytest.approx(solve(model).objective, rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(0.1, 2.0), min_size=1, max_size=4),
    st.lists(st.floats(0.5, 20.0), min_size=1, max_size=4),
    st.floats(0.3, 3.0),
)
def test_a_basis_carried_from_any_shape_leads_to_the_optimum(worth, demand, speed) -> None:
    old = solve(BASE)
    model = fleet(worth, demand, speed=speed)
    start = carried_basis(BASE, old.basis, model, places={}, fresh={})
    assert solve_again(model, start).objective == pytest.approx(solve(model).objective, rel=1e-9, abs=1e-9)


def test_positions_that_moved_keep_their_status() -> None:
    three = fleet([0.6, 0.7, 0.8], [9.0, 4.0, 6.0])
    old = solve(three)
    periods = np.arange(3)
    moved = np.array([2, 0])  # the second chip is gone and the others changed places
    places = {"buy": (moved,), "served": (moved, periods), "capacity": (moved, periods)}
    model = fleet([0.8, 0.6], [9.0, 4.0, 6.0])
    start = carried_basis(three, old.basis, model, places=places, fresh={})
    assert start.columns[:2].tolist() == old.basis.columns[[2, 0]].tolist()
    assert solve_again(model, start).iterations <= solve(model).iterations


def test_an_infeasible_change_is_told() -> None:
    old = solve(BASE)
    hard = BASE.with_changes(lower={"served": 30.0})
    assert solve_again(hard, old.basis).status == "infeasible"


def test_where_quick_weights_are_not_enough_the_exact_ones_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    one, two = (fleet(list(rng.uniform(0.5, 2, 12)), list(rng.uniform(1, 20, 9))) for _ in range(2))
    basis = solve(one).basis
    whole = solve_again(two, basis)
    assert whole.iterations > 2
    monkeypatch.setattr("exaplan.optimize.restart.QUICK_ITERATIONS", 1)
    cut = solve_again(two, basis)
    assert cut.objective == pytest.approx(whole.objective, rel=1e-9)
    assert cut.iterations > 1
    monkeypatch.setattr("exaplan.optimize.restart.MOST_ITERATIONS", 1)
    assert solve_again(two, basis).status == "iteration_limit"


def test_a_program_with_integers_is_refused() -> None:
    builder = Builder()
    builder.variable("site", (2,), upper=1.0, integer=True, cost=1.0)
    model = builder.build("max")
    with pytest.raises(ValueError, match="integer"):
        solve_again(model, solve(BASE).basis)
