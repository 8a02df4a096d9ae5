"""How development compute becomes demand."""

from __future__ import annotations

from pydantic import field_validator, model_validator

from exaplan.domain.base import Record, quantity, text
from exaplan.domain.uncertain import Uncertain


class Capability(Record):
    """How development compute becomes demand. Effective compute relative to the frontier, z; 1 is parity."""

    start: float = quantity("ratio", "z at the start", gt=0)
    parity_flop_per_quarter: float = quantity(
        "FLOP/quarter", "development compute per quarter that keeps z at 1 today", key="parity", gt=0
    )
    frontier_growth: Uncertain = quantity(
        "1/year", "yearly growth of the frontier's effective compute", literal="uncertain", gt=-1
    )
    algorithmic_progress: Uncertain = quantity(
        "1/year", "yearly growth of effective compute per FLOP", literal="uncertain", gt=-1
    )
    decay: float = quantity(
        "1/quarter", "share of effective compute that goes stale in a quarter", ge=0, lt=1
    )
    returns: float = quantity(
        "ratio", "exponent of diminishing returns to development compute within a quarter", gt=0, le=1
    )
    experiments: tuple[str, ...] = text(
        "training workloads that are experiments; the others are final runs",
        default=(),
        refers_to="workloads",
    )
    experiments_share: float | None = quantity(
        "share",
        "share of development compute in experiments at which a FLOP counts in full; absent: any mix counts in full",
        default=None,
        gt=0,
        lt=1,
    )

    @field_validator("algorithmic_progress", mode="before")
    @classmethod
    def _plain_number(cls, value: object) -> object:
        return Uncertain.point(value) if isinstance(value, int | float) else value

    @model_validator(mode="after")
    def _something_to_gain(self) -> Capability:
        if (1 + self.frontier_growth.median) ** 0.25 <= 1 - self.decay:
            raise ValueError(
                "the frontier shrinks faster than effective compute goes stale: development could only hurt"
            )
        progress = self.algorithmic_progress
        if min((*progress.values, progress.low)) < 0:
            raise ValueError("algorithmic progress is not negative: recipes are not forgotten")
        if (self.experiments_share is None) != (not self.experiments):
            raise ValueError(
                "experiments and experiments_share belong together: name the workloads and their best share"
            )
        return self
