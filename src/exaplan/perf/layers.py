"""Forward time of an average layer: operators and messages on arrays of configurations.

Every array argument has one axis, the configurations; a result maps the name of a term to seconds per layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.technology import Model
from exaplan.perf.collectives import all_reduce_s, all_to_all_s, imbalance
from exaplan.perf.counts import (
    Array,
    Mask,
    attention_flop_per_context_token,
    experts_touched,
    is_mla,
    kv_bytes_per_token_layer,
    layer_split,
    shared_width,
)
from exaplan.perf.kernels import attention_s, product_s, streaming_s
from exaplan.perf.machine import Machine

Terms = dict[str, Array]
MESSAGE_BYTES = 2.0  # activations travel in BF16
DISPATCH_BYTES = 3.0  # a routed token goes out in FP8 and comes back in BF16 (DeepSeek-V3, arXiv 2412.19437)
_TOUCHES = 4.0  # values moved per routed copy and unit of width: permute, gather, scale, combine


@dataclass(frozen=True)
class Split:
    """How a layer lies on chips; arrays over configurations.

    ``tokens`` pass together through one tensor-parallel group; ``routed`` tokens meet in one expert group.
    """

    tp: Array
    ep: Array  # expert-parallel ranks: each holds experts / ep
    etp: Array  # tensor-parallel split of one expert
    tokens: Array
    routed: Array
    exchanged: Mask  # experts reached by all-to-all, else by the tensor-parallel all-reduce


def kv_shards(model: Model, tp: Array) -> Array:
    """Ways in which tensor parallelism divides the cache: min(tp, k_v); the MLA latent is replicated."""
    return np.ones_like(tp) if is_mla(model) else np.minimum(tp, float(model.kv_heads))


def forward_terms(
    model: Model, machine: Machine, split: Split, *, context_tokens: float, decode: bool
) -> Terms:
    """Time of each part of an average layer forward, seconds.

    Parameters
    ----------
    model, machine : Model, Machine
        What runs where.
    split : Split
        Arrays over configurations.
    context_tokens : float
        Tokens that an average token attends to in an average layer (windows and causality already averaged).
    decode : bool
        Whether attention reads the cache token by token (absorbed form for MLA).

    Returns
    -------
    dict of arrays
        Seconds per layer by term.
    """
    dense_layers, sparse_layers = layer_split(model)
    dense_share, sparse_share = dense_layers / model.layers, sparse_layers / model.layers
    moved = machine.knobs.elementwise_values + sparse_share * _TOUCHES * model.top_k
    terms: Terms = {
        "attention products": _attention_products_s(model, machine, split),
        "attention": _attention_core_s(model, machine, split, context_tokens, decode=decode),
        "elementwise": streaming_s(moved * 2.0 * split.tokens * model.hidden / split.tp, machine),
        "tensor-parallel traffic": _tensor_traffic_s(model, machine, split, sparse_share),
    }
    if dense_layers:
        terms["feed-forward"] = dense_share * _block_s(model, machine, split, float(model.ffn))
    if sparse_layers:
        experts, traffic = _experts_s(model, machine, split)
        terms["experts"] = sparse_share * experts
        terms["expert traffic"] = sparse_share * traffic
    return terms


def head_s(model: Model, machine: Machine, tokens: Array, tp: Array) -> Array:
    """Time of the output projection, seconds."""
    return product_s(tokens, model.vocab / tp, model.hidden, machine)


def _attention_products_s(model: Model, machine: Machine, split: Split) -> Array:
    m, tp = split.tokens, split.tp
    heads, width = model.heads / tp, model.hidden
    if not is_mla(model):
        kv_heads = np.maximum(model.kv_heads / tp, 1.0)
        joint = product_s(m, (heads + 2 * kv_heads) * model.head_dim, width, machine)
        return joint + product_s(m, width, heads * model.head_dim, machine)
    query_width = heads * (model.qk_nope_head_dim + model.qk_rope_head_dim)
    total = product_s(m, model.kv_lora_rank + model.qk_rope_head_dim, width, machine)
    if model.q_lora_rank:
        total = total + product_s(m, model.q_lora_rank, width, machine)
    total = total + product_s(m, query_width, model.q_lora_rank or width, machine)
    expanded = heads * (model.qk_nope_head_dim + model.v_head_dim)
    total = total + product_s(m, expanded, model.kv_lora_rank, machine)
    return total + product_s(m, width, heads * model.v_head_dim, machine)


def _attention_core_s(model: Model, machine: Machine, split: Split, context: float, *, decode: bool) -> Array:
    flop = attention_flop_per_context_token(model, absorbed=decode) * context * split.tokens / split.tp
    if not decode:
        return attention_s(flop, 0.0, machine.knobs.attention_share, machine)
    cache = kv_bytes_per_token_layer(model, machine.cache_value_bytes) * context * split.tokens
    return attention_s(
        flop, cache / kv_shards(model, split.tp), machine.knobs.attention_decode_share, machine
    )


def _block_s(model: Model, machine: Machine, split: Split, width: float) -> Array:
    part = width / split.tp
    up = product_s(split.tokens, (model.ffn_matrices - 1) * part, model.hidden, machine)
    return up + product_s(split.tokens, model.hidden, part, machine)


def _experts_s(model: Model, machine: Machine, split: Split) -> tuple[Array, Array]:
    knobs = machine.knobs
    copies = split.routed * model.top_k
    touched = experts_touched(model.experts, model.top_k, split.routed)
    per_rank = copies / split.ep
    uneven = imbalance(per_rank, split.ep, knobs.skew)
    rows, groups, width = copies / touched, touched / split.ep, model.expert_ffn / split.etp
    hot = per_rank * uneven
    up_width = (model.ffn_matrices - 1) * width
    time = product_s(rows, up_width, model.hidden, machine, groups=groups, hot_rows=hot)
    time = time + product_s(rows, model.hidden, width, machine, groups=groups, hot_rows=hot)
    time = time + product_s(split.tokens, model.experts, model.hidden, machine)
    if model.shared_experts:
        time = time + _block_s(model, machine, split, float(shared_width(model)))
    # tokens of a tensor-parallel group are dispatched by its ranks in equal parts
    sent = split.tokens / split.tp * model.top_k * model.hidden * DISPATCH_BYTES
    near_domains = np.ceil(split.ep / machine.domain)
    spread = np.minimum(near_domains, float(model.top_k)) / model.top_k
    traffic = all_to_all_s(sent * uneven, split.ep, 1.0, machine, spread=spread)
    return time, np.where(split.exchanged, traffic, 0.0)


def _tensor_traffic_s(model: Model, machine: Machine, split: Split, sparse_share: float) -> Array:
    one = all_reduce_s(split.tokens * model.hidden * MESSAGE_BYTES, split.tp, 1.0, machine)
    # attention always reduces; the feed-forward part does unless experts are reached by all-to-all
    return one * (2.0 - sparse_share * split.exchanged)
