"""Exact counts that follow from an architecture: parameters, FLOP, cache bytes, experts touched. No knobs here.

Conventions: one multiply-add is 2 FLOP; model FLOP count causal attention by half, exclude recomputation and the
input embedding, include the output head (the convention of Megatron since 2025-09 and of Llama-3, arXiv 2407.21783).
Norms, biases and learned positions are left out: below 0.1 % of any model here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.perf.shapes import Architecture, Array, Flag, Number, either


@dataclass(frozen=True)
class ParameterCounts:
    """Parameters by part; per layer unless the name says otherwise. Numbers, or arrays over rows."""

    attention: Number
    dense_ffn: Number
    expert: Number  # one routed expert
    shared: Number  # all shared experts of a sparse layer
    router: Number
    head: Number  # output projection, whole model
    embedding: Number  # input embedding, whole model; 0 where tied
    dense_layers: Number
    sparse_layers: Number
    total: Number
    active: Number  # used by one token, output head included, input embedding not


def is_mla(model: Architecture) -> Flag:
    """Whether attention compresses keys and values (multi-head latent attention)."""
    return model.kv_lora_rank > 0


def layer_split(model: Architecture) -> tuple[Number, Number]:
    """Count dense and sparse layers.

    Returns
    -------
    tuple of numbers
        (dense, sparse); they add up to ``model.layers``.
    """
    sparse = either(
        model.experts == 0,
        lambda: 0.0,
        lambda: np.floor((model.layers - model.first_dense_layers) / np.maximum(model.moe_layer_every, 1)),
    )
    return model.layers - sparse, sparse


def attention_parameters(model: Architecture) -> Number:
    """Parameters of one attention block.

    GQA: d d_h (2h + 2k_v). MLA (DeepSeek-V2, arXiv 2405.04434, section 2.1):
    d q_r + q_r h(d_n + d_r) + d(r + d_r) + r h(d_n + d_v) + h d_v d.
    """
    return either(is_mla(model), lambda: _latent_parameters(model), lambda: _grouped_parameters(model))


def _grouped_parameters(model: Architecture) -> Number:
    return model.hidden * model.head_dim * (2.0 * model.heads + 2.0 * model.kv_heads)


def _latent_parameters(model: Architecture) -> Number:
    query_width = model.heads * (model.qk_nope_head_dim + model.qk_rope_head_dim)
    query = either(
        model.q_lora_rank > 0,
        lambda: model.q_lora_rank * (model.hidden + query_width),
        lambda: model.hidden * query_width,
    )
    compress = model.hidden * (model.kv_lora_rank + model.qk_rope_head_dim)
    expand = model.kv_lora_rank * model.heads * (model.qk_nope_head_dim + model.v_head_dim)
    return query + compress + expand + model.heads * model.v_head_dim * model.hidden


def shared_width(model: Architecture) -> Number:
    """Width of all shared experts of a sparse layer together."""
    own = model.shared_expert_ffn
    return model.shared_experts * either(own > 0, lambda: own, lambda: model.expert_ffn)


def parameters(model: Architecture) -> ParameterCounts:
    """Count the parameters of a model, total and active.

    Total = L attention + dense FFN + experts and routers + embeddings; active replaces E experts by the top k and
    leaves the input embedding out (it is a look-up).
    """
    dense_layers, sparse_layers = layer_split(model)
    attention = attention_parameters(model)
    dense_ffn = 1.0 * model.ffn_matrices * model.hidden * model.ffn
    expert = 1.0 * model.ffn_matrices * model.hidden * model.expert_ffn
    shared = 1.0 * model.ffn_matrices * model.hidden * shared_width(model)
    router = 1.0 * model.hidden * model.experts
    head = 1.0 * model.vocab * model.hidden
    embedding = either(model.tied_embeddings, lambda: 0.0, lambda: head)
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


def _windowed(model: Architecture, full: Number, local: Number) -> Number:
    """Mean over layers of a quantity that windowed layers have at ``local`` and the others at ``full``."""
    layers = either(model.window > 0, lambda: model.window_layers, lambda: 0.0)
    return ((model.layers - layers) * full + layers * local) / model.layers


def mean_context(model: Architecture, context_tokens: Number) -> Number:
    """Tokens that an average layer attends to: windowed layers see at most their window.

    Examples
    --------
    >>> from exaplan.domain.technology import Model
    >>> m = Model(id="m", layers=4, hidden=8, heads=2, kv_heads=1, head_dim=4, vocab=16, window=100, window_layers=2)
    >>> float(mean_context(m, 300.0))
    200.0
    """
    return _windowed(model, context_tokens, np.minimum(context_tokens, model.window))


def mean_causal_context(model: Architecture, sequence_tokens: Number) -> Number:
    """Tokens that an average token of an average layer attends to in a whole causal sequence.

    Full attention: s/2. A window W < s: (W s - W^2/2) / s.
    """
    window = np.minimum(model.window, sequence_tokens)
    return _windowed(model, sequence_tokens / 2, window - window * window / (2 * sequence_tokens))


def attention_flop_per_context_token(model: Architecture, *, absorbed: Flag) -> Number:
    """FLOP of scores and values for one query token and one context token in one layer.

    GQA: 4 h d_h. MLA: 2 h (d_n + d_r + d_v); in the absorbed form of decoding 2 h (2r + d_r).
    """

    def latent() -> Number:
        width = model.qk_nope_head_dim + model.v_head_dim
        return (
            2.0
            * model.heads
            * (either(absorbed, lambda: 2 * model.kv_lora_rank, lambda: width) + model.qk_rope_head_dim)
        )

    return either(is_mla(model), latent, lambda: 4.0 * model.heads * model.head_dim)


def forward_flop_per_token(model: Architecture, mean_context_tokens: Number) -> Number:
    """Model FLOP of one token forward: 2 N_active + attention over ``mean_context_tokens`` (already averaged)."""
    attention = model.layers * attention_flop_per_context_token(model, absorbed=False) * mean_context_tokens
    return 2 * parameters(model).active + attention


def training_flop_per_token(model: Architecture, sequence_tokens: Number) -> Number:
    """Model FLOP of one training token, forward and backward: three times the causal forward pass.

    DeepSeek-V3 at 4096: 6 x 36.6e9 + causal MLA = 250 GFLOP.
    """
    return 3 * forward_flop_per_token(model, mean_causal_context(model, sequence_tokens))


def kv_values_per_token_layer(model: Architecture) -> Number:
    """Values of cache that one token leaves in one layer: GQA 2 k_v d_h; MLA r + d_r (one latent for all heads)."""
    return either(
        is_mla(model),
        lambda: 1.0 * model.kv_lora_rank + model.qk_rope_head_dim,
        lambda: 2.0 * model.kv_heads * model.head_dim,
    )


def kv_bytes(model: Architecture, context_tokens: Number, value_bytes: Number) -> Number:
    """Bytes of cache of one sequence of ``context_tokens`` in all layers; windowed layers keep only their window."""
    held = mean_context(model, context_tokens) * model.layers
    return kv_values_per_token_layer(model) * value_bytes * held


def experts_touched(experts: Number, top_k: Number, tokens: Number) -> Array:
    """Experts whose weights a batch needs: E (1 - (1 - k/E)^b) for uniform routing.

    Parameters
    ----------
    experts, top_k : array or float
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
    share = np.minimum(np.asarray(top_k) / np.maximum(experts, 1.0), 1 - 1e-12)
    return np.asarray(-experts * np.expm1(tokens * np.log1p(-share)))


def activation_values_per_token_layer(model: Architecture) -> Number:
    """Values saved for the backward pass per token in an average layer, fused attention, nothing recomputed.

    The count of Korthikanti et al. (arXiv 2205.05198, section 4) carried over to grouped heads, gated blocks and
    experts: inputs and outputs of both norms, q, k, v, the attention output, and the tensors around the activation.
    The classical 4d block without dropout masks gives 32 bytes per unit of width at two bytes a value, their 34 with
    masks.
    """
    dense_layers, sparse_layers = layer_split(model)
    dense = model.ffn_matrices * model.ffn
    routed = model.top_k * model.expert_ffn + shared_width(model)
    sparse = model.ffn_matrices * routed + model.top_k * model.hidden
    feed_forward = (dense_layers * dense + sparse_layers * sparse) / model.layers
    return 4 * model.hidden + _attention_values_per_token(model) + feed_forward


def lean_activation_values_per_token_layer(model: Architecture) -> Number:
    """Values saved where norms and activation functions are recomputed, which costs a pass over memory and no product.

    Inputs of the two norms, q, k, v, the attention output, and what goes into the activation function.
    """
    dense_layers, sparse_layers = layer_split(model)
    dense = (model.ffn_matrices - 1) * model.ffn
    routed = model.top_k * model.expert_ffn + shared_width(model)
    feed_forward = (dense_layers * dense + sparse_layers * (model.ffn_matrices - 1) * routed) / model.layers
    compressed = 1.0 * model.q_lora_rank + model.kv_lora_rank + model.qk_rope_head_dim
    attention = either(is_mla(model), lambda: compressed, lambda: _attention_values_per_token(model))
    return 2 * model.hidden + attention + feed_forward


def _attention_values_per_token(model: Architecture) -> Number:
    """Values of q, k, v and the attention output per token and layer."""

    def latent() -> Number:
        query_key = model.heads * (model.qk_nope_head_dim + model.qk_rope_head_dim)
        compressed = model.q_lora_rank + model.kv_lora_rank + model.qk_rope_head_dim
        return 2 * query_key + 2 * model.heads * model.v_head_dim + compressed

    return either(is_mla(model), latent, lambda: (2.0 * model.heads + 2.0 * model.kv_heads) * model.head_dim)
