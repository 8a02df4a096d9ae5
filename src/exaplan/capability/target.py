"""From a target to parameters and tokens: a loss, effective FLOP, months ahead of today's frontier, or a size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from exaplan.capability.forms import Array, Number, ScalingLaw
from exaplan.capability.optimum import budget_optimum, compute_optimal_loss, flop_for_loss
from exaplan.capability.progress import Frontier

TargetKind = Literal["loss", "flop", "months", "parameters"]


@dataclass(frozen=True)
class Target:
    """What is to be reached.

    ``value`` in nats per token, effective FLOP, months ahead of the frontier, or parameters in all; a number, or an array.
    """

    kind: TargetKind
    value: Number
    tokens_per_parameter: float | None = None
    """For a size: tokens for each active parameter, instead of the compute-optimal ones."""


@dataclass(frozen=True)
class Need:
    """What a target takes; arrays in the shape of draws."""

    effective_flop: Array  # training FLOP with today's recipe, compute-optimal
    active: Array
    total: Array
    tokens: Array
    loss: Array

    @property
    def training_flop(self) -> Array:
        """Physical training FLOP, 6 N D."""
        return np.asarray(6 * self.active * self.tokens)


def needed(
    target: Target,
    law: ScalingLaw,
    *,
    frontier: Frontier,
    gain: Number = 1.0,
    served: float = 0.0,
    expansion: float = 1.0,
) -> Need:
    """Parameters and tokens that reach a target at least cost.

    Better recipes (``gain`` g, effective over physical FLOP) are taken to make parameters and tokens each worth the square
    root of g more, so that N and D shrink alike. With service the sum 6 N D + 2 N T is least at the target's loss.

    Parameters
    ----------
    target : Target
        What is to be reached.
    law : ScalingLaw
        Of numbers or draws [draw, 1].
    frontier : Frontier
        Where months are counted from.
    gain : array or float, shape [draw, 1]
        Progress of recipes until the run.
    served : float
        Tokens served over the model's life.
    expansion : float
        Total over active parameters.

    Returns
    -------
    Need
        Infinite where no budget reaches the target.
    """
    root = np.sqrt(np.asarray(gain, dtype=float))
    if target.kind == "parameters" and target.tokens_per_parameter is not None:
        return _as_given(target, law, root=root, expansion=expansion)
    if target.kind == "loss":
        flop = flop_for_loss(law, target.value, expansion=expansion)
    elif target.kind == "parameters":
        flop = _budget_of_size(law, np.asarray(target.value) / expansion * root, expansion)
    else:
        flop = np.asarray(
            target.value if target.kind == "flop" else frontier.ahead(target.value), dtype=float
        )
    reached = np.where(np.isfinite(flop), flop, 1.0)
    loss = compute_optimal_loss(law, reached, expansion=expansion)
    budget = reached
    if served:
        budget = flop_for_loss(law, loss, served=served * root, expansion=expansion)
    best = budget_optimum(law, budget, served=served * root if served else 0.0, expansion=expansion)
    missed = ~np.isfinite(np.broadcast_to(flop, best.active.shape))
    active, tokens = (np.where(missed, np.inf, value / root) for value in (best.active, best.tokens))
    return Need(
        effective_flop=np.broadcast_to(flop, active.shape),
        active=active,
        total=np.asarray(active * expansion),
        tokens=tokens,
        loss=np.broadcast_to(np.where(missed, np.nan, best.loss), active.shape),
    )


def _as_given(target: Target, law: ScalingLaw, *, root: Array, expansion: float) -> Need:
    """Take a size with its tokens as given: nothing is optimized, the law says which loss it has."""
    shape = np.broadcast_shapes(np.shape(target.value), root.shape, np.shape(law.data))
    active = np.broadcast_to(np.asarray(target.value, dtype=float) / expansion, shape)
    tokens = np.asarray(active * (target.tokens_per_parameter or 0.0))
    loss = law.loss(active * root, active * expansion * root, tokens * root)
    return Need(
        np.asarray(6 * active * tokens * root**2), active, np.asarray(active * expansion), tokens, loss
    )


def _budget_of_size(law: ScalingLaw, active: Array, expansion: float) -> Array:
    """Training FLOP for which a size is compute-optimal, by bisection in ln C."""
    shape = np.broadcast_shapes(np.shape(active), np.shape(law.data))
    low, high = np.full(shape, np.log(1e15)), np.full(shape, np.log(1e35))
    for _ in range(50):
        middle = (low + high) / 2
        small = budget_optimum(law, np.exp(middle), expansion=expansion).active < active
        low, high = np.where(small, middle, low), np.where(small, high, middle)
    return np.asarray(np.exp(high))
