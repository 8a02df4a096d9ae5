"""Our side of the comparison: what exaplan predicts for measured rows, and the time that a configuration takes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast

import numpy as np
from peer_cases import TABLES, case_ids

from exaplan.domain.measured import Measurements, ServingRow, TrainingRow
from exaplan.io.measured import read_serving, read_training
from exaplan.perf.calibration.validate import Left, cross_validate, predictions
from exaplan.perf.machine import machine_of
from exaplan.perf.search import search_serving, search_training
from exaplan.perf.serving import ServeRequest
from exaplan.perf.training import TrainRequest

UNFITTED = "exaplan, before any fit"
HELD_OUT = {"training": "source", "serving": "model"}  # what a refit leaves out together with a row
_METRIC = {"training": "", "serving": ":tpot_s"}  # a serving point has two records; this one is compared
_UNIT = {"training": 1.0, "serving": 1e3}  # tokens/s/chip; seconds told in milliseconds


def our_prediction(task: str, measured: Path) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
    """Predict the rows compared: tokens/s/chip in training, milliseconds per output token in serving.

    Parameters
    ----------
    task : {"training", "serving"}
        Which rows.
    measured : Path
        Folder of the measured tables; refits read every row of the table but those left out.

    Returns
    -------
    tuple of dict
        Predictions by way and id of the row, and reasons by id where there is none. The ways: the coefficients that a
        calibration starts from, and a refit that has seen neither the row nor anything of its source or model.
    """
    table = _table(task, measured)
    left = cast("Left", HELD_OUT[task])
    ways = {
        UNFITTED: predictions(table, None),
        f"exaplan, refit without its {left}": cross_validate(table, left),
    }
    wanted = {f"{name}{_METRIC[task]}": name for name in case_ids(task)}
    answers = {
        way: {
            wanted[str(name)]: _UNIT[task] * float(np.exp(value))
            for name, value in zip(told.ids, told.log_modelled, strict=True)
            if str(name) in wanted
        }
        for way, told in ways.items()
    }
    skipped = {row.id: row.reason for row in table.skipped}
    known = answers[UNFITTED]
    reasons = {
        name: skipped.get(name, "not among the rows read") for name in wanted.values() if name not in known
    }
    return answers, reasons


def our_measured(task: str, measured: Path) -> dict[str, float]:
    """Measured values of the rows compared that exaplan reads, by id, in the units of ``our_prediction``.

    The reader turns published FLOP/s into tokens/s by the convention that the row states.
    """
    return {name: _UNIT[task] * row.measured for name, row in _compared(task, _table(task, measured)).items()}


def our_seconds(task: str, measured: Path, least_s: float = 2.0) -> tuple[float, float]:
    """Time per configuration when the models, chips and jobs of the rows are searched, and per row of a prediction.

    Returns
    -------
    tuple of float
        Seconds per configuration of the searched meshes; seconds per row when the whole table is predicted.
    """
    table = _table(task, measured)
    start = time.perf_counter()
    each_row = predictions(table, None).ids.size
    row_s = (time.perf_counter() - start) / each_row
    asked = [_search(row) for row in _compared(task, table).values()]
    searched, start = 0, time.perf_counter()
    while time.perf_counter() - start < least_s:
        searched += sum(search(*question).searched for search, *question in asked)
    return (time.perf_counter() - start) / searched, row_s


def _table(task: str, measured: Path) -> Measurements:
    return (read_training if task == "training" else read_serving)(measured / TABLES[task])


def _compared(task: str, table: Measurements) -> dict[str, TrainingRow | ServingRow]:
    wanted = {f"{name}{_METRIC[task]}": name for name in case_ids(task)}
    rows: list[TrainingRow | ServingRow] = [*table.training, *table.serving]
    return {wanted[row.id]: row for row in rows if row.id in wanted}


def _search(row: TrainingRow | ServingRow) -> tuple[Any, ...]:
    """Return the search that a row is one point of, with its arguments."""
    machine = machine_of(row.chip, row.precision or "bf16")
    if isinstance(row, ServingRow):
        return search_serving, row.model, machine, ServeRequest(row.input_tokens, row.output_tokens)
    tokens = row.batch_sequences * row.sequence_tokens
    return search_training, row.model, machine, TrainRequest(row.sequence_tokens, tokens, row.chips)
