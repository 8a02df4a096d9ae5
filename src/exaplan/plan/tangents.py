"""Concave curves as the lower envelope of lines, so that a linear program can maximise them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Tangents:
    """Lines ``intercept + slope * x``; the curve is their minimum."""

    intercept: np.ndarray  # [line]
    slope: np.ndarray  # [line]

    def at(self, x: np.ndarray) -> np.ndarray:
        """Evaluate the envelope at ``x`` of any shape.

        Examples
        --------
        >>> Tangents(np.array([0.0, 1.0]), np.array([2.0, 0.5])).at(np.array([0.5, 2.0]))
        array([1., 2.])
        """
        return np.asarray((self.intercept + self.slope * np.asarray(x)[..., None]).min(axis=-1))


def knee_of(sensitivity: float) -> float:
    """Capability ratio z0 = exp(1 - 1/s) below which demand 1 + s ln z goes on as a line through the origin.

    Examples
    --------
    >>> round(1 + 0.5 * math.log(knee_of(0.5)), 9)
    0.5
    """
    return math.exp(1 - 1 / sensitivity) if sensitivity > 0 else 0.0


def standing_of(ratio: np.ndarray, sensitivity: float, highest: float) -> np.ndarray:
    """Logarithm of the capability ratio, elementwise: linear below the knee of ``sensitivity``, capped at ``highest``.

    With it demand 1 + s * standing is concave in the ratio and never negative, for every s up to ``sensitivity``.
    """
    knee = knee_of(sensitivity)
    capped = np.minimum(ratio, highest)
    return np.asarray(
        np.where(capped >= knee, np.log(np.maximum(capped, knee)), math.log(knee) - 1 + capped / knee)
    )


def power_tangents(
    exponent: float, lowest: float = 0.25, highest: float = 100.0, ratio: float = 1.8
) -> Tangents:
    """Draw r**exponent by tangents, and by its chord through the origin below ``lowest``."""
    if exponent == 1.0:
        return Tangents(np.zeros(1), np.ones(1))
    steps = math.ceil(math.log(highest / lowest) / math.log(ratio))
    points = np.unique(np.append(lowest * (highest / lowest) ** (np.arange(steps + 1) / steps), 1.0))
    slope = exponent * points ** (exponent - 1)
    intercept = (1 - exponent) * points**exponent
    return Tangents(np.append(0.0, intercept), np.append(lowest ** (exponent - 1), slope))


def mix_planes(share: float, points: int = 15) -> np.ndarray:
    """Draw E^s F^(1-s) / (s^s (1-s)^(1-s)) by its tangent planes through the origin, slopes [plane, (E, F)].

    Cobb and Douglas (1928), scaled so that a unit counts in full where E / (E + F) = ``share``. Concave and of degree
    one, so the lower envelope of the planes is its outer approximation; one of them touches at ``share``.

    Examples
    --------
    >>> planes = mix_planes(0.5)
    >>> round(float((planes @ [3.0, 3.0]).min()), 9), bool((planes @ [1.0, 9.0]).min() < 7)
    (6.0, True)
    """
    odds = np.log(share / (1 - share)) + np.linspace(-4.0, 4.0, points)
    at = 1 / (1 + np.exp(-odds))  # E / (E + F) where the plane touches
    scale = share**share * (1 - share) ** (1 - share)
    experiments = share * (at / (1 - at)) ** (share - 1) / scale
    final = (1 - share) * (at / (1 - at)) ** share / scale
    return np.column_stack([experiments, final])
