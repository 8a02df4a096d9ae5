"""How many risky recipes a lab should try side by side, when each further one takes compute from the run that is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from exaplan.app.casebook.asking import Change, spoken
from exaplan.app.casebook.estimate import Estimate, Rule, estimated
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.planned import BATCH
from exaplan.app.casebook.raced import changed, five_labs, names
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.race import RaceFile
from exaplan.domain.race_result import Race
from exaplan.economy.lags import months_behind
from exaplan.simulate.race import run_race
from exaplan.simulate.race_bets import Bets, bet_draws
from exaplan.simulate.race_draws import RaceDraws, draw_race
from exaplan.simulate.race_measures import best_of_others

_BATCHES = 4
_MOST_PILOTS = 0.9 + 1e-9
_COUNTS = (1, 2, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True)
class Question(Inputs):
    """How many bets, what each costs, how it may fail, and how much recipes differ."""

    lab: str = "anthropic"
    bets: float = 3.0
    pilot: float = 0.1
    divergence: float = 0.1
    alike: float = 0.3
    seen: float = 0.7
    spread: float = 0.2
    leaps: float = 0.2
    at: float = 8.0
    draws: int = 60


def file_of(question: Question) -> RaceFile:
    """Put spread and leaps of recipes into the race."""
    return changed(five_labs(), {}, private_progress=question.spread, leapfrog_chance=question.leaps)


@lru_cache(maxsize=16)
def _base(spread: float, leaps: float, seed: int) -> tuple[RaceFile, RaceDraws, Race]:
    file = file_of(Question(spread=spread, leaps=leaps))
    draws = draw_race(file, paths=BATCH, seed=seed)
    return file, draws, run_race(file, paths=BATCH, seed=seed, draws=draws)


def bets_of(question: Question) -> Bets:
    """Bets of the question; pilots together take at most nine tenths of the compute."""
    count = max(round(question.bets), 1)
    pilot = min(question.pilot, 0.9 / max(count - 1, 1))
    return Bets(count, pilot, question.divergence, question.alike, question.seen)


@lru_cache(maxsize=128)
def _raced(question: Question, batch: int) -> Race:
    file, draws, race = _base(question.spread, question.leaps, question.seed + batch)
    moved = bet_draws(file, draws, race, names().index(question.lab), bets_of(question))
    return run_race(file, paths=BATCH, seed=question.seed + batch, draws=moved)


def raced(question: Question, batch: int) -> Race:
    """Run the race in which the lab bets."""
    return _raced(replace(question, at=0.0, draws=0), batch)


def gained(question: Question, batch: int) -> np.ndarray:
    """Months of capability ahead of the same lab with one bet; below zero where it falls behind [path]."""
    place, at = names().index(question.lab), round(question.at)
    many, one = (raced(replace(question, bets=count), batch) for count in (question.bets, 1.0))
    past = np.broadcast_to(one.past_capability[place], (BATCH, one.past_capability.shape[1]))

    def behind(late: Race, early: Race) -> np.ndarray:
        return months_behind(
            early.months[at : at + 1],
            late.capability[:, place, at : at + 1],
            leader_months=np.concatenate([early.past_months, early.months]),
            leader=np.concatenate([past, early.capability[:, place]], axis=-1),
        ).months[:, 0]

    return np.asarray(behind(one, many) - behind(many, one))


def _mean(question: Question) -> Estimate:
    return estimated([gained(question, batch) for batch in range(_BATCHES)])


def best(question: Question) -> int:
    """Find the number of bets with the most months, of those tried whose pilots leave a tenth of the compute."""
    left = [count for count in _COUNTS if question.pilot * (count - 1) <= _MOST_PILOTS]
    return max(left, key=lambda count: _mean(replace(question, bets=float(count))).value)


def _date(question: Question) -> str:
    return str(five_labs().horizon.first + round(question.at))


def _first(question: Question) -> tuple[float, float]:
    """P(first in capability at the quarter), and revenue to the end in GUSD."""
    place, at = names().index(question.lab), round(question.at)
    races = [raced(question, batch) for batch in range(_BATCHES)]
    first = [(race.capability > best_of_others(race.capability))[:, place, at].mean() for race in races]
    return float(np.mean(first)), float(
        np.mean([race.revenue_usd[:, place].sum(axis=1).mean() for race in races]) / 1e9
    )


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    most = best(question)
    top = _mean(replace(question, bets=float(most)))
    one, many = (_first(replace(question, bets=count)) for count in (1.0, float(most)))
    sentence = (
        f"The claim {spoken(word)}. {question.bets:g} bets, each further one for {question.pilot:.0%} of the compute for development, put "
        f"{question.lab} {found.value:+.1f} months of capability against a single one by the end of {_date(question)}. Of the numbers tried "
        f"{most} is best: {top.value:+.1f} months ({top.low:+.1f} to {top.high:+.1f}), first of all labs in {many[0]:.0%} of futures instead of "
        f"{one[0]:.0%}, and {many[1] - one[1]:+,.0f} GUSD of revenue to {five_labs().horizon.last}."
    )
    return Detail(sentence, (_counts(question), _where(question)), (_plot(question),))


def _counts(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for count in _COUNTS:
        asked = replace(question, bets=float(count))
        found, (first, revenue) = _mean(asked), _first(asked)
        bets = bets_of(asked)
        rows.append(
            (
                f"{count}", f"{1 - bets.pilot * (count - 1):.0%}", f"{found.value:+.1f} ± {found.value - found.low:.1f}",
                f"{first:.0%}", revenue,
            )
        )  # fmt: skip
    return Table(
        f"Bets side by side, {question.lab}",
        ("bets", "compute left for the run", f"months ahead of one bet, {_date(question)}", "P(first in capability)", "revenue to 2030, GUSD"),
        tuple(rows),
        f"On {BATCH * _BATCHES} common futures of five labs; the others bet as the race has it.",
    )  # fmt: skip


def _where(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for pilot in (0.02, 0.05, 0.1, 0.2, 0.3):
        found = [
            best(replace(question, pilot=pilot, divergence=divergence, seen=seen))
            for seen in (0.3, question.seen, 1.0)
            for divergence in (0.0, 0.3)
        ]
        rows.append((f"{pilot:.0%}", *[str(count) for count in found]))
    return Table(
        "Best number of bets",
        (
            "compute for each further bet",
            *[
                f"best one seen in {seen:.0%}, {fails:.0%} of runs fail"
                for seen in (0.3, question.seen, 1.0)
                for fails in (0.0, 0.3)
            ],
        ),
        tuple(rows),
        f"Of {', '.join(str(count) for count in _COUNTS)}, a tenth of the compute left at least; neighbors of the best are often within the error of the sampling.",
    )


def _plot(question: Question) -> Plot:
    points = [
        (
            f"{pilot:.0%} of the compute for each",
            float(count),
            CASE.point(replace(question, bets=float(count), pilot=pilot))[0],
        )
        for pilot in (0.03, 0.1, 0.2, 0.3)
        for count in _COUNTS
        if pilot * (count - 1) < 0.9
    ]
    return Plot(
        f"Months of capability ahead of one bet, {_date(question)}", "bets side by side", "months",
        tuple(points), level=CASE.rule.holds, level_name="the claim",
    )  # fmt: skip


CASE = Inquiry(
    name="parallel-bets",
    title="How many risky runs should a lab bet on side by side?",
    systems=(8, 14),
    asked=Asked(
        question="Should a lab put its compute for development into one run, or into several risky bets side by side, and into how many?",
        claim="Three bets side by side beat a single one by a month of capability or more, two years on.",
        date="2026-03",
        where="public estimates of how labs split development: final runs took a tenth of OpenAI's compute for research and development in 2024, "
        "less than 30 % at others (Epoch AI; Gradient Updates, 2026-03-26); paraphrased",
    ),
    question=Question(),
    metric=("months of capability ahead of the same lab with one bet", "months"),
    rule=Rule(1.0, 0.0, "holds: a month ahead or more; fails: behind; depends: between"),
    sample=gained,
    inputs=(
        Input("pilot", "compute for development that each further bet takes", "share", "assumed", between=(0.03, 0.25), tried=(0.4,), searched=(0.005, 0.45), below="pilots are cheap"),
        Input("seen", "chance that pilots tell the best bet", "share", "assumed: small runs mislead in part", between=(0.4, 0.95), searched=(0.0, 1.0), below="pilots do not tell"),
        Input("spread", "yearly spread of a lab's recipes, in logs", "share", "race file, assumed", between=(0.1, 0.4), searched=(0.01, 0.8), below="recipes differ too little"),
        Input("leaps", "leaps of recipes a year", "ratio", "race file, assumed: one lab in five finds something like reasoning models", between=(0.1, 0.5), tried=(0.01,)),
        Input("divergence", "chance that a quarter's run fails", "share", "assumed", between=(0.03, 0.3), tried=(0.5,), searched=(0.0, 0.9), below="a single run seldom fails"),
        Input("alike", "share of their luck that bets have in common", "share", "assumed: one team, the same ideas", between=(0.1, 0.6), tried=(0.9,)),
        Input("bets", "bets side by side", "bets", "the question", tried=(2.0, 5.0, 8.0)),
        Input("at", "quarters after which it is counted", "quarters", "the question: two years on", tried=(4.0, 16.0)),
    ),
    detail=_detail,
    assumed=(
        "Each quarter the lab keeps the best recipe that it sees; what it keeps lasts, and spreads to the others as the race file has it",
        "A bet that fails loses the quarter's development, not what was built before; bets fail independently of each other",
        "The other labs of examples/race-2026.yaml bet as before and do not answer",
    ),
    flip=({"pilot": 0.44, "seen": 0.1}, "fails"),
    changes=(
        Change("who bets", "anthropic", "two months behind in capability", (("openai", {"lab": "openai"}), ("xai", {"lab": "xai"}))),
    ),
)  # fmt: skip
