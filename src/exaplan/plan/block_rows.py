"""Stage rows that tie the load blocks of a quarter together: steady work, and chips held ready for serving."""

from __future__ import annotations

import numpy as np

from exaplan.optimize.blocks import Builder
from exaplan.plan.columns import StageColumns
from exaplan.plan.layout import Layout
from exaplan.plan.stage import Stage


def steady(builder: Builder, columns: StageColumns, sets: Layout, stage: Stage) -> None:
    """Work that is not preemptible keeps its chips: x[a,b] = x[a,0]; preemptible work runs through with its least.

    Of preemptible work with a restart loss, ``through`` is at most the chips of every block, so at the optimum their
    least; ``technology`` counts what swings above it with the loss.
    """
    nodes, later = len(stage.weight), len(stage.block_share) - 1
    if len(sets.steady):
        work = columns.work.index[:, sets.steady]
        row = builder.rows("steady", (nodes, len(sets.steady), later), lower=0.0, upper=0.0)
        builder.add(row, row.position, work[:, :, 1:], 1.0)
        builder.add(row, row.position, work[:, :, :1], -1.0)
    if len(sets.swinging):
        row = builder.rows("run_through", (nodes, len(sets.swinging), later + 1), upper=0.0)
        builder.add(row, row.position, columns.through.index[:, :, None], 1.0)
        builder.add(row, row.position, columns.work.index[:, sets.swinging], -1.0)


def reserve(builder: Builder, columns: StageColumns, sets: Layout, stage: Stage) -> None:
    """Hold chips ready: sum_g rate[g,s] on_call[g,s,b] >= reserve_s sum_g rate[g,s] x[g,s,b], for each workload its own.

    What is held ready is idle or on preemptible work: sum_s on_call[g,s,b] <= standby[g,b] + sum of preemptible x[g,.,b].
    Idle chips held ready are up (``chips``) and can be powered at once (``power``).
    """
    if not len(sets.reserving):
        return
    nodes, blocks = len(stage.weight), len(stage.block_share)
    share = np.array([workload.reserve for workload in sets.serve])
    place = np.searchsorted(sets.reserving, sets.arc_workload[sets.ready_arc])
    rate = stage.rate[:, sets.ready_arc, None] * np.ones(blocks)
    row = builder.rows("reserve", (nodes, len(sets.reserving), blocks), lower=0.0)
    builder.add(row, row.position[:, place], columns.on_call.index, rate)
    wanted = share[sets.arc_workload[sets.ready_arc], None] * rate
    builder.add(row, row.position[:, place], columns.work.index[:, sets.ready_arc], -wanted)
    held = builder.rows("held", columns.standby.shape, upper=0.0)
    builder.add(held, held.position[:, sets.arc_group[sets.ready_arc]], columns.on_call.index, 1.0)
    builder.add(held, held.position, columns.standby.index, -1.0)
    freed = columns.work.index[:, sets.preemptible]
    builder.add(held, held.position[:, sets.arc_group[sets.preemptible]], freed, -1.0)
    if builder.has_rows("chips"):
        chips = builder.declared("chips")
        builder.add(chips, chips.position, columns.standby.index, 1.0)
    if builder.has_rows("power"):
        own = np.flatnonzero(sets.group_site >= 0)
        power = builder.declared("power")
        at = power.position[:, sets.group_site[own]]
        builder.add(power, at, columns.standby.index[:, own], stage.power[own][:, None])
