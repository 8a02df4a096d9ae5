"""Which share of tokens should move to own silicon, and what a lab regrets if models change their shape."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.casebook.asking import spoken
from exaplan.app.casebook.estimate import Estimate, Rule, estimated
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.planned import Setting, outcome_of, plan_of
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.plan.silicon_result import chosen

_CHIP = "orca"
_YEAR = 4
_RAMP = (15.0, 35.0, 60.0, 90.0)  # thousand chips a quarter, as in the lab
_SLOTS = {"a": 80.0, "b": 120.0}
_STATES = {"shapes stay": 0.0, "shapes change early": 0.99}


@dataclass(frozen=True)
class Question(Inputs):
    """What the lab believes of models to come, and what its chip costs, does and how many of it can be had."""

    draws: int = 32
    shift: float = 0.15
    factor: float = 0.6
    slots: float = 1.0
    cost: float = 1.0
    maturity: float = 0.75
    incumbent: float = 1.0
    growth: float = 0.47


def _setting(question: Question) -> Setting:
    low, high = (1 + question.growth) / 1.22 - 1, (1 + question.growth) * 1.22 - 1
    ramp = ", ".join(f"{each * question.slots:.6g}k chips/quarter" for each in _RAMP)
    slots = {
        f"silicon.orca.foundries.{name}.packaging_slots": f"{most * question.slots:.6g}k chips/quarter"
        for name, most in _SLOTS.items()
    }
    return Setting("own-silicon").but(
        {
            **slots,
            "silicon.orca.ramp": f"[{ramp}]",
            "silicon.orca.system_cost": f"{15 * question.cost:.6g} kUSD/chip",
            "silicon.orca.foundries.a.wafer_price": f"{19.5 * question.cost:.6g} kUSD/wafer",
            "silicon.orca.foundries.b.wafer_price": f"{20 * question.cost:.6g} kUSD/wafer",
            "software.0.maturity": f"{question.maturity * 100:.6g} %",
            "offers.incumbent.price": f"{3.96 * question.incumbent:.6g} USD/chip/h",
            "offers.bought.price": f"{48 * question.incumbent:.6g} kUSD/chip",
            "workloads.api.growth": f"{low * 100:.6g} % to {high * 100:.6g} %/year",
            "futures.model_shifts.new-shapes.probability": f"{question.shift * 100:.6g} %/year",
            "futures.model_shifts.new-shapes.factor": f"{question.factor:.6g}",
        }
    )


def share_of(setting: Setting) -> float:
    """Share of tokens that the plan serves on own chips in its last year, expected over the tree."""
    solved = plan_of(setting).solved
    inputs = solved.program.inputs
    sets, stage = inputs.sets, inputs.stage
    made = stage.rate * (solved.value(solved.program.columns.work) * stage.block_share).sum(axis=2)
    tree = np.arange(inputs.nodes) < inputs.tree_nodes
    last = tree & (inputs.quarter >= inputs.quarters - _YEAR)
    tokens = inputs.probability[last] @ made[last]
    own = np.array([sets.groups[group][0] == _CHIP for group in sets.arc_group])
    return float(tokens[own].sum() / tokens.sum())


def moved(question: Question, batch: int) -> float:  # noqa: ARG001 - nothing is sampled
    """Share of tokens that the best plan moves to own silicon."""
    return share_of(_setting(question))


def _value(believed: Setting, truth: Setting, seed: int) -> np.ndarray:
    """Value on common futures of a plan made in one belief."""
    return np.asarray(outcome_of(believed, seed, truth=truth, absorbing=False).value_usd)


def _regrets(question: Question) -> list[tuple[float, float, float, float]]:
    """Size of the program, share planned, and GUSD lost against the best size where shapes stay and where they change."""
    sizes, found = (0.0, 0.25, 0.5, 1.0, 2.0), []
    for size in sizes:
        believed = _setting(replace(question, shift=0.0, slots=question.slots * size))
        truths = [
            believed.but({"futures.model_shifts.new-shapes.probability": f"{chance * 100:g} %/year"})
            for chance in _STATES.values()
        ]
        means = [estimated([_value(believed, truth, question.seed)]).value / 1e9 for truth in truths]
        found.append((size, share_of(believed), *means))
    best = [max(row[2 + state] for row in found) for state in (0, 1)]
    return [(size, share, best[0] - stay, best[1] - change) for size, share, stay, change in found]  # fmt: skip


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    regrets = _regrets(question)
    least = min(regrets, key=lambda row: max(row[2:]))
    full = next(row for row in regrets if row[0] == 1.0)
    starts = chosen(plan_of(_setting(question)).solved)
    who = f"with foundry {starts[0].foundry}" if starts else "not at all"
    sentence = (
        f"The claim {spoken(word)}. The best plan starts the chip {who} and serves {found.value:.0%} of tokens on it in the fourth "
        f"year. A lab that goes the whole way and meets new shapes early ({question.factor:.0%} of the rate) is "
        f"{full[3]:.1f} GUSD worse off than at the best size in hindsight; one that stays away regrets "
        f"{regrets[0][2]:.1f} GUSD if shapes stay. Least regret either way is at {least[1]:.0%} of tokens."
    )
    return Detail(sentence, (_regret_table(regrets), _beliefs(question)), (_plot(question),))


def _regret_table(regrets: list[tuple[float, float, float, float]]) -> Table:
    rows: list[tuple[Value, ...]] = [
        ("none" if size == 0 else f"{size:g} times", f"{share:.0%}", stay, change, max(stay, change))
        for size, share, stay, change in regrets
    ]
    return Table(
        "Regret by size of the program, GUSD",
        ("chips to be had, of the case", "tokens on own silicon in year 4", *_STATES, "at worst"),
        tuple(rows),
        "Each plan believes that shapes stay, and lives on the same futures in a world where they do or where they change within "
        "the first years; regret is against the best size of that world.",
    )


def _beliefs(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for factor in (0.8, 0.6, 0.4):
        shares = [
            share_of(_setting(replace(question, factor=factor, shift=chance))) for chance in (0.0, 0.15, 0.4)
        ]
        rows.append((f"{factor:.0%}", *[f"{share:.0%}" for share in shares]))
    return Table(
        "Share of tokens to move, by what is believed of models",
        ("rate left on new shapes", "they never come", "15 % a year", "40 % a year"),
        tuple(rows),
    )  # fmt: skip


def _plot(question: Question) -> Plot:
    points = [
        (
            "shapes stay" if chance == 0 else f"{chance:.0%} a year that shapes change",
            slots,
            share_of(_setting(replace(question, slots=slots, shift=chance))),
        )
        for chance in (0.0, question.shift, 0.4)
        for slots in (0.5, 1.0, 2.0, 3.0, 4.0)
    ]
    return Plot(
        "Tokens on own silicon in the fourth year",
        "own chips that can be had over those of the case",
        "share of tokens",
        tuple(points),
        level=0.5,
        level_name="half",
    )


CASE = Inquiry(
    name="own-silicon-share",
    title="Which share of tokens should move to own silicon, and what if models change shape?",
    systems=(10, 11),
    asked=Asked(
        question="Which share of its tokens should a lab move to silicon of its own, and what does it regret if models change shape?",
        claim="Most tokens should move to own silicon within four years.",
        date="2026",
        where="a chief financial officer of a lab: an active portfolio, a premium chip for training, a cheap one for high volume; "
        "the board of a lab on custom silicon",
    ),
    question=Question(),
    metric=("share of tokens on own silicon in the fourth year", "share"),
    rule=Rule(0.5, 0.5, "holds: half of the tokens or more; fails: less than half"),
    sample=moved,
    inputs=(
        Input("slots", "own chips that can be had over those of the case", "ratio", "assumed: a year to 80k or 90k a quarter", between=(0.5, 2.0), searched=(0.25, 4.0), below="too few can be made"),
        Input("cost", "cost of wafers and systems over that of the case", "ratio", "lab file: wafers 18 to 20 kUSD (2024-12, 2025-09), systems from 35 GUSD/GW", between=(0.8, 1.5), tried=(0.6, 2.0)),
        Input("shift", "chance that models change shape", "share", "assumed, per year", between=(0.03, 0.5), tried=(0.8,)),
        Input("factor", "own chip's rate on new shapes over today's", "share", "assumed; on ten models of the catalogue the modelled rate over the incumbent's runs from 0.97 to 1.16 of today's", between=(0.35, 0.9)),
        Input("maturity", "own chip's rate at volume over the modelled one", "share", "assumed: a year of kernel work lifts it to all", between=(0.5, 0.95)),
        Input("incumbent", "price of the incumbent's chips over that of the case", "ratio", "catalogue: 3.96 USD/h, 48 kUSD", between=(0.7, 1.15)),
        Input("growth", "growth of demand", "ratio", "assumed: per year, median of 20 % to 80 %", between=(0.2, 1.0)),
    ),
    detail=_detail,
    assumed=(
        "One program, started today with either foundry, two years to the first chips, a year to full volume",
        "The own chip does as well as announced peaks let the performance model expect; nobody has measured it",
        "New shapes strike the own chip alone: the incumbent's next chip is made for them",
    ),
    flip=({"slots": 4.0}, "holds"),
)  # fmt: skip
