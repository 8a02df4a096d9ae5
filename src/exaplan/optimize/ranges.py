"""Named, labelled ranges of columns and rows: how a block of a matrix keeps its meaning."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LabelledRange:
    """A name and a shape laid over consecutive columns or rows, in C order, beginning at ``start``.

    Examples
    --------
    >>> stock = Variable("stock", (2, 3), start=10)
    >>> stock.index
    array([[10, 11, 12],
           [13, 14, 15]])
    >>> stock.label(13)
    'stock[1,0]'
    """

    name: str
    shape: tuple[int, ...]
    start: int

    @property
    def size(self) -> int:
        """Number of columns or rows in the range."""
        return math.prod(self.shape)

    @property
    def stop(self) -> int:
        """The number just past the range."""
        return self.start + self.size

    @property
    def span(self) -> slice:
        """The range as a slice of a full-length array."""
        return slice(self.start, self.stop)

    @property
    def index(self) -> np.ndarray:
        """Absolute column or row numbers, int64 in the shape of the range."""
        return self.start + self.position

    @property
    def position(self) -> np.ndarray:
        """Numbers 0..size-1 in the shape of the range: what ``Builder.add`` takes for rows."""
        return np.arange(self.size).reshape(self.shape)

    def label(self, number: int) -> str:
        """Name the absolute column or row ``number``, such as ``stock[3,0]``; a scalar is its bare name."""
        return self.name + bracketed(self.place(number))

    def labels(self) -> list[str]:
        """All labels in order of their numbers."""
        return [self.name + bracketed(place) for place in np.ndindex(*self.shape)]

    def place(self, number: int) -> tuple[int, ...]:
        """Find the position of the absolute ``number`` along each axis of the shape."""
        if not self.start <= number < self.stop:
            raise ValueError(f"{self.name}: number {number} is outside {self.start}..{self.stop - 1}")
        return tuple(int(axis) for axis in np.unravel_index(number - self.start, self.shape))


@dataclass(frozen=True)
class Variable(LabelledRange):
    """A block of columns (decisions)."""


@dataclass(frozen=True)
class RowRange(LabelledRange):
    """A block of rows (constraints)."""


def bracketed(place: tuple[int, ...]) -> str:
    """Write a position as ``[3,0]``; the empty position of a scalar as nothing.

    Examples
    --------
    >>> bracketed((3, 0)), bracketed(())
    ('[3,0]', '')
    """
    return "[" + ",".join(map(str, place)) + "]" if place else ""
