"""Many linear programs with one matrix: their numbers, and the smaller, scaled form in which they are solved together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from exaplan.optimize.model import Model, RangeT
from exaplan.optimize.ranges import LabelledRange
from exaplan.optimize.tableaus import scales_of, times

LITTLE = 1e-6
"""Least size that the numbers of a program are taken to have, in scaled units."""


@dataclass(frozen=True)
class Programs:
    """Many programs: optimise ``cost @ x`` with ``lower <= x <= upper`` and ``row_lower <= A @ x <= row_upper``."""

    lower: np.ndarray  # [path, column]
    upper: np.ndarray  # [path, column]
    cost: np.ndarray  # [path, column]
    row_lower: np.ndarray  # [path, row]
    row_upper: np.ndarray  # [path, row]

    def at(self, path: int) -> dict[str, np.ndarray]:
        """Take one program as arguments of :class:`~exaplan.optimize.highs.HotSolver`."""
        return {name: values[path] for name, values in vars(self).items()}

    def part(self, which: np.ndarray) -> Programs:
        """Take some programs."""
        return Programs(*(values[which] for values in vars(self).values()))

    def checked(self, model: Model) -> Programs:
        """Refuse arrays that do not fit the model, and NaN; returns the programs.

        Raises
        ------
        ValueError
            With the name of the array.
        """
        paths = len(self.lower)
        for name, values in vars(self).items():
            wanted = (paths, model.row_count if name.startswith("row") else model.column_count)
            if values.shape != wanted:
                raise ValueError(f"programs: {name} has shape {values.shape}; the model needs {wanted}")
            if np.isnan(values).any():
                raise ValueError(
                    f"programs: {name} holds NaN in program {int(np.isnan(values).any(axis=1).argmax())}"
                )
        return self


def apart(model: Model, copies: int) -> tuple[Model, np.ndarray]:
    """Take a model of ``copies`` alike programs side by side apart.

    Every range of it has the copies as its leading axis, and no entry joins two. Returns the first program, its matrix with
    an entry wherever any copy has one, and the coefficients of all [copy, entry], aligned with its ``value``.
    """
    copy, row = _places(model.rows.values(), copies, model.row_count)
    column_copy, column = _places(model.columns.values(), copies, model.column_count)
    rows, columns = model.row_count // copies, model.column_count // copies
    first_columns, first_rows = np.flatnonzero(column_copy == 0), np.flatnonzero(copy == 0)
    key = column[model.entry_column].astype(np.int64) * rows + row[model.index]
    pattern, place = np.unique(key, return_inverse=True)
    values = np.zeros((copies, len(pattern)))
    values[copy[model.index], place] = model.value
    start = np.searchsorted(pattern, np.arange(columns + 1, dtype=np.int64) * rows)
    one = replace(
        model, cost=model.cost[first_columns], lower=model.lower[first_columns], upper=model.upper[first_columns],
        row_lower=model.row_lower[first_rows], row_upper=model.row_upper[first_rows], start=start.astype(model.start.dtype),
        index=(pattern % rows).astype(model.index.dtype), value=values[0].copy(),
        columns=_first(model.columns, copies), rows=_first(model.rows, copies),
    )  # fmt: skip
    return one, values


def _places(ranges: Iterable[LabelledRange], copies: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the copy of each column or row, and its number in the program of that copy."""
    copy, place, begin = np.empty(count, dtype=int), np.empty(count, dtype=int), 0
    for block in ranges:
        each = block.size // copies
        copy[block.span] = np.repeat(np.arange(copies), each)
        place[block.span] = np.tile(begin + np.arange(each), copies)
        begin += each
    return copy, place


def _first(ranges: Mapping[str, RangeT], copies: int) -> dict[str, RangeT]:
    made: dict[str, RangeT] = {}
    begin = 0
    for name, block in ranges.items():
        made[name] = replace(block, shape=(1, *block.shape[1:]), start=begin)
        begin += block.size // copies
    return made


class Reduced:
    """Programs without columns that are fixed and rows that are free in all of them, and the same scaled, to be maximized.

    Scaled, a program is ``[A, -I] v = 0`` with bounds on all variables v: columns first, then what rows add up to.
    """

    def __init__(self, model: Model, programs: Programs) -> None:
        matrix = np.zeros((model.row_count, model.column_count))
        matrix[model.index, model.entry_column] = model.value
        fixed = (programs.lower == programs.upper).all(axis=0)
        rows = ~((programs.row_lower == -np.inf) & (programs.row_upper == np.inf)).all(axis=0)
        self.open = np.flatnonzero(~fixed)
        self.matrix = np.ascontiguousarray(matrix[rows][:, ~fixed])
        given = times(programs.lower[:, fixed], matrix[rows][:, fixed].T)
        self.programs = Programs(
            programs.lower[:, ~fixed], programs.upper[:, ~fixed], programs.cost[:, ~fixed],
            programs.row_lower[:, rows] - given, programs.row_upper[:, rows] - given,
        )  # fmt: skip
        row_scale, column_scale = scales_of(self.matrix)
        self.scaled = row_scale[:, None] * self.matrix * column_scale
        self.unit = np.concatenate([column_scale, 1 / row_scale])  # of each variable
        self.lower = np.hstack([self.programs.lower, self.programs.row_lower]) / self.unit
        self.upper = np.hstack([self.programs.upper, self.programs.row_upper]) / self.unit
        self.cost = np.zeros_like(self.lower)
        np.multiply(self.programs.cost, column_scale, out=self.cost[:, : len(self.open)])
        if model.sense == "min":
            self.cost *= -1
        self.size = np.maximum(largest(self.lower), largest(self.upper))  # [path]
        self.keen = largest(self.cost)  # [path]

    def model(self, model: Model) -> Model:
        """Write the reduced program, not scaled, for a solver; its bounds and costs are still to be given."""
        column, row = np.nonzero(self.matrix.T)
        rows, columns = self.matrix.shape
        start = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=columns))])
        return replace(
            model, cost=np.zeros(columns), lower=np.full(columns, -np.inf), upper=np.full(columns, np.inf),
            row_lower=np.full(rows, -np.inf), row_upper=np.full(rows, np.inf), start=start.astype(model.start.dtype),
            index=row.astype(model.index.dtype), value=self.matrix[row, column], columns={}, rows={}, offset=0.0,
        )  # fmt: skip


def largest(values: np.ndarray) -> np.ndarray:
    """Largest finite size in each row, and at least a little [path]."""
    size = np.abs(values)
    size[np.isinf(size)] = 0.0
    return np.asarray(size.max(axis=1, initial=LITTLE))
