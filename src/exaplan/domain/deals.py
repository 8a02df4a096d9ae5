"""Deals that are signed once or never, and clauses of offers: what ties money, chips and customers together."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from exaplan.domain.base import Record, quantity, text
from exaplan.domain.quarter import Quarter


class Renewal(Record):
    """Right to keep chips when their term ends: once, for another term; with no price and a payment, to buy them."""

    term_quarters: int = quantity("quarter", "how long they are kept", key="term", gt=0)
    price_usd_per_chip_h: float | None = quantity(
        "USD/chip/h",
        "price per chip-hour, used or not (default: that of the offer in that quarter, or of the contract)",
        key="price",
        default=None,
        ge=0,
    )
    market_exposure: float = quantity(
        "ratio",
        "how much of the rental market's move since the start passes into the price",
        default=0.0,
        ge=0,
        le=1,
    )
    payment_usd_per_chip: float = quantity(
        "USD/chip", "paid per chip on renewal", key="payment", default=0.0, ge=0
    )


class Milestone(Record):
    """A part of a purchase's price that is due at a date, arrived or not."""

    after_quarters: int = quantity("quarter", "quarters after signature", key="after", gt=0)
    share: float = quantity("share", "share of the price", gt=0, le=1)


class Payment(Record):
    """One payment of a deal, dated from its signature."""

    after_quarters: int = quantity("quarter", "quarters after signature", key="after", default=0, ge=0)
    amount_usd: float = quantity("USD", "amount", key="amount", gt=0)


class MustSpend(Record):
    """Money to be spent with the supplier in each of several periods from signature on; what is missing is paid for nothing."""

    amount_usd: float = quantity("USD", "least spent in a period", key="amount", gt=0)
    every_quarters: int = quantity("quarter", "length of a period", key="every", default=1, gt=0)
    times: int = text("periods", default=1)

    @model_validator(mode="after")
    def _some(self) -> MustSpend:
        if self.times < 1:
            raise ValueError("there is at least one period")
        return self


class RevenueShare(Record):
    """Part of serving revenue that is paid to the investor from signature on."""

    share: float = quantity("share", "share of serving revenue", gt=0, le=1)
    quarters: int = quantity("quarter", "how long it is paid", gt=0)


class Channel(Record):
    """Customers that the partner brings to one workload; they can be turned away and lost like others."""

    workload: str = text("serving workload that they use", refers_to="workloads")
    tokens_per_month: float = quantity(
        "token/month", "added demand, input and output", key="demand", default=0.0, ge=0
    )
    share: float = quantity("ratio", "added demand over the workload's own at parity", default=0.0, ge=0)
    after_quarters: int = quantity(
        "quarter", "quarters from signature until they come", key="after", default=0, ge=0
    )
    quarters: int | None = quantity("quarter", "how long they stay (default: for good)", default=None, gt=0)

    @model_validator(mode="after")
    def _brings_somebody(self) -> Channel:
        if self.tokens_per_month == 0 and self.share == 0:
            raise ValueError("a channel brings customers: give demand or share")
        return self


class _DealBase(Record):
    id: str = text("name of the deal")
    supplier: str = text("who signs on the other side")
    first: Quarter | None = text(
        "first quarter in which it can be signed (default: the horizon's first)", default=None
    )
    last: Quarter | None = text(
        "last quarter in which it can be signed (default: the horizon's last)", default=None
    )
    fee_usd: float = quantity("USD", "paid at signature", key="fee", default=0.0, ge=0)
    must_spend: MustSpend | None = text("least spending with the supplier", default=None)


class Equity(_DealBase):
    """Equity for compute: an investor pays in and gets shares, spending with it, or a part of revenue."""

    kind: Literal["equity"] = "equity"
    investment: tuple[Payment, ...] = text("money received")
    dilution_cost: float = quantity(
        "ratio",
        "value given away per dollar received, beyond the dollar; below zero where the investor pays a premium",
        default=0.0,
        ge=-1,
    )
    revenue_share: RevenueShare | None = text("part of revenue paid to the investor", default=None)
    channels: tuple[Channel, ...] = text("customers the investor brings", default=())


class Exclusive(_DealBase):
    """Nothing more is signed with the suppliers it excludes; in return come priority and the offers it unlocks."""

    kind: Literal["exclusive"] = "exclusive"
    excludes: tuple[str, ...] = text("suppliers with whom nothing is signed while it binds", default=())
    term_quarters: int | None = quantity(
        "quarter", "how long it binds (default: for good)", key="term", default=None, gt=0
    )
    priority: float = quantity(
        "share",
        "share of a shortfall in the supplier's supply that is made good to us",
        default=0.0,
        ge=0,
        le=1,
    )


Deal = Annotated[Equity | Exclusive, Field(discriminator="kind")]
