"""Means and quantiles of the processes in closed form, independent of any sampling.

Quantities of one draw per path have exact quantiles whatever their distribution; sums of normal logarithms are lognormal. The
mean of one draw is an integral over the standard normal (Gauss-Hermite, 96 points). Where demand comes later by a
drawn time, or regimes switch, quantiles have no closed form; of a market of regimes the mean has.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from exaplan.domain.base import over_quarters
from exaplan.domain.lab import Lab
from exaplan.domain.quarter import MONTHS_PER_QUARTER
from exaplan.domain.uncertain import Z95, Uncertain
from exaplan.domain.workload import Serve
from exaplan.economy.copula import join
from exaplan.economy.processes import QUARTERS_PER_YEAR, years_of_variance
from exaplan.economy.regimes import OPEN, expected_index, transition, window_generator

_POINTS, _WEIGHTS = np.polynomial.hermite_e.hermegauss(96)
LEVELS = np.array([-Z95, 0.0, Z95])
"""Standard normal 5, 50 and 95 % quantiles."""


@dataclass(frozen=True)
class Exact:
    """Mean and 5, 50, 95 % quantiles of one quantity in one quarter; None where there is no closed form."""

    mean: float | None
    quantiles: tuple[float, float, float] | None = None


def theory_of(lab: Lab, quarter: int) -> dict[str, Exact]:
    """Give the closed forms of a lab's quantities ``quarter`` quarters from the start, by name (see ``app.futures``).

    Nothing is given of a source that named futures hold: its paths are a mixture.
    """
    if quarter < 1:
        return {}
    years = quarter / QUARTERS_PER_YEAR
    late = {delay.workload for delay in lab.futures.demand_delay}
    found: dict[str, Exact] = {}
    for workload in lab.serve:
        if not late & {None, workload.id}:
            found[f"demand.{workload.id}"] = _demand(workload, quarter)
        found[f"price.{workload.id}"] = _one_draw(
            workload.price_change, years, workload.revenue_usd_per_token
        )
    found |= _rents(lab, quarter)
    law = lab.capability
    if law is not None:
        found["frontier"] = _one_draw(law.frontier_growth, years)
        if not law.algorithmic_progress.is_certain:
            found["algorithm"] = _one_draw(law.algorithmic_progress, years)
    found |= _chances(lab, years)
    held = {name for pinned in lab.futures.pinned for name in pinned.quantiles}
    held |= {"spot"} if "rental" in held else set()
    return {name: exact for name, exact in found.items() if name.partition(".")[0] not in held}


def _chances(lab: Lab, years: float) -> dict[str, Exact]:
    """Expect what happens or not: slips, failures, standstills, refusals, windows, shifts; and levels of supply."""
    futures = lab.futures
    found = {f"slip.{slip.supplier}": Exact(slip.probability + slip.probability**2) for slip in lab.slips}
    for supply in futures.supply:
        parts = _normal(supply.level)
        if parts is not None:
            found[f"supply.{supply.supplier}"] = _lognormal(
                parts[0] - supply.volatility**2 * years / 2, parts[1] ** 2 + supply.volatility**2 * years
            )
    found |= {f"default.{d.supplier}": Exact(1 - (1 - d.chance_per_year) ** years) for d in futures.defaults}
    found |= {f"standstill.{delay.site}": Exact(delay.probability) for delay in futures.site_delays}
    for renewal in futures.renewals:
        found[f"renewal.{renewal.supplier}"] = _one_draw(renewal.jump, None)
        found[f"refusal.{renewal.supplier}"] = Exact(renewal.refusal)
    windows: dict[str, float] = {}
    for window in futures.capital_window:
        able = float(transition(window_generator(window), years)[int(window.open), OPEN])
        for name in window.rounds or [each.id for each in lab.finance.rounds]:
            windows[name] = windows.get(name, 1.0) * able
    found |= {f"window.{name}": Exact(able) for name, able in windows.items()}
    for shift in futures.model_shifts:
        come = 1 - (1 - shift.chance_per_year) ** years
        mean = 1 - come * (1 - _mean(shift.factor.at))
        found |= {f"rate.{chip}": Exact(mean) for chip in shift.chips}
    return found


def _demand(workload: Serve, quarter: int) -> Exact:
    base = float(over_quarters(workload.starting_tokens_per_month, quarter + 1)[quarter]) * MONTHS_PER_QUARTER
    years = quarter / QUARTERS_PER_YEAR
    level, growth = _normal(workload.level), _normal(workload.growth, rate=True)
    wandering = workload.volatility**2 * years
    if level is None or growth is None:
        mean = _mean(workload.level.at) * _mean(lambda z: (1 + workload.growth.at(z)) ** years)
        return Exact(base * mean)
    middle = level[0] + growth[0] * years - wandering / 2
    return (
        _lognormal(middle + math.log(base), level[1] ** 2 + (growth[1] * years) ** 2 + wandering)
        if base > 0
        else Exact(0.0)
    )


def _rents(lab: Lab, quarter: int) -> dict[str, Exact]:
    """Give rental index and spot; spot only where nothing correlates it with contracts, regimes where nothing joins their news."""
    rental, years = lab.futures.rental, quarter / QUARTERS_PER_YEAR
    copula = join(lab)
    if rental.regimes and copula.matrix[copula.names.index("regime"), copula.names.index("rental")]:
        return {}
    mean = float(expected_index(rental, quarter + 1)[-1]) * _mean(lambda z: (1 + rental.drift.at(z)) ** years)
    drift = _normal(rental.drift, rate=True)
    variance = float(rental.volatility**2 * years_of_variance(rental.reversion, years))
    index = Exact(mean)
    middle = 0.0
    if drift is not None and not rental.regimes:
        middle = (
            drift[0] * years
            + math.log(rental.start) * (math.exp(-rental.reversion * years) - 1)
            - variance / 2
        )
        variance += (drift[1] * years) ** 2
        index = _lognormal(middle, variance)
    found = {"rental": index}
    basis = rental.spot
    if basis is not None:
        place = copula.names.index("spot")
        others = [copula.names.index(name) for name in ("rental", "regime") if name in copula.names]
        if not np.any(copula.matrix[place, others]):
            own = float(basis.volatility**2 * years_of_variance(basis.reversion, years))
            glide = math.log(basis.start) * (math.exp(-basis.reversion * years) - 1)
            found["spot"] = Exact(mean * math.exp(glide))
            if index.quantiles is not None:
                found["spot"] = _lognormal(middle + glide - own / 2, variance + own)
    return found


def _one_draw(uncertain: Uncertain, years: float | None, base: float = 1.0) -> Exact:
    """Give base x (1 + change)^years for one draw of a yearly change, or base x the draw itself (``years`` None)."""

    def value(z: np.ndarray) -> np.ndarray:
        drawn = uncertain.at(z)
        return np.asarray(base * (drawn if years is None else (1 + drawn) ** years))

    low, middle, high = (float(each) for each in value(LEVELS))
    return Exact(_mean(value), (low, middle, high))


def _lognormal(middle: float, variance: float) -> Exact:
    low, median, high = (float(each) for each in np.exp(middle + LEVELS * math.sqrt(variance)))
    return Exact(math.exp(middle + variance / 2), (low, median, high))


def _mean(value: Callable[[np.ndarray], np.ndarray]) -> float:
    """Expect a function of one standard normal draw."""
    return float(value(_POINTS) @ _WEIGHTS / _WEIGHTS.sum())


def _normal(uncertain: Uncertain, *, rate: bool = False) -> tuple[float, float] | None:
    """Mean and deviation of the logarithm (of 1 + g for a rate), or None where it is not normal."""
    if uncertain.family in ("uniform", "choice", "normal") or (
        (uncertain.family == "lognormal") == rate and not uncertain.is_certain
    ):
        return None
    low, high = (math.log(each + 1 if rate else each) for each in (uncertain.low, uncertain.high))
    return (low + high) / 2, (high - low) / (2 * Z95)
