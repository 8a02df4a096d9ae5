"""Meet a limit on P(ruin): a search over how much liquidity the plan holds and how much its tail weighs.

P(ruin) is not monotone in either, so the search is a grid; it runs on futures of its own, and the winner is reported on
others. The tree's nodes are means of many futures, so a tree plan sees few ruins and a dearer rescue alone moves little
(measured on the frontier example); cover of committed outlay is the lever that works, CVaR the second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from exaplan.domain.futures import Tree, World
from exaplan.domain.lab import Lab, Policy
from exaplan.domain.outcome import Outcome
from exaplan.domain.rates import RateTable
from exaplan.economy.ruin import ruin_probability
from exaplan.plan.inputs import collect
from exaplan.plan.solve import Solved, solve_plan
from exaplan.simulate.replay import replay

COVERS = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0)
"""Quarters of committed outlay held in cash or undrawn credit."""

TAIL_WEIGHTS = (0.0, 0.3)
"""Least weights of CVaR in the objective; the owner's own weight counts where it is higher."""


@dataclass(frozen=True)
class Candidate:
    """One plan of the search with what its replay found."""

    policy: Policy
    value_usd: float
    p_ruin: float


@dataclass(frozen=True)
class Found:
    """The best plan of the search; ``reached`` says whether it keeps the limit on the search's futures."""

    lab: Lab
    solved: Solved
    reached: bool
    tried: tuple[Candidate, ...]


MapMany = Callable[
    [Callable[[Policy], tuple[Candidate, Solved]], Iterable[Policy]], Iterable[tuple[Candidate, Solved]]
]


def search_ruin_limit(
    lab: Lab,
    rates: RateTable,
    tree: Tree,
    world: World,
    *,
    seed: int,
    map: MapMany = map,  # noqa: A002
) -> Found:
    """Find the plan of most replayed value whose P(ruin) keeps the limit with a standard error to spare; else the one of least P(ruin).

    Raises
    ------
    ValueError
        Where the lab sets no limit.
    """
    limit = lab.policy.ruin
    if limit is None:
        raise ValueError("the lab sets no limit on P(ruin); add policy.ruin")

    def attempt(policy: Policy) -> tuple[Candidate, Solved]:
        solved = solve_plan(collect(lab.model_copy(update={"policy": policy}), rates, tree))
        outcome: Outcome = replay(solved, world, seed=seed)
        p_ruin, _ = ruin_probability(outcome.ruined_in, limit.within_quarters)
        return Candidate(policy, float(outcome.value_usd.mean()), p_ruin), solved

    results = list(map(attempt, grid_of(lab.policy)))
    paths = len(world.rental_index)
    keeping = [result for result in results if _safely(result[0].p_ruin, paths) <= limit.probability]
    keeping = keeping or [result for result in results if result[0].p_ruin <= limit.probability]
    if keeping:
        best, solved = max(keeping, key=lambda result: result[0].value_usd)
    else:
        best, solved = min(results, key=lambda result: (result[0].p_ruin, -result[0].value_usd))
    return Found(
        lab.model_copy(update={"policy": best.policy}),
        solved,
        bool(keeping),
        tuple(row for row, _ in results),
    )


def _safely(p_ruin: float, paths: int) -> float:
    """Add one standard error: the best of many candidates looks better on the search's futures than it is."""
    return p_ruin + math.sqrt(p_ruin * (1 - p_ruin) / paths)


def grid_of(policy: Policy) -> list[Policy]:
    """Policies of the search: never less cover or less weight on the tail than the owner asked for."""
    covers = sorted({max(cover, policy.cover_quarters) for cover in COVERS})
    weights = sorted({max(weight, policy.risk.weight) for weight in TAIL_WEIGHTS})
    return [
        policy.model_copy(
            update={"cover_quarters": cover, "risk": policy.risk.model_copy(update={"weight": weight})}
        )
        for cover in covers
        for weight in weights
    ]
