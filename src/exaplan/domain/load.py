"""How demand spreads over the hours of a quarter: load blocks from peak to trough."""

from __future__ import annotations

import math

from pydantic import model_validator

from exaplan.domain.base import Record, Series, quantity, text

MOST_BLOCKS = 12
"""More blocks than this make the plan larger and hardly more exact."""


class LoadBlock(Record):
    """One part of a quarter's hours, in which serving load counts as even."""

    id: str = text("name of the block: peak, shoulder, trough")
    hours_share: float = quantity("share", "share of the quarter's hours", key="hours", gt=0, le=1)
    demand_share: float = quantity("share", "share of the quarter's demand", key="demand", ge=0, le=1)


class Load(Record):
    """Load blocks of every quarter: cut from the shape of a trace, or stated one by one."""

    blocks: int | None = text("number of blocks that the shape is cut into", default=None)
    shape: Series | None = quantity(
        "ratio",
        "serving load in equal time steps (an hour or finer), in any scale; absent: the shipped trace",
        default=None,
        literal="trace",
        ge=0,
    )
    parts: tuple[LoadBlock, ...] = text("blocks stated one by one, busiest first", default=())

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Load:
        if (self.blocks is None) == (not self.parts):
            raise ValueError("give either blocks (how many) or each block with its hours and demand")
        if self.parts and self.shape is not None:
            raise ValueError("blocks stated one by one need no shape")
        if self.blocks is not None and not 1 <= self.blocks <= MOST_BLOCKS:
            raise ValueError(f"the number of blocks is 1 to {MOST_BLOCKS}")
        for key in ("hours_share", "demand_share") if self.parts else ():
            total = math.fsum(getattr(part, key) for part in self.parts)
            if abs(total - 1) > 1e-6:
                raise ValueError(
                    f"the {key.removesuffix('_share')} of the blocks add up to {total:.2%}, not 100 %"
                )
        density = [part.demand_share / part.hours_share for part in self.parts]
        if density != sorted(density, reverse=True):
            raise ValueError("the blocks are not in order: the busiest (demand over hours) comes first")
        if self.shape is not None and self.blocks is not None and len(self.shape) < self.blocks:
            raise ValueError(f"a trace of {len(self.shape)} steps cannot be cut into {self.blocks} blocks")
        if self.shape is not None and not any(self.shape):
            raise ValueError("a shape that is zero throughout says nothing")
        return self
