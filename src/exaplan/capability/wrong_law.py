"""What it costs to size a model by the wrong law: N and D chosen under law A, nature follows law B.

Losses of two laws are never compared. Both the choice and the best one are judged by B: the loss that A's sizes reach is
what a smaller budget would have reached with B's sizes, and the difference is the regret in FLOP.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from exaplan.capability.forms import Array, Number, ScalingLaw
from exaplan.capability.laws import Allocation
from exaplan.capability.optimum import Optimum, budget_optimum, flop_for_loss

_NOTHING = 1e-9  # what the searches of the optimum leave

Planner: TypeAlias = ScalingLaw | Allocation


@dataclass(frozen=True)
class Regret:
    """A plan under one law seen by another; arrays over budgets and draws of the truth."""

    planned: Optimum  # sizes under A; its loss is that under B
    best: Optimum  # under B
    flop: Array  # the budget
    enough_flop: Array  # with which B's sizes reach the same loss

    @property
    def excess_loss(self) -> Array:
        """Loss above the best possible, nats per token of B."""
        return np.asarray(self.planned.loss - self.best.loss)

    @property
    def wasted_share(self) -> Array:
        """Share of the budget that bought nothing, 0..1."""
        share = np.clip(1 - self.enough_flop / self.flop, 0.0, 1.0)
        return np.where(share < _NOTHING, 0.0, share)

    def months(self, doubling_months: Number) -> Array:
        """Months of a trend with this doubling time that the wasted compute was worth."""
        return np.asarray(np.log2(self.flop / np.minimum(self.enough_flop, self.flop)) * doubling_months)


def regret(
    planner: Planner, truth: ScalingLaw, flop: Number, *, served: Number = 0.0, expansion: Number = 1.0
) -> Regret:
    """Plan a lifetime budget under one law and judge it by another.

    Parameters
    ----------
    planner : ScalingLaw or Allocation
        Law A, of plain numbers. An allocation splits the training budget and knows nothing of service.
    truth : ScalingLaw
        Law B, of numbers or of draws [draw, 1].
    flop : array or float, shape [budget]
        Budget: 6 N D, and 2 N T where ``served`` is given.
    served : array or float
        Tokens served, T.
    expansion : array or float
        Total over active parameters, under both laws.
    """
    budget = np.asarray(flop, dtype=float)
    if isinstance(planner, Allocation):
        tokens = planner.tokens(budget)
        active = np.asarray(budget / (6 * tokens + 2 * np.asarray(served)))
    else:
        chosen = budget_optimum(planner, budget, served=served, expansion=expansion)
        active, tokens = chosen.active, chosen.tokens
    total = np.asarray(active * expansion)
    seen = Optimum(active, total, tokens, truth.loss(active, total, tokens))
    best = budget_optimum(truth, budget, served=served, expansion=expansion)
    enough = flop_for_loss(truth, seen.loss, served=served, expansion=expansion)
    return Regret(seen, best, np.broadcast_to(budget, seen.loss.shape), enough)
