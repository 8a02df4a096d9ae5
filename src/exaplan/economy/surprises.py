"""Processes of news that strikes once or stays: demand that comes later, renewals, new shapes of models.

Pure functions of standard normal draws, vectorised over paths.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from exaplan.domain.quarter import MONTHS_PER_QUARTER
from exaplan.domain.uncertain import Uncertain, normal_cdf
from exaplan.economy.processes import failed_quarters


def delay_quarters(months: Uncertain, chance: float, trend: np.ndarray) -> np.ndarray:
    """Draw by how many quarters demand is late [path]: zero with 1 - chance, else ``months``; a high draw is a long delay."""
    if chance >= 1:
        return np.asarray(months.at(trend) / MONTHS_PER_QUARTER)
    late = (normal_cdf(trend) - (1 - chance)) / chance
    inverse = NormalDist().inv_cdf
    draw = np.array([inverse(min(max(p, 1e-12), 1 - 1e-12)) for p in late.tolist()])
    return np.where(late > 0, months.at(draw) / MONTHS_PER_QUARTER, 0.0)


def later(curve: np.ndarray, quarters: np.ndarray) -> np.ndarray:
    """Let a curve [path, quarter] come ``quarters`` [path] later: D(t - d), between quarters linear in the logarithm.

    Before the first quarter the curve stands where it stands then. Between a quarter of nothing and one of something
    there is nothing.

    Examples
    --------
    >>> later(np.array([[1.0, 4.0, 16.0]]), np.array([0.5]))
    array([[1., 2., 8.]])
    """
    at = np.clip(np.arange(curve.shape[1]) - quarters[:, None], 0.0, None)
    before = np.floor(at).astype(np.int64)
    part = at - before
    after = np.minimum(before + 1, curve.shape[1] - 1)
    low, high = np.take_along_axis(curve, before, axis=1), np.take_along_axis(curve, after, axis=1)
    tiny = np.finfo(float).tiny
    logs = (1 - part) * np.log(np.maximum(low, tiny)) + part * np.log(np.maximum(high, tiny))
    something = (low > 0) & ((high > 0) | (part == 0))
    exact = part == 0
    return np.where(exact, low, np.where(something, np.exp(logs), 0.0))


def shifted_rate(
    chance_per_year: float, factor: Uncertain, level: np.ndarray, news: np.ndarray
) -> np.ndarray:
    """Rate on new models over today's: 1 until the shift comes, then one drawn factor for good, [path, quarter]."""
    come = failed_quarters(chance_per_year, news)
    return np.where(come > 0, factor.at(level)[:, None], 1.0)


def renewal_jump(jump: Uncertain, news: np.ndarray) -> np.ndarray:
    """Factor on the price of what is renewed in a quarter, [path, quarter]; 1 in the first one."""
    factor = jump.at(news)
    factor[:, 0] = 1.0
    return np.asarray(factor)
