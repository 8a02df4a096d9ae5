"""Published rows as arrays that the engine can evaluate: each row one or several plausible configurations.

Settings that a publisher does not state are marginalised: every plausible value becomes a candidate, those that do not
fit in memory are dropped, and the log of the row's prediction is the weighted mean of the candidates' logs. Publishers
tune what they print, so a candidate weighs by its modelled speed to the power ``TUNING``, at the coefficients before any
fit. Nothing here reads a measured value.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from exaplan.domain.technology import Chip
from exaplan.perf.calibration.hierarchy import Labels, start_logits
from exaplan.perf.knobs import Knobs
from exaplan.perf.machine import Machine, take_machines
from exaplan.perf.shapes import Array, Shapes

TUNING = 8.0
"""Power of modelled speed in the weight of a candidate: 10 % slower weighs less than half. Assumed."""
CANDIDATES_MAX = 12
"""Candidates kept per row, the weightiest."""
Index = NDArray[np.intp]


@dataclass(frozen=True)
class Table:
    """Who each row is about, and the start of its coefficients. Axis: row."""

    labels: list[Labels]
    starts: dict[str, Array]
    base: Knobs  # coefficients without a rule, per row

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.labels)


@dataclass(frozen=True)
class Layout:
    """Candidates of one phase laid out flat. Axis of every array: candidate."""

    row: Index
    weight: Array
    shapes: Shapes
    machines: Machine

    def machines_at(self, knobs: Knobs) -> Machine:
        """Machines with the rows' coefficients spread over their candidates."""
        return replace(self.machines, knobs=take_knobs(knobs, self.row))

    def mean_log(self, values: Array, rows: int) -> Array:
        """Weighted mean of the candidates' logs. Axis: row."""
        return np.bincount(self.row, weights=self.weight * np.log(values), minlength=rows).astype(float)

    def take(self, index: Index) -> Layout:
        """Pick candidates."""
        knobs = take_knobs(self.machines.knobs, index)
        machines = take_machines(self.machines, index, knobs)
        return Layout(self.row[index], self.weight[index], self.shapes.take(index), machines)


def take_knobs(knobs: Knobs, index: Index) -> Knobs:
    """Pick rows of coefficients laid out as arrays."""
    return Knobs(**{field.name: getattr(knobs, field.name)[index] for field in fields(Knobs)})


def table_of(chips: list[Chip], labels: list[Labels], base: Knobs) -> Table:
    """Lay out the start of the coefficients of every row."""
    return Table(labels, start_logits(chips), base)


def tuned_weights(row: Index, speed: Array, fits: NDArray[np.bool_], shortfall: Array) -> tuple[Index, Array]:
    """Choose the candidates of each row and weigh them.

    Parameters
    ----------
    row : array of int
        Row of each candidate, ascending.
    speed : array
        Modelled speed of each candidate; only its ratios count.
    fits : array of bool
        Whether the candidate fits in memory. Where none of a row does, the leanest counts.
    shortfall : array
        Bytes needed over bytes there are.

    Returns
    -------
    index : array of int
        Candidates kept, at most ``CANDIDATES_MAX`` per row.
    weight : array
        Weights that add up to 1 in each row.
    """
    kept: list[int] = []
    weights: list[float] = []
    for _, members in groupby(range(row.size), key=lambda i: int(row[i])):
        own = np.fromiter(members, dtype=np.intp)
        able = own[fits[own]] if fits[own].any() else own[[int(np.argmin(shortfall[own]))]]
        order = able[np.argsort(-speed[able], kind="stable")][:CANDIDATES_MAX]
        share = (speed[order] / speed[order[0]]) ** TUNING
        kept += order.tolist()
        weights += (share / share.sum()).tolist()
    return np.array(kept, dtype=np.intp), np.array(weights)


def months_between(launch: str, date: str, otherwise: float) -> float:
    """Whole months from one ``YYYY-MM`` to another, at least 0; ``otherwise`` where one of them is not known."""
    if len(launch) < 7 or len(date) < 7:
        return otherwise
    months = [int(text[:4]) * 12 + int(text[5:7]) for text in (launch, date)]
    return float(max(months[1] - months[0], 0))
