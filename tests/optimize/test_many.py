"""Many programs at once give what a solver gives for each alone, whatever their bounds, ties and faults."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exaplan.optimize.blocks import Builder
from exaplan.optimize.highs import HotSolver, solve
from exaplan.optimize.many import FEW, solve_many, solve_many_matrices
from exaplan.optimize.model import Model
from exaplan.optimize.nearby import Known
from exaplan.optimize.programs import Programs, Reduced, apart
from exaplan.optimize.tableaus import place_of, tableau_of, times


def random_programs(
    seed: int, paths: int, *, whole: bool = False, faults: bool = False
) -> tuple[Model, Programs]:
    """Programs around one: columns boxed, free, fixed, one-sided; rows of every kind. ``whole`` numbers make ties."""
    rng = np.random.default_rng(seed)
    rows, columns = int(rng.integers(1, 9)), int(rng.integers(1, 14))
    matrix = np.where(rng.random((rows, columns)) < 0.5, rng.integers(-3, 4, (rows, columns)), 0.0)
    builder = Builder()
    x = builder.variable("x", (columns,), lower=-np.inf)
    limit = builder.rows("limit", (rows,))
    builder.add(limit, limit.position[:, None], x.index, matrix)
    model = builder.build("max" if seed % 2 else "min")

    def moved(size: float, count: int) -> np.ndarray:
        values = size * rng.standard_normal((paths, count))
        return np.round(values) if whole else values

    inside, dual = (
        moved(1, columns) + np.round(2 * rng.random(columns)),
        np.round(2 * rng.standard_normal(rows)),
    )
    kind, room = rng.integers(0, 5, columns), np.abs(moved(2, columns))
    lower = np.where(np.isin(kind, (0, 1)), inside - room, np.where(kind == 2, inside, -np.inf))
    upper = np.where(
        np.isin(kind, (1, 3)), inside + np.abs(moved(2, columns)), np.where(kind == 2, inside, np.inf)
    )
    held, sort = inside @ matrix.T, rng.integers(0, 5, rows)
    row_lower = np.where(np.isin(sort, (0, 3)), held, np.where(sort == 2, held - 1, -np.inf))
    row_upper = np.where(
        np.isin(sort, (1, 3)), held, np.where(sort == 2, held + np.abs(moved(1, rows)), np.inf)
    )
    gain = np.where(
        kind == 0, -1.0, np.where(kind == 3, 1.0, np.where(kind == 4, 0.0, rng.integers(-1, 2, columns)))
    )
    sign = np.where(
        sort == 0, -np.abs(dual), np.where(sort == 1, np.abs(dual), np.where(sort == 4, 0.0, dual))
    )
    cost = sign @ matrix + gain + 0.3 * moved(1, columns) * (kind != 4)
    if faults:
        row_upper[::7, 0] = np.minimum(row_upper[::7, 0], -50.0)
        row_lower[::7, 0] = np.minimum(row_lower[::7, 0], row_upper[::7, 0])
    return model, Programs(lower, upper, cost if seed % 2 else -cost, row_lower, row_upper)


def alone(model: Model, programs: Programs, path: int):
    return solve(replace(model, **{name: values[path].copy() for name, values in vars(programs).items()}))


def assert_as_alone(model: Model, programs: Programs, answers) -> None:
    for path, status in enumerate(answers.status):
        one = alone(model, programs, path)
        if "optimal" not in (status, one.status):  # a solver may call an infeasible program unbounded
            assert np.isnan(answers.x[path]).all()
            continue
        assert status == one.status
        x = answers.x[path]
        assert x @ programs.cost[path] == pytest.approx(one.objective, rel=1e-7, abs=1e-7)
        held = model.activity(x)
        for value, low, high in (
            (x, programs.lower[path], programs.upper[path]),
            (held, programs.row_lower[path], programs.row_upper[path]),
        ):
            assert (value >= low - 1e-6).all()
            assert (value <= high + 1e-6).all()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_every_program_is_solved_as_if_it_were_alone(seed, whole, faults):
    model, programs = random_programs(seed, 40, whole=whole, faults=faults)
    assert_as_alone(model, programs, solve_many(model, programs))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_programs_with_coefficients_of_their_own_are_solved_as_if_they_were_alone(seed, kinds):
    model, programs = random_programs(seed, 40)
    rng = np.random.default_rng(seed)
    factor = 1 + 0.3 * rng.random((40, model.entry_count))
    factor[FEW + 8 :] = factor[rng.integers(0, kinds, 32 - FEW)]  # some share theirs
    values = model.value * factor
    answers = solve_many_matrices(model, values, programs)
    for path in range(40):
        one = replace(model, value=values[path].copy())
        found = alone(one, programs, path)
        if found.status == "optimal":
            assert answers.x[path] @ programs.cost[path] == pytest.approx(found.objective, rel=1e-7, abs=1e-7)
        else:
            assert answers.status[path] != "optimal"


def transport(paths: int) -> tuple[Model, Programs]:
    """Four plants ship to five towns; what is short is bought dear. Demand and freight differ by path."""
    rng = np.random.default_rng(5)
    builder = Builder()
    ship, short = builder.variable("ship", (4, 5)), builder.variable("short", (5,))
    plant, town = builder.rows("plant", (4,), upper=0.0), builder.rows("town", (5,), lower=0.0)
    builder.add(plant, plant.position[:, None], ship.index, 1.0)
    builder.add(town, town.position, ship.index, 1.0)
    builder.add(town, town.position, short.index, 1.0)
    model = builder.build("min")
    freight = 1 + rng.random((4, 5)) + 0.05 * rng.random((paths, 4, 5))
    nothing = np.zeros((paths, 25))
    need, most = 10 * (1 + rng.random((paths, 5))), np.tile([8.0, 15.0, 20.0, 12.0], (paths, 1))
    return model, Programs(
        nothing, np.full((paths, 25), np.inf), np.hstack([freight.reshape(paths, 20), np.full((paths, 5), 9.0)]),
        np.hstack([np.full((paths, 4), -np.inf), need]), np.hstack([most, np.full((paths, 5), np.inf)]),
    )  # fmt: skip


def test_hardly_any_program_needs_the_solver():
    model, programs = transport(1000)
    answers = solve_many(model, programs)
    assert answers.starts == 6
    assert answers.starts + answers.at_once + answers.walked + answers.left == 1000
    assert answers.left < 30
    assert_as_alone(model, programs.part(np.arange(60)), replace(answers, status=answers.status[:60]))


def test_the_same_call_gives_the_same_bytes_and_paths_do_not_mix():
    model, programs = transport(300)
    first, second = solve_many(model, programs), solve_many(model, programs)
    assert first.x.tobytes() == second.x.tobytes()
    part = np.arange(100, 300)
    again = solve_many(model, programs.part(part))
    value, other = (
        (programs.cost[part] * first.x[part]).sum(axis=1),
        (programs.cost[part] * again.x).sum(axis=1),
    )
    assert value == pytest.approx(other, rel=1e-9)


def test_a_program_without_a_solution_is_reported_and_the_others_are_solved():
    model, programs = transport(200)
    programs.row_upper[[17, 130], 0] = -1.0  # a plant that must ship less than nothing
    answers = solve_many(model, programs)
    assert [path for path, status in enumerate(answers.status) if status != "optimal"] == [17, 130]
    assert {answers.status[17], answers.status[130]} == {"infeasible"}
    assert np.isnan(answers.x[[17, 130]]).all()
    assert np.isfinite(np.delete(answers.x, [17, 130], axis=0)).all()


def test_a_program_without_end_is_reported():
    model, programs = transport(100)
    programs.cost[40, :20] = -1.0
    programs.row_upper[40] = np.inf
    assert solve_many(model, programs).status[40] != "optimal"


def test_arrays_that_do_not_fit_are_refused():
    model, programs = transport(5)
    with pytest.raises(ValueError, match=r"lower has shape \(5, 24\); the model needs \(5, 25\)"):
        solve_many(model, replace(programs, lower=programs.lower[:, 1:]))
    programs.cost[3, 2] = np.nan
    with pytest.raises(ValueError, match="cost holds NaN in program 3"):
        solve_many(model, programs)
    with pytest.raises(ValueError, match="values has shape"):
        solve_many_matrices(model, np.ones((5, 2)), transport(5)[1])


def test_programs_side_by_side_are_taken_apart():
    builder = Builder()
    use, sell = builder.variable("use", (3, 2)), builder.variable("sell", (3,))
    fleet = builder.rows("fleet", (3, 2), upper=[[1.0, 2.0]])
    rate = np.array([[2.0, 3.0], [2.5, 0.0], [2.0, 3.0]])
    builder.add(fleet, fleet.position, use.index, rate)
    builder.add(fleet, fleet.position, sell.index[:, None], -1.0)
    one, values = apart(builder.build("max"), 3)
    assert one.columns["sell"].shape == (1,)
    assert (
        one.to_lp_text(rows=["fleet"])
        == "fleet[0,0]: 2 use[0,0] - sell[0] <= 1\nfleet[0,1]: 3 use[0,1] - sell[0] <= 2\n"
    )
    assert values.tolist() == [[2.0, 3.0, -1.0, -1.0], [2.5, 0.0, -1.0, -1.0], [2.0, 3.0, -1.0, -1.0]]


def test_a_tableau_gives_basic_variables_from_nonbasic_ones():
    model, programs = transport(1)
    reduced = Reduced(model, programs)
    hot = HotSolver(reduced.model(model))
    _, x = hot.point(**reduced.programs.at(0))
    tableau = tableau_of(reduced.scaled, place_of(hot.basis()))
    variables = np.concatenate([x, reduced.matrix @ x]) / reduced.unit
    assert variables[tableau.basic] == pytest.approx(-tableau.entries @ variables[tableau.nonbasic], abs=1e-9)


def test_a_program_begins_where_the_least_is_to_mend():
    model, programs = transport(40)
    reduced = Reduced(model, programs)
    hot, known = HotSolver(reduced.model(model)), Known(reduced)
    for path in range(20):
        hot.point(**reduced.programs.at(path))
        known.add(path, place_of(hot.basis()))
    _, wrong = known.choose(np.arange(20))
    assert (wrong == 0).all()  # its own basis is among those of the nearest
    paths = np.arange(20, 40)
    basis, wrong = known.choose(paths)
    side, value, gain = known.points(paths, basis)
    for k, (path, number) in enumerate(zip(paths, basis, strict=True)):
        basic, nonbasic = known.bases[number].basic, known.bases[number].nonbasic
        out = (value[k] < reduced.lower[path, basic] - 1e-9) | (value[k] > reduced.upper[path, basic] + 1e-9)
        pays = (side[k] * gain[k] > 1e-9) & (reduced.upper > reduced.lower)[path, nonbasic]
        assert wrong[k] == out.sum() + pays.sum()


def test_a_singular_basis_is_no_tableau():
    model, programs = transport(1)
    reduced = Reduced(model, programs)
    hot = HotSolver(reduced.model(model))
    hot.point(**reduced.programs.at(0))
    place = place_of(hot.basis())
    assert tableau_of(np.zeros_like(reduced.scaled), place) is None
    assert tableau_of(reduced.scaled, np.ones_like(place)) is None


@given(st.integers(0, 300), st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=50, deadline=None)
def test_products_in_slabs_are_products(paths, inner, columns):
    rng = np.random.default_rng(paths)
    left, right = rng.random((paths, inner)), rng.random((inner, columns))
    assert np.allclose(times(left, right), left @ right)
