"""Each rule of money decides one small plan alone; arithmetic beside it. A chip earns 10 000 USD a quarter."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan import toy
from tests.plan.toy import gained, planned

from exaplan.domain.lab import Debt, Ends, FixedCost, Policy, Risk, Round
from exaplan.domain.supply import Instalment
from exaplan.plan.result import cash_price, to_plan


def near(value):
    return pytest.approx(value, rel=1e-6, abs=1.0)


def moved(plan, lab, quarters: int) -> np.ndarray:
    """Cash at the end of each quarter less the cash at the start, on a chain."""
    return plan.cash_usd[:quarters] - lab.finance.cash_usd


def test_a_deposit_is_paid_at_signature_and_credited_over_the_term():
    lab = toy.lab(quarters=3, offers=(toy.reserved(lead=1, term=2, deposit=0.25, last=toy.FIRST),))
    plan = planned(lab)
    # 1000 chips x 2 quarters x 4000 = 8 M: a quarter of it now, 3000 a chip and quarter from delivery
    assert moved(plan, lab, 3) == near([-2e6, -2e6 + 7e6, -2e6 + 14e6])


def test_the_price_of_a_reservation_is_that_of_its_signature():
    offer = toy.reserved(
        lead=1, term=1, price_usd_per_chip_h=(toy.hourly(4000), toy.hourly(9999)), last=toy.FIRST
    )
    lab = toy.lab(quarters=2, offers=(offer,))
    assert gained(planned(lab), lab) == near(1000 * (10_000 - 4000))


def test_a_purchase_is_paid_in_two_parts_and_brings_its_scrap_at_the_end():
    offer = toy.purchase(usd=12_000, lead=1, life=2, deposit=0.25, residual=0.1, last=toy.FIRST)
    lab = toy.lab(quarters=4, sites=(toy.site(),), offers=(offer,))
    plan = planned(lab)
    # 1000 chips: 3 M at order, 9 M on arrival, 10 M earned in quarters 1 and 2, 1.2 M of scrap in quarter 3
    assert moved(plan, lab, 4) == near([-3e6, -2e6, 8e6, 9.2e6])


def test_losses_are_carried_forward_and_used_up_before_tax_is_paid():
    fixed = FixedCost(id="staff", amount_usd_per_quarter=(16e6, 0.0))
    money = toy.finance(tax_rate=0.25, losses_carried_usd=1e6, fixed_costs=(fixed,))
    lab = toy.lab(quarters=2, finance=money, contracts=(toy.owned(chips=1000, term=2),))
    # 10 - 16 loses 6 beside the 1 brought forward; 10 less 7 of relief is taxed: 0.25 x 3 = 0.75
    assert gained(planned(lab), lab) == near(10e6 - 16e6 + 10e6 - 0.75e6)


def test_depreciation_shields_what_a_chip_earns():
    offer = toy.purchase(usd=10_000, lead=0, life=2, last=toy.FIRST)
    lab = toy.lab(quarters=2, sites=(toy.site(),), offers=(offer,), finance=toy.finance(tax_rate=0.4))
    # 1000 chips: profit 10 - 5 M a quarter, tax 2 M
    assert gained(planned(lab), lab) == near(2 * 10e6 - 10e6 - 2 * 2e6)


def test_a_round_is_open_in_its_window_and_raised_once():
    chance = Round(id="B", first=toy.FIRST + 1, last=toy.FIRST + 2, max_usd=4e6, dilution_cost=0.1)
    offer = toy.purchase(usd=10_000, lead=0, life=2, last=toy.FIRST + 1)
    money = toy.finance(cash_usd=0, collection_lag_quarters=1, rounds=(chance,))
    lab = toy.lab(quarters=4, sites=(toy.site(),), offers=(offer,), finance=money)
    plan = planned(lab)
    # nothing to buy with in quarter 0; 4 M buy 400 chips in quarter 1, which earn 2 x 4 M; the round costs 4.4 M
    assert plan.ordered[:2, 0] == pytest.approx([0, 400])
    assert plan.raised_usd[:, 0].sum() == near(4e6)
    assert plan.value_usd == near(8e6 - 4e6 + 4e6 - 4.4e6)


def test_a_round_that_costs_more_than_it_brings_is_not_raised():
    chance = Round(id="B", first=toy.FIRST, last=toy.FIRST, max_usd=4e6, dilution_cost=1.2)
    offer = toy.purchase(usd=10_000, lead=0, life=2, last=toy.FIRST)
    money = toy.finance(cash_usd=0, collection_lag_quarters=1, rounds=(chance,))
    lab = toy.lab(quarters=2, sites=(toy.site(),), offers=(offer,), finance=money)
    # a dollar doubles in two quarters but costs 2.2
    assert planned(lab).raised_usd.sum() == near(0)


def test_debt_is_drawn_to_its_limit_and_paid_back_with_interest():
    money = toy.finance(
        cash_usd=3e6, cash_minimum_usd=1e6, collection_lag_quarters=1, debt=Debt(limit_usd=2e6, rate=0.4, outstanding_usd=1e6)
    )  # fmt: skip
    lab = toy.lab(quarters=2, finance=money, offers=(toy.reserved(lead=0, term=1, last=toy.FIRST),))
    plan = planned(lab)
    # quarter 0: 3 - 1.1 (old loan) + 2 - 1 that must stay = 2.9 M for 725 chips; quarter 1: 1 + 7.25 - 2.2
    assert plan.ordered[0, 0] == pytest.approx(725)
    assert plan.debt_usd[:2] == near([2e6, 0])
    assert plan.cash_usd[1] == near(1e6 + 7.25e6 - 2.2e6)


def test_cash_earns_interest_from_the_first_quarter_on():
    lab = toy.lab(
        quarters=2,
        workloads=(toy.serve(demand_chips=1),),
        finance=toy.finance(cash_rate=0.04, cost_of_equity=0.05),
    )
    assert planned(lab).cash_usd == near(1e9 * 1.01 ** np.array([1, 2, 3]))


def test_revenue_is_collected_a_quarter_late_less_its_cost():
    money = toy.finance(collection_lag_quarters=1, receivables_usd=3e6, revenue_cost=0.2)
    lab = toy.lab(quarters=2, finance=money, contracts=(toy.owned(chips=1000, term=2),))
    plan = planned(lab)
    # collected 3, 10 and, in the tail stage, 10; 2 M of cost at once in each of the first two
    assert plan.cash_usd - lab.finance.cash_usd == near([3e6 - 2e6, 11e6 - 2e6, 19e6])


def test_what_is_owed_beyond_the_horizon_is_paid_at_its_present_value():
    rate = 1.1**4 - 1
    bill = Instalment(date=toy.FIRST + 3, amount_usd=1.21e6)
    fleet = toy.owned(chips=1000, term=1, instalments=(bill,))
    lab = toy.lab(quarters=1, finance=toy.finance(cost_of_equity=rate), contracts=(fleet,))
    plan = planned(lab)
    # due three quarters from now: 1.21 / 1.1^3; what is earned in the first quarter counts in full
    assert plan.value_usd == near(1e9 + 10e6 - 1.21e6 / 1.1**3)


def test_a_chip_that_outlives_the_horizon_earns_its_fading_annuity_and_is_paid_in_full():
    offer = toy.reserved(lead=0, term=4, most=500)
    lab = toy.lab(quarters=1, offers=(offer,), ends=Ends(fade=1 - 0.9**4))
    plan = planned(lab)
    # three more quarters: earned 1 + 0.9 + 0.81 = 2.71 times 10 000, paid 3 x 4000
    assert gained(plan, lab) == near(500 * (10_000 - 4000 + 27_100 - 12_000))


def test_what_is_owed_is_owed_to_the_end_of_the_term_even_where_nothing_more_is_earned():
    offer = toy.reserved(lead=0, term=4, most=500)
    lab = toy.lab(quarters=1, offers=(offer,), ends=Ends(fade=0.0, quarters=2))
    # three more quarters are paid, two more are earned
    assert gained(planned(lab), lab) == near(500 * (3 * 10_000 - 4 * 4000))


FORK = {"parent": [-1, 0, 0], "probability": [1.0, 0.5, 0.5], "demand": [1.0, 1.0, 0.2]}


def risky(**risk):
    """One decision, good in one future (gain 6 M) and bad in the other (loss 2 M on the last 800 chips)."""
    offer = toy.reserved(lead=1, term=1, last=toy.FIRST)
    return toy.lab(quarters=2, offers=(offer,), policy=Policy(risk=Risk(**risk)))


def test_the_tail_of_losses_turns_the_decision():
    # a chip beyond 200 gains 6000 or loses 4000: mean +1000. With weight w on the worse half: (1 - w) 1000 - w 4000,
    # so the order falls from 1000 to 200 where w passes 0.2
    assert planned(risky(weight=0.19, level=0.5), **FORK).ordered[0, 0] == pytest.approx(1000)
    assert planned(risky(weight=0.21, level=0.5), **FORK).ordered[0, 0] == pytest.approx(200)


def test_cvar_of_all_futures_is_the_mean():
    neutral = planned(risky(), **FORK)
    for weight in (0.3, 0.9):
        plan = planned(risky(weight=weight, level=0.0), **FORK)
        assert plan.objective_usd == near(neutral.objective_usd)
        assert plan.ordered[0, 0] == pytest.approx(neutral.ordered[0, 0])


def test_more_weight_on_the_tail_never_raises_the_mean_nor_lowers_the_worst():
    plans = [planned(risky(weight=weight, level=0.5), **FORK) for weight in (0.0, 0.1, 0.3, 0.9)]
    assert np.all(np.diff([plan.value_usd for plan in plans]) <= 1.0)
    assert np.all(np.diff([plan.leaf_value_usd.min() for plan in plans]) >= -1.0)
    assert np.all(np.diff([plan.objective_usd for plan in plans]) <= 1.0)


def test_a_limit_on_the_tail_caps_the_loss():
    # cash 1000 M; the worse half may not fall below 1000 + 0.4 M: 1.2 M earned by 200 chips less 4000 on 200 more
    plan = planned(risky(limit_usd=-1000.4e6, level=0.5), **FORK)
    assert plan.ordered[0, 0] == pytest.approx(400, rel=1e-4)
    assert plan.leaf_value_usd.min() == near(1000.4e6)


def test_a_dollar_of_rescue_costs_more_than_any_other_dollar_is_worth():
    staff = FixedCost(id="staff", amount_usd_per_quarter=(5e6,))
    offer = toy.reserved(lead=0, term=1)
    money = toy.finance(cash_usd=6e6, fixed_costs=(staff,), collection_lag_quarters=1)
    poor = toy.lab(quarters=2, workloads=(toy.serve(demand_chips=100),), offers=(offer,), finance=money)
    solved = toy.solved(poor)
    plan, price = to_plan(solved), cash_price(solved)
    # 6 - 5 staff - 0.4 for chips, then 0.6 + 1 collected - 5: 3.4 M short; chips that collect later are not worth rescue
    assert plan.rescue_usd == near([0, 3.4e6, 0])
    assert price[1] == pytest.approx(poor.policy.rescue_price)
    assert price.max() <= poor.policy.rescue_price * (1 + 1e-9)


def test_where_nobody_needs_rescue_a_dollar_is_worth_what_it_earns():
    money = toy.finance(cash_usd=1e6, collection_lag_quarters=1)
    lab = toy.lab(quarters=2, offers=(toy.reserved(lead=0, term=1, last=toy.FIRST),), finance=money)
    solved = toy.solved(lab)
    # 4000 USD become 10 000 in a quarter
    assert cash_price(solved)[0] == pytest.approx(2.5)
    assert to_plan(solved).largest_cash_price == pytest.approx(2.5)
    assert to_plan(solved).largest_cash_price < lab.policy.rescue_price


def test_cover_keeps_quarters_of_commitments_in_hand():
    lab = toy.lab(
        quarters=2, offers=(toy.reserved(lead=0, term=2, last=toy.FIRST),), finance=toy.finance(cash_usd=0.8e6, collection_lag_quarters=1),
        policy=Policy(cover_quarters=1.0), workloads=(toy.serve(usd_per_chip_quarter=4100),),
    )  # fmt: skip
    # cash after paying y chips: 0.8 - 4 y must cover another 4 y: 100 chips where 200 could be paid
    assert planned(lab).ordered[0, 0] == pytest.approx(100)
