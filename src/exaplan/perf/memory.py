"""Bytes on one chip: weights, gradients, optimizer, activations, cache. Arrays over configurations.

Training follows ZeRO stage 1 or 3 (arXiv 1910.02054) with mixed precision: 2 bytes of weight, 4 of gradient and 12 of
optimizer state per parameter. Activations follow arXiv 2205.05198.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.technology import Model
from exaplan.perf.counts import (
    Array,
    Mask,
    activation_bytes_per_token_layer,
    kv_bytes,
    parameters,
)
from exaplan.perf.layers import kv_shards
from exaplan.perf.machine import Machine

WEIGHT_GRADIENT_BYTES = 6.0
OPTIMIZER_BYTES = 12.0
_LOGIT_BYTES = 6.0  # logits in BF16 and their gradient in FP32


@dataclass(frozen=True)
class LocalParameters:
    """Parameters that one chip of the fullest stage holds; arrays over configurations."""

    common: Array  # attention, dense blocks, shared experts, routers, embeddings: split by tp and pp
    experts: Array  # routed experts: split by ep and by the split of one expert, and by pp

    @property
    def total(self) -> Array:
        """All of them."""
        return self.common + self.experts


def local_parameters(model: Model, tp: Array, pp: Array, ep: Array, etp: Array) -> LocalParameters:
    """Parameters on a chip of the fullest pipeline stage (stages may be uneven).

    MLA projections into the latent are replicated over tensor-parallel ranks; so are key and value projections beyond
    the number of key-value heads.
    """
    count = parameters(model)
    stage_share = np.ceil(model.layers / pp) / model.layers
    replicated = model.layers * (_replicated(model, tp))
    split = model.layers * count.attention + count.dense_layers * count.dense_ffn
    split += count.sparse_layers * (count.shared + count.router)
    ends = (count.embedding + count.head) / np.minimum(pp, 2.0)
    routed = count.sparse_layers * model.experts * count.expert
    return LocalParameters(
        common=((split / tp) + replicated) * stage_share + ends / tp,
        experts=routed / (ep * etp) * stage_share,
    )


def _replicated(model: Model, tp: Array) -> Array:
    """Parameters per layer and chip beyond an even split over tp."""
    if model.kv_lora_rank:
        latent = model.hidden * (model.q_lora_rank + model.kv_lora_rank + model.qk_rope_head_dim)
        return latent * (1 - 1 / tp)
    per_head = 2.0 * model.hidden * model.head_dim
    return per_head * np.maximum(1.0 - model.kv_heads / tp, 0.0)


def serving_bytes(
    model: Model, machine: Machine, local: LocalParameters, *, tp: Array, slots: Array, context_tokens: float
) -> Array:
    """Weights, cache and workspace on a chip while serving ``slots`` sequences per tensor-parallel group and stage.

    A stage of a pipeline holds 1/pp of the layers for pp times as many sequences, so its cache is that of ``slots``
    whole sequences.
    """
    cache = kv_bytes(model, context_tokens, machine.cache_value_bytes) * slots / kv_shards(model, tp)
    return local.total * machine.weight_bytes + cache + machine.knobs.workspace_bytes


@dataclass(frozen=True)
class TrainingMemory:
    """What decides the memory of a training configuration; arrays over configurations."""

    local: LocalParameters
    tp: Array
    pp: Array
    dp: Array
    expert_dp: Array
    micro_tokens: Array
    microbatches: Array
    interleave: Array
    recompute: Mask  # full recomputation
    sharded: Mask  # ZeRO-3, weights and gradients sharded too


def training_bytes(model: Model, machine: Machine, plan: TrainingMemory) -> Array:
    """Bytes on the fullest chip: state, activations in flight, logits, workspace."""
    common, experts = plan.local.common, plan.local.experts
    first = WEIGHT_GRADIENT_BYTES * plan.local.total + OPTIMIZER_BYTES * (
        common / plan.dp + experts / plan.expert_dp
    )
    gathered = 2 * 2.0 * plan.local.total * plan.pp / model.layers  # two layers' weights, gathered ahead
    third = (WEIGHT_GRADIENT_BYTES + OPTIMIZER_BYTES) * (
        common / plan.dp + experts / plan.expert_dp
    ) + gathered
    state = np.where(plan.sharded, third, first)
    layers = np.ceil(model.layers / plan.pp)
    in_flight = np.minimum(plan.microbatches, plan.pp)
    in_flight = in_flight * np.where(
        plan.interleave > 1, 1 + (plan.pp - 1) / (plan.pp * plan.interleave), 1.0
    )
    per_layer = activation_bytes_per_token_layer(model) * plan.micro_tokens / plan.tp
    kept = 2.0 * model.hidden * plan.micro_tokens / plan.tp
    activations = np.where(
        plan.recompute, in_flight * layers * kept + per_layer, in_flight * layers * per_layer
    )
    logits = _LOGIT_BYTES * plan.micro_tokens * model.vocab / plan.tp
    return state + activations + logits + machine.knobs.workspace_bytes
