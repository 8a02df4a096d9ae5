"""Each rule of a quarter decides one small plan alone; the arithmetic stands beside it.

A chip serves 1e9 tokens a quarter worth 10 000 USD and costs 6000 USD by the hour, unless a test says otherwise; no
discounting, no tail unless chips outlive the horizon.
"""

from __future__ import annotations

import pytest
from tests.plan import toy
from tests.plan.toy import gained, planned

from exaplan.domain.lab import Floor, Policy
from exaplan.domain.supply import OnDemand


def near(value: float):
    return pytest.approx(value, rel=1e-6, abs=1e-3)


def by_work(plan, node: int = 0) -> dict[tuple[str, str], float]:
    """Chips at work at a node by (chip, workload)."""
    names = [(plan.groups[g][0], plan.workloads[w]) for g, w in plan.arcs]
    return dict(zip(names, plan.at_work[node, :, 0].tolist(), strict=True))


def test_a_chip_that_is_up_half_the_time_does_half_the_work():
    lab = toy.lab(quarters=1, offers=(toy.on_demand(usd_per_quarter=2000, availability=0.5),))
    plan = planned(lab)
    # 1000 chips of work need 2000 rented ones: 1000 x 10 000 - 2000 x 2000
    assert plan.rented[0, 0, 0] == near(2000)
    assert gained(plan, lab) == near(6e6)


def test_take_or_pay_bills_the_share_always_and_the_rest_by_use():
    offer = toy.reserved(lead=0, term=2, take_or_pay=0.5, last=toy.FIRST)
    lab = toy.lab(quarters=2, offers=(offer,))
    plan = planned(lab, demand=[1.0, 0.2])
    # signed 1000: must-pay 2 x 0.5 x 4000 x 1000 = 4 M; used beyond half: 500 x 4000 = 2 M, then nothing; earned 10 M + 2 M
    assert plan.ordered[0, 0] == near(1000)
    assert gained(plan, lab) == near(12e6 - 4e6 - 2e6)


def test_a_signed_contract_bills_its_flexible_volume_by_use():
    contract = toy.contract(chips=1000, term=2, take_or_pay=0.6)
    lab = toy.lab(quarters=2, contracts=(contract,))
    plan = planned(lab, demand=[1.0, 0.2])
    # must-pay 2 x 600 x 4000 = 4.8 M; 400 more used in the first quarter: 1.6 M; earned 10 M + 2 M
    assert gained(plan, lab) == near(12e6 - 4.8e6 - 1.6e6)


def test_work_goes_to_the_chip_that_can_do_it_and_does_it_fastest():
    chips = {"a": toy.chip("a"), "b": toy.chip("b")}
    offers = (toy.on_demand(), toy.on_demand("quick", chip="b"))
    workloads = (toy.serve("chat"), toy.serve("legacy", demand_chips=300))
    lab = toy.lab(quarters=1, chips=chips, offers=offers, workloads=workloads)
    plan = planned(lab, speed={"b": 2.0}, cannot=(("b", "legacy"),))
    # b does the 1000 chips of chat with 500; legacy runs on a alone: 13 M earned for 800 x 6000
    assert by_work(plan) == {("a", "chat"): near(0), ("a", "legacy"): near(300), ("b", "chat"): near(500)}
    assert gained(plan, lab) == near(13e6 - 4.8e6)


def test_nobody_serves_more_than_is_asked_nor_at_a_loss():
    workloads = (toy.serve("chat", demand_chips=300), toy.serve("cheap", usd_per_chip_quarter=5000))
    lab = toy.lab(quarters=1, workloads=workloads, offers=(toy.on_demand(),))
    plan = planned(lab)
    # chat: 300 x (10 000 - 6000); a chip on cheap would lose 1000
    assert by_work(plan) == {("a", "chat"): near(300), ("a", "cheap"): near(0)}
    assert plan.unserved[0, 1, 0] == near(1000 * toy.TOKENS_PER_CHIP_QUARTER)
    assert gained(plan, lab) == near(1.2e6)


def develop(share: float = 0.4, **more) -> dict:
    floor = Floor(workloads=("pretrain",), share=share, **more)
    return {"workloads": (toy.serve(), toy.train()), "policy": Policy(floor=floor)}


def test_the_floor_takes_its_share_of_every_chip():
    lab = toy.lab(quarters=1, offers=(toy.on_demand(usd_per_quarter=3000, most=1000),), **develop())
    plan = planned(lab)
    # of each rented chip 0.6 serves: 6000 - 3000 gained on each of the 1000
    assert by_work(plan) == {("a", "chat"): near(600), ("a", "pretrain"): near(400)}
    assert gained(plan, lab) == near(3e6)


def test_chips_that_cannot_develop_neither_meet_the_floor_nor_raise_it():
    chips = {"a": toy.chip("a"), "junk": toy.chip("junk")}
    fleet = (toy.owned("good", chips=1000, term=1), toy.owned("bad", chip="junk", chips=500, term=1))
    lab = toy.lab(quarters=1, chips=chips, contracts=fleet, **develop())
    plan = planned(lab, cannot=(("junk", "pretrain"),))
    # 0.4 of the 1000 that can develop; the other 600 and the 500 serve the demand of 1000
    assert by_work(plan)[("a", "pretrain")] >= 400 - 1e-6
    assert plan.output[0, 0, 0] == near(1000 * toy.TOKENS_PER_CHIP_QUARTER)
    assert plan.relaxed == {}


def test_idle_chips_raise_the_floor():
    lab = toy.lab(quarters=1, contracts=(toy.owned(chips=3000, term=1),), **develop())
    # 3000 live chips ask for 1200 on development although nobody needs more than 1000 for serving
    assert by_work(planned(lab))[("a", "pretrain")] >= 1200 - 1e-6


def test_a_floor_in_flop_holds_whatever_the_fleet_is():
    level = 250 * toy.FLOP_PER_CHIP_QUARTER / toy.SECONDS_PER_QUARTER
    lab = toy.lab(quarters=1, offers=(toy.on_demand(),), **develop(share=0.0, level_flop_per_s=level))
    plan = planned(lab)
    # 250 chips for development cost 1.5 M beside the 1000 that earn 4 M
    assert by_work(plan) == {("a", "chat"): near(1000), ("a", "pretrain"): near(250)}
    assert gained(plan, lab) == near(4e6 - 1.5e6)


def test_two_floors_stand_beside_each_other():
    policy = Policy(
        floor=Floor(workloads=("pretrain",), share=0.3), safety=Floor(workloads=("oversight",), share=0.2)
    )
    workloads = (toy.serve(), toy.train(), toy.safety())
    lab = toy.lab(quarters=1, workloads=workloads, policy=policy, contracts=(toy.owned(chips=1000, term=1),))
    plan = planned(lab)
    assert by_work(plan) == {
        ("a", "chat"): near(500),
        ("a", "pretrain"): near(300),
        ("a", "oversight"): near(200),
    }
    assert gained(plan, lab) == near(5e6)


def test_oversight_grows_with_what_it_watches():
    workloads = (toy.serve(demand_chips=5000), toy.safety())
    lab = toy.lab(
        quarters=1,
        workloads=workloads,
        policy=Policy(oversight=0.1),
        contracts=(toy.owned(chips=1100, term=1),),
    )
    # one chip of oversight to ten at work: 1000 + 100
    assert by_work(planned(lab)) == {("a", "chat"): near(1000), ("a", "oversight"): near(100)}


@pytest.mark.parametrize("bounds", [{"rl": {"share_max": 0.5}}, {"pretrain": {"share_min": 0.5}}], ids=str)
def test_development_keeps_its_mix(bounds):
    workloads = (
        toy.serve(sensitivity=0.5),
        *(toy.train(name, **bounds.get(name, {})) for name in ("pretrain", "rl")),
    )
    fleet = (toy.owned("few", chips=40, term=2), toy.owned("many", chip="b", chips=100, term=2))
    chips = {name: toy.chip(name) for name in "abc"}
    lab = toy.lab(
        quarters=2, chips=chips, workloads=workloads, contracts=fleet, offers=(toy.on_demand(chip="c"),),
        capability=toy.capability(),
    )  # fmt: skip
    cannot = (("a", "rl"), ("b", "pretrain"), ("a", "chat"), ("b", "chat"), ("c", "pretrain"), ("c", "rl"))
    plan = planned(lab, cannot=cannot)
    # 40 chips can pre-train, so no more than 40 of the 100 count as rl: 80 of the 100 that parity takes
    assert plan.output[0, 1:, 0] == near([40 * toy.FLOP_PER_CHIP_QUARTER] * 2)
    assert plan.ratio[1] == near(0.9 + 0.8 * (2**0.25 - 0.9))


def test_a_site_works_as_many_chips_as_it_can_feed():
    fleet = toy.owned(chips=1000, term=1, pool="here", site="here")
    lab = toy.lab(quarters=1, sites=(toy.site(power_w=4e5),), contracts=(fleet,))
    # 1 kW a chip at work: 400 of the 1000 owned
    assert gained(planned(lab), lab) == near(4e6)


def test_a_site_feeds_nothing_before_it_is_ready():
    fleet = toy.owned(chips=1000, term=3, pool="here", site="here")
    lab = toy.lab(quarters=3, sites=(toy.site(ready=toy.FIRST + 2),), contracts=(fleet,))
    plan = planned(lab)
    assert plan.at_work[:3].sum(axis=(1, 2)) == near([0, 0, 1000])


def test_electricity_is_paid_for_what_a_chip_draws():
    fleet = toy.owned(chips=1000, term=1, pool="here", site="here")
    usd_per_j = 0.1 / 3.6e6
    lab = toy.lab(quarters=1, sites=(toy.site(pue=1.5, electricity_usd_per_j=usd_per_j),), contracts=(fleet,))
    # 1 kW x 1.5 x 2190 h x 0.10 USD/kWh = 328.50 USD a chip
    assert gained(planned(lab), lab) == near(1000 * (10_000 - 328.5))


def test_rent_by_the_hour_ends_where_the_market_does():
    assert isinstance(toy.on_demand(), OnDemand)
    lab = toy.lab(quarters=2, offers=(toy.on_demand(most=700),))
    # 700 x 4000 in each of two quarters
    assert gained(planned(lab), lab) == near(5.6e6)


def test_a_floor_cannot_be_met_by_work_that_the_mix_forbids():
    level = 100 * toy.FLOP_PER_CHIP_QUARTER / toy.SECONDS_PER_QUARTER
    policy = Policy(floor=Floor(workloads=("pretrain", "rl"), level_flop_per_s=level))
    chips = {"a": toy.chip("a"), "junk": toy.chip("junk")}
    offers = (toy.on_demand(), toy.on_demand("cheap", chip="junk", usd_per_quarter=1000))
    workloads = (toy.train("pretrain"), toy.train("rl", share_max=0.6))
    lab = toy.lab(quarters=1, chips=chips, offers=offers, workloads=workloads, policy=policy)
    plan = planned(lab, cannot=(("junk", "pretrain"),))
    # the cheap chip does rl alone, at most 60 of 100: 60 x 1000 + 40 x 6000
    assert gained(plan, lab) == near(-300e3)
