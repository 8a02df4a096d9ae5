"""Reinforcement learning as a sigmoid in log compute, fitted to one's own points, and where more stops paying.

    R(C) = R0 + (A - R0) / (1 + (C_mid / C)^B)

(Khatri et al., 'ScaleRL', arXiv 2510.13786). A is the ceiling of a recipe, 0.61 for theirs on its validation set; B and
C_mid belong to model, task and recipe and must be fitted. Compute in any unit, as long as it is one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from exaplan.capability.fitting import Fit, least_squares
from exaplan.capability.forms import Array, Number

SCALE_RL_CEILING = 0.61
"""Pass rate on the authors' validation set; arXiv 2510.13786."""
_GRID = 4000
_LOG_SPAN = 14.0  # e-foldings of compute searched on either side of the midpoint


@dataclass(frozen=True)
class Sigmoid:
    """Reward against compute; numbers, or arrays over draws [draw, 1]."""

    start: Number  # R0
    ceiling: Number  # A
    exponent: Number  # B
    midpoint: Number  # C_mid, compute at which half of the gain is made

    def reward(self, compute: Number) -> Array:
        """R(C).

        Examples
        --------
        >>> float(Sigmoid(0.2, 0.6, 1.5, 1e22).reward(1e22))
        0.4
        """
        ratio = (np.asarray(self.midpoint) / np.asarray(compute, dtype=float)) ** self.exponent
        return np.asarray(self.start + (np.asarray(self.ceiling) - self.start) / (1 + ratio))

    def slope(self, compute: Number) -> Array:
        """dR/dC, per unit of compute."""
        done = (self.reward(compute) - self.start) / (np.asarray(self.ceiling) - self.start)
        gain = np.asarray(self.ceiling) - self.start
        return np.asarray(gain * done * (1 - done) * self.exponent / np.asarray(compute, dtype=float))

    def compute_for(self, reward: Number) -> Array:
        """Compute that reaches a reward; infinite at the ceiling or above, 0 at the start or below."""
        share = (np.asarray(reward, dtype=float) - self.start) / (np.asarray(self.ceiling) - self.start)
        inside = np.clip(share, 1e-300, 1 - 1e-16)
        needed = np.asarray(self.midpoint) * (inside / (1 - inside)) ** (1 / np.asarray(self.exponent))
        return np.where(share >= 1, np.inf, np.where(share <= 0, 0.0, needed))


def stops_paying(curve: Sigmoid, value: Number, usd_per_compute: Number, *, spent: Number = 0.0) -> Array:
    """Compute at which the gain less its cost is largest: beyond it a unit costs more than it brings.

    At an optimum inside, value x R'(C) = price on the falling side of R'. Below the steep part a sigmoid can lose money at
    first and win later, so the maximum is searched over the whole range, not by the first crossing.

    Parameters
    ----------
    curve : Sigmoid
        Of numbers or draws [draw, 1].
    value : array or float
        USD that a reward of 1 instead of 0 is worth, linear in between.
    usd_per_compute : array or float
        Price of a unit of compute.
    spent : float
        Compute already done; the answer is never less, and equal to it where more does not pay.

    Returns
    -------
    array
        Total compute, in the shape of the draws without the trailing axis.
    """
    steps = np.linspace(-_LOG_SPAN, _LOG_SPAN, _GRID)
    middle = np.asarray(curve.midpoint, dtype=float).reshape(-1, 1)
    grid = middle * np.exp(steps)
    floor = np.maximum(np.asarray(spent, dtype=float), 0.0)
    grid = np.concatenate([np.full((grid.shape[0], 1), floor), np.maximum(grid, floor)], axis=1)
    with np.errstate(divide="ignore"):
        worth = np.asarray(value) * curve.reward(grid) - np.asarray(usd_per_compute) * grid
    best = grid[np.arange(grid.shape[0]), worth.argmax(axis=1)]
    return np.asarray(best if np.ndim(curve.midpoint) else best[0])


@dataclass(frozen=True)
class FittedSigmoid:
    """A curve, how sure its parameters are, and curves drawn from that."""

    curve: Sigmoid
    fit: Fit  # of (R0, A, ln B, ln C_mid), or without R0 where it was given
    start_given: bool

    def drawn(self, generator: np.random.Generator, draws: int) -> Sigmoid:
        """Curves drawn from the covariance of the fit, arrays [draw, 1]."""
        values = self.fit.drawn(generator, draws)
        start = np.full(draws, float(self.curve.start)) if self.start_given else values[:, 0]
        ceiling, log_exponent, log_middle = values[:, -3], values[:, -2], values[:, -1]
        columns = (start, ceiling, np.exp(log_exponent), np.exp(np.clip(log_middle, -700, 700)))
        return Sigmoid(*(column[:, None] for column in columns))


def fit_sigmoid(
    compute: Array, reward: Array, *, sd: Array | None = None, start: float | None = None
) -> FittedSigmoid:
    """Fit the sigmoid to points by least squares, weighted where their errors are known.

    Parameters
    ----------
    compute, reward : array, shape [point]
        Compute so far and reward on a held-out set.
    sd : array, optional
        Standard error of each reward; then this is the maximum of the normal likelihood.
    start : float, optional
        R0 where it is known from an evaluation before any training; else it is fitted too.

    Raises
    ------
    ValueError
        For too few points, or points from which ceiling and midpoint cannot be told apart.
    """
    scale = np.ones_like(reward) if sd is None else np.asarray(sd, dtype=float)
    log_compute = np.log(compute)

    def residuals(at: Array) -> Array:
        first = start if start is not None else at[0]
        exponent, middle = np.exp(np.clip(at[-2], -5, 5)), at[-1]
        done = 1 / (1 + np.exp(np.clip(exponent * (middle - log_compute), -500, 500)))
        return np.asarray((first + (at[-3] - first) * done - reward) / scale)

    low, high = float(reward.min()), float(reward.max())
    span = max(high - low, 1e-6)
    found = []
    for top in (0.05, 0.5):
        for place in (0.3, 0.6):
            rest = [high + top * span, 0.0, float(np.quantile(log_compute, place))]
            guess = rest if start is not None else [low - 0.05 * span, *rest]
            found.append(least_squares_or_none(residuals, guess, known_spread=sd is not None))
    fits = [one for one in found if one is not None]
    if not fits:
        raise ValueError(
            "the points do not tell ceiling and midpoint apart: train on, or give the start (R0)"
        )
    fit = min(fits, key=lambda one: float(np.sum(residuals(one.parameters) ** 2)))
    at = fit.parameters
    first = start if start is not None else float(at[0])
    curve = Sigmoid(first, float(at[-3]), float(np.exp(at[-2])), float(np.exp(at[-1])))
    return FittedSigmoid(curve, fit, start is not None)


def least_squares_or_none(
    residuals: Callable[[Array], Array], guess: list[float], *, known_spread: bool
) -> Fit | None:
    """One start of the fit; None where it ends at parameters that the points do not tell apart."""
    try:
        return least_squares(residuals, np.array(guess), known_spread=known_spread)
    except ValueError as error:
        if "at least" in str(error):
            raise
        return None
