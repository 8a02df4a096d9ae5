"""Time of one training step: stages, bubble, exposed messages, optimizer. Arrays over configurations."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from exaplan.domain.technology import Model
from exaplan.perf.collectives import scatter_s, send_s
from exaplan.perf.counts import Array, Mask, mean_causal_context, training_flop_per_token
from exaplan.perf.layers import MESSAGE_BYTES, Split, Terms, forward_terms, head_s
from exaplan.perf.machine import Machine
from exaplan.perf.memory import LocalParameters, TrainingMemory, local_parameters, training_bytes

_BACKWARD_ATTENTION = (
    2.5  # fused attention recomputes its scores backward (FlashAttention-2, arXiv 2307.08691)
)
_OPTIMIZER_TRAFFIC_BYTES = 20.0  # read and write master weight and two moments, write the weight
_MESSAGES = ("tensor-parallel traffic", "expert traffic")


@dataclass(frozen=True)
class TrainRequest:
    """One training job: sequence, global batch, chips it spans."""

    sequence_tokens: float
    batch_tokens: float
    cluster_chips: float


@dataclass(frozen=True)
class TrainMesh:
    """Candidate configurations, one per element of each array."""

    tp: Array
    pp: Array
    ep: Array
    dp: Array
    micro: Array  # sequences per microbatch
    interleave: Array  # model chunks per pipeline stage
    recompute: Mask  # full recomputation
    sharded: Mask  # ZeRO-3

    def take(self, index: np.ndarray | list[int]) -> TrainMesh:
        """Pick configurations by index or mask."""
        return TrainMesh(**{field.name: getattr(self, field.name)[index] for field in fields(self)})

    @property
    def chips(self) -> Array:
        """Chips at work."""
        return self.tp * self.pp * self.dp

    @property
    def etp(self) -> Array:
        """Split of one expert: experts are split like dense blocks unless they are spread over ranks."""
        return np.where(self.ep > 1, 1.0, self.tp)


@dataclass(frozen=True)
class TrainResult:
    """What a training configuration reaches; arrays over configurations."""

    step_s: Array
    tokens_per_s_per_chip: Array
    memory_bytes: Array
    terms: Terms


def microbatches(request: TrainRequest, mesh: TrainMesh) -> Array:
    """Microbatches per pipeline, rounded up; a batch that does not divide leaves ranks idle."""
    sequences = request.batch_tokens / request.sequence_tokens
    return np.maximum(np.ceil(sequences / (mesh.micro * mesh.dp) - 1e-9), 1.0)


def _local(model: Model, mesh: TrainMesh) -> tuple[LocalParameters, Array]:
    local = local_parameters(model, mesh.tp, mesh.pp, mesh.ep, mesh.etp)
    expert_dp = np.maximum(mesh.tp * mesh.dp / (mesh.ep * mesh.etp), 1.0)
    return local, expert_dp


def training_memory_bytes(model: Model, machine: Machine, request: TrainRequest, mesh: TrainMesh) -> Array:
    """Bytes on the fullest chip of each configuration."""
    local, expert_dp = _local(model, mesh)
    plan = TrainingMemory(
        local=local,
        tp=mesh.tp,
        pp=mesh.pp,
        dp=mesh.dp,
        expert_dp=expert_dp,
        micro_tokens=mesh.micro * request.sequence_tokens,
        microbatches=microbatches(request, mesh),
        interleave=mesh.interleave,
        recompute=mesh.recompute,
        sharded=mesh.sharded,
    )
    return training_bytes(model, machine, plan)


def train_step(model: Model, machine: Machine, request: TrainRequest, mesh: TrainMesh) -> TrainResult:
    """Time one step of each configuration.

    T = stage (m + xi (pp - 1)/v) + chi_DP T_DP + T_opt, where a stage is the slowest of uneven stages, m counts
    microbatches and v chunks per stage (1F1B and interleaved: Narayanan et al., arXiv 2104.04473, section 2.2).

    Parameters
    ----------
    model, machine, request : Model, Machine, TrainRequest
        What runs where, and the job.
    mesh : TrainMesh
        Configurations.

    Returns
    -------
    TrainResult
        Seconds, tokens/s per chip of the whole cluster (idle remainder counted), bytes, seconds by term.
    """
    knobs = machine.knobs
    layer, head = _microbatch_terms(model, machine, request, mesh)
    per_layer = sum(layer.values(), np.zeros_like(mesh.tp))
    base = np.floor(model.layers / mesh.pp)
    most = np.ceil(model.layers / mesh.pp)
    stage = np.minimum(
        _uneven(model, per_layer, head, mesh.pp, base), _uneven(model, per_layer, head, mesh.pp, base - 1)
    )
    micro_tokens = mesh.micro * request.sequence_tokens
    hop = send_s(
        micro_tokens * model.hidden * MESSAGE_BYTES / mesh.tp, mesh.tp * mesh.dp >= machine.domain, machine
    )
    hops = np.where(mesh.pp > 1, 2 * mesh.interleave * hop, 0.0)
    count = microbatches(request, mesh)
    bubble = knobs.bubble * (mesh.pp - 1) / mesh.interleave * (stage + hops / mesh.interleave)
    data, optimizer = _data_and_optimizer_s(model, machine, mesh, count)
    terms = {name: seconds * most * count for name, seconds in layer.items()}
    terms["head and uneven stages"] = (stage - most * per_layer) * count
    terms["pipeline messages"] = hops * count
    terms["pipeline bubble"] = bubble
    terms["data-parallel traffic"] = data
    terms["optimizer"] = optimizer
    step = (stage + hops) * count + bubble + data + optimizer
    rate = request.batch_tokens / step / request.cluster_chips
    return TrainResult(step, rate, training_memory_bytes(model, machine, request, mesh), terms)


def _uneven(model: Model, layer: Array, head: Array, pp: Array, last: Array) -> Array:
    """Slowest stage when the last one, which also has the head, gets ``last`` layers."""
    last = np.maximum(np.where(pp > 1, last, float(model.layers)), 0.0)
    others = np.where(pp > 1, np.ceil((model.layers - last) / np.maximum(pp - 1, 1)), 0.0)
    return np.maximum(others * layer, last * layer + head)


def _microbatch_terms(
    model: Model, machine: Machine, request: TrainRequest, mesh: TrainMesh
) -> tuple[Terms, Array]:
    """Forward, backward and recomputed forward of one microbatch: per layer by term, and the head."""
    knobs = machine.knobs
    tokens = mesh.micro * request.sequence_tokens
    spread = mesh.ep > 1
    routed = np.where(spread, tokens / mesh.tp * mesh.ep, tokens)
    split = Split(mesh.tp, mesh.ep, mesh.etp, tokens, routed, spread)
    context = mean_causal_context(model, request.sequence_tokens)
    forward = forward_terms(model, machine, split, context_tokens=context, decode=False)
    again = np.where(mesh.recompute, 1.0, 0.0)
    passes = 3.0 + again
    slow = 1 / knobs.training_share
    exposed = {"tensor-parallel traffic": knobs.tensor_exposed, "expert traffic": knobs.expert_exposed}
    terms: Terms = {}
    for name, seconds in forward.items():
        if name in _MESSAGES:
            terms[name] = seconds * (passes - 1.0) * exposed[name]
        elif name == "attention":
            backward = _BACKWARD_ATTENTION * knobs.attention_share / knobs.attention_backward_share
            terms[name] = seconds * (1 + again + backward) * slow
        else:
            terms[name] = seconds * passes * slow
    return terms, 3.0 * slow * head_s(model, machine, tokens, mesh.tp)


def _data_and_optimizer_s(
    model: Model, machine: Machine, mesh: TrainMesh, count: Array
) -> tuple[Array, Array]:
    """Exposed gradient and weight traffic, and the optimizer's pass over its states."""
    local, expert_dp = _local(model, mesh)
    common = scatter_s(local.common * MESSAGE_BYTES, mesh.dp, mesh.tp, machine)
    experts = scatter_s(local.experts * MESSAGE_BYTES, expert_dp, mesh.ep * mesh.etp, machine)
    # ZeRO-1 scatters gradients and gathers weights once a step; ZeRO-3 gathers twice and scatters once a microbatch
    rounds = np.where(mesh.sharded, 3.0 * count, 2.0)
    states = local.common / mesh.dp + local.experts / expert_dp
    optimizer = _OPTIMIZER_TRAFFIC_BYTES * states / machine.stream_bytes_per_s
    return rounds * (common + experts) * machine.knobs.data_exposed, optimizer


def model_flop_share(model: Model, machine: Machine, request: TrainRequest, rate: Array) -> Array:
    """MFU: model FLOP over the dense peak of the precision in use."""
    return training_flop_per_token(model, request.sequence_tokens) * rate / machine.peak_flop_per_s
