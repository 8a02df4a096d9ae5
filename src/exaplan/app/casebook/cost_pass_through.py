"""How far a fall of cost reaches the price of tokens, and who keeps the rest: a seller that sets its prices."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.casebook.asking import Change, spoken
from exaplan.app.casebook.estimate import Estimate, Rule
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.planned import Setting, outcome_of
from exaplan.app.casebook.raced import changed, five_labs, names, race_on
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.outcome import Outcome
from exaplan.domain.quarter import HOURS_PER_QUARTER

_PRICES = (0.5, 0.68, 0.84, 1.0, 1.3)
_WANTED_KCHIPS = 9.05
"""Chips, in thousands, with which the seller of pass-through.yaml serves all that is asked for at its best price."""
_RENT, _BUSY = 2.65, 0.4
_LATER = 8


@dataclass(frozen=True)
class Question(Inputs):
    """By how much and why cost falls, how customers answer to price, and how many chips can be had."""

    fall: float = 0.3
    cause: str = "tokens"  # of a chip; or rent
    supply: float = 1.0
    elasticity: float = 2.0
    volatility: float = 0.25
    growth: float = 0.0
    draws: int = 30


def _setting(question: Question, fall: float) -> Setting:
    """Put cost and demand into the lab; the stated price is the best one at today's cost with chips for all."""
    best = question.elasticity / (question.elasticity - 1) / 2
    points = ", ".join(
        f"{{price: {100 * price:.6g} %, demand: {100 * price**-question.elasticity:.6g} %}}"
        for price in _PRICES
    )
    rent = _RENT * ((1 - fall) if question.cause == "rent" else 1.0)
    busy = _BUSY / ((1 - fall) if question.cause == "tokens" else 1.0)
    return Setting("pass-through").but(
        {
            "offers.hourly.price": f"{rent:.6g} USD/chip/h",
            "offers.hourly.max_chips": f"{question.supply * _WANTED_KCHIPS:.6g}k chips",
            "workloads.tokens.utilization": f"{100 * busy:.6g} %",
            "workloads.tokens.price": f"{{input: {best:.6g} USD/Mtok, output: {3 * best:.6g} USD/Mtok}}",
            "workloads.tokens.price_points": f"[{points}]",
            "workloads.tokens.growth": f"{100 * question.growth:.6g} %/year",
            "futures.rental.volatility": f"{100 * question.volatility:.6g} %",
        }
    )


def _price(outcome: Outcome) -> np.ndarray:
    """Revenue over tokens [path], USD per million."""
    return np.asarray(1e6 * outcome.revenue_usd.sum(axis=1) / outcome.served_tokens.sum(axis=(1, 2)))


def passed(question: Question, batch: int) -> np.ndarray:
    """Part of the fall of cost, in logs, by which the price falls, on the same futures [path]."""
    before, after = (
        outcome_of(_setting(question, fall), question.seed + batch) for fall in (0.0, question.fall)
    )
    return np.asarray(np.log(_price(after) / _price(before)) / np.log(1 - question.fall))


def per_tenth(share: float) -> float:
    """Fall of the price for a fall of cost by a tenth."""
    return float(1 - 0.9**share)


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    before, after = (outcome_of(_setting(question, fall), question.seed) for fall in (0.0, question.fall))
    earned = [(one.revenue_usd - one.compute_cost_usd).sum(axis=1).mean() / 1e9 for one in (before, after)]
    bought = before.served_tokens.sum(axis=(1, 2)).mean() / 1e6
    given = float((_price(before) - _price(after)).mean()) * bought / 1e9
    ample, dear = (
        CASE.point(replace(question, **change))[0] for change in ({"supply": 4.0}, {"cause": "rent"})
    )
    sentence = (
        f"The claim {spoken(word)}. With chips for what the seller wants to sell today and no more, each 10 % off the cost of a token "
        f"takes {per_tenth(found.value):.1%} off its price: over a fall of {question.fall:.0%} customers save {given:.2g} GUSD in two "
        f"years on what they bought before, and the seller earns {earned[1] - earned[0]:.2g} GUSD more. With four times the chips it is "
        f"{per_tenth(ample):.1%}; where rents fall and chips stay short, {per_tenth(dear):.1%}."
    )
    return Detail(sentence, (_keepers(question), _race(question, found.value)), (_plot(question),))


def _keepers(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for name, change in (
        ("more tokens of a chip, chips short", {"cause": "tokens", "supply": 1.0}),
        ("more tokens of a chip, chips for all", {"cause": "tokens", "supply": 4.0}),
        ("lower rents, chips short", {"cause": "rent", "supply": 1.0}),
        ("lower rents, chips for all", {"cause": "rent", "supply": 4.0}),
    ):
        asked = replace(question, **change)  # type: ignore[arg-type]
        before, after = (outcome_of(_setting(asked, fall), question.seed) for fall in (0.0, question.fall))
        share = CASE.point(asked)[0]
        profits = [(one.revenue_usd - one.compute_cost_usd).sum(axis=1).mean() for one in (before, after)]
        margins = [
            profit / one.revenue_usd.sum(axis=1).mean()
            for profit, one in zip(profits, (before, after), strict=True)
        ]
        sold = after.served_tokens.sum() / before.served_tokens.sum()
        rows.append(
            (
                name, f"{per_tenth(share):.1%}", f"{_price(before).mean():.3f}", f"{_price(after).mean():.3f}", f"{sold - 1:+.0%}",
                *[f"{margin:.0%}" for margin in margins], f"{profits[1] / profits[0] - 1:+.0%}",
            )
        )  # fmt: skip
    return Table(
        f"Who keeps a fall of cost of {question.fall:.0%}",
        (
            "cost falls by", "price per 10 % of cost", "USD/Mtok before", "after", "tokens sold", "gross margin before", "gross margin after",
            "gross profit",
        ),
        tuple(rows),
        "Two years of one seller; before and after on the same 128 futures.",
    )  # fmt: skip


def _race(question: Question, share: float) -> Table:
    """Let the five labs live with what is found, and with other shares."""
    rows: list[tuple[Value, ...]] = []
    for passed_on in sorted({0.0, 0.5, 0.8, 1.0, round(float(np.clip(share, 0, 1)), 2)}):
        race = race_on(changed(five_labs(), {}, pass_through=passed_on), question.seed, paths=512)
        revenue = race.revenue_usd[:, :, _LATER].sum(axis=1) * 4 / 1e9
        sold_out = (race.demand_usd[:, :, _LATER].sum(axis=1) * 4 / 1e9) - revenue
        hourly = race.revenue_usd[:, :, _LATER].sum(axis=1) / (
            race.compute[:, :, _LATER].sum(axis=1) * HOURS_PER_QUARTER
        )
        rows.append(
            (
                f"{passed_on:.0%}", f"{np.median(race.price[:, _LATER]):.1%}", float(np.median(revenue)),
                float(np.median(sold_out)), float(np.median(hourly)),
                *[f"{race.ruined[:, names().index(lab), -1].mean():.0%}" for lab in ("openai", "anthropic", "xai")],
            )
        )  # fmt: skip
    return Table(
        f"Five labs, {five_labs().horizon.first + _LATER}: what passing cost falls on does to their revenue",
        (
            "passed on", "price over that of 2025-Q4", "revenue of all, GUSD a year", "turned away, GUSD a year",
            "revenue per H100e-hour, USD", "P(ruin) openai", "anthropic", "xai",
        ),
        tuple(rows),
        f"Medians over 512 futures of examples/race-2026.yaml, which assumes 80 %; ruin by {five_labs().horizon.last}.",
    )  # fmt: skip


def _plot(question: Question) -> Plot:
    points = [
        (
            f"{'more tokens' if cause == 'tokens' else 'lower rents'}, elasticity {elasticity:g}",
            supply,
            per_tenth(CASE.point(replace(question, cause=cause, elasticity=elasticity, supply=supply))[0]),
        )
        for cause, elasticity in (("tokens", 1.7), ("tokens", 3.0), ("rent", 2.0))
        for supply in (0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
    ]
    return Plot(
        "Fall of the price for each 10 % off the cost of a token", "chips that can be had over those wanted today", "fall of the price",
        tuple(points), level=per_tenth(CASE.rule.holds), level_name="the claim",
    )  # fmt: skip


CASE = Inquiry(
    name="cost-pass-through",
    title="How far do falling costs reach the price of tokens, and who keeps the margin?",
    systems=(7, 20),
    asked=Asked(
        question="If the cost of a token falls by 10 %, by how much does its price fall, and who keeps the rest?",
        claim="Of every fall of cost customers get four fifths or more: the price falls by 8 % for each 10 %.",
        date="2026-05",
        where="questions on gross margin and on prices of tokens, which fell 5 to 10 times a year at equal quality (arXiv 2511.23455) while a "
        "lab's gross margin stayed at 50 to 60 %; paraphrased",
    ),
    question=Question(),
    metric=("part of a fall of cost that reaches the price", "share"),
    rule=Rule(0.8, 0.4, "holds: 80 % of the fall of cost, in logs, or more; fails: less than 40 %; depends: between"),
    sample=passed,
    inputs=(
        Input("supply", "chips that can be had over those wanted today", "ratio", "assumed: just enough, as where labs turn customers away", between=(0.7, 2.5), tried=(4.0,), searched=(0.7, 4.0), below="chips are short, and the price clears the market"),
        Input("elasticity", "percent of tokens gained per percent of price", "ratio", "assumed: gross margins of 33 to 60 % are best at 3.0 to 1.7", between=(1.7, 3.0), searched=(1.4, 4.0), below="a lower price brings few customers"),
        Input("fall", "fall of cost", "share", "assumed: half a year of price-performance and algorithms", between=(0.15, 0.5)),
        Input("volatility", "volatility of rents", "share", "catalogue prices: 2.99, 1.70, 2.35, 2.65 within 20 months", between=(0.15, 0.4)),
        Input("growth", "growth of demand meanwhile", "share", "assumed: none, so that only cost moves the price", tried=(0.25,)),
    ),
    detail=_detail,
    assumed=(
        "One seller sets its prices, on a curve of constant elasticity that holds what rivals do in return; gross margins tell how steep it is",
        "Compute is all of the cost that moves with tokens, and is rented by the hour; prices move each quarter",
        "Chips that can be had do not answer to the price of tokens within two years",
    ),
    flip=({"supply": 4.0}, "holds"),
    changes=(
        Change("why cost falls", "more tokens of a chip", "algorithms alone make tokens 3 times cheaper a year (arXiv 2511.23455)", (
            ("lower rents", {"cause": "rent"}), ("lower rents, chips for all", {"cause": "rent", "supply": 4.0}),
        )),
    ),
)  # fmt: skip
