"""What safety work earns; the arithmetic stands beside each plan.

A chip serves 1e9 tokens a quarter worth 10 000 USD and costs 6000 USD by the hour; it does safety work at the same price.
"""

from __future__ import annotations

import pytest
from tests.plan import toy
from tests.plan.demand_labs import trusted
from tests.plan.toy import gained, planned

from exaplan.domain.lab import Floor, Policy
from exaplan.domain.trust import Trust, lines_of
from exaplan.plan.demand_result import trust_of


def near(value: float):
    return pytest.approx(value, rel=1e-6, abs=1e-3)


def work(plan, name: str, node: int = 0) -> float:
    """Chips at work on a workload."""
    return sum(
        chips
        for chips, (_, w) in zip(plan.at_work[node, :, 0], plan.arcs, strict=True)
        if plan.workloads[w] == name
    )


def lab_of(trust: Trust, *, quarters: int = 1, chat=None, others=(), **more):
    chat = toy.serve(trust=trust, **(chat or {}))
    return toy.lab(
        quarters=quarters, workloads=(chat, *others, toy.safety()), **{"offers": (toy.on_demand(),), **more}
    )


def test_safety_work_is_done_as_far_as_its_premium_pays():
    lab = lab_of(trusted({0: 0, 0.1: 0.1, 0.3: 0.2}))
    plan = planned(lab)
    # up to a tenth a chip of safety earns 10 000 on 6000, beyond it half of that: 100 chips, 10 % more on 10 M
    assert work(plan, "oversight") == near(100)
    assert plan.premium[0, 0] == near(100 * toy.TOKENS_PER_CHIP_QUARTER)
    assert gained(plan, lab) == near(11e6 - 1100 * 6000)
    (earned,) = trust_of(toy.solved(lab))
    assert (earned.premium_usd, earned.premium_share) == (near(1e6), near(0.1))


def test_a_premium_too_small_to_pay_is_not_earned():
    lab = lab_of(trusted({0: 0, 0.1: 0.05}))
    assert work(planned(lab), "oversight") == near(0)


def test_the_share_is_of_what_is_served_not_of_what_is_asked():
    lab = lab_of(trusted({0: 0, 0.1: 0.1}), offers=(toy.on_demand(most=550),))
    plan = planned(lab)
    # of 550 chips 50 do safety work: 500 serve, at a premium of a tenth; all 550 serving would earn the same 5.5 M
    assert gained(plan, lab) == near(5.5e6 - 550 * 6000)
    assert plan.premium[0, 0] <= 0.1 * plan.output[0, 0, 0] + 1


def test_a_premium_is_earned_by_a_floor_that_has_to_be_kept_anyway():
    policy = Policy(safety=Floor(workloads=("oversight",), share=0.2))
    lab = lab_of(trusted({0: 0.02, 0.5: 0.12}), policy=policy)
    plan = planned(lab)
    # 1000 chips serve, 250 are a fifth of 1250: the premium is 2 % + 0.2 x 25 %
    assert work(plan, "oversight") == near(250)
    assert gained(plan, lab) == near(10.7e6 - 1250 * 6000)


def test_customers_who_leave_are_missed_in_the_next_quarter():
    lab = lab_of(trusted(churn={0: 0.3, 0.2: 0.1}), quarters=2, offers=(toy.on_demand(usd_per_quarter=9000),))
    plan = planned(lab)
    # a chip of safety would keep one chip's customers, who earn 1000: not worth 9000. 300 chips of them leave
    assert plan.lost[1, 0] == near(300 * toy.TOKENS_PER_CHIP_QUARTER)
    assert gained(plan, lab) == near((1000 + 700) * 1000)


def test_safety_work_keeps_customers_where_they_are_worth_it():
    lab = lab_of(
        trusted(churn={0: 0.3, 0.2: 0.1}), quarters=2, chat={"recovery": 0.5, "usd_per_chip_quarter": 13_000}
    )
    plan = planned(lab)
    # a chip of safety keeps one chip's customers: 7000 for 6000, up to 200 chips; 100 chips of them leave all the same
    assert work(plan, "oversight") == near(200)
    assert plan.lost[1, 0] == near(100 * toy.TOKENS_PER_CHIP_QUARTER)
    assert gained(plan, lab) == near((1000 + 900) * 7000 - 200 * 6000)


def test_safety_capacity_is_shared_out_over_the_segments_it_watches():
    more = toy.serve("more", demand_chips=1000, usd_per_chip_quarter=10_000)
    lab = lab_of(trusted({0: 0, 0.1: 0.2}), others=(more,))
    plan = planned(lab)
    # 200 chips are a tenth of 2000 that serve: a premium of a fifth on the half that pays it, 2 M for 1.2 M
    assert work(plan, "oversight") == near(200)
    assert gained(plan, lab) == near(2 * 4e6 + 2e6 - 200 * 6000)


def test_a_chip_that_does_safety_work_faster_counts_for_more():
    chips = {"a": toy.chip("a"), "b": toy.chip("b")}
    offers = (toy.on_demand(), toy.on_demand("quick", chip="b", usd_per_quarter=6000))
    lab = lab_of(trusted({0: 0, 0.1: 0.1}), chips=chips, offers=offers)
    plan = planned(lab, speed={"b": 2.0})
    # 500 chips of b serve, 50 of b are a tenth of them
    assert work(plan, "oversight") == near(50)
    assert gained(plan, lab) == near(11e6 - 550 * 6000)


def test_the_premium_is_taxed_and_bears_the_cost_of_revenue():
    money = toy.finance(tax_rate=0.25, revenue_cost=0.1)
    lab = lab_of(trusted({0: 0, 0.1: 0.1}), finance=money)
    plan = planned(lab)
    # 11 M x 0.9 - 1100 x 6000 = 3.3 M, a quarter of it taxed
    assert gained(plan, lab) == near(3.3e6 * 0.75)


def test_curves_that_bend_the_wrong_way_are_refused():
    for premium in ({0: 0, 0.1: 0.1, 0.2: 0.3}, {0: 0.2, 0.1: 0.1}, {0.1: 0.1, 0.2: 0.1}, {0: 0.1}):
        with pytest.raises(ValueError, match="premium"):
            trusted(premium)
    for churn in ({0: 0.3, 0.1: 0.25, 0.2: 0.1}, {0: 0.1, 0.1: 0.2}):
        with pytest.raises(ValueError, match="churn"):
            trusted(churn=churn)


def test_lines_are_those_through_neighbours_and_the_level_of_the_last():
    assert lines_of([(0, 0.1), (0.5, 0.3), (1, 0.4)]) == (near((0.1, 0.4)), near((0.2, 0.2)), (0.4, 0.0))
