"""A linear or mixed-integer program as immutable arrays with labelled ranges: a value, not an object with a life."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from exaplan.optimize.ranges import LabelledRange, RowRange, Variable

Sense = Literal["max", "min"]
Changes = Mapping[str, ArrayLike]
RangeT = TypeVar("RangeT", bound=LabelledRange)


@dataclass(frozen=True, eq=False)
class Expression:
    """Terms of a linear expression: component, column and coefficient, flat and aligned."""

    size: int
    position: np.ndarray
    column: np.ndarray
    value: np.ndarray


@dataclass(frozen=True, eq=False)
class Model:
    """Optimise ``cost @ x + offset`` over ``lower <= x <= upper`` and ``row_lower <= A @ x <= row_upper``.

    ``A`` is held by column (CSC): the entries of column j are ``value[start[j]:start[j+1]]`` in the rows
    ``index[start[j]:start[j+1]]``, ascending, without duplicates and without zeros. All arrays are read-only, so
    models may share them. ``integer`` marks columns that must be whole; None where there are none.
    """

    cost: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    row_lower: np.ndarray
    row_upper: np.ndarray
    start: np.ndarray
    index: np.ndarray
    value: np.ndarray
    sense: Sense
    columns: dict[str, Variable]
    rows: dict[str, RowRange]
    integer: np.ndarray | None = None
    offset: float = 0.0
    expressions: dict[str, tuple[Expression, ...]] = field(
        default_factory=dict
    )  # named, no rows of the program

    def __post_init__(self) -> None:
        if self.sense not in ("max", "min"):
            raise ValueError(f"model: sense {self.sense!r} is not known; use 'max' or 'min'")
        check_numbers("columns", self.columns, self.lower, self.upper)
        check_numbers("rows", self.rows, self.row_lower, self.row_upper)
        check_finite("cost", self.columns, self.cost)
        for array in (self.cost, self.lower, self.upper, self.row_lower, self.row_upper, self.integer):
            if array is not None:
                array.setflags(write=False)
        for array in (self.start, self.index, self.value):
            array.setflags(write=False)

    @property
    def column_count(self) -> int:
        """Number of columns."""
        return len(self.cost)

    @property
    def row_count(self) -> int:
        """Number of rows."""
        return len(self.row_lower)

    @property
    def entry_count(self) -> int:
        """Number of nonzero coefficients."""
        return len(self.value)

    @property
    def entry_column(self) -> np.ndarray:
        """Column number of every entry, aligned with ``index`` and ``value``."""
        return np.repeat(np.arange(self.column_count), np.diff(self.start))

    def with_changes(
        self,
        *,
        lower: Changes | None = None,
        upper: Changes | None = None,
        cost: Changes | None = None,
        row_lower: Changes | None = None,
        row_upper: Changes | None = None,
    ) -> Model:
        """Return a model that shares the matrix and differs in the named ranges.

        Each argument maps a range name to values that broadcast to the range's shape.

        Raises
        ------
        ValueError
            For an unknown name, values that do not fit the shape, NaN, or a lower bound above its upper bound.
        """
        return replace(
            self,
            lower=patched("lower", self.lower, self.columns, lower),
            upper=patched("upper", self.upper, self.columns, upper),
            cost=patched("cost", self.cost, self.columns, cost),
            row_lower=patched("row_lower", self.row_lower, self.rows, row_lower),
            row_upper=patched("row_upper", self.row_upper, self.rows, row_upper),
        )

    def activity(self, x: np.ndarray) -> np.ndarray:
        """Multiply the matrix by ``x`` [column]; returns one number per row."""
        return np.bincount(self.index, self.value * x[self.entry_column], minlength=self.row_count)

    def expressed(self, name: str, x: np.ndarray) -> np.ndarray:
        """Read a named expression from ``x`` [column]; one number per component."""
        parts = self.expressions[name]
        total = np.zeros(parts[0].size)
        for part in parts:
            total += np.bincount(part.position, part.value * x[part.column], minlength=part.size)
        return total

    def pulled_back(self, row_dual: np.ndarray) -> np.ndarray:
        """Multiply the transposed matrix by ``row_dual`` [row]; returns one number per column."""
        return np.bincount(self.entry_column, self.value * row_dual[self.index], minlength=self.column_count)

    def to_lp_text(self, *, rows: Sequence[str] | None = None) -> str:
        """Write the model, or only the named row ranges, as readable text: one line per row and per bound.

        With ``rows`` the objective and the bounds are left out, so one constraint family fits in a golden test.
        The text is deterministic: rows and columns in the order in which they were declared.

        Raises
        ------
        ValueError
            If a name in ``rows`` is no row range of the model.
        """
        names = [label for variable in self.columns.values() for label in variable.labels()]
        wanted = self.rows if rows is None else {name: named(self.rows, name, "row range") for name in rows}
        lines = self._row_lines(list(wanted.values()), names)
        if rows is not None:
            return "\n".join(lines) + "\n"
        goal = terms((name, float(c)) for name, c in zip(names, self.cost, strict=True) if c)
        if self.offset:
            goal += f" + {number(self.offset)}" if self.offset > 0 else f" - {number(-self.offset)}"
        head = [{"max": "maximize", "min": "minimize"}[self.sense], f"  {goal}", "subject to"]
        bounds = [
            "  " + bounded(name, float(low), float(high))
            for name, low, high in zip(names, self.lower, self.upper, strict=True)
            if (low, high) != (0.0, np.inf)
        ]
        whole = [] if self.integer is None else [names[j] for j in np.flatnonzero(self.integer)]
        tail = [
            *(["bounds", *bounds] if bounds else []),
            *(["integer", "  " + " ".join(whole)] if whole else []),
        ]
        return "\n".join([*head, *("  " + line for line in lines), *tail]) + "\n"

    def _row_lines(self, ranges: list[RowRange], names: list[str]) -> list[str]:
        order = np.argsort(self.index, kind="stable")
        row, column, value = self.index[order], self.entry_column[order], self.value[order]
        first = np.searchsorted(row, np.arange(self.row_count + 1))
        lines = []
        for rows in ranges:
            for i, label in enumerate(rows.labels(), start=rows.start):
                entries = slice(first[i], first[i + 1])
                left = terms(
                    (names[j], float(a)) for j, a in zip(column[entries], value[entries], strict=True)
                )
                lines.append(f"{label}: {bounded(left, float(self.row_lower[i]), float(self.row_upper[i]))}")
        return lines


def named(ranges: Mapping[str, RangeT], name: str, what: str) -> RangeT:
    """Look a range up by name; a ValueError lists the names there are."""
    if name not in ranges:
        raise ValueError(f"model: no {what} {name!r}; there are {', '.join(ranges) or 'none'}")
    return ranges[name]


def patched(
    what: str, full: np.ndarray, ranges: Mapping[str, LabelledRange], changes: Changes | None
) -> np.ndarray:
    """Copy ``full`` with the named ranges overwritten; without changes the array itself."""
    if not changes:
        return full
    copy = full.copy()
    for name, values in changes.items():
        block = named(ranges, name, "range")
        copy[block.span] = spread(f"{what} of {name}", values, block.shape)
    return copy


def spread(what: str, values: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    """Broadcast ``values`` to ``shape`` and flatten; a ValueError names both shapes where they do not fit."""
    return fitted(what, values, shape).reshape(-1)


def fitted(what: str, values: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    """Broadcast ``values`` to ``shape`` without copying; a ValueError names both shapes where they do not fit."""
    array = np.asarray(values, dtype=float)
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise ValueError(f"{what}: values of shape {array.shape} do not broadcast to {shape}") from None


def check_numbers(
    what: str, ranges: Mapping[str, LabelledRange], lower: np.ndarray, upper: np.ndarray
) -> None:
    """Refuse NaN, bounds turned round, and a lower bound of +inf or an upper bound of -inf."""
    bad = ~(lower <= upper) | (lower == np.inf) | (upper == -np.inf)
    if bad.any():
        where = int(np.argmax(bad))
        raise ValueError(
            f"{what}: {holder(ranges, where).label(where)} has lower bound {lower[where]} and upper {upper[where]}"
        )


def check_finite(what: str, ranges: Mapping[str, LabelledRange], values: np.ndarray) -> None:
    """Refuse NaN and infinity."""
    bad = ~np.isfinite(values)
    if bad.any():
        where = int(np.argmax(bad))
        raise ValueError(
            f"{what}: {holder(ranges, where).label(where)} is {values[where]}; it must be finite"
        )


def holder(ranges: Mapping[str, RangeT], at: int) -> RangeT:
    """Find the range that holds the absolute column or row number ``at``."""
    return next(block for block in ranges.values() if block.start <= at < block.stop)


def number(value: float) -> str:
    """Write a number shortly and exactly to twelve digits.

    Examples
    --------
    >>> number(3.0), number(0.1), number(-2.5e-7)
    ('3', '0.1', '-2.5e-07')
    """
    return format(value, ".12g")


def terms(pairs: Iterable[tuple[str, float]]) -> str:
    """Write a linear expression.

    Examples
    --------
    >>> terms([("x", 1.0), ("y", -2.0), ("z", 0.5)])
    'x - 2 y + 0.5 z'
    """
    text = ""
    for name, value in pairs:
        size = "" if abs(value) == 1.0 else number(abs(value)) + " "
        sign = (" - " if value < 0 else " + ") if text else ("-" if value < 0 else "")
        text += sign + size + name
    return text or "0"


def bounded(expression: str, lower: float, upper: float) -> str:
    """Write an expression between its bounds.

    Examples
    --------
    >>> bounded("x", 1.0, 1.0), bounded("x", -np.inf, 2.0), bounded("x", 0.0, 2.0), bounded("x", -np.inf, np.inf)
    ('x = 1', 'x <= 2', '0 <= x <= 2', 'x free')
    """
    if lower == upper:
        return f"{expression} = {number(lower)}"
    if np.isinf(lower) and np.isinf(upper):
        return f"{expression} free"
    left = "" if np.isinf(lower) else f"{number(lower)} <= "
    right = "" if np.isinf(upper) else f" <= {number(upper)}"
    return f"{expression} >= {number(lower)}" if left and not right else left + expression + right
