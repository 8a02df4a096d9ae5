"""Tune simple rules on training futures: the same paths and the same number of evaluations for each rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from exaplan.domain.futures import World
from exaplan.economy.ruin import ruin_probability
from exaplan.plan.solve import Solved
from exaplan.simulate.baselines import Family
from exaplan.simulate.dispatch import Map
from exaplan.simulate.replay import replay

GLOBAL_SHARE = 0.6
"""Share of the evaluations spread over the whole range; the rest closes in on the best so far."""


@dataclass(frozen=True)
class Ground:
    """A plan at whose nodes' prices a rule is dispatched, and whose raises and exits it follows."""

    name: str
    solved: Solved


@dataclass(frozen=True)
class Tuned:
    """The best setting that was found for a rule."""

    family: Family
    setting: tuple[float, ...]
    ground: Ground
    value_usd: float  # mean over the training futures
    p_ruin: float  # on the training futures, within the owner's time
    evaluations: int


def tune(
    family: Family,
    grounds: Sequence[Ground],
    training: World,
    *,
    budget: int,
    seed: int,
    map: Map = map,  # noqa: A002
    progress: Callable[[str], object] = lambda text: None,  # noqa: ARG005
) -> Tuned:
    """Search a rule's settings: low-discrepancy points first, on each ground in turn, then points ever closer to the best.

    Best is the most mean value among settings that keep the owner's limit on P(ruin); where none does, the least P(ruin).
    A rule without parameters needs one evaluation on each ground, whatever the budget.
    """
    limit = grounds[0].solved.program.inputs.lab.policy.ruin

    def judge(setting: tuple[float, ...], ground: Ground) -> tuple[tuple[float, float], Tuned]:
        outcome = replay(ground.solved, training, seed=seed, orders=family.make(setting), map=map)
        p_ruin = ruin_probability(outcome.ruined_in, limit.within_quarters if limit else None)[0]
        value = float(outcome.value_usd.mean())
        over = max(p_ruin - limit.probability, 0.0) if limit else 0.0
        return (-over, value), Tuned(family, setting, ground, value, p_ruin, 0)

    low, high = np.array(family.low), np.array(family.high)
    rounds = budget if len(low) else len(grounds)
    points = _spread(len(low), max(1, round(GLOBAL_SHARE * rounds)) if len(low) else rounds)
    rng = np.random.default_rng([seed, len(low)])
    best: tuple[tuple[float, float], Tuned] | None = None
    for number in range(rounds):
        if best is None or number < len(points):
            unit, ground = points[number], grounds[number % len(grounds)]
        else:
            left = (number - len(points)) / max(rounds - len(points), 1)
            center = (np.array(best[1].setting) - low) / (high - low)
            unit = np.clip(center + 0.2 * 0.2**left * rng.normal(size=len(low)), 0.0, 1.0)
            ground = best[1].ground
        found = judge(tuple((low + (high - low) * unit).tolist()), ground)
        best = found if best is None or found[0] > best[0] else best
        progress(f"tuning {family.name}: {number + 1} of {rounds}")
    assert best is not None  # noqa: S101 - every rule has a round
    return replace(best[1], evaluations=rounds)


def _spread(dimensions: int, count: int) -> np.ndarray:
    """Spread points evenly over the unit cube [point, dimension]: the additive recurrence of Roberts (2018).

    Multiples of powers of the root of x^(d+1) = x + 1, from the center on.
    """
    root = 2.0
    for _ in range(60):
        root = (1 + root) ** (1 / (dimensions + 1))
    step = root ** -np.arange(1.0, dimensions + 1)
    return np.asarray((0.5 + np.arange(count)[:, None] * step) % 1.0)
