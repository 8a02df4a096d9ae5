"""Candidate layouts of a model on a chip, as one flat mesh, built by broadcasting and kept by content.

A mesh depends on counts alone (heads, layers, experts, domain, chips, lengths), not on speeds, so that one mesh serves every
chip of the same domain. The arrays are shared and therefore read-only.
"""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from exaplan.domain.technology import Model
from exaplan.perf.machine import Machine
from exaplan.perf.schedules import DUAL_PIPE, ONE_F_ONE_B, SCHEDULES, ZERO_BUBBLE
from exaplan.perf.serving import ServeMesh
from exaplan.perf.shapes import Array, Mask
from exaplan.perf.training import FULL, KEEP_ALL, SELECTIVE, TrainMesh, TrainRequest

REPLICA_CHIPS_MAX = 256.0
"""Largest serving replica searched; published wide-expert deployments use up to 320 chips."""
SLOTS_MAX = 1024.0
_TENSOR_MAX, _SERVING_STAGES_MAX, _TRAINING_STAGES_MAX, _EXPERT_RANKS_MAX = 64.0, 16.0, 64.0, 256.0
_MICRO = (1.0, 2.0, 4.0, 8.0)
_CHUNKS = (
    (1.0, ONE_F_ONE_B),
    (2.0, ONE_F_ONE_B),
    (4.0, ONE_F_ONE_B),
    (8.0, ONE_F_ONE_B),
    (1.0, ZERO_BUBBLE),
    (1.0, DUAL_PIPE),
)
_CONTEXT_TOKENS = 8192.0  # fewest tokens of a sequence on a context-parallel rank worth searching
_CONTEXT_MAX = 64.0
_KEPT = 16  # meshes of each kind; one holds up to 2 MB, one of very long sequences up to 10 MB


class _Counts(NamedTuple):
    """Everything about a model and a chip that a mesh depends on."""

    heads: int
    layers: int
    experts: int
    domain: float


def serving_mesh(model: Model, machine: Machine, chips_max: float = REPLICA_CHIPS_MAX) -> ServeMesh:
    """All serving layouts of a model on a chip: tp x attention-dp x pp x ep x slots, slots innermost.

    Tensor parallelism stays inside the scale-up domain. Experts are split like dense blocks, spread over the ranks of a
    stage, or, with several attention groups, always spread.
    """
    return _serving(_counts(model, machine), min(float(chips_max), REPLICA_CHIPS_MAX))


def training_mesh(model: Model, machine: Machine, request: TrainRequest) -> TrainMesh:
    """All training layouts of a job: tp x pp x cp x ep x microbatch x interleave x recomputation x ZeRO x schedule.

    The rest of the cluster is data parallel, rounded down. ZeRO-3 goes without a pipeline; sequences are shared by
    context-parallel ranks where they are long; zero-bubble schedules do not interleave.
    """
    sequence = float(request.sequence_tokens)
    micro = tuple(size for size in _MICRO if size * sequence <= request.batch_tokens) or (1.0,)
    return _training(_counts(model, machine), float(request.cluster_chips), sequence, micro)


def serving_names(mesh: ServeMesh, precision: str) -> tuple[str, ...]:
    """Name configurations as estimates do: layout, sequences in flight, precision."""
    columns = (mesh.tp, mesh.pp, mesh.ep, mesh.dp, mesh.batch)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return tuple(
        f"tp{tp:.0f}-pp{pp:.0f}-ep{ep:.0f}-dp{dp:.0f}-batch{batch:.0f}-{precision}"
        for tp, pp, ep, dp, batch in rows
    )


def training_names(mesh: TrainMesh, precision: str) -> tuple[str, ...]:
    """Name configurations as estimates do: layout, microbatch, chunks, options, precision."""
    columns = [getattr(mesh, field.name).tolist() for field in fields(mesh)]
    again = {KEEP_ALL: "", SELECTIVE: "-selective", FULL: "-recompute"}
    found = []
    for tp, pp, ep, dp, cp, micro, chunks, redone, zero, schedule in zip(*columns, strict=True):
        across = f"-cp{cp:.0f}" if cp > 1 else ""
        order = "" if schedule == ONE_F_ONE_B else f"-{SCHEDULES[schedule]}"
        layout = f"tp{tp:.0f}-pp{pp:.0f}-ep{ep:.0f}-dp{dp:.0f}-mbs{micro:.0f}-v{chunks:.0f}{across}"
        found.append(f"{layout}{again[redone]}-zero{zero:.0f}{order}-{precision}")
    return tuple(found)


def _counts(model: Model, machine: Machine) -> _Counts:
    return _Counts(model.heads, model.layers, model.experts, float(machine.domain))


def _powers(limit: float) -> Array:
    return np.asarray(2.0 ** np.arange(int(np.log2(max(limit, 1.0))) + 1))


def _tensor_splits(counts: _Counts, chips: float) -> Array:
    splits = _powers(min(counts.domain, chips, _TENSOR_MAX))
    return np.asarray(splits[counts.heads % splits == 0])


def _pick(allowed: Mask, *axes: Array) -> list[Array]:
    """Values of each axis at the allowed points of the grid, last axis fastest."""
    return [axis[index] for axis, index in zip(axes, np.nonzero(allowed), strict=True)]


@lru_cache(maxsize=_KEPT)
def _serving(counts: _Counts, limit: float) -> ServeMesh:
    tp, groups = _tensor_splits(counts, limit), _powers(limit) if counts.experts else np.ones(1)
    stages = _powers(min(_SERVING_STAGES_MAX, counts.layers))
    dp, pp, spread = groups[:, None, None], stages[:, None], np.array([False, True])
    ranks = tp[:, None, None, None] * dp
    several, divisible = dp > 1, (counts.experts > 0) & (counts.experts % ranks == 0)
    useful = np.where(spread, divisible & (ranks > 1), ~several)
    at_tp, at_dp, at_pp, spreads = _pick(useful & (ranks * pp <= limit), tp, groups, stages, spread * 1.0)
    slots = np.unique(np.round(2.0 ** np.arange(0, np.log2(SLOTS_MAX) + 0.01, 0.25)))
    ep = np.where(spreads > 0, at_tp * at_dp, 1.0)
    layouts = [np.repeat(column, slots.size) for column in (at_tp, at_pp, ep, at_dp)]
    return ServeMesh(*_frozen([*layouts, np.tile(slots, at_tp.size)]))


@lru_cache(maxsize=_KEPT)
def _training(counts: _Counts, chips: float, sequence: float, micro: tuple[float, ...]) -> TrainMesh:
    tp, pp = _tensor_splits(counts, chips), _powers(min(_TRAINING_STAGES_MAX, counts.layers))
    cp, ep = (
        _powers(min(sequence / _CONTEXT_TOKENS, _CONTEXT_MAX)),
        _powers(min(counts.experts, _EXPERT_RANKS_MAX)),
    )
    ep = ep[counts.experts % ep == 0] if counts.experts else np.ones(1)
    chunks, schedule = np.array(_CHUNKS).T
    again, zero = np.array([KEEP_ALL, SELECTIVE, FULL]), np.array([1.0, 3.0])
    ranks = tp[:, None, None] * cp  # axes: tp, pp, cp
    dp = np.floor(chips / (ranks * pp[:, None]))
    reached = (dp >= 1)[..., None] & (ep <= (ranks * dp)[..., None])  # axes: tp, pp, cp, ep
    staged = (pp > 1)[:, None]
    cut = np.where(
        schedule > ONE_F_ONE_B, staged, (chunks == 1) | (staged & (chunks * pp[:, None] <= counts.layers))
    )
    sharded = (zero < 3) | ((pp == 1)[:, None] & (dp * cp > 1))[..., None]  # axes: tp, pp, cp, zero
    allowed = (
        reached[:, :, :, :, None, None, None, None]
        & cut[:, None, None, None, :, None, None]
        & sharded[:, :, :, None, None, None, None, :]
        & np.ones((len(micro), 1, again.size, 1), dtype=bool)
    )
    axes = (tp, pp, cp, ep, np.array(micro), np.arange(chunks.size), again, zero)
    at_tp, at_pp, at_cp, at_ep, size, cuts, recompute, stage = _pick(allowed, *axes)
    at_dp = np.floor(chips / (at_tp * at_pp * at_cp))
    kinds = [chunks[cuts], recompute, stage, schedule[cuts]]
    return TrainMesh(*_frozen([at_tp, at_pp, at_ep, at_dp, at_cp, size, *kinds]))


def _frozen(columns: list[Array]) -> list[Array]:
    for column in columns:
        column.setflags(write=False)
    return columns
