"""Whether a rule for large training runs costs an entrant more than a leader."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.casebook.asking import spoken
from exaplan.app.casebook.estimate import Estimate, Rule
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.planned import Setting, plan_of
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.plan.layout import USD

_RUN = 1.2e27  # FLOP of the leader's run
_NEVER = 1e33


@dataclass(frozen=True)
class Question(Inputs):
    """How much smaller the entrant is, what its run is against its fleet, and what the rule asks for."""

    draws: int = 24
    scale: float = 0.10
    threshold: float = 1e26
    evaluation: float = 1e25
    delay: int = 1
    cost_musd: float = 10.0
    run: float = 1.0
    uplift: float = 0.25
    fade: float = 0.15
    growth: float = 0.5


def _setting(question: Question, scale: float, *, bound: bool) -> Setting:
    """Make a lab of this size, everything in proportion but the rule."""
    low, high = (1 + question.growth) / 1.25 - 1, (1 + question.growth) * 1.25 - 1
    return Setting("flop-threshold").but(
        {
            "offers.hourly.max_chips": f"{30 * scale:.6g}k chips",
            "offers.committed.max_order": f"{200 * scale:.6g}k chips/quarter",
            "contracts.running.tranches": f"[{{date: 2026-Q2, chips: {320 * scale:.6g}k chips}}]",
            "workloads.api.demand": f"{2.4e15 * scale:.6g} tokens/month",
            "workloads.api.growth": f"{low * 100:.6g} % to {high * 100:.6g} %/year",
            "finance.cash": f"{25 * scale:.6g} GUSD",
            "finance.fixed_costs.staff.amount": f"{0.4 * scale:.6g} GUSD/quarter",
            "runs.next.flop": f"{_RUN * question.run * scale:.6g} FLOP",
            "runs.next.cost": f"{20 * scale:.6g} MUSD",
            "runs.next.uplift": f"{question.uplift * 100:.6g} %",
            "runs.next.fade": f"{question.fade * 100:.6g} %/quarter",
            "rules.threshold.threshold": f"{question.threshold if bound else _NEVER:.6g} FLOP",
            "rules.threshold.evaluation": f"{question.evaluation:.6g} FLOP",
            "rules.threshold.delay": f"{question.delay} quarters",
            "rules.threshold.cost": f"{question.cost_musd:.6g} MUSD",
        }
    )


def loss_of(question: Question, scale: float) -> float:
    """Part of its value that a lab of this size loses to the rule, on the tree."""
    free, bound = (
        plan_of(_setting(question, scale, bound=each)).solved.solution.objective for each in (False, True)
    )
    return float((free - bound) / free)


def burdened(question: Question, batch: int) -> float:  # noqa: ARG001 - nothing is sampled
    """Give the entrant's loss less the leader's, each in percent of its own value."""
    return 100 * (loss_of(question, question.scale) - loss_of(question, 1.0))


def _release(question: Question, scale: float, *, bound: bool) -> float | None:
    """Quarters until the run is released, expected over futures in which it is; None where it never is."""
    solved = plan_of(_setting(question, scale, bound=bound)).solved
    inputs = solved.program.inputs
    start = np.round(solved.value(solved.model.columns["run_start"])[: inputs.tree_nodes, 0])
    weight = inputs.probability[: inputs.tree_nodes] * start
    return float(weight @ inputs.quarter[: inputs.tree_nodes] / weight.sum()) if weight.sum() > 0 else None


def _is_bound(question: Question, scale: float) -> bool:
    return _RUN * question.run * scale >= question.threshold


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    entrant, leader = (loss_of(question, scale) for scale in (question.scale, 1.0))
    free = plan_of(_setting(question, 1.0, bound=False)).solved.solution.objective * USD
    alone = loss_of(replace(question, evaluation=0.0, cost_musd=0.0), question.scale)
    part = (
        f"{alone / entrant:.0%} of the entrant's loss is the delay"
        if entrant > 0
        else "the rule does not reach the entrant"
    )
    sentence = (
        f"The claim {spoken(word)}. A rule from {question.threshold:.0e} FLOP on with {question.evaluation:.0e} FLOP of evaluation, "
        f"{question.delay} quarter of delay and {question.cost_musd:g} MUSD takes {entrant:.2%} of the value of an entrant of "
        f"{question.scale:.0%} of the leader's size and {leader:.2%} of the leader's ({leader * free / 1e9:.2f} GUSD), "
        f"{found.value:+.2f} points; {part}, which hits both alike."
    )
    return Detail(sentence, (_rules(question), _sizes(question)), (_plot(question),))


def _rules(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for label, changed in (
        ("delay alone", {"evaluation": 0.0, "cost_musd": 0.0}),
        ("evaluation alone", {"delay": 0, "cost_musd": 0.0}),
        ("cash cost alone", {"delay": 0, "evaluation": 0.0}),
        ("all three", {}),
        ("all three, ten times the evaluation", {"evaluation": 10 * question.evaluation}),
        (
            "all three, a threshold above the entrant's run",
            {"threshold": 2 * _RUN * question.run * question.scale},
        ),
    ):
        asked = replace(question, **changed)  # type: ignore[arg-type]
        losses = [loss_of(asked, scale) for scale in (question.scale, 1.0)]
        rows.append((label, *[f"{loss:.2%}" for loss in losses], f"{(losses[0] - losses[1]) * 100:+.2f}"))
    return Table(
        "What each part of the rule takes, part of a lab's own value",
        ("part", f"entrant, {question.scale:.0%} of the leader", "leader", "points more for the entrant"),
        tuple(rows),
        "Values of plans on the tree, with the run released when it is best to, or never.",
    )  # fmt: skip


def _sizes(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for scale in (0.05, 0.1, 0.2, 0.5, 1.0):
        wait = [_release(question, scale, bound=each) for each in (False, True)]
        bound = _is_bound(question, scale)
        loss = loss_of(question, scale)
        rows.append(
            (
                f"{scale:.0%}",
                f"{_RUN * question.run * scale:.1e}",
                "yes" if bound else "no",
                f"{loss:.2%}",
                *wait,
            )
        )
    return Table(
        "By size of the lab",
        ("size, of the leader's", "its run, FLOP", "bound", "loss, part of its value", "released after, quarters: without rule", "with rule"),
        tuple(rows),
        "Release: mean over futures.",
    )  # fmt: skip


def _plot(question: Question) -> Plot:
    points = [
        (
            f"evaluation of {evaluation:.0e} FLOP",
            scale,
            100 * loss_of(replace(question, evaluation=evaluation), scale),
        )
        for evaluation in (question.evaluation, 3 * question.evaluation, 10 * question.evaluation)
        for scale in (0.05, 0.08, 0.09, 0.15, 0.3, 0.6, 1.0)
    ]
    return Plot(
        "What the rule takes, by size of the lab",
        "size of the lab over the leader's",
        "loss, percent of the lab's own value",
        tuple(points),
        level=100 * loss_of(question, 1.0),
        level_name="the leader",
    )


CASE = Inquiry(
    name="flop-threshold",
    title="Does a rule for large training runs burden the entrant more than the leader?",
    systems=(21,),
    asked=Asked(
        question="Whom does a threshold of training compute with fixed evaluation and delay cost more, the leader or the entrant?",
        claim="A rule above a threshold of compute costs an entrant more of its value than the leader.",
        date="2026",
        where="policy analysts on thresholds of training compute in law",
    ),
    question=Question(),
    metric=("entrant's loss less the leader's, each in percent of its own value", "points"),
    rule=Rule(0.1, -0.1, "holds: a tenth of a percent of its value more; fails: as much less; depends: between"),
    sample=burdened,
    inputs=(
        Input("threshold", "threshold of the rule", "FLOP", "assumed: as large as thresholds in law are", between=(3e25, 3e26), tried=(3e27,), searched=(2e25, 1e27), below="the entrant's run is bound too"),
        Input("evaluation", "evaluation compute before release", "FLOP", "assumed: a tenth of a run at the threshold", between=(2e24, 1e26)),
        Input("scale", "size of the entrant over the leader's", "share", "assumed; catalogue labs: 0.63 against 1.74 M H100e at end-2025 for the fifth lab", between=(0.05, 0.35)),
        Input("cost_musd", "cash cost of the rule", "MUSD", "assumed: audits, reports, lawyers", between=(2.0, 50.0)),
        Input("uplift", "demand gained by the run", "share", "assumed", between=(0.1, 0.5)),
        Input("run", "size of runs over that of the case", "ratio", "assumed: a quarter of development compute", between=(0.5, 2.0)),
        Input("fade", "share of the gain that is lost in a quarter", "share", "assumed: rivals release too", between=(0.05, 0.35)),
        Input("delay", "delay from done to release", "quarters", "assumed", tried=(0, 2)),
    ),
    detail=_detail,
    assumed=(
        "Entrant and leader are the same lab but for size: cost of money, prices and growth are alike",
        "The gain from a run is not taken from the other lab: what one loses by the delay the other does not win",
        "The run is released when it is best to, and not at all where the rule makes it not worth while",
    ),
    flip=({"threshold": 1e27}, "fails"),
)  # fmt: skip
