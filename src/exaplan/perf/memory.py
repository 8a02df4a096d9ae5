"""Bytes on one chip: weights, gradients, optimizer, activations, cache. Arrays over configurations.

Training follows ZeRO stage 1 or 3 (arXiv 1910.02054) with mixed precision: 2 bytes of weight, 4 of gradient and 12 of
optimizer state per parameter. Activations follow arXiv 2205.05198.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.perf.counts import (
    activation_values_per_token_layer,
    is_mla,
    kv_bytes,
    lean_activation_values_per_token_layer,
    parameters,
)
from exaplan.perf.layers import kv_shards
from exaplan.perf.machine import Machine
from exaplan.perf.shapes import Architecture, Array, Number, either

WEIGHT_BYTES = 2.0
GRADIENT_BYTES = 4.0
STATE_BYTES = 12.0
"""Optimizer bytes per parameter: FP32 master weight and two FP32 moments. BF16 moments make 8, 8-bit ones 6.

8-bit states are those of Dettmers et al., arXiv 2110.02861.
"""
_LOGIT_BYTES = 6.0  # logits in BF16 and their gradient in FP32
_VALUE_BYTES, _LOW_VALUE_BYTES = (
    2.0,
    1.5,
)  # activations are kept in BF16; half of them in FP8 where products take FP8
_GATHERED_LAYERS = 2.0  # ZeRO-3 gathers the next layer's weights while it works on this one's


@dataclass(frozen=True)
class LocalParameters:
    """Parameters that one chip of the fullest stage holds; arrays over configurations."""

    common: Array  # attention, dense blocks, shared experts, routers, embeddings: split by tp and pp
    experts: Array  # routed experts: split by ep and by the split of one expert, and by pp

    @property
    def total(self) -> Array:
        """All of them."""
        return self.common + self.experts


def local_parameters(model: Architecture, tp: Array, pp: Array, ep: Array, etp: Array) -> LocalParameters:
    """Parameters on a chip of the fullest pipeline stage (stages may be uneven).

    MLA projections into the latent are replicated over tensor-parallel ranks; so are key and value projections beyond
    the number of key-value heads.
    """
    count = parameters(model)
    stage_share = np.ceil(model.layers / pp) / model.layers
    replicated = model.layers * (_replicated(model, tp))
    split = model.layers * count.attention + count.dense_layers * count.dense_ffn
    split = split + count.sparse_layers * (count.shared + count.router)
    ends = np.where(np.asarray(pp) > 1, count.head, count.embedding + count.head)  # tied: a copy on both ends
    routed = count.sparse_layers * model.experts * count.expert
    return LocalParameters(
        common=((split / tp) + replicated) * stage_share + ends / tp,
        experts=routed / (ep * etp) * stage_share,
    )


def _replicated(model: Architecture, tp: Array) -> Number:
    """Parameters per layer and chip beyond an even split over tp."""

    def latent() -> Number:
        width = model.hidden * (model.q_lora_rank + model.kv_lora_rank + model.qk_rope_head_dim)
        return width * (1 - 1 / tp)

    def grouped() -> Number:
        return 2.0 * model.hidden * model.head_dim * np.maximum(1.0 - model.kv_heads / tp, 0.0)

    return either(is_mla(model), latent, grouped)


def serving_bytes(
    model: Architecture,
    machine: Machine,
    local: LocalParameters,
    *,
    tp: Array,
    slots: Array,
    context_tokens: Number,
) -> Array:
    """Weights, cache and workspace on a chip while serving ``slots`` sequences per tensor-parallel group and stage.

    A stage of a pipeline holds 1/pp of the layers for pp times as many sequences, so its cache is that of ``slots``
    whole sequences.
    """
    cache = kv_bytes(model, context_tokens, machine.cache_value_bytes) * slots / kv_shards(model, tp)
    return weights_bytes(machine, local) + cache + machine.knobs.workspace_bytes


def weights_bytes(machine: Machine, local: LocalParameters) -> Array:
    """Bytes of the weights that one chip holds while serving."""
    return local.common * machine.weight_bytes + local.experts * machine.expert_weight_bytes


@dataclass(frozen=True)
class TrainingMemory:
    """What decides the memory of a training configuration; arrays over configurations."""

    local: LocalParameters
    tp: Array
    pp: Array
    dp: Array  # ranks over which dense states may be sharded, context-parallel ranks included
    expert_dp: Array
    micro_tokens: Array  # of one chip: context parallelism already divided out
    in_flight: Array  # microbatches whose activations a stage keeps, in units of a whole stage
    recompute: Array  # 0 none, 1 selective (norms, activations), 2 full
    zero: Array  # ZeRO stage 0 to 3
    trainable_share: Number = 1.0
    gradient_bytes: Number = GRADIENT_BYTES
    state_bytes: Number = STATE_BYTES


def training_bytes(model: Architecture, machine: Machine, plan: TrainingMemory) -> Array:
    """Bytes on the fullest chip: state, activations in flight, logits, workspace.

    ZeRO shards the optimizer's states (1), gradients too (2), weights too (3) over the data-parallel ranks; frozen
    weights have neither gradient nor state.
    """
    local, zero = plan.local, plan.zero
    mean = local.common / plan.dp + local.experts / plan.expert_dp
    gathered = _GATHERED_LAYERS * WEIGHT_BYTES * local.total * plan.pp / model.layers
    weights = np.where(zero >= 3, WEIGHT_BYTES * mean + gathered, WEIGHT_BYTES * local.total)
    gradients = plan.gradient_bytes * np.where(zero >= 2, mean, local.total) * plan.trainable_share
    states = plan.state_bytes * np.where(zero >= 1, mean, local.total) * plan.trainable_share
    layers = np.ceil(model.layers / plan.pp)
    value_bytes = either(machine.bits > 8, lambda: _VALUE_BYTES, lambda: _LOW_VALUE_BYTES)
    tokens = value_bytes * plan.micro_tokens / plan.tp
    per_layer = activation_values_per_token_layer(model) * tokens
    light = lean_activation_values_per_token_layer(model) * tokens
    kept = np.where(
        plan.recompute >= 2, model.hidden * tokens, np.where(plan.recompute >= 1, light, per_layer)
    )
    working = np.where(plan.recompute >= 1, per_layer, 0.0)
    activations = plan.in_flight * layers * kept + working
    logits = _LOGIT_BYTES * plan.micro_tokens * model.vocab / plan.tp
    return weights + gradients + states + activations + logits + machine.knobs.workspace_bytes
