"""Fits of a law to runs, with the covariance of what was fitted: least squares by Levenberg and Marquardt.

Residuals are scaled by their standard deviation where it is given, else their spread is estimated from the fit; the
covariance is s^2 (J'J)^-1 at the optimum, exact as noise goes to zero (its coverage is simulated in the tests).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from exaplan.capability.forms import Array, DenseLaw

_STEPS = 400
_SETTLED = 1e-12


@dataclass(frozen=True)
class Fit:
    """Parameters in the order of the model, their covariance, and the spread of residuals."""

    parameters: Array
    covariance: Array
    residual_sd: float
    degrees_of_freedom: int

    def drawn(self, generator: np.random.Generator, draws: int) -> Array:
        """Draw parameters from the normal approximation, shape [draw, parameter]."""
        return np.asarray(generator.multivariate_normal(self.parameters, self.covariance, size=draws))


def least_squares(residuals: Callable[[Array], Array], start: Array, *, known_spread: bool = False) -> Fit:
    """Minimize the sum of squared residuals.

    Parameters
    ----------
    residuals : function
        Of parameters [parameter] to residuals [point], in standard deviations where ``known_spread``.
    start : array, shape [parameter]
        First guess.
    known_spread : bool
        Whether residuals are in standard deviations already; else their spread is estimated.

    Raises
    ------
    ValueError
        For fewer points than parameters, or points that do not tell the parameters apart.
    """
    at = np.asarray(start, dtype=float)
    off = residuals(at)
    if off.size < at.size:
        raise ValueError(f"{at.size} parameters need at least {at.size} points; there are {off.size}")
    damping = 1e-3
    for _ in range(_STEPS):
        slope = _jacobian(residuals, at)
        square = slope.T @ slope
        step = np.linalg.lstsq(
            square + damping * np.diag(np.diag(square) + 1e-12), -slope.T @ off, rcond=None
        )[0]
        tried = residuals(at + step)
        if np.isfinite(tried).all() and tried @ tried < off @ off:
            gain = 1 - (tried @ tried) / (off @ off)
            at, off, damping = at + step, tried, max(damping / 5, 1e-12)
            if gain < _SETTLED:
                break
        else:
            damping *= 4
            if damping > 1e12:
                break
    slope = _jacobian(residuals, at)
    square = slope.T @ slope
    freedom = off.size - at.size
    spread = 1.0 if known_spread else float(np.sqrt(off @ off / max(freedom, 1)))
    scale = np.sqrt(np.diag(square))
    if not (scale > 0).all() or np.linalg.cond(square / np.outer(scale, scale)) > 1e14:
        raise ValueError("the points do not tell the parameters apart; add runs that differ more")
    return Fit(at, np.asarray(spread**2 * np.linalg.inv(square), dtype=float), spread, freedom)


def _jacobian(residuals: Callable[[Array], Array], at: Array) -> Array:
    steps = 1e-6 * np.maximum(np.abs(at), 1e-3)
    columns = [
        (residuals(at + step * unit) - residuals(at - step * unit)) / (2 * step)
        for step, unit in zip(steps, np.eye(at.size), strict=True)
    ]
    return np.stack(columns, axis=1)


def fit_chinchilla(
    parameters: Array, tokens: Array, losses: Array, *, name: str = "fitted"
) -> tuple[DenseLaw, Fit]:
    """Fit L = E + A/N^alpha + B/D^beta to runs, on ln L.

    Parameters
    ----------
    parameters, tokens, losses : array, shape [run]
        Size, training tokens and final loss of each run.

    Returns
    -------
    law : DenseLaw
        With the standard errors and the correlation of this fit.
    fit : Fit
        Of (E, ln A, alpha, ln B, beta).
    """
    log_size, log_tokens = np.log(parameters), np.log(tokens)

    def residuals(at: Array) -> Array:
        size = np.exp(np.clip(at[1] - at[2] * log_size, -60, 60))
        data = np.exp(np.clip(at[3] - at[4] * log_tokens, -60, 60))
        return np.asarray(np.log(np.maximum(at[0] + size + data, 1e-9)) - np.log(losses))

    starts = [(0.85, 0.3, 0.3), (0.6, 0.35, 0.35), (0.7, 0.2, 0.25), (0.8, 0.45, 0.4)]
    low = float(np.min(losses))
    found = [
        least_squares(
            residuals,
            np.array(
                [
                    share * low,
                    np.log(0.5 * low) + a * log_size.mean(),
                    a,
                    np.log(0.5 * low) + b * log_tokens.mean(),
                    b,
                ]
            ),
        )
        for share, a, b in starts
    ]
    fit = min(found, key=lambda one: one.residual_sd)
    sd = np.sqrt(np.diag(fit.covariance))
    e, log_a, alpha, log_b, beta = fit.parameters
    matrix = fit.covariance / np.outer(sd, sd)
    law = DenseLaw(
        name=name,
        source="fitted to the runs given",
        fit_range=f"{parameters.min():.2g} to {parameters.max():.2g} parameters, {tokens.min():.2g} to {tokens.max():.2g} tokens",
        constant=float(e),
        size=float(np.exp(log_a)),
        size_exponent=float(alpha),
        data=float(np.exp(log_b)),
        data_exponent=float(beta),
        standard_errors=(
            float(sd[0]),
            float(np.exp(log_a) * np.sqrt(np.expm1(sd[1] ** 2))),
            float(sd[2]),
            float(np.exp(log_b) * np.sqrt(np.expm1(sd[3] ** 2))),
            float(sd[4]),
        ),
        correlation=tuple(tuple(float(value) for value in row) for row in matrix),
    )
    return law, fit


def isoflop_design() -> tuple[Array, Array]:
    """Sizes and tokens of runs like those of Hoffmann et al.: nine budgets, sizes up to 6.3 times off the optimum.

    Returns
    -------
    parameters, tokens : array, shape [run]
        226 runs of 40M to 17B parameters; the refit used 240.
    """
    budgets = np.array([6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21])[:, None]
    best = 0.1196 * (budgets / 6) ** 0.5126  # optimum of the refit; only the place of the curves hangs on it
    sizes = (best * np.logspace(-0.8, 0.8, 26)).ravel()
    tokens = (budgets / 6 / sizes.reshape(len(budgets), -1)).ravel()
    kept = (sizes > 4e7) & (sizes < 1.7e10)
    return sizes[kept], tokens[kept]


def fit_correlation(law: DenseLaw, parameters: Array, tokens: Array) -> Array:
    """Correlation of (E, ln A, alpha, ln B, beta) of a fit on ln L to runs at these sizes: of the inverse Fisher information."""
    size = np.asarray(law.size / parameters**law.size_exponent)
    data = np.asarray(law.data / tokens**law.data_exponent)
    columns = [np.ones_like(size), size, -size * np.log(parameters), data, -data * np.log(tokens)]
    slope = np.stack(columns, axis=1) / (law.constant + size + data)[:, None]
    covariance = np.linalg.inv(slope.T @ slope)
    sd = np.sqrt(np.diag(covariance))
    return np.asarray(covariance / np.outer(sd, sd))
