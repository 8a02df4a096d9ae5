"""Uncertain numbers: what ``a to b`` and its relatives mean.

Every distribution is a function of one standard normal draw, so that a Gaussian copula can join any of them.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Literal

import numpy as np
from pydantic import model_validator

from exaplan.domain.base import Record

Family = Literal["point", "lognormal", "normal", "uniform", "growth", "choice"]
Z95 = NormalDist().inv_cdf(0.95)
"""Standard normal 95 % quantile; ``a to b`` is the interval from -Z95 to +Z95."""


class Uncertain(Record):
    """One uncertain number.

    ``point``: ``low`` = ``high`` = the value. ``lognormal`` and ``normal``: ``low`` and ``high`` are the 5th and 95th
    percentile. ``growth``: the same for a rate of change g, normal in ln(1 + g), so it never passes -100 %.
    ``uniform``: the ends. ``choice``: ``values`` with ``weights``.
    """

    family: Family = "point"
    low: float = 0.0
    high: float = 0.0
    values: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _coherent(self) -> Uncertain:
        if self.family == "choice":
            if not self.values or len(self.values) != len(self.weights):
                raise ValueError("choice needs as many weights as values")
            if min(self.weights) < 0 or not math.isclose(sum(self.weights), 1.0, rel_tol=1e-6):
                raise ValueError("the weights of a choice must be non-negative and add up to 100 %")
            return self
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise ValueError("not a finite number")
        if self.low > self.high:
            raise ValueError(f"the interval is turned round: {self.low:g} to {self.high:g}")
        if self.family == "lognormal" and self.low <= 0:
            raise ValueError("a lognormal interval needs positive ends")
        if self.family == "growth" and self.low <= -1:
            raise ValueError("a change cannot reach -100 %")
        return self

    @classmethod
    def point(cls, value: float) -> Uncertain:
        """Build a certain number."""
        return cls(family="point", low=value, high=value)

    def at(self, z: np.ndarray) -> np.ndarray:
        """Map standard normal draws ``z`` (any shape) to values of this distribution (same shape).

        Examples
        --------
        >>> Uncertain(family="lognormal", low=1.0, high=4.0).at(np.array([0.0]))
        array([2.])
        """
        z = np.asarray(z, dtype=float)
        if self.family == "point":
            return np.full(z.shape, self.low)
        if self.family == "uniform":
            return self.low + (self.high - self.low) * normal_cdf(z)
        if self.family == "choice":
            edges = np.cumsum(self.weights)[:-1]
            drawn: np.ndarray = np.asarray(self.values)[np.searchsorted(edges, normal_cdf(z), side="right")]
            return drawn
        low, high = self._to_normal(self.low), self._to_normal(self.high)
        normal = (low + high) / 2 + (high - low) / (2 * Z95) * z
        return self._from_normal(normal)

    @property
    def median(self) -> float:
        """The 50th percentile."""
        return float(self.at(np.zeros(1))[0])

    @property
    def is_certain(self) -> bool:
        """Whether this is one number."""
        return self.family == "point" or (self.family != "choice" and self.low == self.high)

    def _to_normal(self, value: float) -> float:
        if self.family == "lognormal":
            return math.log(value)
        return math.log1p(value) if self.family == "growth" else value

    def _from_normal(self, values: np.ndarray) -> np.ndarray:
        if self.family == "lognormal":
            return np.asarray(np.exp(values))
        return np.asarray(np.expm1(values)) if self.family == "growth" else values


def normal_cdf(z: np.ndarray) -> np.ndarray:
    """Evaluate the standard normal distribution function, elementwise.

    Examples
    --------
    >>> float(normal_cdf(np.array(0.0)))
    0.5
    """
    z = np.asarray(z, dtype=float)
    flat = [0.5 * math.erfc(-value / math.sqrt(2)) for value in z.ravel()]
    return np.asarray(flat).reshape(z.shape)
