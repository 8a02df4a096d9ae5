"""Where a row that was not read would have counted: its chip, family and task, as far as the row tells."""

from __future__ import annotations

from collections import Counter

from exaplan.domain.errors import InputError
from exaplan.domain.measured import Measurements, Skipped, family_of
from exaplan.domain.technology import Model
from exaplan.io.measured import Source, table_rows
from exaplan.io.measured_models import chip_named, model_named, model_of
from exaplan.io.measured_serving import INFERENCE_COLUMNS, POINT_COLUMNS
from exaplan.io.measured_training import COLUMNS, TASKS
from exaplan.io.measured_words import RefusedRowError, Row

_COLUMNS = {"training": COLUMNS, "inference": INFERENCE_COLUMNS, "serving_points": POINT_COLUMNS}
_METRICS = (("latency", "latency"), ("tpot", "tpot"), ("ttft", "ttft"), ("per_user", "speed per user"))


def missing_places(
    measured: Measurements, training: Source = None, inference: Source = None, serving: Source = None
) -> Counter[tuple[str, str, str]]:
    """Count the rows of known architecture that were not read by chip, family and task.

    Parameters
    ----------
    measured : Measurements
        What was read from the files.
    training, inference, serving : Path or str, optional
        The same files; the shipped ones where not given.
    """
    paths = {"training": training, "inference": inference, "serving_points": serving}
    lacking = [entry for entry in measured.skipped if not entry.excluded]
    tables = {
        table: {row["id"]: row for row in table_rows(paths[table], table, _COLUMNS[table])}
        for table in {entry.table for entry in lacking}
    }
    return Counter(_place(entry, tables[entry.table][entry.id]) for entry in lacking)


def _place(entry: Skipped, row: Row) -> tuple[str, str, str]:
    try:
        model = _model(entry.table, row)
    except RefusedRowError:
        model = None
    return _chip(row), family_of(model) if model else "unknown", _task(entry.table, row)


def _model(table: str, row: Row) -> Model | None:
    if table == "serving_points":
        return model_named(row["model_path"])
    return model_of(row)


def _chip(row: Row) -> str:
    name = row.get("chip", row.get("system", "")).strip()
    try:
        return chip_named(name).id
    except (RefusedRowError, InputError):
        return name or "unknown"


def _task(table: str, row: Row) -> str:
    if table == "serving_points":
        return "tpot"
    if table == "training":
        word = row["task"].strip().casefold()
        return TASKS.get(word, word or "unknown")
    metric = row["metric"].casefold()
    return next((task for word, task in _METRICS if word in metric), "throughput")
