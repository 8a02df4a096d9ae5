"""Rates from published TFLOP/s and MFU: undo the convention by which the publisher counted FLOP per token."""

from __future__ import annotations

from exaplan.domain.technology import Model
from exaplan.io.measured_words import RefusedRowError

AMBIGUITY_SHARE = 0.10


def flop_per_token(convention: str, model: Model, sequence_tokens: float) -> float:
    """Return the FLOP per token of a training step as a publisher counts them.

    Model FLOP are 6 per active weight (the input embedding not among them) plus attention, 12 L h d_h s when it is
    counted in full and half of that when it is counted as causal (PaLM, arXiv 2204.02311, appendix B; MaxText halves
    since 2025-07). Hardware FLOP with full recomputation are 4/3 of that, without the output head's share
    (arXiv 2104.04473, appendix).

    Parameters
    ----------
    convention : str
        The publisher's convention in the words of the table.
    model : Model
        Architecture.
    sequence_tokens : float
        Sequence length, tokens.

    Returns
    -------
    float
        FLOP per token, forward and backward.

    Raises
    ------
    RefusedRowError
        Where the convention does not say how attention counts and that matters by more than 10 %.
    """
    low = convention.casefold()
    blocks, head = 6.0 * _block_weights(model), 6.0 * model.vocab * model.hidden
    width = model.qk_nope_head_dim + model.qk_rope_head_dim or model.head_dim
    full = 12.0 * model.layers * model.heads * width * sequence_tokens
    if "recomp" in low and "hardware" in low:
        return 4.0 / 3.0 * (blocks + full) + head
    halved = blocks + head + full / 2.0
    whole = blocks + head + full
    if any(
        word in low
        for word in ("full", "not halved", "not causal", "pre pr#1988", "12lhqt", "megatron formula")
    ):
        return whole
    if any(word in low for word in ("halved", "causal", "post pr#1988")):
        return halved
    if whole > (1.0 + AMBIGUITY_SHARE) * halved:
        raise RefusedRowError(
            "the FLOP convention does not say whether attention is halved, which matters here"
        )
    return (whole + halved) / 2.0


def _block_weights(model: Model) -> float:
    """Weights of all layers that one token uses."""
    if model.kv_lora_rank:
        raise RefusedRowError("FLOP conventions of latent attention are not undone")
    attention = model.hidden * model.head_dim * 2.0 * (model.heads + model.kv_heads)
    expert = model.ffn_matrices * model.hidden * model.expert_ffn
    shared = model.ffn_matrices * model.hidden * (model.shared_expert_ffn or model.expert_ffn)
    sparse = (
        (model.layers - model.first_dense_layers) // max(model.moe_layer_every, 1) if model.experts else 0
    )
    used = model.top_k * expert + model.shared_experts * shared
    dense = model.ffn_matrices * model.hidden * model.ffn
    return model.layers * attention + (model.layers - sparse) * dense + sparse * used
