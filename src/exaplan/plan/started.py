"""What a plan starts once: steps of sites, deals, chip programs, launches, runs, distilled models; when and how likely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from exaplan.domain.conduct import NEVER, Lump
from exaplan.domain.deals import Equity
from exaplan.domain.lab import Lab
from exaplan.domain.launch import Launch
from exaplan.domain.runs import Run
from exaplan.plan.accounts import by_quarter
from exaplan.plan.deal_result import SignedDeal, deals_of
from exaplan.plan.run_rows import rule_of
from exaplan.plan.silicon_result import chosen
from exaplan.plan.site_result import StepStart, step_starts_of
from exaplan.plan.solve import Solved

LEAST_CHANCE = 1e-6
"""What is less likely than this is the solver's rounding."""


def started_of(solved: Solved) -> tuple[Lump, ...]:
    """List everything that a plan starts, earliest first; then what it could start and never does.

    Raises
    ------
    NoAnswerError
        As :func:`exaplan.plan.deal_result.deals_of`.
    """
    rows = [
        row for family in (_steps, _deals, _programs, _launches, _runs, _distilled) for row in family(solved)
    ]
    return tuple(sorted(rows, key=lambda row: row.quarter))


def _steps(solved: Solved) -> Iterator[Lump]:
    rows = step_starts_of(solved)
    for row in rows:
        name = f"{row.step} at {row.site}"
        yield Lump("site step", name, row.quarter, row.probability, _power(row), -row.cost_usd)
    begun = {(row.site, row.step) for row in rows}
    for site in solved.program.inputs.lab.sites:
        for step in site.steps:
            if (site.id, step.id) not in begun:
                yield _never("site step", f"{step.id} at {site.id}")


def _power(row: StepStart) -> str:
    part = "" if row.share > 1 - LEAST_CHANCE else f" ({row.share:.0%} of the step)"
    return f"{row.power_w / 1e6:,.3g} MW{part}, power from {row.power_from}"


def _never(kind: str, name: str) -> Lump:
    return Lump(kind, name, NEVER, 0.0, "started in no future", 0.0)


def _deals(solved: Solved) -> Iterator[Lump]:
    for deal, signed in zip(solved.program.inputs.lab.deals, deals_of(solved), strict=True):
        paid_in = sum(part.amount_usd for part in deal.investment) if isinstance(deal, Equity) else 0.0
        for quarter, chance in signed.by_quarter:
            yield Lump(
                "deal", deal.id, quarter, chance, deal_in_words(deal.supplier, signed), paid_in - deal.fee_usd
            )
        if not signed.by_quarter:
            yield _never("deal", deal.id)


def deal_in_words(supplier: str, deal: SignedDeal) -> str:
    """Say with whom a deal is signed and what its clauses cost, expected over all futures and undiscounted."""
    costs = (
        (deal.shortfall_usd, "paid for spending that was not reached"),
        (deal.revenue_paid_usd, "of revenue shared"),
    )
    told = [f"${amount / 1e6:,.1f} M {what}" for amount, what in costs if amount > 0]
    return "; ".join([f"with {supplier}", *told])


def _programs(solved: Solved) -> Iterator[Lump]:
    rows = chosen(solved)
    for row in rows:
        text = (
            f"foundry {row.foundry}, {row.chips:,.0f} chips expected within the horizon; see exaplan options"
        )
        yield Lump(
            "chip program", row.program, row.quarter, row.probability, text, -row.nre_usd / row.probability
        )
    begun = {row.program for row in rows}
    for program in solved.program.inputs.lab.silicon:
        if program.id not in begun:
            yield _never("chip program", program.id)


def _launches(solved: Solved) -> Iterator[Lump]:
    def told(launch: Launch) -> tuple[str, float]:
        step = (
            f"{launch.step_share:.0%} more demand"
            if launch.step_share is not None
            else f"{(launch.step_tokens_per_month or 0.0) / 1e9:,.4g} G tokens a month"
        )
        return f"{step} for {launch.workload}", 0.0 - launch.cost_usd

    lab = solved.program.inputs.lab
    return _family(solved, "launch_start", "launch", [(item.id, *told(item)) for item in lab.launches])


def _runs(solved: Solved) -> Iterator[Lump]:
    lab = solved.program.inputs.lab
    return _family(solved, "run_start", "run", [(run.id, *_run(lab, run)) for run in lab.runs])


def _run(lab: Lab, run: Run) -> tuple[str, float]:
    rule = rule_of(run, lab.rules)
    parts = [f"{_flop(run.flop)} of {run.workload}"]
    if run.uplift > 0:
        parts.append(f"{run.uplift:.0%} more demand for {', '.join(run.uplift_workloads)}")
    if run.due is not None:
        parts.append(f"due {run.due}")
    if rule is not None:
        parts.append(f"under {rule.id}")
    return "released: " + "; ".join(parts), 0.0 - run.cost_usd - (rule.cost_usd if rule else 0.0)


def _flop(flop: float) -> str:
    return f"{flop:.3g} FLOP".replace("e+", "e")


def _distilled(solved: Solved) -> Iterator[Lump]:
    made = solved.program.inputs.sets.distillations
    items = [
        (model, f"from {run.source}, {_flop(run.flop)}; serves from here on", 0.0) for model, run in made
    ]
    return _family(solved, "finish_start", "distillation", items)


def _family(
    solved: Solved, column: str, kind: str, items: Sequence[tuple[str, str, float]]
) -> Iterator[Lump]:
    """Tell one family of starts by its variable [tree node, item]; ``items`` are name, text and cash."""
    if not items:
        return
    inputs = solved.program.inputs
    chance = by_quarter(inputs, solved.value(solved.model.columns[column]))
    for number, (name, text, cash_usd) in enumerate(items):
        quarters = np.flatnonzero(chance[:, number] > LEAST_CHANCE)
        for t in quarters:
            yield Lump(
                kind, name, str(inputs.lab.horizon.first + int(t)), float(chance[t, number]), text, cash_usd
            )
        if not len(quarters):
            yield _never(kind, name)
