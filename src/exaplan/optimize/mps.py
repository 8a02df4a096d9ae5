"""A model as free-format MPS text, so that any other solver can check the answer.

Columns are ``c0, c1, ...`` and rows ``r0, r1, ...`` by number, because labels may hold characters that readers
stumble over; numbers are written so that they read back exactly. Ranges follow the usual reading: a row of kind L
with range R means ``upper - R <= row <= upper``.
"""

from __future__ import annotations

import numpy as np

from exaplan.optimize.model import Model


def mps_text(model: Model, *, name: str = "exaplan") -> str:
    """Write the whole model; the caller saves it where he likes."""
    lines = [f"NAME {name}", "OBJSENSE", f"    {model.sense.upper()}", "ROWS", " N obj"]
    kinds = row_kinds(model)
    lines += [f" {kind} r{i}" for i, kind in enumerate(kinds)]
    lines += ["COLUMNS", *column_lines(model), "RHS"]
    if model.offset:
        lines.append(f" rhs obj {-model.offset!r}")
    lines += [
        f" rhs r{i} {float(model.row_lower[i] if kind == 'G' else model.row_upper[i])!r}"
        for i, kind in enumerate(kinds)
        if kind != "N"
    ]
    both = np.isfinite(model.row_lower) & np.isfinite(model.row_upper) & (model.row_lower < model.row_upper)
    lines += ["RANGES"] * bool(both.any())
    lines += [f" rng r{i} {float(model.row_upper[i] - model.row_lower[i])!r}" for i in np.flatnonzero(both)]
    return "\n".join([*lines, "BOUNDS", *bound_lines(model), "ENDATA"]) + "\n"


def row_kinds(model: Model) -> list[str]:
    """Kind of every row: E equal, L at most (perhaps with a range), G at least, N free."""
    has_lower, has_upper = np.isfinite(model.row_lower), np.isfinite(model.row_upper)
    equal = has_lower & (model.row_lower == model.row_upper)
    kinds: list[str] = np.select([equal, has_upper, has_lower], ["E", "L", "G"], "N").tolist()
    return kinds


def column_lines(model: Model) -> list[str]:
    """Coefficients by column; runs of integer columns stand between markers."""
    lines, inside = [], False
    for j in range(model.column_count):
        whole = model.integer is not None and bool(model.integer[j])
        if whole != inside:
            lines.append(f" M{j} 'MARKER' '{'INTORG' if whole else 'INTEND'}'")
            inside = whole
        lines.append(f" c{j} obj {float(model.cost[j])!r}")
        span = slice(model.start[j], model.start[j + 1])
        pairs = zip(model.index[span].tolist(), model.value[span].tolist(), strict=True)
        lines += [f" c{j} r{i} {value!r}" for i, value in pairs]
    return [*lines, " MEND 'MARKER' 'INTEND'"] if inside else lines


def bound_lines(model: Model) -> list[str]:
    """Bounds of every column, written out in full: the defaults of MPS differ between readers."""
    lines = []
    for j, (low, high) in enumerate(zip(model.lower.tolist(), model.upper.tolist(), strict=True)):
        if low == high:
            lines.append(f" FX bnd c{j} {low!r}")
        elif np.isinf(low) and np.isinf(high):
            lines.append(f" FR bnd c{j}")
        else:
            lines.append(f" MI bnd c{j}" if np.isinf(low) else f" LO bnd c{j} {low!r}")
            lines.append(f" PL bnd c{j}" if np.isinf(high) else f" UP bnd c{j} {high!r}")
    return lines
