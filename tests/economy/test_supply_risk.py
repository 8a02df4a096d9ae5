"""Suppliers that ration or fail and sites that stand still: as often as stated, on paths and on the tree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.domain.errors import InputError
from exaplan.domain.lab import Correlation
from exaplan.domain.supply import Site
from exaplan.domain.supply_risk import Default, SiteDelay, Supply
from exaplan.domain.uncertain import Uncertain
from exaplan.economy.processes import failed_quarters, standstill_quarters
from exaplan.economy.sampling import sample_world
from exaplan.economy.state import state_names, states
from exaplan.economy.tree import grow_tree, node_failures

SHORT = Supply(supplier="cloud", level=Uncertain(family="lognormal", low=0.7, high=1.1), volatility=0.2)
BOTH = (SHORT, Supply(supplier="foundry", volatility=0.3))
FAILING = Default(supplier="foundry", chance_per_year=0.1)
SITE = Site(id="hall", power_w=(1e8,), pue=1.2, electricity_usd_per_j=1e-8)
LATE = SiteDelay(site="hall", probability=0.25)


def shaken(make_lab, futures, **more):
    return make_lab(
        sites=(SITE,), futures=futures(supply=BOTH, defaults=(FAILING,), site_delays=(LATE,), **more)
    )


def test_failures_come_with_the_chance_of_a_year_and_stay():
    news = np.random.default_rng(1).standard_normal((200_000, 9))
    gone = failed_quarters(0.1, news)
    assert (np.diff(gone, axis=1) >= 0).all()
    assert gone.mean(axis=0)[[0, 4, 8]] == pytest.approx([0, 0.1, 1 - 0.9**2], abs=0.003)
    assert failed_quarters(0.0, news).sum() == 0


def test_building_stands_still_as_often_as_stated_and_never_at_the_start():
    struck = standstill_quarters(0.3, np.random.default_rng(2).standard_normal((200_000, 3)))
    assert struck.mean(axis=0) == pytest.approx([0, 0.3, 0.3], abs=0.004)


def test_supply_is_whole_today_and_has_the_stated_middle_and_spread(make_lab, futures):
    world = sample_world(shaken(make_lab, futures), paths=40_000, seed=1)
    cloud = world.supply[:, :, 0]
    assert (cloud[:, 0] == 1).all()
    logs = np.log(cloud[:, 4])
    level = (np.log(1.1) - np.log(0.7)) / 2 / 1.6448536
    assert np.median(cloud[:, 4]) == pytest.approx(np.sqrt(0.7 * 1.1) * np.exp(-(0.2**2) / 2), rel=0.01)
    assert logs.std() == pytest.approx(np.hypot(level, 0.2), rel=0.02)


def test_two_suppliers_can_run_short_together(make_lab, futures):
    pair = (Correlation(between=("supply", "supply"), rho=0.8),)
    steps = [
        np.diff(np.log(sample_world(lab, paths=20_000, seed=1).supply[:, 1:]), axis=1)
        for lab in (shaken(make_lab, futures), shaken(make_lab, futures, correlations=pair))
    ]
    apart, together = (np.corrcoef(s.reshape(-1, 2).T)[0, 1] for s in steps)
    assert apart == pytest.approx(0, abs=0.02)
    assert together == pytest.approx(0.8, abs=0.02)


def test_what_is_new_leaves_the_other_draws_and_the_states_as_they_were(make_lab, futures):
    plain, shaken_lab = make_lab(sites=(SITE,)), shaken(make_lab, futures)
    before, after = (sample_world(lab, paths=64, seed=5) for lab in (plain, shaken_lab))
    for name in ("demand_tokens", "price_usd_per_token", "rental_index", "frontier", "slip"):
        assert np.allclose(getattr(before, name), getattr(after, name), rtol=1e-12), name
    assert before.supply.shape == (64, 16, 0)
    assert states(before).shape[-1] == len(state_names(plain))
    assert states(after).shape[-1] == len(state_names(shaken_lab)) == len(state_names(plain)) + 3


def test_the_tree_expects_the_supply_of_its_samples_and_as_many_failures_and_standstills(make_lab, futures):
    lab = shaken(make_lab, futures)
    tree = grow_tree(lab)
    world = sample_world(lab, paths=tree.samples, seed=lab.futures.seed, purpose="tree")
    heaviest = tree.probability[tree.leaves].max()
    for t in range(tree.quarters):
        at = tree.stage == t
        assert tree.probability[at] @ tree.world.supply[at] == pytest.approx(world.supply[:, t].mean(axis=0))
    last = tree.stage == tree.quarters - 1
    assert tree.probability[last] @ tree.world.gone[last] == pytest.approx(
        world.gone[:, -1].mean(axis=0), abs=heaviest
    )
    below = tree.parent >= 0
    assert (tree.world.gone[below] >= tree.world.gone[tree.parent[below]]).all()
    lost = tree.probability @ tree.world.standstill
    assert lost == pytest.approx(world.standstill.sum(axis=1).mean(axis=0), abs=heaviest)
    assert {"supply.cloud", "default.foundry", "standstill"} <= {row.state for row in tree.fit}


@given(chance=st.floats(0, 1), width=st.integers(1, 10), quarters=st.integers(2, 8))
def test_failures_on_a_tree_match_to_half_a_node_and_never_heal(chance, width, quarters):
    stage = np.concatenate([[0], np.repeat(np.arange(1, quarters), width)])
    parent = np.concatenate([[-1], np.zeros(width, int), np.arange(1, (quarters - 2) * width + 1)]).astype(
        int
    )
    probability = np.concatenate([[1.0], np.full((quarters - 1) * width, 1 / width)])
    share = 1 - (1 - chance) ** np.maximum(stage - 1, 0.0)[:, None]
    gone = node_failures(share, parent, stage, probability)
    assert (gone[1:] >= gone[parent[1:]]).all()
    for t in range(1, quarters):
        at = stage == t
        assert probability[at] @ gone[at, 0] == pytest.approx(
            probability[at] @ share[at, 0], abs=0.5 / width + 1e-9
        )


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"supply": (Supply(supplier="fab"),)}, "futures.supply: 'fab' supplies nothing in this lab"),
        ({"defaults": (FAILING, FAILING)}, "futures.defaults: 'foundry' stands there twice"),
        ({"site_delays": (LATE,)}, "futures.site_delays: 'hall' is no site of this lab"),
    ],
)
def test_shocks_of_a_stranger_are_refused(make_lab, futures, stated, message):
    with pytest.raises(InputError, match=message):
        sample_world(make_lab(futures=futures(**stated)), paths=2, seed=1)
