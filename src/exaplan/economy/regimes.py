"""Markov chains that switch at yearly rates, and the rental index that returns to the level of its regime.

A chain is given by its generator: rates per year off the diagonal, rows that add up to zero. Arrays are [path, quarter].
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from exaplan.domain.futures_input import CapitalWindow
from exaplan.domain.rental import RentalMarket
from exaplan.economy.processes import QUARTERS_PER_YEAR, compound, years_of_variance

STEP = 1 / QUARTERS_PER_YEAR
CLOSED, OPEN = 0, 1


def generator(rental: RentalMarket) -> np.ndarray:
    """Switching rates of the market's regimes, per year [from, to]."""
    names = [regime.id for regime in rental.regimes]
    rates = np.zeros((len(names), len(names)))
    for number, regime in enumerate(rental.regimes):
        for switch in regime.switches:
            rates[number, names.index(switch.to)] = switch.rate
        rates[number, number] = -rates[number].sum()
    return rates


def window_generator(window: CapitalWindow) -> np.ndarray:
    """Switching rates of a capital window between closed and open, per year [from, to]."""
    return np.array([[-window.reopens, window.reopens], [window.closes, -window.closes]])


def transition(rates: np.ndarray, years: float = STEP) -> np.ndarray:
    """Chances of being in each regime ``years`` later, exp(Q t) [from, to], by scaling and squaring.

    Examples
    --------
    >>> transition(np.array([[-1.0, 1.0], [0.0, 0.0]]), 1.0).round(4)
    array([[0.3679, 0.6321],
           [0.    , 1.    ]])
    """
    halvings = max(0, int(np.ceil(np.log2(max(np.abs(rates).max() * years, 1e-9)))) + 4)
    small = rates * (years / 2**halvings)
    term = chance = np.eye(len(rates))
    for order in range(1, 13):
        term = term @ small / order
        chance = chance + term
    for _ in range(halvings):
        chance = chance @ chance
    chance = np.clip(chance, 0.0, None)
    return np.asarray(chance / chance.sum(axis=1, keepdims=True))


def stationary(rates: np.ndarray) -> np.ndarray:
    """Share of time in each regime in the long run [regime]: pi Q = 0 (least squares where it is not unique)."""
    size = len(rates)
    rows = np.vstack([rates.T, np.ones(size)])
    share = np.linalg.lstsq(rows, np.append(np.zeros(size), 1.0), rcond=None)[0]
    return np.asarray(np.clip(share, 0.0, None) / np.clip(share, 0.0, None).sum())


def walk(rates: np.ndarray, start: int, news: np.ndarray) -> np.ndarray:
    """Follow a chain from ``start`` in the first quarter, int [path, quarter].

    ``news`` [path, quarter] is standard normal; a high draw leads to a regime that stands late in the list, so that a chain
    of ascending regimes can be correlated with other news.
    """
    inverse = NormalDist().inv_cdf
    ends = np.cumsum(transition(rates), axis=1)[:, :-1]
    edge = np.array(
        [[inverse(p) if 0 < p < 1 else np.copysign(np.inf, p - 0.5) for p in row] for row in ends]
    )
    found = np.full(news.shape, start, dtype=np.int64)
    for quarter in range(1, news.shape[1]):
        found[:, quarter] = (news[:, quarter, None] > edge[found[:, quarter - 1]]).sum(axis=1)
    return found


def regime_index(
    rental: RentalMarket, *, drift: np.ndarray, regime: np.ndarray, news: np.ndarray
) -> np.ndarray:
    """Move the rental index where the market switches between regimes, 1 in the first quarter, [path, quarter].

    As :func:`exaplan.economy.processes.rental_index`, but the deviation returns to the logarithm of its regime's level L:
    d' = d exp(-k h) + (1 - exp(-k h)) ln L[r'] + s sqrt((1 - exp(-2 k h)) / (2 k)) e, with r' the regime of the new
    quarter (Markov-switching mean: Hamilton, Econometrica 57 (1989) 357). The volatility does not move the mean.

    Parameters
    ----------
    drift
        [path] per year.
    regime
        [path, quarter] int, from :func:`walk`.
    news
        [path, quarter] standard normal.
    """
    quarters = news.shape[1]
    level = np.log([each.level for each in rental.regimes])
    kept = np.exp(-rental.reversion * STEP)
    spread = rental.volatility * np.sqrt(years_of_variance(rental.reversion, STEP))
    deviation = np.empty(news.shape)
    deviation[:, 0] = np.log(rental.start)
    for quarter in range(1, quarters):
        pulled = kept * deviation[:, quarter - 1] + (1 - kept) * level[regime[:, quarter]]
        deviation[:, quarter] = pulled + spread * news[:, quarter]
    variance = rental.volatility**2 * years_of_variance(rental.reversion, np.arange(quarters) * STEP)
    return np.asarray(compound(drift, quarters) / rental.start * np.exp(deviation - variance / 2))


def expected_index(rental: RentalMarket, quarters: int) -> np.ndarray:
    """Expect the rental index against a market without drift, exact [quarter].

    E exp(sum_u (1 - a) a^(t-u) ln L[r_u]) is a product of matrices: the chances of a step, times the weighted levels.
    """
    kept = np.exp(-rental.reversion * STEP)
    mean = rental.start ** (kept ** np.arange(quarters) - 1)
    if not rental.regimes:
        return np.asarray(mean)
    level = np.log([each.level for each in rental.regimes])
    step = transition(generator(rental))
    for quarter in range(1, quarters):
        row = np.eye(len(level))[rental.first_regime]
        for back in range(quarter - 1, -1, -1):
            row = (row @ step) * np.exp((1 - kept) * kept**back * level)
        mean[quarter] *= row.sum()
    return np.asarray(mean)
