"""Electric power of a chip at work and idle, with its share of server and network, and energy per token.

Chip power = TDP (static 0.30 + 0.40 util_F + 0.20 util_B + 0.10 util_net), the split of GenZ (arXiv 2406.01698); idle
0.1-0.2 TDP. Server and network power are IT power less TDP where published, drawn whether the chip works or not.

Against measurement the sum is high. An 8-GPU H100 node rated 10.2 kW was never seen above 8.4 kW in training, GPUs near
full use (arXiv 2412.08602), and intensive work averages 76 % of the rating, 7.75 kW (arXiv 2506.14551). With the rating as
IT power (1,275 W per chip, 575 W of it server) the formula gives 10.2 kW with everything busy: 21 % above the highest
draw; and 8.8 kW at 0.8, 0.5 and 0.3 of compute, memory and links: 13 % above the average. The same study finds 11 % error
for a fitted model and 27 to 37 % for ratings. Static and server terms are ratings here, hence the sign: safe for
contracts of power, 10 to 20 % too dear for energy bills.
"""

from __future__ import annotations

import math

import numpy as np

from exaplan.perf.machine import Machine
from exaplan.perf.shapes import Array, Number

STATIC_SHARE, COMPUTE_SHARE, MEMORY_SHARE, NETWORK_SHARE = 0.30, 0.40, 0.20, 0.10
_J_PER_KWH = 3.6e6


def phase_power_w(
    tdp_w: Number, overhead_w: Number, *, compute: Number, memory: Number, network: Number
) -> Array:
    """Power of a chip in a phase with its server share, W; arrays over phases or configurations.

    Parameters
    ----------
    tdp_w, overhead_w : array or float
        TDP of the package, and server and network power per chip; NaN where not published, and so is the result.
    compute, memory, network : array or float
        Shares of time in which the matrix unit, main memory and links work at what they can reach; clipped to 0..1.

    Returns
    -------
    array
        Watts, server and network included, before PUE.

    Examples
    --------
    >>> phase_power_w(700.0, 575.0, compute=np.array([1.0, 0.2]), memory=np.array([1.0, 0.9]), network=1.0).tolist()
    [1275.0, 1037.0]
    """
    used = [np.clip(np.asarray(share, dtype=float), 0.0, 1.0) for share in (compute, memory, network)]
    share = STATIC_SHARE + COMPUTE_SHARE * used[0] + MEMORY_SHARE * used[1] + NETWORK_SHARE * used[2]
    return np.asarray(tdp_w * share + overhead_w)


def working_power_w(machine: Machine, *, compute: float, memory: float, network: float) -> float:
    """Power of a chip at work with its server share, W; NaN where the chip's power is not published.

    Parameters
    ----------
    machine : Machine
        TDP and server overhead.
    compute, memory, network : float
        Shares of time in which the matrix unit, main memory and links work at what they can reach, 0..1.

    Returns
    -------
    float
        Watts, server and network included, before PUE.
    """
    if machine.tdp_w is None or machine.overhead_w is None:
        return math.nan
    power = phase_power_w(machine.tdp_w, machine.overhead_w, compute=compute, memory=memory, network=network)
    return float(power)


def idle_power_w(machine: Machine) -> float:
    """Power of an idle chip with its server share, W; NaN where the chip's power is not published."""
    if machine.tdp_w is None or machine.overhead_w is None:
        return math.nan
    return float(machine.tdp_w * machine.knobs.idle_share + machine.overhead_w)


def mean_power_w(seconds: Array, power_w: Array) -> Array:
    """Power averaged over the phases of a cycle, W.

    Parameters
    ----------
    seconds, power_w : array
        Length and power of each phase. Last axis: phase (prefill, decode, waiting, ...).

    Returns
    -------
    array
        Watts; the last axis is gone.

    Examples
    --------
    >>> float(mean_power_w(np.array([1.0, 3.0]), np.array([1000.0, 600.0])))
    700.0
    """
    seconds = np.asarray(seconds, dtype=float)
    energy = (seconds * np.asarray(power_w, dtype=float)).sum(axis=-1)
    return np.asarray(energy / seconds.sum(axis=-1))


def energy_per_token_j(power_w: Number, tokens_per_s_per_chip: Number, *, pue: Number) -> Array:
    """Energy at the meter per token: W x PUE / (tokens/s), J.

    Parameters
    ----------
    power_w : array or float
        IT power per chip, server and network included.
    tokens_per_s_per_chip : array or float
        Tokens of the kind that is asked for (output, or input and output).
    pue : array or float
        Facility over IT power.

    Returns
    -------
    array
        Joules per token; infinite where nothing comes out.

    Examples
    --------
    >>> float(energy_per_token_j(1000.0, 2000.0, pue=1.2))
    0.6
    """
    with np.errstate(divide="ignore"):
        return np.asarray(np.asarray(power_w, dtype=float) * pue / tokens_per_s_per_chip)


def kwh_per_mtok(energy_j: Number) -> Array:
    """Turn J per token into kWh per million tokens.

    Examples
    --------
    >>> float(kwh_per_mtok(3.6))
    1.0
    """
    return np.asarray(np.asarray(energy_j, dtype=float) * 1e6 / _J_PER_KWH)
