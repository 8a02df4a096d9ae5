"""Each rule that ties a quarter to the quarters before it decides one small plan alone; arithmetic beside it.

A chip serves 10 000 USD worth of tokens a quarter; reservations cost 4000 and chips by the hour 6000 USD a quarter.
"""

from __future__ import annotations

import math

import pytest
from tests.plan import toy
from tests.plan.toy import gained, planned


def near(value):
    return pytest.approx(value, rel=1e-6, abs=1e-3)


def test_an_order_is_bounded_and_can_be_signed_only_in_its_window():
    window = {"first": toy.FIRST + 1, "last": toy.FIRST + 2}
    lab = toy.lab(quarters=4, offers=(toy.reserved(lead=0, term=1, most=300, **window),))
    plan = planned(lab)
    # 300 in each of two quarters for one quarter: 600 x (10 000 - 4000)
    assert plan.ordered[:, 0] == near([0, 300, 300, 0])
    assert gained(plan, lab) == near(3.6e6)


def test_chips_come_after_the_lead_time_and_go_after_the_term():
    lab = toy.lab(quarters=5, offers=(toy.reserved(lead=2, term=2, last=toy.FIRST),))
    plan = planned(lab)
    # signed in quarter 0, at work in 2 and 3: 1000 x 2 x (10 000 - 4000)
    assert plan.stock[:, 0] == near([0, 0, 1000, 1000, 0, 0])
    assert gained(plan, lab) == near(12e6)


def test_what_is_late_works_and_is_paid_later_and_as_long():
    lab = toy.lab(quarters=5, offers=(toy.reserved(lead=2, term=2, last=toy.FIRST),))
    plan = planned(lab, slip=[0, 0, 1, 0, 0])
    # due in quarter 2, a quarter late: 3 and 4
    assert plan.stock[:, 0] == near([0, 0, 0, 1000, 1000, 0])
    assert plan.cash_usd[:5] - lab.finance.cash_usd == near([0, 0, 0, 6e6, 12e6])


def test_only_the_future_in_which_it_is_late_waits():
    lab = toy.lab(quarters=3, offers=(toy.reserved(lead=1, term=1, last=toy.FIRST),))
    plan = planned(lab, parent=[-1, 0, 0, 1, 2], probability=[1, 0.5, 0.5, 0.5, 0.5], slip=[0, 0, 1, 0, 0])
    assert plan.stock[:5, 0] == near([0, 1000, 0, 0, 1000])


def test_a_contract_delivers_its_tranches_and_ends_them():
    lab = toy.lab(quarters=4, contracts=(toy.contract(due=(-1, 1), chips=400, term=2),))
    plan = planned(lab)
    # 400 until quarter 0, 400 in 1 and 2: three quarters of 400 x (10 000 - 4000)
    assert plan.at_work[:4].sum(axis=(1, 2)) == near([400, 400, 400, 0])
    assert gained(plan, lab) == near(3 * 2.4e6)


@pytest.mark.parametrize(("fee", "left", "gain"), [(0.1, 1.0, -4.8e6), (0.2, 0.0, -8e6)])
def test_a_contract_that_loses_money_is_left_when_leaving_is_cheaper(fee, left, gain):
    contract = toy.contract(chips=1000, term=4, usd_per_quarter=12_000, exit_fee=fee)
    lab = toy.lab(quarters=4, contracts=(contract,))
    plan = planned(lab)
    # staying loses 4 x 1000 x 2000 = 8 M; still owed are 4 x 12 M = 48 M: a tenth is 4.8 M, a fifth 9.6 M
    assert plan.left[:, 0] == near([left] * 5)
    assert gained(plan, lab) == near(gain)


def test_half_of_those_turned_away_stay_away_for_a_quarter():
    workload = toy.serve(churn_when_unserved=0.5, recovery=1.0)
    lab = toy.lab(
        quarters=3, workloads=(workload,), offers=(toy.on_demand(max_chips=(400.0, 1000.0, 1000.0)),)
    )
    plan = planned(lab)
    # 600 turned away, 300 gone in quarter 1, back in quarter 2: 400 + 700 + 1000 chips at 4000
    assert plan.lost[:3, 0] / toy.TOKENS_PER_CHIP_QUARTER == near([0, 300, 0])
    assert gained(plan, lab) == near(2100 * 4000)


def test_customers_return_at_the_pace_of_recovery_and_grow_with_demand():
    workload = toy.serve(churn_when_unserved=0.5, recovery=0.25)
    lab = toy.lab(
        quarters=3, workloads=(workload,), offers=(toy.on_demand(max_chips=(400.0, 5000.0, 5000.0)),)
    )
    plan = planned(lab, demand=[1.0, 2.0, 2.0])
    # 0.5 x 600 turned away x 2 (growth) = 600; then 0.75 of them
    assert plan.lost[:3, 0] / toy.TOKENS_PER_CHIP_QUARTER == near([0, 600, 450])


@pytest.mark.parametrize(("churn", "served"), [(0.2, 0.0), (0.5, 1000.0)])
def test_serving_at_a_loss_pays_where_customers_would_stay_away(churn, served):
    dear_then_cheap = toy.on_demand(price_usd_per_chip_h=(toy.hourly(11_000), toy.hourly(6000)))
    lab = toy.lab(quarters=2, workloads=(toy.serve(churn_when_unserved=churn),), offers=(dear_then_cheap,))
    # a customer served loses 1000 now; turned away he costs churn x 4000 next quarter
    assert planned(lab).at_work[0].sum() == near(served)


def test_development_lifts_capability_and_capability_lifts_demand():
    chips = {"a": toy.chip("a"), "dev": toy.chip("dev")}
    lab = toy.lab(
        quarters=2, chips=chips, workloads=(toy.serve(sensitivity=0.5), toy.train()),
        contracts=(toy.owned(chip="dev", chips=100, term=1),), offers=(toy.on_demand(),), capability=toy.capability(),
    )  # fmt: skip
    plan = planned(lab, cannot=(("dev", "chat"), ("a", "pretrain")))
    # 100 chips are parity: z = 0.9 + (pace - 0.9) x 1 against a frontier that does not move; demand 1 + 0.5 ln z
    pace = 2**0.25
    assert plan.ratio[:2] == near([1, pace])
    assert gained(plan, lab) == near(4e6 + 4e6 * (1 + 0.5 * math.log(pace)))


def test_without_development_capability_goes_stale_while_the_frontier_moves_on():
    lab = toy.lab(
        quarters=3, workloads=(toy.serve(sensitivity=0.5), toy.train()), capability=toy.capability()
    )
    plan = planned(lab, frontier=[1.0, 1.2, 1.5])
    assert plan.ratio[:3] == near([1, 0.9 / 1.2, 0.81 / 1.5])
    assert math.log(plan.ratio[1]) == pytest.approx((plan.effect[1, 0] - 1) / 0.5, rel=0.05)


def test_diminishing_returns_pay_the_second_hundred_chips_less():
    workloads = (toy.serve(sensitivity=0.5), toy.train())
    law = toy.capability(returns=0.5)
    ratios = []
    names = {"a": toy.chip("a"), "b": toy.chip("b")}
    for chips in (100, 400):
        fleet = (toy.owned(chips=chips, term=1),)
        lab = toy.lab(
            quarters=2, chips=names, workloads=workloads, contracts=fleet, offers=(toy.on_demand(chip="b"),), capability=law
        )  # fmt: skip
        ratios.append(planned(lab, cannot=(("a", "chat"),)).ratio[1])
    # progress 1 at parity; 400 chips bring 4^0.5 = 2 (tangents are at most 2 % above the curve)
    gain = 2**0.25 - 0.9
    assert ratios[0] == near(0.9 + gain)
    assert 0.9 + 2 * gain <= ratios[1] <= 0.9 + 2.04 * gain
