"""Dependence on suppliers and what can go wrong: less to be had, a default, a building that stands still."""

from __future__ import annotations

from exaplan.domain.base import Record, quantity, text
from exaplan.domain.uncertain import Uncertain


class Supply(Record):
    """How much of what its offers say a supplier lets us sign; certain in the first quarter."""

    supplier: str = text("supplier")
    level: Uncertain = quantity(
        "ratio",
        "uncertain factor on the most that can be signed, from the second quarter on",
        default=Uncertain.point(1.0),
        literal="uncertain",
        gt=0,
    )
    volatility: float = quantity(
        "share", "yearly log standard deviation of the factor along a path", default=0.0, ge=0
    )


class Default(Record):
    """Failure of a supplier: nothing more is signed or delivered, nothing more is paid for it, deposits are lost."""

    supplier: str = text("supplier")
    chance_per_year: float = quantity(
        "1/year", "chance of failing within a year", key="probability", ge=0, lt=1
    )


class RenewalNews(Record):
    """What a supplier says when a term ends: another price, or no."""

    supplier: str = text("supplier")
    jump: Uncertain = quantity(
        "ratio",
        "uncertain factor on the price of what is renewed, drawn anew each quarter",
        default=Uncertain.point(1.0),
        literal="uncertain",
        gt=0,
    )
    refusal: float = quantity(
        "share", "chance that what ends in a quarter is not renewed at all", default=0.0, ge=0, lt=1
    )


class SiteDelay(Record):
    """A site under construction that loses a quarter; what was signed for it stays due."""

    site: str = text("site", refers_to="sites")
    probability: float = quantity(
        "share",
        "chance that building stands still in a quarter, which makes the site a quarter later",
        ge=0,
        lt=1,
    )


class SupplierShare(Record):
    """The largest part of the fleet that may come from one supplier."""

    supplier: str = text("supplier")
    share: float = quantity(
        "share",
        "largest share of live chips, weighted by their dense 8-bit peak (H100-equivalents)",
        gt=0,
        lt=1,
    )


class SupplierOrder(Record):
    """The most that is signed with one supplier in a quarter."""

    supplier: str = text("supplier")
    most_chips: float = quantity(
        "chip/quarter", "most chips signed in a quarter, all its offers together", key="most", ge=0
    )
