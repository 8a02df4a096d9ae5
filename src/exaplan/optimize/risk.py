"""Risk measures as a reweighting of probabilities: the mean under weights that lean towards the bad outcomes.

A coherent risk measure is the worst mean over a set of probability weights (Artzner, Delbaen, Eber and Heath (1999),
doi 10.1111/1467-9965.00068). Losses are bad when high; turn cash into a loss by its sign.
"""

from __future__ import annotations

import numpy as np


def expectation(losses: np.ndarray, probability: np.ndarray) -> float:
    """Mean loss: ``losses`` and ``probability`` run over scenarios.

    Examples
    --------
    >>> expectation(np.array([0.0, 10.0]), np.array([0.9, 0.1]))
    1.0
    """
    check_probability(losses, probability)
    return float(losses @ probability)


def cvar(losses: np.ndarray, probability: np.ndarray, level: float) -> float:
    """Mean loss over the worst ``1 - level`` of probability (the upper tail of losses).

    Level 0 is the mean, level 1 the worst loss of positive probability. Rockafellar and Uryasev (2002), Conditional
    value-at-risk for general loss distributions, doi 10.1016/S0378-4266(02)00271-6, proposition 8.

    Raises
    ------
    ValueError
        If ``level`` is outside 0..1 or the probabilities are no distribution over the losses.

    Examples
    --------
    Four equal outcomes: the worst half averages 3.5, the worst 3/8 takes a third of its weight from the second worst.

    >>> losses, quarter = np.array([1.0, 2.0, 3.0, 4.0]), np.full(4, 0.25)
    >>> cvar(losses, quarter, 0.5)
    3.5
    >>> round(cvar(losses, quarter, 0.625), 9) == round(4 * 2 / 3 + 3 * 1 / 3, 9)
    True
    """
    return float(losses @ cvar_weights(losses, probability, level))


def cvar_weights(losses: np.ndarray, probability: np.ndarray, level: float) -> np.ndarray:
    """Weights over scenarios, summing to 1 and none above ``probability / (1 - level)``, that make the mean worst.

    Scenarios of equal loss share their weight in proportion to their probability, so the weights do not depend on
    the order of the scenarios.

    Raises
    ------
    ValueError
        As :func:`cvar`.

    Examples
    --------
    >>> cvar_weights(np.array([5.0, 1.0, 3.0]), np.array([0.25, 0.25, 0.5]), 0.5)
    array([0.5, 0. , 0.5])
    """
    check_probability(losses, probability)
    if not 0.0 <= level <= 1.0:
        raise ValueError(f"cvar: level {level} is outside 0..1")
    possible = probability > 0.0
    if level == 1.0:
        worst = possible & (losses == losses[possible].max())
        return np.asarray(np.where(worst, probability, 0.0) / probability[worst].sum())
    distinct, group = np.unique(-losses, return_inverse=True)
    mass = np.bincount(group, probability, minlength=len(distinct))
    before = np.cumsum(mass) - mass
    taken = np.clip(1.0 - level - before, 0.0, mass)
    share = np.divide(taken, mass, out=np.zeros_like(mass), where=mass > 0.0)
    weights = probability * share[group]
    return np.asarray(weights / weights.sum())


def check_probability(losses: np.ndarray, probability: np.ndarray) -> None:
    """Refuse anything but one probability per loss, none below zero, with sum 1."""
    if losses.shape != probability.shape or losses.ndim != 1 or not len(losses):
        raise ValueError(
            f"risk: losses of shape {losses.shape} and probability {probability.shape}; need [scenario]"
        )
    if not np.isfinite(losses).all():
        raise ValueError(f"risk: loss {int(np.argmin(np.isfinite(losses)))} is NaN or infinite")
    if not (probability >= 0.0).all() or abs(float(probability.sum()) - 1.0) > 1e-9:
        raise ValueError(
            f"risk: probabilities must be >= 0 and sum to 1; they sum to {float(probability.sum())}"
        )
