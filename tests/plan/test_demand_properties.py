"""What must hold on the demand side whatever the numbers: another choice never costs, and the mixes are the best there are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plan import toy
from tests.plan.demand_labs import faster, launch, models, points, run, segment, trusted

from exaplan.domain.segment import ServingModel
from exaplan.plan.inputs import collect
from exaplan.plan.solve import solve_plan

MONEY = {"finance": toy.finance(cash_usd=1e7)}
part = st.floats(0.05, 0.95)


def worth(lab, rates=None, **tree) -> float:
    solved = solve_plan(collect(lab, rates if rates is not None else toy.rates(lab), toy.tree(lab, **tree)))
    return solved.solution.objective


@settings(max_examples=25, deadline=None)
@given(st.floats(100, 1500), st.floats(500, 9000), part, st.floats(1.05, 2.0), st.floats(2.1, 3.0), part)
def test_the_mix_of_prices_is_the_best_that_a_grid_finds(chips, rent, fall, price, dearer, further):
    offers = (toy.on_demand(usd_per_quarter=rent, most=chips),)
    curve = ((1.0, 1.0), (price, fall), (dearer, fall * further))
    lab = toy.lab(quarters=1, offers=offers, workloads=(toy.serve(price_points=points(*curve)),), **MONEY)
    best = 0.0
    for i, j in itertools.product(range(41), repeat=2):
        share = np.array([i, j, 40 - i - j]) / 40
        if share[2] < 0:
            continue
        left, earned = chips, 0.0
        for (factor, demand), part_ in sorted(zip(curve, share, strict=True), reverse=True):
            if (
                factor * 10_000 > rent
            ):  # dearest customers first, as far as chips go and while they pay the rent
                sold = min(left, 1000 * demand * part_)
                left, earned = left - sold, earned + sold * (factor * 10_000 - rent)
        best = max(best, earned / 1e6)
    found = worth(lab) - 10
    assert found >= best - 1e-6
    assert found <= best * 1.03 + 1e-6


@settings(max_examples=25, deadline=None)
@given(part, part, st.floats(0.5, 6.0), st.floats(100, 1200))
def test_one_more_model_able_to_serve_never_costs(least, most, speed, chips):
    one = ServingModel(model="large")
    other = ServingModel(model="small", share_max=most)
    bound = ServingModel(model="small", share_min=min(least, most), share_max=most)
    values = []
    for able in ((one,), (one, other), (one, bound)):
        lab = toy.lab(quarters=1, offers=(toy.on_demand(most=chips),), models=models("large", "small", "m"), workloads=(segment(*able),), **MONEY)  # fmt: skip
        values.append(worth(lab, faster(lab, small=speed)))
    alone, free, held = values
    assert free >= max(alone, held) - 1e-6


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 400), st.floats(0, 4e6), part, st.floats(0.2, 2.0))
def test_the_choice_to_launch_or_to_wait_never_costs(chips, usd, decay, news):
    tree = {
        "parent": [-1, 0, 0, 1, 2],
        "probability": [1, 0.5, 0.5, 0.5, 0.5],
        "price": [1, 1, news, 1, news],
    }
    values = []
    for window in (None, (0, 0), (0, 1)):
        made = (
            ()
            if window is None
            else (launch(first=window[0], last=window[1], chips=chips, cost_usd=usd, decay=decay),)
        )
        values.append(worth(toy.lab(quarters=3, offers=(toy.on_demand(),), launches=made, **MONEY), **tree))
    never, now, whenever = values
    assert now >= never - 3e-3  # branch and bound stops at a gap of 1e-4
    assert whenever >= now - 6e-3


@settings(max_examples=20, deadline=None)
@given(st.floats(10, 800), st.floats(1.1, 6.0))
def test_a_run_is_made_where_it_pays(flop, speed):
    able = (ServingModel(model="large"), ServingModel(model="small", distil=run(flop)))
    lab = toy.lab(quarters=2, offers=(toy.on_demand(),), models=models("large", "small", "m"),
                  workloads=(segment(*able), toy.train()), **MONEY)  # fmt: skip
    found = worth(lab, faster(lab, small=speed)) - 10
    saved = 1000 * (1 - 1 / speed) - flop
    assert found == pytest.approx(8 + max(0.0, saved) * 6000 / 1e6, abs=3e-3)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.02, 0.5), st.floats(0.01, 0.5), st.floats(1000, 9000))
def test_safety_work_earns_its_premium_where_it_pays(share, premium, rent):
    lab = toy.lab(
        quarters=1, offers=(toy.on_demand(usd_per_quarter=rent),), **MONEY,
        workloads=(toy.serve(trust=trusted({0: 0, share: premium})), toy.safety()),
    )  # fmt: skip
    gain = 1000 * (premium * 10_000 - share * rent) / 1e6
    assert worth(lab) - 10 == pytest.approx((10_000 - rent) / 1000 + max(0.0, gain), abs=1e-6)
