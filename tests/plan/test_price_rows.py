"""Several prices and the demand at each; the arithmetic stands beside each plan.

A chip serves 1e9 tokens a quarter worth 10 000 USD at the stated price and costs 6000 USD by the hour. At the stated
price demand would fill 1000 chips, at 1.5 times the price half of that.
"""

from __future__ import annotations

import pytest
from tests.plan import toy
from tests.plan.demand_labs import points, price_lab, two_quarters
from tests.plan.toy import gained

from exaplan.plan.demand_result import price_points_of
from exaplan.plan.formulation import build_program
from exaplan.plan.inputs import collect
from exaplan.plan.price_rows import pricing
from exaplan.plan.result import to_plan
from exaplan.plan.solve import solve_plan
from exaplan.plan.stage_rows import STAGE_ROWS

TWO = points((1, 1), (1.5, 0.5))


def near(value: float):
    return pytest.approx(value, rel=1e-6, abs=1e-3)


def solve(*, most: float = 1e6, usd: float = 6000.0, quarters: int = 1, demand=1.0, workload=None, **more):
    chat = toy.serve(**{"price_points": TWO, **(workload or {})})
    offers = (toy.on_demand(usd_per_quarter=usd, most=most),) if usd else ()
    lab = toy.lab(quarters=quarters, workloads=(chat,), **{"offers": offers, **more})
    solved = solve_plan(collect(lab, toy.rates(lab), toy.tree(lab, demand=demand)))
    return lab, solved, to_plan(solved)


def shares(solved) -> list[float]:
    return [each.share for each in price_points_of(solved)]


def test_where_chips_are_plenty_and_cheap_the_lower_price_wins():
    lab, solved, plan = solve(usd=1000)
    # 1000 chips x (10 000 - 1000) = 9 M against 500 x (15 000 - 1000) = 7 M
    assert shares(solved) == [near(1), near(0)]
    assert gained(plan, lab) == near(9e6)


def test_where_chips_are_short_the_higher_price_wins():
    lab, solved, plan = solve(usd=1000, most=500)
    # 500 chips: at the stated price 500 x 9000, at the higher one 500 x 14 000
    assert shares(solved) == [near(0), near(1)]
    assert gained(plan, lab) == near(7e6)


def test_where_chips_are_dear_the_higher_price_wins_too():
    lab, solved, plan = solve(usd=8000)
    # 500 x (15 000 - 8000) = 3.5 M against 1000 x (10 000 - 8000) = 2 M
    assert shares(solved) == [near(0), near(1)]
    assert gained(plan, lab) == near(3.5e6)


def test_between_the_two_some_pay_one_price_and_some_the_other():
    lab, solved, plan = solve(usd=1000, most=750)
    # half of the quarter at each: 500 chips of demand at 10 000 and 250 at 15 000 fill 750 chips
    assert shares(solved) == [near(0.5), near(0.5)]
    assert gained(plan, lab) == near(500 * 10_000 + 250 * 15_000 - 750 * 1000)
    assert [each.sold_tokens for each in price_points_of(solved)] == [near(5e11), near(2.5e11)]


def test_the_hull_of_revenue_passes_over_a_point_below_it():
    lab, solved, plan = solve(
        usd=1000, most=750, workload={"price_points": points((1, 1), (1.1, 0.75), (1.5, 0.5))}
    )
    # 750 chips at 11 000 bring 8.25 M; half of the quarter at each end 8.75 M
    assert shares(solved) == [near(0.5), near(0), near(0.5)]
    assert gained(plan, lab) == near(8.75e6 - 0.75e6)


def test_a_higher_price_turns_nobody_away():
    work = {"churn_when_unserved": 1.0, "recovery": 0.5}
    chips = toy.owned(chips=500, term=2)
    lab, _, plan = solve(usd=0, quarters=2, workload=work, contracts=(chips,))
    # 500 chips, twice: at the stated price 500 chips of customers would be turned away and stay away
    assert gained(plan, lab) == near(2 * 500 * 15_000)
    assert plan.unserved[:2].max() == near(0)
    assert plan.lost[:2].max() == near(0)


def test_the_price_follows_the_news():
    chips = toy.owned(chips=500, term=2)
    lab, solved, plan = solve(usd=0, quarters=2, demand=[1.0, 0.5], contracts=(chips,))
    # demand of 1000 chips meets 500: 7.5 M at the higher price; demand of 500 then fills them at the stated one: 5 M
    assert shares(solved) == [near(0), near(1), near(1), near(0)]
    assert gained(plan, lab) == near(12.5e6)


def test_capability_moves_the_demand_at_every_price():
    work = {"sensitivity": 0.5, "price_points": points((1, 1), (1.5, 0.9))}
    chips = toy.owned(chips=2000, term=1)
    lab, solved, plan = solve(usd=0, workload=work, contracts=(chips,), capability=toy.capability(start=1.5))
    # 0.9 x (1 + 0.5 ln 1.5) = 1.0825 of the stated demand, at 1.5 times the price
    assert shares(solved) == [near(0), near(1)]
    assert gained(plan, lab) == near(0.9 * 1.2027325541 * 1000 * 15_000)
    assert plan.effect[0, 0] == near(0.9 * 1.2027325541)


def test_money_at_a_higher_price_is_taxed_and_collected_like_any_other():
    money = toy.finance(tax_rate=0.25, revenue_cost=0.1)
    lab, _, plan = solve(usd=8000, finance=money)
    # 500 x 15 000 x 0.9 - 500 x 8000 = 2.75 M, a quarter of it taxed
    assert gained(plan, lab) == near(2.75e6 * 0.75)


def test_a_workload_without_points_builds_the_program_it_built_before():
    lab = toy.lab(quarters=2, offers=(toy.on_demand(),))
    inputs = two_quarters(lab, toy.rates(lab))
    rows = tuple(row for row in STAGE_ROWS if row is not pricing)
    with_, without = build_program(inputs).model, build_program(inputs, stage_rows=rows).model
    assert with_.to_lp_text(rows=list(with_.rows)) == without.to_lp_text(rows=list(without.rows))


def test_what_is_sold_at_a_price_is_asked_for_at_it():
    lab, rates, tree = price_lab()
    solved = solve_plan(collect(lab, rates, tree))
    for each in price_points_of(solved):
        assert each.sold_tokens <= each.asked_tokens * (1 + 1e-6) + 1
    assert {round(each.share, 3) for each in price_points_of(solved)} - {0.0, 1.0}
