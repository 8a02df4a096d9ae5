"""One supplier or two, when suppliers may fail and run short."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from exaplan.app.casebook.asking import spoken
from exaplan.app.casebook.estimate import Estimate, Rule, estimated
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.planned import Setting, futures_of, lab_of, plan_of
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.outcome import Outcome
from exaplan.simulate.baselines import BaseStock, growth_of_world
from exaplan.simulate.replay import replay
from exaplan.simulate.signing import Known

_PRICE_USD = 3.30
_RUNNING_KCHIPS = 200.0
_NAMES = ("alpha", "beta")


@dataclass(frozen=True)
class Question(Inputs):
    """How often suppliers fail and run short, and what a second one costs."""

    discount: float = 0.04
    default: float = 0.04
    together: float = 0.2
    deposit: float = 0.15
    shortage: float = 0.5
    spare: float = 0.5
    order_kchips: float = 120.0
    second_musd: float = 20.0
    growth: float = 0.87
    fractile: float = 0.6
    draws: int = 30


_SPREAD = 1.34  # half the width of growth, as a factor


def _setting(question: Question, suppliers: int) -> Setting:
    """Let one supplier have all at a discount for volume, or two a half each; ``spare`` is what either can give beyond."""
    both = suppliers > 1
    price = f"{_PRICE_USD * (1.0 if both else 1 - question.discount):.6g} USD/chip/h"
    low, high = (1 + question.growth) / _SPREAD - 1, (1 + question.growth) * _SPREAD - 1
    shares = ((1 + question.spare) / 2, (1 + question.spare) / 2) if both else (1.0, 0.0)
    running = (0.5, 0.5) if both else (1.0, 0.0)
    changes = {
        "workloads.api.growth": f"{low * 100:.6g} % to {high * 100:.6g} %/year",
        "finance.fixed_costs.second": f"{question.second_musd if both else 0.0:.6g} MUSD/quarter",
        "futures.correlations": f"[{{between: [default.alpha, default.beta], rho: {question.together:.6g}}}]",
    }
    for name, share, live in zip(_NAMES, shares, running, strict=True):
        chips = max(1e3 * _RUNNING_KCHIPS * live, 1.0)
        changes |= {
            f"offers.{name}.price": price,
            f"offers.{name}.max_order": f"{1e3 * question.order_kchips * share:.6g} chips/quarter",
            f"offers.{name}.deposit": f"{question.deposit * 100:.6g} %",
            f"contracts.running-{name}.tranches": f"[{{date: 2026-Q2, chips: {chips:.0f} chips}}]",
            f"contracts.running-{name}.price": price,
            f"futures.supply.{name}.level": f"{question.shortage * 100:.6g} % to 120 %",
            f"futures.defaults.{name}.probability": f"{question.default * 100:.6g} %/year",
        }
    return Setting("supplier-default").but(changes)


@dataclass(frozen=True)
class Spread:
    """Order up to what demand will be, and spread it over all who deliver, in proportion to what each lets one sign."""

    stock: BaseStock

    def __call__(self, known: Known) -> np.ndarray:
        """Split what the base stock asks for [path, orderable]; who has failed lets one sign nothing."""
        wanted = self.stock(known).sum(axis=1, keepdims=True)
        most = np.asarray(known.most, dtype=float)
        return np.asarray(np.minimum(wanted * most / np.maximum(most.sum(axis=1, keepdims=True), 1e-9), most))


@lru_cache(maxsize=128)
def _run(question: Question, suppliers: int, batch: int) -> Outcome:
    setting = _setting(question, suppliers)
    rule = BaseStock(question.fractile, 1.0, growth_of_world(futures_of(setting, question.seed - 1)))
    seed = question.seed + batch
    return replay(plan_of(setting).solved, futures_of(setting, seed), seed=seed, orders=Spread(rule))


def _outcome(question: Question, suppliers: int, batch: int) -> Outcome:
    return _run(replace(question, draws=0), suppliers, batch)


def gained(question: Question, batch: int) -> np.ndarray:
    """Value that two suppliers add to one, and the bill of the latter [2, path], on the same futures."""
    one, two = (_outcome(question, suppliers, batch) for suppliers in (1, 2))
    return np.stack([two.value_usd - one.value_usd, one.compute_cost_usd.sum(axis=1)])


def _failed(question: Question, suppliers: int) -> np.ndarray:
    """Whether the first supplier fails within the horizon [path] bool."""
    setting = _setting(question, suppliers)
    gone = futures_of(setting, question.seed).gone[..., lab_of(setting).suppliers.index("alpha")]
    return np.asarray((gone > 0).any(axis=1))


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    one, two = (_outcome(question, suppliers, 0) for suppliers in (1, 2))
    lost = [1 - float(each.served_tokens.sum() / each.demand_tokens.sum()) for each in (one, two)]
    sentence = (
        f"The claim {spoken(word)}. With {question.default:.0%} a year that a supplier fails, two are worth {found.value:+.1%} of the bill "
        f"of one that gives {question.discount:.0%} for volume; demand lost falls from {lost[0]:.0%} to {lost[1]:.0%}. A supplier "
        f"fails within the horizon in {_failed(question, 1).mean():.0%} of futures."
    )
    return Detail(sentence, (_table(question), _grid(question)), (_plot(question),))


def _table(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for suppliers, name in ((1, "one supplier"), (2, "two suppliers")):
        seen, failed = _outcome(question, suppliers, 0), _failed(question, suppliers)
        value = estimated([seen.value_usd])
        lost = 1 - seen.served_tokens.sum(axis=(1, 2)) / seen.demand_tokens.sum(axis=(1, 2))
        rows.append(
            (
                name,
                f"{value.value / 1e9:.1f} ({value.low / 1e9:.1f} to {value.high / 1e9:.1f})",
                f"{np.percentile(seen.value_usd, 5.0) / 1e9:.1f}",
                f"{lost[~failed].mean():.1%}",
                f"{lost[failed].mean():.1%}" if failed.any() else "—",
                f"{(seen.ruined_in >= 0).mean():.1%}",
            )
        )
    return Table(
        "One against two on the same futures",
        ("", "value, GUSD (95 %)", "value in a bad future (5 %), GUSD", "demand lost if the first supplier lives", "if it fails", "P(ruin)"),
        tuple(rows),
        "Both order up to the same quantile of demand at delivery, from whoever still delivers.",
    )  # fmt: skip


def _grid(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for spare in (0.0, 0.5, 1.0):
        gains = [
            CASE.point(replace(question, spare=spare, default=chance))[0] for chance in (0.01, 0.04, 0.1, 0.2)
        ]
        rows.append((f"{spare:.0%}", *[f"{gain:+.1%}" for gain in gains]))
    return Table(
        "What two suppliers add, part of the bill of one",
        ("what each can give beyond its half", "1 % a year fail", "4 %", "10 %", "20 %"),
        tuple(rows),
    )  # fmt: skip


def _plot(question: Question) -> Plot:
    points = [
        (f"{discount:.0%} for volume", chance, CASE.point(replace(question, default=chance, discount=discount))[0])
        for discount in (0.0, question.discount, 0.06)
        for chance in (0.002, 0.04, 0.08, 0.14, 0.2, 0.3)
    ]  # fmt: skip
    return Plot(
        "Two suppliers against one",
        "chance that a supplier fails within a year",
        "value added, part of the bill of one",
        tuple(points),
        level=0.0,
        level_name="equal",
    )


CASE = Inquiry(
    name="supplier-default",
    title="One supplier or two, when suppliers may fail?",
    systems=(10,),
    asked=Asked(
        question="Should a lab that grows on one supplier's chips buy from two, dearer, in case one of them fails?",
        claim="When suppliers may fail, two are worth more than one that is cheaper.",
        date="2026",
        where="paraphrased from a lab's chief financial officer on an active portfolio of suppliers, and from the debate on suppliers "
        "that borrow to build",
    ),
    question=Question(),
    metric=("value that a second supplier adds, part of the bill of one", "share"),
    rule=Rule(0.0, 0.0, "holds: two are worth more; fails: less; depends: within the error"),
    sample=gained,
    inputs=(
        Input("default", "chance that a supplier fails within a year", "share", "assumed: as a borrower of poor standing", between=(0.01, 0.12), tried=(0.2,), searched=(0.0005, 0.4), below="one is cheaper"),
        Input("discount", "discount of one supplier for volume", "share", "assumed", between=(0.005, 0.06), searched=(0.0, 0.1), below="two are worth more"),
        Input("spare", "what each of two can give beyond its half", "share", "assumed", tried=(0.0, 1.0)),
        Input("order_kchips", "most that is to be had in a quarter, all together", "thousand chips", "assumed", between=(70.0, 160.0)),
        Input("shortage", "part of an order to be had in a bad year (5 %)", "share", "assumed", between=(0.3, 0.8)),
        Input("together", "correlation of the two failures", "ratio", "assumed", tried=(0.0, 0.8)),
        Input("deposit", "part of a contract paid at signature, lost in a failure", "share", "assumed", between=(0.05, 0.3)),
        Input("growth", "growth of demand", "ratio", "assumed: per year, median of 40 % to 150 %", between=(0.4, 1.5)),
        Input("second_musd", "keeping a second supplier", "MUSD/quarter", "assumed", between=(5.0, 50.0)),
    ),
    detail=_detail,
    assumed=(
        "A failed supplier delivers and signs nothing more and keeps deposits; what runs already runs on under its creditors",
        "The lab orders up to the 60 % quantile of demand at delivery and turns at once to whoever still delivers",
        "Both suppliers deliver the same chip: nothing is ported",
    ),
    flip=({"default": 0.35, "discount": 0.0}, "holds"),
)  # fmt: skip
