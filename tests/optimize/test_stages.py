"""Programs over trees: where rows stand, where trees are cut, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.optimize.trees import Kind, ancestor, random_plan

from exaplan.optimize.blocks import Builder
from exaplan.optimize.highs import solve
from exaplan.optimize.stages import Staged, fixed_before

PARENT = np.array([-1, 0, 0, 1, 1, 2])


def small() -> Staged:
    """Six nodes; row 0 joins a path, row 1 two branches, row 2 is empty."""
    builder = Builder()
    x = builder.variable("x", (6,), upper=1.0, cost=1.0)
    row = builder.rows("row", (3,), upper=5.0)
    builder.add(row, [0, 0, 0], x.index[[0, 1, 4]], 1.0)
    builder.add(row, [1, 1], x.index[[3, 4]], 1.0)
    return Staged(builder.build("max"), PARENT, np.arange(6))


def test_a_row_stands_where_its_deepest_column_stands_and_one_over_branches_couples_them():
    staged = small()
    assert staged.row_node.tolist() == [4, 0, 0]
    assert staged.coupling_rows.tolist() == [1]


def test_a_cut_numbers_the_subtrees_in_order():
    staged = small()
    assert staged.blocks_at(1).tolist() == [-1, 0, 1, 0, 0, 1]
    assert staged.blocks_at(2).tolist() == [-1, -1, -1, 0, 1, 2]
    assert staged.nodes_at.tolist() == [1, 2, 3]


@given(st.integers(0, 10_000))
def test_the_walk_of_the_tree_holds_exactly_the_descendants_between_its_ends(seed):
    staged = random_plan(seed, Kind(depth=3))
    first, past = staged.order
    for node in range(staged.node_count):
        line = {int(ancestor(staged.parent, steps)[node]) for steps in range(4)} - {-1}
        around = np.flatnonzero((first <= first[node]) & (first[node] < past))
        assert set(around.tolist()) == line
    assert sorted(first.tolist()) == list(range(staged.node_count))


@pytest.mark.parametrize(
    ("parent", "node", "message"),
    [
        ([0, 0], [0, 1], "node 0 is the root and needs parent -1"),
        ([-1, 2, 0], [0, 1], "node 1 has parent 2; parents must come before children"),
        ([-1, 0], [0], "column_node has shape"),
        ([-1, 0], [0, 2], r"column x\[1\] is at node 2 of 0..1"),
    ],
)
def test_trees_that_make_no_sense_are_refused(parent, node, message):
    builder = Builder()
    builder.variable("x", (2,))
    with pytest.raises(ValueError, match=message):
        Staged(builder.build("max"), np.array(parent), np.array(node))


@given(st.integers(0, 10_000))
def test_keeping_the_optimal_first_stage_costs_nothing_and_any_other_never_gains(seed):
    staged = random_plan(seed, Kind(depth=3))
    best = solve(staged.model)
    kept = solve(fixed_before(staged, 1, best.x))
    assert kept.objective == pytest.approx(best.objective, rel=1e-6, abs=1e-6)
    other = solve(fixed_before(staged, 1, np.where(staged.column_node == 0, 0.3 * best.x, best.x)))
    assert not other.has_values or other.objective <= best.objective + 1e-6


def test_nothing_can_be_kept_of_a_solve_that_gave_no_values():
    staged = small()
    with pytest.raises(ValueError, match="gave no values"):
        fixed_before(staged, 1, np.full(6, np.nan))
