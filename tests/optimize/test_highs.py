"""Solving: known answers, signs of prices, statuses, starts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exaplan.optimize.blocks import Builder
from exaplan.optimize.highs import HotSolver, duals, solve, values

seeds = st.integers(0, 10_000)
senses = st.sampled_from(["max", "min"])


@pytest.mark.parametrize("method", ["auto", "simplex", "ipx"])
def test_textbook_optimum_and_its_shadow_prices(furnace, method):
    solution = solve(furnace, method=method)
    assert solution.status == "optimal"
    assert solution.objective == solution.bound == pytest.approx(36)
    assert values(solution, furnace.columns["batches"]) == pytest.approx([2, 6])
    assert duals(solution, furnace.rows["hours"]) == pytest.approx([0, 1.5, 1])


def test_a_cost_to_be_minimized_has_a_positive_price_on_its_floor():
    builder = Builder()
    rent = builder.variable("rent", (2,), cost=[2.0, 3.0], upper=[6.0, np.inf])
    floor = builder.rows("floor", (), lower=10.0)
    builder.add(floor, 0, rent.index, 1.0)
    solution = solve(builder.build("min", offset=100.0))
    assert solution.objective == pytest.approx(100 + 12 + 12)
    assert duals(solution, floor) == pytest.approx(3.0)
    assert solution.reduced_cost == pytest.approx([-1.0, 0.0])


@settings(max_examples=40, deadline=None)
@given(seeds, senses)
def test_a_dual_lies_between_the_loss_per_unit_removed_and_the_gain_per_unit_added(random_model, seed, sense):
    model, step = random_model(seed, sense), 1e-5
    solution = solve(model)
    smooth = 0
    for name, low, high, prices in (
        ("row", "row_lower", "row_upper", solution.row_dual),
        ("x", "lower", "upper", solution.reduced_cost),
    ):
        for k, price in enumerate(prices):
            shift = np.zeros(len(prices))
            shift[k] = step
            up, down = (
                solve(
                    model.with_changes(
                        **{side: {name: getattr(model, side) + sign * shift} for side in (low, high)}
                    )
                ).objective
                for sign in (1, -1)
            )
            slopes = sorted([(up - solution.objective) / step, (solution.objective - down) / step])
            assert slopes[0] - 1e-4 <= price <= slopes[1] + 1e-4
            smooth += slopes[1] - slopes[0] < 1e-4
    assert smooth > 0


@settings(max_examples=20, deadline=None)
@given(seeds, senses)
def test_turning_the_sense_and_the_costs_changes_only_signs(random_model, seed, sense):
    model = random_model(seed, sense)
    other = random_model(seed, "min" if sense == "max" else "max")
    turned = solve(other.with_changes(cost={"x": -model.cost}))
    straight = solve(model)
    assert turned.objective == pytest.approx(-straight.objective)
    assert turned.row_dual == pytest.approx(-straight.row_dual, abs=1e-7)
    assert turned.reduced_cost == pytest.approx(-straight.reduced_cost, abs=1e-7)


@settings(max_examples=20, deadline=None)
@given(seeds, senses)
def test_interior_point_and_simplex_agree(random_model, seed, sense):
    model = random_model(seed, sense, columns=30, rows=20)
    assert solve(model, method="ipx").objective == pytest.approx(
        solve(model, method="simplex").objective, abs=1e-6
    )


def test_a_start_from_the_optimal_basis_needs_no_iteration(random_model):
    model = random_model(3, "max", columns=60, rows=40)
    cold = solve(model)
    warm = solve(model, start=cold.basis)
    assert warm.iterations == 0
    assert warm.objective == pytest.approx(cold.objective)


def test_the_same_model_gives_the_same_bytes(random_model):
    model = random_model(5, "max", columns=200, rows=150)
    first, second = solve(model), solve(model)
    assert first.x.tobytes() == second.x.tobytes()
    assert first.row_dual.tobytes() == second.row_dual.tobytes()


def test_impossible_and_boundless_models_say_so(furnace):
    impossible = furnace.with_changes(lower={"batches": [5.0, 0.0]})
    solution = solve(impossible)
    assert solution.status == "infeasible"
    assert not solution.has_values
    with pytest.raises(ValueError, match=r"batches: no values, the model is infeasible; see irreducible_set"):
        values(solution, furnace.columns["batches"])
    with pytest.raises(ValueError, match="hours: no duals"):
        duals(solution, furnace.rows["hours"])
    assert solve(furnace.with_changes(row_upper={"hours": np.inf})).status == "unbounded"


def test_a_model_without_rows_or_without_columns():
    builder = Builder()
    assert solve(builder.build("max", offset=3.0)).objective == 3.0
    builder.variable("x", (2,), upper=[1.0, 2.0], cost=[1.0, -1.0])
    solution = solve(builder.build("max"))
    assert solution.x.tolist() == [1.0, 0.0]
    assert solution.reduced_cost.tolist() == [1.0, -1.0]


def test_whole_numbers_and_the_prices_with_them_fixed():
    builder = Builder()
    sites = builder.variable("sites", (2,), cost=[-3.0, -4.0], upper=1.0, integer=True)
    served = builder.variable("served", (), upper=7.0, cost=1.0)
    room = builder.rows("room", (), upper=0.0)
    builder.add(room, 0, served.index, 1.0)
    builder.add(room, 0, sites.index, [-4.0, -5.5])
    model = builder.build("max")
    solution = solve(model)
    assert values(solution, sites).tolist() == [0.0, 1.0]
    assert solution.objective == pytest.approx(1.5)
    assert solution.bound == pytest.approx(1.5)
    assert duals(solution, room) == pytest.approx(1.0)
    impossible = solve(model.with_changes(lower={"served": 6.0}, upper={"sites": [1.0, 0.0]}))
    assert impossible.status == "infeasible"


def test_a_solve_can_be_watched_stopped_and_timed_out(random_model):
    model = random_model(1, "max", columns=600, rows=400)
    seen = []
    assert solve(model, progress=seen.append).status == "optimal"
    assert seen[-1].iterations > 100
    assert solve(model, progress=lambda done: done.iterations > 0).status == "interrupted"
    assert solve(model, time_limit_s=0.0).status == "time_limit"


def test_misuse_is_refused(furnace, random_model):
    basis = solve(furnace).basis
    with pytest.raises(ValueError, match="method 'ipm' is not known"):
        solve(furnace, method="ipm")
    with pytest.raises(ValueError, match="cannot start from a basis"):
        solve(furnace, start=basis, method="ipx")
    with pytest.raises(ValueError, match="2 columns and 3 rows, the model 12 and 7"):
        solve(random_model(0), start=basis)


@settings(max_examples=20, deadline=None)
@given(seeds, senses)
def test_hot_solver_equals_cold_solves(random_model, seed, sense):
    model = random_model(seed, sense)
    rng = np.random.default_rng(seed)
    hot = HotSolver(model)
    now = model
    for _ in range(8):
        changes = {}
        if rng.random() < 0.6:
            changes["cost"] = now.cost + rng.normal(size=model.column_count) * 0.5
        if rng.random() < 0.5:
            changes["row_upper"] = now.row_upper + (model.row_upper > model.row_lower) * rng.random(
                model.row_count
            )
        if rng.random() < 0.5:
            changes["upper"] = np.maximum(now.upper + rng.normal(size=model.column_count) * 0.3, now.lower)
        if rng.random() < 0.3:
            changes["row_lower"] = now.row_lower + (rng.random(model.row_count) - 0.5) * (
                now.row_upper == np.inf
            )
        now = now.with_changes(
            **{field: {"row" if field.startswith("row") else "x": array} for field, array in changes.items()}
        )
        answer, cold = hot.resolve(**changes), solve(now)
        assert answer.status == cold.status
        if cold.status == "optimal":
            assert answer.objective == pytest.approx(cold.objective, abs=1e-6)
            assert answer.x == pytest.approx(cold.x, abs=1e-6)
            assert answer.row_dual == pytest.approx(cold.row_dual, abs=1e-6)
            assert answer.reduced_cost == pytest.approx(cold.reduced_cost, abs=1e-6)


def test_hot_solver_recovers_after_an_impossible_change(furnace):
    hot = HotSolver(furnace, start=solve(furnace).basis)
    assert hot.resolve().iterations == 0
    assert hot.resolve(lower=np.array([5.0, 0.0])).status == "infeasible"
    assert hot.resolve(lower=np.zeros(2)).objective == pytest.approx(36)
    assert solve(furnace, start=hot.basis()).iterations == 0


def test_hot_solver_refuses_what_the_solver_would_misread(furnace):
    hot = HotSolver(furnace)
    with pytest.raises(ValueError, match=r"cost has shape \(3,\); the model needs \(2,\)"):
        hot.resolve(cost=np.ones(3))
    with pytest.raises(ValueError, match="row_upper holds NaN at 1"):
        hot.resolve(row_upper=np.array([1.0, np.nan, 2.0]))


def test_the_point_of_a_hot_solver_is_that_of_its_solution():
    from exaplan.optimize.highs import HotSolver

    builder = Builder()
    use = builder.variable("use", (3,), upper=[1.0, 2.0, 3.0], cost=[3.0, 2.0, 1.0])
    limit = builder.rows("limit", (1,), upper=4.0)
    builder.add(limit, 0, use.index, 1.0)
    model = builder.build("max")
    status, point = HotSolver(model).point(upper=np.array([1.0, 2.5, 3.0]))
    assert status == "optimal"
    assert point == pytest.approx([1.0, 2.5, 0.5])


def test_a_wide_gap_lets_branch_and_bound_stop_early_with_both_bounds():
    rng = np.random.default_rng(4)
    builder = Builder()
    take = builder.variable("take", (40,), upper=1.0, cost=rng.uniform(1, 2, 40), integer=True)
    room = builder.rows("room", (5,), upper=6.0)
    builder.add(room, room.position[:, None], take.index, rng.uniform(0.2, 1, (5, 40)))
    model = builder.build("max")
    exact, rough = solve(model, gap=0.0), solve(model, gap=0.5)
    assert rough.objective <= exact.objective + 1e-9 <= rough.bound + 2e-9
    assert rough.bound - rough.objective <= 0.5 * rough.bound
