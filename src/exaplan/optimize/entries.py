"""Coefficients on their way into a matrix: sorted one row range at a time, then laid out by column.

The order of the work keeps memory low and the caches warm. A row range is sorted alone, so no temporary is as large as the
matrix; ranges hold ascending rows, so laying them down one after another leaves every column sorted, by counting alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

Triplets = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Row within its range (int32), column (int32) and value of some coefficients."""

MOST_ENTRIES = np.iinfo(np.int32).max
"""The solver counts entries in 32 bits."""


def flat(values: np.ndarray, shape: tuple[int, ...], kind: DTypeLike) -> np.ndarray:
    """Copy ``values``, broadcast to ``shape``, into a flat array."""
    copy = np.empty(shape, kind)
    copy[...] = values
    return copy.reshape(-1)


def merged(parts: Sequence[Triplets], rows: int) -> Triplets:
    """Merge the coefficients of a range of ``rows`` rows: sorted by column, then row, each place once, no zeros.

    Coefficients that meet are summed in the order in which they were added, so the result is the same on every run.
    """
    if not parts:
        return np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0)
    row, column, value = (
        np.concatenate(field) if len(parts) > 1 else field[0] for field in zip(*parts, strict=True)
    )
    key = column * np.int64(rows)
    key += row
    if not (key[1:] > key[:-1]).all():
        order = np.argsort(key, kind="stable")
        key, row, column, value = (field.take(order) for field in (key, row, column, value))
        new = np.empty(len(key), bool)
        new[0] = True
        np.not_equal(key[1:], key[:-1], out=new[1:])
        if not new.all():
            first = np.flatnonzero(new)
            row, column, value = row.take(first), column.take(first), np.add.reduceat(value, first)
    kept = value != 0.0
    return (row, column, value) if kept.all() else (row[kept], column[kept], value[kept])


def by_column(ranges: Sequence[Triplets], first_rows: Sequence[int], columns: int) -> Triplets:
    """Lay merged ranges, in ascending order of their rows, out by column: start, index, value.

    Raises
    ------
    ValueError
        For more entries than the solver can count.
    """
    total = sum(len(value) for _, _, value in ranges)
    if total > MOST_ENTRIES:
        raise ValueError(f"builder: {total} coefficients; the solver holds {MOST_ENTRIES} at most")
    start = np.zeros(columns + 1, np.int32)
    for _, column, _ in ranges:
        begin = runs(column)
        start[1:][column[begin]] += lengths(begin, len(column))
    np.cumsum(start, out=start)
    free = start[:-1].copy()
    index, filled = np.empty(total, np.int32), np.empty(total)
    for (row, column, value), first_row in zip(ranges, first_rows, strict=True):
        begin = runs(column)
        if len(begin) == len(column):
            place = free.take(column)
            free[column] += np.int32(1)
        else:
            length, held = lengths(begin, len(column)), column.take(begin)
            place = np.repeat(free.take(held) - begin, length)
            place += np.arange(len(column), dtype=np.int32)
            free[held] += length
        index[place], filled[place] = row + np.int32(first_row), value
    return start, index, filled


def runs(column: np.ndarray) -> np.ndarray:
    """Positions at which a sorted array takes a new value, int32.

    Examples
    --------
    >>> runs(np.array([4, 4, 7, 9, 9]))
    array([0, 2, 3], dtype=int32)
    """
    new = np.empty(len(column), bool)
    new[:1] = True
    np.not_equal(column[1:], column[:-1], out=new[1:])
    return np.flatnonzero(new).astype(np.int32)


def lengths(begin: np.ndarray, total: int) -> np.ndarray:
    """Lengths of the runs that begin at ``begin`` and fill ``total`` places, int32."""
    return np.diff(begin, append=np.int32(total))
