"""Operators of one configuration on the roofline: FLOP, bytes, and which limit binds.

Nothing is counted twice over: the engine's own formulas are asked for their time on the chip as it is, on one with
endless bandwidth, on one with endless FLOP/s, and on one with both. What each limit alone would cost follows by
subtraction, and on a chip whose shares are all 1 it is a count: FLOP = seconds x peak, bytes = seconds x bandwidth.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np

from exaplan.domain.technology import Model
from exaplan.perf.counts import mean_causal_context, mean_context
from exaplan.perf.knobs import Knobs
from exaplan.perf.layers import Terms
from exaplan.perf.machine import Machine
from exaplan.perf.opened import Estimate, columns_of
from exaplan.perf.serving import PREFILL_TOKENS, ServeMesh, ServeRequest, pass_terms
from exaplan.perf.training import TrainMesh, TrainRequest, train_step

Part = Literal["decode", "prefill", "step"]
Side = Literal["compute", "memory", "launches"]
_FINE_TILE = 1e-9
_WHOLE = (
    "flop_share", "flop_share_fp8", "flop_share_fp4", "expert_share", "weight_only_share", "memory_share",
    "attention_share", "attention_backward_share", "attention_decode_share", "training_share",
    "sparse_training_share", "serving_share", "prefill_share", "training_expert_share",
)  # fmt: skip
_ABSENT = (
    "inner_half", "software_gap", "low_software_gap", "sparse_software_gap", "slowdown_per_doubling",
)  # fmt: skip


@dataclass(frozen=True)
class Operator:
    """One kind of operator of a chip, summed over layers: a decode step, a prefill pass or a training step.

    Attributes
    ----------
    name, part : str
        Term of the estimate, and what it is summed over.
    seconds : float
        Modelled time.
    flop, useful_flop : float
        Performed, tile padding included, and without padding.
    moved_bytes : float
        Main memory read and written.
    compute_s, memory_s, fixed_s : float
        Time under one limit alone at the shares of peak that kernels reach, and time that neither limit explains.
    peak_flop_per_s, peak_bytes_per_s : float
        Published peaks that the roofline is drawn with.
    """

    name: str
    part: Part
    seconds: float
    flop: float
    useful_flop: float
    moved_bytes: float
    compute_s: float
    memory_s: float
    fixed_s: float
    peak_flop_per_s: float
    peak_bytes_per_s: float

    @property
    def intensity(self) -> float:
        """FLOP per byte; infinite where no bytes are counted."""
        return self.flop / self.moved_bytes if self.moved_bytes > 0 else math.inf

    @property
    def ridge(self) -> float:
        """FLOP per byte from which compute binds at the published peaks."""
        return self.peak_flop_per_s / self.peak_bytes_per_s

    @property
    def flop_per_s(self) -> float:
        """Performed FLOP over modelled time."""
        return self.flop / self.seconds

    @property
    def binds(self) -> Side:
        """Limit that costs most by itself."""
        sides: tuple[tuple[Side, float], ...] = (
            ("compute", self.compute_s),
            ("memory", self.memory_s),
            ("launches", self.fixed_s),
        )
        return max(sides, key=lambda side: side[1])[0]


def operators_of(
    model: Model, machine: Machine, request: ServeRequest | TrainRequest, row: Estimate
) -> tuple[Operator, ...]:
    """Operators of an estimate, longest first: a decode step and a prefill pass, or a training step.

    Parameters
    ----------
    model, machine, request : Model, Machine, ServeRequest or TrainRequest
        As searched.
    row : Estimate
        One configuration of that search.

    Returns
    -------
    tuple of Operator
        Messages, bubbles and fixed times are none and are left out.
    """
    passes = _passes(model, request, row)
    found = [one for part in passes for one in _operators(machine, part, passes[part])]
    parts = list(passes)
    return tuple(sorted(found, key=lambda one: (parts.index(one.part), -one.seconds)))


def bottleneck_operator(row: Estimate, operators: tuple[Operator, ...]) -> Operator | None:
    """Operator behind the named bottleneck; None where messages, bubbles or fixed times bind."""
    if row.bottleneck == "prefill of other requests":
        behind = [one for one in operators if one.part == "prefill"]
    else:
        behind = [one for one in operators if one.part != "prefill" and one.name == row.bottleneck]
    return behind[0] if behind else None


def _operators(machine: Machine, part: Part, terms: Callable[[Machine], Terms]) -> list[Operator]:
    bare, ideal = _without_launches(machine), _at_published_peaks(machine)
    real, fixed, floor = terms(machine), terms(_endless(machine)), terms(_endless(bare))
    compute, memory = terms(_endless(bare, flop=False)), terms(_endless(bare, bandwidth=False))
    nothing = terms(_endless(ideal))
    flop, moved = terms(_endless(ideal, flop=False)), terms(_endless(ideal, bandwidth=False))
    useful = terms(_endless(replace(ideal, tile=_FINE_TILE, systolic=False), flop=False))
    bandwidth = float(machine.memory_bytes_per_s)
    found = []
    for name in real:
        if name.endswith(("traffic", "messages", "bubble", "stages")):
            continue
        peak = float(machine.bf16_flop_per_s if name == "attention" else machine.peak_flop_per_s)
        counted = [float((one[name] - nothing[name])[0]) for one in (flop, useful, moved)]
        if counted[0] * peak < 1 and counted[2] * bandwidth < 1:
            continue
        found.append(
            Operator(
                name=name,
                part=part,
                seconds=float(real[name][0]),
                flop=counted[0] * peak,
                useful_flop=counted[1] * peak,
                moved_bytes=counted[2] * bandwidth,
                compute_s=float((compute[name] - floor[name])[0]),
                memory_s=float((memory[name] - floor[name])[0]),
                fixed_s=float(fixed[name][0]),
                peak_flop_per_s=peak,
                peak_bytes_per_s=bandwidth,
            )
        )
    return found


def _passes(
    model: Model, request: ServeRequest | TrainRequest, row: Estimate
) -> dict[Part, Callable[[Machine], Terms]]:
    """Take an estimate apart into functions of the chip that give seconds by term."""
    if isinstance(request, TrainRequest):
        job = TrainMesh(**columns_of(row))
        return {"step": lambda machine: train_step(model, machine, request, job, memory=False).terms}
    mesh = ServeMesh(**columns_of(row))
    in_flight = np.maximum(mesh.slots * mesh.pp, 1.0)
    prompts = np.clip(np.floor(PREFILL_TOKENS / request.prompt_tokens), 1.0, in_flight)
    known = mean_context(model, request.input_tokens - request.prompt_tokens)
    fresh = mean_causal_context(model, request.prompt_tokens) + known
    context = mean_context(model, request.context_tokens)
    steps, rows = mesh.slots * (1 + request.draft_tokens), prompts * request.prompt_tokens
    return {
        "decode": lambda on: pass_terms(model, on, mesh, steps, context_tokens=context, decode=True),
        "prefill": lambda on: pass_terms(model, on, mesh, rows, context_tokens=fresh, decode=False),
    }


def _endless(machine: Machine, *, flop: bool = True, bandwidth: bool = True) -> Machine:
    if flop:
        machine = replace(machine, peak_flop_per_s=math.inf, bf16_flop_per_s=math.inf)
    return replace(machine, memory_bytes_per_s=math.inf) if bandwidth else machine


def _without_launches(machine: Machine) -> Machine:
    return replace(machine, knobs=replace(machine.knobs, launch_s=0.0, launch_fp8_s=0.0))


def _at_published_peaks(machine: Machine) -> Machine:
    """Set every share of a chip to 1 and every loss to 0: what is left are counts."""
    known = {field.name for field in fields(Knobs)}
    ones = dict.fromkeys((name for name in _WHOLE if name in known), 1.0)
    zeros = dict.fromkeys((name for name in _ABSENT if name in known), 0.0)
    return _without_launches(replace(machine, knobs=replace(machine.knobs, **ones, **zeros)))
