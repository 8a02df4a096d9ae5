"""Fit the effects of all coefficients at once: robust least squares on log error with a normal prior on each effect.

Minimise sum_r rho((log modelled_r + b_r - log measured_r)^2 w_r / s_r^2) + sum_e (effect_e / prior_e)^2, with rho the soft L1
loss and b_r random offsets of the row's publisher and model: what one publisher's machines or one model's kernels have in
common is not read as physics. The derivative with respect to an effect is that with respect to the coefficient's logit
times the design, so the cost of a Jacobian does not grow with the hierarchy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exaplan.domain.errors import InputError, Problem
from exaplan.domain.measured import Measurements, ServingRow, TrainingRow
from exaplan.perf.calibration.cases import Table
from exaplan.perf.calibration.hierarchy import (
    RULES,
    Key,
    design,
    keys_of,
    knobs_at,
    prior_sds,
)
from exaplan.perf.calibration.serving_cases import ServingCases, serving_cases
from exaplan.perf.calibration.training_cases import TrainingCases, training_cases
from exaplan.perf.knobs import Knobs
from exaplan.perf.shapes import Array

_STEP = 1e-4  # logits, of the difference quotient
_TOLERANCE = 2e-5  # relative gain in cost below which a fit stops
_DAMPING_MAX = 1e6
NOISE_SD = {"train": 0.08, "throughput": 0.12, "latency": 0.12, "ttft_s": 1.2}
"""Log standard deviation of one group's measurement by kind. Duplicates of one configuration differ by 2 to 30 %; TTFT of
closed loops carries the client's start-up burst and is known to a factor of 1.5 only."""
OFFSET_SD = {"source": 0.05, "model": 0.03}
"""Prior log standard deviation of the offsets of publishers and models. Assumed; the fit says what remains."""
_GROUP_POWER = 0.5  # a group of n near-duplicates weighs as sqrt(n) rows: not n, for they repeat, nor one, for they sweep


@dataclass(frozen=True)
class Part:
    """Rows of one phase with their prediction as a function of coefficients."""

    table: Table
    log_rates: Callable[[Knobs], Array]
    columns: dict[str, slice]  # effects of each coefficient that matters here
    shares: Array  # which effects each row has, 0 or 1; axes: row, effect

    def logits(self, effects: Array) -> dict[str, Array]:
        """Coefficients of every row as logits."""
        start = self.table.starts
        return {name: start[name] + self.shares[:, own] @ effects[own] for name, own in self.columns.items()}

    def predict(self, effects: Array) -> Array:
        """Log of modelled values. Axis: row."""
        return self.log_rates(knobs_at(self.logits(effects), self.table.base))

    def slopes(self, effects: Array) -> Array:
        """Take the derivative of each row's log prediction by each effect. Axes: row, effect."""
        logits = self.logits(effects)
        centre = self.log_rates(knobs_at(logits, self.table.base))
        slopes = np.zeros(self.shares.shape)
        for name, own in self.columns.items():
            moved = {**logits, name: logits[name] + _STEP}
            slope = (self.log_rates(knobs_at(moved, self.table.base)) - centre) / _STEP
            slopes[:, own] = slope[:, None] * self.shares[:, own]
        return slopes


@dataclass(frozen=True)
class Sample:
    """Everything a fit reads. Axis of the arrays: row, training rows first."""

    keys: tuple[Key, ...]
    parts: tuple[Part, ...]
    kinds: NDArray[np.str_]  # of NOISE_SD
    sources: NDArray[np.str_]
    models: NDArray[np.str_]
    chips: NDArray[np.str_]
    groups: NDArray[np.str_]
    log_measured: Array
    doubtful: NDArray[np.bool_]  # rows whose stated settings cannot be those that ran: never fitted

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.log_measured.size


@dataclass(frozen=True)
class Fit:
    """Effects that a fit found, publishers' and models' offsets after them. Axis: effect, then offset."""

    keys: tuple[Key, ...]
    offsets: tuple[tuple[str, str], ...]
    values: Array
    covariance: Array
    cost: float
    rounds: int

    @property
    def effects(self) -> Array:
        """Effects alone. Axis: effect."""
        return self.values[: len(self.keys)]


def sample_of(measured: Measurements) -> Sample:
    """Lay out published rows for a fit or a validation.

    Raises
    ------
    InputError
        When there is no row.
    """
    cases: list[TrainingCases | ServingCases] = []
    if measured.training:
        cases.append(training_cases(measured.training))
    if measured.serving:
        cases.append(serving_cases(measured.serving))
    if not cases:
        raise InputError(
            Problem("no measured row can be modelled", suggestion="see the reasons of those skipped")
        )
    keys = keys_of([row for case in cases for row in case.table.labels])
    kinds = ["train"] * len(measured.training) + [_kind(row.metric) for row in measured.serving]
    rows: list[TrainingRow | ServingRow] = [*measured.training, *measured.serving]
    return Sample(
        keys=keys,
        parts=tuple(_part(case, keys) for case in cases),
        kinds=np.array(kinds),
        sources=np.array([row.source for row in rows]),
        models=np.array([row.model.id for row in rows]),
        chips=np.array([row.chip.id for row in rows]),
        groups=np.array([f"{kind}|{row.group}" for kind, row in zip(kinds, rows, strict=True)]),
        log_measured=np.log([row.measured for row in rows]),
        doubtful=np.array([bool(getattr(row, "doubt", "")) for row in rows]),
    )


def _part(cases: TrainingCases | ServingCases, keys: tuple[Key, ...]) -> Part:
    trains = isinstance(cases, TrainingCases)
    names = [name for name, _, _ in keys]
    columns = {
        name: slice(names.index(name), names.index(name) + names.count(name))
        for name, rule in RULES.items()
        if name in names and (rule.trains if trains else rule.serves)
    }
    return Part(cases.table, cases.log_rates, columns, design(cases.table.labels, keys))


def _kind(metric: str) -> str:
    if metric == "ttft_s":
        return metric
    return "throughput" if "tokens_per_s" in metric else "latency"


def predict(sample: Sample, effects: Array) -> Array:
    """Log of modelled values, offsets left out. Axis: row."""
    return np.concatenate([part.predict(effects) for part in sample.parts])


def slopes(sample: Sample, effects: Array) -> Array:
    """Take the derivative of all rows' log predictions by the effects. Axes: row, effect."""
    return np.vstack([part.slopes(effects) for part in sample.parts])


def row_weights(groups: NDArray[np.str_], used: NDArray[np.bool_]) -> Array:
    """Weight of each row: a group of n rows counts as n to the power 1/2; rows not used count nothing."""
    _, inverse = np.unique(groups, return_inverse=True)
    sizes = np.bincount(inverse, weights=used.astype(float))
    return np.asarray(np.where(used, np.maximum(sizes[inverse], 1.0) ** (_GROUP_POWER - 1), 0.0))


def fit(
    sample: Sample,
    used: NDArray[np.bool_] | None = None,
    *,
    start: Array | None = None,
    rounds: int = 40,
) -> Fit:
    """Fit all effects and offsets to the rows in use by damped Gauss-Newton steps (Levenberg-Marquardt).

    Parameters
    ----------
    sample : Sample
        Rows.
    used : array of bool, optional
        Rows that count, doubtful ones never; all others where not given. Axis: row.
    start : array, optional
        Values to start from, zero where not given. Axis: effect, then offset.
    rounds : int
        Most steps.

    Returns
    -------
    Fit
        Effects, offsets and the covariance of both, from the curvature at the minimum.
    """
    used = ~sample.doubtful if used is None else used & ~sample.doubtful
    offsets, offset_design = _offsets(sample)
    weight = row_weights(sample.groups, used) / np.array([NOISE_SD[kind] for kind in sample.kinds]) ** 2
    precision = 1 / np.concatenate([prior_sds(sample.keys), [OFFSET_SD[level] for level, _ in offsets]]) ** 2
    count = len(sample.keys)

    def error(values: Array) -> Array:
        return predict(sample, values[:count]) + offset_design @ values[count:] - sample.log_measured

    def cost_of(values: Array, errors: Array) -> float:
        robust = 2 * (np.sqrt(1 + weight * errors**2) - 1)
        return float(0.5 * (robust.sum() + (precision * values**2).sum()))

    values = np.zeros(precision.size) if start is None else start.copy()
    errors = error(values)
    cost, damping = cost_of(values, errors), 1e-3
    done = 0
    for done in range(1, rounds + 1):  # noqa: B007 - told in the result
        rows = np.hstack([slopes(sample, values[:count]), offset_design])
        pull = weight / np.sqrt(1 + weight * errors**2)
        curvature = (rows * pull[:, None]).T @ rows + np.diag(precision)
        gradient = rows.T @ (pull * errors) + precision * values
        before = cost
        while damping < _DAMPING_MAX:
            trial = values - np.linalg.solve(curvature + damping * np.diag(np.diag(curvature)), gradient)
            found = error(trial)
            reached = cost_of(trial, found)
            if reached < cost:
                values, errors, cost, damping = trial, found, reached, damping / 5
                break
            damping *= 5
        if before - cost < _TOLERANCE * before:
            break
    return Fit(sample.keys, offsets, values, np.linalg.inv(curvature), cost, done)


def _offsets(sample: Sample) -> tuple[tuple[tuple[str, str], ...], Array]:
    """Random offsets of training rows and which rows have them.

    Serving rows have none: their tables come from few publishers, each with modes and engines of its own, so that an
    offset could not be told from the physics of the mode.
    """
    trains = sample.kinds == "train"
    names = {"source": sample.sources, "model": sample.models}
    found = tuple(
        (level, member) for level, column in names.items() for member in np.unique(column[trains]).tolist()
    )
    columns = [trains & (names[level] == member) for level, member in found]
    return found, np.array(columns, dtype=float).reshape(len(found), sample.rows).T
