"""One offer to the end, on toy plans whose break-even prices and dates follow by hand."""

from __future__ import annotations

import numpy as np
import pytest
from tests.app.grounds import ground
from tests.plan import toy

from exaplan.app.clauses import CLAUSES, Clause, changes_of, with_field
from exaplan.app.offering import Examined, a_month_sooner, examine_offer, named_offer
from exaplan.domain.errors import InputError
from exaplan.domain.explained import Offered
from exaplan.domain.lab import Ends
from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.report.offered import offer_sentence

NO_TAIL = Ends(fade=0.999999, quarters=1)
FEW = Examined(paths=4)
TWO_QUARTERS = {"term": 2, "last": toy.FIRST, "usd_per_quarter": 2500}
"""Signed in the first quarter or never, for two quarters."""


def renting_or_reserving(**more):
    """Two quarters, 1,000 chips of demand at 10,000 USD; rented at 6,000 without end, or reserved by the quarter."""
    given = {"usd_per_quarter": 4000, "lead": 0, "term": 1, **more}
    return toy.lab(
        quarters=2,
        ends=NO_TAIL,
        finance=toy.finance(cash_usd=0.0),
        offers=(toy.on_demand(usd_per_quarter=6000), toy.reserved(**given)),
    )


def examined(lab, **branches) -> Offered:
    return examine_offer(ground(lab, **branches), "reserve", FEW)


@pytest.fixture(scope="module")
def plain() -> Offered:
    return examined(renting_or_reserving())


def gain(found: Offered, clause: str) -> float:
    (match,) = [row for row in found.clauses if row.clause == clause]
    return match.gain_usd


def test_what_is_saved_against_renting_is_its_worth_and_the_rent_is_where_to_walk_away(plain):
    assert plain.worth_usd == pytest.approx(2 * 1000 * 2000)
    assert plain.walk_away_price == pytest.approx(toy.hourly(6000), rel=0.005)
    assert plain.volume_break_even_price == pytest.approx(toy.hourly(6000), rel=0.005)


def test_a_quarter_of_waiting_costs_that_quarter(plain):
    assert [wait.cost_usd for wait in plain.waits] == pytest.approx([0.0, 2e6])
    assert [wait.worth_left_usd for wait in plain.waits] == pytest.approx([4e6, 2e6])
    assert (plain.sign_by, plain.worthless_after) == (str(toy.FIRST), str(toy.FIRST + 1))


def test_a_chip_hour_costs_the_price_where_nothing_is_idle(plain):
    assert plain.usd_per_chip_hour == pytest.approx(toy.hourly(4000))
    assert plain.usd_per_chip_hour_discounted == pytest.approx(toy.hourly(4000), rel=1e-6)


def test_idle_hours_that_must_be_paid_make_the_others_dearer():
    found = examined(renting_or_reserving(**TWO_QUARTERS), demand=[1.0, 0.5])
    # 1,000 chips for two quarters (2 x 2,500 each) beat renting for one; half of them stand idle in the second.
    assert found.chips_now == pytest.approx(1000.0)
    assert found.usd_per_chip_hour == pytest.approx(2 * 2500 * 1000 / (1500 * HOURS_PER_QUARTER))


def test_a_dear_offer_is_not_signed_and_its_walk_away_price_lies_below():
    found = examined(renting_or_reserving(usd_per_quarter=8000))
    assert found.worth_usd == pytest.approx(0.0, abs=1.0)
    assert found.walk_away_price == pytest.approx(toy.hourly(6000), rel=0.005)
    assert found.sign_by is None
    assert offer_sentence(found).startswith("Do not sign reserve at $3.65 a chip-hour")


def test_where_nothing_replaces_it_customers_set_the_price():
    lab = toy.lab(
        quarters=2,
        ends=NO_TAIL,
        finance=toy.finance(cash_usd=5e6),
        offers=(toy.reserved(usd_per_quarter=4000, lead=1, term=1, last=toy.FIRST),),
    )
    found = examined(lab, demand=[2.0, 1.0])
    assert found.walk_away_price == pytest.approx(toy.hourly(10_000), rel=0.005)
    # it could serve 2,000 chips' worth of customers in the first quarter instead of 1,000 in the second
    assert gain(found, "delivery a quarter sooner") == pytest.approx(1000 * 6000)


def test_a_tenth_more_to_order_is_worth_its_margin():
    found = examined(renting_or_reserving(most=500))
    assert gain(found, "a tenth more to order") == pytest.approx(2 * 50 * 2000)
    # a per cent of the price is 40 USD on 1,000 chip-quarters
    (row,) = [row for row in found.clauses if row.clause == "a tenth more to order"]
    assert row.price_equivalent == pytest.approx(200_000 / 4_000_000)


def test_a_deposit_costs_the_cash_that_is_not_there():
    firm = renting_or_reserving(deposit=0.5, lead=1)
    found = examined(firm)
    assert gain(found, "no deposit") > 0
    assert not [row for row in examined(renting_or_reserving()).clauses if row.clause == "no deposit"]


def test_no_take_or_pay_saves_what_stands_idle():
    found = examined(renting_or_reserving(**TWO_QUARTERS), demand=[1.0, 0.5])
    assert gain(found, "no take-or-pay") == pytest.approx(500 * 2500)


def test_clauses_may_be_appended():
    half = Clause("half the term", "term_quarters", with_field("term_quarters", lambda term: term // 2))
    lab = renting_or_reserving(**TWO_QUARTERS)
    asked = Examined(paths=4, clauses=(*CLAUSES, half))
    found = examine_offer(ground(lab, demand=[1.0, 0.5]), "reserve", asked)
    # the second quarter's 500 chips are rented at 6,000 instead of 1,000 chips paid at 2,500
    assert gain(found, "half the term") == pytest.approx(1000 * 2500 - 500 * 6000)


def test_a_clause_that_changes_nothing_is_not_shown_and_an_optional_field_is():
    lab = renting_or_reserving(first=toy.FIRST)
    names = {change.clause for change in changes_of(lab, lab.offers[1])}
    assert "no deposit" not in names
    assert "without: first" in names


def test_a_site_has_clauses_of_its_own():
    lab = toy.lab(
        quarters=3,
        sites=(toy.site(power_w=5e5, ready=toy.FIRST + 1),),
        finance=toy.finance(cash_usd=5e7),
        offers=(toy.purchase(usd=9000, lead=1),),
    )
    found = examine_offer(ground(lab), "buy", FEW)
    # 500 chips fill the site; fifty more bring 10,000 USD in each of two quarters and eight of the tail
    assert gain(found, "a tenth more power at here") == pytest.approx(50 * (10_000 * 10 - 9000), rel=0.15)
    assert {row.clause for row in found.clauses} >= {"here ready a quarter sooner", "here and delivery a quarter sooner"}  # fmt: skip
    assert found.price_unit == "USD/chip"


def test_demand_a_month_sooner_is_a_third_of_the_way():
    lab = renting_or_reserving()
    tree = toy.tree(lab, demand=[1.0, 8.0])
    sooner = a_month_sooner(tree).world.demand_tokens / tree.world.demand_tokens
    assert sooner[:, 0] == pytest.approx([2.0, 2.0])


def test_ruin_on_the_same_futures_does_not_change_where_there_is_money(plain):
    assert plain.p_ruin_change == 0.0
    assert plain.p_ruin_change_se == 0.0
    assert np.isfinite(plain.replay_change_usd)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resreve", "did you mean 'reserve'"),
        ("spot", "rented by the hour"),
        ("signed", "signed already"),
        ("zzz", "reserve"),
    ],
)
def test_what_is_no_offer_is_told_with_those_that_are(name, said):
    lab = renting_or_reserving().model_copy(update={"contracts": (toy.contract(),)})
    with pytest.raises(InputError) as caught:
        named_offer(lab, name)
    assert said in str(caught.value)
    assert "reserve" in str(caught.value)
