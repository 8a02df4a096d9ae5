"""Closed forms of the processes against fresh samples: every mean within its error, every quantile within its own."""

from __future__ import annotations

import numpy as np
import pytest
from tests.economy.test_surprises import JUMP, MARKET, MONEY, SHIFT, WINDOW, law

from exaplan.app.futures import quantities
from exaplan.domain.futures_input import DemandDelay, Pinned
from exaplan.domain.lab import Correlation, RentalMarket
from exaplan.domain.rental import Spot
from exaplan.domain.supply_risk import Default, Supply
from exaplan.domain.uncertain import Uncertain
from exaplan.economy.ruin import mean_interval
from exaplan.economy.sampling import sample_world
from exaplan.economy.theory import theory_of

SUPPLY = Supply(supplier="cloud", level=Uncertain(family="lognormal", low=0.7, high=1.1), volatility=0.2)


@pytest.fixture(scope="module")
def lab(make_lab, futures, serve):
    wide = serve(
        "code",
        growth=Uncertain(family="uniform", low=0.0, high=1.0),
        level=Uncertain(family="lognormal", low=0.8, high=1.3),
    )
    stated = futures(
        rental=RentalMarket(
            start=1.3, drift=Uncertain(family="growth", low=-0.3, high=0.1), volatility=0.3, reversion=0.8,
            spot=Spot(start=0.8, volatility=0.4, reversion=1.5),
        ),
        renewals=(JUMP,), model_shifts=(SHIFT,), capital_window=(WINDOW,), supply=(SUPPLY,),
        defaults=(Default(supplier="foundry", chance_per_year=0.1),),
    )  # fmt: skip
    return make_lab(workloads=(serve(), wide), futures=stated, finance=MONEY, capability=law())


@pytest.mark.parametrize("quarter", [1, 6, 15])
def test_samples_have_the_means_and_quantiles_of_the_closed_forms(lab, quarter):
    world = dict(quantities(lab, sample_world(lab, paths=100_000, seed=3)))
    theory = theory_of(lab, quarter)
    assert set(theory) == set(world), "every process of this lab has a closed form"
    for name, exact in theory.items():
        values = world[name][:, quarter]
        mean, low, high = mean_interval(values, antithetic=True, confidence=0.9999)
        assert low - 1e-12 <= exact.mean <= high + 1e-12, (name, mean, exact.mean)
        if exact.quantiles is not None:
            below = [(values <= each).mean() for each in exact.quantiles]
            assert below == pytest.approx([0.05, 0.5, 0.95], abs=0.008) or np.ptp(values) == 0, name


def test_lognormal_demand_and_rents_have_quantiles_and_a_uniform_growth_has_a_mean_alone(lab):
    theory = theory_of(lab, 8)
    assert theory["demand.chat"].quantiles is not None
    assert theory["rental"].quantiles is not None
    assert theory["spot"].quantiles is not None
    assert theory["demand.code"].quantiles is None


def test_regimes_leave_a_mean_and_a_drawn_delay_nothing(lab, make_lab, futures):
    delay = DemandDelay(workload="chat", months=Uncertain.point(3.0))
    theory = theory_of(make_lab(futures=futures(rental=MARKET, demand_delay=(delay,))), 8)
    assert theory["rental"].quantiles is None
    assert theory["rental"].mean is not None
    assert "demand.chat" not in theory
    assert "demand.code" in theory
    together = (Correlation(between=("regime", "rental"), rho=0.5),)
    joined = theory_of(make_lab(futures=futures(rental=MARKET, correlations=together)), 8)
    assert not {"rental", "spot"} & set(joined)


def test_what_named_futures_hold_is_not_compared_with_free_draws(lab):
    held = lab.futures.model_copy(
        update={"pinned": (Pinned(id="bear", probability=0.2, demand=0.1, rental=0.9),)}
    )
    theory = theory_of(lab.model_copy(update={"futures": held}), 8)
    assert not {"demand.chat", "rental", "spot"} & set(theory)
    assert {"price.chat", "frontier", "window.ipo"} <= set(theory)
