"""Leverage by hand: an incumbent's chip beside one's own, and what the second source does to the price."""

from __future__ import annotations

import pytest
from tests.plan import toy
from tests.plan.silicon_lab import foundry, lab, program

from exaplan.domain.silicon import Leverage
from exaplan.plan.formulation import build_program
from exaplan.plan.inputs import collect
from exaplan.plan.leverage import leverage_of, present_value, priced
from exaplan.plan.solve import solve_program

TERMS = Leverage(incumbent=("rival",), margin=0.5)


def two_sources(*, nre: float = 1e6, usd: float = 4000.0, terms: Leverage | None = TERMS):
    """One quarter of work for 1000 chips that earn 10,000 each: the rival's at 8,000, one's own at 4,000 and engineering."""
    own = program(
        nre=((0, nre),), ramp=(1000.0,), lead_quarters=1, last=toy.FIRST, foundries=(foundry(usd=usd),)
    )
    rival = toy.purchase("rival", usd=8000, lead=1, life=1, last=toy.FIRST, most=1000)
    return lab(own, quarters=2, offers=(rival,), workloads=(toy.serve(demand_chips=1000),), leverage=terms)


def judged(made):
    solved = solve_program(build_program(collect(made, toy.rates(made), toy.tree(made))))
    return leverage_of(solved.program, solved.solution.x), solved


def test_the_break_even_discount_makes_the_rival_as_good_as_the_second_source():
    found, solved = judged(two_sources())
    # own: 1000 x (10,000 - 4,000) - 1 M = 5 M; the rival gives 2 M at 8,000, so it must cost 5,000: a cut of 3/8
    assert solved.solution.objective - 1000 == pytest.approx(5.0)
    assert found.break_even == pytest.approx(3 / 8, abs=1e-6)


def test_the_bargain_halves_what_there_is_to_share_and_the_second_source_leaves_less():
    found, _ = judged(two_sources())
    # without a second source: the rival's chips cost it 4,000 and earn 10,000: price 7,000 at equal powers, 7/8 of list
    # with it: own chips for 5 M leave the rival chips worth at most 5,000: price 4,500, 9/16 of list
    even = next(b for b in found.bargains if b.power == 0.5)
    assert even.without == pytest.approx(7 / 8, abs=0.02)
    assert even.with_ == pytest.approx(9 / 16, abs=0.02)
    assert even.discount == pytest.approx(1 - (9 / 16) / (7 / 8), abs=0.03)


def test_more_power_means_a_lower_price():
    found, _ = judged(two_sources())
    without = [b.without for b in found.bargains]
    assert without == sorted(without, reverse=True)


def test_walking_away_is_worth_the_second_source_alone():
    found, _ = judged(two_sources())
    assert found.walk_without_usd == pytest.approx(1000e6)
    assert found.walk_with_usd == pytest.approx(1005e6)


def test_no_leverage_without_terms_or_without_a_start():
    assert judged(two_sources(terms=None))[0] is None
    assert judged(two_sources(nre=1e9))[0] is None


def test_a_second_source_that_no_cut_can_match_has_no_break_even():
    found, _ = judged(two_sources(nre=0.0, usd=100.0))
    # own chips at 100 USD earn 9.9 M; the rival at the lowest price tried, 3,200, earns 6.8 M
    assert found.break_even is None


def test_a_typed_discount_is_passed_on_as_typed():
    found, _ = judged(two_sources(terms=TERMS.model_copy(update={"discount": 0.3})))
    assert found.typed_discount == 0.3
    assert found.break_even == pytest.approx(3 / 8, abs=1e-6)


def test_what_the_incumbent_is_paid_is_discounted_to_today():
    made = toy.lab(
        quarters=3, finance=toy.finance(cost_of_equity=0.5**-4 - 1), sites=(toy.site(),),
        offers=(toy.reserved("rent", usd_per_quarter=1000, lead=1, term=2, take_or_pay=0.8, deposit=0.25),
                toy.purchase("buy", usd=6000, lead=2, deposit=0.5)),
    )  # fmt: skip
    value = present_value(collect(made, toy.rates(made), toy.tree(made)))
    # rent: 0.8 x (0.25 x 2 + 0.75 x (0.5 + 0.25)); buy: 6 x (0.5 + 0.5 x 0.25); a quarter later half as much
    assert value[0] == pytest.approx([0.8 * (0.5 + 0.5625), 3.75])
    assert value[1] == pytest.approx(value[0] / 2)


def test_only_named_prices_move():
    made = toy.lab(offers=(toy.reserved("a"), toy.reserved("b"), toy.on_demand()))
    moved = priced(made, ("a",), 0.5)
    before, after = ([o.price_usd_per_chip_h[0] for o in each.offers] for each in (made, moved))
    assert after == pytest.approx([before[0] / 2, before[1], before[2]])
