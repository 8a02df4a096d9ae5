"""A model as text in the LP file format, with its own labels, for readers that are people as well as solvers.

Labels are written ``stock(3,0)``, because square brackets mean a quadratic term in that format; numbers are written so that
they read back exactly. ``Model.to_lp_text`` is the shorter text of the golden tests, ``mps.mps_text`` the format that every
solver reads. The format has no row with two bounds: such a row becomes two, the second one ending in ``_upper``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from exaplan.optimize.model import Model
from exaplan.optimize.ranges import LabelledRange

TERMS_A_LINE = 6
"""Readers may stop at 510 characters."""


def lp_file_text(model: Model) -> str:
    """Write the whole model; the caller saves it where he likes. Rows without bounds are left out."""
    names = labels(model.columns)
    goal = np.flatnonzero(model.cost)
    constant = f" {'-' if model.offset < 0 else '+'} {abs(model.offset)!r}" if model.offset else ""
    head = ["maximize" if model.sense == "max" else "minimize"]
    head.append(f" obj:{terms(names, goal, model.cost[goal])}{constant}")
    whole = [] if model.integer is None else [f" {names[j]}" for j in np.flatnonzero(model.integer)]
    tail = [*bound_lines(model, names), *(["general", *whole] if whole else []), "end"]
    return "\n".join([*head, "subject to", *row_lines(model, names), "bounds", *tail]) + "\n"


def labels(ranges: Mapping[str, LabelledRange]) -> list[str]:
    """Label all columns or rows in the letters that the format allows."""
    square = [label for block in ranges.values() for label in block.labels()]
    return [label.replace("[", "(").replace("]", ")") for label in square]


def terms(names: Sequence[str], columns: np.ndarray, values: np.ndarray) -> str:
    """Write a linear expression, broken into lines."""
    text = ""
    for number, (j, value) in enumerate(zip(columns.tolist(), values.tolist(), strict=True)):
        new_line = "\n  " if number and number % TERMS_A_LINE == 0 else " "
        text += f"{new_line}{'-' if value < 0 else '+'} {abs(value)!r} {names[j]}"
    return text


def row_lines(model: Model, names: Sequence[str]) -> Iterator[str]:
    """Write every row that has a bound; a row without coefficients as zero times the first column."""
    order = np.argsort(model.index, kind="stable")
    column, value = model.entry_column[order], model.value[order]
    first = np.searchsorted(model.index[order], np.arange(model.row_count + 1))
    low, high = model.row_lower.tolist(), model.row_upper.tolist()
    for i, label in enumerate(labels(model.rows)):
        span = slice(first[i], first[i + 1])
        left = terms(names, column[span], value[span]) or f" 0 {names[0]}"
        if low[i] == high[i]:
            yield f" {label}:{left} = {low[i]!r}"
            continue
        if np.isfinite(low[i]):
            yield f" {label}:{left} >= {low[i]!r}"
        if np.isfinite(high[i]):
            yield f" {label}{'_upper' if np.isfinite(low[i]) else ''}:{left} <= {high[i]!r}"


def bound_lines(model: Model, names: Sequence[str]) -> Iterator[str]:
    """Write the bounds of every column in full, so that columns in no row are declared too."""
    for name, low, high in zip(names, model.lower.tolist(), model.upper.tolist(), strict=True):
        if low == high:
            yield f" {name} = {low!r}"
        elif np.isinf(low) and np.isinf(high):
            yield f" {name} free"
        elif np.isinf(high):
            yield f" {name} >= {low!r}"
        else:
            yield f" {'-inf' if np.isinf(low) else repr(low)} <= {name} <= {high!r}"
