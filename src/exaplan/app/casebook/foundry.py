"""Whether the leading foundry is worth its price for a chip of one's own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.casebook.asking import spoken
from exaplan.app.casebook.estimate import Estimate, Rule
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.planned import Setting, lab_of, outcome_of, plan_of
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.die_cost import chip_cost
from exaplan.plan.silicon_result import chosen

_NONE = "0 chips/quarter"
_NAMES = {"a": "A, the leader", "b": "B, the challenger"}


@dataclass(frozen=True)
class Question(Inputs):
    """Where the two foundries differ: defects, prices, slots, and how often silicon fails or is late."""

    draws: int = 24
    defects_b: float = 0.30
    wafer_a_kusd: float = 19.5
    margin_a: float = 0.50
    margin_b: float = 0.30
    slots_a: float = 80.0
    respin_b: float = 0.40
    late_b: float = 0.20


def _setting(question: Question, foundry: str) -> Setting:
    """Set up the lab that can have its chip made by one of the two alone."""
    changes = {
        "futures.branches": "{2026-Q4: 2, 2027-Q4: 2}",
        f"silicon.orca.foundries.{'b' if foundry == 'a' else 'a'}.packaging_slots": _NONE,
    }
    if foundry == "a":
        changes |= {
            "silicon.orca.foundries.a.wafer_price": f"{question.wafer_a_kusd:.6g} kUSD/wafer",
            "silicon.orca.foundries.a.partner_margin": f"{question.margin_a * 100:.6g} %",
            "silicon.orca.foundries.a.packaging_slots": f"{question.slots_a:.6g}k chips/quarter",
        }
    else:
        changes |= {
            "silicon.orca.foundries.b.defect_density": f"{question.defects_b:.6g} /cm^2",
            "silicon.orca.foundries.b.partner_margin": f"{question.margin_b * 100:.6g} %",
            "silicon.orca.respin.probability": f"{question.respin_b * 100:.6g} %",
            "futures.slips.challenger": f"{question.late_b * 100:.6g} %",
        }
    return Setting("own-silicon").but(changes)


def gained(question: Question, batch: int) -> np.ndarray:
    """Value with A less value with B, GUSD [path], on the same futures."""
    seed = question.seed + batch
    a, b = (outcome_of(_setting(question, name), seed, absorbing=False).value_usd for name in _NAMES)
    return np.asarray((a - b) / 1e9)


def _installed(question: Question, foundry: str) -> float:
    program = lab_of(_setting(question, foundry)).silicon[0]
    maker = next(one for one in program.foundries if one.id == foundry)
    return chip_cost(maker, program.system_cost_usd_per_chip).installed / 1e3


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    none = plan_of(_setting(question, "a").but({"silicon.orca.foundries.a.packaging_slots": _NONE})).solved
    worth = {
        name: (plan_of(_setting(question, name)).solved.solution.objective - none.solution.objective) / 1e3
        for name in _NAMES
    }
    sentence = (
        f"The claim {spoken(word)}. On the same futures the lab is worth {found.value:+.2f} GUSD with A against B "
        f"({found.low:+.2f} to {found.high:+.2f}). A chip on the floor costs {_installed(question, 'a'):.1f} kUSD from A and "
        f"{_installed(question, 'b'):.1f} from B; on the tree the program is worth {worth['a']:.1f} GUSD with A and "
        f"{worth['b']:.1f} with B."
    )
    return Detail(sentence, (_costs(question), _made(question)), (_plot(question),))


def _costs(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    ways = [("a", question), *[("b", replace(question, defects_b=each)) for each in (0.15, 0.3, 0.5)]]
    for name, asked in ways:
        program = lab_of(_setting(asked, name)).silicon[0]
        foundry = next(one for one in program.foundries if one.id == name)
        cost = chip_cost(foundry, program.system_cost_usd_per_chip)
        steps = (cost.good_die, cost.packaged, cost.good_package, cost.price, cost.installed)
        rows.append(
            (
                _NAMES[name],
                f"{foundry.defect_density_per_cm2:g}",
                cost.dies_per_wafer,
                f"{cost.die_yield:.0%}",
                *[f"{step:,.0f}" for step in steps],
            )
        )
    return Table(
        "Where the cost of a chip comes from, USD",
        ("foundry", "defects per cm²", "dies per wafer", "yield", "good die", "package", "good package", "price", "on the floor"),
        tuple(rows),
        "Two dies and eight stacks of memory in a package; the price has the partner's margin, the floor server, network and hall.",
    )  # fmt: skip


def _made(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for name, label in _NAMES.items():
        setting = _setting(question, name)
        starts = chosen(plan_of(setting).solved)
        seen = outcome_of(setting, question.seed, absorbing=False)
        chips = sum(start.chips for start in starts) / 1e3
        engineering = sum(start.nre_usd for start in starts) / 1e6
        low = np.percentile(seen.value_usd, 5.0) / 1e9
        rows.append((label, engineering, f"{chips:,.0f}", seen.value_usd.mean() / 1e9, low))
    return Table(
        "What the lab does with either",
        ("foundry", "engineering, MUSD", "own chips ordered, thousand", "value, GUSD", "value in a bad future (5 %), GUSD"),
        tuple(rows),
        "Engineering and chips as planned on the tree, values on common futures.",
    )  # fmt: skip


def _plot(question: Question) -> Plot:
    points = [
        (
            f"A has {slots:g}k slots a quarter",
            defects,
            CASE.point(replace(question, defects_b=defects, slots_a=slots))[0],
        )
        for slots in (40.0, question.slots_a)
        for defects in (0.1, 0.2, 0.3, 0.4, 0.55, 0.7)
    ]
    return Plot(
        "Foundry A against foundry B",
        "defects of B per square centimeter",
        "value with A less value with B, GUSD",
        tuple(points),
        level=0.0,
        level_name="equal",
    )


CASE = Inquiry(
    name="foundry-a-or-b",
    title="Foundry A or foundry B?",
    systems=(11,),
    asked=Asked(
        question="Should a first chip of one's own go to the leading foundry or to the challenger with free slots?",
        claim="The leading foundry is worth its price.",
        date="2025-09",
        where="press on the challenger's 2 nm wafers, cut to 20 kUSD, a third below the leader's (DigiTimes via Tom's Hardware)",
    ),
    question=Question(),
    metric=("value with A less value with B", "GUSD"),
    rule=Rule(0.0, 0.0, "holds: the lab is worth more with A; fails: with B; depends: the difference is within its error"),
    sample=gained,
    inputs=(
        Input("slots_a", "packages A can assemble in a quarter", "thousand", "assumed: a new customer's share", between=(30.0, 120.0), searched=(5.0, 120.0), below="B has the slots"),
        Input("defects_b", "defects of B", "1/cm^2", "assumed: 40 % on a phone's die (press, 2025-08) is 1.0; three years of learning", between=(0.15, 0.6), tried=(1.0,)),
        Input("margin_a", "margin of A's design partner", "share", "published gross margins of custom business, 50 to 60 %, and 20 to 30 % of a design service (2024-12)", between=(0.35, 0.6)),
        Input("margin_b", "margin of B's design partner", "share", "as A's", between=(0.2, 0.5)),
        Input("wafer_a_kusd", "price of A's wafer", "kUSD", "18 kUSD (2024-12) and 5 to 10 % more from 2025", between=(18.0, 27.0)),
        Input("respin_b", "chance that silicon from B fails at first", "share", "assumed; 30 % with A (catalogue energy: two or three revisions are the typical risk)", between=(0.25, 0.6), searched=(0.05, 0.9), below="B is better"),
        Input("late_b", "chance that a delivery of B is late", "share", "assumed; 10 % with A", between=(0.08, 0.4)),
    ),
    detail=_detail,
    assumed=(
        "The chip does the same work whichever foundry makes it, and draws the same power",
        "One foundry alone, chosen today; a change of mind is a new program",
        "What A and B charge stays what it is for four years",
    ),
    flip=({"slots_a": 10.0}, "fails"),
)  # fmt: skip
