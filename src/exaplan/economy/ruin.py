"""What sampled paths say about ruin and about means, with the error of the sampling."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from exaplan.domain.errors import InputError, Problem


def ruin_probability(
    first_ruin_quarter: np.ndarray,
    within: int | None = None,
    *,
    confidence: float = 0.95,
    antithetic: bool = False,
) -> tuple[float, tuple[float, float]]:
    """Estimate P(ruin) with its Wilson score interval.

    Antithetic pairs leave the estimate unbiased; where bad draws are bad throughout, one of a pair is seldom ruined
    with the other, and the plain interval is wider than need be: with ``antithetic`` it is :func:`share_interval`.

    Parameters
    ----------
    first_ruin_quarter
        [path] int: the quarter, counted from 0, in which cash first fell short; negative for never.
    within
        Count ruin in the quarters 0 .. within - 1 only; None counts all.

    Raises
    ------
    InputError
        No paths.

    Examples
    --------
    >>> ruin_probability(np.array([-1, 3, -1, 9]), within=8)[0]
    0.25
    """
    quarter = np.asarray(first_ruin_quarter)
    ruined = (quarter >= 0) & ((quarter < within) if within is not None else True)
    _some(ruined.size)
    if antithetic:
        return float(ruined.mean()), share_interval(ruined, confidence=confidence)
    return float(ruined.mean()), wilson_interval(int(ruined.sum()), ruined.size, confidence=confidence)


LEAST_EFFECT, MOST_EFFECT = 0.1, 2.0
"""Bounds of the variance of a share from pairs over that from independent paths: two is that of pairs that are equal."""


def share_interval(hit: np.ndarray, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return the score interval of a share from antithetic pairs ``hit`` [path] bool.

    Wilson's interval on the number of independent paths that would estimate the share as well: paths over the design
    effect, the variance of the share from pairs over p (1 - p) / n (Kish, Survey Sampling, 1965). Without a hit, or
    without a miss, or with an odd number of paths, it is the plain interval.
    """
    paths, hits = len(hit), int(np.asarray(hit, dtype=bool).sum())
    if paths % 2 or paths < 4 or hits in (0, paths):
        return wilson_interval(hits, paths, confidence=confidence)
    share = hits / paths
    pair = np.asarray(hit, dtype=float).reshape(-1, 2).mean(axis=1)
    effect = float(pair.var(ddof=1)) / (paths / 2) / (share * (1 - share) / paths)
    trials = paths / min(max(effect, LEAST_EFFECT), MOST_EFFECT)
    return wilson_interval(share * trials, trials, confidence=confidence)


def wilson_interval(hits: float, trials: float, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return the score interval of a probability from ``hits`` in ``trials``; honest at 0 and at 1.

    Wilson, J. Am. Stat. Assoc. 22 (1927) 209.

    Examples
    --------
    >>> [round(end, 4) for end in wilson_interval(0, 100)]
    [0.0, 0.037]
    """
    z = _two_sided(confidence)
    share = hits / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2))
    return (0.0 if hits == 0 else middle - half), (1.0 if hits == trials else middle + half)


def mean_interval(
    values: np.ndarray, *, antithetic: bool = False, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Mean of ``values`` [path] with its normal confidence interval, (mean, low, high).

    With ``antithetic`` the neighbours 2 i and 2 i + 1 are one observation, as
    :func:`exaplan.economy.sampling.sample_world` draws them; an odd last path stands alone. One observation has an
    infinite interval.

    Raises
    ------
    InputError
        No paths.
    """
    sample = np.asarray(values, dtype=float)
    _some(sample.size)
    mean = float(sample.mean())
    weight = np.ones(len(sample))
    if antithetic:
        even = len(sample) // 2 * 2
        sample = np.concatenate([sample[:even].reshape(-1, 2).mean(axis=1), sample[even:]])
        weight = np.concatenate([np.full(even // 2, 2.0), np.ones(len(values) - even)])
    count = len(sample)
    if count == 1:
        return mean, -math.inf, math.inf
    weight /= weight.sum()
    error = math.sqrt(float(weight**2 @ (sample - mean) ** 2) * count / (count - 1))
    half = _two_sided(confidence) * error
    return mean, mean - half, mean + half


def _two_sided(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _some(paths: int) -> None:
    if not paths:
        raise InputError(Problem("no simulated paths to count", suggestion="simulate at least one path"))
