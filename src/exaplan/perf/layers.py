"""Forward time of an average layer: operators and messages on arrays of configurations.

Every array argument has one axis, the configurations; a result maps the name of a term to seconds per layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.perf.collectives import all_reduce_s, all_to_all_s, imbalance
from exaplan.perf.counts import (
    attention_flop_per_context_token,
    experts_touched,
    is_mla,
    kv_values_per_token_layer,
    layer_split,
    shared_width,
)
from exaplan.perf.kernels import attention_s, product_s, streaming_s
from exaplan.perf.machine import Machine
from exaplan.perf.shapes import Architecture, Array, Flag, Mask, Number, either, some

Terms = dict[str, Array]
MESSAGE_BYTES = 2.0  # activations travel in BF16


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
    queries: Number = 1.0  # tokens of one sequence that are decoded together and read its cache once


def kv_shards(model: Architecture, tp: Array) -> Number:
    """Ways in which tensor parallelism divides the cache: min(tp, k_v); the MLA latent is replicated."""
    return either(is_mla(model), lambda: np.ones_like(tp), lambda: np.minimum(tp, model.kv_heads))


def forward_terms(
    model: Architecture,
    machine: Machine,
    split: Split,
    *,
    context_tokens: Number,
    decode: bool,
    absorbed: Flag | None = None,
) -> Terms:
    """Time of each part of an average layer forward, seconds.

    Parameters
    ----------
    model, machine : Architecture, Machine
        What runs where.
    split : Split
        Arrays over configurations.
    context_tokens : number
        Tokens that an average token attends to in an average layer (windows and causality already averaged).
    decode : bool
        Whether attention reads the cache token by token.
    absorbed : flag, optional
        Whether MLA works on the latent itself; as ``decode`` where not given.

    Returns
    -------
    dict of arrays
        Seconds per layer by term.
    """
    dense_layers, sparse_layers = layer_split(model)
    dense_share, sparse_share = dense_layers / model.layers, sparse_layers / model.layers
    moved = machine.knobs.elementwise_values + sparse_share * machine.knobs.routed_values * model.top_k
    folded = decode if absorbed is None else absorbed
    terms: Terms = {
        "attention products": _attention_products_s(model, machine, split),
        "attention": _attention_core_s(model, machine, split, context_tokens, decode=decode, absorbed=folded),
        "elementwise": streaming_s(moved * 2.0 * split.tokens * model.hidden / split.tp, machine),
        "tensor-parallel traffic": _tensor_traffic_s(model, machine, split, sparse_share),
    }
    if some(dense_layers > 0):
        terms["feed-forward"] = np.asarray(dense_share * _block_s(model, machine, split, model.ffn))
    if some(sparse_layers > 0):
        experts, traffic = _experts_s(model, machine, split)
        terms["experts"] = np.asarray(sparse_share * experts)
        terms["expert traffic"] = np.asarray(sparse_share * traffic)
    return terms


def head_s(model: Architecture, machine: Machine, tokens: Array, tp: Array) -> Array:
    """Time of the output projection, seconds."""
    return product_s(tokens, model.vocab / tp, model.hidden, machine)


def _attention_products_s(model: Architecture, machine: Machine, split: Split) -> Array:
    m, tp = split.tokens, split.tp
    heads, width = model.heads / tp, model.hidden

    def grouped() -> Array:
        kv_heads = np.maximum(model.kv_heads / tp, 1.0)
        joint = product_s(m, (heads + 2 * kv_heads) * model.head_dim, width, machine)
        return joint + product_s(m, width, heads * model.head_dim, machine)

    def latent() -> Array:
        query_width = heads * (model.qk_nope_head_dim + model.qk_rope_head_dim)
        total = product_s(m, model.kv_lora_rank + model.qk_rope_head_dim, width, machine)
        compressed = model.q_lora_rank > 0
        total = total + either(
            compressed, lambda: product_s(m, model.q_lora_rank, width, machine), lambda: 0.0
        )
        inner = either(compressed, lambda: model.q_lora_rank, lambda: width)
        total = total + product_s(m, query_width, inner, machine)
        expanded = heads * (model.qk_nope_head_dim + model.v_head_dim)
        total = total + product_s(m, expanded, model.kv_lora_rank, machine)
        return np.asarray(total + product_s(m, width, heads * model.v_head_dim, machine))

    return np.asarray(either(is_mla(model), latent, grouped))


def _attention_core_s(
    model: Architecture, machine: Machine, split: Split, context: Number, *, decode: bool, absorbed: Flag
) -> Array:
    flop = attention_flop_per_context_token(model, absorbed=absorbed) * context * split.tokens / split.tp
    if not decode:
        return attention_s(flop, 0.0, machine.knobs.attention_share, machine)
    flop = flop + either(absorbed, lambda: 0.0, lambda: _expansion_flop(model, split, context))
    cache = (
        kv_values_per_token_layer(model) * machine.cache_value_bytes * context * split.tokens / split.queries
    )
    return attention_s(
        flop, cache / kv_shards(model, split.tp), machine.knobs.attention_decode_share, machine
    )


def _expansion_flop(model: Architecture, split: Split, context: Number) -> Number:
    """FLOP of bringing cached latents back to keys and values, once per sequence and step: 2 r h (d_n + d_v) a token."""
    width = model.kv_lora_rank * model.heads / split.tp * (model.qk_nope_head_dim + model.v_head_dim)
    return 2.0 * width * context * split.tokens / split.queries


def _block_s(model: Architecture, machine: Machine, split: Split, width: Number) -> Array:
    part = width / split.tp
    up = product_s(split.tokens, (model.ffn_matrices - 1) * part, model.hidden, machine)
    return up + product_s(split.tokens, model.hidden, part, machine)


def _experts_s(model: Architecture, machine: Machine, split: Split) -> tuple[Array, Array]:
    knobs = machine.knobs
    copies = split.routed * model.top_k
    distinct = split.routed**knobs.routing_spread  # tokens of a batch that route independently
    touched = np.maximum(
        experts_touched(model.experts, model.top_k, np.minimum(distinct, split.routed)), 1e-9
    )
    per_rank = copies / split.ep
    uneven = imbalance(per_rank, split.ep, knobs.skew)
    rows, groups, width = copies / touched, touched / split.ep, model.expert_ffn / split.etp
    hot, stored = per_rank * uneven, machine.expert_weight_bytes
    up_width = (model.ffn_matrices - 1) * width
    time = product_s(rows, up_width, model.hidden, machine, groups=groups, hot_rows=hot, weight_bytes=stored)
    time = time + product_s(
        rows, model.hidden, width, machine, groups=groups, hot_rows=hot, weight_bytes=stored
    )
    time = time / knobs.expert_share + product_s(split.tokens, model.experts, model.hidden, machine)
    if some(model.shared_experts > 0):
        time = time + either(
            model.shared_experts > 0,
            lambda: _block_s(model, machine, split, shared_width(model)),
            lambda: 0.0,
        )
    # tokens of a tensor-parallel group are dispatched by its ranks in equal parts
    sent = split.tokens / split.tp * model.top_k * model.hidden * _dispatch_bytes(machine)
    spread = _domains_reached(model, machine, split.ep) / np.maximum(model.top_k, 1.0)
    traffic = all_to_all_s(sent * uneven, split.ep, 1.0, machine, spread=spread)
    return time, np.where(split.exchanged, traffic, 0.0)


def _dispatch_bytes(machine: Machine) -> Number:
    """Bytes per value of a routed token: out at the precision of products but FP8 at least, back in BF16.

    DeepSeek-V3 (arXiv 2412.19437, section 3.3.3) sends in FP8 and combines in BF16.
    """
    return MESSAGE_BYTES + np.clip(machine.bits / 8, 1.0, 2.0)


def _domains_reached(model: Architecture, machine: Machine, ranks: Array) -> Array:
    """Mean number of scale-up domains on which a token's experts lie, each of which gets one copy of it.

    D (1 - (1 - 1/D)^k) for k experts on D domains at random, at most the limit that a model routes by.
    """
    domains = np.ceil(ranks / machine.domain)
    reached = domains * (1 - (1 - 1 / domains) ** model.top_k)
    limit = np.where(np.asarray(model.routed_nodes_max) > 0, model.routed_nodes_max, np.inf)
    return np.minimum(reached, limit)


def _tensor_traffic_s(model: Architecture, machine: Machine, split: Split, sparse_share: Number) -> Array:
    one = all_reduce_s(split.tokens * model.hidden * MESSAGE_BYTES, split.tp, 1.0, machine)
    # attention always reduces; the feed-forward part does unless experts are reached by all-to-all
    return one * (2.0 - sparse_share * split.exchanged)
