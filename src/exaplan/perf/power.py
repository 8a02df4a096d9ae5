"""Electric power of a chip at work and idle, with its share of server and network, before PUE.

Chip power = TDP (static 0.30 + 0.40 util_F + 0.20 util_B + 0.10 util_net), the split of GenZ (arXiv 2406.01698); idle
0.1-0.2 TDP. Server and network power are IT power less TDP where published, drawn whether the chip works or not.
"""

from __future__ import annotations

import math

from exaplan.perf.machine import Machine

STATIC_SHARE, COMPUTE_SHARE, MEMORY_SHARE, NETWORK_SHARE = 0.30, 0.40, 0.20, 0.10


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
    used = [min(max(share, 0.0), 1.0) for share in (compute, memory, network)]
    share = STATIC_SHARE + COMPUTE_SHARE * used[0] + MEMORY_SHARE * used[1] + NETWORK_SHARE * used[2]
    return machine.tdp_w * share + machine.overhead_w


def idle_power_w(machine: Machine) -> float:
    """Power of an idle chip with its server share, W; NaN where the chip's power is not published."""
    if machine.tdp_w is None or machine.overhead_w is None:
        return math.nan
    return machine.tdp_w * machine.knobs.idle_share + machine.overhead_w
