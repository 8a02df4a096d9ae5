"""The choice of a route by size, with its reason, and one answer whatever the route."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.optimize.trees import Kind, random_plan

from exaplan.optimize import routes
from exaplan.optimize.blocks import Builder
from exaplan.optimize.certificate import certify
from exaplan.optimize.highs import solve
from exaplan.optimize.routes import choose_route, solve_staged
from exaplan.optimize.stages import Staged


def wide(branchings: list[int], columns: int, integer: bool = False) -> Staged:
    """A tree that branches so at each depth, with so many columns a node and no rows."""
    parent, last = [-1], [0]
    for into in branchings:
        last = [len(parent) + i for i in range(len(last) * into)]
        parent += [p for p in range(last[0] - len(last) // into, last[0]) for _ in range(into)]
    builder = Builder()
    x = builder.variable("x", (len(parent), columns), upper=1.0)
    if integer:
        builder.variable("go", (), upper=1.0, integer=True)
    node = np.append(np.repeat(np.arange(len(parent)), columns), np.zeros(int(integer), int))
    assert x.size == len(parent) * columns
    return Staged(builder.build("max"), np.array(parent), node)


@settings(max_examples=12)
@given(st.integers(0, 100_000), st.booleans(), st.integers(0, 1))
def test_every_route_gives_one_objective(seed, limit, starts):
    staged = random_plan(seed, Kind(depth=3, limit=limit, starts=starts))
    found = [solve_staged(staged, route=name, gap=1e-7) for name in ("extensive", "two-stage", "subtree")]
    for other in found[1:]:
        assert other.solution.status == "optimal"
        assert other.solution.objective == pytest.approx(found[0].solution.objective, rel=1e-5, abs=1e-5)
        assert other.gap < 1e-5
        assert max(certify(staged.model, other.solution)) < 1e-6


def test_a_small_program_is_solved_directly_and_the_reason_says_so():
    route = choose_route(random_plan(1, Kind(depth=3)))
    assert route.name == "extensive"
    assert "columns are few" in route.reason


def test_many_scenarios_after_a_common_start_take_the_two_stage_route():
    route = choose_route(wide([1, 1, 400, 1, 1], 40))
    assert (route.name, route.tau, route.blocks) == ("two-stage", 3, 400)
    assert route.reason == (
        "L-shaped method: 48,120 columns, cut at depth 3 into 400 blocks of up to 120 columns under a master of 120"
    )


def test_a_tree_that_keeps_branching_is_cut_where_blocks_are_small_and_the_master_is_smaller():
    route = choose_route(wide([4, 1, 3, 1, 3, 1, 3, 1, 3], 118))
    assert route.name == "subtree"
    assert route.blocks == 12
    assert f"{route.blocks:,} blocks" in route.reason


def test_integers_choose_branch_and_bound_where_they_are_everywhere_and_the_master_where_they_are_early():
    late = wide([1, 400, 1], 40)
    builder = Builder()
    builder.variable("x", (late.model.column_count,), upper=1.0, integer=True)
    everywhere = Staged(builder.build("max"), late.parent, late.column_node)
    assert choose_route(everywhere).name == "extensive"
    assert "branch and bound" in choose_route(everywhere).reason
    assert choose_route(wide([1, 400, 1], 40, integer=True)).name == "two-stage"


def test_a_cut_that_is_asked_for_and_impossible_is_refused():
    chain = wide([1, 1], 3)
    with pytest.raises(ValueError, match="the tree cannot be cut"):
        choose_route(chain, name="subtree")
    with pytest.raises(ValueError, match="'benders' is not known"):
        choose_route(chain, name="benders")


def test_a_start_helps_the_route_that_it_fits(monkeypatch):
    staged = random_plan(6, Kind(depth=3))
    cold = solve(staged.model)
    assert solve_staged(staged, start=cold.basis).solution.iterations <= 2
    monkeypatch.setattr(routes, "DIRECT_COLUMNS", 10)
    monkeypatch.setattr(routes, "FEW_BLOCKS", 2)
    found = solve_staged(staged, start=cold.x)
    assert found.route.name != "extensive"
    assert found.solution.objective == pytest.approx(cold.objective, rel=1e-6)
