"""What each chip delivers on each workload."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.derivation import Derivation
from exaplan.domain.lab import Horizon, Lab
from exaplan.domain.segment import ServingModel
from exaplan.domain.workload import Serve, Workload


@dataclass(frozen=True)
class RateTable:
    """Delivered rate of one chip at work on one workload.

    Axes: chip, workload, quarter in the order of ``chips`` and ``workloads``; a segment that several models may serve has
    one column for each of them, named ``segment/model``. Serving rates are tokens/s (input and
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


@dataclass(frozen=True)
class RateColumn:
    """One column of a rate table: a workload, or a segment served by one of the models able to."""

    id: str
    workload: Workload
    model: str
    able: ServingModel | None  # where several models may serve the segment


def rate_columns(lab: Lab) -> tuple[RateColumn, ...]:
    """List the columns of a lab's rate table, in the order of its workloads."""
    columns = []
    for workload in lab.workloads:
        if isinstance(workload, Serve) and workload.models:
            columns += [
                RateColumn(f"{workload.id}/{able.model}", workload, able.model, able)
                for able in workload.models
            ]
        else:
            assert workload.model is not None  # noqa: S101 - the record has a model or models
            columns.append(RateColumn(workload.id, workload, workload.model, None))
    return tuple(columns)


def service_share(columns: tuple[RateColumn, ...], horizon: Horizon) -> np.ndarray:
    """Work done per token of each column's model [column, quarter]: 1 / ``tokens_ratio`` while it serves, else 0."""
    share = np.ones((len(columns), horizon.quarters))
    t = np.arange(horizon.quarters)
    for number, column in enumerate(columns):
        if column.able is not None:
            first = -np.inf if column.able.first is None else column.able.first - horizon.first
            last = np.inf if column.able.last is None else column.able.last - horizon.first
            share[number] = np.where((t >= first) & (t <= last), 1 / column.able.tokens_ratio, 0.0)
    return share
