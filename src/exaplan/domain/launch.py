"""Launches: dated steps of demand that the plan may take or leave, and what they cost in chips, development and money."""

from __future__ import annotations

from pydantic import model_validator

from exaplan.domain.base import Record, quantity, text
from exaplan.domain.quarter import Quarter


class LaunchCost(Record):
    """What a launch takes in its own quarter."""

    serving_chip_hours: float = quantity(
        "chip*h", "hours of the lab's best chip for the workload that serve nobody", default=0.0, ge=0
    )
    serving_share: float = quantity(
        "share",
        "share of the workload's demand at the time whose serving capacity serves nobody",
        default=0.0,
        ge=0,
        le=1,
    )
    development_flop: float = quantity(
        "FLOP", "development FLOP that make no other progress", key="development", default=0.0, ge=0
    )


class Launch(Record):
    """One launch: its customers come from the next quarter on, and become fewer by ``decay``."""

    id: str = text("name of the launch")
    workload: str = text("serving workload whose demand it raises", refers_to="workloads")
    first: Quarter = text("first quarter of the window in which it may be made")
    last: Quarter = text("last quarter of the window in which it may be made")
    step_tokens_per_month: float | None = quantity(
        "token/month", "demand that it brings", key="demand_step", default=None, gt=0
    )
    step_share: float | None = quantity(
        "share",
        "demand that it brings, as a share of the workload's own",
        key="demand_share",
        default=None,
        gt=0,
    )
    decay: float = quantity(
        "1/quarter", "share of the demand it brought that goes each quarter", default=0.0, ge=0, le=1
    )
    cost: LaunchCost = text("chips and development that it takes", default=LaunchCost())
    cost_usd: float = quantity("USD", "money that it costs", default=0.0, ge=0)

    @model_validator(mode="after")
    def _one_step(self) -> Launch:
        if (self.step_tokens_per_month is None) == (self.step_share is None):
            raise ValueError(
                "give either demand_step (tokens a month) or demand_share (of the workload's demand)"
            )
        return self
