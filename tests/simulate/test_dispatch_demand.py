"""The demand side dispatched on quarters unlike the plan's: what binds is the path's own demand, price and progress."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.plan.demand_labs import everything_lab, price_lab, segment_lab, trust_lab

from exaplan.plan.decided import decided_of
from exaplan.plan.inputs import collect
from exaplan.plan.result import further_demand, stage_worth
from exaplan.plan.solve import solve_plan
from exaplan.simulate.dispatch import State, priced_for, run_quarter

LABS = pytest.mark.parametrize(
    "make", [segment_lab, price_lab, trust_lab, everything_lab], ids=lambda make: make.__name__
)
GIVEN = ("stock", "left", "lost", "ready", "finished", "offered")


def quarter(make, t: int, *, demand, behind: float = 1.0, price=1.0, stock: float = 1.0):
    """Dispatch of the nodes of a quarter with their demand, price, stock and runs at a multiple of the plan's own."""
    solved = solve_plan(collect(*make()))
    inputs, columns = solved.program.inputs, solved.program.columns
    at = np.flatnonzero(inputs.quarter == t)
    given = {name: solved.value(getattr(columns, name))[at] for name in GIVEN}
    given |= {"ready": given["ready"] * behind, "stock": given["stock"] * stock}
    effect = 1 + solved.value(columns.standing)[at, None] * inputs.sets.sensitivity
    state = State(**given, effect=effect, brought=further_demand(solved)[at])
    own = inputs.stage.take(at)
    stage = replace(own, demand=own.demand * demand, price=own.price * price)
    prices = priced_for(stage_worth(solved), at, inputs.sets, stage, inputs.stage)
    added = {name: amount[at] for name, amount in decided_of(solved).rows.items()}
    return inputs.sets, stage, state, run_quarter(inputs.sets, stage, state, prices, decided=added)


def tokens_by_service(sets, stage, work) -> np.ndarray:
    arcs = np.flatnonzero(sets.arc_service >= 0)
    tokens = np.zeros((len(stage.weight), len(sets.services)))
    np.add.at(tokens.T, sets.arc_service[arcs], (work.work.sum(axis=2)[:, arcs] * stage.rate[:, arcs]).T)
    return tokens


@pytest.mark.parametrize("make", [segment_lab, everything_lab], ids=lambda make: make.__name__)
@pytest.mark.parametrize("demand", [0.4, 1.0, 1.7])
@pytest.mark.parametrize("behind", [0.5, 1.0])
def test_the_shares_of_the_models_hold_on_every_path(make, demand, behind):
    sets, stage, state, work = quarter(make, 2, demand=demand, behind=behind)
    tokens = tokens_by_service(sets, stage, work)
    served = work.output[:, sets.service_workload].sum(axis=2)
    most = np.array([each.able.share_max for each in sets.services])
    assert (tokens <= most * served + 1e-7).all()
    total = np.zeros_like(work.output[:, : len(sets.serve), 0])
    np.add.at(total.T, sets.service_workload, tokens.T)
    assert total[:, sets.service_workload] == pytest.approx(served, abs=1e-7)
    run = sets.service_run
    asked = (stage.demand * state.asked(sets) + state.brought)[:, sets.service_workload]
    able = np.where(run >= 0, (state.finished * state.ready)[:, run], 1.0)
    assert (tokens <= able * most * asked + 1e-7).all()
    assert served.sum() > 0


@LABS
@pytest.mark.parametrize("demand", [0.3, 1.0, 2.0])
def test_what_is_sold_at_a_price_is_what_the_path_asks_for_at_it(make, demand):
    sets, stage, state, work = quarter(make, 1, demand=demand, price=0.9)
    served = work.output[:, : len(sets.serve)].sum(axis=2)
    wanted = stage.demand * state.asked(sets) + state.brought - state.lost
    assert served + work.unserved.sum(axis=2) - work.forgiven.sum(axis=2) == pytest.approx(wanted, abs=1e-7)
    for s in sets.priced:
        points = sets.point_serve == s
        assert work.sold[:, points].sum(axis=(1, 2)) == pytest.approx(served[:, s], abs=1e-7)
    asked = (stage.demand * state.effect)[:, sets.point_serve] * sets.point_demand * state.offered
    assert (work.sold.sum(axis=2)[:, sets.dear] <= asked[:, sets.dear] + 1e-7).all()


@pytest.mark.parametrize("make", [trust_lab, everything_lab], ids=lambda make: make.__name__)
def test_a_path_earns_the_premium_of_its_own_safety_work(make):
    for stock in (0.5, 1.0):
        sets, _, _, work = quarter(make, 1, demand=1.2, stock=stock)
        safe = work.work[:, sets.arc_workload >= len(sets.serve) + len(sets.train)].sum(axis=(1, 2))
        served = work.output[:, : len(sets.serve)].sum(axis=2)
        best = max(w.trust.premium[-1].premium for w in sets.serve if w.trust and w.trust.premium)
        assert (work.premium <= best * served[:, sets.premium_serve] + 1e-7).all()
        assert (work.premium.sum(axis=1)[safe < 1e-9] < 1e-7).all()
        worst = np.array([sets.serve[s].trust.churn[0].churn for s in sets.churn_serve])
        least = np.array([sets.serve[s].trust.churn[-1].churn for s in sets.churn_serve])
        assert (work.leaving <= worst * served[:, sets.churn_serve] + 1e-7).all()
        assert (work.leaving >= least * served[:, sets.churn_serve] - 1e-7).all()


def test_a_path_without_chips_still_has_a_dispatch_where_its_node_launches():
    sets, _, _, work = quarter(everything_lab, 0, demand=1.0, stock=0.0)
    assert np.isfinite(work.progress).all()
    assert work.output[:, : len(sets.serve)].sum() > 0
