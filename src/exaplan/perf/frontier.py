"""Pareto frontiers of a model on a chip: throughput against latency and size, kept by content.

Serving trades tokens/s per chip against the time per output token and the chips of a replica. Training trades the time of
a step against the chips of the cluster: of the cluster sizes that are asked about those stay which no smaller one
matches in speed; tokens/s per chip follows from both.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from exaplan.domain.calibration import Calibration
from exaplan.domain.technology import Chip, Model
from exaplan.perf.calibration.coefficients import calibrated_knobs
from exaplan.perf.machine import Machine, Precision, best_serving_precision, machine_of
from exaplan.perf.meshes import REPLICA_CHIPS_MAX, serving_names, training_names
from exaplan.perf.search import search_serving, search_training
from exaplan.perf.serving import ServeMesh, ServeRequest
from exaplan.perf.shapes import Array
from exaplan.perf.training import TrainMesh, TrainRequest

Request = ServeRequest | TrainRequest
Task = tuple[Model, Chip, Request, Calibration | None]
Map = Callable[[Callable[[Task], "Frontier"], Iterable[Task]], Iterable["Frontier"]]
CLUSTER_HALVINGS = 5
"""A training frontier looks at the cluster asked about and at this many halvings of it."""


@dataclass(frozen=True)
class Frontier:
    """Configurations that no other beats, soonest token first (serve) or smallest cluster first (train).

    Axis of the arrays: point. They are empty, and ``reason`` says why, where nothing is feasible.
    """

    key: str  # of the content: records, request, coefficients, engine
    model: str
    chip: str
    phase: Literal["serve", "train"]
    precision: Precision
    configurations: tuple[str, ...]
    mesh: ServeMesh | TrainMesh
    tokens_per_s_per_chip: Array  # input and output
    time_s: Array  # per output token (serve), per step (train)
    ttft_s: Array  # NaN where training
    chips: Array  # of a replica (serve), of the cluster (train)
    memory_bytes: Array  # on the fullest chip
    searched: int
    reason: str


def pareto(cost: Array, gain: Array, size: Array) -> NDArray[np.intp]:
    """Points that no other beats: lower cost, higher gain, smaller size. One of several equal points stays.

    In order of cost a point is beaten when an earlier one of its size or less has at least its gain: one running
    maximum per distinct size, no loop over points.

    Parameters
    ----------
    cost, gain, size : array, axis point
        Three criteria; ``size`` has few distinct values.

    Returns
    -------
    array of int
        Indices in order of cost.

    Examples
    --------
    >>> pareto(np.array([1.0, 2.0, 3.0]), np.array([5.0, 4.0, 9.0]), np.array([1.0, 1.0, 1.0])).tolist()
    [0, 2]
    >>> pareto(np.array([1.0, 2.0, 3.0]), np.array([5.0, 4.0, 9.0]), np.array([2.0, 1.0, 4.0])).tolist()
    [0, 1, 2]
    """
    order = np.lexsort((size, -gain, cost))
    if order.size == 0:
        return order
    sizes, level = np.unique(size[order], return_inverse=True)
    gains = gain[order]
    seen = np.where(np.arange(sizes.size)[:, None] >= level, gains, -np.inf)  # axes: size, point in order
    best = np.maximum.accumulate(seen, axis=1)
    before = np.concatenate([[-np.inf], best[level[1:], np.arange(order.size - 1)]])
    return np.asarray(order[gains > before])


def frontier(
    model: Model,
    chip: Chip,
    request: Request,
    *,
    precision: Precision | None = None,
    calibration: Calibration | None = None,
    chips_max: float = REPLICA_CHIPS_MAX,
    clusters: Sequence[float] = (),
) -> Frontier:
    """Search one request and keep what no other configuration beats.

    Parameters
    ----------
    model, chip : Model, Chip
        Records from the catalogue or a lab.
    request : ServeRequest or TrainRequest
        An average request whose limits hold (leave them out to see what they cost), or a job at its largest cluster.
    precision : {"bf16", "fp8", "fp4", "int8"}, optional
        Of matrix products. Absent: as in ``exaplan.perf.estimate.survey``.
    calibration : Calibration, optional
        Fitted coefficients; the starting ones where not given.
    chips_max : float
        Chips of a serving replica at most.
    clusters : sequence of float
        Cluster sizes of a training frontier; the request's and its halvings where empty.

    Returns
    -------
    Frontier
        Points with their configurations.
    """
    machine = _machine(chip, request, precision, calibration)
    sizes = tuple(sorted({float(size) for size in clusters})) or _sizes(request, chips_max)
    key = content_key(model, machine, request, sizes)
    if isinstance(request, ServeRequest):
        return _serving(key, model, machine, request, chips_max)
    return _training(key, model, machine, request, sizes)


def frontier_table(
    models: Sequence[Model],
    chips: Sequence[Chip],
    requests: Sequence[Request],
    *,
    calibration: Calibration | None = None,
    known: Mapping[str, Frontier] | None = None,
    map: Map = map,  # noqa: A002 - the word of every room for a parallel map
) -> tuple[Frontier, ...]:
    """Frontiers of every model on every chip for every request, requests innermost.

    Parameters
    ----------
    models, chips, requests : sequences
        The axes of the table.
    calibration : Calibration, optional
        Fitted coefficients; the starting ones where not given.
    known : mapping of str to Frontier, optional
        Frontiers by their key; those of the same content are taken from here.
    map : callable
        Serial by default; any ``map(function, tasks)`` that keeps the order.

    Returns
    -------
    tuple of Frontier
        With the reason where nothing fits.
    """
    tasks: list[Task] = [(*pair, calibration) for pair in itertools.product(models, chips, requests)]
    if not known:
        return tuple(map(_of_task, tasks))
    kept = [known.get(_key_of_task(task)) for task in tasks]
    fresh = iter(map(_of_task, [task for task, found in zip(tasks, kept, strict=True) if found is None]))
    return tuple(found if found is not None else next(fresh) for found in kept)


def _of_task(task: Task) -> Frontier:
    model, chip, request, calibration = task
    return frontier(model, chip, request, calibration=calibration)


def _key_of_task(task: Task) -> str:
    model, chip, request, calibration = task
    machine = _machine(chip, request, None, calibration)
    return content_key(model, machine, request, _sizes(request, REPLICA_CHIPS_MAX))


def _machine(
    chip: Chip, request: Request, precision: Precision | None, calibration: Calibration | None
) -> Machine:
    usual: Precision = best_serving_precision(chip) if isinstance(request, ServeRequest) else "bf16"
    return machine_of(chip, precision or usual, calibrated_knobs(chip, calibration))


def _sizes(request: Request, chips_max: float) -> tuple[float, ...]:
    """Largest replica, or the cluster and its halvings, smallest first."""
    if isinstance(request, ServeRequest):
        return (float(chips_max),)
    halved = np.floor(float(request.cluster_chips) / 2.0 ** np.arange(CLUSTER_HALVINGS + 1))
    return tuple(np.unique(np.maximum(halved, 1.0)).tolist())


def content_key(model: Model, machine: Machine, request: Request, sizes: tuple[float, ...]) -> str:
    """Hash everything that a frontier follows from: records, coefficients, request, and the engine itself.

    Parameters
    ----------
    model, machine, request : Model, Machine, ServeRequest or TrainRequest
        Content; the chip's figures and its coefficients are those of the machine.
    sizes : tuple of float
        Largest replica, or the cluster sizes.

    Raises
    ------
    TypeError
        When a number of the request is an array: a frontier belongs to one request.
    """
    if any(isinstance(value, np.ndarray) and value.ndim for value in vars(request).values()):
        raise TypeError("a frontier belongs to one request, not to rows of them")
    words = (engine_word(), model.model_dump_json(), repr(machine), repr(request), repr(sizes))
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


@lru_cache(maxsize=1)
def engine_word() -> str:
    """Name the engine by what it answers: a hash of a few results, so that no changed formula meets an old frontier.

    Rates of three toy architectures on two toy chips, to nine digits.
    """
    plain = Model(id="", layers=6, hidden=512, heads=8, kv_heads=2, head_dim=64, ffn=1536, vocab=4096)
    sparse = plain.model_copy(update={"experts": 16, "top_k": 2, "expert_ffn": 256, "first_dense_layers": 1})
    ranks = {"q_lora_rank": 128, "kv_lora_rank": 64, "qk_nope_head_dim": 64, "qk_rope_head_dim": 32}
    latent = sparse.model_copy(update={**ranks, "v_head_dim": 64, "shared_experts": 1})
    unit = Chip(
        id="",
        bf16_flop_per_s=1e15,
        fp8_flop_per_s=2e15,
        hbm_bytes=8e10,
        hbm_bandwidth_bytes_per_s=3e12,
        scale_up_domain=8,
        scale_up_bandwidth_bytes_per_s=4e11,
        scale_out_bandwidth_bytes_per_s=5e10,
    )
    array = unit.model_copy(update={"matrix_unit": "systolic", "matrix_tile": 128})
    serve = ServeRequest(1000.0, 200.0, prefix_share=0.2, draft_tokens=1.0, acceptance=0.5)
    train = TrainRequest(16384.0, 16384.0 * 64, 32.0)
    digest = hashlib.sha256()
    for model, chip in itertools.product((plain, sparse, latent), (unit, array)):
        machine = machine_of(chip, "fp8")
        replicas, jobs = search_serving(model, machine, serve), search_training(model, machine, train)
        for found in (replicas.result, jobs.result):
            for values in (found.tokens_per_s_per_chip, found.memory_bytes):
                digest.update(",".join(f"{value:.8e}" for value in values[::7].tolist()).encode())
    return digest.hexdigest()


def _serving(key: str, model: Model, machine: Machine, request: ServeRequest, chips_max: float) -> Frontier:
    found = search_serving(model, machine, request, chips_max)
    result, allowed = found.result, np.sort(found.order)
    chips, rate, tpot = found.mesh.chips, result.tokens_per_s_per_chip, result.tpot_s
    kept = allowed[pareto(tpot[allowed], rate[allowed], chips[allowed])]
    mesh = found.mesh.take(kept)
    return Frontier(
        key=key,
        model=model.id,
        chip=machine.chip,
        phase="serve",
        precision=machine.precision,
        configurations=serving_names(mesh, machine.precision),
        mesh=mesh,
        tokens_per_s_per_chip=rate[kept],
        time_s=tpot[kept],
        ttft_s=result.ttft_s[kept],
        chips=chips[kept],
        memory_bytes=result.memory_bytes[kept],
        searched=found.searched,
        reason=found.reason,
    )


def _training(
    key: str, model: Model, machine: Machine, request: TrainRequest, clusters: tuple[float, ...]
) -> Frontier:
    """Best job of each cluster size, then those sizes that buy speed."""
    jobs = [search_training(model, machine, replace(request, cluster_chips=size)) for size in clusters]
    best = [job.mesh.take(job.order[:1]) for job in jobs]
    sizes = np.repeat(clusters, [job.order[:1].size for job in jobs])
    columns = {
        field.name: np.concatenate([getattr(one, field.name) for one in best]) for field in fields(TrainMesh)
    }
    mesh = TrainMesh(**columns)

    def of(name: str) -> Array:
        return np.concatenate([getattr(job.result, name)[job.order[:1]] for job in jobs])

    step = of("step_s")
    kept = np.sort(pareto(step, np.zeros_like(step), sizes))
    return Frontier(
        key=key,
        model=model.id,
        chip=machine.chip,
        phase="train",
        precision=machine.precision,
        configurations=training_names(mesh.take(kept), machine.precision),
        mesh=mesh.take(kept),
        tokens_per_s_per_chip=of("tokens_per_s_per_chip")[kept],
        time_s=step[kept],
        ttft_s=np.full(kept.size, np.nan),
        chips=sizes[kept],
        memory_bytes=of("memory_bytes")[kept],
        searched=sum(job.searched for job in jobs),
        reason="" if sizes.size else jobs[-1].reason,
    )
