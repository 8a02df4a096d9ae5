"""Clauses of offers: rising prices, milestones, renewals. Arithmetic beside each; a chip earns 10 000 USD a quarter."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan import shocks, toy
from tests.simulate.test_replay import own_futures

from exaplan.domain.deals import Milestone, Renewal
from exaplan.domain.lab import Ends, Floor, Policy
from exaplan.plan.accounts import capacity_of, contract_value, decisions_of, development_share
from exaplan.plan.result import to_plan
from exaplan.simulate.replay import replay


def near(value):
    return pytest.approx(value, rel=1e-6, abs=1.0)


def replayed(solved):
    tree = solved.program.inputs.tree
    outcome = replay(solved, own_futures(tree), seed=1, absorbing=False)
    return tree.probability[tree.leaves] @ outcome.value_usd


def moved(solved):
    plan, lab = to_plan(solved), solved.program.inputs.lab
    return np.diff(plan.cash_usd, prepend=lab.finance.cash_usd)


STEPPED = {"lead": 1, "term": 10, "most": 100, "step_up": 0.1, "last": toy.FIRST}


def test_a_price_steps_up_at_the_end_of_each_year_of_the_term():
    lab = toy.lab(quarters=11, offers=(toy.reserved(**STEPPED),))
    solved = toy.solved(lab)
    # 100 chips: 0.4 M for four quarters, 0.44 M for four, 0.484 M for the last two
    price = np.array([0] + 4 * [0.4e6] + 4 * [0.44e6] + 2 * [0.484e6])
    assert moved(solved)[:11] == near(np.where(price > 0, 1e6, 0) - price)
    assert solved.value(solved.program.columns.commit)[:11] * 1e6 == near(price)
    assert replayed(solved) == near(to_plan(solved).value_usd)


def test_steps_after_the_horizon_are_owed_at_their_present_value():
    lab = toy.lab(
        quarters=3, offers=(toy.reserved(**STEPPED),), finance=toy.finance(cost_of_equity=1.25**4 - 1), ends=Ends(fade=0.0, quarters=8)
    )  # fmt: skip
    solved = toy.solved(lab)
    # quarters 3 to 10 at a factor of 0.8: two at 0.4, four at 0.44, two at 0.484
    owed = sum(p * 0.8**k for k, p in enumerate([0.4, 0.4, 0.44, 0.44, 0.44, 0.44, 0.484, 0.484]))
    assert solved.value(solved.program.columns.commit)[3] == pytest.approx(owed)
    assert replayed(solved) == near(to_plan(solved).value_usd)


def test_a_deposit_is_of_the_price_at_signature_and_the_rise_comes_on_top():
    offer = toy.reserved(lead=0, term=5, most=100, step_up=0.5, deposit=0.2, take_or_pay=1.0, last=toy.FIRST)
    solved = toy.solved(toy.lab(quarters=5, offers=(offer,)))
    # 5 x 0.4 M: 0.4 M at signature, 0.32 M a quarter, and 0.2 M more in the fifth
    assert 1e6 - moved(solved)[:5] == near([0.4e6 + 0.32e6, 0.32e6, 0.32e6, 0.32e6, 0.52e6])
    inputs = solved.program.inputs
    assert contract_value(inputs)[0, 0] * 100 == near(2.2e6)
    (signed,) = decisions_of(inputs, to_plan(solved))
    assert (signed.committed_usd, signed.due_now_usd) == (near(2.2e6), near(0.4e6))


def test_without_steps_a_contract_is_worth_its_price_times_its_term():
    inputs = toy.solved(
        toy.lab(quarters=5, offers=(toy.reserved(lead=0, term=4, step_up=0.1),))
    ).program.inputs
    assert contract_value(inputs)[0] == near([4 * 4000])
    assert decisions_of(inputs, to_plan(toy.solved(inputs.lab)))


def test_a_rise_turns_an_order_that_would_pay_into_one_that_does_not():
    # a chip that costs 9800 for four quarters gains 800; a fifth and sixth at 10 780 lose 1560
    def chips(step_up):
        offer = toy.reserved(lead=0, term=6, usd_per_quarter=9800, most=100, step_up=step_up, last=toy.FIRST)
        return to_plan(toy.solved(toy.lab(quarters=6, offers=(offer,)))).ordered[0, 0]

    assert chips(0.0) == pytest.approx(100)
    assert chips(0.1) == pytest.approx(0)


MILESTONES = (Milestone(after_quarters=1, share=0.3), Milestone(after_quarters=2, share=0.1))


def buy(**more):
    return toy.purchase(
        usd=10_000, lead=3, life=2, most=100, deposit=0.2, milestones=MILESTONES, last=toy.FIRST, **more
    )


def test_milestones_are_due_on_their_dates_and_the_rest_on_arrival():
    solved = toy.solved(toy.lab(quarters=5, sites=(toy.site(),), offers=(buy(),)))
    assert moved(solved)[:5] == near([-0.2e6, -0.3e6, -0.1e6, -0.4e6 + 1e6, 1e6])
    assert replayed(solved) == near(to_plan(solved).value_usd)


def test_a_late_delivery_leaves_the_milestones_where_they_were():
    lab = toy.lab(quarters=6, sites=(toy.site(),), offers=(buy(),))
    solved = toy.solved(lab, slip=[0, 0, 0, 1, 0, 0])
    assert moved(solved)[:6] == near([-0.2e6, -0.3e6, -0.1e6, 0, -0.4e6 + 1e6, 1e6])
    assert replayed(solved) == near(to_plan(solved).value_usd)


def test_milestones_end_with_their_supplier_and_those_after_the_horizon_are_paid_at_present_value():
    money = toy.finance(cost_of_equity=1.25**4 - 1)
    parent = [-1, 0, 0]
    lab = toy.lab(
        quarters=2, sites=(toy.site(),), offers=(buy(),), finance=money, ends=Ends(fade=0.0, quarters=4)
    )
    solved = shocks.solved(lab, parent=parent, probability=[1, 0.9, 0.1], gone={"maker": [0, 0, 1]})
    plan = to_plan(solved)
    assert plan.ordered[0, 0] == pytest.approx(100)
    flow = np.diff(plan.cash_usd[[0, 1, 3]]), np.diff(plan.cash_usd[[0, 2, 4]])
    # where the maker lives on: 0.3 M in quarter 1; in the tail 0.1 M, 0.4 M a quarter on, and what is earned then and after
    assert flow[0] == near([-0.3e6, -0.1e6 - 0.8 * 0.4e6 + (0.8 + 0.64) * 1e6])
    assert flow[1] == near([0, 0])
    assert replayed(solved) == near(plan.value_usd)


def test_no_more_than_the_whole_price_is_paid_before_delivery():
    with pytest.raises(ValueError, match="deposit and milestones add up to 110% of the price"):
        toy.purchase(deposit=0.7, milestones=MILESTONES)


def kept(solved):
    return solved.value(solved.model.columns["renewed_stock"])[:, 0] * 1e3


def test_a_reservation_may_be_kept_for_another_term_at_the_agreed_price():
    agreed = Renewal(term_quarters=2, price_usd_per_chip_h=toy.hourly(3000))
    offer = toy.reserved(lead=1, term=2, most=100, renewal=agreed, last=toy.FIRST)
    solved = toy.solved(toy.lab(quarters=6, offers=(offer,)))
    # 100 chips at 4000 in quarters 1 and 2, at 3000 in quarters 3 and 4
    assert kept(solved)[:6] == pytest.approx([0, 0, 0, 100, 100, 0])
    assert moved(solved)[:6] == near([0, 0.6e6, 0.6e6, 0.7e6, 0.7e6, 0])
    assert to_plan(solved).further[:6, 0] == pytest.approx([0, 0, 0, 100, 100, 0])
    assert replayed(solved) == near(to_plan(solved).value_usd)


def test_a_renewal_at_the_market_is_a_choice_of_the_future_that_sees_the_price():
    market = Renewal(term_quarters=1, market_exposure=1.0)
    offer = toy.reserved(lead=0, term=1, usd_per_quarter=8000, most=100, renewal=market, last=toy.FIRST)
    lab = toy.lab(quarters=2, offers=(offer,))
    solved = toy.solved(lab, parent=[-1, 0, 0], probability=[1, 0.5, 0.5], rental=[1.0, 1.2, 1.3])
    # 9600 is below what a chip earns, 10 400 is not
    assert kept(solved)[:3] == pytest.approx([0, 100, 0])
    assert toy.gained(to_plan(solved), solved.program.inputs.lab) == near(100 * 2000 + 0.5 * 100 * 400)


def test_no_more_is_kept_than_ends_and_only_once():
    agreed = Renewal(term_quarters=1, price_usd_per_chip_h=toy.hourly(1000))
    offer = toy.reserved(lead=0, term=2, most=60, renewal=agreed, last=toy.FIRST + 1)
    solved = toy.solved(toy.lab(quarters=6, offers=(offer,)))
    # 60 chips each from quarters 0 and 1, kept in quarters 2 and 3
    assert kept(solved)[:6] == pytest.approx([0, 0, 60, 60, 0, 0])


def test_a_signed_contract_is_renewed_tranche_by_tranche_unless_it_was_left():
    agreed = Renewal(term_quarters=1)
    signed = toy.contract(due=(-1, 0), chips=100, term=2, usd_per_quarter=9000, renewal=agreed)
    solved = toy.solved(toy.lab(quarters=4, contracts=(signed,)))
    assert kept(solved)[:4] == pytest.approx([0, 100, 100, 0])
    leaving = signed.model_copy(update={"exit_fee": 0.0})
    gone = toy.solved(
        toy.lab(quarters=4, contracts=(leaving,), workloads=(toy.serve(usd_per_chip_quarter=5000),))
    )
    assert kept(gone)[:4] == pytest.approx([0, 0, 0, 0])


def test_what_is_kept_beyond_the_horizon_earns_and_owes_its_annuities():
    agreed = Renewal(term_quarters=4, price_usd_per_chip_h=toy.hourly(5000))
    offer = toy.reserved(lead=0, term=1, most=100, renewal=agreed, last=toy.FIRST)
    lab = toy.lab(
        quarters=2, offers=(offer,), ends=Ends(fade=1 - 0.9**4, quarters=2), finance=toy.finance(cost_of_equity=1.25**4 - 1)
    )  # fmt: skip
    solved = toy.solved(lab)
    # kept in quarters 1 to 4: two quarters of the tail at 0.8 x 0.9 earn, three are owed at 0.8
    assert kept(solved)[:3] == pytest.approx([0, 100, 100 * (1 + 0.72)])
    assert moved(solved)[2] == near(1.72 * 1e6 - 0.5e6 * (1 + 0.8 + 0.64))
    assert replayed(solved) == near(to_plan(solved).value_usd)


def test_a_lease_stands_at_an_own_site_and_ends_with_a_purchase():
    buy_out = Renewal(term_quarters=3, price_usd_per_chip_h=0.0, payment_usd_per_chip=8000)
    lease = toy.reserved(lead=0, term=2, most=100, site="here", pool="here", renewal=buy_out, last=toy.FIRST)
    here = toy.site(power_w=80e3, upkeep_usd_per_w_quarter=1.0)
    solved = toy.solved(toy.lab(quarters=5, sites=(here,), offers=(lease,)))
    plan = to_plan(solved)
    # 1 kW a chip: power for 80 chips; leased at 4000, bought for 8000, upkeep of 1000 a quarter throughout
    assert plan.ordered[0, 0] == pytest.approx(80)
    assert kept(solved)[:5] == pytest.approx([0, 0, 80, 80, 80])
    assert moved(solved)[:5] == pytest.approx(80 * np.array([5000, 5000, 9000 - 8000, 9000, 9000]), rel=1e-4)
    assert replayed(solved) == near(plan.value_usd)


def test_renewed_chips_count_in_floors_and_in_cover():
    agreed = Renewal(term_quarters=2, price_usd_per_chip_h=toy.hourly(3000))
    offer = toy.reserved(lead=0, term=1, most=100, renewal=agreed, last=toy.FIRST)
    lab = toy.lab(
        quarters=2, offers=(offer,), workloads=(toy.serve(), toy.train()),
        policy=Policy(floor=Floor(workloads=("pretrain",), share=0.25), cover_quarters=2.0), finance=toy.finance(cash_usd=10e6),
    )  # fmt: skip
    solved = toy.solved(lab)
    plan = to_plan(solved)
    assert plan.at_work[1].sum(axis=1) == pytest.approx([75, 25])
    text = solved.model.to_lp_text(rows=["cover"])
    assert "- 2 renewed_commit[1,0]" in text
    assert {
        row.kind
        for row in capacity_of(solved.program.inputs, plan)
        if row.quarter == "2027-Q2" and row.chips > 1
    } == {"further"}
    assert development_share(solved.program.inputs, plan)[1] == pytest.approx(0.25)
