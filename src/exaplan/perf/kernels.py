"""Time of one operator: launch time plus a p-norm roofline, with exact tile padding.

t = t0 + [ (FLOP_padded / (peak eta_F))^4 + (bytes / (bandwidth eta_B))^4 ]^(1/4)
"""

from __future__ import annotations

import numpy as np

from exaplan.perf.counts import Array
from exaplan.perf.machine import Machine

Number = Array | float


def roofline_s(compute_s: Number, memory_s: Number) -> Array:
    """Join two limits by the 4-norm: close to the larger one, 19 % above where they are equal.

    Examples
    --------
    >>> round(float(roofline_s(1.0, 1.0)), 3)
    1.189
    >>> float(roofline_s(3.0, 0.0))
    3.0
    """
    first, second = np.asarray(compute_s, dtype=float), np.asarray(memory_s, dtype=float)
    squares = np.square(first), np.square(second)
    return np.asarray(np.sqrt(np.sqrt(np.square(squares[0]) + np.square(squares[1]))))


def padded_volume(m: Number, n: Number, k: Number, machine: Machine) -> Array:
    """Multiply-adds that the matrix unit performs for an (m, k) by (k, n) product, padding included.

    Tensor cores: operands may be swapped, so the smaller of m and n pads to 16; a short inner dimension costs
    k0 more. Systolic arrays hold R x C of the weights: k and n pad to whole tiles, and at least R rows of m pass
    while the next tile is loaded.

    Parameters
    ----------
    m, n, k : array or float, broadcastable
        Rows (tokens), columns and inner dimension; not necessarily whole where they are means.
    machine : Machine
        Gives tile and kind of matrix unit.

    Returns
    -------
    array
        Padded multiply-adds.
    """
    m, n, k = (np.asarray(value, dtype=float) for value in (m, n, k))
    tile = float(machine.tile)
    if machine.systolic:
        rows = np.maximum(np.ceil(m / 8) * 8, tile)
        return np.asarray(rows * (np.ceil(n / tile) * tile) * (np.ceil(k / tile) * tile))
    small, large = np.minimum(m, n), np.maximum(m, n)
    return np.asarray(np.ceil(small / tile) * tile * large * (k + machine.knobs.inner_half))


def product_s(
    m: Number, n: Number, k: Number, machine: Machine, *, groups: Number = 1.0, hot_rows: Number | None = None
) -> Array:
    """Time of ``groups`` equal products (m, k) by (k, n) in one kernel, seconds.

    Parameters
    ----------
    m, n, k : array or float, broadcastable
        Rows (tokens) per group, columns, inner dimension.
    machine : Machine
        Peaks, bandwidths and coefficients.
    groups : array or float
        Weight matrices in the kernel; experts touched, for a grouped product.
    hot_rows : array or float, optional
        Rows in all groups of the busiest chip; replaces the padded count where larger (padding absorbs imbalance).

    Returns
    -------
    array
        Seconds.
    """
    volume = groups * padded_volume(m, n, k, machine)
    if hot_rows is not None:
        volume = np.maximum(volume, np.asarray(hot_rows) * n * k)
    activations = groups * np.asarray(m) * (np.asarray(k) + n) * 2.0
    weights = groups * np.asarray(n) * k * machine.weight_bytes
    compute = 2.0 * volume / machine.product_flop_per_s
    return np.asarray(
        machine.launch_s + roofline_s(compute, (weights + activations) / machine.stream_bytes_per_s)
    )


def streaming_s(moved_bytes: Number, machine: Machine) -> Array:
    """Time to move bytes through main memory, seconds."""
    return np.asarray(np.asarray(moved_bytes, dtype=float) / machine.stream_bytes_per_s)


def attention_s(flop: Number, cache_bytes: Number, share: float, machine: Machine) -> Array:
    """Time of fused attention: FLOP at a share of the BF16 peak against cache bytes, seconds."""
    compute = np.asarray(flop, dtype=float) / (machine.bf16_flop_per_s * share)
    return np.asarray(machine.knobs.launch_s + roofline_s(compute, streaming_s(cache_bytes, machine)))
