"""Chips of one's own design: what a program costs before the first chip, who can make it, and how fast it comes."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from exaplan.domain.base import Record, Series, quantity, text
from exaplan.domain.quarter import Quarter

YieldModel = Literal["poisson", "murphy", "seeds", "bose-einstein"]


class NreStage(Record):
    """One stage of the engineering that is paid once, whatever the volume."""

    id: str = text("what it pays for: design, masks, bring-up")
    age_quarters: int = quantity("quarter", "quarters after the start when it falls due", key="age", ge=0)
    amount_usd: float = quantity("USD", "amount", key="amount", ge=0)


class Respin(Record):
    """First silicon that fails: new masks, and volume later."""

    probability: float = quantity(
        "share", "chance that silicon due for release needs new masks (its square: twice)", ge=0, lt=1
    )
    delay_quarters: int = quantity("quarter", "later volume per re-spin", key="delay", gt=0)
    cost_usd: float = quantity("USD", "masks and engineering of one re-spin", key="cost", ge=0)


class Foundry(Record):
    """One way to have a design made: process, packaging, memory, and the partner's part."""

    id: str = text("name of the choice")
    supplier: str | None = text(
        "who may be late with deliveries (default: the name of the choice)", default=None
    )
    node: str = text("process, as the foundry names it")
    wafer_price_usd: float = quantity("USD/wafer", "price of a processed wafer", key="wafer_price", gt=0)
    wafer_diameter_mm: float = quantity("mm", "wafer diameter", key="wafer_diameter", default=300.0, gt=0)
    die_area_mm2: float = quantity("mm^2", "area of one compute die", key="die_area", gt=0)
    dies: int = text("compute dies in one package", default=1)
    defect_density_per_cm2: float = quantity(
        "1/cm^2", "killer defects per area (per critical layer for bose-einstein)", key="defect_density", ge=0
    )
    yield_model: YieldModel = text("how defects become yield: docs/model.md names the sources")
    critical_layers: int | None = text("critical layers, for bose-einstein alone", default=None)
    packaging_cost_usd: float = quantity(
        "USD/chip", "interposer, substrate and assembly of one package", key="packaging_cost", ge=0
    )
    packaging_slots: Series = quantity(
        "chip/quarter", "packages that can be assembled in a quarter", literal="series", ge=0
    )
    hbm_stacks: int = text("memory stacks in one package", default=0)
    hbm_cost_usd: float = quantity(
        "USD/stack", "price of one memory stack", key="hbm_cost", default=0.0, ge=0
    )
    test_yield: float = quantity(
        "share", "share of packages that pass the final test; a bad one is lost with its memory", gt=0, le=1
    )
    partner_margin: float = quantity(
        "share", "share of the price of a finished package that the design partner keeps", ge=0, lt=1
    )
    nre: tuple[NreStage, ...] = text("engineering that this choice alone needs, by age", default=())

    @model_validator(mode="after")
    def _can_be_made(self) -> Foundry:
        if (self.yield_model == "bose-einstein") != (self.critical_layers is not None):
            raise ValueError("critical_layers belongs to yield_model bose-einstein, and it needs them")
        if self.critical_layers is not None and self.critical_layers < 1:
            raise ValueError("critical_layers is at least 1")
        if self.dies < 1 or self.hbm_stacks < 0:
            raise ValueError("a package has at least one die and no fewer than zero stacks")
        return self

    @property
    def delivered_by(self) -> str:
        """Name under which deliveries may be late."""
        return self.supplier or self.id


class Silicon(Record):
    """A chip program: started once at a quarter of the plan's choice, with one foundry, or never."""

    id: str = text("name of the program")
    chip: str = text("chip that it makes: its designed peaks", refers_to="chips")
    site: str = text("own site where the chips stand", refers_to="sites")
    first: Quarter | None = text(
        "first quarter in which it can be started (default: the horizon's first)", default=None
    )
    last: Quarter | None = text(
        "last quarter in which it can be started (default: the horizon's last)", default=None
    )
    nre: tuple[NreStage, ...] = text("engineering by age from the start, whichever foundry")
    lead_quarters: int = quantity(
        "quarter", "start to first volume on the floor; 6 to 12 have been seen", key="lead", gt=0
    )
    production_quarters: int = quantity(
        "quarter", "wafer start to energised, within the lead", key="production", ge=0
    )
    slip: float = quantity(
        "share",
        "chance that the release is a quarter late (its square: two), without a re-spin",
        default=0.0,
        ge=0,
        lt=1,
    )
    respin: Respin | None = text("what happens if first silicon fails", default=None)
    ramp: Series = quantity(
        "chip/quarter",
        "most chips that can be ordered, by quarters after the release; the last value holds on",
        literal="series",
        ge=0,
    )
    foundries: tuple[Foundry, ...] = text("who can make it; the plan chooses one")
    availability: float = quantity("share", "share of hours a delivered chip is up", gt=0, le=1)
    life_quarters: int = quantity("quarter", "useful life", key="life", gt=0)
    system_cost_usd_per_chip: float = quantity(
        "USD/chip", "server, network and share of the hall per chip", key="system_cost", ge=0
    )
    deposit: float = quantity(
        "share",
        "share of a chip's price paid with the wafer order; the rest on delivery",
        default=0.0,
        ge=0,
        le=1,
    )
    residual: float = quantity(
        "share", "share of the price recovered as scrap at the end of life", default=0.0, ge=0
    )
    unlocks: Literal["start", "volume"] = text(
        "from when offers with `unlocked_by` this program can be signed", default="start"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Silicon:
        if not self.foundries:
            raise ValueError("a program needs at least one foundry")
        if self.production_quarters > self.lead_quarters:
            raise ValueError("production is part of the lead and cannot be longer")
        return self

    @property
    def release_quarters(self) -> int:
        """Quarters from the start to the release of production, when slips and re-spins are known."""
        return self.lead_quarters - self.production_quarters

    @property
    def respin_name(self) -> str:
        """Name of the re-spins among the sources of delay."""
        return f"{self.id} re-spin"

    def offer_id(self, foundry: Foundry) -> str:
        """Name of the orderable chips of one foundry."""
        return f"{self.id}-{foundry.id}"


class Leverage(Record):
    """Against whom a second source is played out, and what is known of the other side."""

    incumbent: tuple[str, ...] = text("offers of the supplier whose price is negotiated", refers_to="offers")
    margin: float = quantity(
        "share", "the incumbent's margin at list price: what it loses when the deal fails", gt=0, lt=1
    )
    discount: float | None = quantity(
        "share",
        "a discount that somebody hopes for: shown as assumed, never as found",
        default=None,
        ge=0,
        lt=1,
    )
