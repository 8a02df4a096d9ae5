"""One configuration opened up: rate, memory, power, bottleneck, and the equation behind each number."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np

from exaplan.domain.calibration import Calibration
from exaplan.domain.derivation import Derivation, Operand
from exaplan.domain.technology import Model
from exaplan.perf.counts import (
    forward_flop_per_token,
    kv_bytes,
    mean_causal_context,
    mean_context,
    parameters,
    training_flop_per_token,
)
from exaplan.perf.layers import kv_shards
from exaplan.perf.machine import Machine, Precision
from exaplan.perf.power import working_power_w
from exaplan.perf.schedules import ONE_F_ONE_B, SCHEDULES
from exaplan.perf.search import Found
from exaplan.perf.serving import ServeMesh, ServeRequest, ServeResult
from exaplan.perf.shapes import Array
from exaplan.perf.training import FULL, KEEP_ALL, SELECTIVE, TrainMesh, TrainRequest, TrainResult

Phase = Literal["train", "serve"]
SOURCE = "closed form of exaplan.perf, uncalibrated"
"""Source of a number that no measurement has moved."""
_TRAINING_STREAM_SHARE = (
    0.3  # main memory is busy at least this much behind the products of a training step; assumed
)


def source_of(calibration: Calibration | None) -> str:
    """Where an estimate comes from: the closed form, and the fit behind its coefficients."""
    if calibration is None:
        return SOURCE
    return f"closed form of exaplan.perf, calibrated {calibration.date} on {calibration.data}"


@dataclass(frozen=True)
class Estimate:
    """One configuration and what it is modelled to reach. ``tokens_per_s_per_chip`` counts input and output.

    ``log_sd`` is the log standard deviation of measured over modelled tokens/s; ``low_tokens_per_s_per_chip`` and
    ``high_tokens_per_s_per_chip`` hold 80 % of a log-normal of that width, ``spread`` says where the width comes from.
    """

    model: str
    chip: str
    phase: Phase
    precision: Precision
    configuration: str
    tp: int
    pp: int
    ep: int
    dp: int
    micro_batch: int  # sequences: of a microbatch (train), in flight per attention group and stage (serve)
    batch: float  # sequences: of a step (train), in flight per replica (serve)
    chips_per_replica: int  # disaggregated: those that decode
    tokens_per_s_per_chip: float
    model_flop_per_token: float
    mfu: float  # model FLOP over the dense peak at ``precision``
    memory_bytes: float
    memory_share: float
    power_w: float  # IT power of a chip at work; NaN where not published
    bottleneck: str
    terms: dict[str, float]  # seconds: per step (train), per output token (serve)
    tpot_s: float | None = None
    ttft_s: float | None = None
    step_s: float | None = None
    log_sd: float | None = None
    low_tokens_per_s_per_chip: float | None = None
    high_tokens_per_s_per_chip: float | None = None
    spread: str = ""
    layout: dict[str, float] = field(default_factory=dict)  # every column of the mesh at this configuration
    assumptions: tuple[str, ...] = ()
    derivations: tuple[Derivation, ...] = ()


def open_serving(
    model: Model,
    machine: Machine,
    request: ServeRequest,
    found: Found[ServeMesh, ServeResult],
    index: int,
    *,
    source: str = SOURCE,
) -> Estimate:
    """Open one serving configuration of a search; ``source`` stands behind each of its numbers."""
    mesh = found.mesh.take([index])
    rate, tpot = float(found.result.tokens_per_s_per_chip[index]), float(found.result.tpot_s[index])
    flop = serving_flop_per_token(model, request)
    memory = float(found.result.memory_bytes[index])
    terms = {
        name: float(seconds[index]) for name, seconds in found.result.terms.items() if seconds[index] > 0
    }
    workspace = float(machine.knobs.workspace_bytes)
    one = kv_bytes(model, request.context_tokens, machine.cache_value_bytes)
    cache = float((one * mesh.slots / kv_shards(model, mesh.tp))[0])
    parts = (("weights", memory - workspace - cache), ("cache", cache), ("workspace", workspace))
    power = working_power_w(
        machine,
        compute=flop * rate / float(machine.product_flop_per_s),
        memory=(memory - workspace) / float(machine.stream_bytes_per_s) / tpot,
        network=sum(seconds for name, seconds in terms.items() if name.endswith("traffic")) / tpot,
    )
    batch = float(mesh.batch[0])
    shared = _shared(model, machine, mesh, rate=rate, flop=flop, memory=memory, terms=terms)
    layout = "tp{tp}-pp{pp}-ep{ep}-dp{dp}".format(**shared)
    return Estimate(
        **shared,
        phase="serve",
        configuration=f"{layout}-batch{batch:.0f}-{machine.precision}",
        micro_batch=int(mesh.slots[0]),
        batch=batch,
        power_w=power,
        tpot_s=tpot,
        ttft_s=float(found.result.ttft_s[index]),
        derivations=_from(
            source,
            _serving_rate(rate, batch, tpot, float(mesh.chips[0]), request),
            _sum_derivation("tpot_s", tpot, terms),
            _memory_derivation(memory, parts),
            _mfu_derivation(flop, rate, machine),
        ),
    )


def open_training(
    model: Model,
    machine: Machine,
    request: TrainRequest,
    found: Found[TrainMesh, TrainResult],
    index: int,
    *,
    source: str = SOURCE,
) -> Estimate:
    """Open one training configuration of a search; ``source`` stands behind each of its numbers."""
    mesh, knobs = found.mesh.take([index]), machine.knobs
    rate, step = float(found.result.tokens_per_s_per_chip[index]), float(found.result.step_s[index])
    flop = trained_flop_per_token(model, request)
    terms = {
        name: float(seconds[index]) for name, seconds in found.result.terms.items() if seconds[index] > 0
    }
    exposed = (
        ("tensor", knobs.tensor_exposed),
        ("expert", knobs.expert_exposed),
        ("data", knobs.data_exposed),
        ("context", knobs.context_exposed),
    )
    network = sum(
        seconds / float(share)
        for name, seconds in terms.items()
        for kind, share in exposed
        if _is_traffic(name, kind)
    )
    streaming = (terms["elementwise"] + terms.get("optimizer", 0.0)) / step
    power = working_power_w(
        machine,
        compute=flop * rate / float(machine.product_flop_per_s * knobs.training_share),
        memory=streaming + _TRAINING_STREAM_SHARE,
        network=network / step,
    )
    memory = float(found.result.memory_bytes[index])
    shared = _shared(model, machine, mesh, rate=rate, flop=flop, memory=memory, terms=terms)
    layout = "tp{tp}-pp{pp}-ep{ep}-dp{dp}".format(**shared)
    again = {KEEP_ALL: "", SELECTIVE: "-selective", FULL: "-recompute"}[float(mesh.recompute[0])]
    order = "" if mesh.schedule[0] == ONE_F_ONE_B else f"-{SCHEDULES[float(mesh.schedule[0])]}"
    across = f"-cp{mesh.cp[0]:.0f}" if mesh.cp[0] > 1 else ""
    options = f"{across}{again}-zero{mesh.zero[0]:.0f}{order}"
    chunks = f"mbs{mesh.micro[0]:.0f}-v{mesh.interleave[0]:.0f}"
    return Estimate(
        **shared,
        phase="train",
        configuration=f"{layout}-{chunks}{options}-{machine.precision}",
        micro_batch=int(mesh.micro[0]),
        batch=float(request.batch_tokens / request.sequence_tokens),
        power_w=power,
        step_s=step,
        derivations=_from(
            source,
            _training_rate(rate, step, request),
            _sum_derivation("step_s", step, terms),
            _mfu_derivation(flop, rate, machine),
        ),
    )


def serving_flop_per_token(model: Model, request: ServeRequest) -> float:
    """Model FLOP of an average token of a request, input and output, causal attention averaged.

    Prompt tokens found in a cache of prefixes are attended to and cost nothing else.
    """
    known = request.input_tokens - request.prompt_tokens
    seen = mean_causal_context(model, request.prompt_tokens) + mean_context(model, known)
    prompt = forward_flop_per_token(model, seen)
    answer = forward_flop_per_token(model, mean_context(model, request.context_tokens))
    total = request.prompt_tokens * prompt + request.output_tokens * answer
    return float(total / (request.input_tokens + request.output_tokens))


def trained_flop_per_token(model: Model, request: TrainRequest) -> float:
    """Model FLOP of a training token; frozen parameters need no weight gradient, 2 FLOP a parameter less."""
    frozen = 1 - request.trainable_share
    whole = training_flop_per_token(model, request.sequence_tokens)
    return float(whole - 2 * frozen * parameters(model).active)


def columns_of(row: Estimate) -> dict[str, Array]:
    """Columns of a mesh that holds the configuration of an estimate and nothing else."""
    return {name: np.array([value]) for name, value in row.layout.items()}


def _from(source: str, *derivations: Derivation) -> tuple[Derivation, ...]:
    return tuple(replace(derivation, source=source) for derivation in derivations)


def _shared(
    model: Model,
    machine: Machine,
    mesh: ServeMesh | TrainMesh,
    *,
    rate: float,
    flop: float,
    memory: float,
    terms: dict[str, float],
) -> dict[str, Any]:
    """Fields that both phases fill alike."""
    return {
        "model": model.id,
        "chip": machine.chip,
        "precision": machine.precision,
        "tp": int(mesh.tp[0]),
        "pp": int(mesh.pp[0]),
        "ep": int(mesh.ep[0]),
        "dp": int(mesh.dp[0]),
        "chips_per_replica": int(mesh.chips[0]),
        "tokens_per_s_per_chip": rate,
        "model_flop_per_token": flop,
        "mfu": flop * rate / float(machine.peak_flop_per_s),
        "memory_bytes": memory,
        "memory_share": memory / float(machine.memory_bytes),
        "bottleneck": max(terms, key=lambda name: terms[name]),
        "terms": terms,
        "layout": {item.name: float(getattr(mesh, item.name)[0]) for item in fields(mesh)},
        "assumptions": machine.assumptions,
    }


def _is_traffic(name: str, kind: str) -> bool:
    return name.startswith(kind) and name.endswith("traffic")


def _serving_rate(rate: float, batch: float, tpot: float, chips: float, request: ServeRequest) -> Derivation:
    tokens, output = float(request.input_tokens + request.output_tokens), float(request.output_tokens)
    asked = (
        Operand("in_flight", batch, "sequence", "slots that the layout fills"),
        Operand("input", float(request.input_tokens), "token", "as asked"),
        Operand("output", output, "token", "as asked"),
        Operand("tpot", tpot, "s", "opened below"),
    )
    operands: tuple[Operand, ...]
    if request.disaggregated:
        both = batch * tokens / (rate * output * tpot)
        operands = (
            *asked,
            Operand("decode_chips", chips, "chip", "of one replica"),
            Operand("prefill_chips", both - chips, "chip", "that keep it supplied"),
        )
        formula = "in_flight * (input + output) / (output * tpot) / (decode_chips + prefill_chips)"
    else:
        cycle = batch * tokens / (rate * chips)
        operands = (
            *asked,
            Operand("prefill", cycle - output * tpot, "s", "machine time of one prompt"),
            Operand("chips", chips, "chip", "of one replica"),
        )
        formula = "in_flight * (input + output) / (prefill + output * tpot) / chips"
    return Derivation("tokens_per_s_per_chip", rate, "token/s/chip", formula, operands, SOURCE)


def _training_rate(rate: float, step: float, request: TrainRequest) -> Derivation:
    operands = (
        Operand("batch_tokens", float(request.batch_tokens), "token", "as asked"),
        Operand("step", step, "s", "opened below"),
        Operand("cluster", float(request.cluster_chips), "chip", "as asked"),
    )
    formula = "batch_tokens / step / cluster"
    return Derivation("tokens_per_s_per_chip", rate, "token/s/chip", formula, operands, SOURCE)


def _sum_derivation(key: str, value: float, terms: dict[str, float]) -> Derivation:
    operands = tuple(Operand(name, seconds, "s") for name, seconds in terms.items())
    return Derivation(key, value, "s", " + ".join(terms), operands, SOURCE)


def _memory_derivation(value: float, parts: tuple[tuple[str, float], ...]) -> Derivation:
    operands = tuple(Operand(name, size, "B") for name, size in parts)
    return Derivation("memory_bytes", value, "B", " + ".join(name for name, _ in parts), operands, SOURCE)


def _mfu_derivation(flop: float, rate: float, machine: Machine) -> Derivation:
    mfu = flop * rate / float(machine.peak_flop_per_s)
    operands = (
        Operand("model_flop_per_token", flop, "FLOP/token", "exact count, causal attention halved"),
        Operand("tokens_per_s_per_chip", rate, "token/s/chip", "opened above"),
        Operand(
            "peak",
            float(machine.peak_flop_per_s),
            "FLOP/s",
            f"dense {machine.precision} peak of {machine.chip}",
        ),
    )
    return Derivation(
        "mfu", mfu, "share", "model_flop_per_token * tokens_per_s_per_chip / peak", operands, SOURCE
    )
