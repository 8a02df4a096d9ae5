"""Whether capability, customers and compute feed each other so strongly that a lab that starts behind stays behind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from exaplan.app.casebook.asking import spoken
from exaplan.app.casebook.estimate import Estimate, Rule
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.raced import changed, five_labs, pushed, race_on
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.domain.race import RaceFile, RaceLab
from exaplan.domain.race_result import Race
from exaplan.simulate.race_step import demand_effect

_FOLLOWER = "follower"
_YEARS = (1, 2, 3, 4)
_POINT = 0.01
_DISCOUNT = 0.15  # assumed: cost of equity


@dataclass(frozen=True)
class Question(Inputs):
    """How far behind a twin starts, what it can get, and how strong the loop is."""

    behind: float = 0.1
    means: float = 1.0
    years: float = 4.0
    serve: float = 0.45
    leader_serve: float = 0.45
    sensitivity: float = 0.35
    access: float = 0.5
    switching: float = 0.3
    diffusion: float = 0.2
    supply: float = 1.0
    draws: int = 200


def _trailing(question: Question, first: RaceLab) -> RaceLab:
    """Put a twin behind in compute and so in capability; customers and investors have answered to that already."""
    left = 1 - question.behind
    effect = float(demand_effect(np.array([left]), question.sensitivity)[0])
    lab = pushed(first, question.means)
    return lab.model_copy(
        update={
            "id": _FOLLOWER,
            "fleet": left * first.fleet,
            "capability": left,
            "revenue": effect * first.revenue,
            "funding": effect**question.access * first.funding,
            "cash": first.cash,
            "chips": lab.chips.model_copy(update={"on_order": left * first.chips.on_order}),
            "power": lab.power.model_copy(update={"now": left * first.power.now}),
            "policy": lab.policy.model_copy(update={"serve": question.serve}),
        }
    )


def file_of(question: Question) -> RaceFile:
    """Let the first of the five labs race its own twin; shocks that strike one of them are left out."""
    file = five_labs()
    supplied = pushed(file.labs[0], question.supply)
    first = supplied.model_copy(
        update={
            "cash": file.labs[0].cash,
            "funding": file.labs[0].funding,
            "policy": supplied.policy.model_copy(update={"serve": question.leader_serve}),
        }
    )
    pair = file.model_copy(update={"labs": (first, _trailing(question, first)), "shocks": ()})
    return changed(
        pair,
        {},
        sensitivity=question.sensitivity,
        access=question.access,
        switching=question.switching,
        diffusion=question.diffusion,
    )


@lru_cache(maxsize=32)
def _raced(question: Question, batch: int) -> Race:
    return race_on(file_of(question), question.seed + batch)


def _race(question: Question, batch: int) -> Race:
    return _raced(replace(question, years=0.0, draws=0), batch)


def _gap(levels: np.ndarray) -> np.ndarray:
    """Log of the leader's level over the follower's [path, quarter]."""
    return np.asarray(np.log(levels[:, 0]) - np.log(levels[:, 1]))


def widened(question: Question, batch: int, measure: str = "capability") -> np.ndarray:
    """Log gap after some years over that at the start [path].

    On each path the gap of exact twins is taken off, so that luck, the same in both, does not count.
    """
    even = replace(question, behind=0.0, means=1.0, serve=question.leader_serve)
    apart, level = (getattr(_race(each, batch), measure) for each in (question, even))
    return np.asarray((_gap(apart) - _gap(level))[:, round(4 * question.years)] / -np.log1p(-question.behind))


def moved(question: Question, years: int) -> float:
    """Revenue that a dollar of compute brings when it is moved from serving to development, USD, net of what it earned.

    Both discounted over so many years; one point of the fleet is moved in every quarter.
    """
    base = _race(question, 0)
    more = _race(replace(question, serve=question.serve - _POINT), 0)
    weight = (1 + _DISCOUNT) ** (-np.arange(1, 4 * years + 1) / 4)
    quarters = slice(1, 4 * years + 1)
    gained = ((more.revenue_usd - base.revenue_usd)[:, 1, quarters] * weight).sum()
    market = five_labs().market
    rent = market.cost * (1 + market.cost_change.median) ** (np.arange(1, 4 * years + 1) / 4)
    cost = _POINT * (base.compute[:, 1, quarters] * rent * weight).sum() * HOURS_PER_QUARTER
    return float(gained / cost)


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    compute = float(widened(question, 0, "compute").mean())
    share = 1 - (1 - question.behind) ** found.value
    first, last = (moved(question, years) for years in (_YEARS[0], _YEARS[-1]))
    sentence = (
        f"The claim {spoken(word)}. A twin that starts {question.behind:.0%} behind in compute and capability, and can get "
        f"{question.means:.0%} of the leader's chips, power and money, is {share:.1%} behind in capability after {question.years:g} years: "
        f"{found.value:.2f} of the gap is left ({compute:.2f} in compute). A dollar of compute moved from serving to "
        f"development changes its revenue by {first:+.2f} USD within a year and by {last:+.2f} within {_YEARS[-1]}."
    )
    return Detail(sentence, (_table(question), _shares(question)), (_plot(question), _shares_plot(question)))


def _table(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for name, values in (
        ("as asked", {}),
        ("no loop: capability moves neither customers nor investors", {"sensitivity": 0.0, "access": 0.0}),
        ("strong loop: customers 0.9, investors 1", {"sensitivity": 0.9, "access": 1.0}),
        ("four times the chips and power for both, strong loop", {"supply": 4.0, "sensitivity": 0.9, "access": 1.0}),
        ("follower gets 90 % of the leader's means", {"means": 0.9}),
        ("follower gets 75 % of the leader's means", {"means": 0.75}),
        ("follower develops with ten points more", {"serve": question.serve - 0.1}),
        ("recipes do not spread", {"diffusion": 0.0}),
    ):  # fmt: skip
        asked = replace(question, **values)  # type: ignore[arg-type]
        left = [
            f"{float(widened(replace(asked, years=float(years)), 0, measure).mean()):.2f}"
            for measure in ("compute", "capability", "revenue_usd")
            for years in (2, 4)
        ]
        rows.append((name, *left))
    return Table(
        "Part of the first gap that is left (above 1: further behind)",
        ("race", *[f"{measure}, {years} years" for measure in ("compute", "capability", "revenue") for years in (2, 4)]),
        tuple(rows),
        "Means over futures of log gaps, in parts of the first gap in compute; luck that exact twins have on the same future is taken off.",
    )  # fmt: skip


def _shares(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for serve in (0.3, question.serve, 0.6, 0.75):
        asked = replace(question, serve=serve, leader_serve=serve)
        rows.append((f"{1 - serve:.0%}", *[f"{moved(asked, years):+.2f}" for years in _YEARS]))
    return Table(
        "A dollar of compute moved from serving to development: revenue gained or lost, USD",
        (
            "share in development, both labs",
            *[f"{years} years on" if years > 1 else "a year on" for years in _YEARS],
        ),
        tuple(rows),
        f"Discounted at {_DISCOUNT:.0%} a year; a dollar at serving has been given up for it. Only the follower moves.",
    )


def _plot(question: Question) -> Plot:
    points = [
        (f"develops with {1 - serve:.0%}", means, CASE.point(replace(question, means=means, serve=serve))[0])
        for serve in (question.serve - 0.1, question.serve, question.serve + 0.1)
        for means in (0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
    ]
    return Plot(
        f"What is left of a gap in capability after {question.years:g} years",
        "chips, power and money that the follower can get, over the leader's",
        "gap left, in parts of the first gap",
        tuple(points),
        level=1.0,
        level_name="as far behind as at the start",
    )


def _shares_plot(question: Question) -> Plot:
    points = [
        (f"sensitivity {strength:g}", float(years), moved(replace(question, sensitivity=strength), years))
        for strength in (0.0, 0.2, question.sensitivity, 0.6, 0.9)
        for years in _YEARS
    ]
    return Plot(
        "A dollar of compute moved from serving to development",
        "years counted",
        "revenue gained or lost, USD",
        tuple(points),
        level=0.0,
        level_name="both return the same",
    )


CASE = Inquiry(
    name="the-loop",
    title="The loop: does a lab that starts 10 % behind fall further behind?",
    systems=(2, 9),
    asked=Asked(
        question="If capability brings customers, customers pay for compute and compute makes capability, does a lab that starts 10 % behind fall ever further behind?",
        claim="The loop feeds itself: a lab that starts 10 % behind is further behind after four years.",
        date="2026-07",
        where="paraphrased: the loop of capability, demand and compute as lab strategists tell it, and who gets compute (serving or "
        "development); public figures of five labs to 2026-07",
    ),
    question=Question(),
    metric=("gap in capability after four years over that at the start (logs)", "ratio"),
    rule=Rule(1.0, 1.0, "holds: the gap is wider than at the start; fails: narrower; depends: within the error"),
    sample=widened,
    inputs=(
        Input("means", "chips, power and money that the follower can get, over the leader's", "share", "assumed: the same", between=(0.7, 1.2), searched=(0.4, 1.3), below="it falls further behind"),
        Input("sensitivity", "s in demand = 1 + s ln z", "ratio", "assumed, as in the race of five labs", between=(0.15, 0.7), searched=(0.0, 0.95), below="customers hardly move"),
        Input("access", "power of demand's factor on what investors put in", "ratio", "assumed, as in the race of five labs", between=(0.2, 1.0)),
        Input("diffusion", "share of a lead in recipes that spreads in a quarter", "share", "assumed, as in the race of five labs", between=(0.05, 0.4)),
        Input("switching", "customers who move within a quarter, of those who would", "share", "assumed, as in the race of five labs", between=(0.15, 0.5)),
        Input("serve", "share of the follower's fleet that serves", "share", "assumed, as the leader's", tried=(0.35, 0.6), searched=(0.1, 0.9), below="more development closes the gap"),
        Input("supply", "chips and power to be had, over those of the race", "ratio", "assumed: public shares and sites", between=(0.7, 3.0)),
        Input("behind", "how far behind the follower starts", "share", "the question", tried=(0.3, 0.5)),
    ),
    detail=_detail,
    assumed=(
        "The two labs are twins in everything else: policy, recipes at the start, luck with demand",
        "Customers move from lab to lab by capability alone; the market as a whole grows by itself",
        "Nobody stops giving chips, power or money to a follower for being one, beyond what the race says of investors",
    ),
    flip=({"means": 0.6}, "holds"),
)  # fmt: skip
