"""Time of one operator: launch time plus a p-norm roofline, with exact tile padding.

t = t0 + [ (FLOP_padded / (peak eta_F))^4 + (bytes / (bandwidth eta_B))^4 ]^(1/4)
"""

from __future__ import annotations

import numpy as np

from exaplan.perf.machine import Machine
from exaplan.perf.shapes import Array, Number, either


def roofline_s(compute_s: Number, memory_s: Number) -> Array:
    """Join two limits by the 4-norm: close to the larger one, 19 % above where they are equal.

    Examples
    --------
    >>> round(float(roofline_s(1.0, 1.0)), 3)
    1.189
    >>> float(roofline_s(3.0, 0.0))
    3.0
    """
    first, second = np.square(compute_s), np.square(memory_s)
    return np.asarray(np.sqrt(np.sqrt(np.square(first) + np.square(second))))


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
    tile = machine.tile

    def systolic() -> Array:
        rows = np.maximum(np.ceil(m / 8) * 8, tile)
        return np.asarray(rows * (np.ceil(n / tile) * np.ceil(k / tile) * tile * tile))

    def tensor_core() -> Array:
        padded = np.ceil(np.minimum(m, n) / tile) * np.maximum(m, n)
        return np.asarray(padded * ((k + machine.knobs.inner_half) * tile))

    return np.asarray(either(machine.systolic, systolic, tensor_core))


def _row_volume(n: Number, k: Number, machine: Machine) -> Number:
    """Multiply-adds per row where rows fill their tiles: only the padding of columns and inner dimension is left."""
    tile = machine.tile
    return either(
        machine.systolic,
        lambda: np.ceil(n / tile) * np.ceil(k / tile) * tile * tile,
        lambda: n * (k + machine.knobs.inner_half),
    )


def product_s(
    m: Number,
    n: Number,
    k: Number,
    machine: Machine,
    *,
    groups: Number | None = None,
    hot_rows: Number | None = None,
    weight_bytes: Number | None = None,
) -> Array:
    """Time of ``groups`` equal products (m, k) by (k, n) in one kernel, seconds.

    Parameters
    ----------
    m, n, k : array or float, broadcastable
        Rows (tokens) per group, columns, inner dimension.
    machine : Machine
        Peaks, bandwidths and coefficients.
    groups : array or float, optional
        Weight matrices in the kernel; experts touched, for a grouped product. One where not given.
    hot_rows : array or float, optional
        Rows in all groups of the busiest chip; replaces the padded count where larger (padding of rows absorbs imbalance).
    weight_bytes : array or float, optional
        Bytes of one weight; those of the machine where not given.

    Returns
    -------
    array
        Seconds.
    """
    stored = machine.weight_bytes if weight_bytes is None else weight_bytes
    stream = machine.stream_bytes_per_s
    # factors of the machine and of the layout are joined first: they have fewer rows, mostly none
    compute = padded_volume(m, n, k, machine) if groups is None else groups * padded_volume(m, n, k, machine)
    weights, values = n * k, (n + k) * (2.0 / stream)
    if hot_rows is not None:
        compute = np.maximum(compute, hot_rows * _row_volume(n, k, machine))
    compute = compute * (2.0 / (machine.product_flop_per_s * machine.widening_share(stored)))
    moved = weights * (stored / stream) + m * values
    memory = moved if groups is None else groups * moved
    fixed = machine.launch_s + _quantize_s(m if groups is None else groups * m, k, machine)
    return np.asarray(roofline_s(compute, memory) + fixed)


def _quantize_s(m: Number, k: Number, machine: Machine) -> Number:
    """Time to bring an (m, k) operand to FP8 or FP4 before the product reads it; nothing at 16 bits."""
    per_value = machine.knobs.quantize_bytes / machine.stream_bytes_per_s
    return either(machine.bits > 8, lambda: 0.0, lambda: m * (k * per_value))


def streaming_s(moved_bytes: Number, machine: Machine) -> Array:
    """Time to move bytes through main memory, seconds."""
    return np.asarray(np.asarray(moved_bytes, dtype=float) / machine.stream_bytes_per_s)


def attention_s(flop: Number, cache_bytes: Number, share: Number, machine: Machine) -> Array:
    """Time of fused attention: FLOP at a share of the BF16 peak against cache bytes, seconds."""
    compute = np.asarray(flop, dtype=float) / (machine.bf16_flop_per_s * share)
    return np.asarray(machine.knobs.launch_s + roofline_s(compute, streaming_s(cache_bytes, machine)))
