"""Time of collective operations on two levels of network, by latency and bandwidth (alpha-beta, Hockney 1994).

Groups fill the scale-up domain first. Latency steps are those of the logarithmic algorithms and bandwidth terms those of
the ring, which Rabenseifner's algorithm reaches together (Thakur, Rabenseifner and Gropp, doi 10.1177/1094342005051521).
All sizes are bytes per chip, all times seconds, all arguments broadcast.
"""

from __future__ import annotations

import numpy as np

from exaplan.perf.machine import Machine
from exaplan.perf.shapes import Array, Flag, Number, either

_TORUS_LINK_SHARE = (
    0.8  # of one link, as on switched fabrics; the ring share of a torus counts unused links too
)


def levels(group: Number, stride: Number, machine: Machine) -> tuple[Array, Array]:
    """Split a group of chips into ranks inside a scale-up domain and domains spanned.

    ``stride`` chips lie between two neighbours of the group (the size of the groups nested inside it).
    """
    group, stride = np.asarray(group, dtype=float), np.asarray(stride, dtype=float)
    inner = np.clip(np.floor(machine.domain / stride), 1.0, group)
    return inner, np.ceil(group / inner)


def scatter_s(size: Number, group: Number, stride: Number, machine: Machine) -> Array:
    """Reduce-scatter or all-gather of ``size`` bytes (the full array), one of the two.

    Inside a domain (g-1)/g S/beta_up; between domains (n-1)/n of the g-th part over the network.
    """
    inner, outer = levels(group, stride, machine)
    size = np.asarray(size, dtype=float)
    up = (inner - 1) / inner * size / (machine.scale_up_bytes_per_s * machine.knobs.link_share)
    out = (outer - 1) / outer * size / inner / machine.network_bytes_per_s
    hops = np.ceil(np.log2(inner)) * machine.knobs.scale_up_latency_s
    far = np.ceil(np.log2(outer)) * machine.knobs.scale_out_latency_s
    return np.asarray(up + out + hops + far)


def all_reduce_s(size: Number, group: Number, stride: Number, machine: Machine) -> Array:
    """All-reduce: reduce-scatter then all-gather, on two levels.

    Examples
    --------
    >>> from exaplan.domain.technology import Chip
    >>> from exaplan.perf.machine import machine_of
    >>> chip = Chip(id="c", bf16_flop_per_s=1e15, hbm_bytes=8e10, hbm_bandwidth_bytes_per_s=3e12)
    >>> float(all_reduce_s(1e9, 1, 1, machine_of(chip, "bf16")))
    0.0
    """
    return np.asarray(2 * scatter_s(size, group, stride, machine))


def all_to_all_s(
    size: Number, group: Number, stride: Number, machine: Machine, *, spread: Number = np.inf
) -> Array:
    """All-to-all of ``size`` bytes leaving a chip; the two levels are pipelined, the slower one counts.

    On a torus of a axes with k chips each the bisection lets k/8 of the bytes of a chip pass per link and second, that
    is k a/4 of the chip's bandwidth: an all-to-all on a two-way ring takes a quarter of the all-gather of the same array
    ("How to Scale Your Model", Google DeepMind 2025, chapter 3).

    Parameters
    ----------
    size : array or float
        Bytes a chip sends, to all ranks of the group together.
    group, stride : array or float
        Ranks, and chips between neighbours.
    machine : Machine
        Bandwidths and latencies.
    spread : array or float
        Copies of a token that may cross the network over copies made in all; below 1 where routing is limited to few
        domains and a token travels once per domain (DeepSeek-V3, arXiv 2412.19437, section 3.2.2).

    Returns
    -------
    array
        Seconds; 0 for a group of one.
    """
    inner, outer = levels(group, stride, machine)
    group, size = np.asarray(group, dtype=float), np.asarray(size, dtype=float)
    ranks = np.maximum(group - 1, 1)
    near = (inner - 1) / ranks
    far = (group - inner) / ranks * np.minimum(spread, 1.0)
    leaving = size * (group - 1) / group
    up = leaving * np.where(outer > 1, 1.0, near) / machine.scale_up_bytes_per_s
    up = up * np.maximum(1 / machine.knobs.link_share, _bisection_slowdown(inner, machine))
    out = leaving * far / machine.network_bytes_per_s
    latency = np.where(
        outer > 1,
        machine.knobs.scale_out_latency_s * np.ceil(np.log2(np.maximum(outer, 1)) + 1),
        machine.knobs.scale_up_latency_s * np.ceil(np.log2(np.maximum(group, 1))),
    )
    return np.asarray(np.where(group > 1, np.maximum(up * (inner > 1), out) + latency, 0.0))


def _bisection_slowdown(chips: Array, machine: Machine) -> Number:
    """Time of an all-to-all over that of the chip's full bandwidth, inside a domain."""
    axes = machine.knobs.torus_axes
    return either(
        axes > 0, lambda: chips ** (1 / np.maximum(axes, 1)) * axes / 4 / _TORUS_LINK_SHARE, lambda: 1.0
    )


def send_s(size: Number, far: Flag, machine: Machine) -> Array:
    """Point-to-point message; ``far`` says whether it leaves the scale-up domain."""
    knobs = machine.knobs
    beta = np.where(far, machine.network_bytes_per_s, machine.scale_up_bytes_per_s * knobs.link_share)
    alpha = np.where(far, knobs.scale_out_latency_s, knobs.scale_up_latency_s)
    return np.asarray(np.asarray(size, dtype=float) / beta + alpha)


def imbalance(tokens_per_rank: Number, ranks: Number, skew: Number) -> Array:
    """Busiest rank's tokens over the mean: 1 + sqrt(2 ln EP / lambda), at least ``skew`` when experts are spread.

    The extreme-value bound for random routing (Monte-Carlo check at 8 to 64 ranks: 1.66 against 1.53, 1.08 against
    1.06); it is conservative.
    """
    ranks = np.asarray(ranks, dtype=float)
    random = 1 + np.sqrt(2 * np.log(ranks) / np.maximum(tokens_per_rank, 1e-9))
    return np.asarray(np.where(ranks > 1, np.maximum(random, skew), 1.0))
