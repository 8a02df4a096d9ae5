"""Compute-optimal sizes: closed forms of Chinchilla-type laws, and any law with tokens served, by golden section.

With C = 6 N D for training and 2 N T for T served tokens (N active parameters), the optimum of a sum of powers obeys
alpha A / N^alpha = beta B / D^beta (1 + T / 3D) (Sardana et al., arXiv 2401.00448). Without service both sides are
powers of C and N, D, loss and the budget that reaches a loss are closed forms (Hoffmann et al., arXiv 2203.15556).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from exaplan.capability.forms import Array, DenseLaw, Number, ScalingLaw

_GOLDEN = (5**0.5 - 1) / 2
_TURNS = 80
_SIZES = (1e5, 1e17)
_BUDGETS = (1e15, 1e35)


@dataclass(frozen=True)
class Optimum:
    """Sizes for a budget; arrays in the shape of budgets and draws."""

    active: Array
    total: Array
    tokens: Array
    loss: Array

    @property
    def training_flop(self) -> Array:
        """6 N D."""
        return np.asarray(6 * self.active * self.tokens)

    @property
    def tokens_per_parameter(self) -> Array:
        """Training tokens for each active parameter."""
        return np.asarray(self.tokens / self.active)


def chinchilla_optimum(law: DenseLaw, flop: Number) -> Optimum:
    """N = G (C/6)^(beta/(alpha+beta)), D = C/6N with G = (alpha A / beta B)^(1/(alpha+beta)); arXiv 2203.15556.

    Parameters
    ----------
    law : DenseLaw
        Of numbers or of draws [draw, 1].
    flop : array or float, shape [budget]
        Training FLOP.

    Examples
    --------
    >>> from exaplan.capability.laws import BESIROGLU
    >>> found = chinchilla_optimum(BESIROGLU, 5.76e23)
    >>> round(float(found.active) / 1e9, 1), round(float(found.tokens_per_parameter), 1)
    (72.2, 18.4)
    """
    size, data = np.asarray(law.size_exponent), np.asarray(law.data_exponent)
    ratio = (size * law.size / (data * law.data)) ** (1 / (size + data))
    sixth = np.asarray(flop, dtype=float) / 6
    active = np.asarray(ratio * sixth ** (data / (size + data)))
    tokens = np.asarray(sixth / active)
    return Optimum(active, active, tokens, law.loss(active, active, tokens))


def chinchilla_flop(law: DenseLaw, loss: Number) -> Array:
    """Least training FLOP for a loss: L - E = K C^-g with g = alpha beta/(alpha+beta); infinite at or below E.

    Examples
    --------
    >>> from exaplan.capability.laws import BESIROGLU
    >>> found = chinchilla_optimum(BESIROGLU, 1e25)
    >>> round(float(chinchilla_flop(BESIROGLU, found.loss)) / 1e25, 6)
    1.0
    """
    size, data = np.asarray(law.size_exponent), np.asarray(law.data_exponent)
    slope = size * data / (size + data)
    room = np.asarray(loss - np.asarray(law.constant))
    at_one = chinchilla_optimum(law, 1e24).loss - law.constant
    with np.errstate(over="ignore"):
        return np.where(room > 0, 1e24 * (at_one / np.where(room > 0, room, 1.0)) ** (1 / slope), np.inf)


def budget_optimum(
    law: ScalingLaw,
    flop: Number,
    *,
    served: Number = 0.0,
    expansion: Number = 1.0,
    granularity: Number = 1.0,
) -> Optimum:
    """Sizes of least loss for a lifetime budget of 6 N D + 2 N T, by golden section in ln N.

    Parameters
    ----------
    law : ScalingLaw
        Any law, of numbers or of draws [draw, 1].
    flop : array or float, shape [budget]
        Training FLOP, and FLOP to serve where ``served`` is given.
    served : array or float
        Tokens served over the model's life, T.
    expansion : array or float
        Total over active parameters.
    granularity : array or float
        Of experts.

    Returns
    -------
    Optimum
        In the broadcast shape of law, budget and options.
    """
    budget, life = np.asarray(flop, dtype=float), np.asarray(served, dtype=float)
    shape = np.broadcast_shapes(
        budget.shape, life.shape, np.shape(expansion), np.shape(granularity), np.shape(law.data)
    )

    def tokens(active: Array) -> Array:
        return np.asarray((budget - 2 * active * life) / (6 * active))

    def loss(log_size: Array) -> Array:
        active = np.exp(log_size)
        return law.loss(active, active * expansion, np.maximum(tokens(active), 1.0), granularity)

    # beyond the upper end serving alone would eat the budget
    top = np.minimum(_SIZES[1], np.where(life > 0, budget / (2 * np.maximum(life, 1.0)), _SIZES[1]))
    best = np.exp(_golden(loss, np.full(shape, np.log(_SIZES[0])), np.broadcast_to(np.log(top), shape)))
    found = np.maximum(tokens(best), 1.0)
    total = np.asarray(best * expansion)
    return Optimum(best, total, found, law.loss(best, total, found, granularity))


def _golden(function: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Argument of the least value of a function that falls and then rises, elementwise."""
    for _ in range(_TURNS):
        width = _GOLDEN * (high - low)
        left, right = high - width, low + width
        falls = function(left) > function(right)
        low, high = np.where(falls, left, low), np.where(falls, high, right)
    return np.asarray((low + high) / 2)


def compute_optimal_loss(
    law: ScalingLaw, flop: Number, *, served: Number = 0.0, expansion: Number = 1.0, granularity: Number = 1.0
) -> Array:
    """Least loss for a budget, nats per token; arguments as of ``budget_optimum``."""
    return budget_optimum(law, flop, served=served, expansion=expansion, granularity=granularity).loss


def flop_for_loss(
    law: ScalingLaw, loss: Number, *, served: Number = 0.0, expansion: Number = 1.0, granularity: Number = 1.0
) -> Array:
    """Least lifetime FLOP that reaches a loss; closed form for dense laws without service, else bisection in ln C.

    Returns
    -------
    array
        FLOP; infinite where no budget up to 1e35 FLOP gets there.
    """
    if isinstance(law, DenseLaw) and not np.any(served):
        return chinchilla_flop(law, loss)
    target = np.asarray(loss, dtype=float)
    shape = np.broadcast_shapes(
        target.shape, np.shape(served), np.shape(expansion), np.shape(granularity), np.shape(law.data)
    )

    def least(flop: Array) -> Array:
        return compute_optimal_loss(law, flop, served=served, expansion=expansion, granularity=granularity)

    low, high = (np.full(shape, np.log(end)) for end in _BUDGETS)
    reachable = least(np.exp(high)) <= target
    for _ in range(56):
        middle = (low + high) / 2
        above = least(np.exp(middle)) > target
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where(reachable, np.exp(high), np.inf)


def overtrained(
    law: ScalingLaw, loss: Number, tokens_per_parameter: Number, *, expansion: Number = 1.0
) -> tuple[Array, Array]:
    """Model of a loss at a fixed ratio of tokens to active parameters, and its training FLOP over the least.

    Parameters
    ----------
    law : ScalingLaw
        Any law.
    loss : array or float
        Target.
    tokens_per_parameter : array or float
        D / N; about 20 is compute-optimal, hundreds are usual for models that are served much.

    Returns
    -------
    active : array
        Parameters; infinite where no size up to 1e17 gets there.
    multiple : array
        Training FLOP over that of the compute-optimal model of the same loss, at least 1.
    """
    ratio, target = np.asarray(tokens_per_parameter, dtype=float), np.asarray(loss, dtype=float)
    shape = np.broadcast_shapes(ratio.shape, target.shape, np.shape(law.data))
    low, high = (np.full(shape, np.log(end)) for end in _SIZES)

    def reached(log_size: Array) -> Array:
        active = np.exp(log_size)
        return law.loss(active, active * expansion, active * ratio)

    possible = reached(high) <= target
    for _ in range(60):
        middle = (low + high) / 2
        above = reached(middle) > target
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    active = np.where(possible, np.exp(high), np.inf)
    least = flop_for_loss(law, target, expansion=expansion)
    return active, np.asarray(6 * active * active * ratio / least)
