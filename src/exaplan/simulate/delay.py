"""How long demand may be late: the same futures with the curve of demand moved back, and the longest move survived."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from exaplan.domain.futures import World
from exaplan.domain.lab import Lab
from exaplan.domain.outcome import Outcome
from exaplan.domain.quarter import MONTHS_PER_QUARTER
from exaplan.economy.ruin import ruin_probability

STEP_MONTHS = 3.0
CLOSE_MONTHS = 0.5
"""Width of the interval at which the bisection ends."""


def delayed(world: World, months: float) -> World:
    """Return the same futures with demand late by ``months``: today's quarter stays, then the curve is that much behind.

    Demand in quarter t is the demand that stood at max(t - months / 3, 0), between quarters in equal ratios; where a
    quarter knows no demand, in equal steps. Everything else comes when it came.
    """
    demand = world.demand_tokens
    quarters = demand.shape[1]
    at = np.maximum(np.arange(quarters) - months / MONTHS_PER_QUARTER, 0.0)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, quarters - 1)
    part = (at - low)[:, None]
    before, after = demand[:, low], demand[:, high]
    positive = (before > 0) & (after > 0)
    ratio = np.divide(after, before, out=np.ones_like(before), where=positive)
    moved = np.where(positive, before * ratio**part, before + (after - before) * part)
    return replace(world, demand_tokens=moved)


@dataclass(frozen=True)
class Delay:
    """A plan under one delay of demand."""

    months: float
    p_ruin: float
    interval: tuple[float, float]
    least_median_cash_usd: float
    value_usd: float
    survived: bool


def judge_delay(lab: Lab, outcome: Outcome, months: float) -> Delay:
    """Say whether a delay is survived: P(ruin) within the owner's limit and median cash above the minimum throughout.

    Where the owner sets no limit, the median alone decides. A ruined path counts with no cash.
    """
    limit = lab.policy.ruin
    paired = len(outcome.value_usd) % 2 == 0
    within = limit.within_quarters if limit else None
    p_ruin, interval = ruin_probability(outcome.ruined_in, within, antithetic=paired)
    least = float(np.median(outcome.cash_usd, axis=0).min())
    kept = limit is None or p_ruin <= limit.probability
    survived = bool(kept and least >= lab.finance.cash_minimum_usd * (1 - 1e-9))
    return Delay(months, p_ruin, interval, least, float(outcome.value_usd.mean()), survived)


def longest_delay(
    lab: Lab, run: Callable[[float], Outcome], *, most_months: float
) -> tuple[float | None, tuple[Delay, ...]]:
    """Find the longest delay that is survived, in months, with every delay that was tried, shortest first.

    Tries 0, 3, 6 .. months up to the first that is not survived, then halves the last step. None where even demand on time
    is not survived; ``most_months`` where nothing up to it does harm.
    """
    tried = [judge_delay(lab, run(0.0), 0.0)]
    if not tried[0].survived:
        return None, tuple(tried)
    good, bad = 0.0, None
    while bad is None and good < most_months:
        months = min(good + STEP_MONTHS, most_months)
        tried.append(judge_delay(lab, run(months), months))
        if tried[-1].survived:
            good = months
        else:
            bad = months
    while bad is not None and bad - good > CLOSE_MONTHS:
        middle = (good + bad) / 2
        tried.append(judge_delay(lab, run(middle), middle))
        if tried[-1].survived:
            good = middle
        else:
            bad = middle
    return good, tuple(sorted(tried, key=lambda one: one.months))
