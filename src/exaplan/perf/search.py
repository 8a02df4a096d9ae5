"""Search over parallel layouts: one flat mesh, memory mask first, everything else as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Generic, TypeVar

import numpy as np

from exaplan.domain.technology import Model
from exaplan.perf.counts import Array
from exaplan.perf.machine import Machine
from exaplan.perf.serving import ServeMesh, ServeRequest, ServeResult, serve_closed_loop, serving_memory_bytes
from exaplan.perf.training import TrainMesh, TrainRequest, TrainResult, train_step, training_memory_bytes

MeshT = TypeVar("MeshT", TrainMesh, ServeMesh)
ResultT = TypeVar("ResultT", TrainResult, ServeResult)

REPLICA_CHIPS_MAX = 256.0
"""Largest serving replica searched; published wide-expert deployments use up to 320 chips."""
SLOTS_MAX = 1024.0
_MICRO = (1.0, 2.0, 4.0, 8.0)
_INTERLEAVE = (1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True)
class Found(Generic[MeshT, ResultT]):
    """Outcome of a search: the best configurations in order, or the reason why there is none."""

    mesh: MeshT
    result: ResultT
    order: np.ndarray  # indices into mesh and result, best first; empty when nothing is feasible
    searched: int
    reason: str


def _powers(limit: float) -> tuple[float, ...]:
    return tuple(2.0**exponent for exponent in range(int(np.log2(max(limit, 1.0))) + 1))


def _tensor_splits(model: Model, machine: Machine, chips: float) -> tuple[float, ...]:
    limit = min(machine.domain, chips, 64)
    return tuple(tp for tp in _powers(limit) if model.heads % tp == 0)


def _columns(rows: list[tuple[float, ...]], width: int) -> list[Array]:
    return list(np.asarray(rows, dtype=float).reshape(-1, width).T.copy())


def serving_mesh(model: Model, machine: Machine, chips_max: float = REPLICA_CHIPS_MAX) -> ServeMesh:
    """All serving layouts of a model on a chip: tp x attention-dp x ep x pp x slots.

    Tensor parallelism stays inside the scale-up domain. Experts are split like dense blocks, spread over the ranks of a
    stage, or, with several attention groups, always spread.
    """
    layouts: list[tuple[float, ...]] = []
    limit = min(chips_max, REPLICA_CHIPS_MAX)
    groups = _powers(limit) if model.experts else (1.0,)
    for tp, dp, pp in product(_tensor_splits(model, machine, limit), groups, _powers(min(16, model.layers))):
        ranks = tp * dp
        if ranks * pp > limit or (dp > 1 and model.experts % ranks):
            continue
        spreads = {ranks} if dp > 1 else {1.0, ranks if model.experts and model.experts % ranks == 0 else 1.0}
        layouts += [(tp, pp, ep, dp) for ep in sorted(spreads)]
    slots = np.unique(np.round(2.0 ** np.arange(0, np.log2(SLOTS_MAX) + 0.01, 0.25)))
    columns = [np.repeat(column, slots.size) for column in _columns(layouts, 4)]
    tp_, pp_, ep_, dp_ = columns
    return ServeMesh(tp=tp_, pp=pp_, ep=ep_, dp=dp_, slots=np.tile(slots, len(layouts)))


def training_mesh(model: Model, machine: Machine, request: TrainRequest) -> TrainMesh:
    """All training layouts of a job: tp x pp x ep x microbatch x interleave x recomputation x ZeRO-3.

    The rest of the cluster is data parallel, rounded down. ZeRO-3 goes without a pipeline.
    """
    rows: list[tuple[float, ...]] = []
    chips = request.cluster_chips
    micro = [size for size in _MICRO if size * request.sequence_tokens <= request.batch_tokens] or [1.0]
    spreads = (
        [ep for ep in _powers(min(model.experts, 256)) if model.experts % ep == 0] if model.experts else [1.0]
    )
    stages = [pp for pp in _powers(64) if pp <= model.layers]
    for tp, pp in product(_tensor_splits(model, machine, chips), stages):
        dp = np.floor(chips / (tp * pp))
        if dp < 1:
            continue
        chunks = [v for v in _INTERLEAVE if v == 1 or (pp > 1 and v * pp <= model.layers)]
        sharding = (0.0, 1.0) if pp == 1 and dp > 1 else (0.0,)
        reachable = [ep for ep in spreads if ep <= tp * dp]
        rows += [
            (tp, pp, ep, dp, size, v, again, sharded)
            for ep, size, v, again, sharded in product(reachable, micro, chunks, (0.0, 1.0), sharding)
        ]
    tp_, pp_, ep_, dp_, micro_, chunks_, again_, sharded_ = _columns(rows, 8)
    return TrainMesh(tp_, pp_, ep_, dp_, micro_, chunks_, again_ > 0, sharded_ > 0)


def search_serving(
    model: Model, machine: Machine, request: ServeRequest, chips_max: float = REPLICA_CHIPS_MAX
) -> Found[ServeMesh, ServeResult]:
    """Find the serving layouts with most tokens/s per chip within memory, TPOT and TTFT limits.

    Returns
    -------
    Found
        ``order`` is empty, and ``reason`` says which limit stops it, when no layout is feasible.
    """
    mesh = serving_mesh(model, machine, chips_max)
    searched = mesh.tp.size
    memory = serving_memory_bytes(model, machine, request, mesh)
    usable = machine.memory_bytes * machine.knobs.usable_share
    fits = memory <= usable
    reason = "" if fits.any() else _memory_reason(float(memory.min()), usable)
    mesh = mesh.take(fits)
    result = serve_closed_loop(model, machine, request, mesh)
    within = result.tpot_s <= request.tpot_s
    if fits.any() and not within.any():
        fastest, limit = 1e3 * float(result.tpot_s.min()), 1e3 * request.tpot_s
        reason = f"TPOT: the fastest layout needs {fastest:.1f} ms, the limit is {limit:.1f} ms"
    if request.ttft_s is not None and within.any():
        soonest = 1e3 * float(result.ttft_s[within].min())
        within &= result.ttft_s <= request.ttft_s
        if not within.any():
            reason = (
                f"TTFT: the soonest layout needs {soonest:.0f} ms, the limit is {1e3 * request.ttft_s:.0f} ms"
            )
    return Found(mesh, result, _best(result.tokens_per_s_per_chip, mesh.chips, within), searched, reason)


def search_training(model: Model, machine: Machine, request: TrainRequest) -> Found[TrainMesh, TrainResult]:
    """Find the training layouts with most tokens/s per chip that fit in memory.

    Returns
    -------
    Found
        ``order`` is empty, and ``reason`` gives the memory needed, when no layout is feasible.
    """
    mesh = training_mesh(model, machine, request)
    searched = mesh.tp.size
    if searched == 0:
        result = train_step(model, machine, request, mesh)
        return Found(
            mesh, result, np.zeros(0, dtype=np.intp), 0, "cluster: a job needs at least one whole chip"
        )
    memory = training_memory_bytes(model, machine, request, mesh)
    usable = machine.memory_bytes * machine.knobs.usable_share
    fits = memory <= usable
    reason = "" if fits.any() else _memory_reason(float(memory.min()), usable)
    mesh = mesh.take(fits)
    result = train_step(model, machine, request, mesh)
    order = _best(result.tokens_per_s_per_chip, mesh.chips, np.ones(mesh.tp.size, dtype=bool))
    return Found(mesh, result, order, searched, reason)


def _memory_reason(least: float, usable: float) -> str:
    return f"memory: the leanest layout needs {least / 1e9:.1f} GB per chip, {usable / 1e9:.1f} GB are usable"


def _best(rate: Array, chips: Array, allowed: np.ndarray) -> np.ndarray:
    """Rank allowed configurations: fastest per chip first, fewer chips first among equals."""
    index = np.flatnonzero(allowed)
    return np.asarray(index[np.lexsort((chips[index], -rate[index]))])
