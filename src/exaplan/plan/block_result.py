"""What a plan does in each load block: who works, what is held ready, what is turned away; means over the tree."""

from __future__ import annotations

import numpy as np

from exaplan.domain.conduct import BlockUse
from exaplan.plan.accounts import by_quarter
from exaplan.plan.layout import CHIPS, TOKENS
from exaplan.plan.solve import Solved


def block_use_of(solved: Solved) -> tuple[BlockUse, ...]:
    """Tell every quarter by load block; nothing where the lab has one block and holds nothing ready."""
    inputs, columns = solved.program.inputs, solved.program.columns
    sets = inputs.sets
    if len(sets.blocks) == 1 and not len(sets.reserving):
        return ()
    work = by_quarter(inputs, solved.value(columns.work)) * CHIPS
    serving = sets.arc_workload < len(sets.serve)
    preemptible = np.isin(np.arange(len(serving)), sets.preemptible)
    chips = [work[:, which].sum(axis=1) for which in (serving, ~serving, preemptible)]
    ready = by_quarter(inputs, solved.value(columns.on_call)).sum(axis=1) * CHIPS
    output = by_quarter(inputs, solved.value(columns.output)[:, : len(sets.serve)]).sum(axis=1) * TOKENS
    unserved = by_quarter(inputs, solved.value(columns.unserved)).sum(axis=1) * TOKENS
    figures = np.stack([*chips, ready, output, unserved], axis=-1)
    return tuple(
        BlockUse(str(inputs.lab.horizon.first + t), name, float(sets.block_share[b]), *figures[t, b].tolist())
        for t in range(inputs.quarters)
        for b, name in enumerate(sets.blocks)
    )
