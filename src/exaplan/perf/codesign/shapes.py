"""Model shapes as variables: experts, granularity, heads, width and depth; and what equal loss asks of each.

A family starts from one architecture and changes one thing at a time, keeping the rest of the bill of parameters. The
loss law says how many tokens each member needs; training FLOP follow from tokens and the engine's own counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from exaplan.domain.technology import Model
from exaplan.perf.counts import parameters, training_flop_per_token

Array = NDArray[np.float64]

_STANDARD_BLOCK = 8.0  # parameters of a standard feed-forward block over the square of the width
_ROUND_TO = 64  # widths stay whole multiples: kernels want them


class LossLaw(Protocol):
    """What co-design asks of a scaling law; ``exaplan.capability.laws`` holds laws of this form."""

    def loss(self, active: Array, total: Array, tokens: float, granularity: Array) -> Array:
        """Loss of shapes after ``tokens``, nats per token."""
        ...

    def tokens_for(self, loss: float, active: Array, total: Array, granularity: Array) -> Array:
        """Tokens that bring shapes to a loss; infinite where none do."""
        ...


@dataclass(frozen=True)
class Reference:
    """The model and the tokens whose loss every shape must match."""

    model: Model
    tokens: float


@dataclass(frozen=True)
class EqualLoss:
    """Shapes brought to one loss; arrays over shapes, in the order given."""

    loss: float
    active: Array
    total: Array  # input embedding not counted
    granularity: Array
    tokens: Array  # inf where the shape never reaches the loss
    training_flop: Array


def granularity(model: Model) -> float:
    """One standard feed-forward block (8 d^2 parameters) over one expert (Krajewski et al., arXiv 2402.07871, section 4).

    Examples
    --------
    >>> plain = Model(id="m", layers=1, hidden=64, heads=1, kv_heads=1, head_dim=64, vocab=8)
    >>> granularity(plain)
    1.0
    >>> granularity(plain.model_copy(update={"experts": 4, "top_k": 1, "expert_ffn": 32, "ffn_matrices": 2}))
    8.0
    """
    if model.experts == 0:
        return 1.0
    return _STANDARD_BLOCK * model.hidden / (model.ffn_matrices * model.expert_ffn)


def equal_loss(
    shapes: Sequence[Model], law: LossLaw, reference: Reference, *, sequence_tokens: float = 4096.0
) -> EqualLoss:
    """Bring shapes to the loss of the reference: tokens and training FLOP of each.

    Parameters
    ----------
    shapes : sequence of Model
        Architectures.
    law : LossLaw
        Scaling law.
    reference : Reference
        Model and tokens that set the loss.
    sequence_tokens : float
        Training sequence, for the FLOP of attention.

    Returns
    -------
    EqualLoss
        Arrays over shapes.
    """
    counts = [parameters(model) for model in (*shapes, reference.model)]
    active = np.array([float(count.active) for count in counts])
    # The input embedding is a look-up: left out of both, so that a dense model uses all it has
    total = np.array([float(count.total - count.embedding) for count in counts])
    grains = np.array([granularity(model) for model in (*shapes, reference.model)])
    target = float(law.loss(active[-1:], total[-1:], reference.tokens, grains[-1:]).reshape(-1)[0])
    tokens = np.asarray(law.tokens_for(target, active[:-1], total[:-1], grains[:-1])).reshape(-1)
    flop = np.array([float(training_flop_per_token(model, sequence_tokens)) for model in shapes])
    return EqualLoss(target, active[:-1], total[:-1], grains[:-1], tokens, flop * tokens)


def _renamed(model: Model, label: str, **changes: int) -> Model:
    """Copy with changes, validated afresh; the published count belongs to the original."""
    values = model.model_dump() | changes
    return Model.model_validate(
        values
        | {
            "id": f"{model.id} {label}",
            "params_published_b": None,
            "source": f"derived from {model.id}",
            "notes": "",
        }
    )


def with_expert_width(model: Model, width: int) -> Model:
    """Experts of another width with the same active and total expert parameters: count and top-k scale inversely.

    Raises
    ------
    ValueError
        For a dense model, or a width at which a token would visit less than half an expert.
    """
    if model.experts == 0:
        raise ValueError(f"{model.id} has no experts")
    ratio = model.expert_ffn / width
    top_k = round(model.top_k * ratio)
    if top_k < 1:
        raise ValueError(f"{model.id}: experts of width {width} are wider than all that a token visits")
    # Whatever rounding of top-k changes in active parameters, the count of experts follows, so sparsity stays.
    experts = max(round(model.experts / model.top_k * top_k), top_k)
    return _renamed(
        model,
        f"experts of {width}",
        expert_ffn=width,
        experts=experts,
        top_k=top_k,
        shared_expert_ffn=model.shared_expert_ffn or (model.expert_ffn if model.shared_experts else 0),
    )


def with_experts(model: Model, experts: int) -> Model:
    """Another number of experts of the same width and the same top-k: sparsity changes, active parameters do not."""
    return _renamed(model, f"{experts} experts", experts=experts)


def with_top_k(model: Model, top_k: int) -> Model:
    """Another number of experts per token: active parameters change, total ones do not."""
    return _renamed(model, f"top {top_k}", top_k=top_k)


def with_head_dim(model: Model, head_dim: int) -> Model:
    """Heads of another size at the same width of all query heads together; the cache keeps its bytes per token.

    Raises
    ------
    ValueError
        Where heads or key-value heads would not come out whole, or attention is latent and has no such size.
    """
    if model.kv_lora_rank:
        raise ValueError(f"{model.id}: latent attention has no single head size")
    heads, kv_heads = model.heads * model.head_dim, model.kv_heads * model.head_dim
    if heads % head_dim or kv_heads % head_dim:
        raise ValueError(f"{model.id}: heads of {head_dim} do not divide its attention width")
    return _renamed(
        model,
        f"heads of {head_dim}",
        heads=heads // head_dim,
        kv_heads=kv_heads // head_dim,
        head_dim=head_dim,
    )


def with_depth(model: Model, layers: int) -> Model:
    """Another depth at (nearly) the same parameters: every width scales with the root of the old depth over the new."""
    scale = math.sqrt(model.layers / layers)
    changes = {
        name: _rounded(getattr(model, name) * scale)
        for name in ("hidden", "ffn", "expert_ffn", "shared_expert_ffn")
        if getattr(model, name)
    }
    heads = max(round(model.heads * scale / model.kv_heads), 1) * model.kv_heads
    dense = min(round(model.first_dense_layers * layers / model.layers), layers)
    window = round(model.window_layers * layers / model.layers)
    return _renamed(
        model,
        f"{layers} layers",
        layers=layers,
        heads=heads,
        first_dense_layers=dense,
        window_layers=window,
        **changes,
    )


def family(
    model: Model,
    *,
    expert_widths: Sequence[int] = (),
    expert_counts: Sequence[int] = (),
    top_ks: Sequence[int] = (),
    head_dims: Sequence[int] = (),
    depths: Sequence[int] = (),
    dense_sizes: Sequence[float] = (),
) -> tuple[Model, ...]:
    """Vary a model one thing at a time: itself first, then each change asked for.

    Raises
    ------
    ValueError
        For a change that the model does not allow; see the function of each.
    """
    return (
        model,
        *(with_expert_width(model, width) for width in expert_widths),
        *(with_experts(model, count) for count in expert_counts),
        *(with_top_k(model, top_k) for top_k in top_ks),
        *(with_head_dim(model, size) for size in head_dims),
        *(with_depth(model, layers) for layers in depths),
        *(dense_of(model, active) for active in dense_sizes),
    )


def dense_of(model: Model, active: float) -> Model:
    """Dense model of the same kind of attention with about ``active`` parameters per token.

    Depth grows with the cube root of size and width takes the rest, as in published families; the feed-forward block has
    the standard 8 d^2 parameters. Attention keeps the head size and eight key-value heads, or its latent ranks.

    Parameters
    ----------
    model : Model
        Gives vocabulary, gating, head size and latent ranks.
    active : float
        Parameters, input embedding not counted.

    Returns
    -------
    Model
        Within a few per cent of ``active``: width is rounded to 128.
    """
    sparse = float(parameters(model).active)
    layers = max(round(model.layers * (active / sparse) ** (1 / 3)), 4)

    def at(hidden: int) -> Model:
        width = _rounded(_STANDARD_BLOCK * hidden / model.ffn_matrices)
        # Heads come in eights: eight key-value heads, and a tensor-parallel split that divides them
        heads = max(8 * round(hidden / model.head_dim / 8), 8)
        return _renamed(
            model,
            f"dense {active / 1e9:.0f}B",
            layers=layers,
            hidden=hidden,
            heads=heads,
            kv_heads=8,
            ffn=width,
            experts=0,
            top_k=0,
            shared_experts=0,
            expert_ffn=0,
            shared_expert_ffn=0,
            first_dense_layers=0,
            moe_layer_every=1,
            window_layers=round(model.window_layers * layers / model.layers),
        )

    low, high = 1, 2048  # width in steps of 128
    while low < high:
        middle = (low + high) // 2
        if float(parameters(at(128 * middle)).active) < active:
            low = middle + 1
        else:
            high = middle
    return at(128 * low)


def _rounded(width: float) -> int:
    return max(round(width / _ROUND_TO), 1) * _ROUND_TO
