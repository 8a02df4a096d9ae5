"""Gather what a plan decided beside signatures; nothing for a lab that leaves no such choice."""

from __future__ import annotations

import numpy as np

from exaplan.domain.conduct import Conduct, InternalUse, MarginalChip
from exaplan.plan.accounts import by_quarter
from exaplan.plan.block_result import block_use_of
from exaplan.plan.demand_result import price_points_of, routing_of, trust_of
from exaplan.plan.layout import TOKENS, USD
from exaplan.plan.margins import Margin, margins_of
from exaplan.plan.money_rows import savings
from exaplan.plan.solve import Solved
from exaplan.plan.started import started_of


def conduct_of(solved: Solved) -> Conduct:
    """Tell all of it.

    Raises
    ------
    NoAnswerError
        As :func:`exaplan.plan.deal_result.deals_of`.
    """
    return Conduct(
        started=started_of(solved),
        routing=routing_of(solved),
        price_points=price_points_of(solved),
        trust=trust_of(solved),
        blocks=block_use_of(solved),
        internal_use=internal_use_of(solved),
        margins=marginal_chips_of(solved),
    )


def internal_use_of(solved: Solved) -> tuple[InternalUse, ...]:
    """Tokens, saving and gain in serving efficiency of own use by quarter, expected over the tree."""
    inputs, columns = solved.program.inputs, solved.program.columns
    own = inputs.sets.internal
    if not own:
        return ()
    tokens = by_quarter(inputs, solved.value(columns.output)[:, inputs.sets.first_internal :].sum(axis=2))
    saved = by_quarter(inputs, solved.value(columns.insight) * savings(inputs.sets))
    gained = np.zeros_like(saved)
    if "efficiency" in solved.model.columns:
        gained = by_quarter(inputs, solved.value(solved.model.columns["efficiency"]))
    return tuple(
        InternalUse(
            quarter=str(inputs.lab.horizon.first + t),
            workload=workload.id,
            tokens=float(tokens[t, i]) * TOKENS,
            saving_usd=float(saved[t, i]) * USD,
            efficiency_share=float(gained[t, i]),
        )
        for t in range(inputs.quarters)
        for i, workload in enumerate(own)
    )


def marginal_chips_of(solved: Solved) -> tuple[MarginalChip, ...]:
    """Tell what one more chip earns in each use in the first quarter; nothing where all chips have the same use.

    Workloads of one kind on one chip are one row, each by its chips; load blocks add up, so a row is dollars per chip
    for the hours of the quarter in which it works so.
    """
    kinds = {workload.id: workload.kind for workload in solved.program.inputs.lab.workloads}
    rows: dict[tuple[str, str, str], list[Margin]] = {}
    for margin in margins_of(solved, 0):
        rows.setdefault((margin.chip, margin.pool, kinds[margin.workload]), []).append(margin)
    if len({kind for _, _, kind in rows}) < 2:
        return ()
    share = solved.program.inputs.sets.block_share
    found = []
    for (chip, pool, kind), margins in rows.items():
        earns = worth = limits = 0.0
        for block in {margin.block for margin in margins}:
            here = [margin for margin in margins if margin.block == block]
            chips = sum(margin.chips for margin in here)
            earns += sum(margin.chips * margin.earns_usd for margin in here) / chips
            limits += sum(margin.chips * margin.limits_usd for margin in here) / chips
            worth += here[0].worth_usd
        busy = sum(margin.chips * float(share[margin.block]) for margin in margins)
        found.append(MarginalChip(kind, chip, pool, busy, earns - limits, limits, earns, worth))
    return tuple(found)
