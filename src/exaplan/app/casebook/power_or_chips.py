"""Which of chips, power and money holds a growing lab back, and what a year of each is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.casebook.asking import spoken
from exaplan.app.casebook.estimate import Estimate, Rule, estimated
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.planned import Setting, lab_of, outcome_of, plan_of
from exaplan.domain.answer import Price
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.outcome import Outcome
from exaplan.plan.prices import prices_of

_YEAR = 4
_CAUSES = ("power", "chips", "money")
_SPREAD = 1.37  # half the width of growth, as a factor
_PRICED = {"power": ("power", "campus"), "chips": ("supply", "own"), "money": ("cash", "cash")}


@dataclass(frozen=True)
class Question(Inputs):
    """When power opens and how fast it grows, the allotment of chips, and money."""

    opens_quarters: float = 4.0
    build_mw: float = 250.0
    chips_kq: float = 80.0
    chips_growth: float = 1.0
    cash_gusd: float = 20.0
    growth: float = 1.2
    draws: int = 12


def _setting(question: Question, sooner: str = "") -> Setting:
    """Set up the lab; ``sooner`` names the cause that comes a year earlier."""
    horizon = lab_of(Setting("power-or-chips")).horizon
    quarter = np.arange(horizon.quarters, dtype=float)
    power = question.build_mw * np.clip(
        quarter - question.opens_quarters + 1 + _YEAR * (sooner == "power"), 0.0, 6.0
    )
    chips = (
        1e3
        * question.chips_kq
        * (1 + question.chips_growth) ** ((quarter + _YEAR * (sooner == "chips")) / _YEAR)
    )
    opens = horizon.first + (0 if sooner == "money" else _YEAR)
    low, high = (1 + question.growth) / _SPREAD - 1, (1 + question.growth) * _SPREAD - 1
    return Setting("power-or-chips").but(
        {
            "sites.campus.power": f"[{', '.join(f'{one:.6g} MW' for one in power)}]",
            "offers.own.max_order": f"[{', '.join(f'{one:.6g} chips/quarter' for one in chips)}]",
            "finance.cash": f"{question.cash_gusd:.6g} GUSD",
            "finance.rounds.next.window": f"{opens} .. {horizon.last}",
            "workloads.api.growth": f"{low * 100:.6g} % to {high * 100:.6g} %/year",
        }
    )


def _outcome(question: Question, batch: int, sooner: str = "") -> Outcome:
    return outcome_of(_setting(replace(question, draws=0, seed=0), sooner), question.seed + batch)


def _gain(question: Question, batch: int, cause: str) -> np.ndarray:
    """Value that a cause a year earlier adds, USD [path]; the lab knows it and plans anew."""
    return np.asarray(_outcome(question, batch, cause).value_usd - _outcome(question, batch).value_usd)


def ahead(question: Question, batch: int) -> np.ndarray:
    """Worth of power a year earlier beyond that of the next best of chips and money, and the bill [2, path]."""
    gains = [_gain(question, batch, cause) for cause in _CAUSES]
    rival = max(gains[1:], key=lambda gain: float(gain.mean()))
    return np.stack([gains[0] - rival, _outcome(question, batch).compute_cost_usd.sum(axis=1)])


def _prices(question: Question) -> dict[tuple[str, str], list[Price]]:
    found: dict[tuple[str, str], list[Price]] = {}
    for price in prices_of(plan_of(_setting(replace(question, draws=0, seed=0))).solved):
        found.setdefault((price.kind, price.name), []).append(price)
    return found


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    gains = {cause: max(float(_gain(question, 0, cause).mean()), 0.0) for cause in _CAUSES}
    most = max(gains, key=lambda cause: gains[cause])
    waited = float(np.max(_new_power(question)))
    sentence = (
        f"The claim {spoken(word)}. A year earlier, power is worth {gains['power'] / 1e9:.1f} GUSD "
        f"({gains['power'] / waited / 1e6:.1f} MUSD per MW of the campus), chips {gains['chips'] / 1e9:.1f} and money "
        f"{gains['money'] / 1e9:.1f}: {most} binds first. Power is ahead of the better of the other two by {found.value:+.1%} of "
        f"three years' compute bill."
    )
    return Detail(sentence, (_worths(question), _binding(question)), (_plot(question),))


def _new_power(question: Question) -> np.ndarray:
    return np.asarray(lab_of(_setting(replace(question, draws=0, seed=0))).sites[0].power_w) / 1e6


def _worths(question: Question) -> Table:
    base = _outcome(question, 0)
    rows: list[tuple[Value, ...]] = []
    for cause in _CAUSES:
        seen, gain = _outcome(question, 0, cause), estimated([_gain(question, 0, cause)])
        rows.append(
            (
                cause,
                f"{round(gain.value / 1e9, 2) + 0.0:+.2f} ({round(gain.low / 1e9, 2) + 0.0:+.2f} to {round(gain.high / 1e9, 2) + 0.0:+.2f})",
                f"{seen.revenue_usd.sum() / base.revenue_usd.sum() - 1:+.1%}",
                f"{seen.at_work[:, -1].mean() / base.at_work[:, -1].mean() - 1:+.1%}",
                f"{(seen.ruined_in >= 0).mean():.1%}",
            )
        )
    return Table(
        "A year earlier: plans made anew, on the same futures",
        ("what comes a year earlier", "value added, GUSD (95 %)", "revenue", "chips at work at the end", "P(ruin)"),
        tuple(rows),
        "Power: the same halls, four quarters sooner. Chips: next year's allotment this year. Money: the round opens today.",
    )  # fmt: skip


def _binding(question: Question) -> Table:
    prices = _prices(question)
    first = lab_of(Setting("power-or-chips")).horizon
    rows: list[tuple[Value, ...]] = []
    for quarter in range(first.quarters):
        date = str(first.first + quarter)
        priced = {
            cause: next((one.there_and_then for one in prices.get(key, []) if one.quarter == date), 0.0)
            for cause, key in _PRICED.items()
        }
        rows.append((date, priced["power"] / 1e6, priced["chips"] / 1e3, priced["money"]))
    return Table(
        "What one more is worth by quarter, in dollars of that quarter",
        ("quarter", "a MW at the campus for the quarter, MUSD", "a chip more allotted, kUSD", "a dollar more in hand"),
        tuple(rows),
        "Prices of the plan, means over its tree. Zero: it does not bind in that quarter. A dollar that is worth one is not short.",
    )  # fmt: skip


def _plot(question: Question) -> Plot:
    points = [
        (f"{cause} a year earlier", build, float(_gain(replace(question, build_mw=build), 0, cause).mean() / 1e9))
        for build in (100.0, 175.0, 250.0, 350.0, 450.0)
        for cause in _CAUSES
    ]  # fmt: skip
    return Plot(
        "What a year is worth, by the speed at which halls are built",
        "new power, MW a quarter",
        "value added, GUSD",
        tuple(points),
        level=0.0,
        level_name="nothing",
    )


CASE = Inquiry(
    name="power-or-chips",
    title="Which binds: chips, power or cash, and what is power a year earlier worth?",
    systems=(18,),
    asked=Asked(
        question="Is it power rather than chips or money that holds a growing lab back, and what would a year earlier be worth?",
        claim="Power is what binds: a year earlier it is worth more than chips or money a year earlier.",
        date="2026-06",
        where="paraphrased from press on sites (24 months for a GW, transformers 4 years) and from market analysts: a lab of 1.4 GW "
        "needs more than 5 GW within a year",
    ),
    question=Question(),
    metric=("worth of power a year earlier beyond chips or money, part of the compute bill", "share"),
    rule=Rule(0.0, 0.0, "holds: power is worth more than the better of the other two; fails: less; depends: within the error"),
    sample=ahead,
    inputs=(
        Input("chips_kq", "chips allotted in the first quarter", "thousand", "assumed", between=(50.0, 160.0), searched=(20.0, 240.0), below="chips bind before power"),
        Input("build_mw", "power that opens each quarter", "MW/quarter", "assumed: a GW site in a year once it opens", between=(120.0, 400.0)),
        Input("opens_quarters", "quarters until the first hall", "quarters", "assumed: half of the 24 months of the press are over", tried=(2.0, 6.0), searched=(1.0, 8.0), below="chips ordered today arrive no sooner than the halls"),
        Input("cash_gusd", "cash at the start", "GUSD", "assumed", between=(12.0, 35.0)),
        Input("growth", "growth of demand", "ratio", "assumed: per year, median of 60 % to 200 %", between=(0.5, 2.5)),
    ),
    detail=_detail,
    assumed=(
        "All three come a year earlier for nothing: what is found is the most that may be paid for it",
        "Chips for the campus are bought and stand still without power; clouds bring theirs, but have little left to rent",
        "Development keeps its share of all chips and its capability is not valued: value is what serving earns",
    ),
    flip=({"chips_kq": 25.0, "build_mw": 600.0}, "fails"),
)  # fmt: skip
