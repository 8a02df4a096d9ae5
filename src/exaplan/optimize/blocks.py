"""The block builder: named variables and rows with shapes, filled by broadcast arrays, never row by row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from exaplan.optimize.model import Model, Sense, spread
from exaplan.optimize.ranges import LabelledRange, RowRange, Variable

__all__ = ["Builder", "RowRange", "Variable"]


class Builder:
    """Collects variables, rows and coefficients, then builds one immutable :class:`Model`.

    Examples
    --------
    Two chips, one power limit each of three quarters:

    >>> builder = Builder()
    >>> use = builder.variable("use", (3, 2), cost=[5.0, 4.0])
    >>> power = builder.rows("power", (3,), upper=[10.0, 10.0, 8.0])
    >>> builder.add(power, power.position[:, None], use.index, [2.0, 1.0])
    >>> print(builder.build("max").to_lp_text(rows=["power"]), end="")
    power[0]: 2 use[0,0] + use[0,1] <= 10
    power[1]: 2 use[1,0] + use[1,1] <= 10
    power[2]: 2 use[2,0] + use[2,1] <= 8
    """

    def __init__(self) -> None:
        self._columns: dict[str, Variable] = {}
        self._rows: dict[str, RowRange] = {}
        self._column_data: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
        self._row_data: list[tuple[np.ndarray, np.ndarray]] = []
        self._entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variables, then of the row ranges, in order of declaration."""
        return (*self._columns, *self._rows)

    @property
    def column_count(self) -> int:
        """Number of columns declared so far."""
        return end(self._columns)

    @property
    def row_count(self) -> int:
        """Number of rows declared so far."""
        return end(self._rows)

    def variable(
        self,
        name: str,
        shape: tuple[int, ...],
        *,
        lower: ArrayLike = 0.0,
        upper: ArrayLike = np.inf,
        cost: ArrayLike = 0.0,
        integer: bool = False,
    ) -> Variable:
        """Declare a block of columns; bounds and costs broadcast to ``shape``; ``()`` is one column.

        Raises
        ------
        ValueError
            If the name is taken or values do not fit the shape.
        """
        self._refuse_twice(name)
        made = Variable(name, tuple(shape), self.column_count)
        data = [
            spread(f"{name} {what}", v, made.shape)
            for what, v in (("lower", lower), ("upper", upper), ("cost", cost))
        ]
        self._column_data.append((data[0], data[1], data[2], np.full(made.size, integer)))
        self._columns[name] = made
        return made

    def rows(
        self, name: str, shape: tuple[int, ...], *, lower: ArrayLike = -np.inf, upper: ArrayLike = np.inf
    ) -> RowRange:
        """Declare a block of rows ``lower <= ... <= upper``; bounds broadcast to ``shape``.

        Raises
        ------
        ValueError
            If the name is taken or values do not fit the shape.
        """
        self._refuse_twice(name)
        made = RowRange(name, tuple(shape), self.row_count)
        self._row_data.append(
            (spread(f"{name} lower", lower, made.shape), spread(f"{name} upper", upper, made.shape))
        )
        self._rows[name] = made
        return made

    def add(self, rows: RowRange, row_index: ArrayLike, columns: ArrayLike, values: ArrayLike) -> None:
        """Add coefficients: the three arrays broadcast together; entries that meet in one place are summed.

        Parameters
        ----------
        rows
            The row range they belong to.
        row_index
            Positions within the range, 0..size-1 (``rows.position`` or a selection of it).
        columns
            Absolute column numbers (``variable.index`` or a selection of it).
        values
            Coefficients; zeros are dropped at the end.

        Raises
        ------
        ValueError
            For a position outside the range, an undeclared column, a value that is not finite, or shapes that do
            not broadcast.
        """
        where = f"rows {rows.name!r}"
        if self._rows.get(rows.name) != rows:
            raise ValueError(f"{where}: not declared by this builder; call Builder.rows first")
        row, column = np.asarray(row_index), np.asarray(columns)
        value = np.asarray(values, dtype=float)
        check_integers(f"{where}: row_index", row, rows.size)
        check_integers(f"{where}: columns", column, self.column_count)
        if not np.isfinite(value).all():
            raise ValueError(
                f"{where}: a coefficient is NaN or infinite; coefficients must be finite numbers"
            )
        try:
            row, column, value = np.broadcast_arrays(row, column, value)
        except ValueError:
            shapes = f"{row.shape}, {column.shape}, {value.shape}"
            raise ValueError(
                f"{where}: row_index, columns and values of shapes {shapes} do not broadcast"
            ) from None
        self._entries.append((rows.start + row.reshape(-1), column.reshape(-1), value.reshape(-1)))

    def build(self, sense: Sense = "max", *, offset: float = 0.0) -> Model:
        """Assemble the model; ``offset`` is the constant term of the objective.

        Raises
        ------
        ValueError
            For an unknown sense, NaN, or bounds turned round.
        """
        start, index, value = compressed(self._entries, self.column_count, self.row_count)
        lower, upper, cost, integer = joined(self._column_data, (float, float, float, bool))
        row_lower, row_upper = joined(self._row_data, (float, float))
        return Model(
            cost=cost, lower=lower, upper=upper, row_lower=row_lower, row_upper=row_upper,
            start=start, index=index, value=value, sense=sense,
            columns=dict(self._columns), rows=dict(self._rows),
            integer=integer if integer.any() else None, offset=float(offset),
        )  # fmt: skip

    def _refuse_twice(self, name: str) -> None:
        if name in self._columns or name in self._rows:
            raise ValueError(f"builder: the name {name!r} is taken; names of variables and rows must differ")


def end(ranges: dict[str, Variable] | dict[str, RowRange]) -> int:
    """Return the number just past the last range."""
    last: LabelledRange | None = next(reversed(ranges.values()), None)
    return 0 if last is None else last.stop


def check_integers(what: str, array: np.ndarray, size: int) -> None:
    """Refuse anything but integers in 0..size-1."""
    if array.size == 0:
        return
    if not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{what}: expected integers, got {array.dtype}")
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= size:
        raise ValueError(f"{what}: numbers {low}..{high} leave the range 0..{size - 1}")


def joined(parts: Sequence[tuple[np.ndarray, ...]], kinds: tuple[type, ...]) -> tuple[np.ndarray, ...]:
    """Concatenate the parts field by field into fresh arrays of the given kinds."""
    return tuple(
        np.concatenate([part[field] for part in parts]).astype(kind) if parts else np.zeros(0, kind)
        for field, kind in enumerate(kinds)
    )


def compressed(
    entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]], columns: int, rows: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn triplets (row, column, value) into compressed columns: start, index, value.

    Duplicates are summed in the order in which they were added, so the result is the same on every run; zeros,
    given or summed, are dropped.
    """
    row, column, value = joined(entries, (np.int64, np.int64, float))
    key = column * rows + row
    order = np.argsort(key, kind="stable")
    key, value = key[order], value[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    if len(first) < len(key):
        key, value = key[first], np.add.reduceat(value, first)
    kept = value != 0.0
    key, value = key[kept], value[kept]
    column, row = np.divmod(key, max(rows, 1))
    start = np.zeros(columns + 1, np.int64)
    np.cumsum(np.bincount(column, minlength=columns), out=start[1:])
    return start.astype(np.int32), row.astype(np.int32), value
