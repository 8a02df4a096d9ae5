"""The scenario tree: what it keeps of its samples, what it may know, how it is cut."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.domain.errors import InputError
from exaplan.domain.futures import World
from exaplan.domain.lab import Branch, Futures, RentalMarket
from exaplan.domain.quarter import Quarter
from exaplan.domain.uncertain import Uncertain
from exaplan.economy.clustering import split
from exaplan.economy.sampling import sample_world
from exaplan.economy.state import money_scale, persistence, state_names, states
from exaplan.economy.tree import LEAST_PATHS, condense, grow_tree, node_slips, partition

FIRST = Quarter(2026, 3)
INTO = [1, 2, 2, 1, 3, 1, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1]
EXACT = ("demand_tokens", "price_usd_per_token", "rental_index", "frontier")


@pytest.fixture(scope="module")
def lab(make_lab):
    return make_lab()


@pytest.fixture(scope="module")
def world(lab):
    return sample_world(lab, paths=4000, seed=1, purpose="tree")


@pytest.fixture(scope="module")
def tree(lab):
    return grow_tree(lab)


def bytes_of(tree):
    arrays = [tree.parent, tree.stage, tree.probability, tree.scale]
    return [a.tobytes() for a in arrays] + [getattr(tree.world, name).tobytes() for name in (*EXACT, "slip")]


def test_the_tree_has_as_many_leaves_as_its_branches_multiply_to(tree):
    assert len(tree.leaves) == 32
    assert tree.quarters == 16
    assert len(tree.parent) == 1 + 2 + 2 * 4 + 3 * 8 + 3 * 16 + 6 * 32


def test_nodes_are_sorted_by_stage_with_parents_before_children(tree):
    assert np.all(np.diff(tree.stage) >= 0)
    assert tree.parent[0] == -1
    assert np.all(tree.parent[1:] < np.arange(1, len(tree.parent)))
    assert np.all(tree.stage[tree.parent[1:]] == tree.stage[1:] - 1)


def test_probabilities_sum_to_one_in_each_quarter_and_children_share_their_parent(tree):
    assert np.bincount(tree.stage, tree.probability) == pytest.approx(1, abs=1e-12)
    children = np.bincount(tree.parent[1:], tree.probability[1:], minlength=len(tree.parent))
    inner = tree.stage < 15
    assert children[inner] == pytest.approx(tree.probability[inner], abs=1e-12)


def test_the_tree_expects_what_its_samples_average_to(tree, world):
    for name in EXACT:
        nodes, paths = getattr(tree.world, name), getattr(world, name)
        for quarter in range(16):
            here = tree.stage == quarter
            expected = np.tensordot(tree.probability[here], nodes[here], axes=1)
            assert expected == pytest.approx(paths[:, quarter].mean(axis=0), rel=1e-12)


def test_the_same_seed_gives_the_same_bytes_and_another_one_another_tree(lab, tree):
    assert bytes_of(grow_tree(lab)) == bytes_of(tree)
    assert bytes_of(grow_tree(lab, seed=2)) != bytes_of(tree)


def test_a_node_knows_nothing_of_later_quarters(lab, world):
    scale = money_scale(lab, world)
    other = sample_world(lab, paths=4000, seed=99)
    for today in (1, 4, 9):
        changed = World(
            **{
                field.name: np.concatenate(
                    [getattr(world, field.name)[:, : today + 1], getattr(other, field.name)[:, today + 1 :]],
                    axis=1,
                )
                for field in dataclasses.fields(World)
            }
        )
        before, after = (partition(w, into=INTO, scale=scale) for w in (world, changed))
        assert np.array_equal(before[:, : today + 1], after[:, : today + 1])
        assert not np.array_equal(before[:, 10], after[:, 10])
        trees = [condense(w, node, scale=scale) for w, node in ((world, before), (changed, after))]
        past = trees[0].stage <= today
        for name in (*EXACT, "slip"):
            values = [getattr(t.world, name) for t in trees]
            assert np.array_equal(values[0][past], values[1][: past.sum()])


def test_a_sample_path_finds_its_own_node_by_the_nearest_state(lab, world):
    scale = money_scale(lab, world)
    node = partition(world, into=INTO, scale=scale)
    tree = condense(world, node, scale=scale)
    seen, known = states(world) / scale, states(tree.world)
    for quarter in (1, 2, 4, 7, 10):
        here = np.flatnonzero(tree.stage == quarter)
        parents = np.flatnonzero(tree.stage == quarter - 1)[node[:, quarter - 1]]
        gap = ((seen[:, quarter, None] - known[here] / scale[quarter]) ** 2).sum(axis=2)
        nearest = np.where(tree.parent[here] == parents[:, None], gap, np.inf).argmin(axis=1)
        assert (nearest == node[:, quarter]).mean() > 0.9


def test_siblings_ascend_in_demand_where_only_demand_is_uncertain(make_lab, serve, futures):
    lab = make_lab(workloads=(serve(),), capability=None, futures=futures(slips=(), rental=RentalMarket()))
    tree = grow_tree(lab)
    for quarter in (1, 2, 4, 7, 10):
        here = np.flatnonzero(tree.stage == quarter)
        low, high = tree.world.demand_tokens[here, 0].reshape(-1, 2).T
        assert np.all(low < high)


def test_branches_are_spent_on_money(lab, world, tree):
    """Scaling by standard deviations instead keeps clearly less of the spread of revenue."""
    deviation = states(world).std(axis=0)
    plain = condense(
        world,
        partition(world, into=[1, 2, 2, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1], scale=np.where(deviation > 1e-9, deviation, np.inf)),
        scale=deviation,
    )  # fmt: skip

    def spread(of):
        last = of.stage == 15
        logs = np.log((of.world.demand_tokens * of.world.price_usd_per_token).sum(axis=1)[last])
        return np.sqrt(of.probability[last] @ (logs - of.probability[last] @ logs) ** 2)

    assert spread(tree) > 1.2 * spread(plain)


def test_states_that_move_no_money_do_not_count(lab, world, make_lab):
    aloof = make_lab(offers=(), capability=None, futures=Futures())
    scale = money_scale(aloof, sample_world(aloof, paths=50, seed=1))
    names = state_names(aloof)
    assert names == ("demand.chat", "demand.code", "price.chat", "price.code", "rental", "frontier", "slip")
    assert np.all(np.isinf(scale[:, [names.index("rental"), names.index("frontier")]]))
    assert np.all(np.isfinite(scale[:, :2]))
    assert np.all(np.isfinite(money_scale(lab, world)[:, names.index("rental")]))


def test_a_trend_weighs_more_than_a_walk_and_a_walk_more_than_what_reverts():
    rng = np.random.Generator(np.random.PCG64(3))
    slope, news, once = (rng.standard_normal(shape) for shape in ((20_000, 1), (20_000, 9), (20_000, 9)))
    weight = persistence(np.stack([slope * np.arange(1, 10), news.cumsum(axis=1), once], axis=-1))
    assert weight[0] == pytest.approx([5, 1, 1 / 9], rel=0.03)
    assert weight[8] == pytest.approx([1, 1, 1])


def test_the_fit_admits_what_the_tree_lost(tree):
    rows = {(row.quarter, row.state): row for row in tree.fit}
    assert all(
        abs(row.mean_error) < 1e-9
        for (_, state), row in rows.items()
        if state.split(".")[0] in ("demand", "price")
    )
    assert rows[0, "demand.chat"].sd_ratio == 1
    assert 0 < rows[15, "demand.chat"].sd_ratio < 1
    assert 0.75 < rows[15, "revenue"].sd_ratio < 1
    assert abs(rows[15, "revenue"].mean_error) < 0.03


def test_without_branches_or_without_uncertainty_the_tree_is_a_chain(make_lab, serve, futures):
    chain = grow_tree(make_lab(futures=Futures(samples=100)))
    assert np.array_equal(chain.parent, np.arange(-1, 15))
    certain = serve(growth=Uncertain.point(0.5), volatility=0.0)
    calm = make_lab(workloads=(certain,), capability=None, futures=futures(slips=(), rental=RentalMarket()))
    assert len(grow_tree(calm).parent) == 16


def test_one_quarter_is_one_node(make_lab):
    tree = grow_tree(make_lab(futures=Futures(samples=50)), quarters=1)
    assert len(tree.parent) == 1
    assert tree.probability[0] == 1


def test_a_lab_without_customers_grows_a_tree(make_lab):
    tree = grow_tree(make_lab(workloads=(), offers=(), capability=None, futures=Futures(samples=50)))
    assert tree.world.demand_tokens.shape == (16, 0)


def test_thin_leaves_get_more_samples(make_lab, futures):
    tree = grow_tree(make_lab(futures=futures(samples=40)))
    assert tree.samples >= 32 * LEAST_PATHS
    assert len(tree.leaves) == 32
    assert (tree.probability[tree.leaves] * tree.samples).min() >= LEAST_PATHS - 1e-9


def test_a_rare_future_keeps_a_node_as_long_as_its_samples_bear_it(make_lab, serve, futures):
    rare = Uncertain(family="choice", values=(0.5, 5.0), weights=(0.995, 0.005))
    tree = grow_tree(make_lab(workloads=(serve(growth=rare, volatility=0.0),), futures=futures(slips=())))
    count = tree.probability * tree.samples
    assert count.min() >= LEAST_PATHS - 1e-9
    boom = tree.world.demand_tokens[tree.leaves, 0].argmax()
    assert tree.world.demand_tokens[tree.leaves[boom], 0] == pytest.approx(12e12 * 6**3.75)


def test_late_quarters_are_as_many_on_the_tree_as_in_the_samples(tree, world):
    expected = tree.probability @ tree.world.slip
    assert expected == pytest.approx(
        world.slip.mean(axis=0).sum(axis=0), abs=2 * tree.probability[tree.leaves].max()
    )
    assert tree.world.slip[0].sum() == 0
    assert tree.world.slip.max() <= 2


@given(late=st.floats(0, 0.6), width=st.integers(1, 12), quarters=st.integers(2, 20))
def test_no_slip_is_lost_or_invented(late, width, quarters):
    stage = np.concatenate([[0], np.repeat(np.arange(1, quarters), width)])
    probability = np.concatenate([[1.0], np.full((quarters - 1) * width, 1 / width)])
    share = np.where(stage > 0, late, 0.0)[:, None]
    slip = node_slips(share, share**2, stage, probability)
    assert probability @ (slip[:, 0] >= 1) == pytest.approx((quarters - 1) * late, abs=0.5 / width + 1e-9)
    assert probability @ (slip[:, 0] == 2) <= (quarters - 1) * late**2 + 0.5 / width + 1e-9


def test_nodes_whose_paths_are_late_most_often_are_the_late_ones():
    slip = node_slips(
        np.array([[0.0], [0.1], [0.7]]), np.zeros((3, 1)), np.array([0, 1, 1]), np.array([1.0, 0.6, 0.4])
    )
    assert slip[:, 0].tolist() == [0, 0, 1]


def test_cells_of_a_normal_are_the_published_ones():
    # Max (1960), IRE Trans. Inf. Theory 6:7: the best four values for a standard normal are 0.4528 and 1.510.
    draws = np.random.Generator(np.random.PCG64(1)).standard_normal((200_000, 1))
    cell = split(draws, np.zeros(len(draws), dtype=int), into=4)
    assert [draws[cell == c].mean() for c in range(4)] == pytest.approx(
        [-1.51, -0.4528, 0.4528, 1.51], abs=0.02
    )


@pytest.mark.parametrize(
    ("date", "into", "message"),
    [
        (FIRST, 2, "the first quarter is known"),
        (FIRST + 16, 2, "lies outside the 16 quarters from 2026-Q3"),
        (FIRST + 3, 0, "has 0 children"),
    ],
)
def test_a_branch_that_cannot_be_is_refused(make_lab, date, into, message):
    with pytest.raises(InputError, match=message):
        grow_tree(make_lab(futures=Futures(branches=(Branch(date=date, into=into),))))


def test_two_branches_on_one_date_are_refused(make_lab):
    twice = Futures(branches=(Branch(date=FIRST + 2, into=2), Branch(date=FIRST + 2, into=3)))
    with pytest.raises(InputError, match="two branches are dated 2027-Q1"):
        grow_tree(make_lab(futures=twice))
