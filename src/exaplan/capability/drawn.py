"""Draws of any law for Monte Carlo, and quantiles that survive infinities."""

from __future__ import annotations

import numpy as np

from exaplan.capability.forms import Array, DenseLaw, ScalingLaw, SparseLaw

SPARSE_LOG_SD = 0.05
"""Spread of the exponents of laws published without covariance; assumed."""


def drawn_law(law: ScalingLaw, generator: np.random.Generator, draws: int) -> tuple[ScalingLaw, str]:
    """Draw a law's coefficients as far as their spread is known, and say what was drawn.

    Returns
    -------
    law : ScalingLaw
        Arrays [draw, 1], or the law itself where nothing is known about its spread.
    words : str
        For a report.
    """
    if isinstance(law, DenseLaw) and law.standard_errors is not None:
        return law.drawn(
            generator, draws
        ), "coefficients along the ridge of the fit (published standard errors)"
    if isinstance(law, SparseLaw):
        found = law.drawn(generator, draws, exponent_log_sd=SPARSE_LOG_SD)
        return found, f"exponents with a log standard deviation of {SPARSE_LOG_SD:g} (assumed)"
    return law, "nothing: this law was published without standard errors"


def quantile(values: Array, share: float) -> float:
    """Smallest value that at least this share of draws does not exceed; infinite draws count.

    Examples
    --------
    >>> quantile(np.array([1.0, 2.0, np.inf]), 0.5), quantile(np.array([1.0, 2.0, np.inf]), 0.95)
    (2.0, inf)
    """
    ordered = np.sort(np.asarray(values, dtype=float).ravel())
    return float(ordered[max(int(np.ceil(share * ordered.size)) - 1, 0)])
