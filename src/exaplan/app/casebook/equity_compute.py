"""A cloud's equity tied to spending and a share of revenue, against raising money and reserving where it is cheapest."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.casebook.asking import spoken
from exaplan.app.casebook.estimate import Estimate, Rule, estimated
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.planned import Setting, outcome_of, plan_of
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.outcome import Outcome
from exaplan.plan.deal_result import SignedDeal, deals_of

_PRICE_USD = 3.30
_SPREAD = 1.34  # half the width of growth, as a factor
_NEVER = {"offers.partner.max_order": "0 chips/quarter", "deals.stake.fee": "1000 GUSD"}


@dataclass(frozen=True)
class Question(Inputs):
    """Terms of the deal, and what the plain way costs."""

    markup: float = 0.05
    spend_times: float = 2.0
    revenue_share: float = 0.01
    deal_cost: float = 0.05
    round_cost: float = 0.15
    deposit: float = 0.2
    cash_gusd: float = 3.0
    investment_gusd: float = 8.0
    growth: float = 0.87
    draws: int = 24


def _setting(question: Question, *, deal: bool) -> Setting:
    low, high = (1 + question.growth) / _SPREAD - 1, (1 + question.growth) * _SPREAD - 1
    half = question.investment_gusd / 2
    terms = {
        "offers.partner.price": f"{_PRICE_USD * (1 + question.markup):.6g} USD/chip/h",
        "deals.stake.investment": f"[{{after: 0 quarters, amount: {half:.6g} GUSD}}, {{after: 3 quarters, amount: {half:.6g} GUSD}}]",
        "deals.stake.must_spend.amount": f"{max(question.spend_times, 1e-3) * half:.6g} GUSD",
        "deals.stake.revenue_share.share": f"{max(question.revenue_share, 1e-6) * 100:.6g} %",
        "deals.stake.dilution_cost": f"{question.deal_cost * 100:.6g} %",
    }
    changes = {
        "offers.plain.deposit": f"{question.deposit * 100:.6g} %",
        "finance.rounds.next.dilution_cost": f"{question.round_cost * 100:.6g} %",
        "finance.cash": f"{question.cash_gusd:.6g} GUSD",
        "workloads.api.growth": f"{low * 100:.6g} % to {high * 100:.6g} %/year",
    }
    return Setting("equity-for-compute").but(changes | (terms if deal else _NEVER))


def _outcome(question: Question, batch: int, *, deal: bool) -> Outcome:
    return outcome_of(_setting(question, deal=deal), question.seed + batch)


def _deal(question: Question) -> SignedDeal:
    return deals_of(plan_of(_setting(question, deal=True)).solved)[0]


def gained(question: Question, batch: int) -> np.ndarray:
    """Value that the deal on the table adds, and the bill without it [2, path], on the same futures."""
    taken, plain = (_outcome(question, batch, deal=deal) for deal in (True, False))
    return np.stack([taken.value_usd - plain.value_usd, plain.compute_cost_usd.sum(axis=1)])


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    signed = _deal(question)
    sentence = (
        f"The claim {spoken(word)}. A stake of {question.investment_gusd:g} GUSD tied to spending {question.spend_times:g} times as "
        f"much at {question.markup:.0%} over the cheapest price, and {question.revenue_share:.0%} of revenue, is worth "
        f"{found.value:+.1%} of the compute bill against a plain reservation with {question.deposit:.0%} down. The plan signs it with "
        f"probability {signed.probability:.0%}, shares {signed.revenue_paid_usd / 1e9:.1f} GUSD of revenue and pays "
        f"{signed.shortfall_usd / 1e9:.1f} for spending that it does not use."
    )
    return Detail(sentence, (_table(question), _terms(question)), (_plot(question),))


def _table(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for deal, name in (
        (False, "plain reservation, round of equity"),
        (True, "equity for compute on the table"),
    ):
        seen = _outcome(question, 0, deal=deal)
        value = estimated([seen.value_usd])
        rows.append(
            (
                name,
                f"{value.value / 1e9:.1f} ({value.low / 1e9:.1f} to {value.high / 1e9:.1f})",
                seen.revenue_usd.sum(axis=1).mean() / 1e9,
                seen.compute_cost_usd.sum(axis=1).mean() / 1e9,
                seen.cash_usd.min(axis=1).mean() / 1e9,
                f"{1 - seen.served_tokens.sum() / seen.demand_tokens.sum():.1%}",
                f"{(seen.ruined_in >= 0).mean():.1%}",
            )
        )
    return Table(
        "With and without the deal, on the same futures",
        ("way", "value, GUSD (95 %)", "revenue, GUSD", "compute bill, GUSD", "lowest cash, GUSD", "demand lost", "P(ruin)"),
        tuple(rows),
        "Each is planned for itself; both can rent by the hour and raise the round.",
    )  # fmt: skip


def _terms(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for share in (0.0, 0.02, 0.05):
        gains = []
        for times in (0.0, 1.0, 2.0, 3.0):
            asked = replace(question, revenue_share=share, spend_times=times)
            signed = _deal(asked).probability > 0.5
            gains.append(f"{CASE.point(asked)[0]:+.1%}" if signed else "not signed")
        rows.append((f"{share:.0%}", *gains))
    return Table(
        "What the deal adds, part of the bill without it",
        ("share of revenue", "no must-spend", "as much as the stake", "twice", "three times"),
        tuple(rows),
        "A plan signs what is worth it on its tree; the figure is what it comes to on futures it has not seen.",
    )


def _plot(question: Question) -> Plot:
    points = [
        (
            f"{share:.0%} of revenue",
            markup,
            CASE.point(replace(question, markup=markup, revenue_share=share))[0],
        )
        for share in (0.0, question.revenue_share, 0.03)
        for markup in (0.0, 0.03, 0.06, 0.1, 0.15)
    ]
    return Plot(
        "Equity for compute against a plain reservation",
        "price at the partner over the cheapest",
        "value added, part of the bill",
        tuple(points),
        level=CASE.rule.holds,
        level_name="the claim",
    )


CASE = Inquiry(
    name="equity-for-compute",
    title="Is a cloud's equity tied to spending worth more than a plain reservation?",
    systems=(5,),
    asked=Asked(
        question="Should a lab short of money take a cloud's equity that must be spent there, with a share of revenue, rather than raise and reserve where it is cheapest?",
        claim="Equity for compute is worth more to a lab that is short of money than a plain reservation.",
        date="2024-11-24",
        where="paraphrased from the stakes of clouds in labs (4 GUSD in 2024-03 and 4 in 2024-11, public estimates of rounds)",
    ),
    question=Question(),
    metric=("value that the deal adds, part of the compute bill without it", "share"),
    rule=Rule(0.002, 0.002, "holds: 0.2 % of the bill or more; fails: less, or it is not worth signing; depends: within the error"),
    sample=gained,
    inputs=(
        Input("revenue_share", "share of revenue paid to the investor", "share", "assumed", between=(0.005, 0.05), searched=(0.0, 0.1), below="the deal pays"),
        Input("markup", "price at the partner over the cheapest", "share", "assumed", between=(0.01, 0.12), searched=(0.0, 0.3), below="the deal pays"),
        Input("spend_times", "must-spend over the stake", "ratio", "assumed", between=(1.0, 3.0)),
        Input("round_cost", "value given away in a round, per dollar raised", "share", "assumed", between=(0.05, 0.3)),
        Input("deposit", "deposit of a plain reservation", "share", "assumed", between=(0.1, 0.3)),
        Input("cash_gusd", "cash at the start", "GUSD", "assumed: short", between=(2.0, 12.0)),
        Input("growth", "growth of demand", "ratio", "assumed: per year, median of 40 % to 150 %", between=(0.4, 1.5)),
    ),
    detail=_detail,
    assumed=(
        "The stake costs 5 % beyond the dollar: the cloud pays nearly what the shares are worth, for its own reasons",
        "The partner's chips are as good and as many as anybody's; it brings no customers and asks for no exclusivity",
        "The deal is signed today or never; it is to be spent over four years, half in each two, and what is not is paid for nothing",
    ),
    flip=({"revenue_share": 0.08}, "fails"),
)  # fmt: skip
