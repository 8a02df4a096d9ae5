"""The design space of one co-design question: choices of each layer, what a chip-second weighs, and every cell's rates."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from exaplan.domain.technology import Model
from exaplan.perf.codesign.cells import (
    Array,
    Kernels,
    Layout,
    ServingCell,
    TrainingCell,
    Workload,
    designed_machine,
    serving_cells,
    training_cells,
)
from exaplan.perf.codesign.inherited import KnobsOf
from exaplan.perf.codesign.optimum import Cell
from exaplan.perf.codesign.silicon import TECHNOLOGY, Silicon, Technology, bill
from exaplan.perf.counts import is_mla
from exaplan.perf.machine import Precision


@dataclass(frozen=True)
class Weighing:
    """What a chip-second costs: a sum over the chip, its die area, its stacks and its power, in the caller's unit."""

    chip: float = 0.0
    die_mm2: float = 0.0
    stack: float = 0.0
    power_w: float = 0.0

    def of(self, silicon: Silicon, technology: Technology = TECHNOLOGY) -> float:
        """Weight of one chip-second."""
        used = bill(silicon, technology)
        return (
            self.chip
            + self.die_mm2 * used.die_mm2
            + self.stack * silicon.stacks
            + self.power_w * used.power_w
        )


@dataclass(frozen=True)
class Space:
    """Choices of each layer; the first of each is the baseline."""

    shapes: tuple[Model, ...]
    kernels: tuple[Kernels, ...]
    silicon: tuple[Silicon, ...]
    layouts: tuple[Layout, ...]

    @property
    def extent(self) -> Cell:
        """Choices per layer."""
        return len(self.shapes), len(self.kernels), len(self.silicon), len(self.layouts)

    def names(self, cell: Cell) -> tuple[str, str, str, str]:
        """Ids of a cell's choices, one per layer."""
        shape, kernels, silicon, layout = cell
        return (
            self.shapes[shape].id,
            self.kernels[kernels].id,
            self.silicon[silicon].id,
            self.layouts[layout].id,
        )


@dataclass(frozen=True)
class Grid:
    """Costs of every cell; axes [shape, kernels, silicon, layout], infinite where nothing is feasible."""

    tokens: Array  # [shape], to the reference's loss
    weight: Array  # [silicon]
    serving: Array  # chip-seconds per served token
    training: Array  # chip-seconds per served token
    cost: Array  # weighted chip-seconds per served token


@dataclass(frozen=True)
class Tables:
    """Searched cells and their rates; axes as in ``Grid``, tokens/s per chip."""

    serving: dict[Cell, ServingCell]
    training: dict[Cell, TrainingCell]
    serving_rate: Array
    training_rate: Array


def tables_of(space: Space, workload: Workload, knobs: KnobsOf) -> Tables:
    """Search every cell; kernels that differ in the other phase alone share a search."""
    served: dict[tuple[int, int, Precision, bool, bool], tuple[ServingCell, ...]] = {}
    trained: dict[tuple[int, int, Precision, bool], tuple[TrainingCell, ...]] = {}
    serving: dict[Cell, ServingCell] = {}
    training: dict[Cell, TrainingCell] = {}
    for (s, model), (k, kernels), (c, silicon) in product(
        enumerate(space.shapes), enumerate(space.kernels), enumerate(space.silicon)
    ):
        own = knobs(silicon)
        absorbed = kernels.absorbed or not bool(is_mla(model))  # nothing to expand: one search for both
        serves = (s, c, kernels.serving, kernels.fused, absorbed)
        if serves not in served:
            machine = designed_machine(silicon, kernels.serving, model, fused=kernels.fused, knobs=own)
            served[serves] = serving_cells(model, machine, workload, space.layouts, absorbed=absorbed)
        trains = (s, c, kernels.training, kernels.fused)
        if trains not in trained:
            machine = designed_machine(silicon, kernels.training, model, fused=kernels.fused, knobs=own)
            trained[trains] = training_cells(model, machine, workload, space.layouts)
        for layout in range(len(space.layouts)):
            serving[s, k, c, layout] = served[serves][layout]
            training[s, k, c, layout] = trained[trains][layout]
    rates = [np.zeros(space.extent), np.zeros(space.extent)]
    for cell, one in serving.items():
        rates[0][cell] = one.rate.max(initial=0.0)
    for cell, other in training.items():
        rates[1][cell] = other.rate.max(initial=0.0)
    return Tables(serving, training, rates[0], rates[1])


def seconds_of(rate: Array) -> Array:
    """Chip-seconds per token; infinite where nothing runs."""
    return np.where(rate > 0, 1 / np.where(rate > 0, rate, 1.0), np.inf)
