"""Published serving rows as candidate configurations: closed loops and full queues, and static batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from exaplan.domain.measured import ServingRow
from exaplan.perf.calibration.cases import (
    Index,
    Layout,
    Table,
    months_between,
    table_of,
    take_knobs,
    tuned_weights,
)
from exaplan.perf.calibration.hierarchy import labels_of
from exaplan.perf.knobs import Knobs
from exaplan.perf.machine import MATURE_MONTHS, Machine, machine_of, stack_machines, take_machines
from exaplan.perf.serving import (
    ServeMesh,
    ServeRequest,
    capacity_slots,
    serve_closed_loop,
    serve_static_batch,
)
from exaplan.perf.shapes import Array, Mask, Shapes, stack_models

BATCH_CAPS = (256.0, 512.0, 1024.0, 2048.0)
"""Sequences that engines allow in flight where memory would hold more; the setting is rarely published."""
_TENSOR = (1.0, 2.0, 4.0, 8.0)
_METRICS = (
    "tpot_s",
    "ttft_s",
    "latency_s",
    "output_tokens_per_s_per_chip",
    "input_tokens_per_s_per_chip",
    "output_tokens_per_s_per_user",
)
_SPEED = "output_tokens_per_s_per_chip"
_EXPERTS_ONLY = "gpt-oss"
"""Family whose published low-precision weights are those of the experts alone; the rest stays BF16 (model card)."""
_LOW_CACHE = ("trtllm",)
"""Engines that keep the cache in FP8 wherever weights are in FP8 or FP4, as their guides' checkpoints do."""


@dataclass(frozen=True)
class _Block:
    """Candidates that one formula serves."""

    layout: Layout
    request: ServeRequest
    mesh: ServeMesh
    metric: Index
    decode_only: Mask
    queued: Mask
    static: bool

    def log_values(self, knobs: Knobs, rows: int) -> Array:
        machines = self.layout.machines_at(knobs)
        values = _values(self.layout.shapes, machines, self, self.metric)
        return self.layout.mean_log(values, rows)


@dataclass(frozen=True)
class ServingCases:
    """Rows, their candidates, and everything the engine needs to time them."""

    table: Table
    blocks: tuple[_Block, ...]

    def log_rates(self, knobs: Knobs) -> Array:
        """Log of the modelled value of each row's metric, SI units. Axis: row."""
        rows = self.table.rows
        return sum((block.log_values(knobs, rows) for block in self.blocks), np.zeros(rows))


def serving_cases(rows: Sequence[ServingRow]) -> ServingCases:
    """Lay out rows; settings left open become candidates."""
    shapes = stack_models([row.model for row in rows])
    machines = stack_machines([_machine(row) for row in rows])
    labels = [labels_of(row.chip, row.engine) for row in rows]
    table = table_of([row.chip for row in rows], labels, machines.knobs)
    static = np.array([row.mode == "static_batch" or row.phase != "mixed" for row in rows])
    blocks = [
        _block(rows, np.flatnonzero(static == flag), shapes, machines, static=flag)
        for flag in (False, True)
        if (static == flag).any()
    ]
    return ServingCases(table, tuple(blocks))


def _block(
    rows: Sequence[ServingRow], own: Index, shapes: Shapes, machines: Machine, *, static: bool
) -> _Block:
    chosen = [rows[i] for i in own.tolist()]
    expanded = [_candidates(row) for row in chosen]
    each = [row for row, found in zip(chosen, expanded, strict=True) for _ in found]
    row = np.repeat(own, [len(found) for found in expanded])
    flat = np.array([values for found in expanded for values in found]).T
    layout = Layout(
        row,
        np.ones(row.size),
        shapes.take(row),
        take_machines(machines, row, take_knobs(machines.knobs, row)),
    )
    request = ServeRequest(
        np.array([entry.input_tokens for entry in each]), np.array([entry.output_tokens for entry in each])
    )
    mesh = ServeMesh(*flat[:5])
    room = capacity_slots(layout.shapes, layout.machines, request, mesh)
    queued = np.array([entry.mode == "max_load" for entry in each])
    offered = np.minimum(mesh.slots, flat[5])
    mesh = replace(mesh, slots=np.where(queued, offered, mesh.slots))
    metric = np.array([_METRICS.index(entry.metric) for entry in each])
    decode = np.array([entry.phase == "decode" for entry in each])
    block = _Block(layout, request, mesh, metric, decode, queued, static)
    speed = _values(layout.shapes, layout.machines, block, np.full_like(metric, _METRICS.index(_SPEED)))
    needed = mesh.slots / np.maximum(room, 1e-9)
    index, weight = tuned_weights(row, speed, room >= np.minimum(mesh.slots, 1.0), needed)
    kept = replace(layout.take(index), weight=weight)
    picked = ServeRequest(np.asarray(request.input_tokens)[index], np.asarray(request.output_tokens)[index])
    return _Block(kept, picked, mesh.take(index), metric[index], decode[index], queued[index], static)


def _values(shapes: Shapes, machines: Machine, block: _Block, metric: Index) -> Array:
    request, mesh = block.request, block.mesh
    if not block.static:
        # what does not fit waits, in a full queue as in a closed loop; a static batch was measured, so it fits
        room = capacity_slots(shapes, machines, request, mesh)
        fitting = np.maximum(np.minimum(room, mesh.slots), np.minimum(mesh.slots, 1.0))
        mesh = replace(mesh, slots=fitting)
    serve = serve_static_batch if block.static else serve_closed_loop
    result = serve(shapes, machines, request, mesh, memory=False)
    rate = np.where(
        block.decode_only, mesh.batch / result.tpot_s / mesh.chips, result.output_tokens_per_s_per_chip
    )
    rate = rate * np.where(block.queued, machines.knobs.drain_share, 1.0)
    prompts = mesh.batch * request.input_tokens / result.ttft_s / mesh.chips
    latency = result.ttft_s + np.maximum(request.output_tokens - 1, 0.0) * result.tpot_s
    columns = (result.tpot_s, result.ttft_s, latency, rate, prompts, 1 / result.tpot_s)
    return np.asarray(np.choose(metric, columns))


def _machine(row: ServingRow) -> Machine:
    low = row.precision != "bf16" or row.weights in ("fp8", "fp4")
    cache = row.cache or ("fp8" if low and row.engine in _LOW_CACHE else "bf16")
    experts_only = row.model.family == _EXPERTS_ONLY and row.weights != "bf16"
    return machine_of(
        row.chip,
        row.precision,
        weights="bf16" if experts_only else row.weights,
        expert_weights=row.weights if experts_only else None,
        cache=cache,
        software_months=months_between(row.chip.launch, row.date, MATURE_MONTHS),
    )


def _candidates(row: ServingRow) -> list[tuple[float, ...]]:
    """Fields of ``ServeMesh`` in order (slots per group and stage), and the cap on sequences per group."""
    found: list[tuple[float, ...]] = []
    for tp, (pp, dp) in product(_tensor(row), _groups(row)):
        chips = min(tp * pp * dp, max(row.chips, tp))
        replicas = max(np.floor(row.chips / chips), 1.0)
        for ep, cap in product(_spreads(row, tp, dp), BATCH_CAPS if row.mode == "max_load" else (np.inf,)):
            offered = np.inf if row.concurrency is None else row.concurrency
            slots = max(offered / (replicas * dp * pp), 1.0 / dp if dp > 1 else 1.0 / pp)
            found.append((tp, pp, ep, dp, slots, cap / pp))
    return found


def _tensor(row: ServingRow) -> tuple[float, ...]:
    if row.tp is not None:
        return (row.tp,)
    return tuple(tp for tp in _TENSOR if tp <= row.chips) or (1.0,)


def _groups(row: ServingRow) -> list[tuple[float, float]]:
    return [(row.pp or 1.0, row.dp or 1.0)]


def _spreads(row: ServingRow, tp: float, dp: float) -> tuple[float, ...]:
    ranks = tp * dp
    if not row.model.experts:
        return (1.0,)
    if row.ep is not None and row.ep > 1:
        return (min(row.ep, ranks),)
    if dp > 1:
        return (ranks,)
    if row.ep is not None:
        return (1.0,)
    return (1.0, ranks) if ranks > 1 and row.model.experts % ranks == 0 else (1.0,)
