"""Sampled futures: what is known, what spreads, what moves together."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from exaplan.domain.errors import InputError
from exaplan.domain.lab import Correlation, Futures, RentalMarket, Slip
from exaplan.domain.uncertain import Uncertain
from exaplan.domain.workload import Seats
from exaplan.economy.copula import correlation_matrix, join, nearest_correlation, semidefinite_cholesky
from exaplan.economy.sampling import sample_world, stream


def fields(world):
    return {field.name: getattr(world, field.name) for field in dataclasses.fields(world)}


def same(one, other):
    return all(np.array_equal(value, fields(other)[name]) for name, value in fields(one).items())


def test_the_first_quarter_is_known_and_is_what_the_lab_says(make_lab, serve):
    uncertain = serve(level=Uncertain(family="lognormal", low=0.5, high=2.0))
    world = sample_world(make_lab(workloads=(uncertain, serve("code"))), paths=500, seed=1)
    assert np.all(world.demand_tokens[:, 0] == 12e12)  # 4e12 a month
    # 1,200 tokens in at 2.5 and 300 out at 10 USD per million, over 1,500 tokens: 4 USD per million
    assert world.price_usd_per_token[:, 0] == pytest.approx(4e-6)
    assert np.all(world.rental_index[:, 0] == pytest.approx(1))
    assert np.all(world.frontier[:, 0] == 1)
    assert np.all(world.slip[:, 0] == 0)
    assert world.demand_tokens[:, 1, 0].std() > 0


def test_demand_has_the_quantiles_of_its_growth_and_its_wandering(make_lab, serve):
    level = Uncertain(family="lognormal", low=0.8, high=1.25)
    lab = make_lab(workloads=(serve(level=level),))
    logs = np.log(sample_world(lab, paths=100_000, seed=2).demand_tokens[:, 12, 0] / 12e12)  # three years on
    z95 = 1.6449
    growth = np.array([np.log(1.3), np.log(2.2)])
    parts = np.array([np.diff(growth)[0] / 2 / z95 * 3, 0.25 * np.sqrt(3), np.log(1.25) / z95])
    assert logs.mean() == pytest.approx(growth.mean() * 3 - 0.25**2 * 3 / 2, abs=1e-3)
    assert logs.std() == pytest.approx(np.sqrt((parts**2).sum()), rel=0.01)


def test_a_base_given_by_quarter_is_multiplied_by_growth_and_held_beyond_its_end(make_lab, serve):
    calm = serve(demand_tokens_per_month=(1e12, 3e12), growth=Uncertain.point(0.5), volatility=0.0)
    demand = sample_world(make_lab(workloads=(calm,)), paths=4, seed=1, quarters=20).demand_tokens
    assert demand[:, [0, 1, 16], 0] == pytest.approx(np.tile([3e12, 9e12 * 1.5**0.25, 9e12 * 1.5**4], (4, 1)))


def test_seats_bring_their_tokens_and_free_users_dilute_the_price(make_lab, serve):
    seats = Seats(users=1e6, price_usd_per_user_month=20.0, tokens_per_user_month=1e6, free_share=0.75)
    lab = make_lab(workloads=(serve(seats=seats, price=None, demand_tokens_per_month=None),))
    world = sample_world(lab, paths=2, seed=1)
    assert world.demand_tokens[0, 0, 0] == pytest.approx(3e12)
    assert world.price_usd_per_token[0, 0, 0] == pytest.approx(5e-6)


def test_stated_correlations_are_realized_in_trends_and_in_news(make_lab, serve, futures):
    stated = (
        Correlation(between=("demand", "frontier"), rho=0.4),
        Correlation(between=("demand.code", "frontier"), rho=-0.3),
        Correlation(between=("rental", "demand"), rho=0.6),
    )
    lab = make_lab(futures=futures(correlations=stated, rental=RentalMarket(volatility=0.3)))
    world = sample_world(lab, paths=40_000, seed=3)
    steps = np.diff(np.log(np.stack([*np.moveaxis(world.demand_tokens, -1, 0), world.rental_index])), axis=-1)
    news = np.corrcoef((steps - steps.mean(axis=-1, keepdims=True)).reshape(3, -1))
    assert news[np.triu_indices(3, 1)] == pytest.approx([0.5, 0.6, 0.6], abs=0.01)
    trends = make_lab(workloads=(serve(volatility=0.0), serve("code", volatility=0.0)), futures=lab.futures)
    world = sample_world(trends, paths=40_000, seed=3)
    last = np.log(np.column_stack([world.demand_tokens[:, -1], world.frontier[:, -1]]))
    assert np.corrcoef(last.T)[np.triu_indices(3, 1)] == pytest.approx([0.5, 0.4, -0.3], abs=0.015)


def test_slips_of_two_suppliers_can_come_together(make_lab, futures):
    together = futures(correlations=(Correlation(between=("slip", "slip"), rho=0.9),))
    apart = sample_world(make_lab(), paths=5000, seed=4).slip[:, 1:] > 0
    joint = sample_world(make_lab(futures=together), paths=5000, seed=4).slip[:, 1:] > 0
    assert apart.all(axis=-1).mean() == pytest.approx(0.1 * 0.2, abs=0.003)
    assert joint.all(axis=-1).mean() > 0.08


def test_the_same_seed_gives_the_same_bytes_and_another_purpose_other_futures(make_lab):
    lab = make_lab()
    first = sample_world(lab, paths=64, seed=5)
    assert same(first, sample_world(lab, paths=64, seed=5))
    for other in (
        sample_world(lab, paths=64, seed=6),
        sample_world(lab, paths=64, seed=5, purpose="tree"),
        sample_world(lab, paths=64, seed=5, purpose="search"),
    ):
        assert not np.any(other.demand_tokens[:, 1:] == first.demand_tokens[:, 1:])
    assert stream(1, "tree").random() != stream(1, "search").random()


def test_more_quarters_continue_the_same_futures(make_lab):
    lab = make_lab()
    short, long = (sample_world(lab, paths=32, seed=5, quarters=n) for n in (8, 24))
    assert np.allclose(short.demand_tokens, long.demand_tokens[:, :8], rtol=1e-12)
    assert np.array_equal(short.slip, long.slip[:, :8])


def test_editing_one_source_leaves_the_futures_of_the_others_as_they_were(make_lab, futures):
    edited = futures(slips=(Slip(supplier="cloud", probability=0.5),), rental=RentalMarket())
    before, after = (sample_world(lab, paths=32, seed=5) for lab in (make_lab(), make_lab(futures=edited)))
    assert np.allclose(before.demand_tokens, after.demand_tokens, rtol=1e-12)
    assert np.allclose(before.frontier, after.frontier, rtol=1e-12)


def test_antithetic_neighbors_are_opposite_and_make_the_mean_more_precise(make_lab):
    lab = make_lab()
    logs = np.log(sample_world(lab, paths=101, seed=8).demand_tokens[:, 5, 0])
    assert np.ptp(logs[0:100:2] + logs[1:100:2]) < 1e-9
    errors = [
        np.std(
            [
                sample_world(lab, paths=100, seed=s, antithetic=a).demand_tokens[:, 5, 0].mean()
                for s in range(40)
            ]
        )
        for a in (True, False)
    ]
    assert errors[0] < 0.6 * errors[1]


def test_correlations_that_nearly_fit_are_repaired_and_it_is_said(make_lab, futures):
    stated = (
        Correlation(between=("demand.chat", "frontier"), rho=0.8),
        Correlation(between=("demand.code", "frontier"), rho=-0.15),
    )
    copula = join(make_lab(futures=futures(correlations=stated)))
    assert np.linalg.eigvalsh(copula.stated)[0] < 0 <= np.linalg.eigvalsh(copula.matrix)[0] + 1e-9
    assert np.abs(copula.matrix - copula.stated).max() < 0.1
    assert any("repaired" in remark for remark in copula.remarks)
    assert correlation_matrix(make_lab())[0] == (
        "demand.chat", "demand.code", "price", "rental", "frontier", "slip.foundry", "slip.cloud",
    )  # fmt: skip


def test_the_nearest_correlation_matrix_is_the_published_one():
    # Higham (2002), IMA J. Numer. Anal. 22:329, section 4: the nearest matrix has 0.7607 and 0.1573.
    stated = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    assert nearest_correlation(stated)[[0, 0], [1, 2]] == pytest.approx([0.7607, 0.1573], abs=1e-4)


def test_a_perfect_correlation_has_a_root():
    matrix = np.array([[1.0, 1.0, 0.3], [1.0, 1.0, 0.3], [0.3, 0.3, 1.0]])
    root = semidefinite_cholesky(matrix)
    assert root @ root.T == pytest.approx(matrix)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ([("demand.chat", "frontier", 0.9), ("demand.code", "frontier", -0.9)], "contradict each other"),
        (
            [("demand.chatt", "price", 0.1)],
            "'demand.chatt' is no source of uncertainty; use one of demand, slip",
        ),
        ([("price", "rental", 0.1), ("rental", "price", 0.2)], "twice with different values"),
        ([("demand", "demand", 0.1)], "write demand_correlation"),
        ([("price", "price", 0.1)], "correlated with itself"),
    ],
)
def test_correlations_that_cannot_be_are_refused(make_lab, stated, message, futures):
    pairs = tuple(Correlation(between=(one, other), rho=rho) for one, other, rho in stated)
    with pytest.raises(InputError, match=message):
        correlation_matrix(make_lab(futures=futures(correlations=pairs)))


def test_a_correlation_that_does_nothing_is_named(make_lab, futures):
    idle = futures(correlations=(Correlation(between=("price", "slip"), rho=0.5),))
    assert "price with slip has no effect" in join(make_lab(futures=idle)).remarks[0]
    assert not join(make_lab()).remarks


def test_slips_of_a_stranger_are_refused(make_lab):
    with pytest.raises(InputError, match="'fab' supplies nothing in this lab; suppliers are cloud, foundry"):
        sample_world(
            make_lab(futures=Futures(slips=(Slip(supplier="fab", probability=0.1),))), paths=2, seed=1
        )


@pytest.mark.parametrize(
    "asked", [{"paths": 0, "seed": 1}, {"paths": 2, "seed": -1}, {"paths": 2, "seed": 1, "quarters": 0}]
)
def test_a_senseless_request_is_refused(make_lab, asked):
    with pytest.raises(InputError):
        sample_world(make_lab(), **asked)


def test_a_growth_that_could_fall_below_nothing_is_refused_where_it_does(make_lab, serve):
    reckless = serve(growth=Uncertain(family="normal", low=-0.9, high=0.5))
    with pytest.raises(InputError, match="growth of chat was drawn as"):
        sample_world(make_lab(workloads=(reckless,)), paths=2000, seed=1)


def test_a_lab_without_customers_suppliers_or_rivals_still_has_a_future(make_lab):
    empty = make_lab(workloads=(), offers=(), capability=None, futures=Futures())
    world = sample_world(empty, paths=3, seed=1, quarters=1)
    assert world.demand_tokens.shape == (3, 1, 0)
    assert world.slip.shape == (3, 1, 0)
    assert np.all(world.frontier == 1)
