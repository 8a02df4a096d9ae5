"""The latest safe date of a round: the plan where it can only be raised from later and later on, down to never."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from time import perf_counter

import numpy as np

from exaplan.app.again import Made, Seen, point_of, see
from exaplan.app.pipeline import Clock, Settings
from exaplan.app.sweep import Tell, along
from exaplan.app.whatif import asked_of
from exaplan.domain.errors import InputError, Problem
from exaplan.domain.explored import LateRaise, Raises, RoundDates
from exaplan.domain.lab import Lab, Round
from exaplan.domain.quarter import Quarter
from exaplan.economy.ruin import mean_interval


@dataclass(frozen=True)
class Late:
    """One round that begins late: the lab with it; ``quarter`` None is never."""

    round: Round
    quarter: Quarter | None
    lab: Lab


def run_raises(
    base: Made,
    settings: Settings,
    clock: Clock,
    *,
    lab_file: str,
    tell: Tell = lambda done, total: None,  # noqa: ARG005
) -> Raises:
    """Plan and replay each round from each quarter of its window on, and never, on the same futures.

    The plan knows of the late date from the start: it is the best that can be done with a round that late.

    Raises
    ------
    InputError
        Where the lab has no round whose window meets the horizon.
    NoAnswerError
        As :func:`exaplan.app.again.make_again`.
    """
    begin = perf_counter()
    tried = list(late_rounds(base.lab))
    if not tried:
        raise InputError(
            Problem("this lab has no round that could be raised late", suggestion="add `finance.rounds:`")
        )
    with clock.phase("replay"):
        first = see(base, paths=settings.paths, seed=settings.seed)

    def look(place: int, made: Made) -> LateRaise:
        late = tried[place]
        seen = see(made, paths=settings.paths, seed=settings.seed, alone=True)
        return _judged(late, seen, first)

    with clock.phase("raises"):
        found = along(base, _walks(tried), [late.lab for late in tried], look, tell)
    rounds = []
    for chance in dict.fromkeys(late.round.id for late in tried):
        own = [(late, plan) for late, plan in zip(tried, found, strict=True) if late.round.id == chance]
        rounds.append(_dates(own[0][0].round, tuple(plan for _, plan in own)))
    asked = asked_of(base.lab, settings, lab_file, base.seconds + perf_counter() - begin)
    return Raises(asked, point_of("as given", {}, first, None), tuple(rounds))


def _walks(tried: Sequence[Late]) -> list[list[int]]:
    """Walk through each round from both of its ends: the first beginning is the plan as given, and so is its start."""
    walks = []
    for chance in dict.fromkeys(late.round.id for late in tried):
        own = [place for place, late in enumerate(tried) if late.round.id == chance]
        middle = (len(own) + 1) // 2
        walks += [own[:middle], own[: middle - 1 : -1]]
    return walks


def late_rounds(lab: Lab) -> Iterator[Late]:
    """List for each round the lab in which it begins at each quarter of its window, then the lab in which it never does.

    Never is a window after the horizon, so the program keeps its shape and the plan before is a start.
    """
    horizon = lab.horizon
    for number, chance in enumerate(lab.finance.rounds):
        begin, end = max(chance.first, horizon.first), min(chance.last, horizon.last)
        if end < begin:
            continue
        quarters: list[Quarter | None] = [begin + step for step in range(end - begin + 1)]
        for quarter in [*quarters, None]:
            if quarter is None:
                moved = {"first": horizon.last + 1, "last": horizon.last + 1}
            else:
                moved = {"first": quarter}
            yield Late(chance, quarter, _with_round(lab, number, chance.model_copy(update=moved)))


def _with_round(lab: Lab, number: int, chance: Round) -> Lab:
    rounds = list(lab.finance.rounds)
    rounds[number] = chance
    finance = lab.finance.model_copy(update={"rounds": tuple(rounds)})
    return lab.model_copy(update={"finance": finance})


def _judged(late: Late, seen: Seen, base: Seen) -> LateRaise:
    limit = seen.made.lab.policy.ruin
    written = "never" if late.quarter is None else str(late.quarter)
    name = f"{late.round.id} {'never' if late.quarter is None else f'from {late.quarter} on'}"
    point = point_of(name, {f"finance.rounds.{late.round.id}.first": written}, seen, base)
    more, low, high = more_ruin(seen, base)
    safe = point.p_ruin <= limit.probability if limit else low <= 0
    return LateRaise(None if late.quarter is None else written, safe, more, (low, high), point)


def more_ruin(seen: Seen, base: Seen) -> tuple[float, float, float]:
    """P(ruin) of a plan above that of another on the same futures, with its 95 % interval future by future."""
    limit = seen.made.lab.policy.ruin
    change = _ruined(seen, limit.within_quarters if limit else None) - _ruined(
        base, limit.within_quarters if limit else None
    )
    return mean_interval(change, antithetic=len(change) % 2 == 0 and len(change) > 2)


def _ruined(seen: Seen, within: int | None) -> np.ndarray:
    quarter = seen.outcome.ruined_in
    return np.asarray(((quarter >= 0) & ((quarter < within) if within is not None else True)), dtype=float)


def _dates(chance: Round, plans: tuple[LateRaise, ...]) -> RoundDates:
    kept = [plan.quarter for plan in takewhile(lambda plan: plan.safe, plans) if plan.quarter is not None]
    return RoundDates(
        round=chance.id,
        first=str(chance.first),
        last=str(chance.last),
        max_usd=chance.max_usd,
        latest_safe=kept[-1] if kept else None,
        needed=not plans[-1].safe,
        plans=plans,
    )
