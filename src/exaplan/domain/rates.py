"""What each chip delivers on each workload."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.derivation import Derivation


@dataclass(frozen=True)
class RateTable:
    """Delivered rate of one chip at work on one workload.

    Axes: chip, workload, quarter in the order of ``chips`` and ``workloads``. Serving rates are tokens/s (input and
    output together), training and safety rates are model FLOP/s; goodput, the utilisation cap of serving, porting
    dates and maturity are already in. ``log_sd`` is the spread of the model's error, ``mean`` is zero where not
    ``feasible``.
    """

    chips: tuple[str, ...]
    workloads: tuple[str, ...]
    mean: np.ndarray  # [chip, workload, quarter] token/s/chip or FLOP/s/chip
    log_sd: np.ndarray  # [chip, workload]
    feasible: np.ndarray  # [chip, workload, quarter] bool
    power_w: np.ndarray  # [chip, workload] IT power of a chip at work
    idle_power_w: np.ndarray  # [chip] IT power of an idle chip
    bottleneck: np.ndarray  # [chip, workload] str
    configuration: np.ndarray  # [chip, workload] str, id of the winning configuration
    provenance: np.ndarray  # [chip, workload] str
    derivations: tuple[Derivation, ...] = ()
