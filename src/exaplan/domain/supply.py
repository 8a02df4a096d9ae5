"""What can be signed, what is signed, and where it stands."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from exaplan.domain.base import Record, Series, quantity, text
from exaplan.domain.deals import Milestone, Renewal
from exaplan.domain.quarter import Quarter
from exaplan.domain.sitestep import SiteStep


class Site(Record):
    """A location whose power is ours to fill."""

    id: str = text("name of the site")
    power_w: Series = quantity(
        "W", "IT power that the site can feed, per quarter", key="power", literal="series", ge=0
    )
    ready: Quarter | None = text("first quarter with power; before it the site feeds nothing", default=None)
    pue: float = quantity("ratio", "facility power over IT power", ge=1)
    electricity_usd_per_j: float = quantity(
        "USD/J", "price of electricity at the meter", key="electricity", gt=0
    )
    liquid: bool = text("whether the hall has liquid cooling", default=True)
    rack_power_max_w: float | None = quantity(
        "W", "most power that it feeds to one rack; absent: any", key="rack_power_max", default=None, gt=0
    )
    upkeep_usd_per_w_quarter: float = quantity(
        "USD/W/quarter",
        "staff, maintenance and lease per watt of IT power installed",
        key="upkeep",
        default=0.0,
        ge=0,
    )
    steps: tuple[SiteStep, ...] = text("power that can be built when it is decided", default=())


class _OfferBase(Record):
    id: str = text("name of the offer")
    chip: str = text("chip it delivers", refers_to="chips")
    supplier: str = text("who signs on the other side")
    pool: str = text("where the chips stand: a site's id, or the name of a cloud location", default="cloud")
    availability: float = quantity("share", "share of hours a delivered chip is up", gt=0, le=1)
    first: Quarter | None = text(
        "first quarter in which it can be signed (default: the horizon's first)", default=None
    )
    last: Quarter | None = text(
        "last quarter in which it can be signed (default: the horizon's last)", default=None
    )
    market_exposure: float = quantity(
        "ratio", "how much of a move in the rental market passes into this price", default=0.0, ge=0, le=1
    )


class OnDemand(_OfferBase):
    """Chips by the hour, no commitment."""

    kind: Literal["on-demand"] = "on-demand"
    price_usd_per_chip_h: Series = quantity(
        "USD/chip/h", "price per chip-hour used", key="price", literal="series", ge=0
    )
    max_chips: Series = quantity("chip", "most chips that can be had at once", literal="series", ge=0)
    market: Literal["spot", "contract"] = text(
        "whose index moves the price: that of chips by the hour, or that of contracts", default="spot"
    )


class _OrderBase(_OfferBase):
    """What is ordered in amounts: in lots or not, open from the start or opened by an option."""

    lot_chips: float | None = quantity(
        "chip", "orders are whole multiples of this (default: any amount)", key="lot", default=None, gt=0
    )
    lot_until: Quarter | None = text(
        "last quarter in which orders are whole lots; later they are any amount (default: the first four quarters)",
        default=None,
    )
    unlocked_by: str | None = text(
        "option whose start opens this offer, such as a deal (default: it is open)", default=None
    )


class Reserved(_OrderBase):
    """Chips for a term at a price fixed on signature; paid from delivery, used or not."""

    kind: Literal["reserved"] = "reserved"
    price_usd_per_chip_h: Series = quantity(
        "USD/chip/h", "price per chip-hour, fixed at signature", key="price", literal="series", ge=0
    )
    site: str | None = text(
        "own site at which the chips stand, whose power they use: a lease", default=None, refers_to="sites"
    )
    lead_quarters: int = quantity("quarter", "signature to delivery", key="lead", ge=0)
    term_quarters: int = quantity("quarter", "delivery to expiry", key="term", gt=0)
    max_order: Series = quantity(
        "chip/quarter", "most chips that can be signed in a quarter", literal="series", ge=0
    )
    take_or_pay: float = quantity(
        "share", "share of the reserved chip-hours that is paid whether used or not", default=1.0, ge=0, le=1
    )
    deposit: float = quantity(
        "share",
        "share of the contract's value paid at signature and credited over the term",
        default=0.0,
        ge=0,
        lt=1,
    )
    step_up: float = quantity(
        "1/year",
        "rise of the price at the end of each year of the term, on the must-pay share",
        default=0.0,
        gt=-1,
    )
    renewal: Renewal | None = text("right to keep the chips when the term ends", default=None)
    exit_fee: float | None = quantity(
        "share",
        "share of what is still owed that buys an exit after delivery; absent means no exit",
        default=None,
        ge=0,
    )
    flex_up: float = quantity(
        "share",
        "chips beyond those reserved that may be used at the price of the quarter of use",
        default=0.0,
        ge=0,
    )

    @model_validator(mode="after")
    def _exit_of_what_is_firm(self) -> Reserved:
        if self.exit_fee is not None and self.take_or_pay < 1:
            raise ValueError("an exit is from a firm reservation: give exit_fee or take_or_pay below 100 %")
        return self


class Purchase(_OrderBase):
    """Chips bought with their servers and network, and placed at a site."""

    kind: Literal["purchase"] = "purchase"
    site: str = text("site whose power they use", refers_to="sites")
    price_usd_per_chip: Series = quantity(
        "USD/chip",
        "overnight cost per chip with server, network and facility share",
        key="price",
        literal="series",
        ge=0,
    )
    lead_quarters: int = quantity("quarter", "order to energised", key="lead", ge=0)
    life_quarters: int = quantity("quarter", "useful life", key="life", gt=0)
    max_order: Series = quantity(
        "chip/quarter", "most chips that can be ordered in a quarter", literal="series", ge=0
    )
    deposit: float = quantity(
        "share", "share of the price paid at order; the rest on delivery", default=0.0, ge=0, le=1
    )
    residual: float = quantity(
        "share", "share of the price recovered as scrap at the end of life", default=0.0, ge=0
    )
    milestones: tuple[Milestone, ...] = text("parts of the price due between order and delivery", default=())

    @model_validator(mode="after")
    def _no_more_than_the_price(self) -> Purchase:
        paid = self.deposit + sum(milestone.share for milestone in self.milestones)
        if paid > 1 + 1e-9:
            raise ValueError(f"deposit and milestones add up to {paid:.0%} of the price")
        return self


Offer = Annotated[OnDemand | Reserved | Purchase, Field(discriminator="kind")]


class Tranche(Record):
    """One dated delivery of a signed contract."""

    date: Quarter = text("quarter of delivery; before the horizon means already running")
    chips: float = quantity("chip", "chips delivered", gt=0)


class Instalment(Record):
    """One dated payment still owed."""

    date: Quarter = text("quarter of payment")
    amount_usd: float = quantity("USD", "amount", key="amount", ge=0)


class Contract(Record):
    """What is already signed or owned: sunk, fixed, and still to be paid."""

    id: str = text("name of the contract")
    chip: str = text("chip it delivers", refers_to="chips")
    supplier: str = text("who signed on the other side")
    kind: Literal["reserved", "owned"] = text("rented for a term, or owned until the end of its life")
    pool: str = text("where the chips stand: a site's id, or the name of a cloud location", default="cloud")
    site: str | None = text("site whose power they use", default=None, refers_to="sites")
    tranches: tuple[Tranche, ...] = text("dated deliveries")
    term_quarters: int = quantity(
        "quarter", "delivery to expiry (reserved) or useful life (owned)", key="term", gt=0
    )
    availability: float = quantity("share", "share of hours a delivered chip is up", gt=0, le=1)
    price_usd_per_chip_h: float = quantity(
        "USD/chip/h", "contract price per chip-hour (reserved)", key="price", default=0.0, ge=0
    )
    take_or_pay: float = quantity(
        "share", "share of the chip-hours paid whether used or not", default=1.0, ge=0, le=1
    )
    deposit_paid_usd: float = quantity(
        "USD", "deposit already paid: sunk, recorded only", key="deposit_paid", default=0.0, ge=0
    )
    instalments: tuple[Instalment, ...] = text("dated payments still owed (purchases under way)", default=())
    flex_up: float = quantity(
        "share", "chips beyond those delivered that may be used at the contract's price", default=0.0, ge=0
    )
    exit_fee: float | None = quantity(
        "share", "share of what is still owed that buys an exit; absent means no exit", default=None, ge=0
    )
    renewal: Renewal | None = text("right to keep the chips when the term ends", default=None)

    @model_validator(mode="after")
    def _owned_or_rented(self) -> Contract:
        if self.kind == "owned" and self.exit_fee is not None:
            raise ValueError("an owned fleet has no exit fee")
        if self.kind == "reserved" and self.price_usd_per_chip_h <= 0:
            raise ValueError("a reserved contract needs a price")
        if self.kind == "owned" and self.renewal is not None:
            raise ValueError("an owned fleet has no term to renew")
        return self
