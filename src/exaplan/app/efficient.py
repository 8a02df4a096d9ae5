"""The efficient frontier: what more caution costs, in value or in lead, and what it spares of P(ruin)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from exaplan.app.again import Made, Seen, lead_of, point_of, see
from exaplan.app.pipeline import Clock, Settings
from exaplan.app.sweep import Tell, along, halves
from exaplan.app.whatif import asked_of
from exaplan.domain.errors import InputError, Problem
from exaplan.domain.explored import Against, Caution, Frontier, Point
from exaplan.domain.lab import Policy
from exaplan.economy.ruin import ruin_probability
from exaplan.simulate.ruin_limit import grid_of

SEARCH_PATHS = 400
"""Futures on which the efficient plans are chosen; never those of the report."""


@dataclass(frozen=True)
class Found:
    """One plan on the futures of the search: what counts against ruin, and ruin."""

    value: float
    lead: float | None
    p_ruin: float


def cautions(policy: Policy) -> list[Policy]:
    """List the policies of the grid of :func:`exaplan.simulate.ruin_limit.grid_of` from no caution on, and the owner's own.

    Ordered so that neighbours differ little: by weight of the tail, then by cover.
    """
    none = policy.model_copy(
        update={"cover_quarters": 0.0, "risk": policy.risk.model_copy(update={"weight": 0.0})}
    )
    grid = grid_of(none)
    if policy not in grid:
        grid.append(policy)
    return sorted(grid, key=lambda item: (item.risk.weight, item.cover_quarters))


def run_frontier(
    base: Made,
    settings: Settings,
    clock: Clock,
    *,
    lab_file: str,
    against: Against = "value",
    tell: Tell = lambda done, total: None,  # noqa: ARG005
) -> Frontier:
    """Plan every caution, choose the plans that none beats on the search's futures, and report them on others.

    Raises
    ------
    InputError
        Where lead is asked for and the lab has no capability.
    NoAnswerError
        As :func:`exaplan.app.again.make_again`.
    """
    if against == "lead" and base.lab.capability is None:
        raise InputError(
            Problem("this lab has no lead to give up", suggestion="add `capability:`, or use --against value")
        )
    begin = perf_counter()
    policies = cautions(base.lab.policy)
    labs = [base.lab.model_copy(update={"policy": policy}) for policy in policies]
    with clock.phase("replay"):
        first = see(base, paths=settings.paths, seed=settings.seed)

    def look(place: int, made: Made) -> tuple[Found, Point]:
        searched = see(made, paths=SEARCH_PATHS, seed=settings.seed, purpose="search", alone=True)
        fresh = see(made, paths=settings.paths, seed=settings.seed, alone=True)
        policy = policies[place]
        return _found(searched), point_of(_name(policy), _written(policy), fresh, first)

    with clock.phase("frontier"):
        found = along(base, halves(range(len(labs))), labs, look, tell)
    searched, points = [item for item, _ in found], [point for _, point in found]
    best = efficient([(item.p_ruin, _worth(item.value, item.lead, against)) for item in searched])
    kept = _confirmed(points, best, against)
    plans = tuple(
        Caution(
            cover_quarters=policy.cover_quarters,
            tail_weight=policy.risk.weight,
            search_value=item.value,
            search_p_ruin=item.p_ruin,
            search_lead=item.lead,
            efficient=best[place],
            confirmed=kept[place],
            given=policy == base.lab.policy,
            point=points[place],
        )
        for place, (policy, item) in enumerate(zip(policies, searched, strict=True))
    )
    asked = asked_of(base.lab, settings, lab_file, base.seconds + perf_counter() - begin)
    return Frontier(asked, against, SEARCH_PATHS, plans)


def _confirmed(points: Sequence[Point], best: Sequence[bool], against: Against) -> list[bool]:
    """Say which of the chosen plans none of the others chosen beats on the fresh futures either."""
    places = [place for place, chosen in enumerate(best) if chosen]
    fresh = [
        (points[place].p_ruin, _worth(points[place].value, points[place].lead, against)) for place in places
    ]
    held = {place for place, holds in zip(places, efficient(fresh), strict=True) if holds}
    return [place in held for place in range(len(points))]


def efficient(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Say which points (risk, worth) no other beats: none has less risk and as much worth, or more worth at as little risk.

    Of equal points the first one stands.

    Examples
    --------
    >>> efficient([(0.1, 5.0), (0.2, 7.0), (0.2, 6.0), (0.3, 7.0), (0.1, 5.0)])
    [True, True, False, False, False]
    """

    def beaten(place: int) -> bool:
        risk, worth = points[place]
        return any(
            (other <= risk and more >= worth and (other < risk or more > worth))
            or ((other, more) == (risk, worth) and earlier < place)
            for earlier, (other, more) in enumerate(points)
        )

    return [not beaten(place) for place in range(len(points))]


def _found(seen: Seen) -> Found:
    limit = seen.made.lab.policy.ruin
    p_ruin, _ = ruin_probability(seen.outcome.ruined_in, limit.within_quarters if limit else None)
    return Found(float(seen.outcome.value_usd.mean()), lead_of(seen), p_ruin)


def _worth(value: float, lead: float | None, against: Against) -> float:
    return lead if against == "lead" and lead is not None else value


def _name(policy: Policy) -> str:
    return f"cover {policy.cover_quarters:g} q, tail {policy.risk.weight:.0%}"


def _written(policy: Policy) -> dict[str, str]:
    return {
        "policy.cover": f"{policy.cover_quarters:g} quarters",
        "policy.risk.weight": f"{100 * policy.risk.weight:g} %",
    }
