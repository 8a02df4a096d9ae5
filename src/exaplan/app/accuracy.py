"""Published measurements against the performance model: read, predict, score, and say it as one plain document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from exaplan.app.fold_map import process_map
from exaplan.domain.calibration import Calibration
from exaplan.domain.errors import InputError, Problem
from exaplan.domain.measured import Measurements, ServingRow, TrainingRow
from exaplan.io.calibration import load_calibration, read_calibration
from exaplan.io.measured import read_inference, read_serving, read_training
from exaplan.io.measured_places import missing_places
from exaplan.perf.calibration.fit import Fit, fit, sample_of
from exaplan.perf.calibration.scores import (
    GroupError,
    Mask,
    Place,
    Score,
    root_of,
    scores_by_place,
    total_score,
    usable,
    worst_groups,
)
from exaplan.perf.calibration.validate import FoldMap, Predictions, cross_validate, predictions

Left = Literal["source", "model", "chip"]
Tell = Callable[[str], None]
NOTE = (
    "Each published row counts once in total, by its main metric. Time to first token of closed loops carries the "
    "clients' start-up burst and is known to a factor of 1.5 only: it stands in groups of its own. Groups of "
    "near-duplicates (split_group) weigh equally: median_abs_log_error and bias are medians over groups of the group's "
    "mean, mape and interval_coverage are means over groups; *_rows weigh rows. Intervals are 90 % bootstraps over groups."
)
_WORST = 10
_FLOATS = ("log_modelled", "log_measured", "log_sd", "variance")


@dataclass(frozen=True)
class Tables:
    """Paths of up to three tables; where none is given, the shipped ones are meant."""

    training: Path | None = None
    inference: Path | None = None
    serving: Path | None = None


def read_tables(tables: Tables) -> tuple[Measurements, dict[Place, int]]:
    """Read the tables that are given, or all shipped ones, and place the rows that could not be read.

    Raises
    ------
    InputError
        Where a file cannot be opened or lacks a column; every file's fault at once.
    """
    readers = {"training": read_training, "inference": read_inference, "serving": read_serving}
    given = {name: getattr(tables, name) for name in readers}
    chosen = {name: path for name, path in given.items() if path is not None} or given
    found = Measurements()
    problems: list[Problem] = []
    for name, path in chosen.items():
        try:
            found = found.joined(readers[name](path))
        except InputError as fault:
            problems.extend(fault.problems)
    if problems:
        raise InputError(*problems)
    return found, dict(missing_places(found, **given))


def coefficients(folder: Path | None) -> Calibration:
    """Read a calibration; the shipped one where no folder is given."""
    return load_calibration() if folder is None else read_calibration(folder)


def no_predictions() -> Predictions:
    """Return predictions of no row at all."""
    kinds: dict[str, type] = {**dict.fromkeys(_FLOATS, float), "main": bool}
    columns: dict[str, Any] = {
        field.name: np.empty(0, dtype=kinds.get(field.name, str)) for field in fields(Predictions)
    }
    return Predictions(**columns)


def full_fit(measured: Measurements) -> Fit:
    """Fit all rows: where every refit of a cross-validation starts."""
    return fit(sample_of(measured))


def predicted(
    measured: Measurements,
    calibration: Calibration,
    left: Left | None = None,
    *,
    full: Fit | None = None,
    known: Measurements | None = None,
    map: FoldMap | None = None,  # noqa: A002 - the word of every room for a parallel map
    tell: Tell = lambda _: None,
) -> Predictions:
    """Predict every row, with given coefficients or by refits that leave out its source, model or chip.

    Refits learn from the rows of ``known`` too, where given, less those of the member left out.
    """
    if not measured.training and not measured.serving:
        return no_predictions()
    if left is None:
        try:
            return predictions(measured, calibration)
        except KeyError as task:  # spread_of does not know it
            raise _unknown_task(calibration, task) from task
    tell("fitting all rows")
    known = None if known is None else others(known, measured)
    start = full or full_fit(measured if known is None else measured.joined(known))

    def folds(done: int, of: int) -> None:
        tell(f"refits without one {left}: {done} of {of}")

    return cross_validate(
        measured, left, full=start, known=known, map=map or partial(process_map, tell=folds)
    )


def others(known: Measurements, measured: Measurements) -> Measurements:
    """Return the rows of ``known`` that ``measured`` does not have, by id."""
    ids = {row.id for row in measured.training} | {row.id for row in measured.serving}
    return Measurements(
        training=tuple(row for row in known.training if row.id not in ids),
        serving=tuple(row for row in known.serving if row.id not in ids),
    )


def _unknown_task(calibration: Calibration, task: KeyError) -> InputError:
    return InputError(
        Problem(
            f"the calibration of {calibration.date} has no spread for {task}: none of its rows was of that kind",
            suggestion="calibrate on tables that have such rows, or leave them out",
        )
    )


def document(
    measured: Measurements,
    missing: dict[Place, int],
    rows: Predictions,
    calibration: Calibration,
    cv: str | None,
) -> dict[str, Any]:
    """Scores of a validation as one object for ``--json`` and for the pages.

    Parameters
    ----------
    measured : Measurements
        What was read, and what was not.
    missing : dict
        Rows of known architecture that were not read, by chip, family and task.
    rows : Predictions
        What was predicted.
    calibration : Calibration
        Whose coefficients were used, where no refit was.
    cv : str or None
        What refits left out.
    """
    odd = {
        root_of(name): doubt or "the model gives no finite value"
        for name, doubt in zip(
            rows.ids[~usable(rows)].tolist(), rows.doubts[~usable(rows)].tolist(), strict=True
        )
    }
    unread = [entry for entry in measured.skipped if not entry.excluded]
    skipped = [{"id": entry.id, "reason": entry.reason} for entry in measured.skipped]
    skipped += [{"id": name, "reason": reason} for name, reason in sorted(odd.items())]
    by_place = [
        {"chip": chip, "family": family, "task": task, **figures(one)}
        for (chip, family, task), one in scores_by_place(rows, missing)
    ]
    by_task = [
        {"family": family, "task": task, **figures(one)}
        for (_, family, task), one in scores_by_place(rows, missing, tasks_only=True)
    ]
    return {
        "total": figures(total_score(rows, len(unread) + len(odd))),
        "tasks": by_task,
        "groups": by_place,
        "skipped": skipped,
        "not_counted": sum(entry.excluded for entry in measured.skipped),
        "worst": [told(one, measured) for one in worst_groups(rows, most=_WORST)],
        "cv": cv,
        "calibration": {"date": calibration.date, "data": calibration.data},
        "note": NOTE,
    }


def figures(one: Score) -> dict[str, Any]:
    """Return the fields of a score, tuples as lists."""
    named = {field.name: getattr(one, field.name) for field in fields(one)}
    intervals = named["intervals"]
    named["intervals"] = (
        {name: pair and list(pair) for name, pair in intervals.items()} if intervals else None
    )
    return named


def told(group: GroupError, measured: Measurements) -> dict[str, Any]:
    """Say who a group is, how far off it is, and what is particular about its rows."""
    chip, family, task = group.place
    return {
        "group": group.group,
        "chip": chip,
        "family": family,
        "task": task,
        "source": group.source,
        "n": group.n,
        "bias": group.mean_log_error,
        "mean_abs_log_error": group.mean_abs_log_error,
        "reason": "; ".join(_particulars(group, measured)),
        "ids": list(group.ids),
    }


def _particulars(group: GroupError, measured: Measurements) -> list[str]:
    """Say what the tables themselves tell: settings that are not stated, how few neighbors there are."""
    every: list[TrainingRow | ServingRow] = [*measured.training, *measured.serving]
    own = [row for row in every if row.id in group.ids]
    training = any(isinstance(row, TrainingRow) for row in own)
    same = [row for row in every if isinstance(row, TrainingRow) == training]
    chips, models = {row.chip.id for row in own}, {row.model.id for row in own}
    found = []
    open_settings = _unstated(own)
    if open_settings:
        found.append("not stated: " + ", ".join(open_settings))
    for word, others in (
        ("chip", {row.source for row in same if row.chip.id in chips}),
        ("model", {row.source for row in same if row.model.id in models}),
    ):
        if len(others) == 1:
            found.append(f"the {word} has this one source only")
    if training and any(not row.date for row in own):
        found.append("not dated, so that the age of its software is unknown")
    return found


_SETTINGS = {
    "micro_batch": "micro-batch",
    "tp": "tensor parallel degree",
    "pp": "pipeline stages",
    "ep": "expert parallel degree",
    "recompute": "recomputation",
    "zero": "sharding",
    "precision": "precision",
    "concurrency": "requests in flight",
    "cache": "cache precision",
}


def _unstated(rows: list[TrainingRow | ServingRow]) -> list[str]:
    """Name the settings that at least one of the rows leaves open."""
    return [
        word
        for name, word in _SETTINGS.items()
        if any(
            hasattr(row, name) and getattr(row, name) is None and (name != "ep" or row.model.experts)
            for row in rows
        )
    ]


def mask_of(measured: Measurements, wanted: Callable[[TrainingRow | ServingRow], bool]) -> Mask:
    """Mark rows of a kind. Axis: row of the predictions, training rows first."""
    rows: list[TrainingRow | ServingRow] = [*measured.training, *measured.serving]
    return np.array([wanted(row) for row in rows], dtype=np.bool_)


def check_any(measured: Measurements) -> None:
    """Refuse tables in which nothing can be modelled, for commands that need at least one row.

    Raises
    ------
    InputError
        With the reasons that were met.
    """
    if measured.training or measured.serving:
        return
    reasons = sorted({entry.reason for entry in measured.skipped}) or ["the tables have no rows"]
    raise InputError(Problem("no measured row can be modelled: " + "; ".join(reasons[:3])))
