"""Tables of experiments: training runs to fit a scaling law to, and points of a reinforcement-learning curve."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from exaplan.domain.errors import InputError, Problem


def read_columns(
    path: Path, needed: tuple[str, ...], *, optional: tuple[str, ...] = (), least: int = 1
) -> dict[str, list[float]]:
    """Read named columns of positive numbers from a CSV file with a header.

    Parameters
    ----------
    path : Path
        The file.
    needed, optional : tuple of str
        Columns; one of several names is written ``a|b``. Other columns are left alone.
    least : int
        Rows that there must be.

    Returns
    -------
    dict of str to list of float
        By the name that stands in the file; optional columns only where they are there.

    Raises
    ------
    InputError
        With every fault, each at its line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(Problem(f"cannot read this file: {error}", file=str(path))) from error
    rows = list(csv.reader(lines))
    header = [cell.strip() for cell in rows[0]] if rows else []
    problems: list[Problem] = []
    places: dict[str, int] = {}
    for choice in (*needed, *optional):
        names = [name for name in choice.split("|") if name in header]
        if names:
            places[names[0]] = header.index(names[0])
        elif choice in needed:
            hint = f"the first line has: {', '.join(header) or 'nothing'}"
            problems.append(
                Problem(
                    f"there is no column {choice.replace('|', ' or ')!r}",
                    str(path),
                    1,
                    1,
                    lines[0] if lines else "",
                    hint,
                )
            )
    found: dict[str, list[float]] = {name: [] for name in places}
    for number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        for name, place in places.items():
            text = row[place].strip() if place < len(row) else ""
            value = _positive(text)
            if value is None:
                column = sum(len(cell) + 1 for cell in row[:place]) + 1
                reason = f"{name} is {text!r}; it must be a positive number"
                problems.append(
                    Problem(
                        reason, str(path), number, column, lines[number - 1] if number <= len(lines) else ""
                    )
                )
            else:
                found[name].append(value)
    if not problems and len(next(iter(found.values()), [])) < least:
        count = len(next(iter(found.values()), []))
        problems.append(
            Problem(f"{count} rows; a fit needs at least {least}", str(path), suggestion="add rows")
        )
    if problems:
        raise InputError(*problems)
    return found


def _positive(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None
