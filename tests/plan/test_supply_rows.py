"""Limits of dependence and whole lots, each deciding one small plan alone. A chip earns 10 000 USD a quarter."""

from __future__ import annotations

import pytest
from tests.plan import toy
from tests.simulate.test_replay import own_futures

from exaplan.domain.deals import Renewal
from exaplan.domain.lab import Ends, Policy
from exaplan.domain.supply_risk import SupplierOrder, SupplierShare
from exaplan.economy.statements import H100_DENSE_8BIT_OP_PER_S
from exaplan.plan.prices import limits_of
from exaplan.plan.result import to_plan
from exaplan.plan.supply_rows import signed_fleet
from exaplan.simulate.replay import replay


def near(value):
    return pytest.approx(value, rel=1e-5, abs=10.0)


def capped(*offers, share=0.4, quarters=1, **more):
    policy = Policy(supplier_share=(SupplierShare(supplier="cloud", share=share),))
    given = {"finance": toy.finance(cash_usd=20e6), "ends": Ends(fade=0.0, quarters=1), "policy": policy}
    return toy.lab(quarters=quarters, offers=offers, **{**given, **more})


CHEAP = toy.reserved("cheap", usd_per_quarter=4000, lead=0, term=1, most=500)
DEAR = toy.reserved("dear", usd_per_quarter=7000, lead=0, term=1, most=300, supplier="rival")


def test_no_more_than_its_share_of_the_fleet_comes_from_one_supplier():
    solved = toy.solved(capped(CHEAP, DEAR))
    # 300 of the rival are 60 %: 200 cheap ones, although 500 could be had
    assert to_plan(solved).ordered[0] == pytest.approx([200, 300])
    assert to_plan(solved).relaxed == {}
    (row,) = [limit for limit in limits_of(solved) if limit.name == "share of cloud"]
    # at share s there are 300 s / (1 - s) cheap chips of 6000: a point is worth 300 x 6000 / (1 - s)^2
    assert (row.state, row.worth) == ("binds", near(300 * 6000 / 0.36))


def test_chips_by_the_hour_count_as_they_are_used():
    rival = toy.on_demand(usd_per_quarter=9000, most=600, supplier="rival")
    solved = toy.solved(capped(CHEAP, rival))
    # each rented chip of the rival gains 1000 and lets two thirds of a cheap one in: 1000 chips of demand, 400 cheap
    assert to_plan(solved).ordered[0, 0] == pytest.approx(400)
    assert to_plan(solved).rented[0, 0, 0] == pytest.approx(600)


def test_weights_are_the_peaks_of_the_chips():
    fast = toy.chip("b").model_copy(update={"bf16_flop_per_s": 3e15})
    rival = DEAR.model_copy(update={"chip": "b", "max_order": (100.0,)})
    solved = toy.solved(capped(CHEAP, rival, chips={"a": toy.chip("a"), "b": fast}))
    # 100 chips of three times the peak are 60 % beside 200 of one
    assert to_plan(solved).ordered[0] == pytest.approx([200, 100])


def test_contracts_count_until_they_are_left_and_renewed_chips_count():
    signed = toy.contract(
        chips=300, term=1, usd_per_quarter=6000, supplier="rival", renewal=Renewal(term_quarters=1)
    )
    lab = capped(CHEAP, quarters=2, contracts=(signed,))
    assert to_plan(toy.solved(lab)).ordered[:, 0] == pytest.approx([200, 200])
    fleet, suppliers = signed_fleet(toy.solved(lab).program.inputs)
    assert fleet[:, 0] * 1e3 == pytest.approx([300 * 1e15 / H100_DENSE_8BIT_OP_PER_S, 0])
    assert suppliers == ["rival"]
    leaving = signed.model_copy(
        update={"exit_fee": 0.0, "renewal": None, "price_usd_per_chip_h": toy.hourly(12_000)}
    )
    # a chip of the rival loses 2000 and lets two thirds of a cheap one in, which gains 4000: kept to the last
    assert to_plan(toy.solved(capped(CHEAP, contracts=(leaving,)))).ordered[0, 0] == pytest.approx(200)


def test_orders_that_were_left_no_longer_count():
    leaving = CHEAP.model_copy(update={"exit_fee": 0.01, "term_quarters": 2, "last": toy.FIRST})
    twice = DEAR.model_copy(update={"max_order": (300.0, 30.0)})
    lab = capped(leaving, twice, quarters=2)
    # in quarter 1 the rival has 30 chips only: of 200 cheap ones 20 may stay
    solved = toy.solved(lab)
    left = solved.value(solved.model.columns["order_left"])[:2, 0, 0] * 1e3
    assert to_plan(solved).ordered[0] == pytest.approx([200, 300])
    assert left == pytest.approx([0, 180])


def test_a_share_that_is_passed_already_is_missed_by_no_more_than_it_is():
    signed = toy.contract(chips=300, term=1, usd_per_quarter=6000)
    solved = toy.solved(capped(CHEAP, contracts=(signed,)))
    unit = 1e15 / H100_DENSE_8BIT_OP_PER_S
    assert to_plan(solved).ordered[0, 0] == pytest.approx(0, abs=1e-2)
    assert solved.relaxed == {"supplier share": pytest.approx(0.6 * 0.3 * unit, rel=1e-4)}
    (row,) = [limit for limit in limits_of(solved) if limit.name == "share of cloud"]
    assert (row.state, row.relaxed_by) == ("relaxed", pytest.approx(0.6, rel=1e-4))


def test_no_more_is_signed_with_a_supplier_in_a_quarter_than_the_owner_wants():
    second = CHEAP.model_copy(update={"id": "second", "price_usd_per_chip_h": (toy.hourly(5000),)})
    policy = Policy(supplier_order=(SupplierOrder(supplier="cloud", most_chips=600),))
    solved = toy.solved(capped(CHEAP, second, DEAR, policy=policy))
    assert to_plan(solved).ordered[0] == pytest.approx([500, 100, 300])


def replayed(solved):
    tree = solved.program.inputs.tree
    outcome = replay(solved, own_futures(tree), seed=1, absorbing=False)
    return tree.probability[tree.leaves] @ outcome.value_usd


def test_orders_are_whole_lots_in_the_first_year_and_any_amount_later():
    offer = toy.reserved(lead=0, term=1, most=1000, lot_chips=64)
    lab = capped(offer, share=0.99, quarters=6, workloads=(toy.serve(demand_chips=100),), policy=Policy())
    solved = toy.solved(lab)
    # a second lot of 64 would serve 36 chips' demand: 0.36 M earned for 0.256 M
    assert to_plan(solved).ordered[:, 0] == pytest.approx([128, 128, 128, 128, 100, 100])
    assert toy.gained(to_plan(solved), lab) == near(4 * (1e6 - 128 * 4000) + 2 * 100 * 6000)
    assert replayed(solved) == near(to_plan(solved).value_usd)
    little = lab.model_copy(update={"workloads": (toy.serve(demand_chips=88),)})
    assert to_plan(toy.solved(little)).ordered[:, 0] == pytest.approx([64, 64, 64, 64, 88, 88])


def test_lots_hold_until_the_quarter_that_the_offer_names():
    offer = toy.reserved(lead=0, term=1, most=1000, lot_chips=64, lot_until=toy.FIRST + 1)
    lab = capped(offer, quarters=3, workloads=(toy.serve(demand_chips=88),), policy=Policy())
    assert to_plan(toy.solved(lab)).ordered[:, 0] == pytest.approx([64, 64, 88])


def test_a_path_that_can_pay_for_part_of_an_order_signs_whole_lots():
    offer = toy.purchase(
        usd=10_000, lead=0, life=2, most=1000, deposit=1.0, lot_chips=64, first=toy.FIRST + 1
    )
    lab = capped(
        offer, quarters=2, sites=(toy.site(),), workloads=(toy.serve(demand_chips=500),), policy=Policy(),
        finance=toy.finance(cash_usd=2.6e6), contracts=(toy.owned(chips=500, term=1),),
    )  # fmt: skip
    solved = toy.solved(lab)
    assert to_plan(solved).ordered[:, 0] == pytest.approx([0, 512])
    world = own_futures(solved.program.inputs.tree)
    world.price_usd_per_token[:, 0] *= 0.5
    # the plan has 2.6 + 5 M when it orders, the path 2.6 + 2.5: 67 % of 512 are 344, that is 5 lots
    assert replay(solved, world, seed=1).ordered[0, :, 0] == pytest.approx([0, 320])


def test_chips_beyond_an_order_count_as_they_are_used():
    loose = CHEAP.model_copy(update={"max_order": (150.0,), "flex_up": 1.0})
    solved = toy.solved(capped(loose, DEAR))
    extra = solved.value(solved.model.columns["flex_up_use"])[0].sum() * 1e3
    # 300 of the rival let 200 of the cloud in, reserved or beyond
    assert to_plan(solved).ordered[0, 1] == pytest.approx(300)
    assert to_plan(solved).ordered[0, 0] + extra == pytest.approx(200)
    (row,) = [limit for limit in limits_of(solved) if limit.name == "share of cloud"]
    assert (row.state, row.worth) == ("binds", near(300 * 6000 / 0.36))


@pytest.mark.parametrize(("take_or_pay", "used"), [(1.0, 100), (0.5, 125)])
def test_chips_beyond_a_contract_count_as_they_are_used(take_or_pay, used):
    signed = toy.contract(chips=100, term=1, flex_up=2.0, take_or_pay=take_or_pay)
    solved = toy.solved(capped(DEAR, contracts=(signed,)))
    # 100 more of the cloud may be live beside its 100; where 50 of the 100 are by use, four fifths of the use are beyond
    assert to_plan(solved).rented[0, 0, 0] == pytest.approx(used)
