"""A race: several labs with their fleets, money, policies and sites, the market they share, and what may strike them."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from exaplan.domain.base import Record, quantity, text
from exaplan.domain.lab import Horizon, Origin
from exaplan.domain.quarter import Quarter
from exaplan.domain.uncertain import Uncertain

ShockKind = Literal["power", "chips", "capital", "price"]
LARGEST_RACE = 40
"""Most labs in one race."""


class RaceMarket(Record):
    """What all labs share: demand, prices, chips on the market, recipes. One draw per path, common to all labs."""

    growth: Uncertain = quantity(
        "1/year", "yearly growth of what customers would spend at today's prices", literal="uncertain", gt=-1
    )
    cooling: float = quantity(
        "1/year",
        "share of its own that every growth rate of money and of shipments loses in a year",
        ge=0,
        lt=1,
    )
    volatility: float = quantity(
        "share", "yearly log standard deviation of a lab's own demand, and of its own funding", ge=0
    )
    common: float = quantity(
        "share", "share of the variance of a lab's uncertain figures that is common to all labs", ge=0, le=1
    )
    elasticity: float = quantity(
        "ratio",
        "percent of tokens gained per percent of price lost; above 1 a lower price brings more dollars",
        ge=0,
    )
    pass_through: float = quantity(
        "share", "share of a fall of cost per token that competition passes into the price", ge=0, le=1
    )
    efficiency: Uncertain = quantity(
        "1/year",
        "yearly growth of tokens served per H100-equivalent at equal quality",
        literal="uncertain",
        gt=-1,
    )
    earning: float = quantity(
        "USD/chip/h", "most that an H100-equivalent at serving earns today, sold out", gt=0
    )
    cost: float = quantity(
        "USD/chip/h", "all-in cost of an H100-equivalent today: chip, site and power, as rent", gt=0
    )
    cost_change: Uncertain = quantity("1/year", "yearly change of that cost", literal="uncertain", gt=-1)
    term: float = quantity("quarter", "quarters of rent that a chip paid in advance costs", gt=0)
    shipments: float = quantity(
        "chip/quarter", "H100-equivalents shipped to everybody in the first quarter", gt=0
    )
    shipments_growth: Uncertain = quantity("1/year", "yearly growth of shipments", literal="uncertain", gt=-1)
    density: float = quantity("chip/W", "H100-equivalents ordered today per watt of site power", gt=0)
    density_growth: Uncertain = quantity(
        "1/year", "yearly growth of H100-equivalents per watt", literal="uncertain", gt=-1
    )
    retirement: float = quantity("1/quarter", "share of the fleet that retires in a quarter", ge=0, lt=1)
    past_growth: float = quantity(
        "1/year", "yearly growth of fleets before the first quarter, for lags that reach back", gt=0
    )
    progress: Uncertain = quantity(
        "1/year",
        "yearly growth of effective compute per FLOP that everybody shares",
        literal="uncertain",
        gt=-1,
    )
    private_progress: float = quantity(
        "share", "yearly log standard deviation of a lab's own recipes around that", ge=0
    )
    leapfrog_chance: float = quantity("1/year", "leaps of a lab's recipes expected in a year", ge=0)
    leapfrog_size: Uncertain = quantity(
        "ratio", "factor of a leap on effective compute", literal="uncertain", gt=0
    )
    diffusion: float = quantity(
        "1/quarter",
        "share of the lead in recipes, as it was some quarters ago, that the others close",
        ge=0,
        le=1,
    )
    diffusion_lag: int = quantity("quarter", "quarters before a recipe begins to spread", ge=0)
    sensitivity: float = quantity(
        "ratio", "s in demand = 1 + s ln z, z effective compute over the frontier's", ge=0
    )
    switching: float = quantity(
        "1/quarter", "share of the customers who would move that move within a quarter", gt=0, le=1
    )
    access: float = quantity(
        "ratio", "power of that same demand factor that multiplies what investors put in", ge=0
    )


class RaceSite(Record):
    """Power announced for a date."""

    id: str = text("name of the site")
    ready: Quarter = text("first quarter with power")
    power: float = quantity("W", "power that this site adds", gt=0)
    slip: float = quantity(
        "share", "chance in each quarter that it is another quarter late", default=0.0, ge=0, lt=1
    )


class RacePower(Record):
    """Power at hand, announced, and that can still be built."""

    now: float = quantity("W", "power at hand in the first quarter, rented or own", gt=0)
    lead: int = quantity("quarter", "quarters until power decided on today comes", ge=1)
    build: Uncertain = quantity(
        "W/quarter", "power that comes each quarter from then on", literal="uncertain", ge=0
    )
    growth: float = quantity("1/year", "yearly growth of that", default=0.0, gt=-1)
    sites: tuple[RaceSite, ...] = text("power announced", default=())


class RaceChips(Record):
    """Chips that can be had."""

    share: Uncertain = quantity(
        "share", "most of all shipments that this lab, with its hosts, can get", literal="uncertain", gt=0
    )
    lead: int = quantity("quarter", "quarters from order to delivery", ge=1)
    on_order: float = quantity("chip", "H100-equivalents ordered before, coming evenly over the lead", ge=0)


class RacePolicy(Record):
    """How a lab commits its money; bold or cautious."""

    commit: float = quantity("share", "share of revenue and funding committed to compute", gt=0)
    expects: float = quantity(
        "1/year", "yearly growth of revenue and funding that it counts on when it orders", ge=0
    )
    serve: float = quantity("share", "share of the fleet that serves; the rest develops", ge=0, le=1)
    overhead: float = quantity("share", "share of revenue and funding spent on all else", ge=0)
    draw: float = quantity("1/quarter", "share of cash above the reserve that prepays chips", ge=0, le=1)
    reserve: float = quantity("USD", "cash that is never put into chips", ge=0)


class RaceLab(Record):
    """One lab at the end of the first quarter."""

    id: str = text("name")
    region: str = text("where it builds, for shocks that strike a region", default="")
    fleet: float = quantity("chip", "H100-equivalents at work", gt=0)
    revenue: float = quantity("USD/quarter", "revenue, at the run-rate of the first quarter", ge=0)
    momentum: Uncertain = quantity(
        "1/year", "yearly growth of its own demand beyond the market's",
        default=Uncertain.point(0.0), literal="uncertain", gt=-1,
    )  # fmt: skip
    cash: float = quantity("USD", "cash", ge=0)
    funding: float = quantity("USD/quarter", "what investors, lenders or a parent put in", ge=0)
    funding_growth: Uncertain = quantity("1/year", "yearly growth of that", literal="uncertain", gt=-1)
    capability: float = quantity("ratio", "effective compute over that of the best lab", gt=0)
    chips: RaceChips = text("chips that it can get")
    power: RacePower = text("power that it has and can build")
    policy: RacePolicy = text("how it commits")


class RaceShock(Record):
    """Something that strikes at a date, with a chance, or for certain where it is asked for by name."""

    id: str = text("name")
    kind: ShockKind = text(
        "power (new power is late), chips (fewer to be had), capital (less funding), price (lower)"
    )
    start: Quarter = text("first quarter of it")
    length: int = quantity("quarter", "how long it lasts; power is late by as much", ge=1)
    size: float = quantity("share", "part that is lost meanwhile", gt=0, le=1)
    probability: float = quantity("share", "chance that it comes", ge=0, le=1)
    labs: tuple[str, ...] = text(
        "labs it strikes; none named: all of its region", default=(), refers_to="labs"
    )
    region: str = text("region it strikes; none named: everywhere", default="")


class RaceFile(Record):
    """A race as a file states it."""

    race: str = text("name of the race")
    as_of: str = text("date of the newest figure, like 2025-12-31; a newer one is refused")
    horizon: Horizon = text("first quarter, which is known, and last")
    market: RaceMarket = text("what all share")
    labs: tuple[RaceLab, ...] = text("the labs")
    shocks: tuple[RaceShock, ...] = text("what may strike", default=())
    origins: dict[str, Origin] = Field(
        default_factory=dict, description="where each figure stands", json_schema_extra={"internal": True}
    )

    @model_validator(mode="after")
    def _coherent(self) -> RaceFile:
        date.fromisoformat(self.as_of)
        if not 2 <= len(self.labs) <= LARGEST_RACE:
            raise ValueError(f"a race has 2 to {LARGEST_RACE} labs, not {len(self.labs)}")
        if self.horizon.quarters < 2:
            raise ValueError("a race takes at least two quarters")
        best = max(lab.capability for lab in self.labs)
        if abs(best - 1) > 1e-9:
            raise ValueError(f"capability is over that of the best lab: the largest must be 1, not {best:g}")
        return self
