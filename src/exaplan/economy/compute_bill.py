"""Chips, power and money of a computation: joins of FLOP with rates and prices, as arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

_S_PER_H = 3600.0


def chip_hours(flop: ArrayLike, flop_per_s_per_chip: ArrayLike, goodput_share: ArrayLike = 1.0) -> np.ndarray:
    """Chip-hours to do so many model FLOP at a delivered rate, failures counted. chip*h.

    Examples
    --------
    >>> float(chip_hours(3.6e21, 1e15, 0.5))
    2000.0
    """
    rate = np.asarray(flop_per_s_per_chip, dtype=float) * np.asarray(goodput_share, dtype=float)
    return np.asarray(np.asarray(flop, dtype=float) / rate / _S_PER_H)


def rent_usd(hours: ArrayLike, usd_per_chip_h: ArrayLike) -> np.ndarray:
    """Rent of chip-hours. USD.

    Examples
    --------
    >>> float(rent_usd(2000.0, 2.5))
    5000.0
    """
    return np.asarray(np.asarray(hours, dtype=float) * np.asarray(usd_per_chip_h, dtype=float))


def site_power_w(chips: ArrayLike, it_power_w: ArrayLike, pue: ArrayLike) -> np.ndarray:
    """Power that a site must have for chips at work: IT power times PUE. W.

    Examples
    --------
    >>> float(site_power_w(478_000, 2090.0, 1.0).round(-7))
    1000000000.0
    """
    power = np.asarray(it_power_w, dtype=float) * np.asarray(pue, dtype=float)
    return np.asarray(np.asarray(chips, dtype=float) * power)


def crossover_label_price(
    compute_usd: ArrayLike, labels: ArrayLike, other_compute_usd: ArrayLike, other_labels: ArrayLike
) -> np.ndarray:
    """Price of a human label above which the other pipeline is cheaper: extra compute over labels saved; infinite without saving.

    Examples
    --------
    >>> float(crossover_label_price(100.0, 30.0, 400.0, 10.0))
    15.0
    """
    saved = np.asarray(labels, dtype=float) - np.asarray(other_labels, dtype=float)
    extra = np.asarray(other_compute_usd, dtype=float) - np.asarray(compute_usd, dtype=float)
    return np.where(saved > 0, extra / np.where(saved > 0, saved, 1.0), np.inf)
