"""Which premium, or which customers who stay, safety work must earn to pay for its compute."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.casebook.asking import spoken
from exaplan.app.casebook.estimate import Estimate, Rule
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry, crossing
from exaplan.app.casebook.planned import Setting, outcome_of
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.outcome import Outcome

_FLOOR = 0.4  # as in the lab
_LEAST = 1e-6  # a curve of trust rises, however little
_MOST_PREMIUM = 0.3


@dataclass(frozen=True)
class Question(Inputs):
    """How much safety work is done, what it earns, and what else its chips could have earned."""

    draws: int = 20
    oversight: float = 0.05
    premium: float = 0.02
    churn: float = 0.02
    stay: float = 0.15
    chips_k: float = 200.0
    price: float = 1.0
    growth: float = 0.5
    recovery: float = 0.10


def _setting(question: Question, *, oversight: float, premium: float, stay: float) -> Setting:
    """Set up a lab that does this much safety work and earns this much by it."""
    # Safety work is a share of all work, trust is earned by safety work over serving.
    full = max(question.oversight, 0.001) / (1 - _FLOOR) * 100
    low, high = (1 + question.growth) / 1.25 - 1, (1 + question.growth) * 1.25 - 1
    left = question.churn * (1 - max(stay, _LEAST))
    return Setting("safety-premium").but(
        {
            "policy.oversight": f"{oversight * 100:.6g} %",
            "workloads.api.trust.premium": f"[{{safety: 0 %, premium: 0 %}}, {{safety: {full:.6g} %, premium: {max(premium, _LEAST) * 100:.6g} %}}]",
            "workloads.api.trust.churn": f"[{{safety: 0 %, churn: {question.churn * 100:.6g} %/quarter}}, "
            f"{{safety: {full:.6g} %, churn: {left * 100:.6g} %/quarter}}]",
            "workloads.api.price": f"{{input: {0.42 * question.price:.6g} USD/Mtok, output: {1.06 * question.price:.6g} USD/Mtok}}",
            "workloads.api.growth": f"{low * 100:.6g} % to {high * 100:.6g} %/year",
            "workloads.api.recovery": f"{question.recovery * 100:.6g} %",
            "offers.committed.max_order": f"{question.chips_k:.6g}k chips/quarter",
        }
    )


def _ways(question: Question, batch: int) -> tuple[Outcome, Outcome, Outcome]:
    """Live without safety work, with it unrewarded, and with it rewarded, on the same futures."""
    safe = question.oversight
    settings = (
        _setting(question, oversight=0.0, premium=0.0, stay=0.0),
        _setting(question, oversight=safe, premium=0.0, stay=0.0),
        _setting(question, oversight=safe, premium=question.premium, stay=question.stay),
    )
    without, unpaid, paid = (outcome_of(each, question.seed + batch, absorbing=False) for each in settings)
    return without, unpaid, paid


def earned(question: Question, batch: int) -> np.ndarray:
    """Value that trust brings, and value that safety work takes where nobody rewards it [2, path]."""
    without, unpaid, paid = _ways(question, batch)
    return np.stack([paid.value_usd - unpaid.value_usd, without.value_usd - unpaid.value_usd])


def premium_needed(question: Question) -> float | None:
    """Premium at which safety work pays for its compute."""
    return crossing(lambda premium: CASE.point(replace(question, premium=premium))[0] - 1, 0.0, _MOST_PREMIUM)


def _said(premium: float | None) -> str:
    if premium is None:
        return f"none up to {_MOST_PREMIUM:.0%}"
    return f"{premium:.1%}"


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    without, unpaid, paid = _ways(question, 0)
    cost = (without.value_usd - unpaid.value_usd).mean() / 1e9
    sentence = (
        f"The claim {spoken(word)}. Safety work of {question.oversight:.0%} of all compute takes {cost:.2f} GUSD of value where nobody "
        f"rewards it; a premium of {question.premium:.1%} and {question.stay:.0%} fewer customers who leave bring back "
        f"{found.value:.0%} of that. With as many staying it pays from a premium of {_said(premium_needed(question))} on, and if "
        f"nobody stays for it, from {_said(premium_needed(replace(question, stay=0.0)))} on."
    )
    return Detail(sentence, (_needed(question), _flows(without, unpaid, paid)), (_plot(question),))


def _needed(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for share in (0.02, 0.05, 0.1):
        needed = [premium_needed(replace(question, oversight=share, stay=stay)) for stay in (0.0, 0.4)]
        rows.append((f"{share:.0%}", *[_said(each) for each in needed]))
    return Table(
        "Premium at which safety work pays for its compute",
        ("safety work over all other work", "nobody stays for it", "40% fewer leave"),
        tuple(rows),
        "More than the share of compute itself: development keeps its share of a fleet that safety work makes larger.",
    )


def _flows(without: Outcome, unpaid: Outcome, paid: Outcome) -> Table:
    rows: list[tuple[Value, ...]] = []
    names = ("no safety work", "safety work, unrewarded", "safety work, rewarded")
    for name, seen in zip(names, (without, unpaid, paid), strict=True):
        sums = (seen.revenue_usd, seen.compute_cost_usd)
        served = float(seen.served_tokens.sum() / without.demand_tokens.sum())
        rows.append(
            (
                name,
                seen.value_usd.mean() / 1e9,
                *[each.sum(axis=1).mean() / 1e9 for each in sums],
                f"{served:.0%}",
            )
        )
    return Table(
        "Three lives of the same lab",
        (
            "",
            "value, GUSD",
            "revenue, GUSD",
            "compute, GUSD",
            "tokens served over demand before anybody left",
        ),
        tuple(rows),
        "Sums over ten quarters, means over the same futures.",
    )


def _plot(question: Question) -> Plot:
    points = [
        (
            f"{stay:.0%} fewer leave" if stay else "nobody stays for it",
            premium,
            CASE.point(replace(question, premium=premium, stay=stay))[0],
        )
        for stay in (0.0, question.stay, 0.4)
        for premium in (0.0, 0.02, 0.04, 0.06, 0.08)
    ]
    return Plot(
        f"Safety work of {question.oversight:.0%} of compute: what comes back of its cost",
        "premium on revenue",
        "value brought back, part of the cost",
        tuple(points),
        level=1.0,
        level_name="pays for itself",
    )


CASE = Inquiry(
    name="safety-premium",
    title="Which premium must safety earn to pay for its compute?",
    systems=(16, 17),
    asked=Asked(
        question="Do the price that customers pay for safety, and those who stay for it, pay for the compute of safety and oversight?",
        claim="A premium of two percent and fewer customers who leave pay for a twentieth of all compute.",
        date="2026",
        where="research and strategy leads of a lab that promises a share of its compute to safety",
    ),
    question=Question(),
    metric=("value that trust brings back, part of what safety work costs", "share"),
    rule=Rule(1.0, 1.0, "holds: trust brings back the cost of safety work or more; fails: less; depends: within its error"),
    sample=earned,
    inputs=(
        Input("premium", "premium on revenue", "share", "assumed: nobody has published one", between=(0.005, 0.06), searched=(0.0, 0.3), below="the premium is too small"),
        Input("stay", "fewer customers who leave", "share", "assumed: of those who leave without safety work", between=(0.03, 0.4)),
        Input("oversight", "safety work over all other work", "share", "assumed; what is earned stays the same", between=(0.02, 0.1)),
        Input("churn", "customers who leave in a quarter without safety work", "share", "assumed: beyond what growth tells", between=(0.01, 0.06)),
        Input("chips_k", "chips to be had in a quarter", "thousand", "assumed: as many as wanted", tried=(10.0, 30.0)),
        Input("price", "price of tokens over that of the case", "ratio", "assumed: half of revenue is left after serving", between=(0.8, 1.3)),
        Input("growth", "growth of demand", "ratio", "assumed: per year, median of 20 % to 90 %", between=(0.2, 1.2)),
        Input("recovery", "customers who come back in a quarter", "share", "assumed", between=(0.03, 0.3)),
    ),
    detail=_detail,
    assumed=(
        "Customers pay for and stay by the share of safety work over serving, and nothing else tells them apart",
        "Development keeps 40 % of all compute, so that safety work takes from serving or makes both grow",
        "Safety work is done in proportion to all training and serving; it makes models neither better nor worse to use",
        "What an accident would cost, and what law demands, is left out",
    ),
    flip=({"premium": 0.2}, "holds"),
)  # fmt: skip
