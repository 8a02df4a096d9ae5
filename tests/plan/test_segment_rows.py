"""Segments that several models may serve: each rule decides one small plan alone; the arithmetic stands beside it.

A chip serves 1e9 tokens a quarter with the large model and four times as many with the small one, worth 10 000 USD for
1e9, and costs 6000 USD by the hour. Demand would fill 1000 chips of the large model.
"""

from __future__ import annotations

import pytest
from tests.plan import toy
from tests.plan.demand_labs import faster, models, run, segment, segment_lab
from tests.plan.toy import gained

from exaplan.domain.segment import ServingModel
from exaplan.plan.demand_result import routing_of
from exaplan.plan.inputs import collect
from exaplan.plan.result import to_plan
from exaplan.plan.solve import solve_plan


def near(value: float):
    return pytest.approx(value, rel=1e-6, abs=1e-3)


def solve(*able: ServingModel, quarters: int = 1, small: float = 4.0, workload=None, others=(), **more):
    given = {
        "finance": toy.finance(cash_usd=1e7),
        "models": models("large", "small", "tiny", "m"),
        "offers": (toy.on_demand(),),
        **more,
    }
    lab = toy.lab(quarters=quarters, workloads=(segment(*able, **(workload or {})), *others), **given)
    solved = solve_plan(collect(lab, faster(lab, small=small, tiny=8.0), toy.tree(lab)))
    return lab, solved, to_plan(solved)


def chips(plan, node: int = 0) -> list[float]:
    """Chips at work at a node, arc by arc: models in the order in which the segment names them."""
    return plan.at_work[node, :, 0].tolist()


def test_the_model_that_serves_most_cheaply_serves_all():
    lab, _, plan = solve(ServingModel(model="large"), ServingModel(model="small", tokens_ratio=2))
    # small: 4e9 tokens a chip, two for one of the large model's: 1000 chips of demand on 500
    assert chips(plan) == [near(0), near(500)]
    assert gained(plan, lab) == near(10e6 - 500 * 6000)


def test_no_model_gets_more_than_its_largest_share():
    lab, solved, plan = solve(
        ServingModel(model="large"), ServingModel(model="small", tokens_ratio=2, share_max=0.6)
    )
    # 600 chips of demand on 300 with the small model, 400 on 400 with the large one
    assert chips(plan) == [near(400), near(300)]
    assert gained(plan, lab) == near(10e6 - 700 * 6000)
    assert [(each.model, each.share) for each in routing_of(solved)] == [
        ("large", near(0.4)),
        ("small", near(0.6)),
    ]


def test_a_least_share_is_kept_even_where_it_costs():
    lab, _, plan = solve(ServingModel(model="large", share_min=0.25), ServingModel(model="small"))
    # 250 chips of demand on the large model, 750 on 750 / 4 with the small one
    assert chips(plan) == [near(250), near(187.5)]
    assert gained(plan, lab) == near(10e6 - 437.5 * 6000)


def test_a_retired_model_serves_no_more_and_its_least_share_goes_with_it():
    able = (
        ServingModel(model="large"),
        ServingModel(model="small", share_min=0.5, last=toy.FIRST),
    )
    lab, _, plan = solve(*able, quarters=2)
    # 1000 chips of demand on 250, then on 1000
    assert chips(plan) == [near(0), near(250)]
    assert chips(plan, 1) == [near(1000), near(0)]
    assert gained(plan, lab) == near(20e6 - 1250 * 6000)


def test_a_model_that_ends_with_the_horizon_earns_nothing_after_it():
    contract = toy.contract(chips=1000, term=2, usd_per_quarter=1000)
    for able, after in (
        (ServingModel(model="large"), 1e12),
        (ServingModel(model="large", last=toy.FIRST), 0),
    ):
        _, _, plan = solve(able, contracts=(contract,), offers=())
        assert plan.output[:, 0, 0] == near([1e12, after])


def distil(share_max: float = 1.0, **more):
    able = (
        ServingModel(model="large"),
        ServingModel(model="small", share_max=share_max, distil=run(200, **more)),
    )
    return solve(*able, quarters=2, others=(toy.train(),))


def test_a_model_serves_once_development_has_distilled_it():
    lab, _, plan = distil()
    # 200 chips train for a quarter: 1.2 M; then the small model saves 750 chips: 4.5 M
    assert chips(plan) == [near(1000), near(0), near(200)]
    assert chips(plan, 1) == [near(0), near(250), near(0)]
    assert gained(plan, lab) == near(20e6 - (1200 + 250) * 6000)


def test_a_run_that_saves_less_than_it_costs_is_not_made():
    lab, _, plan = distil(share_max=0.2)
    # a fifth of the demand on 50 chips instead of 200 saves 150 x 6000, the run costs 200 x 6000
    assert chips(plan) == chips(plan, 1) == [near(1000), near(0), near(0)]
    assert gained(plan, lab) == near(20e6 - 2000 * 6000)


def test_half_a_run_serves_nobody():
    able = (ServingModel(model="large"), ServingModel(model="small", distil=run(200)))
    for spare, after in ((150, [400, 0, 0]), (200, [0, 100, 0])):
        _, _, plan = solve(
            *able, quarters=2, workload={"demand_chips": 400}, others=(toy.train(),),
            offers=(toy.on_demand(usd_per_quarter=100, most=400 + spare),),
        )  # fmt: skip
        # 400 chips serve; the run takes 200, and three quarters of it would serve nobody
        assert chips(plan) == [near(400), near(0), near(200 if spare == 200 else 0)]
        assert chips(plan, 1) == [near(each) for each in after]


def test_outside_its_window_a_run_does_not_run():
    _, _, plan = distil(first=1, last=1)
    assert chips(plan) == chips(plan, 1) == [near(1000), near(0), near(0)]


def test_a_model_is_taught_no_faster_than_its_teacher_is_made():
    able = (
        ServingModel(model="large"),
        ServingModel(model="small", last=toy.FIRST, distil=run(100)),
        ServingModel(model="tiny", distil=run(100, source="small")),
    )
    _, _, plan = solve(*able, quarters=3, others=(toy.train(),), ends=toy.Ends(fade=0.0, quarters=1))
    # first the small model, then the tiny one, which serves in the third quarter
    assert [chips(plan, n)[3] for n in range(3)] == [near(100), near(100), near(0)]
    assert chips(plan, 2)[2] == near(125)


def test_what_a_distillation_takes_makes_no_other_progress():
    able = (ServingModel(model="large"), ServingModel(model="small", distil=run(200)))
    more = {
        "quarters": 2, "others": (toy.train(),), "offers": (toy.on_demand(most=1200),),
        "capability": toy.capability(parity_flop_per_quarter=100 * toy.FLOP_PER_CHIP_QUARTER, decay=0.5),
    }  # fmt: skip
    _, solved, plan = solve(*able, **more)
    # 200 chips train, all for the small model: no progress, and half of what is known goes stale while the frontier doubles
    progress = solved.value(solved.program.columns.progress)
    assert chips(plan)[2] == near(200)
    assert progress[0] == near(0)
    assert plan.ratio[1] == near(0.5)


def test_the_mix_of_a_larger_lab_keeps_every_share():
    lab, rates, tree = segment_lab()
    solved = solve_plan(collect(lab, rates, tree))
    mix = {(each.quarter, each.model): each for each in routing_of(solved)}
    for (quarter, model), each in mix.items():
        limit = {"large": 1.0, "small": 0.7, "tiny": 0.5, "old": 1.0}[model]
        assert each.share <= limit + 1e-6, (quarter, model)
        assert quarter != "2027-Q1" or model in ("large", "old") or each.share == each.ready == 0
        assert quarter == "2027-Q1" or model != "old" or each.share == 0
    assert mix["2027-Q3", "small"].share > 0.1
    finished = solved.value(solved.program.columns.finished)
    ready = solved.value(solved.program.columns.ready)
    assert ((finished < 1e-6) | (ready > 1 - 1e-6)).all()
