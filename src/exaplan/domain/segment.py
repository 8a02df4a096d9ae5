"""The models that may serve a segment of customers: their shares, their dates, and the runs that make them."""

from __future__ import annotations

from pydantic import model_validator

from exaplan.domain.base import Record, quantity, text
from exaplan.domain.quarter import Quarter


class Distillation(Record):
    """A run that teaches a model from another one; the model serves from the quarter after it is done."""

    source: str = text("model that teaches", key="from", refers_to="models")
    flop: float = quantity("FLOP", "development FLOP of the run; they make no other progress", gt=0)
    first: Quarter = text("first quarter in which it may run")
    last: Quarter = text("last quarter in which it may run")

    @model_validator(mode="after")
    def _forward(self) -> Distillation:
        if self.last < self.first:
            raise ValueError(f"the window is turned round: {self.first} .. {self.last}")
        return self


class ServingModel(Record):
    """One of the models able to serve a segment."""

    model: str = text("model that may serve", refers_to="models")
    share_min: float = quantity(
        "share", "least share of the segment's tokens while it serves", default=0.0, ge=0, le=1
    )
    share_max: float = quantity("share", "largest share of the segment's tokens", default=1.0, gt=0, le=1)
    first: Quarter | None = text("first quarter in which it serves", default=None)
    last: Quarter | None = text("last quarter in which it serves; retired after it", default=None)
    tokens_ratio: float = quantity(
        "ratio",
        "tokens it needs for what takes the segment's reference model one token",
        default=1.0,
        gt=0,
    )
    distil: Distillation | None = text("run that has to make it first", default=None)

    @model_validator(mode="after")
    def _in_order(self) -> ServingModel:
        if self.share_min > self.share_max:
            raise ValueError(f"the share is turned round: {self.share_min:.0%} is above {self.share_max:.0%}")
        if self.first is not None and self.last is not None and self.last < self.first:
            raise ValueError(f"{self.model} is retired before it serves: {self.first} .. {self.last}")
        if self.distil is not None and self.share_min > 0:
            raise ValueError("a model that has yet to be distilled cannot have a least share")
        if self.distil is not None and self.distil.source == self.model:
            raise ValueError(f"{self.model} cannot teach itself")
        return self


def refuse_mixed(models: tuple[ServingModel, ...]) -> None:
    """Refuse a segment whose models cannot share it.

    Raises
    ------
    ValueError
        A model named twice, or least shares that add up to more than the segment.
    """
    names = [each.model for each in models]
    if len(set(names)) < len(names):
        raise ValueError(f"a model is named twice: {', '.join(names)}")
    if sum(each.share_min for each in models) > 1 + 1e-9:
        raise ValueError("the least shares of the models add up to more than 100 %")
