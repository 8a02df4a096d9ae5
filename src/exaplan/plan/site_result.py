"""Which steps of sites a plan builds, when, and how likely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.plan.accounts import by_quarter
from exaplan.plan.site_steps import FAMILIES, steps_of
from exaplan.plan.solve import Solved

FEW = 1e-6
"""A smaller part of a step is the solver's rounding."""


@dataclass(frozen=True)
class StepStart:
    """A step of a site that the plan may start in a quarter."""

    site: str
    step: str
    quarter: str
    power_from: str  # first quarter with power
    probability: float
    share: float  # of the step, where it is started
    power_w: float
    cost_usd: float


def step_starts_of(solved: Solved) -> tuple[StepStart, ...]:
    """Every start of a step that the plan decides, with its probability over the tree; earliest first."""
    inputs = solved.program.inputs
    lab, found = inputs.lab, []
    for name, continuous in FAMILIES:
        steps = steps_of(lab, continuous=continuous)
        if not steps:
            continue
        start = solved.value(solved.model.columns[f"{name}_start"])
        start = np.where(start > FEW, start, 0.0)
        amount, chance = by_quarter(inputs, start), by_quarter(inputs, (start > 0).astype(float))
        for t, item in zip(*np.nonzero(chance), strict=True):
            number, step = steps[item]
            share = float(amount[t, item] / chance[t, item])
            quarter = lab.horizon.first + int(t)
            found.append(
                StepStart(
                    lab.sites[number].id, step.id, str(quarter), str(quarter + step.lead_quarters),
                    float(chance[t, item]), share, share * step.power_w, share * step.cost_usd,
                )
            )  # fmt: skip
    return tuple(sorted(found, key=lambda row: (row.quarter, row.site, row.step)))
