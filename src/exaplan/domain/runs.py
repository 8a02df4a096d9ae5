"""Training runs that are planned by name, and the rules that bind the large ones."""

from __future__ import annotations

from pydantic import model_validator

from exaplan.domain.base import Record, quantity, text
from exaplan.domain.quarter import Quarter


class Run(Record):
    """A run: compute that adds up to a model, which is released once and then brings demand.

    With ``due`` it must be released by that quarter; without, whether and when is the plan's choice.
    """

    id: str = text("name of the run")
    workload: str = text("training workload whose output it takes", refers_to="workloads")
    flop: float = quantity("FLOP", "model FLOP until it is done", gt=0)
    first: Quarter | None = text(
        "first quarter in which it can be released (default: the horizon's first)", default=None
    )
    due: Quarter | None = text("last quarter in which it must be released; absent: optional", default=None)
    uplift: float = quantity(
        "share", "demand gained in the quarter after release, as a share of base demand", default=0.0, ge=0
    )
    uplift_workloads: tuple[str, ...] = text(
        "serving workloads whose demand it lifts", default=(), refers_to="workloads"
    )
    fade: float = quantity(
        "1/quarter", "share of the uplift that is lost each quarter after the first", default=0.0, ge=0, le=1
    )
    cost_usd: float = quantity(
        "USD", "cash cost of the release: data, staff, launch", key="cost", default=0.0, ge=0
    )
    divergence: float = quantity(
        "share", "chance that a quarter's work on it is lost and must be done again", default=0.0, ge=0, lt=1
    )
    counts_in_capability: bool = text(
        "whether its FLOP also makes progress; a run with an uplift counts once, through the uplift",
        default=False,
    )

    @model_validator(mode="after")
    def _counts_once(self) -> Run:
        if self.uplift > 0 and self.counts_in_capability:
            raise ValueError(
                "a run counts once: through its uplift, or through capability; remove one of the two"
            )
        if self.uplift > 0 and not self.uplift_workloads:
            raise ValueError("a run with an uplift names the workloads it lifts (uplift_workloads)")
        if self.first is not None and self.due is not None and self.due < self.first:
            raise ValueError("the run is due before it can be released")
        return self


class FlopRule(Record):
    """A rule for runs above a threshold of training compute: evaluation before release, and a delay."""

    id: str = text("name of the rule")
    threshold_flop: float = quantity("FLOP", "runs of at least this much are bound", key="threshold", gt=0)
    workload: str = text("safety workload that does the evaluation", refers_to="workloads")
    evaluation_flop: float = quantity(
        "FLOP", "evaluation compute before release", key="evaluation", default=0.0, ge=0
    )
    delay_quarters: int = quantity("quarter", "from done to release", key="delay", default=0, ge=0)
    cost_usd: float = quantity("USD", "cash cost per run that is bound", key="cost", default=0.0, ge=0)
