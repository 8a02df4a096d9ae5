"""Modelled against measured: with the shipped coefficients, or with a refit that has not seen what it predicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Literal
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from exaplan.domain.calibration import Calibration
from exaplan.domain.measured import Measurements, ServingRow, TrainingRow
from exaplan.domain.technology import Model
from exaplan.perf.calibration.fit import Fit, Sample, fit, predict, sample_of, slopes
from exaplan.perf.calibration.interval import carried_over, coefficient_variance, fit_spreads, spread_of
from exaplan.perf.counts import parameters
from exaplan.perf.knobs import chip_class
from exaplan.perf.shapes import Array

Left = Literal["source", "model", "chip", "group"]
_REFIT_ROUNDS = 5
_SECOND = "ttft_s"
_FOLDS = 10
FoldMap = Callable[
    [Callable[[str], tuple[NDArray[np.intp], Array, Array]], list[str]],
    Iterable[tuple[NDArray[np.intp], Array, Array]],
]


@dataclass(frozen=True)
class Predictions:
    """Every row that can be modelled. Axis of the arrays: row."""

    ids: NDArray[np.str_]
    chips: NDArray[np.str_]
    kinds: NDArray[np.str_]  # classes of chips
    families: NDArray[np.str_]
    tasks: NDArray[np.str_]
    groups: NDArray[np.str_]
    sweeps: NDArray[np.str_]
    sources: NDArray[np.str_]
    models: NDArray[np.str_]  # architecture: two names of one shape are one model
    main: NDArray[np.bool_]  # the main metric of its published row
    doubts: NDArray[
        np.str_
    ]  # why the stated settings cannot be those that ran; empty where nothing speaks against them
    log_modelled: Array
    log_measured: Array
    variance: Array  # from the coefficients
    log_sd: Array  # with the residual spread

    @property
    def errors(self) -> Array:
        """Log of modelled over measured."""
        return self.log_modelled - self.log_measured


def architecture(model: Model) -> str:
    """Name a shape: models that differ in weights only share it."""
    counted = parameters(model)
    return (
        f"{model.layers}x{model.hidden}x{model.heads}-{float(counted.active):.4g}-{float(counted.total):.4g}"
    )


def _task(metric: str) -> str:
    if metric.endswith("_s"):
        return metric[:-2]
    return "throughput" if "per_chip" in metric else "speed per user"


def described(measured: Measurements, sample: Sample) -> Predictions:
    """Lay out who each row is; predictions are still missing (NaN)."""
    rows: list[TrainingRow | ServingRow] = [*measured.training, *measured.serving]
    tasks = [row.task for row in measured.training] + [_task(row.metric) for row in measured.serving]
    empty = np.full(sample.rows, np.nan)
    return Predictions(
        ids=np.array([row.id for row in rows]),
        chips=sample.chips,
        kinds=np.array([chip_class(row.chip) for row in rows]),
        families=np.array([row.family for row in rows]),
        tasks=np.array(tasks),
        groups=sample.groups,
        sweeps=np.array([row.sweep for row in rows]),
        sources=sample.sources,
        models=np.array([architecture(row.model) for row in rows]),
        main=_main(measured),
        doubts=np.array([getattr(row, "doubt", "") for row in rows]),
        log_modelled=empty,
        log_measured=sample.log_measured,
        variance=empty,
        log_sd=empty,
    )


def _main(measured: Measurements) -> NDArray[np.bool_]:
    """Mark one metric per published row: that of the shortest id, which further metrics extend."""
    main = [True] * len(measured.training)
    seen: set[str] = set()
    for row in measured.serving:
        root = row.id.split(":")[0]
        main.append(row.metric != _SECOND or root not in seen)
        seen.add(root)
    return np.array(main)


def predictions(measured: Measurements, calibration: Calibration | None) -> Predictions:
    """Predict rows with given coefficients; no measured value is read for it.

    A row whose source or model the calibration never saw gets the spread of such rows.
    """
    sample = sample_of(measured)
    base = described(measured, sample)
    effects, covariance = carried_over(calibration, sample.keys)
    log_modelled = predict(sample, effects)
    variance = coefficient_variance(slopes(sample, effects), covariance)
    rest = np.zeros(sample.rows)
    if calibration is not None:
        unseen = _unseen(base, calibration)
        asked = zip(base.tasks, base.families, base.kinds, unseen, strict=True)
        rest = np.array([spread_of(calibration.spreads, *map(str, row)) for row in asked])
    return replace(base, log_modelled=log_modelled, variance=variance, log_sd=np.sqrt(variance + rest**2))


def known_of(base: Predictions) -> tuple[str, ...]:
    """Name sources and models of rows as a calibration keeps them."""
    sources = {f"source:{name}" for name in base.sources.tolist()}
    return tuple(sorted(sources | {f"model:{name}" for name in base.models.tolist()}))


def _unseen(base: Predictions, calibration: Calibration) -> NDArray[np.str_]:
    known = set(calibration.known)
    source = np.array([f"source:{name}" in known for name in base.sources.tolist()])
    model = np.array([f"model:{name}" in known for name in base.models.tolist()])
    return np.where(~source, "source", np.where(~model, "model", "group"))


def cross_validate(
    measured: Measurements,
    by: Left,
    *,
    full: Fit | None = None,
    known: Measurements | None = None,
    map: FoldMap = map,  # noqa: A002 - the word of every room for a parallel map
) -> Predictions:
    """Predict every row with coefficients refitted without its source, model, chip or fold of groups.

    The spread of a row's interval comes from the other folds' errors, so that nothing of the row is in it either.

    Parameters
    ----------
    measured : Measurements
        Rows.
    by : {"source", "model", "chip", "group"}
        What is left out together; groups are left out in ten folds.
    full : Fit, optional
        A fit of all rows to start refits from; a refit runs to its own minimum.
    known : Measurements, optional
        Further rows that refits may learn from, less those of the member left out; they are not predicted.
    map : callable
        Serial by default; any ``map(function, folds)`` that keeps the order.
    """
    both = measured if known is None else measured.joined(known)
    sample = sample_of(both)
    base = described(both, sample)
    members = _members(base, by)
    asked = _asked(measured, both)
    folds = np.unique(members[asked]).tolist()
    log_modelled, variance = np.full(sample.rows, np.nan), np.full(sample.rows, np.nan)
    task = partial(_without, sample, members, None if full is None else full.values)
    for rows, values, spread in map(task, folds):
        log_modelled[rows], variance[rows] = values, spread
    found = _taken(replace(base, log_modelled=log_modelled, variance=variance), asked)
    rest = _spreads_of_others(found, members[asked])
    return replace(found, log_sd=np.sqrt(found.variance + rest**2))


def _asked(measured: Measurements, both: Measurements) -> NDArray[np.bool_]:
    """Mark the rows of ``measured`` among those of ``both``, which has them first in each phase."""
    training = np.arange(len(both.training)) < len(measured.training)
    return np.concatenate([training, np.arange(len(both.serving)) < len(measured.serving)])


def _taken(rows: Predictions, chosen: NDArray[np.bool_]) -> Predictions:
    """Pick rows of predictions."""
    return replace(rows, **{field.name: getattr(rows, field.name)[chosen] for field in fields(rows)})


def _members(base: Predictions, by: Left) -> NDArray[np.str_]:
    if by == "group":
        return np.array([f"fold {crc32(group.encode()) % _FOLDS}" for group in base.groups.tolist()])
    return {"source": base.sources, "model": base.models, "chip": base.chips}[by]


def _spreads_of_others(found: Predictions, members: NDArray[np.str_]) -> Array:
    """Residual spread of each row, from the rows that do not share its fold; NaN where nobody else has its task."""
    rest = np.full(found.ids.size, np.nan)
    for left in np.unique(members):
        own = members == left
        others = ~own & (found.doubts == "") & np.isin(found.tasks, np.unique(found.tasks[own]))
        spreads = fit_spreads(
            found.tasks[others],
            found.families[others],
            found.kinds[others],
            found.groups[others],
            found.errors[others],
            found.variance[others],
        )
        tasks = {entry.task for entry in spreads}
        for i in np.flatnonzero(own):
            if found.tasks[i] in tasks:
                rest[i] = spread_of(spreads, str(found.tasks[i]), str(found.families[i]), str(found.kinds[i]))
    return rest


def _without(
    sample: Sample, members: NDArray[np.str_], start: Array | None, left: str
) -> tuple[NDArray[np.intp], Array, Array]:
    """Refit without one member; predict its rows."""
    out = members == left
    refit = fit(sample, ~out, start=_forget(sample, start, out), rounds=_REFIT_ROUNDS)
    rows = np.flatnonzero(out)
    count = len(sample.keys)
    covariance = refit.covariance[:count, :count]
    variance = coefficient_variance(slopes(sample, refit.effects)[rows], covariance)
    return rows, predict(sample, refit.effects)[rows], variance


def _forget(sample: Sample, start: Array | None, out: NDArray[np.bool_]) -> Array | None:
    """Start at the full fit, but at zero for effects that only left-out rows have: nothing of them may remain."""
    if start is None:
        return None
    held = np.zeros(len(sample.keys))
    first = 0
    for part in sample.parts:
        size = part.table.rows
        held += part.shares[~out[first : first + size]].sum(axis=0)
        first += size
    begun = start.copy()
    begun[: held.size][held == 0] = 0.0
    return begun
