"""Published training rows as candidate configurations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from exaplan.domain.measured import TrainingRow
from exaplan.perf.calibration.cases import (
    Layout,
    Table,
    months_between,
    table_of,
    take_knobs,
    tuned_weights,
)
from exaplan.perf.calibration.hierarchy import labels_of
from exaplan.perf.knobs import Knobs
from exaplan.perf.machine import MATURE_MONTHS, Machine, Precision, machine_of, stack_machines
from exaplan.perf.schedules import DUAL_PIPE, ONE_F_ONE_B, ZERO_BUBBLE
from exaplan.perf.shapes import Array, stack_models
from exaplan.perf.training import FULL, KEEP_ALL, SELECTIVE, TrainMesh, TrainRequest, train_step

LORA_TRAINABLE_SHARE = 0.005
"""Trained over all parameters of a LoRA job: rank 16 on the attention of Llama-2 70B trains 0.06 to 0.5 %."""
_FULL_MEMORY = 1.06  # of the published GB, which are GiB: 99 % of what is there
_RECOMPUTE = {"none": KEEP_ALL, "selective": SELECTIVE, "full": FULL}
_FUSED_SINCE = "2022-07"  # fused attention and sequence parallelism were published in May 2022
_SCHEDULES = {None: ONE_F_ONE_B, "zero-bubble": ZERO_BUBBLE, "dualpipe": DUAL_PIPE}
_MICRO = (1.0, 2.0, 4.0, 8.0, 16.0)
_CHUNKS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
_TENSOR = (1.0, 2.0, 4.0, 8.0)
_STAGES = (1.0, 2.0, 4.0, 8.0)
_SPREADS = (1.0, 8.0, 16.0, 32.0, 64.0)


@dataclass(frozen=True)
class TrainingCases:
    """Rows, their candidates, and everything the engine needs to time them."""

    table: Table
    layout: Layout
    request: TrainRequest
    mesh: TrainMesh

    def log_rates(self, knobs: Knobs) -> Array:
        """Log of modelled tokens/s per chip. Axis: row."""
        layout = self.layout
        machines = layout.machines_at(knobs)
        result = train_step(layout.shapes, machines, self.request, self.mesh, memory=False)
        return layout.mean_log(result.tokens_per_s_per_chip, self.table.rows)


def training_cases(rows: Sequence[TrainingRow]) -> TrainingCases:
    """Lay out rows; settings left open become candidates."""
    expanded = [_candidates(row) for row in rows]
    machines = [_machines(row) for row in rows]
    flat = np.array([values for row in expanded for values in row]).T
    row = np.repeat(np.arange(len(rows)), [len(values) for values in expanded])
    chosen = flat[10].astype(int)
    stacked = stack_machines([machines[r][p] for r, p in zip(row.tolist(), chosen.tolist(), strict=True)])
    mesh = TrainMesh(*flat[:10])
    shapes = stack_models([entry.model for entry in rows])
    request = _requests(rows)
    every = Layout(row, np.ones(row.size), shapes.take(row), stacked)
    result = train_step(every.shapes, stacked, _spread(request, row), mesh)
    share = result.memory_bytes / stacked.memory_bytes
    index, weight = tuned_weights(row, result.tokens_per_s_per_chip, share <= _FULL_MEMORY, share)
    kept = replace(every.take(index), weight=weight)
    labels = [labels_of(entry.chip, entry.stack) for entry in rows]
    first = np.searchsorted(row, np.arange(len(rows)))
    table = table_of([entry.chip for entry in rows], labels, take_knobs(stacked.knobs, first))
    return TrainingCases(table, kept, _spread(request, kept.row), mesh.take(index))


def _requests(rows: Sequence[TrainingRow]) -> TrainRequest:
    columns = np.array(
        [
            (
                row.sequence_tokens,
                row.batch_sequences * row.sequence_tokens,
                row.chips,
                LORA_TRAINABLE_SHARE if row.task == "lora" else 1.0,
                "" < row.date < _FUSED_SINCE,
            )
            for row in rows
        ]
    ).T
    sequence, batch, chips, trained, classic = columns
    return TrainRequest(sequence, batch, chips, trained, classic > 0)


def _spread(request: TrainRequest, row: np.ndarray) -> TrainRequest:
    return TrainRequest(
        np.asarray(request.sequence_tokens)[row],
        np.asarray(request.batch_tokens)[row],
        np.asarray(request.cluster_chips)[row],
        np.asarray(request.trainable_share)[row],
        np.asarray(request.classic)[row],
    )


def _precisions(row: TrainingRow) -> tuple[Precision, ...]:
    """Stated precision, or the two that the publisher leaves open: FP4 and FP8."""
    return (row.precision,) if row.precision else ("fp4", "fp8")


def _machines(row: TrainingRow) -> tuple[Machine, ...]:
    months = months_between(row.chip.launch, row.date, MATURE_MONTHS)
    return tuple(machine_of(row.chip, precision, software_months=months) for precision in _precisions(row))


def _candidates(row: TrainingRow) -> list[tuple[float, ...]]:
    """Fields of ``TrainMesh`` in order, and the index of the precision."""
    found: list[tuple[float, ...]] = []
    cp = row.cp or 1.0
    for tp, pp in product(_tensor(row), _stages(row)):
        dp = row.chips / (tp * pp * cp)
        if dp < 1 and (row.tp is None or row.pp is None):
            continue
        dp = max(np.floor(dp), 1.0)
        found += [
            (tp, pp, ep, dp, cp, micro, chunks, again, zero, _SCHEDULES[row.schedule], float(precision))
            for ep, micro, chunks, again, zero, precision in product(
                _spreads(row, tp * cp * dp),
                _micro(row, dp),
                _chunks(row, pp),
                [_RECOMPUTE[row.recompute]] if row.recompute else _RECOMPUTE.values(),
                [float(row.zero)] if row.zero is not None else ([1.0, 3.0] if pp == 1 else [1.0]),
                range(len(_precisions(row))),
            )
        ]
    return found


def _tensor(row: TrainingRow) -> tuple[float, ...]:
    if row.tp is not None:
        return (row.tp,)
    if row.zero == 3:
        return (1.0,)
    limit = min(row.chip.scale_up_domain, row.chips, row.model.heads)
    return tuple(tp for tp in _TENSOR if tp <= limit) or (1.0,)


def _stages(row: TrainingRow) -> tuple[float, ...]:
    if row.pp is not None:
        return (row.pp,)
    if row.zero == 3 or row.chip.matrix_unit == "systolic":
        return (1.0,)
    return tuple(pp for pp in _STAGES if pp <= min(row.chips, row.model.layers))


def _spreads(row: TrainingRow, ranks: float) -> tuple[float, ...]:
    if not row.model.experts:
        return (1.0,)
    if row.ep is not None:
        return (row.ep,)
    return tuple(ep for ep in _SPREADS if ep <= ranks and row.model.experts % ep == 0) or (1.0,)


def _micro(row: TrainingRow, dp: float) -> tuple[float, ...]:
    if row.micro_batch is not None:
        return (row.micro_batch,)
    return tuple(size for size in _MICRO if size * dp <= row.batch_sequences) or (1.0,)


def _chunks(row: TrainingRow, pp: float) -> tuple[float, ...]:
    if pp <= 1 or row.schedule is not None:
        return (1.0,)
    if row.interleave is not None:
        return (row.interleave,)
    return tuple(chunks for chunks in _CHUNKS if chunks * pp <= row.model.layers)
