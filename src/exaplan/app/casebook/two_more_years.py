"""Whether compute for reinforcement learning still pays if it grows for two more years as it does today."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.casebook.asking import spoken
from exaplan.app.casebook.estimate import Estimate, Rule
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.capability.rl import SCALE_RL_CEILING, Sigmoid, stops_paying
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word

_GROWTHS = (2.0, 3.0, 5.0, 10.0, 20.0)
_STEP = 3.0  # months


@dataclass(frozen=True)
class Question(Inputs):
    """Where the recipe stands on its curve, what a gain earns, and how fast compute grows."""

    growth: float = 10.0
    spent_mhours: float = 75.0
    done: float = 0.5
    exponent: float = 1.0
    ceiling: float = SCALE_RL_CEILING
    start: float = 0.2
    revenue_gusd: float = 47.0
    margin: float = 0.5
    moved: float = 0.01
    kept_months: float = 9.0
    usd_per_h: float = 2.65
    draws: int = 200


def curve_of(question: Question) -> Sigmoid:
    """Reward against chip-hours: today's hours have made the share ``done`` of the gain."""
    ahead = ((1 - question.done) / question.done) ** (1 / question.exponent)
    return Sigmoid(question.start, question.ceiling, question.exponent, _spent_hours(question) * ahead)


def value_usd(question: Question) -> float:
    """Gross profit of a pass rate of 1 instead of 0, earned until the gain is common knowledge."""
    a_year = question.revenue_gusd * 1e9 * question.margin * 100 * question.moved
    return a_year * question.kept_months / 12


def _spent_hours(question: Question) -> float:
    return question.spent_mhours * 1e6


def months_that_pay(question: Question, _batch: int) -> float:
    """Months of growth at today's pace until the gain no longer covers its compute; nothing is random in it."""
    spent = _spent_hours(question)
    stop = float(stops_paying(curve_of(question), value_usd(question), question.usd_per_h, spent=spent))
    return 12 * float(np.log(stop / spent) / np.log(question.growth))


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    curve, spent = curve_of(question), _spent_hours(question)
    stop = spent * question.growth ** (found.value / 12)
    end = spent * question.growth**2
    bill = (end - spent) * question.usd_per_h / 1e9
    gain = float(curve.reward(end) - curve.reward(spent))
    sentence = (
        f"The claim {spoken(word)}. At {question.growth:g} times a year the compute for RL pays for {found.value:.0f} more months, up to "
        f"{stop * question.usd_per_h / 1e9:.2g} GUSD for a run at a pass rate of {float(curve.reward(stop)):.2f} of at most "
        f"{question.ceiling:.2f}; all two years cost {bill:,.3g} GUSD and lift it from {float(curve.reward(spent)):.2f} to "
        f"{float(curve.reward(end)):.2f}, worth {gain * value_usd(question) / 1e9:.2g} GUSD."
    )
    return Detail(sentence, (_steps(question), _paces(question)), (_plot(question), _returns(question)))


def _return(question: Question, months: float) -> float:
    """Worth of the gain of the next quarter's growth over its cost, from a month on."""
    low = _spent_hours(question) * float(question.growth ** (months / 12))
    high = low * float(question.growth ** (_STEP / 12))
    gain = curve_of(question).reward(high) - curve_of(question).reward(low)
    return float(gain * value_usd(question) / ((high - low) * question.usd_per_h))


def _steps(question: Question) -> Table:
    curve = curve_of(question)
    rows: list[tuple[Value, ...]] = []
    for months in (0.0, 3.0, 6.0, 9.0, 12.0, 18.0, 24.0):
        hours = _spent_hours(question) * question.growth ** (months / 12)
        rows.append(
            (
                f"{months:g}", hours / 1e6, hours * question.usd_per_h / 1e9,
                float(curve.reward(hours)), _return(question, months),
            )
        )  # fmt: skip
    return Table(
        f"Growth of {question.growth:g} times a year",
        (
            "months from now",
            "M chip-hours of a run",
            "GUSD",
            "pass rate",
            "worth of three more months over their cost",
        ),
        tuple(rows),
        f"A point of pass rate is worth {value_usd(question) / 1e8:,.0f} MUSD: {question.moved:.1%} of gross profit on "
        f"{question.revenue_gusd:g} GUSD a year for {question.kept_months:g} months.",
    )


def _paces(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for done in (0.1, 0.3, 0.5, 0.7, 0.9):
        found = [months_that_pay(replace(question, done=done, growth=growth), 0) for growth in _GROWTHS]
        rows.append((f"{done:.0%}", *[f"{months:.0f}" for months in found]))
    return Table(
        "Months of growth that still pay",
        ("of the recipe's gain made today", *[f"{growth:g} times a year" for growth in _GROWTHS]),
        tuple(rows),
        "New tasks or a new recipe put the lab back to a higher row and start the count again.",
    )


def _plot(question: Question) -> Plot:
    points = [
        (
            f"{done:.0%} of the gain made",
            worth,
            months_that_pay(replace(question, moved=question.moved * worth * 1e8 / value_usd(question), done=done), 0),
        )
        for done in (0.1, 0.3, 0.5, 0.7)
        for worth in (30.0, 60.0, 100.0, 200.0, 400.0, 1000.0, 3000.0, 10000.0)
    ]  # fmt: skip
    return Plot(
        f"Months of growth of {question.growth:g} times a year that still pay", "worth of a point of pass rate, MUSD",
        "months", tuple(points), log_x=True, level=CASE.rule.holds, level_name="two years",
    )  # fmt: skip


def _returns(question: Question) -> Plot:
    points = [
        (f"{growth:g} times a year", months, _return(replace(question, growth=growth), months))
        for growth in (3.0, 5.0, 10.0)
        for months in np.arange(0.0, 25.0, 3.0)
    ]
    return Plot(
        "Worth of three more months of growth over their cost", "months from now", "worth over cost",
        tuple((name, float(at), value) for name, at, value in points), log_y=True, level=1.0, level_name="pays its cost",
    )  # fmt: skip


CASE = Inquiry(
    name="two-more-years-of-rl",
    title="Do two more years of growth of RL compute pay?",
    systems=(15, 8),
    asked=Asked(
        question="If compute for reinforcement learning goes on growing at today's pace for two years, does the last of it still pay?",
        claim="On today's recipe and tasks, compute for reinforcement learning pays for two more years at today's pace.",
        date="2025-10",
        where="the question behind ScaleRL (arXiv 2510.13786): whether performance of RL is predictable as compute grows, and where "
        "it saturates; paraphrased",
    ),
    question=Question(),
    metric=("months of growth at today's pace that still pay", "months"),
    rule=Rule(24.0, 12.0, "holds: growth pays for 24 months or more; fails: for less than 12; depends: between"),
    sample=months_that_pay,
    inputs=(
        Input("growth", "growth of RL compute, times a year", "ratio", "assumed: RL still catches up with pretraining (3.75 % of it in DeepSeek-R1), which grows 5 times a year", between=(3.0, 20.0), searched=(1.2, 30.0), below="compute grows slowly enough to be earned"),
        Input("done", "share of the recipe's gain that is made today", "share", "assumed: the middle of the curve", between=(0.1, 0.8), searched=(0.001, 0.9), below="the steep part is ahead"),
        Input("moved", "share of revenue that a point of pass rate moves", "share", "assumed", between=(0.003, 0.03), searched=(0.001, 10.0), below="a gain earns too little"),
        Input("exponent", "steepness of the curve, B", "ratio", "assumed: to be fitted; one set of tasks is steeper, a mix flatter (arXiv 2510.13786 gives the form)", between=(0.5, 2.0)),
        Input("ceiling", "pass rate that the recipe reaches with any compute", "ratio", "ScaleRL on its validation set, arXiv 2510.13786", between=(0.5, 0.9)),
        Input("spent_mhours", "H100 hours of a run today", "M chip-hours", "assumed: 200 MUSD, 4 % of final runs of some 5 GUSD (0.5 in 2024, cost of training grows 3.5 times a year)", between=(20.0, 300.0), tried=(2.0,), searched=(0.01, 400.0), below="today's run is small against what a gain earns"),
        Input("revenue_gusd", "revenue that the gain moves, a year", "GUSD", "run-rate of a lab in 2026-05, company statement", between=(20.0, 150.0)),
        Input("kept_months", "months that a gain is kept from others", "months", "assumed: half of a lead in recipes is gone after three quarters", between=(4.0, 18.0)),
        Input("margin", "gross margin", "share", "assumed: between 33 to 40 % reported and 60 %", between=(0.35, 0.65)),
        Input("usd_per_h", "price of a chip-hour", "USD/chip/h", "catalogue prices: H100, one-year contract, 2026-06", between=(1.4, 2.9)),
    ),
    detail=_detail,
    assumed=(
        "Reward is a sigmoid in log compute with one ceiling; what algorithms gain shifts its middle, not its ceiling (ScaleRL)",
        "Worth is linear in the pass rate, and today's tasks stay the ones that customers pay for",
        "Growth is in chip-hours of one run at one price; failed runs and experiments around it are left out",
    ),
    flip=({"growth": 2.0}, "holds"),
)  # fmt: skip
