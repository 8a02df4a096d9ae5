"""How each uncertain quantity moves through time, given its standard normal draws.

All functions are pure, vectorised over paths, start at a known first quarter, and return [path, quarter].
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

QUARTERS_PER_YEAR = 4


def compound(change: np.ndarray, quarters: int) -> np.ndarray:
    """Compound a yearly change [path] to a factor on the first quarter, (1 + g)^(t/4), [path, quarter].

    Examples
    --------
    >>> compound(np.array([0.21]), 3)[0].round(6).tolist()
    [1.0, 1.048809, 1.1]
    """
    years = np.arange(quarters) / QUARTERS_PER_YEAR
    return np.asarray((1.0 + np.asarray(change)[:, None]) ** years)


def wander(volatility: float, news: np.ndarray) -> np.ndarray:
    """Turn news [path, quarter] (standard normal) into a geometric Brownian factor with mean one.

    exp(s B_t - s^2 t / 2) with t in years and ``volatility`` s the yearly log standard deviation. The news of the
    first quarter is not used: B is 0 there. [path, quarter]
    """
    quarters = news.shape[1]
    steps = np.where(np.arange(quarters) > 0, news, 0.0) / np.sqrt(QUARTERS_PER_YEAR)
    years = np.arange(quarters) / QUARTERS_PER_YEAR
    return np.exp(volatility * np.cumsum(steps, axis=1) - volatility**2 * years / 2)


def rental_index(
    *, start: float, drift: np.ndarray, volatility: float, reversion: float, news: np.ndarray
) -> np.ndarray:
    """Move the rental market's scarcity index, 1 in the first quarter, [path, quarter].

    The index over its first value is m_t exp(d_t - Var d_t / 2). m_t = (1 + drift)^t / start is the long-run mean;
    d is an Ornstein-Uhlenbeck deviation from it, d_0 = ln(start), with the exact step
    d' = d exp(-k h) + s sqrt((1 - exp(-2 k h)) / (2 k)) e, h a quarter (one-factor model of Schwartz, J. Finance 52
    (1997) 923, around a moving mean). Hence E[index_t | drift] = (1 + drift)^t start^(exp(-k t) - 1): the volatility
    does not move the mean, and with k = 0 the market never returns.

    ``start`` is the index over its long-run mean today, ``drift`` [path] per year, ``volatility`` s a yearly log
    standard deviation, ``reversion`` k per year, ``news`` [path, quarter] standard normal.
    """
    paths, quarters = news.shape
    step = 1 / QUARTERS_PER_YEAR
    kept = np.exp(-reversion * step)
    spread = volatility * np.sqrt(years_of_variance(reversion, step))
    deviation = np.empty((paths, quarters))
    deviation[:, 0] = np.log(start)
    for quarter in range(1, quarters):
        deviation[:, quarter] = kept * deviation[:, quarter - 1] + spread * news[:, quarter]
    years = np.arange(quarters) * step
    variance = volatility**2 * years_of_variance(reversion, years)
    return np.asarray(compound(drift, quarters) / start * np.exp(deviation - variance / 2))


def years_of_variance(reversion: float, years: np.ndarray | float) -> np.ndarray:
    """Return (1 - exp(-2 k t)) / (2 k), the variance of a mean-reverting deviation per yearly variance; t at k = 0.

    Examples
    --------
    >>> float(years_of_variance(0.0, 2.0))
    2.0
    """
    years = np.asarray(years, dtype=float)
    return -np.expm1(-2 * reversion * years) / (2 * reversion) if reversion > 0 else years


def slip_quarters(probability: float, news: np.ndarray) -> np.ndarray:
    """Say by how many quarters (0, 1 or 2) what is due now is late, int [path, quarter].

    P(late) = p and P(two quarters late) = p^2; a high draw is a bad one. Nothing is late in the first quarter.
    ``news`` [path, quarter] is standard normal.
    """
    late = np.zeros(news.shape, dtype=np.int64)
    if probability > 0:
        for chance in (probability, probability**2):
            late += news > -NormalDist().inv_cdf(chance)
    late[:, 0] = 0
    return late


def failed_quarters(chance_per_year: float, news: np.ndarray) -> np.ndarray:
    """Mark the quarters from a supplier's failure on, int [path, quarter].

    Each quarter brings the failure with 1 - (1 - p)^(1/4), so that p is the chance within a year; a high draw is a bad
    one. Nobody fails in the first quarter. ``news`` [path, quarter] is standard normal.
    """
    struck = standstill_quarters(1 - (1 - chance_per_year) ** (1 / QUARTERS_PER_YEAR), news)
    return np.maximum.accumulate(struck, axis=1)


def standstill_quarters(probability: float, news: np.ndarray) -> np.ndarray:
    """Mark the quarters in which building stands still, int [path, quarter]; never the first one.

    ``news`` [path, quarter] is standard normal; a high draw is a bad one.
    """
    struck = np.zeros(news.shape, dtype=np.int64)
    if probability > 0:
        struck[news > -NormalDist().inv_cdf(probability)] = 1
    struck[:, 0] = 0
    return struck
