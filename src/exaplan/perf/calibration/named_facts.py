"""Published facts that a performance model should reach without having been fitted to them.

Every coefficient is refitted without any row of the sources that the facts come from; what that fit then says of the
facts is set beside the published figure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from exaplan.domain.measured import Measurements, TrainingRow
from exaplan.domain.technology import Chip
from exaplan.perf.calibration.fit import fit, predict, sample_of
from exaplan.perf.counts import training_flop_per_token
from exaplan.perf.kernels import padded_volume
from exaplan.perf.machine import machine_of
from exaplan.perf.shapes import Array

WITHIN = 0.10
"""Largest relative error of a fact that counts as reached."""
_LARGEST_TPU_POD = 256.0
_EXPERT_WIDTH, _EXPERT_SPLIT, _WIDE_TILE = 768.0, 8.0, 256


@dataclass(frozen=True)
class NamedFact:
    """One published figure, what the refit says of it, and where it is published."""

    name: str
    published: float
    modelled: float
    unit: str
    source: str

    @property
    def error(self) -> float:
        """Modelled over published, minus 1."""
        return self.modelled / self.published - 1

    @property
    def reached(self) -> bool:
        """Whether the modelled figure lies within ``WITHIN`` of the published one."""
        return abs(self.error) <= WITHIN


def _is_deepseek(row: TrainingRow) -> bool:
    return row.chip.id == "H800-SXM" and row.model.id == "DeepSeek-V3" and row.chips == 2048


def _is_llama(row: TrainingRow) -> bool:
    wanted = ("H100-SXM", "Meta-Llama-3.1-405B", 16384.0, "bf16")
    return (row.chip.id, row.model.id, row.chips, row.precision) == wanted


def _is_multislice(row: TrainingRow) -> bool:
    return row.chip.id == "TPU-v5e" and "configs/v5e" in row.source


def named_facts(measured: Measurements, chips: dict[str, Chip]) -> tuple[tuple[NamedFact, ...], int]:
    """Compare named facts with a refit that has not seen their sources.

    Parameters
    ----------
    measured : Measurements
        Rows to fit; a fact whose row is not among them is left out.
    chips : dict
        Catalogue, for the facts that are geometry.

    Returns
    -------
    facts : tuple of NamedFact
        In the order of the issue that names them.
    held_out : int
        Rows that the refit did not see.
    """
    kinds = (_is_deepseek, _is_llama, _is_multislice)
    sources = {row.source for row in measured.training if any(kind(row) for kind in kinds)}
    found: list[NamedFact] = []
    out = 0
    if sources:
        sample = sample_of(measured)
        held = np.isin(sample.sources, list(sources))
        out = int(held.sum())
        logs = predict(sample, fit(sample, ~held).effects)
        found = [*_rates(measured, logs), *_decays(measured, logs)]
    return (*found, *_padding(chips)), out


def _picked(
    measured: Measurements, logs: Array, kind: Callable[[TrainingRow], bool]
) -> list[tuple[TrainingRow, float]]:
    """Rows of a kind with their modelled tokens/s per chip; training rows come first in a sample."""
    return [
        (row, float(np.exp(logs[i])))
        for i, row in enumerate(measured.training)
        if row.task == "pretrain" and kind(row)
    ]


def _rates(measured: Measurements, logs: Array) -> list[NamedFact]:
    found = [
        NamedFact("DeepSeek-V3 on 2,048 H800", row.measured, rate, "tokens/s/chip", row.source)
        for row, rate in _picked(measured, logs, _is_deepseek)
    ]
    for row, rate in _picked(measured, logs, _is_llama):
        tera = float(training_flop_per_token(row.model, row.sequence_tokens)) / 1e12
        name = "Llama-3 405B on 16,384 H100 (FLOP with causal attention)"
        found.append(NamedFact(name, row.measured * tera, rate * tera, "TFLOP/s/chip", row.source))
    return found


def _decays(measured: Measurements, logs: Array) -> list[NamedFact]:
    """Rate per chip on most pods over that on fewest, for each model of the multi-slice table."""
    rows = _picked(measured, logs, _is_multislice)
    found = []
    for model in dict.fromkeys(row.model.id for row, _ in rows):
        own = sorted((pair for pair in rows if pair[0].model.id == model), key=lambda pair: pair[0].chips)
        (first, slow), (last, fast) = own[0], own[-1]
        pods = tuple(f"{row.chips / _LARGEST_TPU_POD:g}" for row in (first, last))
        if pods[0] == pods[1]:
            continue
        name = f"{model} on TPU v5e: MFU on {pods[1]} pods over that on {pods[0]}"
        found.append(NamedFact(name, last.measured / first.measured, fast / slow, "", first.source))
    return found


def _padding(chips: dict[str, Chip]) -> list[NamedFact]:
    """Share of a systolic array that an expert of width 768 split 8 ways leaves idle: 1 - 96/256."""
    wide = [chip for chip in chips.values() if chip.matrix_tile == _WIDE_TILE and chip.bf16_flop_per_s]
    if not wide:
        return []
    machine = machine_of(wide[0], "bf16")
    columns, rows, inner = _EXPERT_WIDTH / _EXPERT_SPLIT, 4096.0, 4096.0
    used = rows * columns * inner / float(padded_volume(rows, columns, inner, machine))
    name = f"expert width 768 split 8 ways: idle share of a {_WIDE_TILE}-wide array ({wide[0].id})"
    return [NamedFact(name, 1 - columns / _WIDE_TILE, 1 - used, "", "geometry of the array; no row needed")]
