"""Simplex tableaus shared by many programs: one basis, factored once, is a start for every program near it.

A program here is ``[A, -I] (x, r) = 0`` with bounds on columns x and on rows r alike, so that whatever differs between two
programs with one matrix differs in bounds and costs alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.optimize.solution import Basis

BASIC, AT_UPPER = 1, 2
"""What HiGHS calls a basic column and one at its upper bound, as numbers of :class:`Basis`."""

ALONE = 1 << 18
"""Multiplications up to which the linear algebra library works on one thread: more threads could round otherwise."""

SCALINGS = 4


@dataclass(frozen=True)
class Tableau:
    """A basis and its tableau ``T``: basic variables = -T (nonbasic variables).

    Variables are numbered columns first, then rows.
    """

    basic: np.ndarray  # [row] variable that is basic in the row
    nonbasic: np.ndarray  # [column] variable that is not
    side: np.ndarray  # [column] +1 at the lower bound, -1 at the upper
    entries: np.ndarray  # [row, column]

    @property
    def across(self) -> np.ndarray:
        """The entries by column [column, row]."""
        return self.entries.T


def place_of(basis: Basis) -> np.ndarray:
    """Say where variables stand at a basis of the solver: 0 basic, +1 at the lower bound or free, -1 at the upper."""
    status = np.concatenate([basis.columns, basis.rows])
    return np.where(status == BASIC, 0, np.where(status == AT_UPPER, -1, 1)).astype(np.int8)


def tableau_of(matrix: np.ndarray, place: np.ndarray) -> Tableau | None:
    """Factor a basis of ``matrix`` [row, column], given as by :func:`place_of`; None where it is singular or no basis at all.

    Only rows without slack are solved for the columns that are basic; the slack of the other rows follows from these.
    """
    rows, columns = matrix.shape
    basic, nonbasic = np.flatnonzero(place == 0), np.flatnonzero(place)
    if len(basic) != rows:
        return None
    inner, loose = basic[basic < columns], basic[basic >= columns] - columns
    tight = nonbasic[nonbasic >= columns] - columns
    outer = nonbasic[nonbasic < columns]
    inverse = _inverse(matrix[np.ix_(tight, inner)])
    if inverse is None:
        return None
    entries = np.zeros((rows, columns))
    top, bottom = entries[: len(inner)], entries[len(inner) :]
    top[:, : len(outer)] = times(inverse, matrix[np.ix_(tight, outer)])
    top[:, len(outer) :] = -inverse
    bottom[:] = times(matrix[np.ix_(loose, inner)], top)
    bottom[:, : len(outer)] -= matrix[np.ix_(loose, outer)]
    if not np.isfinite(entries).all():
        return None
    return Tableau(basic, nonbasic, place[nonbasic].astype(float), entries)


def _inverse(kernel: np.ndarray) -> np.ndarray | None:
    """Invert a square matrix, a few columns at a time so that the library stays on one thread; None where singular."""
    size = len(kernel)
    wide, made = int(max(1, ALONE // max(1, kernel.size))), np.eye(size)
    try:
        for begin in range(0, size, wide):
            made[:, begin : begin + wide] = np.linalg.solve(kernel, made[:, begin : begin + wide])
    except np.linalg.LinAlgError:
        return None
    return made


def times(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Multiply ``left`` [path, k] by ``right`` [k, l], the same bytes for a path whatever the threads of the library."""
    paths, inner = left.shape
    slab = int(max(1, min(64, ALONE // max(1, inner * right.shape[1]))))
    whole = paths - paths % slab
    made = np.empty((paths, right.shape[1]))
    slabs = left[:whole].reshape(whole // slab, slab, inner)
    np.matmul(slabs, right, out=made[:whole].reshape(whole // slab, slab, right.shape[1]))
    if whole < paths:
        np.matmul(left[whole:], right, out=made[whole:])
    return made


def scales_of(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Powers of two by which rows and columns are multiplied so that entries lie near one (geometric mean, in turn)."""
    rows, columns = np.zeros(matrix.shape[0]), np.zeros(matrix.shape[1])
    there = matrix != 0
    size = np.log2(np.abs(matrix), out=np.zeros_like(matrix), where=there)
    for _ in range(SCALINGS):
        for own, other, axis in ((rows, columns[None, :], 1), (columns, rows[:, None], 0)):
            moved = size + other
            high = np.where(there, moved, -np.inf).max(axis=axis, initial=-np.inf)
            low = np.where(there, moved, np.inf).min(axis=axis, initial=np.inf)
            own[:] = -np.add(high, low, out=np.zeros_like(own), where=there.any(axis=axis)) / 2
    return np.exp2(np.round(rows)), np.exp2(np.round(columns))
