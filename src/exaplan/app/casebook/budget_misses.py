"""How often a compute budget that is right on average misses by more than a tenth, and what would have to be known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from exaplan.app.casebook.asking import Change, spoken
from exaplan.app.casebook.estimate import Estimate, Rule
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.planned import Setting, lab_of, outcome_of, plan_of
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.plan.accounts import by_quarter

_LAB = Setting("budget")
_CHIPS_OF_TODAY = 1000.0
_YEAR = 4
_BLAME: dict[str, dict[str, Any]] = {
    "as it is": {},
    "growth of demand known": {"spread": 1.001},
    "steps of demand known": {"volatility": 0.0},
    "rents known": {"rent_volatility": 0.0},
    "tokens per chip unknown too": {"rates": "sampled"},
}


@dataclass(frozen=True)
class Question(Inputs):
    """What is signed, what is uncertain, and from where on a budget is missed."""

    committed: float = 0.6
    growth: float = 0.6
    spread: float = 1.4
    volatility: float = 0.3
    rent_volatility: float = 0.35
    miss: float = 0.1
    rates: str = "planned"


def _setting(question: Question) -> Setting:
    low, high = ((1 + question.growth) / question.spread, (1 + question.growth) * question.spread)
    chips = max(question.committed * _CHIPS_OF_TODAY, 1.0)
    known = question.rent_volatility == 0
    return _LAB.but(
        {
            "contracts.running.tranches": f"[{{date: 2026-Q2, chips: {chips:.6g} chips}}]",
            "workloads.product.growth": f"{(low - 1) * 100:.6g} % to {(high - 1) * 100:.6g} %/year",
            "workloads.product.volatility": f"{question.volatility * 100:.6g} %",
            "futures.rental.volatility": f"{question.rent_volatility * 100:.6g} %",
            "futures.rental.drift": "-13 %/year" if known else "-25 % to 0 %/year",
            "futures.rates": question.rates,
        }
    )


def budget_usd(setting: Setting, seed: int) -> np.ndarray:
    """Compute cost to be expected in each quarter, USD [quarter]: the plan's mean over futures that it is not judged on."""
    return np.asarray(outcome_of(setting, seed - 1).compute_cost_usd.mean(axis=0))


def errors(question: Question, batch: int) -> np.ndarray:
    """Spend over budget, less one [path, quarter]; the first quarter is today and known."""
    setting = _setting(question)
    spent = outcome_of(setting, question.seed + batch).compute_cost_usd
    return np.asarray(spent / budget_usd(setting, question.seed) - 1)[:, 1:]


def missed(question: Question, batch: int) -> np.ndarray:
    """Share of the quarters of the coming year that miss the budget by more than the limit [path]."""
    return np.asarray((np.abs(errors(question, batch)[:, :_YEAR]) > question.miss).mean(axis=1))


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    off = errors(question, 0)
    setting = _setting(question)
    spent, budget = outcome_of(setting, question.seed).compute_cost_usd, budget_usd(setting, question.seed)
    year = spent[:, 1 : _YEAR + 1].sum(axis=1) / budget[1 : _YEAR + 1].sum() - 1
    sentence = (
        f"The claim {spoken(word)}. A budget that is right on average misses by more than {question.miss:.0%} in "
        f"{found.value:.0%} of the quarters of the coming year, and in {(np.abs(year) > question.miss).mean():.0%} of futures over "
        f"the year as a whole; the mean error of a quarter grows from {np.abs(off[:, 0]).mean():.0%} one quarter ahead to "
        f"{np.abs(off[:, _YEAR - 1]).mean():.0%} a year ahead."
    )
    return Detail(sentence, (_ahead(question), _blame(question)), (_plot(question),))


def _ahead(question: Question) -> Table:
    setting, off = _setting(question), errors(question, 0)
    made = plan_of(setting)
    signed = by_quarter(made.solved.program.inputs, made.solved.value(made.solved.program.columns.order))[
        :, 0
    ]
    budget = budget_usd(setting, question.seed) / 1e6
    rows: list[tuple[Value, ...]] = []
    for ahead in range(off.shape[1]):
        error = off[:, ahead]
        low, high = np.percentile(error, [5.0, 95.0])
        quarter = lab_of(setting).horizon.first + (ahead + 1)
        rows.append(
            (
                str(quarter),
                f"{budget[ahead + 1]:.1f}",
                f"{signed[ahead + 1] * 1e3:,.0f}",
                f"{np.abs(error).mean():.0%}",
                f"{low:+.0%} to {high:+.0%}",
                f"{(np.abs(error) > question.miss).mean():.0%}",
            )
        )
    return Table(
        "Spend against the budget of 2026-Q3",
        ("quarter", "budget, MUSD", "chips signed for a year, expected", "mean error", "90 % of futures", "missed"),
        tuple(rows),
        "The budget is the plan's mean compute cost over other futures; signatures follow the plan's policy.",
    )  # fmt: skip


def _blame(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for name, changed in _BLAME.items():
        each = [
            CASE.point(replace(question, committed=committed, **changed))[0] for committed in (0.3, 0.6, 1.0)
        ]
        rows.append((name, *[f"{value:.0%}" for value in each]))
    return Table(
        "Quarters of the coming year missed, if one thing were known",
        ("", "30 % of today's need signed", "60 %", "100 %"),
        tuple(rows),
        "Each row replans with that knowledge. The last row is a firm that has not measured its tokens per chip yet.",
    )


def _plot(question: Question) -> Plot:
    points = [
        (
            f"volatility of demand {volatility:.0%}",
            committed,
            CASE.point(replace(question, committed=committed, volatility=volatility))[0],
        )
        for volatility in (0.1, question.volatility, 0.6)
        for committed in (0.0, 0.5, 0.9, 1.2, 1.5)
    ]
    return Plot(
        f"Quarters that miss the budget by more than {question.miss:.0%}", "part of today's need that is signed for three years",
        "share of the quarters of the coming year", tuple(points), level=CASE.rule.holds, level_name="the claim",
    )  # fmt: skip


CASE = Inquiry(
    name="budget-misses",
    title="Do most compute budgets miss by more than a tenth?",
    systems=(22,),
    asked=Asked(
        question="Why did compute spend miss the budget, and would a budget that is right on average miss it as often?",
        claim="Even a budget that is right on average misses by more than 10 % in most quarters.",
        date="2026",
        where="survey of cost managers of clouds (FinOps 2026, as reported): 80 % of firms miss their forecast of AI cost by more than "
        "10 %; paraphrased",
    ),
    question=Question(),
    metric=("share of the coming year's quarters that miss the budget by more than a tenth", "share"),
    rule=Rule(0.5, 0.25, "holds: half of the quarters or more are missed; fails: less than a quarter; depends: between"),
    sample=missed,
    inputs=(
        Input("committed", "part of today's need that is signed", "share", "assumed", between=(0.25, 0.95), searched=(0.0, 1.6), below="too much is paid by use"),
        Input("volatility", "yearly volatility of demand", "share", "assumed: few large customers", between=(0.15, 0.6), searched=(0.0, 1.0), below="demand comes as planned"),
        Input("miss", "what counts as a miss", "share", "the survey", tried=(0.05, 0.2), searched=(0.01, 0.5), below="small misses count"),
        Input("spread", "highest over middle growth of demand", "ratio", "assumed: 95th percentile over the median", between=(1.15, 1.8)),
        Input("growth", "yearly growth of demand", "share", "assumed: the median", between=(0.2, 1.5)),
        Input("rent_volatility", "volatility of rents", "share", "catalogue prices: 2.99, 1.70, 2.35, 2.65 within 20 months", between=(0.2, 0.5)),
    ),
    changes=(Change("tokens per chip", "known", "assumed: the firm has measured them; else the spread of the performance model", (("unknown", {"rates": "sampled"}),)),),
    detail=_detail,
    assumed=(
        "The budget has no bias: plans that hope for growth, and bills that nobody allocates, miss more often",
        "Compute spend is what is due in the quarter: contracts whether used or not, and chips by the hour",
        "Nothing is done to meet the budget: all demand that pays for its chips is served",
    ),
    flip=({"miss": 0.5}, "fails"),
)  # fmt: skip
