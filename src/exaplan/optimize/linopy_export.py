"""A model as a linopy model, so that users can add rows of their own in its language.

linopy (MIT, Hofmann 2023, doi 10.21105/joss.04823) is an optional extra and is imported by :func:`to_linopy` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from exaplan.optimize.model import Model
from exaplan.optimize.ranges import LabelledRange, RowRange, Variable

OFFSET = "objective_offset"
"""A variable fixed at one that carries the constant of the objective, for which linopy has no place."""


def to_linopy(model: Model, *, dims: Mapping[str, tuple[str, ...]] | None = None) -> Any:
    """Make a ``linopy.Model`` of the same program: a variable and a constraint for each range, under its name.

    An axis of a range is called ``name_0``, ``name_1``, ... and labelled 0, 1, ...; ``dims`` gives the axes of a range other
    names, such as ``{"stock": ("node", "offer")}``, so that ranges share an axis. A row with two different bounds stands in
    two constraints, ``name`` for the lower bound and ``name_upper``; rows without bounds and ranges without coefficients are
    left out. A constant in the objective is the cost of a variable ``objective_offset`` fixed at one.

    Raises
    ------
    ImportError
        Where linopy is not installed; the message names the install line.
    ValueError
        For axes that do not fit a range, or a variable of which only a part is integer.
    """
    try:
        import linopy
        import xarray
    except ImportError as missing:
        raise ImportError(
            "to_linopy needs linopy; install it with: pip install 'exaplan[linopy]'"
        ) from missing
    named = dict(dims or {})
    for name in named:
        if name not in model.columns and name not in model.rows:
            raise ValueError(f"to_linopy: dims name {name!r}, which is no range of the model")
    made = linopy.Model()
    label = np.empty(model.column_count, np.int64)  # linopy's number of each column
    for variable in model.columns.values():
        added = add_variable(made, model, variable, axes(variable, named))
        label[variable.span] = np.asarray(added.labels.values).reshape(-1)
    order = np.argsort(model.index, kind="stable")
    entries = (model.index[order], label[model.entry_column[order]], model.value[order])
    for rows in model.rows.values():
        data = expression(rows, axes(rows, named), entries)
        if data is not None:
            add_rows(made, model, rows, linopy.LinearExpression(xarray.Dataset(data), made))
    terms = [(label, model.cost)]
    if model.offset:
        fixed = made.add_variables(1.0, 1.0, name=OFFSET)
        terms.append((np.asarray(fixed.labels.values).reshape(-1), np.array([model.offset])))
    numbers, costs = (np.concatenate(part) for part in zip(*terms, strict=True))
    priced = costs != 0.0
    goal = {"coeffs": ("_term", costs[priced]), "vars": ("_term", numbers[priced])}
    made.add_objective(linopy.LinearExpression(xarray.Dataset(goal), made), sense=model.sense)
    return made


def axes(block: LabelledRange, dims: Mapping[str, tuple[str, ...]]) -> dict[str, np.ndarray]:
    """Name and label the axes of a range."""
    names = dims.get(block.name, tuple(f"{block.name}_{axis}" for axis in range(len(block.shape))))
    if len(names) != len(block.shape) or len(set(names)) != len(names):
        raise ValueError(f"to_linopy: dims {names} do not fit {block.name} of shape {block.shape}")
    return {name: np.arange(size) for name, size in zip(names, block.shape, strict=True)}


def add_variable(made: Any, model: Model, variable: Variable, coords: dict[str, np.ndarray]) -> Any:
    """Declare a variable with its bounds."""
    import xarray

    whole = np.zeros(1, bool) if model.integer is None else model.integer[variable.span]
    if whole.any() and not whole.all():
        raise ValueError(f"to_linopy: {variable.name} is integer in part; linopy knows all or nothing")
    low, high = (
        xarray.DataArray(side[variable.span].reshape(variable.shape), coords, tuple(coords))
        for side in (model.lower, model.upper)
    )
    return made.add_variables(low, high, name=variable.name, integer=bool(whole.any()))


def expression(
    rows: RowRange, coords: dict[str, np.ndarray], entries: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> dict[str, Any] | None:
    """Lay the coefficients of a row range out as linopy holds them: padded to the longest row; None without any."""
    row, column, value = entries
    span = slice(*np.searchsorted(row, (rows.start, rows.stop)))
    if span.start == span.stop:
        return None
    place = row[span] - rows.start
    rank = np.arange(len(place)) - np.searchsorted(place, place)
    longest = int(rank.max()) + 1
    numbers, values = np.full((rows.size, longest), -1), np.full((rows.size, longest), np.nan)
    numbers[place, rank], values[place, rank] = column[span], value[span]
    shape, names = (*rows.shape, longest), (*coords, "_term")
    return {
        **coords,
        "coeffs": (names, values.reshape(shape)),
        "vars": (names, numbers.reshape(shape)),
    }


def add_rows(made: Any, model: Model, rows: RowRange, left: Any) -> None:
    """Add a row range as one constraint, or two where rows have two different bounds."""
    import xarray

    def laid(values: np.ndarray) -> Any:
        return xarray.DataArray(
            values.reshape(rows.shape), {d: left.coords[d] for d in left.coord_dims}, left.coord_dims
        )

    low, high = model.row_lower[rows.span], model.row_upper[rows.span]
    both = np.isfinite(low) & np.isfinite(high) & (low < high)
    sign = np.where(low == high, "=", np.where(np.isfinite(low), ">=", "<="))
    right = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high, 0.0))
    bounded = np.isfinite(low) | np.isfinite(high)
    if bounded.any():
        made.add_constraints(left, laid(sign), laid(right), name=rows.name, mask=laid(bounded))
    if both.any():
        upper = laid(np.where(both, high, 0.0))
        made.add_constraints(left, "<=", upper, name=f"{rows.name}_upper", mask=laid(both))
