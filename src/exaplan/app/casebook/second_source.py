"""Whether a second source pays for itself in the negotiation with the incumbent, with not one of its chips in use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from exaplan.app.casebook.asking import Change, spoken
from exaplan.app.casebook.estimate import Estimate, Rule
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry, crossing
from exaplan.app.casebook.planned import Setting, plan_of
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.errors import NoAnswerError
from exaplan.domain.options import Bargain, LeverageAnswer
from exaplan.plan.layout import USD
from exaplan.plan.leverage import bargained, leverage_of, smooth
from exaplan.plan.solve import solve_program

_BILL_GUSD = 10.4  # 300k chips x 3.96 USD/h x 8766 h
_STAGES = {"design": 130.0, "verification": 170.0, "bring-up": 101.0, "software": 150.0}
_NO_CHIPS = "0 chips/quarter"
_RAMP = (15.0, 35.0, 60.0, 90.0)  # thousand chips a quarter, as in the lab
_POWERS = (0.02, 0.98)
_SOURCES = {"own": "a chip of one's own", "supplier": "a second supplier"}


@dataclass(frozen=True)
class Question(Inputs):
    """How large the lab is, what the second source costs, and who has how much to lose."""

    draws: int = 16
    source: str = "own"
    bill_gusd: float = _BILL_GUSD
    engineering_musd: float = 551.0
    port_musd: float = 100.0
    today: float = 1.0
    second_usd: float = 1.90
    margin: float = 0.4
    others_usd: float = 5.20
    lead: int = 8
    maturity: float = 0.75
    growth: float = 0.47
    slots: float = 1.0


@dataclass(frozen=True)
class _Played:
    """Both sides' values at every price, and what the second source costs if none of its chips is made, USD."""

    answer: LeverageAnswer
    engineering_usd: float


def _setting(question: Question) -> Setting:
    scale = question.bill_gusd / _BILL_GUSD
    low, high = (1 + question.growth) / 1.22 - 1, (1 + question.growth) * 1.22 - 1
    chips = dict.fromkeys(("others", "incumbent"), f"{120 * scale:.6g}k chips/quarter")
    changes = {
        **{f"offers.{name}.max_order": amount for name, amount in chips.items()},
        "offers.bought.max_order": f"{90 * scale:.6g}k chips/quarter",
        "offers.hourly.max_chips": f"{60 * scale:.6g}k chips",
        "sites.campus.power": f"{6000 * scale:.6g} MW",
        "offers.others.price": f"{question.others_usd:.6g} USD/chip/h",
        "contracts.running.tranches": f"[{{date: 2025-Q4, chips: {150 * scale:.6g}k chips}}, "
        f"{{date: 2026-Q2, chips: {150 * scale:.6g}k chips}}]",
        "workloads.api.demand": f"{2.4e15 * scale:.6g} tokens/month",
        "workloads.api.growth": f"{low * 100:.6g} % to {high * 100:.6g} %/year",
        "finance.cash": f"{25 * scale:.6g} GUSD",
        "finance.fixed_costs.staff.amount": f"{0.8 * scale:.6g} GUSD/quarter",
        "futures.branches": "{2026-Q4: 2, 2027-Q4: 2}",
        "silicon.orca.foundries.b.packaging_slots": _NO_CHIPS,
        "silicon.orca.ramp": f"[{', '.join(f'{each * question.slots:.6g}k chips/quarter' for each in _RAMP)}]",
        "silicon.orca.foundries.a.packaging_slots": f"{80 * question.slots:.6g}k chips/quarter",
        "silicon.orca.lead": f"{question.lead} quarters",
        "software.0.maturity": f"{question.maturity * 100:.6g} %",
    }
    total = question.engineering_musd if question.source == "own" else question.port_musd
    for stage, amount in _STAGES.items():
        changes[f"silicon.orca.nre.{stage}.amount"] = f"{amount * total / sum(_STAGES.values()):.6g} MUSD"
    if question.source == "supplier":
        changes["silicon.orca.respin.cost"] = "0 MUSD"
        changes["silicon.orca.foundries.a.nre.masks.amount"] = "0 MUSD"
        changes["offers.second.price"] = f"{question.second_usd:.6g} USD/chip/h"
        changes["offers.second.max_order"] = f"{240 * scale:.6g}k chips/quarter"
        return _without_chips(Setting("own-silicon").but(changes))
    return Setting("own-silicon").but(changes)


def _without_chips(setting: Setting) -> Setting:
    return setting.but({"silicon.orca.ramp": _NO_CHIPS})


def _played(question: Question) -> _Played:
    return _at_every_price(_setting(question), question.margin)


@lru_cache(maxsize=256)
def _at_every_price(setting: Setting, margin: float) -> _Played:
    """Play the second source out: leverage of a program that is started today, whether or not list prices call for it."""
    setting = setting.but({"leverage.margin": f"{margin * 100:.6g} %"})
    solved = plan_of(setting).solved
    program = replace(solved.program, model=solved.model)
    start = program.model.columns["silicon_start"]
    held = np.zeros(start.shape)
    held[0, 0] = 1.0
    begun = solve_program(replace(program, model=program.model.with_changes(lower={"silicon_start": held})))
    answer = leverage_of(program, begun.solution.x, start=begun.solution.basis)
    if answer is None:
        raise NoAnswerError("the case's lab names no incumbent")
    idle = plan_of(_without_chips(setting).but({"offers.second.max_order": _NO_CHIPS})).solved
    model = idle.model.with_changes(lower={"silicon_start": held})
    spent = solve_program(replace(idle.program, model=model), start=idle.solution.basis)
    return _Played(answer, (idle.solution.objective - spent.solution.objective) * USD)


def _bargain(question: Question, played: _Played) -> Bargain | None:
    """Settle with and without the second source, with the power at which the lab without it pays what it pays today."""
    power = crossing(lambda at: (_settled(question, played, at).without or 0.0) - question.today, *_POWERS)
    return None if power is None else _settled(question, played, power)


def _settled(question: Question, played: _Played, power: float) -> Bargain:
    answer = played.answer
    return bargained(answer.points, answer.walk_without_usd, answer.walk_with_usd, question.margin, power)


def _saved(question: Question, played: _Played) -> float:
    """Value of the plan that uses nothing of the second source, at the price it brings about, less that at the price without."""
    bargain = _bargain(question, played)
    if bargain is None or bargain.without is None or bargain.with_ is None:
        return 0.0
    points = played.answer.points
    factors = np.array([point.factor for point in points])
    values = np.array([point.without_usd for point in points])
    with_, without = smooth(np.array([bargain.with_, bargain.without]), factors, values)
    return float(with_ - without)


def returned(question: Question, batch: int) -> float:  # noqa: ARG001 - nothing is sampled
    """Divide what lower prices save by what the second source costs, both as values of plans on the tree."""
    played = _played(question)
    return _saved(question, played) / played.engineering_usd


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    played = _played(question)
    bargain, answer = _bargain(question, played), played.answer
    whole = next(point for point in answer.points if point.factor == 1.0)
    used = whole.with_usd - whole.without_usd
    parity = "no discount" if answer.break_even is None else f"a discount of {answer.break_even:.0%}"
    sentence = (
        f"The claim {spoken(word)}. A lab that pays {question.bill_gusd:g} GUSD a year for compute settles {_discount(bargain)} lower "
        f"with {_SOURCES[question.source]} in hand. With not one chip of it in use that is worth {_saved(question, played) / 1e9:.2f} GUSD "
        f"and costs {played.engineering_usd / 1e9:.2f}: {found.value:.1f} times. Used as well, at unchanged prices, it adds "
        f"{used / 1e9:.1f} GUSD, and {parity} would make up for not having it."
    )
    return Detail(sentence, (_sources(question), _scales(question)), (_plot(question),))


def _discount(bargain: Bargain | None) -> str:
    return "—" if bargain is None or bargain.discount is None else f"{bargain.discount:.1%}"


def _sources(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for source, name in _SOURCES.items():
        for margin in (0.25, 0.4, 0.6):
            asked = replace(question, source=source, margin=margin)
            played = _played(asked)
            bargain = _bargain(asked, played)
            power = "—" if bargain is None else f"{bargain.power:.0%}"
            saved, cost = _saved(asked, played) / 1e9, played.engineering_usd / 1e9
            rows.append((name, f"{margin:.0%}", power, _discount(bargain), saved, cost))
    return Table(
        "What the second source does to the price",
        ("second source", "incumbent's margin", "lab's bargaining power", "discount", "worth, GUSD", "it costs, GUSD"),
        tuple(rows),
        "Nash bargaining over values of plans; the lab's power is the one at which it pays today's price without a second source. "
        "Worth: without one chip of the second source in use. A second supplier costs the port alone. "
        "Where the discount jumps, the incumbent does best to undercut the program and win the whole volume back.",
    )  # fmt: skip


def _scales(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for bill in (1.0, 3.0, _BILL_GUSD, 20.0):
        found = [CASE.point(replace(question, bill_gusd=bill, source=source))[0] for source in _SOURCES]
        rows.append((f"{bill:g}", *[f"{each:.1f}" for each in found]))
    return Table(
        "Saved over cost, by what the lab pays for compute",
        ("bill today, GUSD a year", *_SOURCES.values()),
        tuple(rows),
        "The engineering of a chip and the slots to make it are the same for every lab; what is bought of the incumbent is not. The "
        "larger the lab, the smaller the part of its need that the program could meet; what it still has to buy is what it needs most.",
    )


def _plot(question: Question) -> Plot:
    points = [
        (
            f"{slots:g} times the chips of the case",
            bill,
            CASE.point(replace(question, bill_gusd=bill, slots=slots))[0],
        )
        for slots in (1.0, 2.0)
        for bill in (0.3, 1.0, 3.0, _BILL_GUSD, 20.0)
    ]
    return Plot(
        f"{_SOURCES[question.source].capitalize()} as leverage alone",
        "what the lab pays for compute today, GUSD a year",
        "saved by lower prices over engineering",
        tuple(points),
        level=1.0,
        level_name="engineering paid back",
    )


CASE = Inquiry(
    name="second-source-leverage",
    title="Does a second source pay as leverage alone?",
    systems=(11,),
    asked=Asked(
        question="What is a chip program worth as bargaining leverage alone, if not one of its chips is ever put to work?",
        claim="A second source pays for its engineering by the lower price of the incumbent alone.",
        date="2026",
        where="the board of a lab, half-yearly; press: 500 MUSD a version, twice that with software (Reuters)",
    ),
    question=Question(),
    metric=("saved by lower prices over the cost of the second source", "ratio"),
    rule=Rule(1.0, 1.0, "holds: lower prices save at least what the second source costs; fails: they save less"),
    sample=returned,
    inputs=(
        Input("bill_gusd", "what the lab pays for compute today", "GUSD/year", "assumed: 300k chips at 3.96 USD/h", between=(3.0, 20.0), searched=(0.2, 10.4), below="the bill is too small"),
        Input("engineering_musd", "engineering of the program", "MUSD", "catalogue energy: 3 nm, 500 to 1000 with 581 in the middle, masks apart", between=(450.0, 1200.0)),
        Input("today", "price paid today over list price", "ratio", "assumed: list; it tells how well the lab bargains", between=(0.85, 1.05)),
        Input("margin", "the incumbent's margin at list price", "share", "assumed: chip 45 % of the price at 75 %, the cloud's 10 %", between=(0.25, 0.6)),
        Input("others_usd", "price of the lab's other way out", "USD/chip/h", "assumed: a third above the incumbent's 3.96", between=(4.4, 6.5)),
        Input("slots", "chips that can be had of the program over those of the case", "ratio", "assumed: a year to 80k a quarter", tried=(0.5, 2.0)),
        Input("growth", "growth of demand", "ratio", "assumed: per year, median of 20 % to 80 %", between=(0.2, 1.0)),
    ),
    changes=(
        Change("from signature to the first chip", "24 months", "catalogue energy: the press says 18 to 24; 36 have been seen", (("18 months", {"lead": 6}), ("36 months", {"lead": 12}))),
        Change("second source", _SOURCES["own"], "the question", ((_SOURCES["supplier"], {"source": "supplier"}),)),
    ),
    detail=_detail,
    assumed=(
        "Prices are those of Nash bargaining over values of plans; what the incumbent does not sell here it sells nowhere",
        "The second source is started and its engineering paid to the end, though the threat alone would cost less",
        "The lab bargains as well as the price it pays today tells, and no better with a second source",
    ),
    flip=({"bill_gusd": 0.3}, "fails"),
)  # fmt: skip
