"""Power that is built when it is decided: one more step of a site."""

from __future__ import annotations

import math

from pydantic import model_validator

from exaplan.domain.base import Record, Series, quantity, text
from exaplan.domain.quarter import Quarter


class SiteStep(Record):
    """A hall, a substation or a phase of a site: built once, at a quarter of the plan's choice, or never."""

    id: str = text("name of the step")
    power_w: float = quantity("W", "IT power that it adds", key="power", gt=0)
    lead_quarters: int = quantity("quarter", "decision to power", key="lead", ge=0)
    life_quarters: int = quantity("quarter", "quarters that it feeds chips, from the first", key="life", gt=0)
    cost_usd: float = quantity("USD", "what building it costs, chips not counted", key="cost", ge=0)
    milestones: Series | None = quantity(
        "share",
        "share of the cost paid in each quarter from the decision on; absent: evenly over the lead",
        default=None,
        literal="trace",
        ge=0,
        le=1,
    )
    upkeep_usd_per_w_quarter: float = quantity(
        "USD/W/quarter",
        "staff, maintenance and lease per watt of the step, from its first power on, filled or not",
        key="upkeep",
        default=0.0,
        ge=0,
    )
    residual: float = quantity(
        "share", "share of the cost recovered at the end of its life", default=0.0, ge=0, le=1
    )
    first: Quarter | None = text(
        "first quarter in which it can be decided (default: the horizon's first)", default=None
    )
    last: Quarter | None = text(
        "last quarter in which it can be decided (default: the horizon's last)", default=None
    )
    after: str | None = text(
        "step of the same site that opens this one: it is decided no earlier, and no larger a part of it (default: it is open)",
        default=None,
    )
    continuous: bool = text("whether any part of it can be built, instead of all or nothing", default=False)

    @model_validator(mode="after")
    def _paid_in_full(self) -> SiteStep:
        if self.milestones is not None and abs(math.fsum(self.milestones) - 1) > 1e-6:
            raise ValueError(f"the milestones add up to {math.fsum(self.milestones):.2%}, not 100 %")
        return self

    @property
    def payments(self) -> tuple[float, ...]:
        """Share of the cost paid in each quarter from the decision on."""
        lead = max(1, self.lead_quarters)
        return self.milestones if self.milestones is not None else (1 / lead,) * lead
