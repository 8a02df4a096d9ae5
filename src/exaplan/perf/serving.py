"""Serving with continuous batching: prefill, decode step, their interference, limits. Arrays over configurations."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from exaplan.domain.technology import Model
from exaplan.perf.collectives import send_s
from exaplan.perf.counts import Array, mean_causal_context, mean_context
from exaplan.perf.layers import MESSAGE_BYTES, Split, Terms, forward_terms, head_s
from exaplan.perf.machine import Machine
from exaplan.perf.memory import local_parameters, serving_bytes

PREFILL_TOKENS = 8192.0
"""Prompt tokens that one prefill pass takes at most when prompts are short; default budget of common engines."""


@dataclass(frozen=True)
class ServeRequest:
    """An average request and the limits on its latency."""

    input_tokens: float
    output_tokens: float
    tpot_s: float = np.inf
    ttft_s: float | None = None

    @property
    def context_tokens(self) -> float:
        """Cache length of a sequence, averaged over its life: input + output/2."""
        return self.input_tokens + self.output_tokens / 2


@dataclass(frozen=True)
class ServeMesh:
    """Candidate configurations, one per element of each array.

    ``dp`` counts attention-data-parallel groups inside one replica (they share experts); ``slots`` counts sequences in
    flight per such group and pipeline stage.
    """

    tp: Array
    pp: Array
    ep: Array
    dp: Array
    slots: Array

    def take(self, index: np.ndarray | list[int]) -> ServeMesh:
        """Pick configurations by index or mask."""
        return ServeMesh(**{field.name: getattr(self, field.name)[index] for field in fields(self)})

    @property
    def chips(self) -> Array:
        """Chips of one replica."""
        return self.tp * self.pp * self.dp

    @property
    def etp(self) -> Array:
        """Split of one expert within a stage."""
        return self.tp * self.dp / self.ep

    @property
    def batch(self) -> Array:
        """Sequences in flight in one replica."""
        return self.slots * self.pp * self.dp


@dataclass(frozen=True)
class ServeResult:
    """What a serving configuration reaches; arrays over configurations."""

    tpot_s: Array
    ttft_s: Array
    tokens_per_s_per_chip: Array  # input and output
    output_tokens_per_s_per_chip: Array
    memory_bytes: Array
    terms: Terms  # seconds per output token


def serving_memory_bytes(model: Model, machine: Machine, request: ServeRequest, mesh: ServeMesh) -> Array:
    """Bytes on the fullest chip of each configuration."""
    local = local_parameters(model, mesh.tp, mesh.pp, mesh.ep, mesh.etp)
    return serving_bytes(
        model, machine, local, tp=mesh.tp, slots=mesh.slots, context_tokens=request.context_tokens
    )


def pass_terms(
    model: Model, machine: Machine, mesh: ServeMesh, tokens: Array, *, context_tokens: float, decode: bool
) -> Terms:
    """Time of all layers for ``tokens`` per attention group, by term; the whole pipeline once through, seconds."""
    split = Split(mesh.tp, mesh.ep, mesh.etp, tokens, tokens * mesh.dp, mesh.dp > 1)
    layer = forward_terms(model, machine, split, context_tokens=context_tokens, decode=decode)
    slow = 1 / machine.knobs.serving_share
    terms = {name: model.layers * slow * seconds for name, seconds in layer.items()}
    sparse = "experts" in layer
    knobs = machine.knobs
    fixed = knobs.layer_overhead_s + (knobs.sparse_overhead_s if sparse else 0.0)
    terms["small kernels"] = np.full_like(mesh.tp, model.layers * fixed)
    rows = tokens if decode else np.ones_like(tokens)
    terms["head"] = slow * head_s(model, machine, rows, mesh.tp)
    hop = send_s(
        tokens * model.hidden * MESSAGE_BYTES / mesh.tp, mesh.tp * mesh.dp >= machine.domain, machine
    )
    terms["pipeline messages"] = np.where(mesh.pp > 1, mesh.pp * hop, 0.0)
    return terms


def serve_closed_loop(model: Model, machine: Machine, request: ServeRequest, mesh: ServeMesh) -> ServeResult:
    """Latency and throughput with every slot filled.

    TPOT = t_step(b) + gamma (c - 1) t_pre / (output pp): between two tokens of a sequence its neighbours' prompts pass.
    TTFT = t_pass (1 + rho/(2 (1 - rho))) + t_step: one prefill pass, the wait of an M/D/1 queue (Pollaczek-Khinchine)
    at the share rho of time spent in prefill, and the step under way. Throughput = c / (t_pre + output TPOT), which with
    gamma = 1 conserves machine time. All slots decode, which is slightly pessimistic for the step.

    Parameters
    ----------
    model, machine, request : Model, Machine, ServeRequest
        What runs where, and the average request.
    mesh : ServeMesh
        Configurations.

    Returns
    -------
    ServeResult
        Seconds, tokens/s per chip, bytes, seconds per output token by term.
    """
    decode = pass_terms(
        model,
        machine,
        mesh,
        mesh.slots,
        context_tokens=mean_context(model, request.context_tokens),
        decode=True,
    )
    step = sum(decode.values(), np.zeros_like(mesh.tp))
    in_flight = mesh.slots * mesh.pp
    prompts = np.clip(np.floor(PREFILL_TOKENS / request.input_tokens), 1.0, in_flight)
    prefill = pass_terms(
        model,
        machine,
        mesh,
        prompts * request.input_tokens,
        context_tokens=mean_causal_context(model, request.input_tokens),
        decode=False,
    )
    whole_pass = sum(prefill.values(), np.zeros_like(mesh.tp))
    per_prompt = whole_pass / prompts / mesh.pp  # machine time of one stage
    output = request.output_tokens
    busy = in_flight * per_prompt
    interference = machine.knobs.prefill_interference * (in_flight - 1) * per_prompt / output
    tpot = step + interference
    rho = np.minimum(busy / (busy + output * step), 0.95)
    ttft = whole_pass * (1 + rho / (2 * (1 - rho))) + step
    requests = mesh.dp * in_flight / (per_prompt + output * tpot)
    decode["prefill of other requests"] = interference
    return ServeResult(
        tpot_s=tpot,
        ttft_s=ttft,
        tokens_per_s_per_chip=requests * (request.input_tokens + output) / mesh.chips,
        output_tokens_per_s_per_chip=requests * output / mesh.chips,
        memory_bytes=serving_memory_bytes(model, machine, request, mesh),
        terms=decode,
    )
