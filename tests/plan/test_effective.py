"""What a chip-hour at work of one offer costs, with the clauses of the offer; by hand. A chip earns 10 000 USD a quarter."""

from __future__ import annotations

import pytest
from tests.plan import toy

from exaplan.domain.deals import Renewal
from exaplan.domain.lab import Ends
from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.plan.effective import effective_cost


def cost(offer, quarters=1, demand=1.0, **more):
    """Payments and chip-quarters at work of the only offer."""
    lab = toy.lab(quarters=quarters, offers=(offer,), ends=Ends(fade=0.0, quarters=1), **more)
    found = effective_cost(toy.solved(lab, demand=demand), 0)
    return found.payments_usd, found.chip_hours / HOURS_PER_QUARTER


def test_a_reservation_costs_its_price():
    assert cost(toy.reserved(lead=0, term=1, most=100)) == pytest.approx((100 * 4000, 100))


def test_chips_beyond_a_reservation_work_and_are_paid():
    assert cost(toy.reserved(lead=0, term=1, most=100, flex_up=0.5)) == pytest.approx((150 * 4000, 150))


def test_renewed_chips_work_and_are_paid():
    again = Renewal(term_quarters=1, price_usd_per_chip_h=toy.hourly(3000))
    offer = toy.reserved(lead=0, term=1, most=100, last=toy.FIRST, renewal=again)
    assert cost(offer, quarters=2) == pytest.approx((100 * 4000 + 100 * 3000, 200))


def test_what_was_left_is_paid_no_more_but_for_the_fee():
    offer = toy.reserved(lead=0, term=2, most=100, last=toy.FIRST, exit_fee=0.25)
    # in the second quarter nothing is asked for: a quarter of 0.4 M buys the exit
    assert cost(offer, quarters=2, demand=[1.0, 0.0]) == pytest.approx((100 * 4000 + 0.25 * 100 * 4000, 100))


def test_an_offer_that_nobody_signs_costs_nothing():
    assert cost(
        toy.reserved(lead=0, term=1, most=100), contracts=(toy.owned(chips=1900, term=1),)
    ) == pytest.approx((0, 0), abs=1e-3)
