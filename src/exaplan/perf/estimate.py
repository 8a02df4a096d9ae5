"""Search a model on a chip and open the best configurations."""

from __future__ import annotations

import math
from dataclasses import dataclass

from exaplan.domain.errors import InputError, Problem
from exaplan.domain.technology import Chip, Model
from exaplan.perf.knobs import Knobs
from exaplan.perf.machine import Machine, Precision, best_serving_precision, machine_of
from exaplan.perf.opened import Estimate, Phase, open_serving, open_training
from exaplan.perf.search import REPLICA_CHIPS_MAX, search_serving, search_training
from exaplan.perf.serving import ServeRequest
from exaplan.perf.training import TrainRequest


@dataclass(frozen=True)
class Survey:
    """A search with its best configurations, or the reason why there is none."""

    estimates: tuple[Estimate, ...]
    searched: int
    reason: str
    machine: Machine


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
    return survey(model, chip, request, precision=precision, chips_max=cluster_chips, top=top).estimates


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
        return TrainRequest(**{name: given[name] for name in needed})
    return ServeRequest(
        given["input_tokens"], given["output_tokens"], given.get("tpot_s", math.inf), given.get("ttft_s")
    )


def survey(
    model: Model,
    chip: Chip,
    request: ServeRequest | TrainRequest,
    *,
    precision: Precision | None = None,
    chips_max: float | None = None,
    knobs: Knobs | None = None,
    top: int = 5,
) -> Survey:
    """Search one request and open the best ``top`` configurations."""
    if isinstance(request, TrainRequest):
        machine = machine_of(chip, precision or "bf16", knobs)
        found = search_training(model, machine, request)
        rows = tuple(open_training(model, machine, request, found, int(i)) for i in found.order[:top])
        return Survey(rows, found.searched, found.reason, machine)
    machine = machine_of(chip, precision or best_serving_precision(chip), knobs)
    replicas = search_serving(model, machine, request, chips_max or REPLICA_CHIPS_MAX)
    rows = tuple(open_serving(model, machine, request, replicas, int(i)) for i in replicas.order[:top])
    return Survey(rows, replicas.searched, replicas.reason, machine)
