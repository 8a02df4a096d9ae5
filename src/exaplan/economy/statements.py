"""The accounting view of compute, and the units that reports count it in."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

H100_DENSE_8BIT_OP_PER_S = 1979e12
"""Dense FP8 peak of an H100 SXM (NVIDIA H100 data sheet prints twice that, with sparsity)."""


def straight_line_depreciation(capex_usd: ArrayLike, life_quarters: int) -> np.ndarray:
    """Depreciation charged per quarter, USD, shape of ``capex_usd`` [..., quarter].

    Each quarter's purchase is charged in equal parts over ``life_quarters``, beginning with the quarter in which it
    enters service; what lies beyond the last quarter is still on the books (:func:`book_value`). Usual lives of
    servers are 3, 5 and 6 years: 12, 20 and 24 quarters.

    Raises
    ------
    ValueError
        A life of less than one quarter.

    Examples
    --------
    >>> straight_line_depreciation([120.0, 0.0, 0.0, 0.0], 3).tolist()
    [40.0, 40.0, 40.0, 0.0]
    """
    if life_quarters < 1:
        raise ValueError(f"a life of {life_quarters} quarters cannot be depreciated; give at least one")
    capex = np.asarray(capex_usd, dtype=float)
    entered = np.cumsum(capex, axis=-1)
    expired = np.zeros_like(entered)
    expired[..., life_quarters:] = entered[..., :-life_quarters]
    return np.asarray((entered - expired) / life_quarters)


def book_value(capex_usd: ArrayLike, life_quarters: int) -> np.ndarray:
    """Value on the books at the end of each quarter, USD, [..., quarter]: paid so far less charged so far.

    Raises
    ------
    ValueError
        As :func:`straight_line_depreciation`.

    Examples
    --------
    >>> book_value([120.0, 0.0, 0.0, 0.0], 3).tolist()
    [80.0, 40.0, 0.0, 0.0]
    """
    charged = np.cumsum(straight_line_depreciation(capex_usd, life_quarters), axis=-1)
    return np.asarray(np.cumsum(np.asarray(capex_usd, dtype=float), axis=-1) - charged)


def chips_per_it_power(it_power_w: ArrayLike, chip_it_power_w: ArrayLike) -> np.ndarray:
    """Chips that an IT power feeds, each with its share of server and network; facility overhead is not IT power.

    Examples
    --------
    >>> int(chips_per_it_power(1e9, 1453.0))
    688231
    """
    return np.asarray(np.asarray(it_power_w, dtype=float) / np.asarray(chip_it_power_w, dtype=float))


def h100_equivalents(chips: ArrayLike, dense_8bit_op_per_s: ArrayLike) -> np.ndarray:
    """Chips weighted by dense 8-bit peak over that of an H100. For reports only: plans are made in chips.

    The 8-bit rule is that of Epoch AI's GPU clusters and chip sales data.

    Examples
    --------
    >>> float(h100_equivalents(10.0, 2 * 1979e12))
    20.0
    """
    weight = np.asarray(dense_8bit_op_per_s, dtype=float) / H100_DENSE_8BIT_OP_PER_S
    return np.asarray(np.asarray(chips, dtype=float) * weight)
