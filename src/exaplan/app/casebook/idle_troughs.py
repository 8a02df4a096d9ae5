"""Whether research that gives way by day and runs in the troughs of serving pays for itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

from exaplan.app.casebook.asking import spoken
from exaplan.app.casebook.estimate import Estimate, Rule, estimated
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.planned import Setting, outcome_of, plan_of
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.outcome import Outcome


@dataclass(frozen=True)
class Question(Inputs):
    """Shape of the day, what it costs to give way, and what research is worth."""

    draws: int = 32
    day: float = 0.65
    restart: float = 0.10
    built_musd: float = 20.0
    firm: float = 0.4
    sensitivity: float = 0.4
    price: float = 1.0
    growth: float = 0.47


def _setting(question: Question, *, gives_way: bool) -> Setting:
    low, high = (1 + question.growth) / 1.22 - 1, (1 + question.growth) * 1.22 - 1
    return Setting("idle-troughs").but(
        {
            "load.parts.day.demand": f"{question.day * 100:.6g} %",
            "load.parts.night.demand": f"{(1 - question.day) * 100:.6g} %",
            "workloads.experiments.preemptible": "true" if gives_way else "false",
            "workloads.experiments.restart_loss": f"{question.restart * 100 if gives_way else 0:.6g} %",
            "workloads.experiments.share": f"0 % .. {(1 - question.firm) * 100:.6g} %",
            "workloads.runs.share": f"{question.firm * 100:.6g} % .. 100 %",
            "workloads.api.sensitivity": f"{question.sensitivity:.6g}",
            "workloads.api.price": f"{{input: {0.47 * question.price:.6g} USD/Mtok, output: {1.20 * question.price:.6g} USD/Mtok}}",
            "workloads.api.growth": f"{low * 100:.6g} % to {high * 100:.6g} %/year",
            "finance.fixed_costs.preemption.amount": f"{question.built_musd if gives_way else 0:.6g} MUSD/quarter",
        }
    )


def _ways(question: Question, batch: int) -> tuple[Outcome, Outcome]:
    """Live with research that keeps its chips, and with experiments that give way, on the same futures."""
    seed = question.seed + batch
    steady, gives_way = (
        outcome_of(_setting(question, gives_way=way), seed, absorbing=False) for way in (False, True)
    )
    return steady, gives_way


def gained(question: Question, batch: int) -> float:  # noqa: ARG001 - nothing is sampled
    """Value that giving way adds to the plan on the tree, part of the value without it."""
    steady, gives_way = (
        plan_of(_setting(question, gives_way=way)).solved.solution.objective for way in (False, True)
    )
    return float((gives_way - steady) / steady)


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    steady, gives_way = _ways(question, 0)
    more = gives_way.flop.sum() / steady.flop.sum() - 1
    seen = estimated([(gives_way.value_usd - steady.value_usd) / 1e9])
    sentence = (
        f"The claim {spoken(word)}. Where {question.day:.0%} of tokens are served in the busier half of the hours, experiments that give "
        f"way by day add {found.value:.1%} to the lab's value, after {question.restart:.0%} of what comes and goes is lost to restarts "
        f"and {question.built_musd:g} MUSD a quarter are spent on it; on unseen futures {seen.value:+.1f} GUSD ({seen.low:+.1f} to "
        f"{seen.high:+.1f}), with {more:+.0%} of development compute."
    )
    return Detail(sentence, (_lives(steady, gives_way), _days(question)), (_plot(question),))


def _lives(steady: Outcome, gives_way: Outcome) -> Table:
    rows: list[tuple[Value, ...]] = []
    for name, seen in (("research keeps its chips", steady), ("experiments give way", gives_way)):
        money = [each.sum(axis=1).mean() / 1e9 for each in (seen.revenue_usd, seen.compute_cost_usd)]
        served = f"{seen.served_tokens.sum() / seen.demand_tokens.sum():.0%}"
        rows.append(
            (name, seen.value_usd.mean() / 1e9, *money, served, f"{seen.flop.sum(axis=1).mean():.2e}")
        )
    return Table(
        "Two lives of the same lab",
        ("", "value, GUSD", "revenue, GUSD", "compute, GUSD", "demand served", "development, FLOP"),
        tuple(rows),
        "Sums over two years, means over the same unseen futures, where either plan is carried out by the quarter.",
    )


def _days(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for restart in (0.0, 0.1, 0.25, 0.5):
        gains = [
            CASE.point(replace(question, restart=restart, day=day))[0]
            for day in (0.52, 0.58, question.day, 0.75)
        ]
        rows.append((f"{restart:.0%}", *[f"{gain:+.2%}" for gain in gains]))
    return Table(
        "What giving way adds, part of the lab's value",
        ("lost to restarts", "52% of tokens by day", "58%", f"{question.day:.0%}", "75%"),
        tuple(rows),
        "By day: in the busier half of the hours.",
    )


def _plot(question: Question) -> Plot:
    points = [
        (
            f"{restart:.0%} lost to restarts",
            day / (1 - day),
            CASE.point(replace(question, restart=restart, day=day))[0],
        )
        for restart in (0.0, question.restart, 0.25, 0.5)
        for day in (0.52, 0.58, question.day, 0.75)
    ]
    return Plot(
        "Research in the troughs of serving",
        "tokens of the busier half of the hours over those of the quieter half",
        "value added, part of the lab's value",
        tuple(points),
        level=0.0,
        level_name="equal",
    )


CASE = Inquiry(
    name="idle-troughs",
    title="Does preemptible research in the troughs of serving pay for itself?",
    systems=(2, 17),
    asked=Asked(
        question="Do experiments that give way to customers by day and run in the troughs by night pay for what giving way costs?",
        claim="Preemptible research in the troughs of serving pays for itself.",
        date="2026",
        where="research and infrastructure leads of a lab, weekly: what serving and development get",
    ),
    question=Question(),
    metric=("value that giving way adds, part of the lab's value", "share"),
    rule=Rule(0.0, 0.0, "holds: it adds value; fails: it takes value"),
    sample=gained,
    inputs=(
        Input("built_musd", "cost of a scheduler, checkpoints and people on call", "MUSD/quarter", "assumed: a hundred engineers", between=(5.0, 60.0), searched=(0.0, 600.0), below="it pays"),
        Input("restart", "work of what comes and goes that restarts cost", "share", "assumed", between=(0.03, 0.3), tried=(0.5,)),
        Input("day", "tokens served in the busier half of the hours", "share", "assumed", between=(0.55, 0.75), searched=(0.5, 0.8), below="the day is too even"),
        Input("firm", "least part of development that must keep its chips", "share", "assumed", between=(0.2, 0.8)),
        Input("sensitivity", "demand gained by a log-unit of capability", "ratio", "assumed", between=(0.2, 0.7)),
        Input("price", "price of tokens over that of the case", "ratio", "assumed", between=(0.8, 1.3)),
        Input("growth", "growth of demand", "ratio", "assumed: per year, median of 20 % to 80 %", between=(0.2, 1.0)),
    ),
    detail=_detail,
    assumed=(
        "Two blocks of hours, the same every day; within a block serving keeps a quarter of its chips free for queues",
        "Development is worth the demand that capability brings, and nothing else",
        "Experiments are done as well at night as by day: nobody waits for them",
    ),
    flip=({"built_musd": 600.0}, "fails"),
)  # fmt: skip
