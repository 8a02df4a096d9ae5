"""Search over parallel layouts: one flat mesh, memory mask first, everything else as arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from exaplan.domain.technology import Model
from exaplan.perf.machine import Machine
from exaplan.perf.meshes import REPLICA_CHIPS_MAX, SLOTS_MAX, serving_mesh, training_mesh
from exaplan.perf.schedules import DUAL_PIPE
from exaplan.perf.serving import ServeMesh, ServeRequest, ServeResult, serve_closed_loop, serving_memory_bytes
from exaplan.perf.shapes import Array, Mask
from exaplan.perf.training import (
    TrainMesh,
    TrainRequest,
    TrainResult,
    microbatches,
    train_step,
    training_memory_bytes,
)

__all__ = [
    "REPLICA_CHIPS_MAX",
    "SLOTS_MAX",
    "Found",
    "search_serving",
    "search_training",
    "serving_mesh",
    "training_mesh",
]

MeshT = TypeVar("MeshT", TrainMesh, ServeMesh)
ResultT = TypeVar("ResultT", TrainResult, ServeResult)


@dataclass(frozen=True)
class Found(Generic[MeshT, ResultT]):
    """Outcome of a search: configurations that fit, those within all limits in order, or the reason why there is none."""

    mesh: MeshT
    result: ResultT
    order: np.ndarray  # indices into mesh and result, best first; empty when nothing is feasible
    searched: int
    reason: str


def search_serving(
    model: Model,
    machine: Machine,
    request: ServeRequest,
    chips_max: float = REPLICA_CHIPS_MAX,
) -> Found[ServeMesh, ServeResult]:
    """Find the serving layouts with most tokens/s per chip within memory, TPOT and TTFT limits.

    Parameters
    ----------
    model, machine, request : Model, Machine, ServeRequest
        What runs where, and the average request with its limits.
    chips_max : float
        Chips of a replica at most.

    Returns
    -------
    Found
        ``order`` is empty, and ``reason`` says which limit stops it, when no layout is feasible.
    """
    mesh = serving_mesh(model, machine, chips_max)
    searched = mesh.tp.size
    memory = serving_memory_bytes(model, machine, request, mesh)
    fits, reason = _fits(machine, memory)
    mesh = mesh.take(fits)
    result = serve_closed_loop(model, machine, request, mesh, memory=False)
    result = replace(result, memory_bytes=memory[fits])
    within = result.tpot_s <= request.tpot_s
    if not reason and not within.any():
        fastest, limit = 1e3 * float(result.tpot_s.min()), 1e3 * request.tpot_s
        reason = f"TPOT: the fastest layout needs {fastest:.1f} ms, the limit is {limit:.1f} ms"
    if request.ttft_s is not None and within.any():
        soonest = 1e3 * float(result.ttft_s[within].min())
        within &= result.ttft_s <= request.ttft_s
        if not within.any():
            reason = (
                f"TTFT: the soonest layout needs {soonest:.0f} ms, the limit is {1e3 * request.ttft_s:.0f} ms"
            )
    order = _best(result.tokens_per_s_per_chip, mesh.chips, within)
    return Found(mesh, result, order, searched, reason)


def search_training(model: Model, machine: Machine, request: TrainRequest) -> Found[TrainMesh, TrainResult]:
    """Find the training layouts with most tokens/s per chip that fit in memory.

    Returns
    -------
    Found
        ``order`` is empty, and ``reason`` gives the memory needed, when no layout is feasible.
    """
    mesh = training_mesh(model, machine, request)
    searched = mesh.tp.size
    memory = training_memory_bytes(model, machine, request, mesh)
    fits, reason = _fits(machine, memory)
    if searched == 0:
        reason = "cluster: a job needs at least one whole chip"
    # its authors' implementation takes two microbatches a stage at least (github.com/deepseek-ai/DualPipe)
    fits &= (mesh.schedule != DUAL_PIPE) | (microbatches(request, mesh) >= 2 * mesh.pp)
    mesh = mesh.take(fits)
    result = train_step(model, machine, request, mesh, memory=False)
    result = replace(result, memory_bytes=memory[fits])
    allowed = np.ones(mesh.tp.size, dtype=bool)
    order = _best(result.tokens_per_s_per_chip, mesh.chips, allowed)
    return Found(mesh, result, order, searched, reason)


def _fits(machine: Machine, memory: Array) -> tuple[Mask, str]:
    """Mark configurations that fit; say what is missing where there is none."""
    usable = machine.memory_bytes * machine.knobs.usable_share
    fits = memory <= usable
    if fits.any() or not fits.size:
        return fits, ""
    least = float(memory.min())
    return (
        fits,
        f"memory: the leanest layout needs {least / 1e9:.1f} GB per chip, {usable / 1e9:.1f} GB are usable",
    )


def _best(rate: Array, chips: Array, allowed: Mask) -> np.ndarray:
    """Rank allowed configurations: fastest per chip first, fewer chips first among equals, else as in the mesh.

    Only equals need the slow sort by several keys.
    """
    index = np.flatnonzero(allowed)
    order = index[np.argsort(-rate[index])]
    equal = rate[order[1:]] == rate[order[:-1]]
    if equal.any():
        tied = np.zeros(order.size, dtype=bool)
        tied[1:] |= equal
        tied[:-1] |= equal
        again = order[tied]
        order[tied] = again[np.lexsort((again, chips[again], -rate[again]))]
    return np.asarray(order)
