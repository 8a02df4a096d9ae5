"""Whether to sign for years today or to stay flexible and pay what chips cost when they are short."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.casebook.asking import spoken
from exaplan.app.casebook.estimate import Estimate, Rule
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry, crossing
from exaplan.app.casebook.planned import Setting, outcome_of, signed_contract
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.outcome import Outcome

_MONTHS = 36
_SPREAD = 1.29  # half the width of growth, as a factor
_DRIFT_SPREAD = 1.17


@dataclass(frozen=True)
class Question(Inputs):
    """Growth believed on the day of signature, its delay, and the terms of either way."""

    growth: float = 0.94
    late_months: float = 6.0
    firm_usd: float = 1.80
    year_usd: float = 2.35
    drift: float = -0.06
    take_or_pay: float = 1.0
    cash_gusd: float = 10.0


def _changed(question: Question, growth: float) -> Setting:
    low, high = (1 + growth) / _SPREAD - 1, (1 + growth) * _SPREAD - 1
    least, most = (1 + question.drift) / _DRIFT_SPREAD - 1, (1 + question.drift) * _DRIFT_SPREAD - 1
    return Setting("lock-in").but(
        {
            "workloads.api.growth": f"{low * 100:.6g} % to {high * 100:.6g} %/year",
            "futures.rental.drift": f"{least * 100:.6g} % to {most * 100:.6g} %/year",
            "offers.firm.price": f"{question.firm_usd:.6g} USD/chip/h",
            "offers.firm.take_or_pay": f"{question.take_or_pay * 100:.6g} %",
            "offers.year.price": f"{question.year_usd:.6g} USD/chip/h",
            "contracts.signed.price": f"{question.firm_usd:.6g} USD/chip/h",
            "contracts.signed.take_or_pay": f"{question.take_or_pay * 100:.6g} %",
            "finance.cash": f"{question.cash_gusd:.6g} GUSD",
        }
    )


def _ways(question: Question) -> tuple[Setting, Setting]:
    """Set up the lab that has signed for its belief, and the flexible one; both live where growth comes late."""
    late = (1 + question.growth) ** ((_MONTHS - question.late_months) / _MONTHS) - 1
    truth = _changed(question, late).but({"offers.firm.max_order": "0 chips/quarter"})
    return truth.but(signed_contract(_changed(question, question.growth), "firm", quarters=1)), truth


def _outcomes(question: Question, batch: int) -> tuple[Outcome, Outcome]:
    locked, flexible = _ways(question)
    seed = question.seed + batch
    return outcome_of(locked, seed, absorbing=False), outcome_of(flexible, seed, absorbing=False)


def gained(question: Question, batch: int) -> np.ndarray:
    """Value that signing adds, and the bill of staying flexible [2, path], on the same futures."""
    locked, flexible = _outcomes(question, batch)
    return np.stack([locked.value_usd - flexible.value_usd, flexible.compute_cost_usd.sum(axis=1)])


def months_survived(question: Question) -> float | None:
    """Months by which growth may be late before signing is worth no more than staying flexible."""
    return crossing(lambda late: CASE.point(replace(question, late_months=late))[0], 0.0, float(_MONTHS))


def _ruin(question: Question) -> tuple[float, float]:
    locked, flexible = (outcome_of(way, question.seed) for way in _ways(question))
    return float((locked.ruined_in >= 0).mean()), float((flexible.ruined_in >= 0).mean())


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    months = months_survived(question)
    survived = "any delay within three years" if months is None else f"a delay of {months:.0f} months"
    locked, flexible = _ruin(question)
    sentence = (
        f"The claim {spoken(word)}. With growth {question.late_months:g} months late over three years, what is signed today at "
        f"{question.firm_usd:g} USD is worth {found.value:+.1%} of the bill of staying flexible; it stays the better choice up to "
        f"{survived}. P(ruin) is {locked:.0%} signed and {flexible:.0%} flexible."
    )
    return Detail(sentence, (_table(question),), (_plot(question),))


def _table(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for share in (1.0, 0.8, 0.6):
        asked = replace(question, take_or_pay=share)
        gains = [CASE.point(replace(asked, late_months=late))[0] for late in (0.0, 6.0, 12.0, 24.0, 36.0)]
        rows.append((f"{share:.0%}", *[f"{gain:+.1%}" for gain in gains]))
    return Table(
        "What signing today adds, part of the flexible bill",
        ("take-or-pay", "on time", "6 months late", "12 months late", "24 months late", "no growth"),
        tuple(rows),
        "Late: demand after three years stands where it was expected that many months earlier. Below 100 % the rest is paid only "
        "when it is used; what the lab signs follows its belief and the terms.",
    )


def _plot(question: Question) -> Plot:
    points = [
        (
            f"rents change {drift:+.0%} a year",
            late,
            CASE.point(replace(question, drift=drift, late_months=late))[0],
        )
        for drift in (-0.25, question.drift, 0.1)
        for late in (0.0, 9.0, 18.0, 27.0, 36.0)
    ]
    return Plot(
        "Signing today against staying flexible",
        "months by which growth is late",
        "value added, part of the flexible bill",
        tuple(points),
        level=0.0,
        level_name="equal",
    )


CASE = Inquiry(
    name="lock-in-or-flexible",
    title="Lock in now, or stay flexible and pay the scarcity premium?",
    systems=(1, 5),
    asked=Asked(
        question="Should a lab sign for years of compute now, or stay flexible and pay up when chips are short?",
        claim="Signing for three years today beats staying flexible, even if growth comes half a year late.",
        date="2026-03-15",
        where="an analyst on two labs: one bought with caution and paid up to 2.40 USD an hour for H100s that cost 1.40, the other "
        "had signed early and cheaper (thefrontier.fm)",
    ),
    question=Question(),
    metric=("value that signing adds, part of the flexible bill", "share"),
    rule=Rule(0.002, 0.0, "holds: signing adds 0.2 % of the bill or more; fails: it takes away; depends: between, or nothing is worth signing"),
    sample=gained,
    inputs=(
        Input("late_months", "months by which growth is late", "months", "the question", tried=(0.0, 18.0, 36.0), searched=(0.0, 36.0), below="signing pays"),
        Input("firm_usd", "price of the three-year contract", "USD/chip/h", "assumed: 1.30 (2025-08) x 2.35 / 1.70, as one-year contracts rose", between=(1.5, 2.1), searched=(1.0, 3.0), below="the discount carries the risk"),
        Input("drift", "yearly change of rents", "share", "assumed: price-performance gains 30 to 37 % a year, scarcity eats most of it", between=(-0.25, 0.1), searched=(-0.5, 0.5), below="flexible rents fall away under the contract"),
        Input("growth", "growth believed", "ratio", "assumed: per year, median of 50 % to 150 %", between=(0.4, 2.0)),
        Input("year_usd", "price of a year's contract today", "USD/chip/h", "catalogue prices: H100, 2026-03", between=(2.0, 2.7)),
        Input("take_or_pay", "share of what is signed that is paid, used or not", "share", "assumed: usual", tried=(0.6, 0.8)),
        Input("cash_gusd", "cash at the start", "GUSD", "assumed", tried=(5.0, 20.0)),
    ),
    detail=_detail,
    assumed=(
        "Flexible means one-year contracts and the spot market, always to be had at the price of the day",
        "The amount signed is the best for the growth believed; growth turns out late, and both labs then plan well",
        "Nothing outlasts the three years; tax is left out",
    ),
    flip=({"late_months": 36.0}, "fails"),
)  # fmt: skip
