"""From predictions to numbers: how far modelled lies from measured, every group of near-duplicates weighing the same.

With e = ln(modelled / measured) of a row and groups of near-duplicates (``split_group`` of the tables):

    median_abs_log_error = median over groups of the group's mean |e|
    mape                 = mean over groups of the group's mean |exp(e) - 1|
    bias                 = median over groups of the group's mean e
    interval_coverage    = mean over groups of the share of rows with |e| <= 1.2816 log_sd (the 80 % interval)

Their 90 % intervals are percentile bootstraps over groups (Efron and Tibshirani 1993, chapter 13); the rank correlation
is Spearman's with mean ranks for ties (Spearman 1904), inside sweeps of at least three rows, averaged over sweeps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import lgamma
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from exaplan.domain.measured import ServingMetric
from exaplan.perf.calibration.interval import CENTRAL_80
from exaplan.perf.calibration.validate import Predictions
from exaplan.perf.shapes import Array

Mask = NDArray[np.bool_]
Place = tuple[str, str, str]
"""Chip, family (``dense`` or ``moe``) and task."""
BOOTSTRAPS = 2000
_DRAWN_MAX = 1_000_000  # groups drawn at once, for the sake of memory
_SWEEP_MIN = 3
_TRAINING = ("pretrain", "sft", "lora")


@dataclass(frozen=True)
class Score:
    """How well some rows are modelled; None where there is nothing to say it from.

    ``n`` counts published rows, ``coverage`` is n over n and the rows of known architecture that were not modelled,
    ``interval_groups`` counts the groups with an interval (a refit that leaves out every row of a task has none),
    ``*_rows`` weigh rows instead of groups, ``intervals`` hold the 90 % bootstrap interval of each figure by its name.
    """

    n: int
    groups: int
    coverage: float | None
    median_abs_log_error: float | None = None
    mape: float | None = None
    bias: float | None = None
    interval_coverage: float | None = None
    interval_groups: int = 0
    median_abs_log_error_rows: float | None = None
    mape_rows: float | None = None
    rank_correlation: float | None = None
    sweeps: int = 0
    intervals: Mapping[str, tuple[float, float] | None] | None = None


@dataclass(frozen=True)
class GroupError:
    """One group of near-duplicates and its mean errors."""

    group: str
    place: Place
    source: str
    n: int
    mean_log_error: float
    mean_abs_log_error: float
    ids: tuple[str, ...]


def usable(predictions: Predictions) -> Mask:
    """Mark rows that can be scored: a finite prediction of settings that can be those that ran. Axis: row."""
    return np.asarray(np.isfinite(predictions.log_modelled) & (predictions.doubts == ""))


def root_of(identity: str) -> str:
    """Id of the published row that a metric belongs to.

    Examples
    --------
    >>> root_of("IN0001:ttft_s"), root_of("suite:7")
    ('IN0001', 'suite:7')
    """
    head, colon, tail = identity.rpartition(":")
    return head if colon and tail in get_args(ServingMetric) else identity


def published(predictions: Predictions) -> Mask:
    """Mark one row, the first main metric, for each row that was published. Axis: row."""
    table = np.where(np.isin(predictions.tasks, _TRAINING), "training", "serving").tolist()
    keys = zip(table, predictions.sources.tolist(), map(root_of, predictions.ids.tolist()), strict=True)
    names = np.array(["|".join(key) for key in keys], dtype=str)
    order = np.flatnonzero(predictions.main)
    _, first = np.unique(names[order], return_index=True)
    mask = np.zeros(names.size, dtype=bool)
    mask[order[first]] = True
    return mask


def places(predictions: Predictions) -> list[Place]:
    """Chip, family and task of every row. Axis: row."""
    columns = (predictions.chips, predictions.families, predictions.tasks)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def score(predictions: Predictions, rows: Mask, missing: int = 0, *, seed: int = 0) -> Score:
    """Score some rows.

    Parameters
    ----------
    predictions : Predictions
        Modelled and measured values.
    rows : array of bool
        Rows that count, each of them one published row. Axis: row.
    missing : int
        Rows of known architecture beside them that were not modelled.
    seed : int
        Of the bootstrap; equal seeds give equal intervals.
    """
    rows = rows & usable(predictions)
    n = int(rows.sum())
    coverage = n / (n + missing) if n + missing else None
    if n == 0:
        return Score(0, 0, coverage)
    errors = predictions.errors[rows]
    _, group, sizes = np.unique(predictions.groups[rows], return_inverse=True, return_counts=True)
    columns = (np.abs(errors), np.abs(np.expm1(errors)), errors)
    held = _held_shares(errors, predictions.log_sd[rows], group)
    means = np.array([*(np.bincount(group, weights=column) / sizes for column in columns), held])
    ranks = _rank_correlations(predictions, rows)
    middle, mape, bias, inside = _figures(means[:, None, :])[:, 0].tolist()
    sure = int(np.isfinite(held).sum())
    return Score(
        n,
        sizes.size,
        coverage,
        middle,
        mape,
        bias,
        inside if sure else None,
        sure,
        median_abs_log_error_rows=float(np.median(columns[0])),
        mape_rows=float(columns[1].mean()),
        rank_correlation=float(np.mean(ranks)) if ranks else None,
        sweeps=len(ranks),
        intervals=_bootstrap(means, seed),
    )


def _held_shares(errors: Array, log_sd: Array, group: NDArray[np.intp]) -> Array:
    """Share of each group's rows inside their 80 % intervals, of rows that have one; NaN where none has. Axis: group."""
    known = np.isfinite(log_sd)
    count = np.bincount(group, weights=known.astype(float))
    inside = known & (np.abs(errors) <= CENTRAL_80 * np.where(known, log_sd, 0.0))
    return _ratio(np.bincount(group, weights=inside.astype(float)), count)


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> Array:
    """Divide; NaN where there is nothing to divide by."""
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0))


_FIGURES = ("median_abs_log_error", "mape", "bias", "interval_coverage")


def _figures(means: Array) -> Array:
    """Join the means of groups to figures. Axes in: quantity, draw, group; out: figure, draw."""
    known = np.isfinite(means[3])
    inside = np.where(known, means[3], 0.0).sum(axis=-1)
    return np.array(
        [
            np.median(means[0], axis=-1),
            np.mean(means[1], axis=-1),
            np.median(means[2], axis=-1),
            _ratio(inside, known.sum(axis=-1)),
        ]
    )


def _bootstrap(means: Array, seed: int) -> dict[str, tuple[float, float] | None]:
    """Return 90 % intervals over resampled groups; None for a single group. Axes of ``means``: quantity, group."""
    count = means.shape[1]
    if count < 2:
        return dict.fromkeys(_FIGURES)
    rng = np.random.default_rng(seed)
    block = max(_DRAWN_MAX // count, 1)
    sizes = [min(block, BOOTSTRAPS - first) for first in range(0, BOOTSTRAPS, block)]
    figures = [_figures(means[:, rng.integers(0, count, (size, count))]) for size in sizes]
    low, high = np.quantile(np.hstack(figures), (0.05, 0.95), axis=1)
    return {
        name: (float(low[i]), float(high[i])) if np.isfinite(low[i] + high[i]) else None
        for i, name in enumerate(_FIGURES)
    }


def mean_ranks(values: Array) -> Array:
    """Rank values from 1; equal ones share the mean of their ranks.

    Examples
    --------
    >>> mean_ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse])


def spearman(first: Array, second: Array) -> float | None:
    """Rank correlation; None where one side is constant and has no order."""
    one, other = mean_ranks(first), mean_ranks(second)
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / scale if scale > 0 else None


def _rank_correlations(predictions: Predictions, rows: Mask) -> list[float]:
    """Rank correlation of every sweep of one task with at least three rows and an order."""
    names = np.char.add(np.char.add(predictions.sweeps[rows], "|"), predictions.tasks[rows])
    modelled, measured = predictions.log_modelled[rows], predictions.log_measured[rows]
    order = np.argsort(names, kind="stable")
    _, starts, counts = np.unique(names[order], return_index=True, return_counts=True)
    found = (
        spearman(modelled[own], measured[own])
        for own in (
            order[start : start + count]
            for start, count in zip(starts, counts, strict=True)
            if count >= _SWEEP_MIN
        )
    )
    return [value for value in found if value is not None]


def total_score(predictions: Predictions, missing: int = 0) -> Score:
    """Score every published row once, by its main metric."""
    return score(predictions, published(predictions), missing)


def scores_by_place(
    predictions: Predictions, missing: Mapping[Place, int], *, tasks_only: bool = False
) -> Iterator[tuple[Place, Score]]:
    """Score chip x family x task, or task x family over all chips (then the chip reads ``all``), in their order.

    Parameters
    ----------
    predictions : Predictions
        Modelled and measured values.
    missing : mapping
        Rows that were not modelled, by chip, family and task.
    tasks_only : bool
        Whether chips are taken together.
    """

    def shown(place: Place) -> Place:
        return ("all", *place[1:]) if tasks_only else place

    lacking: dict[Place, int] = {}
    for place, count in missing.items():
        lacking[shown(place)] = lacking.get(shown(place), 0) + count
    names = [shown(place) for place in places(predictions)]
    labels = np.array(["|".join(place) for place in names], dtype=str)
    for place in sorted({*names, *lacking}, key=lambda place: (place[2], place[1], place[0])):
        yield place, score(predictions, labels == "|".join(place), lacking.get(place, 0))


def worst_groups(predictions: Predictions, rows: Mask | None = None, most: int = 10) -> list[GroupError]:
    """Return the groups with the largest mean absolute log error, worst first; each with who it is."""
    rows = usable(predictions) & (published(predictions) if rows is None else rows)
    index = np.flatnonzero(rows)
    names, group, sizes = np.unique(predictions.groups[index], return_inverse=True, return_counts=True)
    errors = predictions.errors[index]
    absolute = np.bincount(group, weights=np.abs(errors), minlength=names.size) / np.maximum(sizes, 1)
    signed = np.bincount(group, weights=errors, minlength=names.size) / np.maximum(sizes, 1)
    every = places(predictions)
    found = []
    for one in np.argsort(-absolute, kind="stable")[:most].tolist():
        own = index[group == one]
        first = int(own[0])
        found.append(
            GroupError(
                group=str(names[one]).split("|", 1)[-1],
                place=every[first],
                source=str(predictions.sources[first]),
                n=int(sizes[one]),
                mean_log_error=float(signed[one]),
                mean_abs_log_error=float(absolute[one]),
                ids=tuple(predictions.ids[own].tolist()),
            )
        )
    return found


def binomial_band(groups: int, share: float = 0.8, level: float = 0.95) -> tuple[float, float]:
    """Shares between which a binomial count over ``groups`` independent groups lies with probability ``level``.

    Examples
    --------
    >>> binomial_band(10)
    (0.5, 1.0)
    """
    k = np.arange(groups + 1)
    choose = np.array([lgamma(groups + 1) - lgamma(i + 1) - lgamma(groups - i + 1) for i in k.tolist()])
    below = np.cumsum(np.exp(choose + k * np.log(share) + (groups - k) * np.log1p(-share)))
    tail = (1 - level) / 2
    low, high = np.searchsorted(below, (tail, 1 - tail))
    return float(low) / groups, float(min(high, groups)) / groups
