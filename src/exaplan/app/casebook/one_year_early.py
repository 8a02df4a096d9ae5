"""Whether buying compute for growth that comes a year late ruins a large lab."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.casebook.asking import spoken
from exaplan.app.casebook.estimate import Estimate, Rule
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.planned import Setting, lab_of, outcome_of, plan_of, signed_contract
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.plan.accounts import by_quarter
from exaplan.plan.result import to_plan

_MONTHS = 24
_SIGNING_QUARTERS = 4


@dataclass(frozen=True)
class Question(Inputs):
    """Growth believed and months by which it is late, and what stands between the lab and ruin."""

    growth: float = 10.0
    late_months: float = 12.0
    raise_gusd: float = 30.0
    cash_gusd: float = 35.0
    price: float = 1.0
    flexible: float = 0.0
    floor: float = 0.4


def _setting(question: Question, growth: float) -> Setting:
    return Setting("one-year-early").but(
        {
            "workloads.api.growth": f"{(growth - 1) * 100:.6g} %/year",
            "workloads.api.price": f"{{input: {0.42 * question.price:.6g} USD/Mtok, output: {1.06 * question.price:.6g} USD/Mtok}}",
            "finance.rounds.next.max": f"{question.raise_gusd:.6g} GUSD",
            "finance.cash": f"{question.cash_gusd:.6g} GUSD",
            "policy.floor.share": f"{question.floor * 100:.6g} %",
        }
    )


def _truth(question: Question) -> Setting:
    """Sign for the growth believed in, and live in one that comes late."""
    believed = _setting(question, question.growth)
    late = question.growth ** ((_MONTHS - question.late_months) / _MONTHS)
    signed = signed_contract(believed, "committed", quarters=_SIGNING_QUARTERS)
    owed = {"contracts.signed.take_or_pay": f"{(1 - question.flexible) * 100:.6g} %"}
    return _setting(question, late).but(signed | owed)


def ruined(question: Question, batch: int) -> np.ndarray:
    """Whether each future ends in ruin [path] bool."""
    return np.asarray(outcome_of(_truth(question), question.seed + batch).ruined_in >= 0)


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    on_time = CASE.estimate(replace(question, late_months=0.0))
    believed = plan_of(_setting(question, question.growth))
    signed = by_quarter(believed.solved.program.inputs, to_plan(believed.solved).ordered[:, 0])
    signed = signed[:_SIGNING_QUARTERS].sum() / 1e6
    price = next(one for one in lab_of(_truth(question)).contracts if one.id == "signed").price_usd_per_chip_h
    yearly = signed * price * 8766 / 1e3
    sentence = (
        f"The claim {spoken(word)}. A lab that believes in growth of {question.growth:g} times a year signs {signed:.1f} M chips in "
        f"a year, {yearly:,.0f} GUSD a year of take-or-pay. If growth over two years is what it expected after "
        f"{_MONTHS - question.late_months:g} months, it is ruined in {found.value:.0%} of futures within three years; if "
        f"growth comes on time, in {on_time.value:.0%}."
    )
    return Detail(sentence, (_table(question),), (_plot(question),))


def _table(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for growth in (2.0, 3.0, 5.0, 10.0):
        chances = [
            CASE.point(replace(question, growth=growth, late_months=late))[0]
            for late in (0.0, 3.0, 6.0, 12.0)
        ]
        rows.append((f"{growth:g} times", *[f"{chance:.0%}" for chance in chances]))
    return Table(
        "P(ruin) within three years",
        ("growth believed, per year", "on time", "3 months late", "6 months late", "12 months late"),
        tuple(rows),
        "Late: demand after two years stands where it was expected that many months earlier.",
    )


def _plot(question: Question) -> Plot:
    points = [
        (
            f"raise {amount:g} GUSD",
            late,
            CASE.point(replace(question, late_months=late, raise_gusd=amount))[0],
        )
        for amount in (10.0, question.raise_gusd, 100.0)
        for late in (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0)
    ]
    return Plot(
        f"P(ruin) of a lab that signs for {question.growth:g} times a year",
        "months by which growth is late",
        "P(ruin) within three years",
        tuple(points),
        level=0.5,
        level_name="even odds",
    )


CASE = Inquiry(
    name="one-year-early",
    title="Does one year of over-investment bankrupt a 380 billion dollar company?",
    systems=(1, 7),
    asked=Asked(
        question="If compute is bought for growth of ten times a year and the growth comes a year late, is the company ruined?",
        claim="Off by one year, a lab worth 380 GUSD that signs for the growth it expects goes bankrupt.",
        date="2026-02",
        where="public interview of a lab's chief executive: compute for 1 T USD of revenue, 800 GUSD come, no hedge saves it",
    ),
    question=Question(),
    metric=("P(ruin) within three years", "share"),
    rule=Rule(0.5, 0.1, "holds: P(ruin) of 50 % or more; fails: below 10 %; depends: between"),
    sample=ruined,
    inputs=(
        Input("late_months", "months by which growth is late", "months", "the question", tried=(3.0, 6.0), searched=(0.0, 12.0), below="the lab survives in most futures"),
        Input("growth", "growth believed, times a year", "ratio", "the question; run-rate went 1, 9, 14 GUSD from 2024-12 to 2026-02", between=(2.5, 10.0), searched=(1.2, 10.0), below="what is signed can be carried"),
        Input("raise_gusd", "equity that can still be raised", "GUSD", "assumed: one more round as that of 2026-02; 65 came in 2026-05", between=(5.0, 65.0), searched=(1.0, 2000.0), below="equity does not bridge the year"),
        Input("price", "price of tokens over that of the case", "ratio", "assumed: half of revenue is left after serving", between=(0.8, 1.3)),
        Input("flexible", "share of what is signed that need not be paid", "share", "assumed: none at this term", tried=(0.25, 0.5), searched=(0.0, 0.95), below="too much is owed"),
        Input("floor", "share of compute for development", "share", "assumed", between=(0.3, 0.5)),
        Input("cash_gusd", "cash at the start", "GUSD", "assumed: the 30 GUSD round of 2026-02 and what was left", between=(25.0, 50.0)),
    ),
    detail=_detail,
    assumed=(
        "The lab signs for its belief for a year, then learns the truth, and plans the rest well: no exit but what the contract gives",
        "Compute is rented at one price of a five-year deal; what is not needed cannot be let to others",
        "Ruin is the first quarter whose cash is below the minimum after every permitted raise",
    ),
    flip=({"late_months": 0.0}, "fails"),
)  # fmt: skip
