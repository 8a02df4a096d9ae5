"""Does 'sparse suits GPUs, dense suits TPUs' hold? Cost of sparse over dense at equal loss, over chips and settings.

On each chip the sparse model meets the best of several dense models that reach the same loss with between half and four
times the tokens. A ratio below 1 says sparse is cheaper there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from exaplan.domain.technology import Chip, Model
from exaplan.perf.codesign.cells import Layout, Workload, serving_rate, training_cells
from exaplan.perf.codesign.shapes import LossLaw, Reference, dense_of, equal_loss, with_expert_width
from exaplan.perf.counts import parameters
from exaplan.perf.kernels import padded_volume
from exaplan.perf.knobs import Knobs, knobs_for
from exaplan.perf.machine import Machine, best_serving_precision, machine_of
from exaplan.perf.search import serving_mesh
from exaplan.perf.serving import serving_memory_bytes

Array = NDArray[np.float64]

_TOKEN_MULTIPLES = (0.5, 1.0, 2.0, 4.0)
_SEARCHED = (Layout("searched"),)
_AGREED, _FULL = 0.90, 0.95
_PLENTY = 2.0**20  # rows that fill any unit


@dataclass(frozen=True)
class Sweep:
    """What is swept: expert widths, sequences in flight per chip at most, chips in the scale-up domain.

    ``splits`` are the ways in which tensor parallelism cuts one expert; they enter ``Contest.split_fill`` alone, since the
    search picks its own.
    """

    widths: tuple[int, ...] = (256, 768, 1536, 2048, 3072)
    batches: tuple[float, ...] = (4.0, 16.0, 64.0, 1024.0)
    domains: tuple[int, ...] = (8, 72, 9216)
    splits: tuple[int, ...] = (1, 2, 4, 8)


@dataclass(frozen=True)
class Contest:
    """Sparse against dense; costs are chip-seconds per served token, infinite where nothing fits.

    Axes: chip, width, domain, batch for ``sparse`` and ``ratio``; chip, domain, batch for ``dense``.
    """

    chips: tuple[str, ...]
    systolic: NDArray[np.bool_]  # [chip]
    tiles: Array  # [chip]
    sweep: Sweep
    tokens_per_expert: Array  # [width, domain, batch], in a decode step with experts spread over the domain
    tile_fill: Array  # [chip, width, domain, batch], useful share of the unit in the experts' last product
    split_fill: (
        Array  # [chip, width, split], the same with plenty of rows, the expert cut by tensor parallelism
    )
    sparse: Array
    dense: Array
    sparse_training: Array  # [chip, width, domain], part of ``sparse``
    dense_sizes: Array  # active parameters of the dense models tried
    dense_chosen: NDArray[np.intp]  # [chip, domain, batch]

    @property
    def ratio(self) -> Array:
        """Cost of sparse over dense; nan where both are infeasible."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.sparse / self.dense[:, None])


@dataclass(frozen=True)
class Verdict:
    """The claim against the contest, over points where every chip can run something.

    ``absolute`` counts points where sparse is cheaper on every tensor-core chip and dense on every systolic one;
    ``comparative`` those where sparse gains more on tensor-core chips than on systolic ones, on average.
    """

    word: Literal["holds", "fails", "depends"]
    points: int
    absolute_share: float
    comparative_share: float
    advantage: Array  # [width, domain, batch], mean log ratio of systolic over tensor-core chips
    threshold_width: tuple[int | None, ...]
    """By chip: from this swept width on, an expert cut by the largest split still fills 95 % of the unit."""


def tile_fill(m: Array | float, n: Array | float, k: Array | float, machine: Machine) -> Array:
    """Divide useful by performed multiply-adds of an (m, k) by (k, n) product: 1 where every tile is full.

    Padding alone: the cost of a short inner dimension on tensor cores is a coefficient, not a tile.
    """
    plain = replace(machine, knobs=replace(machine.knobs, inner_half=0.0))
    useful = np.asarray(m, dtype=float) * np.asarray(n) * np.asarray(k)
    return np.asarray(useful / padded_volume(m, n, k, plain))


def sparse_versus_dense(
    chips: Sequence[Chip],
    model: Model,
    workload: Workload,
    law: LossLaw,
    *,
    reference_tokens: float,
    sweep: Sweep | None = None,
    knobs: Callable[[Chip], Knobs] = knobs_for,
) -> Contest:
    """Sweep expert width, batch and scale-up domain on each chip, sparse against the best dense model at equal loss.

    Parameters
    ----------
    chips : sequence of Chip
        Records of the catalogue; the domain of each is replaced by those swept.
    model : Model
        Sparse model; its experts are cut to the widths swept, active and total parameters kept.
    workload : Workload
        Requests, training job, tokens served in the model's life.
    law : LossLaw
        Scaling law.
    reference_tokens : float
        Tokens on which ``model`` itself is trained: together they set the loss.
    sweep : Sweep, optional
        Points; the defaults of ``Sweep``.
    knobs : callable
        Coefficients of a chip, asked with the domain that is swept; the starting ones where not given.

    Returns
    -------
    Contest
        Costs and fill of the matrix unit.

    Raises
    ------
    ValueError
        For a dense ``model``.
    """
    sweep = sweep or Sweep()
    reference = Reference(model, reference_tokens)
    sparse = [with_expert_width(model, width) for width in sweep.widths]
    dense = _dense_rivals(model, law, reference)
    tokens = equal_loss([*sparse, *dense], law, reference).tokens
    many = len(sparse)
    costs = np.array(
        [
            [
                _costs((chip, domain), knobs, ([*sparse, *dense], tokens), workload, sweep.batches)
                for domain in sweep.domains
            ]
            for chip in chips
        ]
    )  # [chip, domain, shape, batch, phase]
    own = np.moveaxis(costs[:, :, :many], 2, 1)
    rivals = costs[:, :, many:].sum(axis=-1)
    machines = [machine_of(chip, best_serving_precision(chip), knobs(chip)) for chip in chips]
    rows = _tokens_per_expert(sparse, workload, sweep)
    widths = np.array(sweep.widths, dtype=float)[:, None, None]
    return Contest(
        chips=tuple(chip.id for chip in chips),
        systolic=np.array([bool(machine.systolic) for machine in machines]),
        tiles=np.array([float(machine.tile) for machine in machines]),
        sweep=sweep,
        tokens_per_expert=rows,
        split_fill=np.array([_split_fill(model, machine, sweep) for machine in machines]),
        tile_fill=np.array([tile_fill(rows, model.hidden, widths, machine) for machine in machines]),
        sparse=own.sum(axis=-1),
        dense=rivals.min(axis=2),
        sparse_training=own[..., 0, 1],
        dense_sizes=np.array([float(parameters(rival).active) for rival in dense]),
        dense_chosen=rivals.argmin(axis=2),
    )


def _split_fill(model: Model, machine: Machine, sweep: Sweep) -> Array:
    """Fill of the experts' last product with plenty of rows, its inner dimension cut; shape [width, split]."""
    cut = np.array(sweep.widths, dtype=float)[:, None] / np.array(sweep.splits, dtype=float)
    return tile_fill(_PLENTY, model.hidden, cut, machine)


def _tokens_per_expert(shapes: Sequence[Model], workload: Workload, sweep: Sweep) -> Array:
    """Rows that meet in one expert: b n k / E with n chips of the replica sharing the experts."""
    spread = np.minimum(np.array(sweep.domains, dtype=float), workload.replica_chips_max)
    visits = np.array([shape.top_k / shape.experts for shape in shapes])
    return np.asarray(visits[:, None, None] * spread[:, None] * np.array(sweep.batches))


def _dense_rivals(model: Model, law: LossLaw, reference: Reference) -> list[Model]:
    """Dense models that reach the reference's loss with 1/2 to 4 times its tokens, largest first.

    Sizes are read off a fine grid of the law; multiples that no dense model reaches are left out.

    Raises
    ------
    ValueError
        When no dense model of the law reaches the loss on any of those tokens.
    """
    sizes = np.geomspace(1e8, 1e16, 4001)
    target = equal_loss([model], law, reference).loss
    needed = np.asarray(law.tokens_for(target, sizes, sizes, np.ones_like(sizes)))
    wanted = [multiple * reference.tokens for multiple in _TOKEN_MULTIPLES]
    reached = [np.flatnonzero(needed <= tokens) for tokens in wanted]
    rivals = [dense_of(model, float(sizes[index[0]])) for index in reached if index.size]
    if not rivals:
        raise ValueError(f"no dense model reaches the loss of {model.id} under this law")
    return rivals


def _costs(
    on: tuple[Chip, int],
    knobs: Callable[[Chip], Knobs],
    shapes: tuple[Sequence[Model], Array],
    workload: Workload,
    batches: Sequence[float],
) -> Array:
    """Chip-seconds per served token of each shape, by batch and phase; shape [shape, batch, (serving, training)]."""
    here = on[0].model_copy(update={"scale_up_domain": on[1]})
    serving = machine_of(here, best_serving_precision(here), knobs(here))
    training = machine_of(here, "bf16", knobs(here))
    out = np.full((len(shapes[0]), len(batches), 2), np.inf)
    for row, (model, tokens) in enumerate(zip(*shapes, strict=True)):
        rates = _serving_rates(model, serving, workload, batches)
        out[row, :, 0] = np.divide(1.0, rates, out=np.full_like(rates, np.inf), where=rates > 0)
        found = training_cells(model, training, workload, _SEARCHED)[0]
        if found.rate.size:
            out[row, :, 1] = tokens / workload.served_tokens / found.rate[0]
    return out


def _serving_rates(model: Model, machine: Machine, workload: Workload, batches: Sequence[float]) -> Array:
    """Best rate with at most so many sequences in flight per chip; zero where nothing is feasible. Shape [batch]."""
    mesh = serving_mesh(model, machine, workload.replica_chips_max)
    usable = machine.memory_bytes * machine.knobs.usable_share
    mesh = mesh.take(serving_memory_bytes(model, machine, workload.serve, mesh) <= usable)
    rate = serving_rate(model, machine, workload.serve, mesh)
    per_chip = mesh.batch / mesh.chips
    return np.array([np.where(per_chip <= batch, rate, 0.0).max(initial=0.0) for batch in batches])


def verdict(contest: Contest) -> Verdict:
    """Judge the claim 'sparse suits GPUs, dense suits TPUs' on a contest with both kinds of chip.

    It holds where at least 90 % of the points agree with it outright, fails where at most 10 % agree even in comparison,
    and depends otherwise.

    Raises
    ------
    ValueError
        When only one kind of chip took part, or no point lets every chip run something.
    """
    if contest.systolic.all() or not contest.systolic.any():
        raise ValueError("the claim needs tensor-core and systolic chips")
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(contest.ratio)
    arrays, cores = logs[contest.systolic], logs[~contest.systolic]
    played = np.isfinite(logs).all(axis=0)
    if not played.any():
        raise ValueError("no point lets every chip run both models")
    outright: NDArray[np.bool_] = np.logical_and((cores < 0).all(axis=0), (arrays > 0).all(axis=0))
    means = [np.where(played, kind, 0.0).mean(axis=0) for kind in (arrays, cores)]
    advantage = np.where(played, means[0] - means[1], np.nan)
    absolute, comparative = float(outright[played].mean()), float((advantage[played] > 0).mean())
    word: Literal["holds", "fails", "depends"] = "depends"
    if absolute >= _AGREED:
        word = "holds"
    elif comparative <= 1 - _AGREED:
        word = "fails"
    return Verdict(word, int(played.sum()), absolute, comparative, advantage, _thresholds(contest))


def _thresholds(contest: Contest) -> tuple[int | None, ...]:
    """Width from which on every swept width fills the unit although cut by the largest split; None where none does."""
    order = np.argsort(contest.sweep.widths)
    widths = [contest.sweep.widths[int(i)] for i in order]
    found: list[int | None] = []
    for fill in contest.split_fill[:, order, -1]:
        short = np.flatnonzero(fill < _FULL)
        first = int(short[-1]) + 1 if short.size else 0
        found.append(widths[first] if first < len(widths) else None)
    return tuple(found)
