"""Time value of money, owning against renting, and margins: pure functions, elementwise on numbers and arrays.

Rates are per quarter unless the name says otherwise; payments fall at the end of each quarter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def rate_per_quarter(rate_per_year: ArrayLike) -> np.ndarray:
    """Convert an effective yearly rate to the rate per quarter that compounds to it.

    Examples
    --------
    >>> float(rate_per_quarter(0.4641).round(6))
    0.1
    """
    return np.asarray(np.expm1(np.log1p(np.asarray(rate_per_year, dtype=float)) / 4))


def annuity(rate: ArrayLike, quarters: ArrayLike) -> np.ndarray:
    """Present value of 1 per quarter for a number of quarters, (1 - (1 + r)^-n) / r; n at r = 0.

    Brealey, Myers and Allen, Principles of Corporate Finance, chapter 2.

    Examples
    --------
    >>> float(annuity(0.02, 4).round(4))
    3.8077
    """
    return survivor_annuity(rate, quarters)


def survivor_annuity(
    rate: ArrayLike, quarters: ArrayLike, *, survival: ArrayLike = 1.0, growth: ArrayLike = 0.0
) -> np.ndarray:
    """Present value of a margin of 1 now, earned by what survives of a cohort over its remaining quarters.

    Sum over k = 1 .. n of q^k with q = survival (1 + growth) / (1 + rate), that is q (1 - q^n) / (1 - q).

    Parameters
    ----------
    rate, growth
        Discount rate and growth of the margin per quarter (negative: it fades).
    quarters
        Quarters n left to live; 0 gives 0.
    survival
        Share of the cohort that is there a quarter later.

    Examples
    --------
    >>> float(survivor_annuity(0.0, 2, survival=0.5))
    0.75
    """
    ratio = np.asarray(survival, dtype=float) * (1 + np.asarray(growth)) / (1 + np.asarray(rate))
    ratio, left = np.broadcast_arrays(ratio, np.asarray(quarters, dtype=float))
    level = np.abs(1 - ratio) < 1e-12
    factor = np.where(level, 0.5, ratio)  # any ratio but 1: the sum is n there
    return np.where(level, left, factor * (1 - factor**left) / (1 - factor))


def npv(flows: ArrayLike, rate: float) -> np.ndarray:
    """Net present value of flows [..., quarter]; the first flow is today's and is not discounted.

    Examples
    --------
    >>> float(npv([-90.0, 0.0, 121.0], 0.1).round(9))
    10.0
    """
    values = np.asarray(flows, dtype=float)
    return np.asarray(values @ (1.0 + rate) ** -np.arange(values.shape[-1]))


def break_even_utilization(owning_usd_per_h: ArrayLike, rent_usd_per_h: ArrayLike) -> np.ndarray:
    """Utilization above which a chip whose every hour is paid beats renting by the hour used.

    Owning costs the same at any utilization u, pay-per-use costs u times the rent, hence u = owning / rent. It says
    nothing about a fixed contract, which is paid used or not: there compare net present values.

    Examples
    --------
    >>> float(break_even_utilization(1.30, 2.35).round(2))
    0.55
    """
    return np.asarray(np.asarray(owning_usd_per_h, dtype=float) / np.asarray(rent_usd_per_h, dtype=float))


def usd_per_delivered_chip_hour(paid_usd: ArrayLike, delivered_chip_hours: ArrayLike) -> np.ndarray:
    """Money paid per chip-hour of useful work: up, busy, and not lost to failures. USD/chip/h.

    Examples
    --------
    >>> float(usd_per_delivered_chip_hour(200.0, 80.0))
    2.5
    """
    return np.asarray(np.asarray(paid_usd, dtype=float) / np.asarray(delivered_chip_hours, dtype=float))
