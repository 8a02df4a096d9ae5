"""A metric with the error of its sampling, and the rule that turns it into a word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from exaplan.domain.casebook import Word
from exaplan.economy.ruin import mean_interval, wilson_interval

Sample: TypeAlias = "float | np.ndarray"
"""One batch: a number that nothing sampled, [path] figures, [path] bool (a share), or [2, path] (mean over mean)."""


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % Monte-Carlo interval; no paths and no width where nothing was sampled."""

    value: float
    low: float
    high: float
    paths: int = 0


@dataclass(frozen=True)
class Rule:
    """When the metric supports the claim: it holds from ``holds`` on, fails below ``fails``, and depends between.

    Where the Monte-Carlo interval straddles an edge, it depends too.
    """

    holds: float
    fails: float
    words: str

    def word(self, found: Estimate) -> Word:
        """Judge an estimate."""
        if found.low >= self.holds:
            return "holds"
        return "fails" if found.high < self.fails else "depends"

    def at(self, value: float) -> Word:
        """Judge a value as if it had no error."""
        return self.word(Estimate(value, value, value))

    def clear(self, found: Estimate) -> bool:
        """Whether the error of the sampling is below the margin of the verdict."""
        return not any(found.low < edge <= found.high for edge in (self.holds, self.fails))


def estimated(batches: Sequence[Sample]) -> Estimate:
    """Join batches; antithetic neighbors are one observation, the error of a ratio is that of its linear part.

    Examples
    --------
    >>> estimated([np.array([1.0, 3.0]), np.array([2.0, 2.0])])
    Estimate(value=2.0, low=2.0, high=2.0, paths=4)
    >>> estimated([np.array([[1.0, 1.0, 2.0, 2.0], [2.0, 2.0, 4.0, 4.0]])])
    Estimate(value=0.5, low=0.5, high=0.5, paths=4)
    """
    if isinstance(batches[0], float | int):
        value = float(batches[0])
        return Estimate(value, value, value)
    sample = np.concatenate([np.asarray(batch) for batch in batches], axis=-1)
    paths = sample.shape[-1]
    if sample.dtype == bool:
        hits = int(sample.sum())
        return Estimate(hits / paths, *wilson_interval(hits, paths), paths)
    if sample.ndim == 1:
        return Estimate(*mean_interval(sample, antithetic=True), paths)
    above, below = sample
    ratio = float(above.mean() / below.mean())
    _, low, high = mean_interval((above - ratio * below) / below.mean(), antithetic=True)
    return Estimate(ratio, ratio + low, ratio + high, paths)


def raised(sample: Callable[[int], Sample], rule: Rule, *, most: int) -> Estimate:
    """Double the batches until the error is below the margin of the verdict, or ``most`` paths are there."""
    batches: list[Sample] = [sample(0)]
    while True:
        found = estimated(batches)
        if not found.paths or rule.clear(found) or 2 * found.paths > most:
            return found
        batches += [sample(batch) for batch in range(len(batches), 2 * len(batches))]
