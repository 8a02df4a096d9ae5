"""Launches; the arithmetic stands beside each plan.

A chip serves 1e9 tokens a quarter worth 10 000 USD and costs 6000 USD by the hour. Demand would fill 1000 chips; a launch
brings what fills 500 more, from the next quarter on.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.plan import shocks, toy
from tests.plan.demand_labs import faster, launch, models, run, segment
from tests.plan.toy import gained
from tests.simulate.test_replay import own_futures

from exaplan.domain.lab import Floor, Policy
from exaplan.domain.launch import LaunchCost
from exaplan.domain.segment import ServingModel
from exaplan.plan.inputs import collect
from exaplan.plan.prices import prices_of
from exaplan.plan.result import further_demand, to_plan
from exaplan.plan.solve import solve_plan
from exaplan.plan.started import started_of
from exaplan.simulate.replay import replay


def near(value: float):
    return pytest.approx(value, rel=1e-6, abs=1e-3)


def solve(*launches, quarters: int = 2, others=(), chat=None, tree=None, **more):
    given = {
        "finance": toy.finance(cash_usd=1e6),
        "offers": (toy.on_demand(),),
        "workloads": (toy.serve(**(chat or {})), *others),
        "launches": launches,
    }
    lab = toy.lab(quarters=quarters, **{**given, **more})
    solved = solve_plan(collect(lab, toy.rates(lab), toy.tree(lab, **(tree or {}))))
    return lab, solved, to_plan(solved)


def made(solved) -> dict[str, float]:
    """Quarters in which launches are made and how likely."""
    lumps = [lump for lump in started_of(solved) if lump.kind == "launch" and lump.probability > 0]
    return {lump.quarter: lump.probability for lump in lumps}


def test_a_launch_that_brings_more_than_it_costs_is_made():
    lab, solved, plan = solve(launch(cost_usd=1.9e6))
    # 500 chips more in the second quarter, at 4000 each: 2 M
    assert made(solved) == {"2027-Q1": near(1)}
    assert gained(plan, lab) == near(1000 * 4000 + 1500 * 4000 - 1.9e6)


def test_a_launch_that_costs_more_than_it_brings_is_not():
    lab, solved, plan = solve(launch(cost_usd=2.1e6))
    assert made(solved) == {}
    assert gained(plan, lab) == near(2000 * 4000)


def test_what_it_brings_becomes_less():
    lab, _solved, plan = solve(launch(decay=0.4), quarters=3)
    assert plan.output[:3, 0, 0] == near([1e12, 1.5e12, 1.3e12])
    assert gained(plan, lab) == near((1000 + 1500 + 1300) * 4000)


def test_after_the_horizon_it_goes_on_to_become_less():
    chips = toy.owned(chips=2000, term=4)
    lab, solved, plan = solve(
        launch(decay=0.5), offers=(), contracts=(chips,), ends=toy.Ends(fade=0.0, quarters=2)
    )
    # made in the first of two quarters: 500, then 250 and 125 in the two quarters of the tail, beside 1000 in each
    assert further_demand(solved)[:, 0] == near([0, 0.5, 0.375])
    assert gained(plan, lab) == near((1000 + 1500 + 2375) * 10_000)


def test_its_step_may_be_a_share_of_demand():
    _lab, _solved, plan = solve(launch(step_share=0.3), quarters=2, tree={"demand": [1.0, 2.0]})
    assert plan.output[:2, 0, 0] == near([1e12, 2.6e12])


def test_it_takes_chips_from_the_work_of_its_quarter():
    for chips, wanted in ((190, 1), (210, 0)):
        lab, solved, plan = solve(
            launch(chips=chips), offers=(), contracts=(toy.owned(chips=1000, term=1), toy.owned("next", due=(1,), chips=1200, term=1))
        )  # fmt: skip
        # 200 of the 500 can be served in the second quarter: 2 M, against 10 000 for each chip taken in the first
        assert made(solved).get("2027-Q1", 0) == near(wanted)
        assert gained(plan, lab) == near((1000 + 1000 + wanted * (200 - chips)) * 10_000)


def test_it_may_take_the_capacity_of_a_share_of_what_is_asked_then():
    cost = LaunchCost(serving_share=0.1)
    made_at = launch().model_copy(update={"cost": cost})
    lab, solved, plan = solve(
        made_at, offers=(), contracts=(toy.owned(chips=1500, term=2),), tree={"demand": [1.3, 1.0]}
    )
    # a tenth of 1300: 130 of the 200 idle chips; 500 more served in the second quarter
    assert solved.value(solved.model.columns["launch_chips"])[0].sum() == near(0.13)
    assert gained(plan, lab) == near((1300 + 1500) * 10_000)


def test_a_faster_chip_is_taken_by_what_it_serves():
    chips = {"a": toy.chip("a"), "b": toy.chip("b")}
    lab = toy.lab(quarters=2, chips=chips, offers=(toy.on_demand(),), contracts=(toy.owned(chip="b", chips=600, term=2),),
                  launches=(launch(chips=100),))  # fmt: skip
    solved = solve_plan(collect(lab, toy.rates(lab, speed={"b": 2.0}), toy.tree(lab)))
    # 100 of the best chips, or 200 of the others: 500 b serve, the 100 idle ones are taken and cost nothing
    assert solved.value(solved.model.columns["launch_chips"])[0, 0, :, 0].sum() == near(0.1)
    assert gained(to_plan(solved), lab) == near(1000 * 10_000 + 1200 * 10_000 + 300 * 4000)


def test_it_takes_development_that_makes_no_other_progress():
    loop = toy.capability(parity_flop_per_quarter=100 * toy.FLOP_PER_CHIP_QUARTER, decay=0.5)
    lab, solved, plan = solve(launch(flop_quarters=200), others=(toy.train(),), capability=loop)
    # 200 chip-quarters at 6000 for 500 x 4000
    assert made(solved) == {"2027-Q1": near(1)}
    assert plan.output[0, 1, 0] == near(200 * toy.FLOP_PER_CHIP_QUARTER)
    assert solved.value(solved.program.columns.progress)[0] == near(0)
    assert gained(plan, lab) == near(2500 * 4000 - 200 * 6000)
    assert made(solve(launch(flop_quarters=400), others=(toy.train(),), capability=loop)[1]) == {}


def test_waiting_for_news_is_a_choice():
    chance = [1, 0.3, 0.7, 0.3, 0.7]
    news = {"parent": [-1, 0, 0, 1, 2], "probability": chance, "price": [1, 1, 0.5, 1, 0.5]}
    for cost, when in ((0.8e6, {"2027-Q1": near(1)}), (1.1e6, {"2027-Q2": near(0.3)}), (2.1e6, {})):
        _, solved, _ = solve(launch(last=1, cost_usd=cost), quarters=3, tree=news)
        # now: 500 x 4000 twice where prices hold, nothing where they halve: 0.3 x 4 M less the cost in any case;
        # in the second quarter, where prices hold: 0.3 x (2 M less the cost). The two are equal at 0.857 M
        assert made(solved) == when


def test_a_launch_is_made_once():
    _, solved, _ = solve(launch(last=2), quarters=4)
    assert sum(made(solved).values()) == near(1)


def test_customers_whom_a_launch_brings_can_be_turned_away_and_lost():
    lab, _, plan = solve(
        launch(), quarters=3, chat={"churn_when_unserved": 1.0, "recovery": 1.0}, offers=(), contracts=(toy.owned(chips=1000, term=3),)
    )  # fmt: skip
    # nobody gains by customers who cannot be served: they would drive away others
    assert gained(plan, lab) == near(3 * 1000 * 10_000)
    lab, _, plan = solve(
        launch(cost_usd=1.0), quarters=3, chat={"churn_when_unserved": 1.0, "recovery": 1.0}, offers=(),
        contracts=(toy.owned(chips=1200, term=3),),
    )  # fmt: skip
    # 1500 ask for 1200: 300 are turned away, and stay away for a quarter
    assert plan.unserved[1, 0, 0] == near(300 * toy.TOKENS_PER_CHIP_QUARTER)
    assert plan.lost[2, 0] == near(300 * toy.TOKENS_PER_CHIP_QUARTER)


def test_a_distilled_model_serves_the_customers_of_a_launch_too():
    able = (ServingModel(model="large"), ServingModel(model="small", distil=run(100)))
    lab = toy.lab(
        quarters=2, models=models("large", "small", "m"), workloads=(segment(*able), toy.train()), offers=(toy.on_demand(),),
        launches=(launch(),),
    )  # fmt: skip
    solved = solve_plan(collect(lab, faster(lab, small=4.0), toy.tree(lab)))
    # 1500 chips of demand on 375
    assert gained(to_plan(solved), lab) == near(2500 * 10_000 - (1000 + 100 + 375) * 6000)


def at_the_site(power_w, **more):
    """1500 chips at an own site for two quarters; demand fills 1000 of them, and 500 more after a launch."""
    fleet = toy.owned(chips=1500, term=2, site="here", pool="here")
    site = toy.site(**more).model_copy(update={"power_w": power_w})
    return {"offers": (), "contracts": (fleet,), "sites": (site,)}


def test_chips_that_a_launch_takes_draw_the_power_of_their_site():
    lab, solved, plan = solve(launch(chips=100), **at_the_site((1e6, 1.5e6)))
    # the site feeds 1000 chips of 1 kW, then 1500: what the launch takes serves nobody, idle or not
    assert made(solved) == {"2027-Q1": near(1)}
    assert plan.at_work[:2].sum(axis=(1, 2)) == near([900, 1500])
    assert gained(plan, lab) == near((900 + 1500) * 10_000)
    # at 600 chips a launch takes 6 M for 5 M
    assert made(solve(launch(chips=600), **at_the_site((1e6, 1.5e6)))[1]) == {}


def test_chips_that_a_launch_takes_pay_their_energy():
    joule = 1000 / (1000 * toy.SECONDS_PER_QUARTER)  # 1000 USD for a chip of 1 kW and a quarter
    lab, _solved, plan = solve(launch(chips=100), **at_the_site((1e9,), electricity_usd_per_j=joule))
    assert gained(plan, lab) == near((1000 + 1500) * 9000 - 100 * 1000)


def test_a_path_whose_site_is_late_gives_a_launch_no_power_that_it_has_not():
    site = toy.site(power_w=1.5e6, ready=toy.FIRST + 1)
    fleet = toy.owned(chips=1500, due=(1,), term=2, site="here", pool="here")
    lab = toy.lab(
        quarters=3, sites=(site,), contracts=(fleet,), launches=(launch(first=1, last=1, chips=100),)
    )
    solved = shocks.solved(lab, standstill={"here": [0, 0, 0]})
    world = own_futures(solved.program.inputs.tree)
    late = replace(world, standstill=np.array([1, 0, 0])[None, :, None])
    assert made(solved) == {"2027-Q2": near(1)}
    assert replay(solved, world, seed=1).at_work[0] == near([0, 1000, 1500])
    assert replay(solved, late, seed=1).at_work[0] == near([0, 0, 1500])


def test_chips_that_a_launch_takes_are_live_all_the_same():
    lab = toy.lab(
        quarters=2, workloads=(toy.serve(), toy.train()), contracts=(toy.owned(chips=1500, term=2), toy.owned("more", due=(1,), chips=1000, term=1)),
        launches=(launch(chips=300),), policy=Policy(floor=Floor(workloads=("pretrain",), share=0.4)),
    )  # fmt: skip
    solved = toy.solved(lab)
    plan = to_plan(solved)
    # 40 % of 1500 train, 300 launch, 600 serve: a point of the floor asks for 15 chips that would earn 10 000 each
    assert plan.at_work[0].sum(axis=1) == near([600, 600])  # chat, pretrain
    assert plan.further[0].sum() == near(0)
    (point,) = [row for row in prices_of(solved) if row.kind == "floor" and row.quarter == "2027-Q1"]
    assert point.there_and_then == near(1500 * 10_000)
