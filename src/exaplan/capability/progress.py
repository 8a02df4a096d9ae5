"""Algorithmic progress: how much less compute the same loss takes as recipes improve, an uncertain process.

Compute for a fixed loss halves every 8.4 months, 95 % interval 4.5 to 14.3 (Ho et al., arXiv 2403.05812, fitted on
2012 to 2023). Effective FLOP = FLOP x 2^(months / doubling): what today's recipe would have needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.capability.forms import Array, Number

DOUBLING_MONTHS = 8.4
DOUBLING_LOW, DOUBLING_HIGH = 4.5, 14.3
_Z975 = 1.959963984540054


@dataclass(frozen=True)
class Progress:
    """Doubling time of effective compute per FLOP, lognormal, and how unevenly it comes.

    Attributes
    ----------
    months : float
        Median doubling time.
    log_sd : float
        Of the doubling time: the width of the published interval, ln(14.3/4.5) / (2 x 1.96) = 0.295. Around the published
        8.4 months it spans 4.7 to 15.0; the published one is not symmetric in logs.
    unevenness : float
        Standard deviation of doublings in a year around the trend, a random walk; 0.3 is assumed.
    """

    months: float = DOUBLING_MONTHS
    log_sd: float = float(np.log(DOUBLING_HIGH / DOUBLING_LOW) / (2 * _Z975))
    unevenness: float = 0.3

    def doubling_months(self, generator: np.random.Generator, draws: int) -> Array:
        """Draw doubling times, shape [draw]."""
        return np.asarray(self.months * np.exp(self.log_sd * generator.standard_normal(draws)))

    def gain(self, months: Number) -> Array:
        """Effective over physical FLOP after so many months, at the median.

        Examples
        --------
        >>> float(Progress().gain(8.4))
        2.0
        """
        return np.asarray(2.0 ** (np.asarray(months, dtype=float) / self.months))

    def drawn(self, generator: np.random.Generator, months: Array, draws: int) -> Array:
        """Effective over physical FLOP along paths, shape [draw, month].

        Parameters
        ----------
        generator : numpy Generator
            Source of the draws.
        months : array, shape [month]
            Times from now, increasing, from 0 on.
        draws : int
            Paths.
        """
        times = np.asarray(months, dtype=float)
        steps = np.diff(times, prepend=0.0)
        trend = times / self.doubling_months(generator, draws)[:, None]
        walk = generator.standard_normal((draws, times.size)) * np.sqrt(np.maximum(steps, 0.0) / 12)
        return np.asarray(2.0 ** (trend + self.unevenness * np.cumsum(walk, axis=1)))


@dataclass(frozen=True)
class Frontier:
    """The largest run of today and how fast its effective compute grows."""

    flop: float
    growth_per_year: float  # of physical FLOP; the recipe's progress comes on top
    progress: Progress = Progress()

    def effective_growth_per_year(self) -> float:
        """Factor per year of effective FLOP: physical growth times progress.

        Examples
        --------
        >>> round(Frontier(1e26, 5.0).effective_growth_per_year(), 1)
        13.5
        """
        return float(self.growth_per_year * self.progress.gain(12.0))

    def ahead(self, months: Number) -> Array:
        """Effective FLOP of being so many months ahead of today's frontier (behind, where negative)."""
        return np.asarray(
            self.flop * self.effective_growth_per_year() ** (np.asarray(months, dtype=float) / 12)
        )

    def months_of(self, effective_flop: Number) -> Array:
        """Months ahead of today's frontier that an effective FLOP is."""
        ratio = np.asarray(effective_flop, dtype=float) / self.flop
        return np.asarray(12 * np.log(ratio) / np.log(self.effective_growth_per_year()))
