"""From which volume on a firm that buys tokens from an API should serve the open model itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from exaplan.app.casebook.asking import spoken
from exaplan.app.casebook.estimate import Estimate, Rule
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry, crossing
from exaplan.app.casebook.planned import Setting, lab_of, outcome_of, plan_of
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.quarter import HOURS_PER_QUARTER

_LAB = Setting("api-or-own")
_MINUTES_PER_MONTH = HOURS_PER_QUARTER / 3 * 60
_OWN = ("hourly", "year", "three-years", "own")
_WAYS = {
    "API and by the hour": ("hourly",),
    "API, hour and year": ("hourly", "year"),
    "and three years": ("hourly", "year", "three-years"),
    "and servers of one's own": _OWN,
}
_OWNED_QUARTERS = 9
_VOLUMES = (4.0, 6.0, 10.0, 16.0, 25.0, 40.0)


@dataclass(frozen=True)
class Question(Inputs):
    """Volume, what the API asks, and what it takes to serve oneself."""

    tokens_per_min: float = 10.0
    usd_per_mtok: float = 0.66
    api_change: float = -0.2
    busy: float = 0.6
    goodput: float = 0.75
    engineers_musd: float = 0.3
    growth: float = 0.5
    loss_per_year: float = 0.33
    draws: int = 30


@lru_cache(maxsize=1)
def _mtok_per_h() -> tuple[float, float]:
    """Million tokens per hour of an H100 as the lab file has it, and the goodput that is in it."""
    made = plan_of(_LAB)
    rates = made.rates
    rate = rates.mean[rates.chips.index("h100"), rates.workloads.index("assistant"), 0]
    return float(rate) * 3600 / 1e6, lab_of(_LAB).serve[0].goodput


def _setting(question: Question, ways: tuple[str, ...]) -> Setting:
    per_hour, goodput = _mtok_per_h()
    hour = question.usd_per_mtok * per_hour * question.goodput / goodput
    quarters = lab_of(_LAB).horizon.quarters
    prices = [f"{hour * (1 + question.api_change) ** (t / 4):.6g} USD/chip/h" for t in range(quarters)]
    changes = {
        "workloads.assistant.demand": f"{question.tokens_per_min * 1e6 * _MINUTES_PER_MONTH:.6g} tokens/month",
        "workloads.assistant.goodput": f"{question.goodput * 100:.6g} %",
        "workloads.assistant.growth": f"{((1 + question.growth) / 1.45 - 1) * 100:.6g} % to "
        f"{((1 + question.growth) * 1.45 - 1) * 100:.6g} %/year",
        "offers.api.price": f"[{', '.join(prices)}]",
        "offers.own.residual": f"{(1 - question.loss_per_year) ** (_OWNED_QUARTERS / 4) * 100:.6g} %",
        "load.parts": f"[{{id: busy, hours: {question.busy * 100:.6g} %, demand: 100 %}}, "
        f"{{id: idle, hours: {(1 - question.busy) * 100:.6g} %, demand: 0 %}}]",
    }
    for offer in _OWN:
        if offer not in ways:
            unit = ("max_chips", "0 chips") if offer == "hourly" else ("max_order", "0 chips/quarter")
            changes[f"offers.{offer}.{unit[0]}"] = unit[1]
    if ways:
        changes["finance.fixed_costs.engineers.amount"] = f"{question.engineers_musd:.6g} MUSD/quarter"
    return _LAB.but(changes)


def _saved(question: Question, batch: int, ways: tuple[str, ...]) -> np.ndarray:
    """Present value gained over the API alone, and the API's bill [2, path], on the same futures."""
    seed = question.seed + batch
    own, bought = outcome_of(_setting(question, ways), seed), outcome_of(_setting(question, ()), seed)
    rate = lab_of(_LAB).finance.cost_of_equity
    factor = (1 + rate) ** (-np.arange(bought.compute_cost_usd.shape[1]) / 4)
    return np.stack([own.value_usd - bought.value_usd, bought.compute_cost_usd @ factor])


def saved(question: Question, batch: int) -> np.ndarray:
    """Present value gained by whatever way pays, engineers paid, and the API's bill [2, path]."""
    return _saved(question, batch, _OWN)


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    bill = _saved(question, 0, _OWN)[1].mean()
    edge = crossing(
        lambda volume: CASE.point(replace(question, tokens_per_min=volume))[0], 0.25, question.tokens_per_min
    )
    even = (
        "is even below a quarter of a million" if edge is None else f"is even at {edge:.1f} M tokens a minute"
    )
    sentence = (
        f"The claim {spoken(word)}. At {question.tokens_per_min:g} M tokens a minute and {question.usd_per_mtok:g} USD per million "
        f"the API costs {bill / 1e6:,.1f} MUSD over three years; serving the model oneself, the API kept for the rest, saves "
        f"{found.value:.0%} of that after {question.engineers_musd * 4:g} MUSD a year of engineers, and {even}."
    )
    return Detail(sentence, (_table(question), _mix(question)), (_plot(question),))


def _table(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for name, ways in _WAYS.items():
        value = [
            _saved(replace(question, tokens_per_min=volume), 0, ways) for volume in (2.0, 5.0, 10.0, 40.0)
        ]
        rows.append((name, *[f"{above.mean() / below.mean():+.0%}" for above, below in value]))
    return Table(
        "Part of the API's bill that is saved, engineers paid",
        ("what may be used", "2 M tokens/min", "5 M", "10 M", "40 M"),
        tuple(rows),
        "Each row adds one way to those above it. The engineers are paid in full however little is served by oneself.",
    )


def _mix(question: Question) -> Table:
    """Tell what the plan signs today, against the chips that the volume fills in its busy hours."""
    per_hour, goodput = _mtok_per_h()
    rows: list[tuple[Value, ...]] = []
    for volume in (2.0, 5.0, 10.0, 40.0):
        setting = _setting(replace(question, tokens_per_min=volume), _OWN)
        outcome, lab = outcome_of(setting, question.seed), lab_of(setting)
        orderable = [one.id for one in lab.offers if one.id in _OWN[1:]]
        signed = dict(zip(orderable, outcome.ordered[:, 0].mean(axis=0), strict=True))
        busy = volume * 60 / (per_hour * question.goodput / goodput) / question.busy
        rows.append((f"{volume:g}", f"{busy:,.0f}", *[f"{signed[name]:,.0f}" for name in _OWN[1:]]))
    return Table(
        "What is signed in the first quarter, chips",
        ("M tokens/min", "H100 that the busy hours would fill", "H100 for a year", "B200 for three years", "B200 owned"),
        tuple(rows),
        "Fractions of a server are allowed: read small numbers as shared machines.",
    )  # fmt: skip


def _plot(question: Question) -> Plot:
    points = [
        (
            f"API at {price:g} USD/Mtok",
            volume,
            CASE.point(replace(question, tokens_per_min=volume, usd_per_mtok=price))[0],
        )
        for price in (0.4, question.usd_per_mtok, 1.0)
        for volume in _VOLUMES
    ]
    return Plot(
        "What serving the model oneself saves",
        "M tokens a minute today",
        "part of the API's bill",
        tuple(points),
        log_x=True,
        level=CASE.rule.holds,
        level_name="the claim",
    )


CASE = Inquiry(
    name="api-or-own",
    title="API, rent, reserve or own?",
    systems=(4, 17),
    asked=Asked(
        question="We buy tokens of an open model from an API: from which volume, price and utilization on should we serve it ourselves?",
        claim="At 10 M tokens a minute, serving an open 70 B model oneself saves at least a fifth of the API's bill, engineers paid.",
        date="2026",
        where="questions of chief financial officers of start-ups as advisers and calculators list them (ridgewayfs.com, gpu-tco); paraphrased",
    ),
    question=Question(),
    metric=("part of the API's bill that serving oneself saves", "share"),
    rule=Rule(0.2, 0.0, "holds: 20 % of the API's bill or more is saved; fails: nothing; depends: between"),
    sample=saved,
    inputs=(
        Input("tokens_per_min", "volume today", "M tokens/min", "the question: the volume of the calculator", tried=(2.0, 5.0, 40.0), searched=(0.5, 40.0), below="the engineers cost more than they save"),
        Input("usd_per_mtok", "price of the API today", "USD/Mtok", "assumed: what API sellers ask for a 70 B model", between=(0.4, 0.95), searched=(0.15, 2.0), below="the API is cheap"),
        Input("busy", "share of hours in which the tokens fall", "share", "assumed: one or two time zones", between=(0.35, 0.9)),
        Input("goodput", "part of the modelled rate that the firm gets", "share", "assumed: 2,022 tokens/s measured at a longer prompt where 3,140 are modelled", between=(0.5, 0.95)),
        Input("engineers_musd", "engineers who keep the service up", "MUSD/quarter", "assumed: four at 0.3 MUSD a year", between=(0.15, 0.8), searched=(0.0, 1.0), below="few engineers are enough"),
        Input("api_change", "yearly change of the API's price", "share", "assumed: rents drift by -16 % in the median, sellers compete", between=(-0.5, 0.0)),
        Input("growth", "yearly growth of the volume", "share", "assumed", between=(0.1, 1.5)),
        Input("loss_per_year", "worth that an owned chip loses in a year", "share", "assumed: 3 to 6 years of life are booked", between=(0.2, 0.5)),
    ),
    detail=_detail,
    assumed=(
        "The API sells the same open model: what a better closed model would earn is not in it",
        "Engineers are a fixed cost from the first day; the API stays open for peaks and until servers come",
        "Tokens of the API cost the same in every hour; chips by the hour are let go when nobody needs them",
    ),
    flip=({"usd_per_mtok": 0.2}, "fails"),
)  # fmt: skip
