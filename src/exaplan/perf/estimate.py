"""Search a model on a chip and open the best configurations."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, overload

import numpy as np

from exaplan.domain.calibration import Calibration
from exaplan.domain.errors import InputError, Problem
from exaplan.domain.technology import Chip, Model
from exaplan.perf.calibration.coefficients import calibrated_knobs, rate_log_sd, usual_stack
from exaplan.perf.calibration.interval import CENTRAL_80
from exaplan.perf.frontier import pareto
from exaplan.perf.knobs import Knobs
from exaplan.perf.machine import Machine, Precision, best_serving_precision, machine_of
from exaplan.perf.opened import (
    Estimate,
    Phase,
    columns_of,
    open_serving,
    open_training,
    source_of,
)
from exaplan.perf.search import REPLICA_CHIPS_MAX, search_serving, search_training
from exaplan.perf.serving import ServeMesh, ServeRequest, serve_closed_loop
from exaplan.perf.shapes import Array
from exaplan.perf.spread import prior_log_sd
from exaplan.perf.training import TrainMesh, TrainRequest, train_step

PRIOR = "prior of the uncalibrated model, assumed"
FITTED = "covariance of the fitted coefficients and the spread that they leave"
INTERVAL_SHARE = 0.8
"""Share of measurements that the interval of an estimate should hold."""


@dataclass(frozen=True)
class Survey:
    """A search with its best configurations, or the reason why there is none."""

    estimates: tuple[Estimate, ...]
    searched: int
    reason: str
    machine: Machine
    calibration: Calibration | None = None

    @property
    def source(self) -> str:
        """The closed form, and the fit behind its coefficients."""
        return source_of(self.calibration)


def estimate(  # noqa: PLR0913 - the flat face of the search; every option is a keyword
    model: Model,
    chip: Chip,
    *,
    phase: Phase = "serve",
    input_tokens: float | None = None,
    output_tokens: float | None = None,
    tpot_s: float | None = None,
    ttft_s: float | None = None,
    cluster_chips: float | None = None,
    batch_tokens: float | None = None,
    sequence_tokens: float | None = None,
    precision: Precision | None = None,
    calibration: Calibration | None = None,
    top: int = 5,
) -> tuple[Estimate, ...]:
    """Best configurations of a model on a chip, fastest per chip first.

    Parameters
    ----------
    model, chip : Model, Chip
        Records from the catalogue or a lab.
    phase : {"serve", "train"}
        Serving needs ``input_tokens`` and ``output_tokens``; ``tpot_s``, ``ttft_s`` (seconds) and ``cluster_chips`` are
        limits. Training needs ``cluster_chips``, ``batch_tokens`` and ``sequence_tokens``.
    precision : {"bf16", "fp8", "fp4"}, optional
        Of matrix products. Absent: FP8 for serving where the chip has it, else BF16.
    calibration : Calibration, optional
        Fitted coefficients; the starting ones where not given.
    top : int
        Configurations returned.

    Returns
    -------
    tuple of Estimate
        Empty when nothing is feasible; ``survey`` also says why.

    Raises
    ------
    InputError
        When a needed argument is missing.
    """
    request = request_of(
        phase,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        tpot_s=tpot_s,
        ttft_s=ttft_s,
        cluster_chips=cluster_chips,
        batch_tokens=batch_tokens,
        sequence_tokens=sequence_tokens,
    )
    found = survey(
        model,
        chip,
        request,
        precision=precision,
        chips_max=cluster_chips,
        calibration=calibration,
        top=top,
    )
    return found.estimates


@overload
def request_of(phase: Literal["serve"], **values: float | None) -> ServeRequest: ...
@overload
def request_of(phase: Literal["train"], **values: float | None) -> TrainRequest: ...
@overload
def request_of(phase: Phase, **values: float | None) -> ServeRequest | TrainRequest: ...
def request_of(phase: Phase, **values: float | None) -> ServeRequest | TrainRequest:
    """Build the request of a phase from named values, all missing ones reported at once.

    Raises
    ------
    InputError
        When a needed value is missing or not positive.
    """
    needed = (
        ("input_tokens", "output_tokens")
        if phase == "serve"
        else ("sequence_tokens", "batch_tokens", "cluster_chips")
    )
    problems = [Problem(f"{phase} needs {name}") for name in needed if values.get(name) is None]
    problems += [
        Problem(f"{name} is {value:g}; it must be positive")
        for name, value in values.items()
        if value is not None and not value > 0
    ]
    if problems:
        raise InputError(*problems)
    given = {name: float(value) for name, value in values.items() if value is not None}
    if phase == "train":
        return TrainRequest(given["sequence_tokens"], given["batch_tokens"], given["cluster_chips"])
    return ServeRequest(
        given["input_tokens"], given["output_tokens"], given.get("tpot_s", math.inf), given.get("ttft_s")
    )


def survey(  # noqa: PLR0913 - the face of the search below the command line; every option is a keyword
    model: Model,
    chip: Chip,
    request: ServeRequest | TrainRequest,
    *,
    precision: Precision | None = None,
    chips_max: float | None = None,
    knobs: Knobs | None = None,
    calibration: Calibration | None = None,
    engine: str = "",
    top: int = 5,
) -> Survey:
    """Search one request and open the best ``top`` configurations.

    Parameters
    ----------
    model, chip : Model, Chip
        Records from the catalogue or a lab.
    request : ServeRequest or TrainRequest
        What is asked for; it decides the phase.
    precision : {"bf16", "fp8", "fp4"}, optional
        Of matrix products. Absent: FP8 for serving where the chip has it, else BF16.
    chips_max : float, optional
        Most chips of a serving replica.
    knobs : Knobs, optional
        Coefficients; those of the calibration where not given, and without one those that ``knobs_for`` starts from.
    calibration : Calibration, optional
        Fitted effects with their covariance; the interval is the prior's where not given.
    engine : str
        Serving engine or training software whose own effects apply. Where empty: the average of all engines for serving,
        the usual software of the chip for training (``usual_stack``).
    top : int
        Configurations opened.

    Returns
    -------
    Survey
        Estimates with their 80 % intervals, best first; empty, with the reason, where nothing is feasible.
    """
    engine = engine or (usual_stack(chip) if isinstance(request, TrainRequest) else "")
    knobs = knobs or calibrated_knobs(chip, calibration, engine)
    source = source_of(calibration)
    if isinstance(request, TrainRequest):
        machine = machine_of(chip, precision or "bf16", knobs)
        jobs = search_training(model, machine, request)
        rows = [open_training(model, machine, request, jobs, int(i), source=source) for i in jobs.order[:top]]
        searched, reason = jobs.searched, jobs.reason
    else:
        machine = machine_of(chip, precision or best_serving_precision(chip), knobs)
        replicas = search_serving(model, machine, request, chips_max or REPLICA_CHIPS_MAX)
        best = replicas.order[:top]
        rows = [open_serving(model, machine, request, replicas, int(i), source=source) for i in best]
        searched, reason = replicas.searched, replicas.reason
    sure = _Sureness(model, chip, machine, request, calibration, engine)
    return Survey(tuple(sure.of(row) for row in rows), searched, reason, machine, calibration)


def pareto_survey(
    model: Model,
    chip: Chip,
    request: ServeRequest,
    *,
    precision: Precision | None = None,
    chips_max: float | None = None,
    calibration: Calibration | None = None,
    engine: str = "",
) -> Survey:
    """Open the serving configurations that no other beats in both tokens/s per chip and TPOT.

    Parameters
    ----------
    model, chip, request : Model, Chip, ServeRequest
        As in ``survey``.
    precision, chips_max, calibration, engine
        As in ``survey``.

    Returns
    -------
    Survey
        Within the request's limits, soonest token first; empty, with the reason, where nothing is feasible.
    """
    knobs = calibrated_knobs(chip, calibration, engine)
    machine = machine_of(chip, precision or best_serving_precision(chip), knobs)
    found = search_serving(model, machine, request, chips_max or REPLICA_CHIPS_MAX)
    allowed = found.order
    rate, tpot = found.result.tokens_per_s_per_chip[allowed], found.result.tpot_s[allowed]
    kept = pareto(tpot, rate, np.zeros_like(rate))
    source = source_of(calibration)
    sure = _Sureness(model, chip, machine, request, calibration, engine)
    rows = tuple(
        sure.of(open_serving(model, machine, request, found, int(i), source=source)) for i in allowed[kept]
    )
    return Survey(rows, found.searched, found.reason, machine, calibration)


@dataclass(frozen=True)
class _Sureness:
    """What the interval of an estimate depends on besides its configuration."""

    model: Model
    chip: Chip
    machine: Machine
    request: ServeRequest | TrainRequest
    calibration: Calibration | None
    engine: str

    def of(self, row: Estimate) -> Estimate:
        """Give an estimate its interval."""
        log_sd, spread = self._log_sd(row)
        factor = math.exp(CENTRAL_80 * log_sd)
        rate = row.tokens_per_s_per_chip
        return replace(
            row,
            log_sd=log_sd,
            low_tokens_per_s_per_chip=rate / factor,
            high_tokens_per_s_per_chip=rate * factor,
            spread=spread,
        )

    def _log_sd(self, row: Estimate) -> tuple[float, str]:
        serving = isinstance(self.request, ServeRequest)
        task: Literal["throughput", "pretrain"] = "throughput" if serving else "pretrain"
        spreads = self.calibration.spreads if self.calibration else ()
        tasks = {one.task for one in spreads if one.unseen == "source"}
        if self.calibration is None or task not in tasks:
            return prior_log_sd(self.chip, self.model, serving=serving), PRIOR
        known = rate_log_sd(
            self._rate(row), self.chip, self.model, self.calibration, task=task, engine=self.engine
        )
        return known, FITTED

    def _rate(self, row: Estimate) -> Callable[[Knobs], Array]:
        """Tokens/s per chip of the configuration as a function of coefficients laid out as arrays."""

        def rate(knobs: Knobs) -> Array:
            again = [0] * int(np.size(knobs.launch_s))
            machine = replace(self.machine, knobs=knobs)
            if isinstance(self.request, TrainRequest):
                job = TrainMesh(**columns_of(row)).take(again)
                return train_step(self.model, machine, self.request, job, memory=False).tokens_per_s_per_chip
            mesh = ServeMesh(**columns_of(row)).take(again)
            return serve_closed_loop(
                self.model, machine, self.request, mesh, memory=False
            ).tokens_per_s_per_chip

        return rate
