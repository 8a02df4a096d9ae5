"""Reservations that can be left and stretched, each deciding one small plan alone. A chip earns 10 000 USD a quarter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.plan import shocks, toy
from tests.simulate.test_replay import own_futures

from exaplan.domain.deals import Renewal
from exaplan.domain.lab import Ends, Floor, Policy
from exaplan.plan.result import to_plan
from exaplan.simulate.replay import replay

FORK = {"parent": [-1, 0, 0, 1, 2], "probability": [1.0, 0.5, 0.5, 0.5, 0.5]}


def near(value):
    return pytest.approx(value, rel=1e-6, abs=1.0)


def replayed(solved):
    tree = solved.program.inputs.tree
    outcome = replay(solved, own_futures(tree), seed=1, absorbing=False)
    return tree.probability[tree.leaves] @ outcome.value_usd


def left(solved):
    """Thousand chips that have been left, all cohorts of the only offer [node]."""
    return solved.value(solved.model.columns["order_left"]).sum(axis=(1, 2)) * 1e3


def leavable(fee, **more):
    return toy.reserved(**{"lead": 1, "term": 3, "most": 100, "exit_fee": fee, "last": toy.FIRST, **more})


def fork(offer, **more):
    given = {"quarters": 3, "ends": Ends(fade=0.0, quarters=1), **more}
    return toy.lab(offers=(offer,), **given)


def test_a_reservation_is_left_where_the_fee_is_less_than_what_would_be_lost():
    solved = toy.solved(fork(leavable(0.25)), **FORK, demand=[1, 1, 0, 1, 0])
    # without demand three quarters of 0.4 M are owed; a quarter of them buys the exit
    assert left(solved)[:5] == pytest.approx([0, 0, 100, 0, 100])
    plan, lab = to_plan(solved), solved.program.inputs.lab
    assert toy.gained(plan, lab) == near(0.5 * 3 * 0.6e6 - 0.5 * 0.3e6)
    assert plan.further[:5, 0] == pytest.approx([0, 0, -100, 0, -100])
    assert replayed(solved) == near(plan.value_usd)


def test_it_is_kept_where_the_fee_is_more():
    # idle for one quarter of three: 0.4 M lost, 0.6 M earned in each of the other two
    idle = {"demand": [1, 1, 0, 1, 1], **FORK}
    assert left(toy.solved(fork(leavable(0.0)), **idle))[[2, 4]] == pytest.approx([0, 0])
    gone = {"demand": [1, 1, 0, 1, 0], **FORK}
    assert left(toy.solved(fork(leavable(1.01)), **gone))[[2, 4]] == pytest.approx([0, 0])
    assert left(toy.solved(fork(leavable(0.99)), **gone))[[2, 4]] == pytest.approx([100, 100])


def test_what_was_left_stays_left_and_the_deposit_is_lost():
    offer = leavable(0.0, lead=0, term=3, deposit=0.2)
    lab = fork(offer, ends=Ends(fade=0.0, quarters=1))
    solved = toy.solved(
        lab, parent=[-1, 0, 0, 1, 2], probability=[1, 0.9, 0.1, 0.9, 0.1], demand=[1, 1, 0, 1, 0]
    )
    plan = to_plan(solved)
    # 1.2 M in all: 0.24 M at signature, 0.32 M a quarter; one quarter worked in the bad future
    assert left(solved)[:5] == pytest.approx([0, 0, 100, 0, 100])
    assert toy.gained(plan, lab) == near(0.9 * (3e6 - 1.2e6) + 0.1 * (1e6 - 0.24e6 - 0.32e6))
    assert replayed(solved) == near(plan.value_usd)


def test_the_fee_is_of_the_stepped_price_still_owed():
    offer = leavable(0.5, lead=0, term=6, step_up=0.5, usd_per_quarter=4000)
    lab = fork(offer, quarters=2, ends=Ends(fade=0.0, quarters=4))
    solved = toy.solved(lab, parent=[-1, 0, 0], probability=[1, 0.9, 0.1], demand=[1, 1, 0])
    # owed from quarter 1 on: three quarters at 0.4 M, two at 0.6 M
    assert left(solved)[:3] == pytest.approx([0, 0, 100])
    flow = to_plan(solved).cash_usd[2] - to_plan(solved).cash_usd[0]
    assert flow == near(-0.5 * (3 * 0.4e6 + 2 * 0.6e6))
    assert replayed(solved) == near(to_plan(solved).value_usd)


def test_chips_that_were_left_cannot_be_renewed_and_ask_for_no_floor():
    again = Renewal(term_quarters=1, price_usd_per_chip_h=0.0)
    offer = leavable(0.0, lead=0, term=2, renewal=again)
    lab = toy.lab(
        quarters=3,
        offers=(offer,),
        ends=Ends(fade=0.0, quarters=1),
        workloads=(toy.serve(usd_per_chip_quarter=5000),),
    )
    solved = toy.solved(lab, demand=[1, 0, 1])
    # 1000 lost on each of the first two quarters? the second is left empty, or kept for the third, which is free
    kept = solved.value(solved.model.columns["renewed_stock"])[2, 0] * 1e3
    assert kept == pytest.approx(100 - left(solved)[1])
    assert to_plan(solved).value_usd - 1e9 == near(100 * (1000 - 4000 + 5000))
    floor = Policy(floor=Floor(workloads=("pretrain",), share=0.5))
    tight = toy.lab(
        quarters=3,
        offers=(leavable(0.0, lead=0, term=2),),
        policy=floor,
        workloads=(toy.serve(usd_per_chip_quarter=9000), toy.train()),
    )
    empty = toy.solved(tight, demand=[1, 0, 0])
    assert left(empty)[1] == pytest.approx(100)
    assert to_plan(empty).at_work[1].sum() == pytest.approx(0, abs=1e-6)


def test_a_path_with_fewer_chips_than_its_node_leaves_no_more_than_it_has():
    lab = fork(leavable(0.1))
    solved = shocks.solved(lab, **FORK, demand=[1, 1, 0.01, 1, 0.01], supply={"cloud": [1.0] * 5})
    world = own_futures(solved.program.inputs.tree)
    poor = replace(world, supply=np.where(np.arange(3)[None, :, None] == 0, 0.3, world.supply))
    outcome = replay(solved, poor, seed=1)
    assert outcome.ordered[:, 0, 0] == pytest.approx([30, 30])
    assert outcome.at_work.min() >= 0


def test_more_than_was_reserved_may_be_used_at_the_same_price():
    offer = toy.reserved(lead=0, term=2, most=100, flex_up=0.3, last=toy.FIRST)
    lab = toy.lab(
        quarters=2, offers=(offer,), workloads=(toy.serve(demand_chips=90),), ends=Ends(fade=0.0, quarters=1)
    )
    solved = toy.solved(lab, parent=[-1, 0, 0], probability=[1, 0.5, 0.5], demand=[1.0, 1.3, 0.7])
    extra = solved.value(solved.model.columns["flex_up_use"])[:3, 0, 0] * 1e3
    order = to_plan(solved).ordered[0, 0]
    # a firm chip beyond 63 costs 4000 in quarter 1 of the bad future: 90 / 1.3 firm ones and the rest as needed
    assert order == pytest.approx(90)
    assert extra == pytest.approx([0, 27, 0])
    assert toy.gained(to_plan(solved), lab) == near(
        90 * 6000 + 0.5 * 117 * 6000 + 0.5 * (63 * 10_000 - 90 * 4000)
    )
    assert replayed(solved) == near(to_plan(solved).value_usd)


def test_a_signed_contract_may_be_used_beyond_its_volume():
    signed = toy.contract(chips=100, term=1, flex_up=0.2)
    lab = toy.lab(quarters=1, contracts=(signed,), ends=Ends(fade=0.0, quarters=1))
    plan = to_plan(toy.solved(lab))
    assert toy.gained(plan, lab) == near(120 * 6000)
    assert plan.rented[0, 0, 0] == pytest.approx(20)


def test_an_exit_is_from_a_firm_reservation():
    with pytest.raises(ValueError, match="an exit is from a firm reservation"):
        leavable(0.1, take_or_pay=0.5)


def test_what_was_left_stretches_no_further():
    offer = toy.reserved(
        lead=0, term=2, most=100, exit_fee=0.0, flex_up=0.5, last=toy.FIRST,
        price_usd_per_chip_h=(toy.hourly(4000), toy.hourly(1000)),
    )  # fmt: skip
    lab = toy.lab(quarters=2, offers=(offer,), ends=Ends(fade=0.0, quarters=1))
    solved = toy.solved(lab, demand=[0.1, 0.05])
    # 50 chips of demand in quarter 1: k kept at 4000 and half as many beyond at 1000, k = 100 / 3
    extra = solved.value(solved.model.columns["flex_up_use"])[1].sum() * 1e3
    assert extra == pytest.approx(50 / 3)
    assert toy.gained(to_plan(solved), lab) == near(100 * 6000 + 50 * 10_000 - 4000 * 100 / 3 - 1000 * 50 / 3)
    assert replayed(solved) == near(to_plan(solved).value_usd)


def test_chips_beyond_a_lease_are_held_at_the_site_too():
    offer = toy.reserved(lead=0, term=1, most=100, flex_up=1.0, site="here", pool="here")
    lab = toy.lab(
        quarters=1, offers=(offer,), sites=(toy.site(upkeep_usd_per_w_quarter=1.0),), ends=Ends(fade=0.0, quarters=1)
    )  # fmt: skip
    # 1000 USD of upkeep for each of 200 chips of 1 kW
    assert toy.gained(to_plan(toy.solved(lab)), lab) == near(200 * (10_000 - 4000 - 1000))


def test_who_has_failed_lends_no_chips_beyond_what_came():
    gone = {"cloud": [0, 1]}
    order = toy.reserved(lead=0, term=2, most=100, flex_up=0.5, last=toy.FIRST)
    lab = toy.lab(quarters=2, offers=(order,), ends=Ends(fade=0.0, quarters=1))
    assert toy.gained(to_plan(shocks.solved(lab, gone=gone)), lab) == near((150 + 100) * 6000)
    signed = toy.contract(chips=100, term=2, flex_up=0.5)
    lab = toy.lab(quarters=2, contracts=(signed,), ends=Ends(fade=0.0, quarters=1))
    assert to_plan(shocks.solved(lab, gone=gone)).rented[:2, 0, 0] == pytest.approx([50, 0])
