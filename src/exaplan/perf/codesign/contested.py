"""Sparse against dense once more, with coefficients that were fitted, and with draws of them and of the loss law.

``sparse_versus_dense`` lays out the contest; here its costs are counted again with given coefficients. Each chip, domain
and shape is searched once; its best layouts under each limit on the batch are what the draws are evaluated on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from exaplan.domain.technology import Chip, Model
from exaplan.perf.calibration.draws import one_draw
from exaplan.perf.codesign.cells import Layout, Workload, serving_rate, training_cells
from exaplan.perf.codesign.shapes import LossLaw, Reference, dense_of, equal_loss, with_expert_width
from exaplan.perf.codesign.sparsity import Contest
from exaplan.perf.counts import parameters
from exaplan.perf.knobs import Knobs, knobs_for
from exaplan.perf.machine import Machine, best_serving_precision, machine_of, stack_machines, take_machines
from exaplan.perf.search import serving_mesh
from exaplan.perf.serving import ServeMesh, serve_closed_loop, serving_memory_bytes
from exaplan.perf.shapes import Array, stack_models
from exaplan.perf.training import TrainMesh, train_step

_KEPT = 24  # layouts per limit on the batch
_KEPT_TRAINING = 8
_SEARCHED = (Layout("searched"),)
Index = NDArray[np.intp]


@dataclass(frozen=True)
class Draws:
    """What is uncertain: coefficients by chip, what they cannot explain by chip and family, and the loss law."""

    knobs: tuple[Knobs, ...]  # one per chip; fields have the axis draw
    serving: dict[str, Array]  # factor of a rate by ``dense`` and ``moe``; axes: chip, draw
    training: dict[str, Array]
    laws: Sequence[LossLaw]  # one per draw


@dataclass(frozen=True)
class Contested:
    """A contest with fitted coefficients, and its costs under each draw (axes: draw, then those of ``Contest``)."""

    contest: Contest
    sparse: Array
    dense: Array

    def drawn(self, draw: int) -> Contest:
        """Return the contest of one draw."""
        return replace(self.contest, sparse=self.sparse[draw], dense=self.dense[draw])


@dataclass(frozen=True)
class _Cells:
    """Kept layouts of every (chip, domain, shape), one after another, with the cell that each belongs to."""

    machines: Machine  # stacked, one per cell
    models: tuple[Model, ...]
    chip: Index  # of each cell
    owner: Index  # of each layout
    mesh: ServeMesh | TrainMesh


def contested(
    chips: Sequence[Chip],
    model: Model,
    workload: Workload,
    law: LossLaw,
    *,
    knobs: Sequence[Knobs],
    plain: Contest,
    reference_tokens: float,
    draws: Draws,
) -> Contested:
    """Count a contest again with given coefficients, as they are and under draws.

    Parameters
    ----------
    chips, model, workload, law, reference_tokens
        As in ``sparse_versus_dense``.
    knobs : sequence of Knobs
        Coefficients of each chip.
    plain : Contest
        What ``sparse_versus_dense`` returned for the same question, with any coefficients.
    draws : Draws
        Uncertainty.

    Returns
    -------
    Contested
        Costs in chip-seconds per served token, infinite where nothing fits.

    Raises
    ------
    ValueError
        For a contest of another model.
    """
    sweep = plain.sweep
    shapes = [with_expert_width(model, width) for width in sweep.widths]
    shapes += [_rival(model, float(size)) for size in plain.dense_sizes]
    reference = Reference(model, reference_tokens)
    grid = (len(chips), len(sweep.domains), len(shapes))
    serving = _serving_cells(chips, knobs, shapes, workload, plain)
    training = _training_cells(chips, knobs, shapes, workload, plain)
    caps = np.array(sweep.batches)

    def costs(each: Sequence[Knobs], tokens: Array, factors: tuple[Array, Array]) -> Array:
        serve = _serving_rates(serving, each, workload, caps) * factors[0]
        train = _training_rates(training, each, workload) * factors[1]
        amortized = np.tile(tokens / workload.served_tokens, grid[0] * grid[1])
        total = _seconds(serve) + (amortized * _seconds(train))[:, None]
        return total.reshape(*grid, caps.size)  # [chip, domain, shape, batch]

    ones = (np.ones((serving.chip.size, 1)), np.ones(serving.chip.size))
    base = costs(knobs, np.asarray(equal_loss(shapes, law, reference).tokens), ones)
    many = len(sweep.widths)
    each = []
    for draw, drawn_law in enumerate(draws.laws):
        own = [one_draw(one, draw) for one in draws.knobs]
        tokens = np.asarray(equal_loss(shapes, drawn_law, reference).tokens)
        each.append(costs(own, tokens, _factors(serving, draws, draw)))
    stacked = np.array(each)
    contest = replace(plain, sparse=_sparse(base, many), dense=_dense(base, many))
    return Contested(contest, _sparse(stacked, many), _dense(stacked, many))


def _rival(model: Model, active: float) -> Model:
    """Find the dense model that a contest lists by its active parameters, which lie a little above those asked for."""
    for asked in np.geomspace(active, 0.9 * active, 51):
        found = dense_of(model, float(asked))
        if float(parameters(found).active) == active:
            return found
    raise ValueError(f"no dense model of {model.id} has {active:g} active parameters")


def _sparse(costs: Array, many: int) -> Array:
    """Costs of the sparse shapes with the axis of shapes before that of domains."""
    if costs.size == 0:
        return costs
    return np.asarray(np.moveaxis(costs[..., :many, :], -2, -3))


def _dense(costs: Array, many: int) -> Array:
    return costs if costs.size == 0 else np.asarray(costs[..., many:, :].min(axis=-2))


def _seconds(rate: Array) -> Array:
    return np.asarray(np.where(rate > 0, 1 / np.where(rate > 0, rate, 1.0), np.inf))


def _factors(cells: _Cells, draws: Draws, draw: int) -> tuple[Array, Array]:
    """Residual factor of each cell: of its serving rate (column) and of its training rate."""
    family = np.array(["moe" if model.experts else "dense" for model in cells.models])
    both = []
    for drawn in (draws.serving, draws.training):
        by_kind = {kind: factors[cells.chip, draw] for kind, factors in drawn.items()}
        both.append(np.where(family == "moe", by_kind["moe"], by_kind["dense"]))
    return both[0][:, None], both[1]


def _machine(chip: Chip, domain: int, knobs: Knobs, *, serving: bool) -> Machine:
    here = chip.model_copy(update={"scale_up_domain": domain})
    knobs = replace(knobs, torus_axes=knobs_for(here).torus_axes)
    return machine_of(here, best_serving_precision(here) if serving else "bf16", knobs)


def _serving_cells(
    chips: Sequence[Chip], knobs: Sequence[Knobs], shapes: Sequence[Model], workload: Workload, plain: Contest
) -> _Cells:
    kept, cells = [], []
    for chip, (own, record) in enumerate(zip(knobs, chips, strict=True)):
        for domain in plain.sweep.domains:
            machine = _machine(record, domain, own, serving=True)
            for shape in shapes:
                mesh = serving_mesh(shape, machine, workload.replica_chips_max)
                usable = machine.memory_bytes * machine.knobs.usable_share
                mesh = mesh.take(serving_memory_bytes(shape, machine, workload.serve, mesh) <= usable)
                rate = serving_rate(shape, machine, workload.serve, mesh)
                kept.append(mesh.take(_best_by_cap(rate, mesh.batch / mesh.chips, plain.sweep.batches)))
                cells.append((chip, machine, shape))
    return _joined(kept, cells, ServeMesh)


def _training_cells(
    chips: Sequence[Chip], knobs: Sequence[Knobs], shapes: Sequence[Model], workload: Workload, plain: Contest
) -> _Cells:
    kept, cells = [], []
    for chip, (own, record) in enumerate(zip(knobs, chips, strict=True)):
        for domain in plain.sweep.domains:
            machine = _machine(record, domain, own, serving=False)
            for shape in shapes:
                found = training_cells(shape, machine, workload, _SEARCHED)[0]
                kept.append(found.mesh.take(np.arange(min(found.rate.size, _KEPT_TRAINING))))
                cells.append((chip, machine, shape))
    return _joined(kept, cells, TrainMesh)


def _best_by_cap(rate: Array, per_chip: Array, caps: Sequence[float]) -> Index:
    picks: list[Index] = []
    for cap in caps:
        allowed = np.flatnonzero((rate > 0) & (per_chip <= cap))
        picks.append(allowed[np.argsort(-rate[allowed], kind="stable")[:_KEPT]])
    return np.unique(np.concatenate(picks)).astype(np.intp)


def _joined(
    meshes: Sequence[ServeMesh] | Sequence[TrainMesh],
    cells: Sequence[tuple[int, Machine, Model]],
    kind: type[ServeMesh] | type[TrainMesh],
) -> _Cells:
    columns = {
        field.name: np.concatenate([getattr(mesh, field.name) for mesh in meshes]) for field in fields(kind)
    }
    return _Cells(
        machines=stack_machines([machine for _, machine, _ in cells]),
        models=tuple(model for _, _, model in cells),
        chip=np.array([chip for chip, _, _ in cells], dtype=np.intp),
        owner=np.repeat(np.arange(len(cells)), [mesh.tp.size for mesh in meshes]).astype(np.intp),
        mesh=kind(**columns),
    )


def _laid_out(cells: _Cells, each: Sequence[Knobs]) -> Machine:
    """Machines of every layout with the coefficients of its chip."""
    chip = cells.chip[cells.owner]
    values = {
        field.name: np.array([float(getattr(knobs, field.name)) for knobs in each])[chip]
        for field in fields(Knobs)
    }
    values["torus_axes"] = np.asarray(cells.machines.knobs.torus_axes)[cells.owner]  # goes with the domain
    return take_machines(cells.machines, cells.owner, Knobs(**values))


def _serving_rates(cells: _Cells, each: Sequence[Knobs], workload: Workload, caps: Array) -> Array:
    """Best rate of each cell under each limit on the batch. Axes: cell, limit."""
    mesh = cells.mesh
    if not isinstance(mesh, ServeMesh):
        raise TypeError("these are not layouts of serving")
    models = stack_models(cells.models).take(cells.owner)
    result = serve_closed_loop(models, _laid_out(cells, each), workload.serve, mesh, memory=False)
    allowed = result.tpot_s <= workload.serve.tpot_s
    if workload.serve.ttft_s is not None:
        allowed &= result.ttft_s <= workload.serve.ttft_s
    rate = np.where(allowed, result.tokens_per_s_per_chip, 0.0)
    capped = np.where((mesh.batch / mesh.chips)[:, None] <= caps, rate[:, None], 0.0)
    out = np.zeros((cells.chip.size, caps.size))
    np.maximum.at(out, cells.owner, capped)
    return out


def _training_rates(cells: _Cells, each: Sequence[Knobs], workload: Workload) -> Array:
    """Best rate of each cell."""
    mesh = cells.mesh
    if not isinstance(mesh, TrainMesh):
        raise TypeError("these are not layouts of training")
    models = stack_models(cells.models).take(cells.owner)
    result = train_step(models, _laid_out(cells, each), workload.train, mesh, memory=False)
    out = np.zeros(cells.chip.size)
    np.maximum.at(out, cells.owner, np.asarray(result.tokens_per_s_per_chip))
    return out
