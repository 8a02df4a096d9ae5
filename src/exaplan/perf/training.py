"""Time of one training step: stages, bubble, exposed messages, optimizer. Arrays over configurations."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from exaplan.perf.collectives import scatter_s, send_s
from exaplan.perf.counts import is_mla, layer_split, mean_causal_context, training_flop_per_token
from exaplan.perf.layers import MESSAGE_BYTES, Split, Terms, forward_terms, head_s
from exaplan.perf.machine import Machine
from exaplan.perf.memory import (
    GRADIENT_BYTES,
    STATE_BYTES,
    WEIGHT_BYTES,
    LocalParameters,
    TrainingMemory,
    local_parameters,
    training_bytes,
)
from exaplan.perf.schedules import DUAL_PIPE, bubble_share, in_flight, weight_copies
from exaplan.perf.shapes import Architecture, Array, Flag, Number, either

_BACKWARD_ATTENTION = (
    2.5  # fused attention recomputes its scores backward (FlashAttention-2, arXiv 2307.08691)
)
_MESSAGES = ("tensor-parallel traffic", "expert traffic", "context-parallel traffic")
_LEAST_S = 1e-30
_DUAL_PIPE_COVER = 1.5  # three passes of work stand against two of messages
KEEP_ALL, SELECTIVE, FULL = 0.0, 1.0, 2.0
"""What is recomputed backward: nothing; norms, activation functions and MLA's up-projections; the whole layer."""
_MONTHS_PER_HALVING = 12.0
_SCORE_BYTES = 2.0 * 6.0  # scores and masks in BF16 written and read by softmax, dropout and both products


@dataclass(frozen=True)
class TrainRequest:
    """One training job: sequence, global batch, chips it spans. Numbers, or arrays over rows."""

    sequence_tokens: Number
    batch_tokens: Number
    cluster_chips: Number
    trainable_share: Number = 1.0
    """Share of parameters that are trained; below 1 (LoRA) frozen weights need no gradient product."""
    classic: Flag = False
    """Software as before mid-2022: attention in separate kernels, no sequence parallelism, no overlap of messages.

    FlashAttention is arXiv 2205.14135, sequence parallelism arXiv 2205.05198.
    """
    gradient_bytes: Number = GRADIENT_BYTES
    state_bytes: Number = STATE_BYTES
    """Bytes per trained parameter of gradients, and of master weight and moments: 12 in FP32, 8 with BF16 moments, 6
    with 8-bit moments."""


@dataclass(frozen=True)
class TrainMesh:
    """Candidate configurations, one per element of each array."""

    tp: Array
    pp: Array
    ep: Array
    dp: Array
    cp: Array  # ranks that share one sequence
    micro: Array  # sequences per microbatch
    interleave: Array  # model chunks per pipeline stage
    recompute: Array  # KEEP_ALL, SELECTIVE or FULL
    zero: Array  # ZeRO stage 0 to 3
    schedule: Array  # of exaplan.perf.schedules

    def take(self, index: np.ndarray | list[int]) -> TrainMesh:
        """Pick configurations by index or mask."""
        return TrainMesh(**{field.name: getattr(self, field.name)[index] for field in fields(self)})

    @property
    def chips(self) -> Array:
        """Chips at work."""
        return self.tp * self.pp * self.cp * self.dp

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


def _local(model: Architecture, mesh: TrainMesh) -> tuple[LocalParameters, Array]:
    local = local_parameters(model, mesh.tp, mesh.pp, mesh.ep, mesh.etp)
    expert_dp = np.maximum(mesh.tp * mesh.cp * mesh.dp / (mesh.ep * mesh.etp), 1.0)
    return local, expert_dp


def training_memory_bytes(
    model: Architecture, machine: Machine, request: TrainRequest, mesh: TrainMesh
) -> Array:
    """Bytes on the fullest chip of each configuration."""
    local, expert_dp = _local(model, mesh)
    copies = weight_copies(mesh.schedule)
    held = in_flight(mesh.schedule, mesh.pp, mesh.interleave, microbatches(request, mesh))
    plan = TrainingMemory(
        local=LocalParameters(local.common * copies, local.experts * copies),
        tp=mesh.tp,
        pp=mesh.pp,
        dp=mesh.dp * mesh.cp,
        expert_dp=expert_dp,
        micro_tokens=mesh.micro * request.sequence_tokens / mesh.cp,
        in_flight=held,
        recompute=mesh.recompute,
        zero=mesh.zero,
        trainable_share=request.trainable_share,
        gradient_bytes=request.gradient_bytes,
        state_bytes=request.state_bytes,
    )
    return training_bytes(model, machine, plan)


def train_step(
    model: Architecture, machine: Machine, request: TrainRequest, mesh: TrainMesh, *, memory: bool = True
) -> TrainResult:
    """Time one step of each configuration.

    T = (stage + hops) m + xi bubble (stage + hops/v) + chi_DP T_DP + T_opt + T_fixed, where a stage is the slowest of
    uneven stages, m counts microbatches and v chunks per stage; the bubble is that of ``exaplan.perf.schedules``.
    Software that is not yet grown up, mixtures of experts and many chips slow the whole step.

    Parameters
    ----------
    model, machine, request : Architecture, Machine, TrainRequest
        What runs where, and the job.
    mesh : TrainMesh
        Configurations.
    memory : bool
        Whether to count bytes too; otherwise they read NaN.

    Returns
    -------
    TrainResult
        Seconds, tokens/s per chip of the whole cluster (idle remainder counted), bytes, seconds by term.
    """
    machine = replace(machine, knobs=machine.knobs.in_training())
    knobs = machine.knobs
    layer, head = _microbatch_terms(model, machine, request, mesh)
    per_layer = sum(layer.values(), np.zeros_like(mesh.tp))
    most = np.ceil(model.layers / mesh.pp)
    stage = _slowest_stage(model, per_layer, head, mesh.pp)
    micro_tokens = mesh.micro * request.sequence_tokens / mesh.cp
    far = mesh.tp * mesh.cp * mesh.dp >= machine.domain
    hop = send_s(micro_tokens * model.hidden * MESSAGE_BYTES / mesh.tp, far, machine)
    hops = np.where(mesh.pp > 1, 2 * mesh.interleave * hop * knobs.stage_exposed, 0.0)
    count = microbatches(request, mesh)
    idle = knobs.bubble * bubble_share(mesh.schedule, mesh.pp, mesh.interleave, count)
    bubble = idle * (stage + hops / mesh.interleave)
    data, optimizer = _data_and_optimizer_s(model, machine, request, mesh, count)
    slow = _whole_step_slowdown(model, machine, mesh)
    terms = {name: seconds * most * count * slow for name, seconds in layer.items()}
    terms["head and uneven stages"] = (stage - most * per_layer) * count * slow
    terms["pipeline messages"] = hops * count * slow
    terms["pipeline bubble"] = bubble * slow
    terms["data-parallel traffic"] = data * slow
    terms["optimizer"] = optimizer * slow
    terms["fixed per step"] = np.full_like(mesh.tp, 1.0) * knobs.step_fixed_s
    step = ((stage + hops) * count + bubble + data + optimizer) * slow + knobs.step_fixed_s
    rate = request.batch_tokens / step / request.cluster_chips
    held = training_memory_bytes(model, machine, request, mesh) if memory else np.full_like(mesh.tp, np.nan)
    return TrainResult(step, rate, held, terms)


def _whole_step_slowdown(model: Architecture, machine: Machine, mesh: TrainMesh) -> Number:
    """Reality factors of a step: software maturity, mixtures of experts, number of chips."""
    knobs = machine.knobs
    sparse = model.experts > 0
    wide = machine.bits > 8
    dense = either(wide, lambda: knobs.software_gap, lambda: knobs.low_software_gap)
    missing = either(sparse, lambda: knobs.sparse_software_gap, lambda: dense)
    mature = 1 - missing * 0.5 ** (machine.software_months / _MONTHS_PER_HALVING)
    kind = either(sparse, lambda: knobs.sparse_training_share, lambda: 1.0)
    return (1 + knobs.slowdown_per_doubling * np.log2(np.maximum(mesh.chips, 1.0))) / (mature * kind)


def _slowest_stage(model: Architecture, layer: Array, head: Array, pp: Array) -> Array:
    """Slowest of uneven stages: the last one, which also has the head, gets a full or a smaller share of layers."""
    # layers of a stage if layers could be cut; where a layer takes no time any cut will do
    even = (model.layers + head / np.maximum(layer, _LEAST_S)) / pp

    def split(others: Array) -> Array:
        last = np.maximum(model.layers - (pp - 1) * others, 0.0)
        return np.where(pp > 1, np.maximum(others * layer, last * layer + head), model.layers * layer + head)

    return np.minimum(split(np.floor(even)), split(np.ceil(even)))


def _microbatch_terms(
    model: Architecture, machine: Machine, request: TrainRequest, mesh: TrainMesh
) -> tuple[Terms, Array]:
    """Forward, backward and recomputed forward of one microbatch: per layer by term, and the head."""
    knobs = machine.knobs
    tokens = mesh.micro * request.sequence_tokens / mesh.cp
    spread = mesh.ep > 1
    routed = np.where(spread, tokens / mesh.tp * mesh.ep, tokens)
    split = Split(mesh.tp, mesh.ep, mesh.etp, tokens, routed, spread)
    context = mean_causal_context(model, request.sequence_tokens)
    forward = forward_terms(model, machine, split, context_tokens=context, decode=False)
    again = np.where(mesh.recompute >= FULL, 1.0, 0.0)
    cheap_again = np.where(mesh.recompute >= SELECTIVE, 1.0, 0.0)
    products = 2.0 + again + request.trainable_share  # forward, input gradient, recomputed, weight gradient
    slow = 1 / knobs.training_share
    exposed = {
        "tensor-parallel traffic": either(request.classic, lambda: 1.0, lambda: knobs.tensor_exposed),
        "expert traffic": knobs.expert_exposed,
    }
    if np.any(request.classic):
        forward = _classic(model, machine, request, mesh, forward)
    if np.any(mesh.schedule == DUAL_PIPE) and "expert traffic" in forward:
        forward["expert traffic"] = _dual_pipe_traffic_s(forward, mesh, exposed["expert traffic"])
    terms: Terms = {}
    for name, seconds in forward.items():
        if name in exposed:
            terms[name] = seconds * (2.0 + again) * exposed[name]
        elif name == "attention":
            backward = _BACKWARD_ATTENTION * knobs.attention_share / knobs.attention_backward_share
            terms[name] = seconds * (1 + again + backward) * slow
        elif name == "elementwise":
            terms[name] = seconds * (3.0 + cheap_again) * slow
        else:
            terms[name] = seconds * products * slow
    if np.any(model.experts > 0):
        fixed = np.where(model.experts > 0, knobs.sparse_fixed_s * layer_split(model)[1] / model.layers, 0.0)
        terms["small kernels of sparse layers"] = np.broadcast_to(fixed, mesh.tp.shape)
    if np.any(mesh.cp > 1):
        # keys and values forward, again backward, and their gradients back
        terms["context-parallel traffic"] = _context_traffic_s(model, machine, mesh, tokens) * (3.0 + again)
    head = (2.0 + request.trainable_share) * slow * head_s(model, machine, tokens, mesh.tp)
    return terms, head


def _dual_pipe_traffic_s(forward: Terms, mesh: TrainMesh, exposed: Number) -> Array:
    """Expert traffic under DualPipe: one direction's messages run under the other's work, only what is longer shows.

    Returned so that the exposed share of it is that excess (DeepSeek-V3, arXiv 2412.19437, section 3.2.1).
    """
    traffic = forward["expert traffic"]
    work = sum((value for name, value in forward.items() if name not in _MESSAGES), np.zeros_like(traffic))
    hidden = _DUAL_PIPE_COVER * work
    return np.where(mesh.schedule == DUAL_PIPE, np.maximum(traffic - hidden, 0.0) / exposed, traffic)


def _classic(
    model: Architecture, machine: Machine, request: TrainRequest, mesh: TrainMesh, forward: Terms
) -> Terms:
    """Forward terms with masked scores computed and kept in memory, and norms repeated on every tensor-parallel rank."""
    pairs = model.heads / mesh.tp * mesh.micro * request.sequence_tokens**2
    scores = np.where(request.classic, _SCORE_BYTES * pairs / machine.stream_bytes_per_s, 0.0)
    repeated = np.where(
        request.classic, (1 + mesh.tp) / 2, 1.0
    )  # half of the traffic is not inside the split
    return {
        **forward,
        "attention": forward["attention"] * np.where(request.classic, 2.0, 1.0) + scores,
        "elementwise": forward["elementwise"] * repeated,
    }


def _context_traffic_s(model: Architecture, machine: Machine, mesh: TrainMesh, tokens: Array) -> Array:
    """Keys and values of the other context-parallel ranks passing round a ring, exposed part, per layer and pass."""

    def expanded() -> Number:
        return model.heads / mesh.tp * (model.qk_nope_head_dim + model.qk_rope_head_dim + model.v_head_dim)

    def grouped() -> Number:
        return 2.0 * np.maximum(model.kv_heads / mesh.tp, 1.0) * model.head_dim

    size = either(is_mla(model), expanded, grouped) * MESSAGE_BYTES * tokens * mesh.cp
    return machine.knobs.context_exposed * scatter_s(size, mesh.cp, mesh.tp, machine)


def _data_and_optimizer_s(
    model: Architecture, machine: Machine, request: TrainRequest, mesh: TrainMesh, count: Array
) -> tuple[Array, Array]:
    """Exposed gradient and weight traffic, and the optimizer's pass over its states."""
    local, expert_dp = _local(model, mesh)
    dense_dp = mesh.dp * mesh.cp
    common = scatter_s(local.common * MESSAGE_BYTES, dense_dp, mesh.tp, machine)
    experts = scatter_s(local.experts * MESSAGE_BYTES, expert_dp, mesh.ep * mesh.etp, machine)
    # ZeRO-1 scatters gradients and gathers weights once a step; ZeRO-3 gathers twice and scatters once a microbatch
    trained = request.trainable_share
    rounds = np.where(mesh.zero >= 3, (2.0 + trained) * count, 2.0 * trained)
    sharded = mesh.zero >= 1
    states = local.common / np.where(sharded, dense_dp, 1.0) + local.experts / np.where(
        sharded, expert_dp, 1.0
    )
    # states are read and written, the gradient is read, the weight written
    moved = 2 * request.state_bytes + request.gradient_bytes + WEIGHT_BYTES
    optimizer = moved * trained * states / machine.stream_bytes_per_s
    return rounds * (common + experts) * machine.knobs.data_exposed, optimizer


def model_flop_share(model: Architecture, machine: Machine, request: TrainRequest, rate: Array) -> Array:
    """MFU: model FLOP over the dense peak of the precision in use."""
    flop = training_flop_per_token(model, request.sequence_tokens)
    return np.asarray(flop * rate / machine.peak_flop_per_s)
