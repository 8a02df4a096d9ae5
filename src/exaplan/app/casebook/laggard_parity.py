"""Whether the lab that is furthest behind in compute can be level with the leader by the end of the year."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from exaplan.app.casebook.asking import Change, spoken
from exaplan.app.casebook.estimate import Estimate, Rule
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.raced import changed, five_labs, lab_in, names, pushed, race_on
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.race import RaceFile
from exaplan.domain.race_result import Race
from exaplan.simulate.race_measures import best_of_others, lags

_PATHS = 512
_FREE: tuple[tuple[str, ...], ...] = (
    (), ("chips",), ("power",), ("money",), ("chips", "power"), ("chips", "money"), ("power", "money"),
)  # fmt: skip
_PUSHES = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0)


@dataclass(frozen=True)
class Question(Inputs):
    """Who must catch up in what by when, how far apart they start, and how many times its means the laggard gets."""

    lab: str = "xai"
    measure: str = "compute"
    quarters: float = 4.0
    push: float = 1.0
    fleet_kchips: float = 634.793
    leader_kchips: float = 1743.44
    lead_quarters: int = 2
    draws: int = 60


def file_of(question: Question) -> RaceFile:
    """Put the question into the race."""
    file = five_labs()
    late = pushed(lab_in(file, question.lab), question.push)
    chips = late.chips.model_copy(update={"lead": question.lead_quarters})
    labs = {late.id: late.model_copy(update={"fleet": 1e3 * question.fleet_kchips, "chips": chips})}
    if question.lab != file.labs[0].id:
        first = file.labs[0]
        labs[first.id] = first.model_copy(update={"fleet": 1e3 * question.leader_kchips})
    return changed(file, labs)


@lru_cache(maxsize=64)
def _raced(question: Question, batch: int, free: tuple[str, ...] = ()) -> Race:
    return race_on(file_of(question), question.seed + batch, free={question.lab: free})


def apart(question: Question, batch: int, free: tuple[str, ...] = ()) -> np.ndarray:
    """Whether the lab has not been level with the best of all others by the quarter [path] bool."""
    race = _raced(replace(question, quarters=0.0, measure="", draws=0), batch, free)
    levels = race.compute if question.measure == "compute" else race.capability
    level = levels >= best_of_others(levels)
    return np.asarray(~level[:, names().index(question.lab), : round(question.quarters) + 1].any(axis=1))


def _many(question: Question, free: tuple[str, ...] = ()) -> float:
    """P(parity by the quarter) on more futures than a point of the sweep has."""
    return 1 - float(np.mean([apart(question, batch, free) for batch in range(_PATHS // 128)]))


def _date(question: Question) -> str:
    return str(five_labs().horizon.first + round(question.quarters))


def _lag(question: Question, quarter: int) -> float:
    race = _raced(question, 0)
    return float(
        np.median(
            lags(race, race.compute, race.past_compute)[1].months[:, names().index(question.lab), quarter]
        )
    )


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    other = replace(question, measure="capability")
    half = next((push for push in _PUSHES if _many(replace(question, push=push)) >= 0.5), None)
    means = "no multiple tried" if half is None else f"{half:g} times the chips, new power and money"
    sentence = (
        f"The claim {spoken(word)}. {question.lab}, {_lag(question, 0):.0f} months behind in compute at the end of "
        f"{five_labs().horizon.first}, is level with the leader by {_date(question)} in {1 - found.value:.0%} of futures and then "
        f"{_lag(question, round(question.quarters)):.0f} months behind (median); {means} from today on give it even odds. In "
        f"capability, where recipes spread and leap, it is level at some time by then in {_many(other):.0%}."
    )
    return Detail(sentence, (_labs(question), _path(question)), (_plot(question), _share(question)))


def _labs(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    ends = (4, 8, 12, 16)
    file = five_labs()
    for lab in names()[1:]:
        asked = replace(question, lab=lab, push=1.0, fleet_kchips=lab_in(file, lab).fleet / 1e3)
        chances = [
            _many(replace(asked, measure=measure, quarters=float(end)))
            for measure in ("compute", "capability")
            for end in ends
        ]
        rows.append((lab, *[f"{chance:.0%}" for chance in chances]))
    dates = [str(file.horizon.first + end) for end in ends]
    return Table(
        "P(level with the best of all others at some time by then)",
        ("lab", *[f"compute, {date}" for date in dates], *[f"capability, {date}" for date in dates]),
        tuple(rows),
        f"On {_PATHS} futures; error at most {1.96 * 0.5 / np.sqrt(_PATHS):.0%}.",
    )  # fmt: skip


def _path(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    place, end = names().index(question.lab), round(question.quarters)
    for free in _FREE:
        race = _raced(replace(question, quarters=0.0, measure="", draws=0), 0, free)
        share = race.compute / best_of_others(race.compute)
        rows.append(
            (
                " and ".join(free) or "nothing", f"{np.median(share[:, place, end]):.0%}", f"{np.median(share[:, place, -1]):.0%}",
                f"{_many(question, free):.0%}", f"{_many(replace(question, quarters=1e3), free):.0%}",
                f"{race.ruined[:, place, -1].mean():.0%}",
            )
        )  # fmt: skip
    date, last = _date(question), str(five_labs().horizon.last)
    return Table(
        f"What keeps {question.lab} behind: limits taken away",
        (
            "no longer limits",
            f"of the leader's compute, {date}",
            f"{last}",
            f"P(parity), {date}",
            f"P(parity), {last}",
            "P(ruin)",
        ),
        tuple(rows),
        "Medians. Orders take two quarters; money taken away as a limit still has to be paid, hence ruin.",
    )


def _plot(question: Question) -> Plot:
    points = [
        (
            f"by {_date(replace(question, quarters=end))}",
            push,
            1 - CASE.point(replace(question, push=push, quarters=end))[0],
        )
        for end in (4.0, 8.0, 12.0)
        for push in _PUSHES
    ]
    return Plot(
        f"P({question.lab} level with the leader in compute)", "times the chips, new power and money of today's plans",
        "P(parity)", tuple(points), level=1 - CASE.rule.holds, level_name="the claim",
    )  # fmt: skip


def _share(question: Question) -> Plot:
    points: list[tuple[str, float | str, float]] = []
    place = names().index(question.lab)
    for push in (1.0, 3.0, 8.0):
        race = _raced(replace(question, push=push, quarters=0.0, measure="", draws=0), 0)
        share = np.median(race.compute / best_of_others(race.compute), axis=0)[place]
        points += [
            (f"{push:g} times the means", float(month), float(at))
            for month, at in zip(race.months[:13], share[:13], strict=True)
        ]
    return Plot(
        f"Compute of {question.lab} over that of the leader, median", f"months from the end of {five_labs().horizon.first}",
        "share", tuple(points), level=1.0, level_name="parity",
    )  # fmt: skip


CASE = Inquiry(
    name="laggard-parity",
    title="Can the lagging lab reach parity by the end of the year?",
    systems=(20,),
    asked=Asked(
        question="Can the lab that is furthest behind in compute still be level with the leader by the end of 2026?",
        claim="The lagging lab cannot reach parity in compute by the end of the year, whatever of its plans works out.",
        date="2026-04",
        where="questions of market and policy analysts on public estimates of compute (Epoch AI): who is how many months behind; paraphrased",
    ),
    question=Question(),
    metric=("P(not level with the leader in compute by then)", "share"),
    rule=Rule(0.9, 0.5, "holds: P(no parity) of 90 % or more; fails: below 50 %; depends: between"),
    sample=apart,
    inputs=(
        Input("push", "times the chips, new power and money of today's plans", "ratio", "the race file has 1; assumed range", between=(0.7, 2.0), tried=(5.0,), searched=(1.0, 20.0), below="lead times and means keep the gap open"),
        Input("quarters", "quarters from the end of 2025", "quarters", "the question: the end of 2026", tried=(8.0, 12.0), searched=(4.0, 19.0), below="too soon"),
        Input("fleet_kchips", "its fleet at the start", "k H100e", "Epoch AI estimate, 2025-12-31, p5 to p95", between=(587.0, 787.0), searched=(400.0, 4000.0), below="it starts too far behind"),
        Input("leader_kchips", "the leader's fleet at the start", "k H100e", "Epoch AI estimate, 2025-12-31, p5 to p95", between=(1251.0, 2185.0)),
    ),
    detail=_detail,
    assumed=(
        "Five labs of examples/race-2026.yaml: fleets are public estimates, sites and chips on order partly announced, policies assumed",
        "Compute is H100-equivalents at work, rented or owned; parity is to be level with the best of all others in any quarter till then",
        "The others do not answer the push, but share the chips that are shipped; what is on order at the start cannot be changed",
    ),
    flip=({"push": 20.0, "quarters": 12.0}, "fails"),
    changes=(
        Change("quarters from its order to delivery", "2", "4 to 14 months from order (vendor, 2026-06-30), most ordered long before", (
            ("1", {"lead_quarters": 1}), ("1, and five times the means", {"lead_quarters": 1, "push": 5.0}),
            ("4, and five times the means", {"lead_quarters": 4, "push": 5.0}),
        )),
        Change("measure", "compute", "the question", (("capability", {"measure": "capability"}),)),
        Change("who must catch up", "xai", "furthest behind in compute", (
            ("meta-msl", {"lab": "meta-msl", "fleet_kchips": 996.228}),
            ("anthropic", {"lab": "anthropic", "fleet_kchips": 1189.574}),
            ("google-deepmind", {"lab": "google-deepmind", "fleet_kchips": 1583.43}),
        )),
    ),
)  # fmt: skip
