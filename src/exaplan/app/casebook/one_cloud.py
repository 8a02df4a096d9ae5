"""One exclusive cloud against several against a chip and a campus of one's own, on the same futures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.casebook.asking import spoken
from exaplan.app.casebook.estimate import Estimate, Rule, estimated
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.planned import Setting, lab_of, outcome_of
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.outcome import Outcome

_NONE = "0 chips/quarter"
_ALPHA_USD, _BETA_USD, _OWN_KUSD = 3.30, 1.36, 17.0
_PROGRAM_QUARTERS = 4
_WAYS = ("exclusive", "several", "own", "all")
_NAMES = {
    "exclusive": "one cloud, exclusively",
    "several": "two clouds",
    "own": "one cloud, own chip and campus",
    "all": "two clouds, own chip and campus",
}


@dataclass(frozen=True)
class Question(Inputs):
    """What exclusivity gives, and what a second source is up against."""

    discount: float = 0.1
    beta_edge: float = 1.0
    shortage: float = 0.5
    default: float = 0.02
    growth: float = 1.2
    porting_musd: float = 30.0
    program_gusd: float = 1.0
    own_price: float = 1.0


def _setting(question: Question, way: str) -> Setting:
    several, own = way in ("several", "all"), way in ("own", "all")
    price = _ALPHA_USD * (1 - question.discount if way == "exclusive" else 1.0)
    quarters = lab_of(Setting("clouds")).horizon.quarters
    program = question.program_gusd / _PROGRAM_QUARTERS if own else 0.0
    program_by_quarter = [program if quarter < _PROGRAM_QUARTERS else 0.0 for quarter in range(quarters)]
    low, high = (1 + question.growth) / 1.37 - 1, (1 + question.growth) * 1.37 - 1
    supply = f"{question.shortage * 100:.6g} % to 120 %"
    changes = {
        "offers.alpha.price": f"{price:.6g} USD/chip/h",
        "offers.beta.price": f"{_BETA_USD * question.beta_edge:.6g} USD/chip/h",
        "offers.own.price": f"{_OWN_KUSD * question.own_price:.6g} kUSD/chip",
        "workloads.api.growth": f"{low * 100:.6g} % to {high * 100:.6g} %/year",
        "finance.fixed_costs.porting": f"{question.porting_musd if several or own else 0.0:.6g} MUSD/quarter",
        "finance.fixed_costs.program.amount": f"[{', '.join(f'{amount:.6g} GUSD/quarter' for amount in program_by_quarter)}]",
    }
    for name in ("alpha", "beta", "foundry"):
        changes[f"futures.supply.{name}.level"] = supply
        changes[f"futures.defaults.{name}.probability"] = f"{question.default * 100:.6g} %/year"
    if not several:
        changes["offers.beta.max_order"] = _NONE
    if not own:
        changes["offers.own.max_order"] = _NONE
    return Setting("clouds").but(changes)


def _outcome(question: Question, way: str, batch: int) -> Outcome:
    return outcome_of(_setting(question, way), question.seed + batch)


def gained(question: Question, batch: int) -> np.ndarray:
    """Value that two clouds add to one exclusive cloud, and the bill of the latter [2, path], on the same futures."""
    one, two = (_outcome(question, way, batch) for way in ("exclusive", "several"))
    return np.stack([two.value_usd - one.value_usd, one.compute_cost_usd.sum(axis=1)])


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    best = max(_WAYS, key=lambda way: _outcome(question, way, 0).value_usd.mean())
    sentence = (
        f"The claim {spoken(word)}. Against one exclusive cloud {question.discount:.0%} cheaper, two clouds are worth "
        f"{found.value:+.1%} of its bill on the same futures; worth most of the four ways is: {_NAMES[best]}."
    )
    return Detail(sentence, (_table(question),), (_plot(question),))


def _table(question: Question) -> Table:
    base = _outcome(question, "exclusive", 0)
    rows: list[tuple[Value, ...]] = []
    for way in _WAYS:
        seen = _outcome(question, way, 0)
        gain = estimated([seen.value_usd - base.value_usd])
        bad = np.percentile(seen.value_usd, 5.0)
        rows.append(
            (
                _NAMES[way],
                seen.value_usd.mean() / 1e9,
                "—"
                if way == "exclusive"
                else f"{gain.value / 1e9:+.2f} ({gain.low / 1e9:+.2f} to {gain.high / 1e9:+.2f})",
                bad / 1e9,
                f"{seen.served_tokens.sum() / seen.demand_tokens.sum():.1%}",
                f"{(seen.ruined_in >= 0).mean():.1%}",
            )
        )
    return Table(
        "Four ways on the same futures",
        ("way", "value, GUSD", "more than exclusive, GUSD (95 %)", "value in a bad future (5 %), GUSD", "demand served", "P(ruin)"),
        tuple(rows),
        "Each way is planned for itself; shortage, failures and delays of suppliers are the same for all.",
    )  # fmt: skip


def _plot(question: Question) -> Plot:
    def over(way: str, discount: float) -> float:
        asked = replace(question, discount=discount)
        base = _outcome(asked, "exclusive", 0)
        return float(
            (_outcome(asked, way, 0).value_usd - base.value_usd).mean()
            / base.compute_cost_usd.sum(axis=1).mean()
        )

    points = [
        (_NAMES[way], discount, over(way, discount))
        for way in _WAYS[1:]
        for discount in (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
    ]
    return Plot(
        "What else is worth against one exclusive cloud",
        "discount of the exclusive cloud",
        "value added, part of the exclusive cloud's bill",
        tuple(points),
        level=0.0,
        level_name="equal",
    )  # fmt: skip


CASE = Inquiry(
    name="one-cloud-or-several",
    title="One exclusive cloud, several clouds, or a chip and a campus of one's own?",
    systems=(4, 10),
    asked=Asked(
        question="Is a lab better off tied to one cloud at a discount, buying from several, or with silicon and sites of its own?",
        claim="Buying from two clouds with different chips is worth more than one exclusive cloud at a discount.",
        date="2026",
        where="chief financial officers of two labs: three platforms, fungible between them; an active portfolio, a premium chip for "
        "training and a cheap one for volume",
    ),
    question=Question(),
    metric=("value that two clouds add, part of the exclusive cloud's bill", "share"),
    rule=Rule(0.0, 0.0, "holds: two clouds are worth more; fails: less; depends: the difference is within its error"),
    sample=gained,
    inputs=(
        Input("discount", "discount of the exclusive cloud", "share", "assumed", between=(0.03, 0.25), searched=(0.0, 0.5), below="two clouds are worth more"),
        Input("beta_edge", "price of the second cloud over that of the case", "ratio", "assumed: 5 % less per token than the first at the modelled rates", between=(0.8, 1.3), searched=(0.5, 2.0), below="the second cloud is cheap enough"),
        Input("shortage", "part of an order to be had in a bad year (5 %)", "share", "assumed", between=(0.3, 0.8)),
        Input("growth", "growth of demand", "ratio", "assumed: per year, median of 60 % to 200 %", between=(0.5, 2.5)),
        Input("default", "chance that a supplier fails", "share", "assumed, per year", between=(0.005, 0.06)),
        Input("porting_musd", "keeping a second kind of chip alive", "MUSD/quarter", "assumed: some hundred engineers", between=(10.0, 100.0)),
    ),
    detail=_detail,
    assumed=(
        "Suppliers run short, fail and are late independently of each other",
        "The second cloud's chip serves at the rate modelled for it from the first day: porting costs engineers, not time",
        "The exclusive cloud gives a discount and nothing else: no equity, no priority when it runs short",
    ),
    flip=({"discount": 0.45}, "fails"),
)  # fmt: skip
