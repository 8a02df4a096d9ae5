"""Exact counts that follow from an architecture: parameters, FLOP, cache bytes, experts touched. No knobs here.

Conventions: one multiply-add is 2 FLOP; model FLOP count causal attention by half, exclude recomputation and the
input embedding, include the output head (the convention of Megatron since 2025-09 and of Llama-3, arXiv 2407.21783).
Norms, biases and learned positions are left out: below 0.1 % of any model here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exaplan.domain.technology import Model

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class ParameterCounts:
    """Parameters by part; per layer unless the name says otherwise."""

    attention: float
    dense_ffn: float
    expert: float  # one routed expert
    shared: float  # all shared experts of a sparse layer
    router: float
    head: float  # output projection, whole model
    embedding: float  # input embedding, whole model; 0 where tied
    dense_layers: int
    sparse_layers: int
    total: float
    active: float  # used by one token, output head included, input embedding not


def is_mla(model: Model) -> bool:
    """Whether attention compresses keys and values (multi-head latent attention)."""
    return model.kv_lora_rank > 0


def layer_split(model: Model) -> tuple[int, int]:
    """Count dense and sparse layers.

    Returns
    -------
    tuple of int
        (dense, sparse); they add up to ``model.layers``.
    """
    if model.experts == 0:
        return model.layers, 0
    sparse = (model.layers - model.first_dense_layers) // max(model.moe_layer_every, 1)
    return model.layers - sparse, sparse


def attention_parameters(model: Model) -> float:
    """Parameters of one attention block.

    GQA: d d_h (2h + 2k_v). MLA (DeepSeek-V2, arXiv 2405.04434, section 2.1):
    d q_r + q_r h(d_n + d_r) + d(r + d_r) + r h(d_n + d_v) + h d_v d.
    """
    if not is_mla(model):
        return float(model.hidden * model.head_dim * (2 * model.heads + 2 * model.kv_heads))
    query_width = model.heads * (model.qk_nope_head_dim + model.qk_rope_head_dim)
    query = (
        model.q_lora_rank * (model.hidden + query_width) if model.q_lora_rank else model.hidden * query_width
    )
    compress = model.hidden * (model.kv_lora_rank + model.qk_rope_head_dim)
    expand = model.kv_lora_rank * model.heads * (model.qk_nope_head_dim + model.v_head_dim)
    return float(query + compress + expand + model.heads * model.v_head_dim * model.hidden)


def shared_width(model: Model) -> int:
    """Width of all shared experts of a sparse layer together."""
    return model.shared_experts * (model.shared_expert_ffn or model.expert_ffn)


def parameters(model: Model) -> ParameterCounts:
    """Count the parameters of a model, total and active.

    Total = L attention + dense FFN + experts and routers + embeddings; active replaces E experts by the top k and
    leaves the input embedding out (it is a look-up).
    """
    dense_layers, sparse_layers = layer_split(model)
    attention = attention_parameters(model)
    dense_ffn = float(model.ffn_matrices * model.hidden * model.ffn)
    expert = float(model.ffn_matrices * model.hidden * model.expert_ffn)
    shared = float(model.ffn_matrices * model.hidden * shared_width(model))
    router = float(model.hidden * model.experts)
    head = float(model.vocab * model.hidden)
    embedding = 0.0 if model.tied_embeddings else head
    common = model.layers * attention + dense_layers * dense_ffn + sparse_layers * (shared + router) + head
    return ParameterCounts(
        attention=attention,
        dense_ffn=dense_ffn,
        expert=expert,
        shared=shared,
        router=router,
        head=head,
        embedding=embedding,
        dense_layers=dense_layers,
        sparse_layers=sparse_layers,
        total=common + sparse_layers * model.experts * expert + embedding,
        active=common + sparse_layers * model.top_k * expert,
    )


def mean_context(model: Model, context_tokens: float) -> float:
    """Tokens that an average layer attends to: windowed layers see at most their window.

    Examples
    --------
    >>> from exaplan.domain.technology import Model
    >>> m = Model(id="m", layers=4, hidden=8, heads=2, kv_heads=1, head_dim=4, vocab=16, window=100, window_layers=2)
    >>> mean_context(m, 300.0)
    200.0
    """
    if model.window == 0 or model.window_layers == 0:
        return context_tokens
    seen = (model.layers - model.window_layers) * context_tokens
    return (seen + model.window_layers * min(context_tokens, float(model.window))) / model.layers


def mean_causal_context(model: Model, sequence_tokens: float) -> float:
    """Tokens that an average token of an average layer attends to in a whole causal sequence.

    Full attention: s/2. A window W < s: (W s - W^2/2) / s.
    """
    full = sequence_tokens / 2
    if model.window == 0 or model.window_layers == 0:
        return full
    window = min(float(model.window), sequence_tokens)
    local = window - window * window / (2 * sequence_tokens)
    return ((model.layers - model.window_layers) * full + model.window_layers * local) / model.layers


def attention_flop_per_context_token(model: Model, *, absorbed: bool) -> float:
    """FLOP of scores and values for one query token and one context token in one layer.

    GQA: 4 h d_h. MLA: 2 h (d_n + d_r + d_v); in the absorbed form of decoding 2 h (2r + d_r).
    """
    if not is_mla(model):
        return 4.0 * model.heads * model.head_dim
    if absorbed:
        return 2.0 * model.heads * (2 * model.kv_lora_rank + model.qk_rope_head_dim)
    return 2.0 * model.heads * (model.qk_nope_head_dim + model.qk_rope_head_dim + model.v_head_dim)


def forward_flop_per_token(model: Model, mean_context_tokens: float) -> float:
    """Model FLOP of one token forward: 2 N_active + attention over ``mean_context_tokens`` (already averaged)."""
    attention = model.layers * attention_flop_per_context_token(model, absorbed=False) * mean_context_tokens
    return 2 * parameters(model).active + attention


def training_flop_per_token(model: Model, sequence_tokens: float) -> float:
    """Model FLOP of one training token, forward and backward: three times the causal forward pass.

    DeepSeek-V3 at 4096: 6 x 36.6e9 + causal MLA = 250 GFLOP.
    """
    return 3 * forward_flop_per_token(model, mean_causal_context(model, sequence_tokens))


def kv_bytes_per_token_layer(model: Model, value_bytes: float) -> float:
    """Bytes of cache that one token leaves in one layer: GQA 2 k_v d_h; MLA r + d_r (one latent for all heads)."""
    if is_mla(model):
        return (model.kv_lora_rank + model.qk_rope_head_dim) * value_bytes
    return 2.0 * model.kv_heads * model.head_dim * value_bytes


def kv_bytes(model: Model, context_tokens: float, value_bytes: float) -> float:
    """Bytes of cache of one sequence of ``context_tokens`` in all layers; windowed layers keep only their window."""
    held = mean_context(model, context_tokens) * model.layers
    return kv_bytes_per_token_layer(model, value_bytes) * held


def experts_touched(experts: float, top_k: float, tokens: Array) -> Array:
    """Experts whose weights a batch needs: E (1 - (1 - k/E)^b) for uniform routing.

    Parameters
    ----------
    experts, top_k : float
        Routed experts of a layer and how many a token visits.
    tokens : array, any shape
        Tokens routed together.

    Returns
    -------
    array, same shape
        Expected number of distinct experts.

    Examples
    --------
    >>> experts_touched(4.0, 1.0, np.array([1.0, 2.0])).round(6).tolist()
    [1.0, 1.75]
    """
    return np.asarray(experts * -np.expm1(tokens * np.log1p(-min(top_k / experts, 1 - 1e-12))))


def activation_bytes_per_token_layer(model: Model, value_bytes: float = 2.0) -> float:
    """Bytes saved for the backward pass per token in an average layer, fused attention, nothing recomputed.

    The count of Korthikanti et al. (arXiv 2205.05198, section 4) carried over to grouped heads, gated blocks and
    experts: inputs and outputs of both norms, q, k, v, the attention output, and the tensors around the activation.
    The classical 4d block without dropout masks gives 32 bytes per unit of width, their 34 with masks.
    """
    if is_mla(model):
        query_key = model.heads * (model.qk_nope_head_dim + model.qk_rope_head_dim)
        attention = 2 * query_key + 2 * model.heads * model.v_head_dim
        attention += model.q_lora_rank + model.kv_lora_rank + model.qk_rope_head_dim
    else:
        attention = (2 * model.heads + 2 * model.kv_heads) * model.head_dim
    dense_layers, sparse_layers = layer_split(model)
    dense = model.ffn_matrices * model.ffn
    sparse = (
        model.ffn_matrices * (model.top_k * model.expert_ffn + shared_width(model))
        + model.top_k * model.hidden
    )
    feed_forward = (dense_layers * dense + sparse_layers * sparse) / model.layers
    return value_bytes * (4 * model.hidden + attention + feed_forward)
