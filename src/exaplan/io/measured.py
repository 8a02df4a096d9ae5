"""The door for published measurements: three CSV tables to records, every row either read or skipped with a reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from importlib import resources
from importlib.abc import Traversable
from pathlib import Path
from typing import TypeVar

from exaplan.domain.errors import InputError, Problem
from exaplan.domain.measured import Measurements, ServingRow, Skipped, TrainingRow
from exaplan.io.measured_serving import INFERENCE_COLUMNS, POINT_COLUMNS, inference_rows, serving_point_rows
from exaplan.io.measured_training import COLUMNS as TRAINING_COLUMNS
from exaplan.io.measured_training import training_row
from exaplan.io.measured_words import RefusedRowError, Row

Source = Path | str | None
Record = TypeVar("Record", TrainingRow, ServingRow)


def read_measurements(
    training: Source = None, inference: Source = None, serving: Source = None
) -> Measurements:
    """Read all three tables; the files that come with exaplan stand in for those not named.

    Parameters
    ----------
    training, inference, serving : Path or str, optional
        CSV files in the columns of the shipped ones: training rates, static and saturated inference, closed-loop
        serving points.

    Returns
    -------
    Measurements
        Each row of each file is either read or in ``skipped`` with its reason.

    Raises
    ------
    InputError
        Where a file cannot be opened or lacks a column; every file's fault at once.
    """
    found = Measurements()
    problems: list[Problem] = []
    for read, path in ((read_training, training), (read_inference, inference), (read_serving, serving)):
        try:
            found = found.joined(read(path))
        except InputError as fault:
            problems.extend(fault.problems)
    if problems:
        raise InputError(*problems)
    return found


def read_training(path: Source = None) -> Measurements:
    """Read a table of training rates (tokens/s/chip, step time, TFLOP/s or MFU).

    Raises
    ------
    InputError
        Where the file cannot be opened or lacks a column.
    """
    rows, skipped = _read(path, "training", TRAINING_COLUMNS, lambda row: (training_row(row),))
    return Measurements(training=rows, skipped=skipped)


def read_inference(path: Source = None) -> Measurements:
    """Read a table of inference rates and latencies.

    Raises
    ------
    InputError
        Where the file cannot be opened or lacks a column.
    """
    rows, skipped = _read(path, "inference", INFERENCE_COLUMNS, inference_rows)
    return Measurements(serving=rows, skipped=skipped)


def read_serving(path: Source = None) -> Measurements:
    """Read a table of closed-loop serving points; each gives two records.

    Raises
    ------
    InputError
        Where the file cannot be opened or lacks a column.
    """
    rows, skipped = _read(path, "serving_points", POINT_COLUMNS, serving_point_rows)
    return Measurements(serving=rows, skipped=skipped)


def _read(
    path: Source, table: str, columns: tuple[str, ...], reader: Callable[[Row], tuple[Record, ...]]
) -> tuple[tuple[Record, ...], tuple[Skipped, ...]]:
    """Read every row of a file, in its order."""
    read: list[Record] = []
    skipped: list[Skipped] = []
    for row in table_rows(path, table, columns):
        try:
            read.extend(reader(row))
        except RefusedRowError as refusal:
            skipped.append(Skipped(row["id"], table, str(refusal), excluded=refusal.excluded))
    return tuple(read), tuple(skipped)


def table_rows(path: Source, table: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows of a CSV file, each with an id of its own, short rows filled with blanks."""
    place: Traversable | Path = (
        resources.files("exaplan").joinpath(f"data/measured/{table}.csv") if path is None else Path(path)
    )
    name = f"measured/{table}.csv" if path is None else str(path)
    try:
        lines = io.StringIO(place.read_text(encoding="utf-8").removeprefix("\ufeff"), newline="")
        header = [column.strip() for column in next(csv.reader(lines), [])]
        rows = [
            {"id": "", **{key: value or "" for key, value in row.items() if key in header}}
            for row in csv.DictReader(lines, fieldnames=header)
        ]
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise InputError(Problem(f"cannot be read: {fault}", file=name)) from fault
    lacking = [column for column in columns if column not in header and column != "id"]
    if lacking:
        raise InputError(
            Problem(
                f"not a table of measurements ({table}): column{'s' * (len(lacking) > 1)} {', '.join(lacking)} missing",
                file=name,
                line=1,
                column=1,
                suggestion="the first line names the columns, as in the tables that come with exaplan",
            )
        )
    return _named(rows)


def _named(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Give rows without an id their place, and rows that share one a number."""
    seen: dict[str, int] = {}
    for place, row in enumerate(rows, start=2):
        name = row["id"].strip() or f"row-{place}"
        seen[name] = seen.get(name, 0) + 1
        row["id"] = name if seen[name] == 1 else f"{name}#{seen[name]}"
    return rows
