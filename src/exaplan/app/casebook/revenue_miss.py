"""Whether revenue a fifth below plan ruins a lab that has bought its compute ahead."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.casebook.asking import spoken
from exaplan.app.casebook.estimate import Estimate, Rule
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.planned import Setting, lab_of, outcome_of
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.quarter import HOURS_PER_QUARTER

_REVENUE_GUSD = 5.0  # of the quarter before the horizon: 20 GUSD a year
_MISSED_AFTER_YEARS = 2.0
_SPREAD = 1.16  # half the width of the lab's growth, as a factor
_MISSES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)


@dataclass(frozen=True)
class Question(Inputs):
    """The miss, what is signed against the revenue expected, and what stands between the lab and ruin."""

    miss: float = 0.2
    growth: float = 0.85
    committed: float = 0.8
    raise_gusd: float = 40.0
    cash_gusd: float = 40.0
    revenue_cost: float = 0.1


def _signed(question: Question) -> dict[str, str]:
    """Sign compute for a share of the revenue expected in each quarter, tranche by tranche (the reverse model)."""
    first = lab_of(Setting("revenue-miss")).horizon.first
    price = next(
        one for one in lab_of(Setting("revenue-miss")).contracts if one.id == "signed"
    ).price_usd_per_chip_h
    quarters = lab_of(Setting("revenue-miss")).horizon.quarters
    expected = _REVENUE_GUSD * (1 + question.growth) ** (np.arange(quarters) / 4)
    chips = question.committed * expected * 1e9 / (price * HOURS_PER_QUARTER)
    more = [
        f"{{date: {first + quarter}, chips: {chips[quarter] - chips[quarter - 1]:.0f} chips}}"
        for quarter in range(1, quarters)
    ]
    return {
        "contracts.running.tranches": f"[{{date: {first + (-1)}, chips: {chips[0]:.0f} chips}}]",
        "contracts.signed.tranches": f"[{', '.join(more)}]",
    }


def _setting(question: Question) -> Setting:
    grown = (1 + question.growth) * (1 - question.miss) ** (1 / _MISSED_AFTER_YEARS)
    low, high = grown / _SPREAD - 1, grown * _SPREAD - 1
    return Setting("revenue-miss").but(
        _signed(question)
        | {
            "workloads.products.growth": f"{low * 100:.6g} % to {high * 100:.6g} %/year",
            "finance.rounds.next.max": f"{question.raise_gusd:.6g} GUSD",
            "finance.cash": f"{question.cash_gusd:.6g} GUSD",
            "finance.revenue_cost": f"{question.revenue_cost * 100:.6g} %",
        }
    )


def ruined(question: Question, batch: int) -> np.ndarray:
    """Whether each future ends in ruin [path] bool."""
    return np.asarray(outcome_of(_setting(question), question.seed + batch).ruined_in >= 0)


def _money(question: Question) -> tuple[float, float, float]:
    """Mean revenue and compute of the last year, and the deepest hole in cash before raises, GUSD."""
    seen = outcome_of(_setting(question), question.seed, absorbing=False)
    flow = seen.revenue_usd - seen.compute_cost_usd - seen.capex_usd - seen.other_cost_usd
    deepest = np.minimum(flow.cumsum(axis=1).min(axis=1), 0.0).mean()
    last = slice(-4, None)
    return (
        float(seen.revenue_usd[:, last].sum(axis=1).mean() / 1e9),
        float(seen.compute_cost_usd[:, last].sum(axis=1).mean() / 1e9),
        float(deepest / 1e9),
    )


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    revenue, compute, hole = _money(question)
    sentence = (
        f"The claim {spoken(word)}. With {question.committed:.0%} of the revenue expected signed away for compute and a miss of "
        f"{question.miss:.0%} after two years, revenue of the third year is {revenue:.0f} GUSD against {compute:.0f} GUSD of "
        f"compute, operations eat {-hole:.0f} GUSD on the way, and P(ruin) is {found.value:.0%} with {question.raise_gusd:g} GUSD "
        f"still to be raised."
    )
    return Detail(sentence, (_table(question),), (_plot(question),))


def _table(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for miss in _MISSES[:-1]:
        asked = replace(question, miss=miss)
        revenue, compute, hole = _money(asked)
        chances = [
            f"{CASE.point(replace(asked, raise_gusd=amount))[0]:.0%}"
            for amount in (10.0, question.raise_gusd, 122.0)
        ]
        rows.append((f"{miss:.0%}", revenue, compute, -hole, *chances))
    return Table(
        "What a miss does",
        (
            "miss after two years", "revenue of year 3, GUSD", "compute of year 3, GUSD", "eaten on the way, GUSD",
            "P(ruin), 10 GUSD to raise", "40 GUSD", "122 GUSD",
        ),
        tuple(rows),
        "Eaten on the way: the deepest point of revenue less all operating cost, added up, mean over futures.",
    )  # fmt: skip


def _plot(question: Question) -> Plot:
    points = [
        (f"{committed:.0%} of expected revenue signed", miss, CASE.point(replace(question, miss=miss, committed=committed))[0])
        for committed in (0.6, question.committed, 1.0)
        for miss in _MISSES
    ]  # fmt: skip
    return Plot(
        "P(ruin) of a lab that has bought ahead", "revenue missed after two years", "P(ruin) within three years", tuple(points),
        level=CASE.rule.holds, level_name="even odds",
    )  # fmt: skip


CASE = Inquiry(
    name="revenue-miss",
    title="Does a 20 % revenue miss ruin a lab that has bought its compute ahead?",
    systems=(7, 19),
    asked=Asked(
        question="Compute is bought years ahead and revenue is what it makes possible: what if revenue comes in a fifth lower?",
        claim="Revenue 20 % below what the compute was bought for ruins the lab, whatever it hedges.",
        date="2026-02",
        where="a chief executive: compute for 1 T USD, revenue of 800 GUSD, no hedge on earth; a chief financial officer: beyond "
        "2027 the model runs in reverse, from purchased compute to revenue",
    ),
    question=Question(),
    metric=("P(ruin) within three years", "share"),
    rule=Rule(0.5, 0.1, "holds: P(ruin) of 50 % or more; fails: below 10 %; depends: between"),
    sample=ruined,
    inputs=(
        Input("miss", "revenue missed after two years", "share", "the question", tried=(0.0, 0.3, 0.4), searched=(0.0, 0.8), below="the lab survives"),
        Input("committed", "part of the revenue expected that is signed for compute", "share", "assumed: 600 GUSD to 2030 (company target) over 583 GUSD of revenue on the way to 280 in 2030 would be 1.03", between=(0.65, 0.95), searched=(0.4, 1.5), below="the bill shrinks enough"),
        Input("raise_gusd", "equity that can still be raised", "GUSD", "assumed: a third of the 122 raised in 2026 (executive statement); a miss narrows the window", between=(10.0, 122.0), searched=(0.1, 122.0), below="equity does not bridge the miss"),
        Input("growth", "growth expected", "ratio", "company projection: 13 GUSD in 2025, 280 in 2030", between=(0.5, 2.0)),
        Input("cash_gusd", "cash at the start", "GUSD", "assumed", between=(20.0, 60.0)),
        Input("revenue_cost", "costs that move with revenue", "share", "assumed: partners, payment", between=(0.05, 0.25)),
    ),
    detail=_detail,
    assumed=(
        "What is signed is paid to the last hour: no sublease, no exit, no flexible volume",
        "Expected revenue is the company's; the miss opens over two years and stays as a slower growth in the third",
        "Equity comes at once and in full when it is needed, at a discount of a tenth",
    ),
    flip=({"miss": 0.7}, "holds"),
)  # fmt: skip
