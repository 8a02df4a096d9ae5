"""Sheets that are filled cell by cell: a formula is written together with the value it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from exaplan.domain.workbook import Cell, Sheet, Style

LETTERS = 26


@dataclass(frozen=True)
class At:
    """A cell that formulas of any sheet can name, and its value."""

    name: str
    value: float


def column_name(column: int) -> str:
    """Letters of a column counted from 0.

    Examples
    --------
    >>> column_name(0), column_name(27)
    ('A', 'AB')
    """
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, LETTERS)
        text = chr(ord("A") + rest) + text
    return text


@dataclass
class Page:
    """A sheet under construction."""

    title: str
    widths: tuple[float, ...]
    freeze: tuple[int, int] = (0, 0)
    cells: dict[tuple[int, int], Cell] = field(default_factory=dict)
    row: int = 0

    def text(self, column: int, words: str, style: Style = "plain") -> None:
        """Write words into the present row."""
        self.cells[self.row, column] = Cell(words, None, style)

    def number(self, column: int, value: float, style: Style = "money") -> At:
        """Write a number into the present row."""
        self.cells[self.row, column] = Cell(float(value), None, style)
        return self._at(column, float(value))

    def formula(self, column: int, formula: str, value: float, style: Style = "money") -> At:
        """Write a formula and what it comes to into the present row."""
        self.cells[self.row, column] = Cell(float(value), formula, style)
        return self._at(column, float(value))

    def _at(self, column: int, value: float) -> At:
        return At(f"'{self.title}'!${column_name(column)}${self.row + 1}", value)

    def numbers(self, first: int, values: Sequence[float], style: Style = "money") -> list[At]:
        """Write numbers side by side."""
        return [self.number(first + k, value, style) for k, value in enumerate(values)]

    def sums(self, first: int, parts: Sequence[Sequence[At]], style: Style = "money") -> list[At]:
        """Write, column by column, the sum of the cells of ``parts`` [part][column]."""
        found = []
        for k, group in enumerate(zip(*parts, strict=True)):
            words = "+".join(at.name for at in group)
            found.append(self.formula(first + k, words, sum(at.value for at in group), style))
        return found

    def sheet(self) -> Sheet:
        """Finish."""
        return Sheet(self.title, self.cells, self.widths, self.freeze)
