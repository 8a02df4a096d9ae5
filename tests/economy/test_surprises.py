"""Demand that comes later, renewals, shifts of models, capital windows, named futures: on paths and on the tree."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.economy.conftest import FIRST

from exaplan.domain.capability import Capability
from exaplan.domain.errors import InputError
from exaplan.domain.futures_input import CapitalWindow, DemandDelay, ModelShift, Pinned
from exaplan.domain.lab import Correlation, Finance, RentalMarket, Round
from exaplan.domain.rental import Regime, Spot, Switch
from exaplan.domain.supply_risk import RenewalNews
from exaplan.domain.uncertain import Uncertain
from exaplan.economy.copula import factor_names, join
from exaplan.economy.regimes import transition, window_generator
from exaplan.economy.sampling import sample_world
from exaplan.economy.state import money_scale, state_names, states
from exaplan.economy.surprises import delay_quarters, later, shifted_rate
from exaplan.economy.tree import grow_tree

NINE_MONTHS = Uncertain(family="uniform", low=0.0, high=9.0)
LATE = DemandDelay(chance=0.4, months=NINE_MONTHS)
JUMP = RenewalNews(supplier="cloud", jump=Uncertain(family="lognormal", low=0.9, high=1.5), refusal=0.2)
SHIFT = ModelShift(
    id="sparse", chips=("h100",), chance_per_year=0.25,
    factor=Uncertain(family="choice", values=(0.5, 0.8), weights=(0.5, 0.5)),
)  # fmt: skip
WINDOW = CapitalWindow(id="ipo", closes=0.6, reopens=1.0)
REGIMES = (
    Regime(id="glut", level=0.7, switches=(Switch(to="scarcity", rate=0.5),)),
    Regime(id="scarcity", level=1.4, switches=(Switch(to="glut", rate=0.8),)),
)
MARKET = RentalMarket(
    start=1.2, volatility=0.2, reversion=1.0, regimes=REGIMES, spot=Spot(volatility=0.5, reversion=2.0)
)
ROUND = Round(id="ipo", first=FIRST, last=FIRST + 15, max_usd=1e9)
MONEY = Finance(cash_usd=1e10, cash_rate=0.03, cost_of_equity=0.12, tax_rate=0.2, rounds=(ROUND,))
PROGRESS = Uncertain(family="growth", low=0.7, high=5.0)
BEAR = Pinned(id="bear", probability=0.2, demand=0.1, price=0.25, delay=0.9)
BULL = Pinned(id="bull", probability=0.1, demand=0.9)


def law():
    return Capability(
        start=1.0, parity_flop_per_quarter=1e25, decay=0.1, returns=0.7, algorithmic_progress=PROGRESS,
        frontier_growth=Uncertain(family="growth", low=1.5, high=4.0),
    )  # fmt: skip


@pytest.fixture
def full(make_lab, futures):
    """A lab of every process."""

    def make(**changes):
        stated = {
            "rental": MARKET, "demand_delay": (LATE,), "renewals": (JUMP,), "model_shifts": (SHIFT,),
            "capital_window": (WINDOW,), "rates": "sampled", "pinned": (BEAR, BULL),
        }  # fmt: skip
        return make_lab(futures=futures(**{**stated, **changes}), finance=MONEY, capability=law())

    return make


# ------------------------------------------------------------------------------------------------------- demand delay
def test_a_delay_has_its_chance_and_its_quantiles():
    z = np.random.Generator(np.random.PCG64(3)).standard_normal(100_000)
    late = delay_quarters(NINE_MONTHS, 0.4, z)
    assert (late > 0).mean() == pytest.approx(0.4, abs=0.005)
    assert np.quantile(late[late > 0], [0.05, 0.5, 0.95]) == pytest.approx([0.15, 1.5, 2.85], abs=0.03)
    assert np.corrcoef(z, late)[0, 1] > 0.7  # a high draw is a long delay
    certain = delay_quarters(Uncertain.point(6.0), 1.0, z)
    assert np.all(certain == 2.0)


@given(d=st.floats(0, 20), growth=st.floats(-0.5, 3.0))
def test_a_steady_curve_that_comes_later_is_what_it_was_then(d, growth):
    t = np.arange(12)
    curve = (1 + growth) ** (t / 4)
    expected = (1 + growth) ** (np.maximum(t - d, 0) / 4)
    assert later(curve[None], np.array([d]))[0] == pytest.approx(expected)


def test_without_delay_nothing_moves_and_nothing_stays_nothing():
    curve = np.array([[1.0, 0.0, 3.0, 5.0]])
    assert np.array_equal(later(curve, np.zeros(1)), curve)
    assert later(curve, np.ones(1)).tolist() == [[1.0, 1.0, 0.0, 3.0]]
    assert later(curve, np.array([0.5]))[0, :3].tolist() == [1.0, 0.0, 0.0]


def test_all_demand_is_late_by_the_same_time_and_a_workloads_own_delay_is_its_own(make_lab, serve, futures):
    calm = (
        serve(volatility=0.0, growth=Uncertain.point(1.0)),
        serve("code", volatility=0.0, growth=Uncertain.point(0.5)),
    )
    both = make_lab(workloads=calm, futures=futures(demand_delay=(DemandDelay(months=NINE_MONTHS),)))
    world = sample_world(both, paths=2000, seed=1)
    late = [
        15 - 4 * np.log(world.demand_tokens[:, 15, k] / 12e12) / np.log(1 + g)
        for k, g in ((0, 1.0), (1, 0.5))
    ]
    assert late[0] == pytest.approx(late[1])
    assert np.quantile(late[0], [0.05, 0.95]) == pytest.approx([0.15, 2.85], abs=0.1)
    own = futures(demand_delay=(DemandDelay(workload="code", months=NINE_MONTHS),))
    world = sample_world(make_lab(workloads=calm, futures=own), paths=200, seed=1)
    assert np.ptp(world.demand_tokens[:, 15, 0]) == 0
    assert np.ptp(world.demand_tokens[:, 15, 1]) > 0


def test_a_delay_can_go_with_slow_growth(make_lab, futures):
    stated = futures(demand_delay=(LATE,), correlations=(Correlation(between=("delay", "demand"), rho=-0.6),))
    lab = make_lab(futures=stated)
    assert not join(lab).remarks
    names = factor_names(lab)
    assert join(lab).matrix[names.index("delay"), names.index("demand.chat")] == -0.6


# ----------------------------------------------------------------------------------------------- spot, recipes, shifts
def test_spot_is_the_contract_index_times_a_basis_of_mean_one(full):
    world = sample_world(full(pinned=()), paths=40_000, seed=2)
    basis = world.spot[..., 0] / world.rental_index
    assert np.array_equal(world.spot_index, world.spot[..., 0])
    assert basis[:, 0] == pytest.approx(1)
    assert basis[:, 12].mean() == pytest.approx(1, abs=0.01)
    spread = 0.5 * np.sqrt((1 - np.exp(-2 * 2.0 * 3)) / 4)
    assert np.log(basis[:, 12]).std() == pytest.approx(spread, rel=0.02)
    assert np.corrcoef(np.log(basis[:, 12]), np.log(world.rental_index[:, 12]))[0, 1] == pytest.approx(
        0, abs=0.02
    )


def test_recipes_grow_by_one_draw_per_path_with_its_quantiles(full):
    gained = sample_world(full(), paths=40_000, seed=2).algorithm[:, 8, 0]
    assert np.quantile(gained, [0.05, 0.95]) == pytest.approx([1.7**2, 6.0**2], rel=0.02)


def test_a_shift_comes_within_a_year_with_its_chance_and_stays(full):
    world = sample_world(full(), paths=40_000, seed=4)
    assert world.rate.shape[-1] == 1
    moved = world.rate[..., 0]
    assert (moved[:, 4] < 1).mean() == pytest.approx(0.25, abs=0.008)
    assert (moved[:, 8] < 1).mean() == pytest.approx(1 - 0.75**2, abs=0.008)
    assert set(np.unique(moved)) == {0.5, 0.8, 1.0}
    assert np.all((moved[:, 1:] == moved[:, :-1]) | (moved[:, :-1] == 1))
    assert (moved[:, 15][moved[:, 15] < 1] == 0.5).mean() == pytest.approx(0.5, abs=0.01)


def test_the_error_of_the_performance_model_is_one_draw_per_chip_and_path(full):
    error = sample_world(full(), paths=20_000, seed=4).rate_error
    assert np.all(np.ptp(error, axis=1) == 0)
    assert [error.mean(), error.std()] == pytest.approx([0, 1], abs=0.02)
    assert sample_world(full(rates="planned"), paths=4, seed=4).rate_error.shape == (4, 16, 0)


# -------------------------------------------------------------------------------------------------- renewals, windows
def test_renewed_prices_jump_and_suppliers_refuse_as_stated(full):
    lab = full()
    world = sample_world(lab, paths=20_000, seed=6)
    place = lab.suppliers.index("cloud")
    jump, refused = world.jump[..., place], world.refused[..., place]
    assert np.all(jump[:, 0] == 1)
    assert np.quantile(jump[:, 5], [0.05, 0.95]) == pytest.approx([0.9, 1.5], rel=0.02)
    assert refused[:, 1:].mean() == pytest.approx(0.2, abs=0.005)
    assert np.all(refused[:, 0] == 0)
    other = lab.suppliers.index("foundry")
    assert np.all(world.jump[..., other] == 1)
    assert not world.refused[..., other].any()


def test_a_window_is_open_as_long_as_its_chain_says(full):
    able = sample_world(full(), paths=40_000, seed=7).open_round[..., 0]
    rates = window_generator(WINDOW)
    expected = [transition(rates, t / 4)[1, 1] if t else 1.0 for t in range(16)]
    assert able.mean(axis=0) == pytest.approx(expected, abs=0.01)
    assert np.corrcoef(able[:, 14], able[:, 15])[0, 1] == pytest.approx(np.exp(-1.6 / 4), abs=0.02)


# ------------------------------------------------------------------------------------------------------ named futures
def test_a_named_future_has_exactly_its_share_of_paths(full):
    world = sample_world(full(), paths=1000, seed=1)
    assert np.bincount(world.future + 1).tolist() == [700, 200, 100]
    for begin in (0, 300, 700):  # any stretch of paths has about the same shares
        assert (world.future[begin : begin + 100] == 0).mean() == pytest.approx(0.2, abs=0.03)


@given(paths=st.integers(1, 400), antithetic=st.booleans())
def test_shares_are_right_to_a_path_whatever_the_number(paths, antithetic):
    from types import SimpleNamespace

    from exaplan.economy.pinning import future_of_paths

    lab = SimpleNamespace(futures=SimpleNamespace(pinned=(BEAR, BULL)))
    future = future_of_paths(lab, paths, antithetic=antithetic)
    for number, pinned in enumerate((BEAR, BULL)):
        assert abs((future == number).sum() - pinned.probability * paths) <= 1


def test_in_a_named_future_its_sources_stand_at_their_quantiles_and_news_stay_random(full, make_lab, serve):
    calm = serve(volatility=0.0)
    lab = full(demand_delay=(DemandDelay(months=NINE_MONTHS),)).model_copy(update={"workloads": (calm,)})
    world = sample_world(lab, paths=1000, seed=1)
    bear, bull = (world.demand_tokens[world.future == k, 12, 0] / 12e12 for k in (0, 1))
    z = 1.2816
    middle, spread = np.log([1.3 * 2.2]).item() / 2, np.log(2.2 / 1.3) / (2 * 1.6449)
    assert bear == pytest.approx(np.exp((middle - z * spread) * (12 - 0.9 * 3) / 4), rel=1e-4)
    free_delay = np.exp((middle + z * spread) * 12 / 4)
    assert bull.max() <= free_delay * (1 + 1e-4)
    assert np.ptp(bull) > 0  # the delay is not pinned in the bull's future
    assert np.ptp(world.rental_index[world.future == 0, 12]) > 0


def test_editing_one_source_leaves_the_numbers_of_the_others(full, make_lab, futures):
    before = sample_world(full(pinned=()), paths=64, seed=5)
    without = futures(rental=RentalMarket(start=1.2, volatility=0.2, reversion=1.0), rates="sampled")
    after = sample_world(make_lab(futures=without, finance=MONEY, capability=law()), paths=64, seed=5)
    assert np.array_equal(before.frontier, after.frontier)
    assert np.array_equal(before.slip, after.slip)
    assert np.array_equal(before.price_usd_per_token, after.price_usd_per_token)
    assert np.array_equal(before.rate_error, after.rate_error)
    assert np.array_equal(before.algorithm, after.algorithm)
    louder = full(pinned=(), capital_window=(WINDOW.model_copy(update={"closes": 3.0}),))
    changed = sample_world(louder, paths=64, seed=5)
    names = {field.name for field in dataclasses.fields(before)} - {"open_round"}
    assert all(np.array_equal(getattr(before, name), getattr(changed, name)) for name in names)
    assert not np.array_equal(before.open_round, changed.open_round)


# ----------------------------------------------------------------------------------------------------------- the tree
def test_the_tree_sees_what_can_be_seen_and_expects_its_samples(full):
    lab = full()
    tree = grow_tree(lab)
    world = sample_world(lab, paths=tree.samples, seed=lab.futures.seed, purpose="tree")
    assert states(world).shape[-1] == len(state_names(lab)) == money_scale(lab, world).shape[1]
    assert state_names(lab)[-6:] == ("spot", "algorithm", "rate", "jump", "refusal", "window")
    for name in ("spot", "algorithm", "rate", "jump", "refused", "open_round", "pinned"):
        for quarter in (3, 15):
            here = tree.stage == quarter
            expected = tree.probability[here] @ getattr(tree.world, name)[here]
            assert expected == pytest.approx(getattr(world, name)[:, quarter].mean(axis=0))
    assert tree.world.rate_error.shape == (len(tree.parent), 0)
    assert tree.world.pinned[0] == pytest.approx([0.2, 0.1], abs=1e-3)


def test_the_fit_tells_each_state_and_its_distance(full):
    tree = grow_tree(full())
    rows = {(row.quarter, row.state): row for row in tree.fit}
    for state in ("spot", "algorithm", "rate.h100", "renewal.cloud", "refusal.cloud", "window.ipo"):
        assert abs(rows[15, state].mean_error) < 1e-9
        assert rows[0, state].distance == pytest.approx(0, abs=1e-12)
    assert rows[15, "demand.chat"].distance > 0
    assert tree.distance[0] == pytest.approx(0, abs=1e-9)
    assert np.all(tree.distance[1:] > 0)
    branches = full().futures.branches
    finer = grow_tree(full(branches=tuple(b.model_copy(update={"into": 3}) for b in branches[:3])))
    coarse = grow_tree(full(branches=branches[:3]))
    assert finer.distance[1:].mean() < coarse.distance[1:].mean()


def test_the_distance_of_a_state_is_the_area_between_two_distributions():
    from types import SimpleNamespace

    from exaplan.economy.fit import wasserstein

    tree = SimpleNamespace(quarters=1, stage=np.zeros(2, int), probability=np.array([0.25, 0.75]))
    paths = np.array([[0.0], [1.0], [2.0], [3.0]])
    # the lowest quarter moves from 0 to 1, the others from 1, 2, 3 to 2
    assert wasserstein(tree, np.array([1.0, 2.0]), paths) == pytest.approx((1 + 1 + 0 + 1) / 4)


# ------------------------------------------------------------------------------------------------------------ refused
@pytest.mark.parametrize(
    ("stated", "message"),
    [
        (
            {"demand_delay": (DemandDelay(workload="chatt", months=NINE_MONTHS),)},
            "'chatt' is no serving workload",
        ),
        ({"demand_delay": (LATE, LATE)}, "the delay of all workloads stands there twice"),
        ({"capital_window": (CapitalWindow(id="w", rounds=("b",), closes=1, reopens=1),)}, "'b' is no round"),
        ({"capital_window": (CapitalWindow(id="w", closes=0, reopens=0),)}, "is open and never closes"),
        ({"model_shifts": (SHIFT.model_copy(update={"chips": ("b200",)}),)}, "'b200' is no chip"),
        (
            {"model_shifts": (SHIFT, SHIFT.model_copy(update={"id": "dense"}))},
            "'h100' is in 'sparse' already",
        ),
        ({"renewals": (JUMP.model_copy(update={"supplier": "fab"}),)}, "'fab' supplies nothing"),
        ({"pinned": (Pinned(id="bear", probability=0.2),)}, "'bear' holds nothing"),
        ({"pinned": (BEAR,), "demand_delay": ()}, "'bear' holds delay, of which nothing is uncertain"),
        ({"pinned": (BULL, BULL)}, "'bull' stands there twice"),
    ],
)
def test_what_does_not_fit_the_lab_is_refused(full, stated, message):
    with pytest.raises(InputError, match=message):
        sample_world(full(**stated), paths=2, seed=1)


def test_probabilities_of_named_futures_do_not_exceed_one(full):
    much = BULL.model_copy(update={"probability": 0.6}), BEAR.model_copy(update={"probability": 0.6})
    with pytest.raises(InputError, match="add up to 120 %"):
        sample_world(full(pinned=much), paths=2, seed=1)


def test_recipes_are_not_forgotten():
    with pytest.raises(ValueError, match="not negative"):
        Capability(
            start=1.0, parity_flop_per_quarter=1e25, decay=0.1, returns=0.7, algorithmic_progress=-0.1,
            frontier_growth=Uncertain.point(1.0),
        )  # fmt: skip


def test_twenty_thousand_rates_of_a_shift_are_one_array():
    z = np.random.Generator(np.random.PCG64(1)).standard_normal((20_000, 17))
    moved = shifted_rate(0.2, SHIFT.factor, z[:, 0], z[:, 1:])
    assert moved.shape == (20_000, 16)
    assert np.all(moved[:, 0] == 1)
