"""Policies on the same futures: differences, regret, and which of them wins beyond doubt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from exaplan.domain.lab import Lab
from exaplan.domain.outcome import Outcome
from exaplan.domain.simulated import (
    FloorBreach,
    LostSales,
    PolicyKind,
    PolicyRow,
    Quantile,
    RuinYear,
    ValueBin,
)
from exaplan.economy.ruin import mean_interval, ruin_probability, share_interval

SHARES = (0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99)
BINS = 24
MISSED = 1e-6
"""Amount of a floor, in LP units, below which it counts as kept: the solver's rounding."""


@dataclass(frozen=True)
class Played:
    """A policy and its outcome on the common futures."""

    name: str
    kind: PolicyKind
    setting: str
    outcome: Outcome


def policy_rows(lab: Lab, played: Sequence[Played]) -> tuple[PolicyRow, ...]:
    """Compare policies with the first of them, the plan, on the same futures."""
    values = np.stack([one.outcome.value_usd for one in played])
    best = values.max(axis=0)
    paired = values.shape[1] % 2 == 0 and values.shape[1] > 2
    limit = lab.policy.ruin
    within = limit.within_quarters if limit else None
    rows = []
    for number, one in enumerate(played):
        value, *value_ci = mean_interval(values[number], antithetic=paired)
        gain, *gain_ci = mean_interval(values[number] - values[0], antithetic=paired)
        regret, *regret_ci = mean_interval(best - values[number], antithetic=paired)
        p_ruin, p_ci = ruin_probability(one.outcome.ruined_in, within, antithetic=paired)
        at_best = values[number] >= best - 1e-6 * np.maximum(np.abs(best), 1.0)
        rows.append(
            PolicyRow(
                name=one.name,
                kind=one.kind,
                setting=one.setting,
                value=value,
                value_ci=(value_ci[0], value_ci[1]),
                p_ruin=p_ruin,
                p_ruin_ci=p_ci,
                gain=gain,
                gain_ci=(gain_ci[0], gain_ci[1]),
                regret_mean=regret,
                regret_mean_ci=(regret_ci[0], regret_ci[1]),
                regret_max=float((best - values[number]).max()),
                best_share=float(at_best.mean()),
                best_share_ci=share_interval(at_best),
                within_limit=None if limit is None else p_ruin <= limit.probability,
            )
        )
    return tuple(rows)


def winner_of(played: Sequence[Played], rows: Sequence[PolicyRow]) -> tuple[str | None, str | None]:
    """Name the policy that wins, and the nearest one that is not clearly worse (None: all of them are).

    Candidates are the policies that keep the owner's limit on P(ruin), or all where none does. The one of most value wins
    where the intervals of its advantage over every other candidate lie above zero; else there is no winner, and the
    runner-up is the candidate it cannot be told from.
    """
    keeping = [place for place, row in enumerate(rows) if row.within_limit is not False]
    candidates = keeping or list(range(len(rows)))
    leader = max(candidates, key=lambda place: rows[place].value)
    paired = len(played[0].outcome.value_usd) % 2 == 0
    doubtful = []
    for place in candidates:
        difference = played[leader].outcome.value_usd - played[place].outcome.value_usd
        if place != leader and mean_interval(difference, antithetic=paired)[1] <= 0:
            doubtful.append(place)
    if not doubtful:
        return rows[leader].name, None
    near = max(doubtful, key=lambda place: rows[place].value)
    return None, f"{rows[leader].name} and {rows[near].name}"


def ruin_by_year(lab: Lab, outcome: Outcome) -> tuple[RuinYear, ...]:
    """P(ruin) up to the end of each year of the horizon."""
    quarters = lab.horizon.quarters
    paired = len(outcome.value_usd) % 2 == 0
    rows = []
    for year, end in enumerate(range(4, quarters + 4, 4), 1):
        last = min(end, quarters)
        p_ruin, (low, high) = ruin_probability(outcome.ruined_in, last, antithetic=paired)
        rows.append(RuinYear(year, str(lab.horizon.first + (last - 1)), p_ruin, low, high))
    return tuple(rows)


def quantiles(values: np.ndarray, shares: Sequence[float] = SHARES) -> tuple[Quantile, ...]:
    """Quantiles of values [path] with 95 % intervals from order statistics (normal approximation of the binomial)."""
    ordered, count = np.sort(values), len(values)
    z = NormalDist().inv_cdf(0.975)
    rows = []
    for share in shares:
        half = z * math.sqrt(count * share * (1 - share))
        low = int(np.clip(np.floor(count * share - half), 0, count - 1))
        high = int(np.clip(np.ceil(count * share + half), 0, count - 1))
        middle = float(np.quantile(ordered, share))
        rows.append(Quantile(share, middle, float(ordered[low]), float(ordered[high])))
    return tuple(rows)


def histogram(outcome: Outcome, bins: int = BINS) -> tuple[ValueBin, ...]:
    """Share of futures by value, and how many of them end in ruin."""
    values = outcome.value_usd
    if float(np.ptp(values)) <= 0:
        return (ValueBin(float(values[0]), float(values[0]), 1.0, float((outcome.ruined_in >= 0).mean())),)
    edges = np.histogram_bin_edges(values, bins=bins)
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins) / len(values)
    ruined = np.bincount(place, outcome.ruined_in >= 0, minlength=bins) / len(values)
    return tuple(
        ValueBin(float(edges[k]), float(edges[k + 1]), float(count[k]), float(ruined[k])) for k in range(bins)
    )


def lost_sales(lab: Lab, outcome: Outcome, price_usd: np.ndarray) -> tuple[LostSales, ...]:
    """Lost sales by workload; ``price_usd`` [path, quarter, serve] is what a token earns on each path."""
    paired = len(outcome.value_usd) % 2 == 0
    away = np.minimum(outcome.lost_tokens, outcome.demand_tokens)
    turned = np.maximum(outcome.demand_tokens - away - outcome.served_tokens, 0.0)
    rows = []
    for number, workload in enumerate(lab.serve):
        wanted = outcome.demand_tokens[:, :, number].sum(axis=1)
        share = np.divide(
            turned[:, :, number].sum(axis=1), wanted, out=np.zeros_like(wanted), where=wanted > 0
        )
        stayed = np.divide(
            away[:, :, number].sum(axis=1), wanted, out=np.zeros_like(wanted), where=wanted > 0
        )
        mean, low, high = mean_interval(share, antithetic=paired)
        lost = ((turned + away) * price_usd)[:, :, number].sum(axis=1)
        worth, worth_low, worth_high = mean_interval(lost, antithetic=paired)
        rows.append(
            LostSales(
                workload.id,
                mean,
                max(low, 0.0),
                high,
                float(stayed.mean()),
                worth,
                max(worth_low, 0.0),
                worth_high,
            )
        )
    return tuple(rows)


def floor_breaches(lab: Lab, outcome: Outcome) -> tuple[FloorBreach, ...]:
    """Share of futures that miss the development floor in each quarter; ruined labs no longer count as missing it."""
    rows = []
    for t in range(outcome.short.shape[1]):
        missed = outcome.short[:, t] > MISSED
        low, high = share_interval(missed)
        amount = float(outcome.short[missed, t].mean()) if missed.any() else 0.0
        rows.append(FloorBreach(str(lab.horizon.first + t), float(missed.mean()), low, high, amount))
    return tuple(rows)
