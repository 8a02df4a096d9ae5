"""Alternatives of toy plans: what must be had is named, and ranges are right by hand."""

from __future__ import annotations

import pytest
from tests.app.grounds import ground
from tests.plan import toy

from exaplan.app.alternatives import Asked, alternatives_of
from exaplan.domain.explained import Alternatives
from exaplan.domain.lab import Ends
from exaplan.report.explained import alternatives_sentence

NO_TAIL = Ends(fade=0.999999, quarters=1)


def two_sellers(**more):
    """Two quarters, 1,000 chips of demand at 10,000 USD: two like reservations, the second dearer by ``more``."""
    return toy.lab(
        quarters=2,
        ends=NO_TAIL,
        finance=toy.finance(cash_usd=0.0),
        offers=(
            toy.reserved("one", usd_per_quarter=4000, lead=0, term=1, most=600),
            toy.reserved("two", lead=0, term=1, most=600, **{"usd_per_quarter": 4100, **more}),
        ),
    )


def row(found: Alternatives, kind: str, name: str):
    (match,) = [row for row in found.rows if (row.kind, row.name) == (kind, name)]
    return match


def test_two_sellers_may_trade_places_but_neither_alone_is_enough():
    found = alternatives_of(ground(two_sellers()), Asked(0.01))
    one, two = (row(found, "signed now", name) for name in ("one", "two"))
    assert (one.plan, two.plan) == pytest.approx((600.0, 400.0))
    # 1 % of 2 x (600 x 6,000 + 400 x 5,900) is 119,200 USD. The second has room for 200 chips more at 100 USD each, and
    # what is left after that buys empty chips at 6,000 (5,900) USD of margin forgone.
    assert (one.least, one.most) == pytest.approx((400 - (119_200 - 20_000) / 6000, 600.0))
    assert (two.least, two.most) == pytest.approx((400 - 119_200 / 5900, 600.0))
    assert {row(found, "ordered in all", name).standing for name in ("one", "two")} == {"must have"}


def test_an_offer_that_another_replaces_can_be_none_and_a_dear_one_is_never_taken():
    lab = toy.lab(
        quarters=2,
        ends=NO_TAIL,
        workloads=(toy.serve(demand_chips=500),),
        offers=(
            toy.reserved("one", usd_per_quarter=4000, lead=0, term=1, most=600),
            toy.reserved("two", usd_per_quarter=4010, lead=0, term=1, most=600),
        ),
        finance=toy.finance(cash_usd=0.0),
    )
    found = alternatives_of(ground(lab), Asked(0.01))
    assert row(found, "ordered in all", "one").standing == "free"
    assert row(found, "ordered in all", "two").standing == "free"
    nothing = alternatives_of(ground(lab), Asked(0.0))
    assert row(nothing, "ordered in all", "one").standing == "must have"
    assert row(nothing, "ordered in all", "two").standing == "never"


def test_the_sentence_names_what_must_be_had():
    found = alternatives_of(ground(two_sellers(usd_per_quarter=20_000)), Asked(1e-6))
    said = alternatives_sentence(found)
    assert "one is must-have" in said
    assert "two" not in said


def test_a_quantity_that_repeats_another_is_asked_about_once():
    found = alternatives_of(ground(two_sellers()), Asked(0.01))
    names = [(row.kind, row.name) for row in found.rows]
    assert ("chip family", "a") in names
    assert ("supplier", "cloud") not in names  # one supplier sells the one chip
    assert len(names) == len(set(names))
