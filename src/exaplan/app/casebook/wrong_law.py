"""What it costs to size the next run by a scaling law that is not the true one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from exaplan.app.casebook.asking import Change, spoken
from exaplan.app.casebook.estimate import Estimate, Rule
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.capability.drawn import drawn_law
from exaplan.capability.forms import ScalingLaw
from exaplan.capability.laws import ALLOCATIONS, BESIROGLU, LAWS, Allocation
from exaplan.capability.optimum import chinchilla_optimum
from exaplan.capability.progress import DOUBLING_MONTHS
from exaplan.capability.wrong_law import Planner, Regret, regret
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.economy.compute_bill import chip_hours, rent_usd
from exaplan.io.catalogue import load_chips

_FORGETFUL = "besiroglu, service forgotten"
_TRUTHS = ("besiroglu", "hoffmann", "muennighoff", "krajewski-dense", "sardana")
_DRAWS = 64
_CHIP = "H100-SXM"


@dataclass(frozen=True)
class Question(Inputs):
    """Which law plans, which is true, and how large the run is."""

    planner: str = "hoffmann"
    truth: str = "besiroglu"
    flop_e24: float = 500.0
    served_t: float = 100.0
    mfu: float = 0.375
    usd_per_h: float = 2.65


def planner_of(name: str) -> Planner:
    """Find a law, an allocation, or the default law as if nothing were ever served."""
    if name == _FORGETFUL:
        power = float(BESIROGLU.size_exponent / (BESIROGLU.size_exponent + BESIROGLU.data_exponent))
        tokens = float(chinchilla_optimum(BESIROGLU, 1e24).tokens)
        return Allocation(
            _FORGETFUL, BESIROGLU.source, BESIROGLU.fit_range, float(tokens / 1e24**power), power
        )
    return ALLOCATIONS.get(name) or LAWS[name]


@lru_cache(maxsize=64)
def _truth(name: str, seed: int) -> ScalingLaw:
    return drawn_law(LAWS[name], np.random.default_rng(seed), _DRAWS)[0]


def _regret(question: Question, truth: ScalingLaw) -> Regret:
    return regret(
        planner_of(question.planner), truth, 1e24 * question.flop_e24, served=1e12 * question.served_t
    )


def wasted(question: Question, batch: int) -> np.ndarray:
    """Share of the budget that bought nothing, over draws of the true law's coefficients [draw]."""
    found = _regret(question, _truth(question.truth, question.seed + batch)).wasted_share
    return np.broadcast_to(np.asarray(found).ravel(), (_DRAWS,)).copy()


@lru_cache(maxsize=1024)
def central(question: Question) -> float:
    """Share of the budget that bought nothing, by the true law as published."""
    return float(_regret(question, LAWS[question.truth]).wasted_share)


def _usd(question: Question) -> float:
    rate = question.mfu * (load_chips()[_CHIP].bf16_flop_per_s or 0.0)
    return float(rent_usd(chip_hours(1e24 * question.flop_e24, rate), question.usd_per_h))


def worst(question: Question, planner: str) -> float:
    """Largest share that a law of planning wastes, whichever of the dense laws is true."""
    return max(central(replace(question, planner=planner, truth=truth)) for truth in _TRUTHS)


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    seen = _regret(question, LAWS[question.truth])
    many = np.concatenate([wasted(question, batch) for batch in range(4)])
    safest = min((*_TRUTHS, *ALLOCATIONS), key=lambda name: worst(question, name))
    sentence = (
        f"The claim {spoken(word)}. A run of {1e24 * question.flop_e24:.0e} FLOP sized by {question.planner} where {question.truth} is "
        f"true has {float(seen.planned.active) / 1e9:,.0f} B parameters on {float(seen.planned.tokens) / 1e12:,.0f} T tokens instead of "
        f"{float(seen.best.active) / 1e9:,.0f} B on {float(seen.best.tokens) / 1e12:,.0f} T, and wastes {found.value:.0%} of its compute: "
        f"{found.value * _usd(question) / 1e6:,.0f} MUSD, or {float(seen.months(DOUBLING_MONTHS)):.1f} months of better recipes; a tenth "
        f"or more in {np.mean(many >= CASE.rule.holds):.0%} of draws. Planning by {safest} wastes at most "
        f"{worst(question, safest):.0%}, whichever law is true."
    )
    return Detail(sentence, (_sizes(question), _pairs(question)), (_plot(question), _served(question)))


def _sizes(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for name in (*_TRUTHS, *ALLOCATIONS, _FORGETFUL):
        seen = _regret(replace(question, planner=name), LAWS[question.truth])
        share = float(seen.wasted_share)
        rows.append(
            (
                name, float(seen.planned.active) / 1e9, float(seen.planned.tokens) / 1e12,
                float(seen.planned.tokens_per_parameter), 1e3 * float(seen.excess_loss), f"{share:.1%}", share * _usd(question) / 1e6,
                f"{float(seen.months(DOUBLING_MONTHS)):.1f}",
            )
        )  # fmt: skip
    return Table(
        f"Sizes by law where {question.truth} is true",
        ("planned by", "B parameters", "T tokens", "tokens per parameter", "loss above the best, 1e-3 nats", "wasted", "MUSD", "months of recipes"),
        tuple(rows),
        f"{1e24 * question.flop_e24:.0e} FLOP to train and to serve {question.served_t:g} T tokens; {_usd(question) / 1e6:,.0f} MUSD on H100 at "
        f"{question.usd_per_h:g} USD an hour and {question.mfu:.1%} of peak. Dense models, coefficients as published.",
    )  # fmt: skip


def _pairs(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for name in (*_TRUTHS, *ALLOCATIONS):
        shares = [central(replace(question, planner=name, truth=truth)) for truth in _TRUTHS]
        rows.append((name, *[f"{share:.1%}" for share in shares], f"{max(shares):.1%}"))
    return Table(
        "Wasted share of the budget: planned by the row, true is the column",
        ("planned by", *_TRUTHS, "worst"),
        tuple(rows),
        "No law was fitted near this size: most were fitted four orders of magnitude or more below it.",
    )


def _plot(question: Question) -> Plot:
    budgets = np.array([3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0])
    points = []
    for name in ("hoffmann", "sardana", "krajewski-dense", "llama3", "muennighoff"):
        seen = regret(planner_of(name), LAWS[question.truth], 1e24 * budgets, served=1e12 * question.served_t)
        points += [
            (name, float(at), float(share)) for at, share in zip(budgets, seen.wasted_share, strict=True)
        ]
    return Plot(
        f"Wasted share where {question.truth} is true", "budget, 1e24 FLOP", "share of the budget", tuple(points), log_x=True,
        level=CASE.rule.holds, level_name="the claim",
    )  # fmt: skip


def _served(question: Question) -> Plot:
    served = np.array([1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0])
    points = []
    for name in ("hoffmann", "llama3", _FORGETFUL):
        budget = np.full(served.shape, 1e24 * question.flop_e24)
        seen = regret(planner_of(name), LAWS[question.truth], budget, served=1e12 * served)
        points += [
            (name, float(at), float(share)) for at, share in zip(served, seen.wasted_share, strict=True)
        ]
    return Plot(
        f"Wasted share of {1e24 * question.flop_e24:.0e} FLOP against service", "tokens served over the model's life, T", "share of the budget",
        tuple(points), log_x=True, level=CASE.rule.holds, level_name="the claim",
    )  # fmt: skip


CASE = Inquiry(
    name="wrong-law",
    title="What does it cost to size the next run by the wrong scaling law?",
    systems=(8,),
    asked=Asked(
        question="If the next run is sized by a scaling law that turns out to be wrong, how much of its compute is wasted?",
        claim="Sizing the next run by the wrong law wastes a tenth of its compute or more.",
        date="2024-04",
        where="the refit of Chinchilla (arXiv 2404.10102), which found the coefficients first published (arXiv 2203.15556) inconsistent with their "
        "own data; paraphrased",
    ),
    question=Question(),
    metric=("share of the budget that buys nothing", "share"),
    rule=Rule(0.1, 0.03, "holds: 10 % of the budget or more; fails: less than 3 %; depends: between"),
    sample=wasted,
    inputs=(
        Input("flop_e24", "budget of the run", "1e24 FLOP", "assumed: Llama 3 took 38 in 2024, frontier runs grow 5 times a year", between=(100.0, 2000.0), tried=(0.576, 10000.0), searched=(0.5, 5000.0), below="the laws are close where they were fitted"),
        Input("served_t", "tokens served over the model's life", "T tokens", "assumed", between=(10.0, 1000.0), tried=(0.0,), searched=(0.0, 3000.0), below="service does not yet ask for a small model"),
    ),
    detail=_detail,
    assumed=(
        "Waste is counted in compute: with less of it, the right sizes reach the same loss by the true law",
        "Dense models on fresh tokens; the budget pays 6 FLOP a parameter and token to train and 2 to serve",
        "The true law is one of those published, its coefficients drawn from their standard errors where they have any",
    ),
    flip=({"planner": "muennighoff"}, "fails"),
    changes=(
        Change("law that plans", "hoffmann", "arXiv 2203.15556, approach 3, exponents of its TeX source", (
            ("sardana", {"planner": "sardana"}), ("krajewski-dense", {"planner": "krajewski-dense"}), ("muennighoff", {"planner": "muennighoff"}),
            ("llama3", {"planner": "llama3"}), ("deepseek", {"planner": "deepseek"}), (_FORGETFUL, {"planner": _FORGETFUL}),
        )),
        Change("law that is true", "besiroglu", "arXiv 2404.10102", (
            ("sardana", {"truth": "sardana"}), ("muennighoff", {"truth": "muennighoff"}), ("krajewski-dense", {"truth": "krajewski-dense"}),
        )),
    ),
)  # fmt: skip
