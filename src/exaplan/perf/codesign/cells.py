"""One cell of the design grid: a shape on a chip with kernels, searched over its layouts; and cells re-evaluated in bulk.

A cell keeps its best few configurations. They are what later draws of the coefficients are evaluated on, all cells in
one call: layouts beyond them would have to gain more than the draws' spread to overtake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from exaplan.domain.technology import Model
from exaplan.perf.calibration.hierarchy import RULES
from exaplan.perf.codesign.silicon import Silicon, chip_of, knobs_of
from exaplan.perf.knobs import Knobs
from exaplan.perf.machine import Machine, Precision, machine_of, stack_machines, take_machines
from exaplan.perf.search import serving_mesh, training_mesh
from exaplan.perf.serving import ServeMesh, ServeRequest, serve_closed_loop, serving_memory_bytes
from exaplan.perf.shapes import stack_models
from exaplan.perf.training import TrainMesh, TrainRequest, train_step, training_memory_bytes

Array = NDArray[np.float64]
Index = NDArray[np.intp]
MeshT = TypeVar("MeshT", ServeMesh, TrainMesh)

UNFUSED_VALUES, FUSED_VALUES = 27.0, 16.0
"""Values moved per token and unit of width: ends of the range fitted on published training tables, 16-27."""
FUSION_TOKENS = 2048.0
"""Tokens whose activations a fused kernel keeps on the chip; assumed."""
_KEPT = 48
_FINER = 4
_MICRO_MAX, _STAGES_MAX = 4.0, 32.0
_CHUNKS = (1.0, 4.0)


@dataclass(frozen=True)
class Kernels:
    """A choice of kernels: precision of each phase, fusion of elementwise work, attention on latents.

    ``absorbed`` says whether a model with latent attention decodes on the latent itself or expands keys and values again
    in every step; to any other model both are the same.
    """

    id: str
    serving: Precision
    training: Precision
    fused: bool
    absorbed: bool = True


@dataclass(frozen=True)
class Layout:
    """A rule for parallelism: what is given is held, what is None is searched."""

    id: str
    tp: float | None = None
    pp: float | None = None
    spread: bool | None = None  # experts over ranks (True), split like dense blocks (False)

    def allows(self, model: Model, mesh: ServeMesh | TrainMesh) -> NDArray[np.bool_]:
        """Say which configurations obey the rule; a dense model has no experts to spread."""
        allowed = np.ones(mesh.tp.size, dtype=bool)
        for held, column in ((self.tp, mesh.tp), (self.pp, mesh.pp)):
            if held is not None:
                allowed &= column == held
        if self.spread is not None and model.experts:
            allowed &= (mesh.ep > 1) == self.spread
        return allowed


@dataclass(frozen=True)
class Workload:
    """What the design is for: an average request under its limits, a training job, and the tokens served in its life."""

    serve: ServeRequest
    train: TrainRequest
    served_tokens: float
    replica_chips_max: float = 64.0


@dataclass(frozen=True)
class ServingCell:
    """Best serving configurations of a model on a machine under one layout rule, best first."""

    model: Model
    machine: Machine
    mesh: ServeMesh
    rate: Array  # tokens/s per chip
    absorbed: bool = True


@dataclass(frozen=True)
class TrainingCell:
    """Best training configurations of a model on a machine under one layout rule, best first."""

    model: Model
    machine: Machine
    mesh: TrainMesh
    rate: Array  # tokens/s per chip


def designed_machine(
    silicon: Silicon, precision: Precision, model: Model, *, fused: bool, knobs: Knobs | None = None
) -> Machine:
    """Machine of a designed chip with the elementwise traffic that kernels and SRAM leave.

    Fusion saves traffic in proportion to the share of a block of activations that SRAM holds.
    """
    held = min(silicon.sram_bytes / (FUSION_TOKENS * model.hidden * 2.0), 1.0) if fused else 0.0
    moved = UNFUSED_VALUES - (UNFUSED_VALUES - FUSED_VALUES) * held
    given = knobs or knobs_of(silicon)
    coefficients = replace(given, elementwise_values=moved, training_elementwise_values=moved)
    return machine_of(chip_of(silicon), precision, coefficients)


def serving_cells(
    model: Model, machine: Machine, workload: Workload, layouts: Sequence[Layout], *, absorbed: bool = True
) -> tuple[ServingCell, ...]:
    """Search serving once and pick the best configurations under each layout rule."""
    request = replace(workload.serve, absorbed=absorbed)
    mesh = _finer(serving_mesh(model, machine, workload.replica_chips_max))
    fits = serving_memory_bytes(model, machine, request, mesh) <= _usable(machine)
    mesh = mesh.take(fits)
    rate = serving_rate(model, machine, request, mesh)
    picks = [_best(rate, layout.allows(model, mesh)) for layout in layouts]
    return tuple(ServingCell(model, machine, mesh.take(pick), rate[pick], absorbed) for pick in picks)


def training_cells(
    model: Model, machine: Machine, workload: Workload, layouts: Sequence[Layout]
) -> tuple[TrainingCell, ...]:
    """Search training once and pick the best configurations under each layout rule.

    The mesh is that of the training search, thinned: microbatches up to 4 sequences, 1 or 4 chunks, up to 32 stages.
    """
    mesh = training_mesh(model, machine, workload.train)
    few = (mesh.micro <= _MICRO_MAX) & (mesh.pp <= _STAGES_MAX) & np.isin(mesh.interleave, _CHUNKS)
    mesh = mesh.take(few)
    fits = training_memory_bytes(model, machine, workload.train, mesh) <= _usable(machine)
    mesh = mesh.take(fits)
    rate = np.asarray(train_step(model, machine, workload.train, mesh).tokens_per_s_per_chip)
    picks = [_best(rate, layout.allows(model, mesh)) for layout in layouts]
    return tuple(TrainingCell(model, machine, mesh.take(pick), rate[pick]) for pick in picks)


def serving_rate(
    model: Model, machine: Machine, request: ServeRequest, mesh: ServeMesh, *, per_chip_max: float = np.inf
) -> Array:
    """Tokens/s per chip of each configuration, zero where a latency limit or the batch per chip is exceeded."""
    result = serve_closed_loop(model, machine, request, mesh)
    allowed = (result.tpot_s <= request.tpot_s) & (mesh.batch <= per_chip_max * mesh.chips)
    if request.ttft_s is not None:
        allowed &= result.ttft_s <= request.ttft_s
    return np.where(allowed, result.tokens_per_s_per_chip, 0.0)


def _finer(mesh: ServeMesh) -> ServeMesh:
    """Put whole batches between those of the search, so that a latency limit is met as closely by every design.

    The search steps by a fifth: where the limit falls between two batches would else be worth up to as much in rate.
    """
    steps = 2.0 ** (np.arange(_FINER) / 4 / _FINER)
    every = mesh.take(np.tile(np.arange(mesh.slots.size), _FINER))
    slots = np.round(np.repeat(steps, mesh.slots.size) * every.slots)
    below = np.arange(slots.size) < mesh.slots.size
    return replace(every, slots=slots).take(below | (slots > every.slots))


def _usable(machine: Machine) -> float:
    return float(machine.memory_bytes * machine.knobs.usable_share)


def _best(rate: Array, allowed: NDArray[np.bool_]) -> Index:
    """Best configurations first, then a few slower ones spread over the rest, should a limit move."""
    index = np.flatnonzero(allowed & (rate > 0))
    order = index[np.argsort(-rate[index], kind="stable")]
    tail = np.unique(np.geomspace(_KEPT + 1, max(order.size, _KEPT + 2), _KEPT // 2).astype(int)) - 1
    return np.asarray(np.concatenate([order[:_KEPT], order[tail[tail < order.size]]]), dtype=np.intp)


def drawn_serving_rates(
    cells: Sequence[ServingCell], workload: Workload, multipliers: Sequence[Mapping[str, Array]]
) -> Array:
    """Best serving rate of each cell under each draw of the coefficients.

    Parameters
    ----------
    cells : sequence of ServingCell
        Cells, with their kept configurations; one without any has rate 0 throughout.
    workload : Workload
        Request and limits.
    multipliers : sequence over draws of mapping
        Factor of each coefficient by name, one value per cell.

    Returns
    -------
    array, shape [draw, cell]
        Tokens/s per chip.
    """
    owner = _owners([cell.rate.size for cell in cells])
    out = np.zeros((len(multipliers), len(cells)))
    if owner.size == 0:
        return out
    mesh = _joined([cell.mesh for cell in cells])
    models = stack_models([cell.model for cell in cells]).take(owner)
    machines = stack_machines([cell.machine for cell in cells])
    request = replace(workload.serve, absorbed=np.array([cell.absorbed for cell in cells])[owner])
    for draw, factors in enumerate(multipliers):
        machine = take_machines(machines, owner, _drawn_knobs(machines.knobs, owner, factors))
        result = serve_closed_loop(models, machine, request, mesh, memory=False)
        allowed = result.tpot_s <= workload.serve.tpot_s
        if workload.serve.ttft_s is not None:
            allowed &= result.ttft_s <= workload.serve.ttft_s
        np.maximum.at(out[draw], owner, np.where(allowed, result.tokens_per_s_per_chip, 0.0))
    return out


def drawn_training_rates(
    cells: Sequence[TrainingCell], workload: Workload, multipliers: Sequence[Mapping[str, Array]]
) -> Array:
    """Best training rate of each cell under each draw; as ``drawn_serving_rates``, shape [draw, cell]."""
    owner = _owners([cell.rate.size for cell in cells])
    out = np.zeros((len(multipliers), len(cells)))
    if owner.size == 0:
        return out
    mesh = _joined([cell.mesh for cell in cells])
    models = stack_models([cell.model for cell in cells]).take(owner)
    machines = stack_machines([cell.machine for cell in cells])
    for draw, factors in enumerate(multipliers):
        machine = take_machines(machines, owner, _drawn_knobs(machines.knobs, owner, factors))
        rate = train_step(models, machine, workload.train, mesh, memory=False).tokens_per_s_per_chip
        np.maximum.at(out[draw], owner, np.asarray(rate))
    return out


def _owners(sizes: Sequence[int]) -> Index:
    return np.repeat(np.arange(len(sizes)), sizes)


def _joined(meshes: Sequence[MeshT]) -> MeshT:
    kind = type(meshes[0])
    return kind(
        **{
            field.name: np.concatenate([getattr(mesh, field.name) for mesh in meshes])
            for field in fields(kind)
        }
    )


def _drawn_knobs(knobs: Knobs, owner: Index, factors: Mapping[str, Array]) -> Knobs:
    """Coefficients per row, times the factor of the row's cell; none is drawn beyond its physical bound."""
    values: dict[str, Array] = {}
    for field in fields(Knobs):
        row = np.asarray(getattr(knobs, field.name), dtype=float)[owner]
        if field.name in factors:
            drawn = row * factors[field.name][owner]
            # what a design starts from may lie outside the bounds of the fit: then it is its own bound
            bound = RULES[field.name].high if field.name in RULES else np.inf
            row = np.minimum(drawn, np.maximum(row, bound))
        values[field.name] = row
    return Knobs(**values)
