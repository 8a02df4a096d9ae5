"""Rows of segments that several models may serve: how the tokens are shared, and the runs that make some of the models."""

from __future__ import annotations

import numpy as np

from exaplan.optimize.blocks import Builder, RowRange
from exaplan.plan.columns import Columns, StageColumns
from exaplan.plan.inputs import HIGHEST_RATIO, Inputs
from exaplan.plan.layout import Layout
from exaplan.plan.options import declare_starts, windows_of
from exaplan.plan.services import flop_of_runs, teachers
from exaplan.plan.stage import Stage


def routing(builder: Builder, columns: StageColumns, sets: Layout, stage: Stage) -> None:
    """Models share a segment: share_min Q_s <= Q_v <= share_max Q_s; Q_v <= finished share_max reach where v is distilled.

    Q_v = sum_{a in v} rate share_b x, Q_s its sum over the segment's models, in tokens of its reference model. A least
    share holds while the model can run at all. ``reach`` is the most that the segment may ask for, so that
    finished = 1 binds nothing more.
    """
    if not sets.services:
        return
    arcs = np.flatnonzero(sets.arc_service >= 0)
    tokens = stage.rate[:, arcs, None] * stage.block_share
    service, segment = sets.arc_service[arcs], sets.arc_workload[arcs]
    runs = np.zeros((len(stage.weight), len(sets.services)), dtype=bool)
    np.logical_or.at(runs.T, service, (stage.rate[:, arcs] > 0).T)
    least = np.array([each.able.share_min if each.able else 0.0 for each in sets.services])
    most = np.array([each.able.share_max if each.able else 1.0 for each in sets.services])
    nodes, blocks = len(stage.weight), len(stage.block_share)

    def put(row: RowRange, place: int, of: np.ndarray, factor: np.ndarray) -> None:
        chips = columns.work.index[:, arcs[of]]
        builder.add(row, row.position[:, [place]], chips, factor[:, None, None] * tokens[:, of])

    for name, share, bound, sign in (
        ("routing_least", least, np.flatnonzero(least > 0), 1.0),
        ("routing_most", most, np.flatnonzero(most < 1), -1.0),
    ):
        row = builder.rows(name, (nodes, len(bound), blocks), lower=0.0)
        for place, number in enumerate(bound):
            held = sign * (runs[:, number] if sign > 0 else np.ones(nodes))
            put(row, place, np.flatnonzero(service == number), held)
            put(row, place, np.flatnonzero(segment == sets.service_workload[number]), -share[number] * held)
    made = np.flatnonzero(sets.service_run >= 0)
    row = builder.rows("routing_ready", (nodes, len(made), blocks), upper=0.0)
    for place, number in enumerate(made):
        put(row, place, np.flatnonzero(service == number), np.ones(nodes))
    finished = columns.finished.index[:, sets.service_run[made], None]
    builder.add(row, row.position, finished, -ready_limit(sets, stage))


def ready_limit(sets: Layout, stage: Stage) -> np.ndarray:
    """Most tokens that each distilled model may serve once it is done [node, distilled service, block].

    Its largest share of what the segment asks for at the highest capability ratio that counts, at its lowest price and
    with every launch, deal and run.
    """
    made = np.flatnonzero(sets.service_run >= 0)
    most = np.array([each.able.share_max if each.able else 1.0 for each in sets.services])[made]
    segment = sets.service_workload[made]
    cheap = np.ones(len(sets.serve))
    np.maximum.at(cheap, sets.point_serve, sets.point_demand)
    wanted = stage.demand * (1 + sets.sensitivity * np.log(HIGHEST_RATIO)) * cheap
    wanted = wanted + stage.demand * sets.brought_share + sets.brought_tokens
    tokens = stage.weight[:, None] * wanted[:, segment] * most
    return np.asarray(tokens[:, :, None] * stage.demand_share[segment])


def distilled(builder: Builder, columns: StageColumns, sets: Layout, stage: Stage) -> None:
    """Distillation is development: sum_i d_i <= sum_r q_r, and it makes no other progress: P <= a + b (sum_r q_r - sum_i d_i) / parity.

    A run whose teacher has itself to be made waits for the teacher: d_i <= flop_i finished_teacher.
    """
    if not sets.distillations:
        return
    first = len(sets.serve)
    row = builder.rows("distil_flop", (len(stage.weight),), upper=0.0)
    builder.add(row, row.position[:, None], columns.distil.index, 1.0)
    output = columns.output.index[:, first : first + len(sets.train)]
    builder.add(row, row.position[:, None, None], output, -1.0)
    taught, teacher = teachers(sets)
    wait = builder.rows("distil_taught", (len(stage.weight), len(taught)), upper=0.0)
    builder.add(wait, wait.position, columns.distil.index[:, taught], 1.0)
    builder.add(wait, wait.position, columns.finished.index[:, teacher], -flop_of_runs(sets)[taught])
    if stage.progress is not None and builder.has_rows("progress_curve"):
        curve = builder.declared("progress_curve")
        slope = stage.progress.slope / stage.parity
        builder.add(curve, curve.position[:, :, None], columns.distil.index[:, None], slope[:, None])


def distillation(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Advance the runs: ready[n] = ready[p] + d[p] / flop, 0 at the root; a model may serve once ready is 1.

    finish_start in {0, 1} <= ready at a tree node, finished = finish_begun from there on: half a run serves nobody.
    """
    if not inputs.sets.distillations:
        return
    row = builder.rows("distil_balance", columns.ready.shape, lower=0.0, upper=0.0)
    builder.add(row, row.position, columns.ready.index, 1.0)
    children = np.arange(1, inputs.nodes)
    before = inputs.parent[children]
    builder.add(row, row.position[children], columns.ready.index[before], -1.0)
    builder.add(row, row.position[children], columns.distil.index[before], -1 / flop_of_runs(inputs.sets))
    first = np.array([run.first - inputs.lab.horizon.first + 1 for _, run in inputs.sets.distillations])
    starts = declare_starts(
        builder, inputs, "finish", windows_of(inputs, first, np.full(len(first), inputs.quarters))
    )
    ready = builder.rows("finish_ready", starts.start.shape, upper=0.0)
    builder.add(ready, ready.position, starts.start.index, 1.0)
    builder.add(ready, ready.position, columns.ready.index[: inputs.tree_nodes], -1.0)
    same = builder.rows("finish_serves", columns.finished.shape, lower=0.0, upper=0.0)
    builder.add(same, same.position, columns.finished.index, 1.0)
    builder.add(same, same.position, starts.begun.index, -1.0)
