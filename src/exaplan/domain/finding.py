"""An answer to a question that is not a plan: a sentence, tables, plots, notes, and the values behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from exaplan.domain.casebook import Plot, Table


@dataclass(frozen=True)
class Finding:
    """One answered question.

    Attributes
    ----------
    answer : str
        One or two sentences with computed numbers.
    tables, plots : tuple
        What the answer rests on.
    notes : tuple of str
        What is assumed, and from where.
    values : mapping
        The numbers by name, as JSON has them.
    held : bool
        False where something that was asked for cannot be had.
    """

    answer: str
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()
    notes: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    held: bool = True
