"""What committing to compute a year earlier buys in months: the same lab, early and late, on the same futures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from exaplan.app.casebook.asking import Change, spoken
from exaplan.app.casebook.estimate import Estimate, Rule, estimated
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.raced import changed, five_labs, lab_in, later, names, pushed, race_on
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.race import RaceFile
from exaplan.domain.race_result import Race
from exaplan.domain.uncertain import Uncertain
from exaplan.economy.lags import months_behind
from exaplan.simulate.race_measures import best_of_others

_BATCHES = 4
_SLOW = (-0.3, 0.3)
"""Yearly growth of demand in a market that disappoints, 90 % interval; assumed."""
_LATE = (0.0, 3.0, 6.0, 9.0, 12.0, 18.0)


@dataclass(frozen=True)
class Question(Inputs):
    """Who commits how much earlier, and how hard the late self chases."""

    lab: str = "openai"
    months: float = 12.0
    at: float = 8.0
    chase: float = 1.0
    on_order_kchips: float = 400.0
    shipments_growth: float = 0.897
    growth_low: float = 1.0
    growth_high: float = 3.0
    fleet_kchips: float = 1743.44
    draws: int = 60


def file_of(question: Question, *, late: bool) -> RaceFile:
    """Put the early or the late self into the race."""
    file = five_labs()
    lab = lab_in(file, question.lab)
    chips = lab.chips.model_copy(update={"on_order": 1e3 * question.on_order_kchips})
    lab = lab.model_copy(update={"chips": chips, "fleet": 1e3 * question.fleet_kchips})
    if late:
        lab = pushed(later(lab, round(question.months / 3)), question.chase)
    growth = Uncertain(family="growth", low=question.growth_low, high=question.growth_high)
    return changed(
        file, {lab.id: lab}, growth=growth, shipments_growth=Uncertain.point(question.shipments_growth)
    )


@lru_cache(maxsize=64)
def _raced(question: Question, batch: int, *, late: bool) -> Race:
    return race_on(file_of(question, late=late), question.seed + batch)


def selves(question: Question, batch: int) -> tuple[Race, Race]:
    """Run the race of the early and of the late self on the same futures."""
    asked = replace(question, at=0.0, draws=0)
    early = replace(asked, months=0.0, chase=1.0)
    return _raced(early, batch, late=False), _raced(asked, batch, late=True)


def behind(question: Question, batch: int) -> np.ndarray:
    """Months since the early self held the compute that the late self holds at the quarter [path]."""
    early, late = selves(question, batch)
    place, at = names().index(question.lab), round(question.at)
    past = np.broadcast_to(early.past_compute[place], (early.paths, early.past_compute.shape[1]))
    lag = months_behind(
        early.months[at : at + 1],
        late.compute[:, place, at : at + 1],
        leader_months=np.concatenate([early.past_months, early.months]),
        leader=np.concatenate([past, early.compute[:, place]], axis=-1),
    )
    return np.asarray(lag.months[:, 0])


def _date(question: Question) -> str:
    return str(five_labs().horizon.first + round(question.at))


def _lost(question: Question) -> tuple[float, float, float]:
    """Revenue to the end that the late self lacks in GUSD, and P(ruin) of the early and of the late self."""
    place = names().index(question.lab)
    pairs = [selves(question, batch) for batch in range(_BATCHES)]
    sold = [[race.revenue_usd[:, place].sum(axis=1).mean() / 1e9 for race in pair] for pair in pairs]
    ruined = np.array([[race.ruined[:, place, -1].mean() for race in pair] for pair in pairs]).mean(axis=0)
    early, late = np.array(sold).mean(axis=0)
    return float(early - late), float(ruined[0]), float(ruined[1])


def _slow(question: Question) -> Question:
    return replace(question, growth_low=_SLOW[0], growth_high=_SLOW[1])


def _ahead(question: Question) -> tuple[float, float]:
    """P(first in compute at the quarter) of the early and of the late self."""
    place, at = names().index(question.lab), round(question.at)
    pairs = [selves(question, batch) for batch in range(_BATCHES)]
    first = [
        [(race.compute > best_of_others(race.compute))[:, place, at].mean() for race in pair]
        for pair in pairs
    ]
    early, late = np.array(first).mean(axis=0)
    return float(early), float(late)


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    lost, _, _ = _lost(question)
    _, early, late = _lost(_slow(question))
    first, second = _ahead(question)
    sentence = (
        f"The claim {spoken(word)}. Had {question.lab} committed {question.months:g} months later, it would be {found.value:.1f} months "
        f"behind itself in compute at the end of {_date(question)}, first of all labs in {second:.0%} of futures instead of {first:.0%}, "
        f"and would sell {lost:,.0f} GUSD less to {five_labs().horizon.last}. If demand grows {_SLOW[0]:.0%} to {_SLOW[1]:.0%} a year, "
        f"the early self is ruined in {early:.0%} of futures, the late one in {late:.0%}."
    )
    return Detail(sentence, (_waits(question), _over_time(question)), (_plot(question),))


def _waits(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for months in _LATE[1:]:
        asked = replace(question, months=months)
        lost, early, late = _lost(asked)
        slow = _lost(_slow(asked))
        held = estimated([behind(asked, batch) for batch in range(_BATCHES)])
        rows.append(
            (
                f"{months:g}", f"{held.value:.1f} ± {held.value - held.low:.1f}", f"{_ahead(asked)[1]:.0%}", lost,
                f"{early:.1%}", f"{late:.1%}", slow[0], f"{slow[1]:.0%}", f"{slow[2]:.0%}",
            )
        )  # fmt: skip
    return Table(
        f"What waiting costs {question.lab}",
        (
            "months later", f"months behind itself, {_date(question)}", "P(first in compute)", "revenue lost, GUSD", "P(ruin), early",
            "P(ruin), late", "slow demand: revenue lost, GUSD", "P(ruin), early ", "P(ruin), late ",
        ),
        tuple(rows),
        f"On {128 * _BATCHES} common futures to {five_labs().horizon.last}. Slow: demand grows {_SLOW[0]:.0%} to {_SLOW[1]:.0%} a year.",
    )  # fmt: skip


def _over_time(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    place = names().index(question.lab)
    early, late = selves(question, 0)
    for at in (2, 4, 6, 8, 12, 16):
        asked = replace(question, at=float(at))
        lag = estimated([behind(asked, batch) for batch in range(_BATCHES)]).value
        millions = [float(np.median(race.compute[:, place, at])) / 1e6 for race in (early, late)]
        rows.append((_date(asked), *millions, lag))
    return Table(
        f"Early and late self, {question.months:g} months apart",
        ("quarter", "early, M H100e", "late, M H100e", "months behind"),
        tuple(rows),
        "Compute is a median, months are a mean.",
    )


def _plot(question: Question) -> Plot:
    points = [
        (
            name,
            float(at * 3),
            CASE.point(replace(question, at=float(at), months=months, chase=chase))[0],
        )
        for name, months, chase in (
            ("6 months later", 6.0, 1.0),
            ("12 months later", 12.0, 1.0),
            ("12 months, 1.5 times the means", 12.0, 1.5),
            ("18 months later", 18.0, 1.0),
        )
        for at in (1, 2, 3, 4, 6, 8, 10, 12, 16, 19)
    ]
    return Plot(
        f"How far {question.lab} would be behind itself in compute", f"months from the end of {five_labs().horizon.first}",
        "months behind", tuple(points), level=CASE.rule.holds, level_name="the claim",
    )  # fmt: skip


CASE = Inquiry(
    name="early-commitment",
    title="What did committing early to compute buy in months?",
    systems=(1, 20),
    asked=Asked(
        question="One lab signed for compute early, another bought conservatively: how many months of compute does a year of earlier commitment buy?",
        claim="Committing a year earlier buys half a year of compute or more, two years on.",
        date="2026-03",
        where="interview of an analyst of data centers (thefrontier.fm, 2026-03-15): late deals at up to 2.40 USD an hour for chips that cost 1.40, "
        "early ones were cheaper; paraphrased",
    ),
    question=Question(),
    metric=("months that the late self is behind in compute", "months"),
    rule=Rule(6.0, 3.0, "holds: six months or more; fails: less than three; depends: between"),
    sample=behind,
    inputs=(
        Input("months", "months by which it commits later", "months", "the question", tried=(6.0, 18.0), searched=(0.0, 18.0), below="the wait is too short to cost half a year"),
        Input("chase", "times the means with which the late self chases", "ratio", "assumed: none beyond its plans", between=(0.8, 1.5), tried=(2.0,), searched=(1.0, 6.0), below="it cannot buy back the time"),
        Input("on_order_kchips", "chips on order that both have", "k H100e", "race file, assumed: a tenth of a quarter's shipments", between=(100.0, 1000.0)),
        Input("shipments_growth", "growth of shipments a year", "share", "race file: median of 50 % to 140 %, 2.3 times in 2025", between=(0.5, 1.4)),
        Input("fleet_kchips", "its fleet at the start", "k H100e", "Epoch AI estimate, 2025-12-31, p5 to p95", between=(1251.0, 2185.0)),
        Input("at", "quarters after which it is counted", "quarters", "the question: two years on", tried=(4.0, 12.0, 19.0)),
    ),
    detail=_detail,
    assumed=(
        "Late means that chips, sites and power that are not yet signed at the end of 2025 come so much later; what is on order comes spread over that longer lead",
        "All labs of examples/race-2026.yaml are as there, and do not answer; nobody takes the chips that the late self leaves",
        "The late self pays what the early one pays: the premium of late deals, 2.40 against 1.40 USD an hour in 2026-03, comes on top",
    ),
    flip=({"months": 3.0}, "fails"),
    changes=(
        Change("who commits", "openai", "signed early", (
            ("anthropic", {"lab": "anthropic", "on_order_kchips": 350.0, "fleet_kchips": 1189.574}),
        )),
        Change("growth of demand", "100 % to 300 % a year", "race file, assumed", (
            ("-30 % to 30 % a year", {"growth_low": _SLOW[0], "growth_high": _SLOW[1]}),
        )),
    ),
)  # fmt: skip
