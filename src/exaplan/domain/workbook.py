"""A workbook as plain cells: numbers, words, and formulas with the value they have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Style = Literal["plain", "title", "head", "money", "total", "share", "input", "note", "check"]


@dataclass(frozen=True)
class Cell:
    """One cell; with a ``formula`` (without ``=``) the ``value`` is what it comes to."""

    value: float | str
    formula: str | None = None
    style: Style = "plain"


@dataclass(frozen=True)
class Sheet:
    """One sheet: cells by (row, column) from 0, widths of the first columns, rows and columns that stay in view."""

    name: str
    cells: dict[tuple[int, int], Cell]
    widths: tuple[float, ...] = ()
    freeze: tuple[int, int] = (0, 0)
