"""What each chip of a lab delivers on each workload, quarter by quarter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from exaplan.domain.calibration import Calibration
from exaplan.domain.derivation import Derivation, Operand
from exaplan.domain.errors import InputError, Problem
from exaplan.domain.lab import Lab
from exaplan.domain.rates import RateColumn, RateTable, rate_columns, service_share
from exaplan.domain.technology import Chip, Model
from exaplan.domain.workload import Inference, Software, Workload
from exaplan.perf.estimate import Survey, survey
from exaplan.perf.machine import best_serving_precision, machine_of
from exaplan.perf.opened import source_of
from exaplan.perf.power import idle_power_w, working_power_w
from exaplan.perf.serving import ServeRequest
from exaplan.perf.spread import prior_log_sd
from exaplan.perf.training import TrainRequest

Task = tuple[Model, Chip, ServeRequest | TrainRequest, Any, Calibration | None]
Map = Callable[[Callable[[Task], Survey], Iterable[Task]], Iterable[Survey]]


def fill_rates(
    lab: Lab,
    map: Map = map,  # noqa: A002 - the word of every room for a parallel map
    *,
    calibration: Calibration | None = None,
) -> RateTable:
    """Model every chip of a lab on every workload.

    Parameters
    ----------
    lab : Lab
        Chips, models, workloads, horizon and software dates.
    map : callable
        Serial by default; any ``map(function, tasks)`` that keeps the order.
    calibration : Calibration, optional
        Fitted coefficients; the starting ones, with the prior's spread, where not given.

    Returns
    -------
    RateTable
        Delivered rates [chip, workload, quarter]: serving and internal use in tokens/s/chip (input and output, times
        ``utilization`` and ``goodput``), training and safety in model FLOP/s/chip (times ``goodput``), after porting dates and
        maturity. A segment with several models has a column for each, in tokens of the segment's reference model, zero where
        the model is not there yet or retired.

    Raises
    ------
    InputError
        When a workload's model is not in the lab, or a chip's power is neither published nor typed.
    """
    _check(lab)
    columns = rate_columns(lab)
    chips, workloads = tuple(lab.chips), tuple(column.id for column in columns)
    surveys = _surveys(lab, columns, map, calibration)
    shape = (len(chips), len(workloads))
    quarters = lab.horizon.quarters
    steady, log_sd, power = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    bottleneck, configuration, provenance = (np.full(shape, "", dtype=object) for _ in range(3))
    derivations: list[Derivation] = []
    idle = np.asarray([idle_power_w(machine_of(chip, "bf16")) for chip in lab.chips.values()])
    source = source_of(calibration)
    for c, (name, chip) in enumerate(lab.chips.items()):
        for w, column in enumerate(columns):
            found, workload = surveys[c * shape[1] + w], column.workload
            model = lab.models[column.model]
            log_sd[c, w] = _log_sd(found, chip, model, workload)
            whose = "assumed" if calibration is None else "from the fit"
            spread = f"spread {log_sd[c, w]:.2f} {whose}"
            provenance[c, w] = "; ".join((source, spread, *found.machine.assumptions))
            if not found.estimates:
                bottleneck[c, w] = found.reason
                power[c, w] = working_power_w(found.machine, compute=1.0, memory=1.0, network=0.0)
                continue
            best = found.estimates[0]
            derivation = _delivered(f"rate.{name}.{column.id}", workload, found)
            steady[c, w], power[c, w] = derivation.value, best.power_w
            bottleneck[c, w], configuration[c, w] = best.bottleneck, best.configuration
            derivations += [
                derivation,
                *(_renamed(item, f"rate.{name}.{column.id}") for item in best.derivations),
            ]
    ready = _readiness(lab, chips, columns, quarters)
    mean = steady[:, :, None] * ready * service_share(columns, lab.horizon)
    return RateTable(
        chips=chips,
        workloads=workloads,
        mean=mean,
        log_sd=log_sd,
        feasible=mean > 0,
        power_w=power,
        idle_power_w=idle,
        bottleneck=bottleneck.astype(str),
        configuration=configuration.astype(str),
        provenance=provenance.astype(str),
        derivations=tuple(derivations),
    )


def _log_sd(found: Survey, chip: Chip, model: Model, workload: Workload) -> float:
    """Spread of the best configuration; where none is feasible, that of the prior."""
    if found.estimates and found.estimates[0].log_sd is not None:
        return found.estimates[0].log_sd
    return prior_log_sd(chip, model, serving=isinstance(workload, Inference))


def _check(lab: Lab) -> None:
    problems = [
        Problem(f"workload {column.workload.id} runs model {column.model}, which the lab does not have")
        for column in rate_columns(lab)
        if column.model not in lab.models
    ]
    problems += [
        Problem(f"power of chip {name} is not published", suggestion="give it tdp or it_power")
        for name, chip in lab.chips.items()
        if chip.tdp_w is None and chip.it_power_w is None
    ]
    if problems:
        raise InputError(*problems)


def _surveys(
    lab: Lab, columns: tuple[RateColumn, ...], map_tasks: Map, calibration: Calibration | None
) -> list[Survey]:
    """One survey per (chip, column), chips outermost; equal tasks are searched once."""
    tasks: list[Task] = []
    where: list[int] = []
    known: dict[tuple[Any, ...], int] = {}
    for name, chip in lab.chips.items():
        for column in columns:
            workload = column.workload
            request = _request(workload)
            precision = (
                best_serving_precision(chip) if isinstance(workload, Inference) else workload.precision
            )
            key = (name, column.model, request, precision)
            if key not in known:
                known[key] = len(tasks)
                tasks.append((lab.models[column.model], chip, request, precision, calibration))
            where.append(known[key])
    done = list(map_tasks(_survey_best, tasks))
    return [done[index] for index in where]


def _survey_best(task: Task) -> Survey:
    model, chip, request, precision, calibration = task
    return survey(model, chip, request, precision=precision, calibration=calibration, top=1)


def _request(workload: Workload) -> ServeRequest | TrainRequest:
    if isinstance(workload, Inference):
        return ServeRequest(workload.input_tokens, workload.output_tokens, workload.tpot_s, workload.ttft_s)
    return TrainRequest(workload.sequence_tokens, workload.batch_tokens, workload.cluster_chips)


def _delivered(key: str, workload: Workload, found: Survey) -> Derivation:
    """Reality on top of the model: utilisation cap and goodput."""
    best = found.estimates[0]
    rate = Operand("modelled", best.tokens_per_s_per_chip, "token/s/chip", best.configuration)
    goodput = Operand("goodput", workload.goodput, "share", f"workload {workload.id}")
    if isinstance(workload, Inference):
        cap = Operand("utilization", workload.utilization, "share", f"workload {workload.id}")
        value = rate.value * cap.value * goodput.value
        return Derivation(
            key, value, "token/s/chip", "modelled * utilization * goodput", (rate, cap, goodput), found.source
        )
    flop = Operand("model_flop_per_token", best.model_flop_per_token, "FLOP/token", "exact count")
    value = rate.value * flop.value * goodput.value
    formula = "modelled * model_flop_per_token * goodput"
    return Derivation(key, value, "FLOP/s/chip", formula, (rate, flop, goodput), found.source)


def _renamed(derivation: Derivation, prefix: str) -> Derivation:
    return Derivation(
        f"{prefix}.{derivation.key}",
        derivation.value,
        derivation.unit,
        derivation.formula,
        derivation.operands,
        derivation.source,
    )


def _readiness(
    lab: Lab, chips: tuple[str, ...], columns: tuple[RateColumn, ...], quarters: int
) -> np.ndarray:
    """Share of the modelled rate that the software reaches [chip, column, quarter]; the least where rules overlap."""
    share = np.ones((len(chips), len(columns), quarters))
    workloads = [column.workload.id for column in columns]
    problems = []
    for rule in lab.software:
        unknown = [name for name in (rule.chip,) if name not in chips]
        unknown += [name for name in rule.workloads if name not in workloads]
        if unknown:
            problems.append(Problem(f"software of chip {rule.chip} refers to unknown {', '.join(unknown)}"))
            continue
        column = maturity(rule, lab.horizon.first - rule.ready, quarters)
        concerned = [number for number, name in enumerate(workloads) if name in rule.workloads]
        index = np.ix_([chips.index(rule.chip)], concerned)
        share[index] = np.minimum(share[index], column)
    if problems:
        raise InputError(*problems)
    return share


def maturity(rule: Software, first: int, quarters: int) -> np.ndarray:
    """Share of the modelled rate, per quarter; ``first`` is the age of the software in the first quarter (may be < 0).

    Zero before it is ready, then a straight line from ``maturity`` to 1 over ``ramp_quarters``; without a ramp the
    maturity stays.
    """
    age = np.arange(first, first + quarters, dtype=float)
    climb = np.minimum(age / rule.ramp_quarters, 1.0) if rule.ramp_quarters else np.zeros(quarters)
    return np.where(age < 0, 0.0, rule.maturity + (1 - rule.maturity) * climb)
