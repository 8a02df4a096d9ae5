"""Work with a place of its own, and work that runs in one pool at a time: by hand."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan import toy
from tests.plan.labs import developer_lab
from tests.plan.subject_golden import same_as_golden
from tests.simulate.test_replay import other_futures, own_futures

from exaplan.domain.lab import Floor, Policy
from exaplan.domain.sitestep import SiteStep
from exaplan.domain.workload import Place
from exaplan.plan.inputs import collect
from exaplan.plan.pool_rows import homes, most_chips, one_pool
from exaplan.plan.result import to_plan
from exaplan.plan.solve import solve_plan
from exaplan.simulate.replay import replay


def near(value):
    return pytest.approx(value, rel=1e-6)


def two_pools(*, floor_chips: float, quarters: int = 1, fleet=None, **training):
    """600 chips in the east, 500 in the west, customers for 100, and a floor for pre-training."""
    level = floor_chips * toy.FLOP_PER_CHIP_QUARTER / toy.SECONDS_PER_QUARTER
    return toy.lab(
        quarters=quarters, workloads=(toy.serve(demand_chips=100), toy.train(**training)),
        contracts=fleet or (toy.owned("e", chips=600, term=1, pool="east"), toy.owned("w", chips=500, term=1, pool="west")),
        policy=Policy(floor=Floor(workloads=("pretrain",), level_flop_per_s=level)),
    )  # fmt: skip


def by_pool(plan, node: int = 0, workload: str = "pretrain") -> dict[str, float]:
    at_work = zip(plan.arcs, plan.at_work[node, :, 0], strict=True)
    return {
        plan.groups[g][1]: float(chips)
        for (g, w), chips in at_work
        if plan.workloads[w] == workload and chips > 1e-6
    }


def test_a_run_spreads_over_pools_unless_told_otherwise():
    plan = toy.planned(two_pools(floor_chips=700))
    assert not plan.relaxed
    assert sum(by_pool(plan).values()) == near(700)


def test_a_run_of_one_pool_has_the_chips_of_one_pool():
    plan = toy.planned(two_pools(floor_chips=700, single_pool=True))
    # the larger pool holds 600 of the 700: 0.1e24 FLOP a quarter are missing
    assert by_pool(plan) == {"east": near(600)}
    assert plan.relaxed["development floor"] == near(0.1)


def test_a_place_is_kept():
    plan = toy.planned(two_pools(floor_chips=400, place=Place(chip="a", pool="west")))
    assert by_pool(plan) == {"west": near(400)}


def test_chips_outside_the_place_do_not_raise_a_floor_that_they_cannot_meet():
    lab = two_pools(floor_chips=0, place=Place(chip="a", pool="west"))
    policy = Policy(floor=Floor(workloads=("pretrain",), share=0.6))
    plan = toy.planned(lab.model_copy(update={"policy": policy}))
    # 60 % of the 500 in the west
    assert not plan.relaxed
    assert by_pool(plan) == {"west": near(300)}


def test_a_home_may_move_with_the_fleet():
    fleet = (
        toy.owned("e", chips=500, term=1, pool="east"),
        toy.owned("w", chips=500, due=(1,), term=1, pool="west"),
    )
    plan = toy.planned(two_pools(floor_chips=450, quarters=2, fleet=fleet, single_pool=True))
    assert not plan.relaxed
    assert [by_pool(plan, node) for node in (0, 1)] == [{"east": near(450)}, {"west": near(450)}]


def test_each_workload_has_a_home_of_its_own():
    lab = two_pools(floor_chips=0)
    runs = (
        toy.train("a1", single_pool=True, share_min=0.5),
        toy.train("a2", single_pool=True, share_min=0.5),
    )
    level = 1000 * toy.FLOP_PER_CHIP_QUARTER / toy.SECONDS_PER_QUARTER
    policy = Policy(floor=Floor(workloads=("a1", "a2"), level_flop_per_s=level))
    plan = toy.planned(
        lab.model_copy(update={"workloads": (toy.serve(demand_chips=100), *runs), "policy": policy})
    )
    assert not plan.relaxed
    assert {*by_pool(plan, workload="a1"), *by_pool(plan, workload="a2")} == {"east", "west"}


def one_home_each(lab):
    edits = {"rl": {"single_pool": True}}
    return lab.model_copy(
        update={"workloads": tuple(w.model_copy(update=edits.get(w.id, {})) for w in lab.workloads)}
    )


def test_on_the_trees_own_futures_a_plan_with_homes_is_worth_what_it_said():
    lab, rates, tree = developer_lab()
    solved = solve_plan(collect(one_home_each(lab), rates, tree))
    plan = to_plan(solved)
    used = plan.at_work[:, solved.program.inputs.sets.homing].sum(axis=2) > 1e-3
    assert (used.sum(axis=1) <= 1).all()
    assert used.any()
    outcome = replay(solved, own_futures(tree), seed=1, absorbing=False)
    assert tree.probability[tree.leaves] @ outcome.value_usd == pytest.approx(plan.value_usd, rel=1e-5)
    assert np.isfinite(replay(solved, other_futures(tree), seed=1, absorbing=False).value_usd).all()


def test_the_rows_of_homes_read_as_they_did():
    lab = two_pools(
        floor_chips=0, quarters=2, single_pool=True,
        fleet=(toy.owned("e", chips=600, term=3, pool="east"),),
    ).model_copy(update={"offers": (toy.reserved(lead=1, term=2, most=100, availability=0.9), toy.on_demand(pool="east", most=50))})  # fmt: skip
    same_as_golden(
        "homes", collect(lab, toy.rates(lab), toy.tree(lab)), stage_rows=(one_pool,), links=(homes,)
    )


def test_no_more_can_be_at_work_in_a_home_than_its_site_feeds():
    lab = two_pools(
        floor_chips=0, single_pool=True, fleet=(toy.owned(chips=900, term=1, pool="here", site="here"),)
    )
    step = SiteStep(id="hall", power_w=2e5, lead_quarters=0, life_quarters=4, cost_usd=1e9)
    lab = lab.model_copy(update={"sites": (toy.site(power_w=3e5, steps=(step,)),)})
    inputs = collect(lab, toy.rates(lab), toy.tree(lab))
    # 900 chips of 1 kW at 0.3 MW and a step of 0.2
    assert most_chips(inputs)[0] == near([0.5])
