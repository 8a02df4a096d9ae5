"""Meet a limit on P(ruin): a search over how much liquidity the plan holds and how much its tail weighs.

P(ruin) is not monotone in either, so the search is a grid. Every plan of the grid is screened on a few futures; then, the
most valuable first, plans are confirmed on many fresh ones, and the first whose interval ends below the limit is it: every
plan of the grid that is worth more has been refused. The winner is reported on futures that neither step has seen. The
tree's nodes are means of many futures, so a tree plan sees few ruins and a dearer rescue alone moves little (measured on
the frontier example); cover of committed outlay is the lever that works, CVaR the second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from exaplan.domain.futures import Tree, World
from exaplan.domain.lab import Lab, Policy
from exaplan.domain.rates import RateTable
from exaplan.economy.ruin import ruin_probability, wilson_interval
from exaplan.optimize.highs import Basis
from exaplan.plan.inputs import collect
from exaplan.plan.solve import Solved, solve_plan
from exaplan.simulate.dispatch import Map
from exaplan.simulate.replay import replay

COVERS = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0)
"""Quarters of committed outlay held in cash or undrawn credit."""

TAIL_WEIGHTS = (0.0, 0.3)
"""Least weights of CVaR in the objective; the owner's own weight counts where it is higher."""

CONFIDENCE = 0.99
"""Confidence of the interval that has to end below the limit: above the 95 % of reports, so that these agree."""


@dataclass(frozen=True)
class Candidate:
    """One plan of the search: screened on the search's futures, confirmed on others where it came to that."""

    policy: Policy
    value_usd: float
    p_ruin: float
    confirmed: tuple[float, float, float] | None = (
        None  # P(ruin) with the ends of its interval on fresh futures
    )


@dataclass(frozen=True)
class Found:
    """The plan that the search chose; ``reached`` says whether its P(ruin) was confirmed to be within the limit."""

    lab: Lab
    solved: Solved
    reached: bool
    chosen: Candidate
    tried: tuple[Candidate, ...]  # most valuable first


MapMany = Callable[
    [Callable[[Policy], tuple[Candidate, Solved]], Iterable[Policy]], Iterable[tuple[Candidate, Solved]]
]


@dataclass(frozen=True)
class Futures:
    """What plans are judged on: one world to screen them, several to confirm them (batches of one sample)."""

    screen: World
    confirm: Sequence[World]
    seed: int


def search_ruin_limit(
    lab: Lab,
    rates: RateTable,
    tree: Tree,
    futures: Futures,
    *,
    map: MapMany = map,  # noqa: A002
    map_chunks: Map = map,
    progress: Callable[[str], object] = lambda text: None,  # noqa: ARG005
) -> Found:
    """Find the plan of most value whose P(ruin) is confirmed to keep the limit; else the one of least P(ruin).

    ``map`` runs the plans of the grid, ``map_chunks`` the paths of one replay; ``progress`` hears what is going on.

    Raises
    ------
    ValueError
        Where the lab sets no limit.
    """
    limit = lab.policy.ruin
    if limit is None:
        raise ValueError("the lab sets no limit on P(ruin); add policy.ruin")
    bases: dict[tuple[int, int], Basis] = {}

    def attempt(policy: Policy) -> tuple[Candidate, Solved]:
        inputs = collect(lab.model_copy(update={"policy": policy}), rates, tree)
        solved = solve_plan(inputs, start=bases.get(_shape(policy)))
        outcome = replay(solved, futures.screen, seed=futures.seed)
        p_ruin, _ = ruin_probability(outcome.ruined_in, limit.within_quarters)
        progress(f"{policy.cover_quarters:g} quarters of cover: P(ruin) {p_ruin:.1%} when screened")
        return Candidate(policy, float(outcome.value_usd.mean()), p_ruin), solved

    grid = grid_of(lab.policy)
    results = [attempt(grid[-1])]  # its basis starts the others
    found = results[0][1].solution.basis
    if found is not None:
        bases[_shape(grid[-1])] = found
    results += map(attempt, grid[:-1])
    results.sort(key=lambda result: (-result[0].value_usd, result[0].policy.cover_quarters))
    return _confirm(lab, results, futures, map_chunks, progress)


def _shape(policy: Policy) -> tuple[int, int]:
    """Tell programs of different shape apart: whether they have rows of the cover and of the tail."""
    tail = policy.risk.weight > 0 or policy.risk.limit_usd is not None
    return int(policy.cover_quarters > 0), int(tail)


def _confirm(
    lab: Lab,
    results: list[tuple[Candidate, Solved]],
    futures: Futures,
    map_chunks: Map,
    progress: Callable[[str], object],
) -> Found:
    """Confirm plans, the most valuable first, until one keeps the limit; else report the least P(ruin) of all."""
    limit = lab.policy.ruin
    assert limit is not None  # noqa: S101 - the caller has checked it
    tried: list[Candidate] = []
    chosen = None
    screened = len(futures.screen.rental_index)
    for number, (candidate, solved) in enumerate(results):
        low, _ = wilson_interval(round(candidate.p_ruin * screened), screened, confidence=0.999)
        if chosen is not None or low > limit.probability:
            tried.append(candidate)
            continue
        progress(f"confirming plan {number + 1} of {len(results)} on fresh futures")
        judged = _judge(candidate, solved, futures, limit.within_quarters, limit.probability, map_chunks)
        tried.append(judged)
        if judged.confirmed is not None and judged.confirmed[2] <= limit.probability:
            chosen = number
    reached = chosen is not None
    if chosen is None:
        chosen = min(range(len(tried)), key=lambda k: (tried[k].p_ruin, -tried[k].value_usd))
    best, solved = tried[chosen], results[chosen][1]
    return Found(lab.model_copy(update={"policy": best.policy}), solved, reached, best, tuple(tried))


def _judge(
    candidate: Candidate, solved: Solved, futures: Futures, within: int, limit: float, map_chunks: Map
) -> Candidate:
    """Replay a plan on the fresh futures batch by batch; stop where it is already clear that it breaks the limit."""
    ruined = paths = 0
    interval = (0.0, 1.0)
    for world in futures.confirm:
        outcome = replay(solved, world, seed=futures.seed, map=map_chunks)
        share, _ = ruin_probability(outcome.ruined_in, within)
        paths += len(outcome.ruined_in)
        ruined += round(share * len(outcome.ruined_in))
        interval = wilson_interval(ruined, paths, confidence=CONFIDENCE)
        if interval[0] > limit:
            break
    return Candidate(candidate.policy, candidate.value_usd, candidate.p_ruin, (ruined / paths, *interval))


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
