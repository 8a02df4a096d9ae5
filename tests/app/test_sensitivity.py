"""Sensitivity of a toy plan: bars point the right way and sizes are right by hand."""

from __future__ import annotations

import pytest
from tests.plan import toy

from exaplan.app.ground import Ground
from exaplan.app.inputs_tried import inputs_tried
from exaplan.app.sensitivity import Screened, sensitivity_of
from exaplan.domain.explained import Sensitivity
from exaplan.domain.lab import Ends, FixedCost, Futures
from exaplan.domain.uncertain import Uncertain
from exaplan.economy.tree import grow_tree
from exaplan.plan.inputs import collect
from exaplan.plan.solve import solve_plan
from exaplan.report.explained import sensitivity_sentence, sensitivity_sheet


def rented_lab(**more):
    """Two quarters of 1,000 chips' demand at 10,000 USD, half rented at 6,000, half reserved at 4,000."""
    return toy.lab(
        quarters=2,
        ends=Ends(fade=0.999999, quarters=1),
        finance=toy.finance(
            cash_usd=1e7, fixed_costs=(FixedCost(id="staff", amount_usd_per_quarter=(1e6,)),)
        ),
        futures=Futures(branches=()),
        workloads=(toy.serve(level=Uncertain.point(1.0), volatility=0.0, **more),),
        offers=(toy.on_demand(usd_per_quarter=6000), toy.reserved(usd_per_quarter=4000, lead=0, term=1, most=500)),
    )  # fmt: skip


def standing(lab) -> Ground:
    rates, tree = toy.rates(lab), grow_tree(lab, seed=1)
    return Ground(lab, rates, tree, solve_plan(collect(lab, rates, tree)), full=True)


@pytest.fixture(scope="module")
def found() -> Sensitivity:
    return sensitivity_of(standing(rented_lab()), Screened(trajectories=2))


def swing(found: Sensitivity, name: str) -> tuple[float, float]:
    """Change of the objective at the low and at the high end."""
    (match,) = [one for one in found.swings if one.name == name]
    return match.at_low_usd - found.stood.objective_usd, match.at_high_usd - found.stood.objective_usd


def test_a_quarter_on_or_off_a_price_is_what_it_costs(found):
    # 500 chips rented for two quarters at 6,000; at 4,500 they cost 1,500 less, at 7,500 1,500 more
    assert swing(found, "price of spot") == pytest.approx((2 * 500 * 1500, -2 * 500 * 1500))
    assert swing(found, "price of reserve") == pytest.approx((2 * 500 * 1000, -2 * 500 * 1000))


def test_costs_and_cash_count_as_they_stand(found):
    assert swing(found, "fixed costs") == pytest.approx((2e5, -2e5))
    assert swing(found, "cash at the start") == pytest.approx((-2.5e6, 2.5e6))


def test_late_deliveries_cost_and_never_help(found):
    at_once, later = swing(found, "deliveries of new orders")
    assert at_once == 0.0
    assert later == pytest.approx(
        -500 * 2000 + 500 * 6000
    )  # the last order now serves the quarter after the horizon


def test_the_largest_bar_stands_first(found):
    base = found.stood.objective_usd
    sizes = [max(abs(one.at_low_usd - base), abs(one.at_high_usd - base)) for one in found.swings]
    assert sizes == sorted(sizes, reverse=True)
    assert found.swings[0].name in sensitivity_sentence(found)


def test_every_input_is_ranked_together_and_what_adds_up_has_no_spread(found):
    assert {one.name for one in found.effects} == {one.name for one in found.swings}
    (cash,) = [one for one in found.effects if one.name == "cash at the start"]
    assert cash.mu_star_usd == pytest.approx(5e6)  # half of the cash, from 75 % to 125 %
    assert cash.sigma_usd == pytest.approx(0.0, abs=1.0)
    assert found.solves == 2 * (len(found.effects) + 1)


def test_the_tornado_can_stand_alone():
    alone = sensitivity_of(standing(rented_lab()), Screened(trajectories=0))
    assert alone.effects == ()
    assert [picture.key for picture in sensitivity_sheet(alone).pictures] == ["tornado"]


def test_growth_that_is_uncertain_is_moved_between_its_ends():
    lab = rented_lab(growth=Uncertain(family="growth", low=-0.2, high=0.5))
    names = {knob.name for knob in inputs_tried(lab, toy.rates(lab))}
    assert "growth of demand" in names
    grown = sensitivity_of(standing(lab), Screened(trajectories=0))
    low, high = swing(grown, "growth of demand")
    assert low < 0 < high
