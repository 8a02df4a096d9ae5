"""The block builder: named variables and rows with shapes, filled by broadcast arrays, never row by row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from exaplan.optimize.entries import Triplets, by_column, flat, merged
from exaplan.optimize.model import Expression, Model, Sense, fitted, named
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
        self._column_data: list[
            tuple[np.ndarray, ...]
        ] = []  # lower, upper, cost, integer, as views in the shape
        self._row_data: list[tuple[np.ndarray, ...]] = []  # lower, upper
        self._entries: dict[str, list[Triplets]] = {}  # by row range, in the order in which they were added
        self._expressions: dict[str, list[Expression]] = {}

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
            fitted(f"{name} {what}", v, made.shape)
            for what, v in (("lower", lower), ("upper", upper), ("cost", cost))
        ]
        self._column_data.append((*data, np.broadcast_to(np.asarray(integer), made.shape)))
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
            (fitted(f"{name} lower", lower, made.shape), fitted(f"{name} upper", upper, made.shape))
        )
        self._rows[name] = made
        self._entries[name] = []
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
            shape = np.broadcast_shapes(row.shape, column.shape, value.shape)
        except ValueError:
            shapes = f"{row.shape}, {column.shape}, {value.shape}"
            raise ValueError(
                f"{where}: row_index, columns and values of shapes {shapes} do not broadcast"
            ) from None
        self._entries[rows.name].append(
            (flat(row, shape, np.int32), flat(column, shape, np.int32), flat(value, shape, np.float64))
        )

    def express(
        self, name: str, size: int, *, position: ArrayLike, columns: ArrayLike, values: ArrayLike
    ) -> None:
        """Add terms to a named linear expression of the columns; it constrains nothing and is read from a solution.

        Parameters
        ----------
        name
            Name of the expression; terms of the same name are summed.
        size
            Number of its components.
        position, columns, values
            Component 0..size-1, absolute column and coefficient; the three broadcast together.
        """
        spread = np.broadcast_arrays(
            np.asarray(position), np.asarray(columns), np.asarray(values, dtype=float)
        )
        place, column, value = (part.reshape(-1) for part in spread)
        check_integers(f"expression {name!r}: position", place, size)
        check_integers(f"expression {name!r}: columns", column, self.column_count)
        self._expressions.setdefault(name, []).append(Expression(size, place, column, value))

    def declared(self, name: str) -> RowRange:
        """Find a row range declared before, so that further functions can add their terms to it.

        Raises
        ------
        ValueError
            If there is none of that name; the message lists those there are.
        """
        return named(self._rows, name, "row range")

    def column(self, name: str) -> Variable:
        """Find a variable declared before.

        Raises
        ------
        ValueError
            If there is none of that name; the message lists those there are.
        """
        return named(self._columns, name, "variable")

    @property
    def variables(self) -> dict[str, Variable]:
        """All variables declared so far, by name."""
        return dict(self._columns)

    def has_rows(self, name: str) -> bool:
        """Whether a row range of that name has been declared."""
        return name in self._rows

    def build(self, sense: Sense = "max", *, offset: float = 0.0) -> Model:
        """Assemble the model; ``offset`` is the constant term of the objective.

        Raises
        ------
        ValueError
            For an unknown sense, NaN, or bounds turned round.
        """
        for name, parts in self._entries.items():
            self._entries[name] = [merged(parts, self._rows[name].size)]
        firsts = [rows.start for rows in self._rows.values()]
        start, index, value = by_column(
            [parts[0] for parts in self._entries.values()], firsts, self.column_count
        )
        lower, upper, cost, integer = joined(self._column_data, (float, float, float, bool))
        row_lower, row_upper = joined(self._row_data, (float, float))
        return Model(
            cost=cost, lower=lower, upper=upper, row_lower=row_lower, row_upper=row_upper,
            start=start, index=index, value=value, sense=sense,
            columns=dict(self._columns), rows=dict(self._rows),
            integer=integer if integer.any() else None, offset=float(offset),
            expressions={name: tuple(parts) for name, parts in self._expressions.items()},
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
    """Lay the parts one after another, field by field, into fresh flat arrays of the given kinds."""
    total = sum(part[0].size for part in parts)
    result: tuple[np.ndarray, ...] = tuple(np.empty(total, kind) for kind in kinds)
    for field, full in enumerate(result):
        at = 0
        for part in parts:
            size = part[field].size
            full[at : at + size].reshape(part[field].shape)[...] = part[field]
            at += size
    return result
