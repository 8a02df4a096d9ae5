"""From the paths of a race to its answers: lags, parity, leads, leaps, ruin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exaplan.domain.race_result import CAUSES, Catch, Race, RaceAnswer, Share, Spread, Standing
from exaplan.economy.lags import Lag, first_month, months_behind, months_until
from exaplan.economy.ruin import wilson_interval

QUARTERS_AFTER_LEAP = 4
"""Within how many quarters of its own leap becoming first counts as a leapfrog."""
FEWEST = 30
"""Paths below which no median is told."""


def answer_of(race: Race, as_of: str, catches: Sequence[Catch] = ()) -> RaceAnswer:
    """Sum up a race."""
    kept = 1 - np.log(race.price[:, -1]) / np.log(race.cost[:, -1])
    return RaceAnswer(
        race=race.race,
        as_of=as_of,
        seed=race.seed,
        paths=race.paths,
        quarters=race.quarters,
        forced=race.forced,
        compute=standings(race, race.compute, race.past_compute),
        capability=standings(race, race.capability, race.past_capability, relative=True),
        ruin=tuple(share_of(race.ruined[:, lab, -1]) for lab in range(len(race.labs))),
        leapfrog=tuple(share_of(hits) for hits in leapfrogs(race).T),
        revenue_usd=tuple(spreads(race.revenue_usd[:, lab]) for lab in range(len(race.labs))),
        price=spreads(race.price),
        margin_kept=float(np.median(kept)),
        catches=tuple(catches),
    )


def standings(
    race: Race, levels: np.ndarray, past: np.ndarray, *, relative: bool = False
) -> tuple[Standing, ...]:
    """Say where every lab stands in one measure; ``levels`` [path, lab, quarter], ``past`` [lab, past].

    ``relative`` tells levels over the best of their quarter.
    """
    told = levels / levels.max(axis=1, keepdims=True) if relative else levels
    others, behind = lags(race, levels, past)
    first = months_until(race.months, levels, others, places=(0,))
    parity = np.logical_or.accumulate(levels >= others, axis=-1)
    return tuple(
        Standing(
            lab=name,
            lag_now=float(behind.months[0, lab, 0]),
            lag_now_censored=bool(behind.censored[0, lab, 0]),
            lag=spreads(behind.months[:, lab]),
            until_parity_now=spread_of(first.months[:, lab, 0]),
            until_parity_censored=float(first.censored[:, lab, 0].mean()),
            parity=tuple(share_of(hits) for hits in parity[:, lab].T),
            lead=tuple(share_of(hits) for hits in (levels > others)[:, lab].T),
            level=spreads(told[:, lab]),
        )
        for lab, name in enumerate(race.labs)
    )


def lags(race: Race, levels: np.ndarray, past: np.ndarray) -> tuple[np.ndarray, Lag]:
    """Return the best of all others and the months behind it, both [path, lab, quarter]."""
    others = best_of_others(levels)
    before = np.broadcast_to(best_of_others(past[None]), (levels.shape[0], *past.shape))
    months = race.months
    found = months_behind(
        months,
        levels,
        leader_months=np.concatenate([race.past_months, months]),
        leader=np.concatenate([before, others], axis=-1),
    )
    return others, found


def best_of_others(levels: np.ndarray) -> np.ndarray:
    """For every lab the largest level among all others, [path, lab, quarter].

    Examples
    --------
    >>> best_of_others(np.array([[[3.0], [2.0], [1.0]]])).ravel().tolist()
    [2.0, 3.0, 3.0]
    """
    two = np.partition(levels, -2, axis=1)
    best, second = two[:, -1:], two[:, -2:-1]
    return np.where(levels >= best, second, best)


def leapfrogs(race: Race) -> np.ndarray:
    """Mark labs that become first in capability within a year of a leap of their own, not having been first, [path, lab]."""
    first = race.capability > best_of_others(race.capability)
    passes = first[:, :, 1:] & ~first[:, :, :-1]
    counted = np.cumsum(race.leapt, axis=-1)
    window = counted.copy()
    window[:, :, QUARTERS_AFTER_LEAP:] -= counted[:, :, :-QUARTERS_AFTER_LEAP]
    return np.asarray((passes & (window[:, :, 1:] > 0)).any(axis=-1))


def months_to_parity(race: Race, levels: np.ndarray) -> np.ndarray:
    """Months until a lab first is level with the best of all others, infinite where it never is, [path, lab]."""
    return first_month(race.months, levels >= best_of_others(levels))


def catches_of(base: Race, relaxed: Race, lab: int, cause: str) -> Catch:
    """Compare a race with the same race in which ``cause`` no longer limits ``lab``, path by path."""
    recipes = cause == "recipes"
    before, after = (
        months_to_parity(race, race.capability if recipes else race.compute)[:, lab]
        for race in (base, relaxed)
    )
    change = np.isfinite(after).astype(float) - np.isfinite(before)
    half = 1.959964 * change.std(ddof=1) / np.sqrt(len(change)) if len(change) > 1 else np.inf
    both = np.isfinite(before) & np.isfinite(after)
    return Catch(
        lab=base.labs[lab],
        cause=cause,
        parity=share_of(np.isfinite(after)),
        gain=float(change.mean()),
        gain_low=float(change.mean() - half),
        gain_high=float(change.mean() + half),
        months_sooner=float(np.median(before[both] - after[both])) if both.sum() >= FEWEST else float("nan"),
        binding=float("nan") if recipes else float((base.binding[:, lab] == CAUSES.index(cause)).mean()),
    )


def share_of(hits: np.ndarray) -> Share:
    """Count a share of paths with its 95 % Wilson interval."""
    low, high = wilson_interval(int(np.count_nonzero(hits)), len(hits))
    return Share(float(np.mean(hits)), low, high)


def spread_of(values: np.ndarray) -> Spread:
    """Return the 10th, 50th and 90th percentile over paths; infinite values are the largest."""
    found = np.quantile(values, [0.1, 0.5, 0.9], method="inverted_cdf")
    return Spread(*(float(value) for value in found))


def spreads(values: np.ndarray) -> tuple[Spread, ...]:
    """Return the spread at each quarter; ``values`` is [path, quarter]."""
    found = np.quantile(values, [0.1, 0.5, 0.9], axis=0, method="inverted_cdf")
    return tuple(Spread(*(float(value) for value in column)) for column in found.T)
