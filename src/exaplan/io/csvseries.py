"""A series from a CSV file: ``csv: FILE#column``, with faults located in the CSV itself."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from exaplan.domain.errors import InputError, Problem
from exaplan.domain.lab import Horizon
from exaplan.domain.quarter import Quarter
from exaplan.io.fields import Slot
from exaplan.io.literals import check_bounds, is_uncertain
from exaplan.io.located import did_you_mean, located
from exaplan.io.units import QuantityError, convert
from exaplan.io.yamltree import Scalar, read_text

_HEADER = re.compile(r"(.*?)\s*\[(.+)\]\s*")


@dataclass(frozen=True)
class _Cell:
    text: str
    line: int
    column: int


@dataclass(frozen=True)
class _Table:
    file: str
    lines: tuple[str, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[_Cell, ...], ...]

    def problem(self, cell: _Cell, reason: str, suggestion: str = "") -> Problem:
        source_line = self.lines[cell.line - 1] if cell.line <= len(self.lines) else ""
        return Problem(reason, self.file, cell.line, cell.column, source_line, suggestion)


def read_csv_series(
    address: Scalar, slot: Slot, folder: Path, horizon: Horizon | None, unit: str
) -> tuple[float, ...]:
    """Read one column, in the unit of ``slot``, one value per quarter.

    ``address`` reads ``FILE#column``, the file relative to ``folder``. A cell is a quantity, or a bare number where
    ``unit`` or the header (``power [MW]``) gives the unit. A column ``quarter`` aligns the rows to the horizon; else
    they are taken in order from the first quarter.

    Raises
    ------
    InputError
        At the address for a missing file or column, at the cell for a bad or missing value.
    """
    file, hash_sign, column = address.text.partition("#")
    if not (hash_sign and file.strip() and column.strip()):
        raise InputError(
            located(address, f"{address.text!r} names no column", "write it like csv: FILE#column")
        )
    try:
        table = _read_table(folder / file.strip())
    except InputError as error:
        reason = f"{file.strip()}: {error.problems[0].reason}"
        raise InputError(located(address, reason, error.problems[0].suggestion)) from error
    number, unit = _column(table, column.strip(), unit, address)
    rows = _rows_in_order(table, horizon, address) if "quarter" in table.header else table.rows
    if horizon is not None and len(rows) > horizon.quarters:
        raise InputError(
            located(address, f"{file} has {len(rows)} rows; the horizon has {horizon.quarters} quarters")
        )
    if not rows:
        raise InputError(located(address, f"{file} has no rows"))
    problems: list[Problem] = []
    values = tuple(_value(table, row, number, slot, unit, problems) for row in rows)
    if problems:
        raise InputError(*problems)
    return values


def _read_table(path: Path) -> _Table:
    text = read_text(path)
    lines = tuple(text.splitlines())
    try:
        parsed = [(line, tuple(row)) for line, row in _numbered(lines) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputError(Problem(f"{path.name} is not a CSV file: {error}", str(path))) from error
    (_, header), *rest = parsed
    rows = tuple(
        tuple(_Cell(cell.strip(), line, _position(row, place)) for place, cell in enumerate(row))
        for line, row in rest
    )
    return _Table(str(path), lines, tuple(name.strip() for name in header), rows)


def _numbered(lines: tuple[str, ...]) -> list[tuple[int, list[str]]]:
    reader = csv.reader(lines)
    return [(reader.line_num, row) for row in reader]


def _position(row: tuple[str, ...], place: int) -> int:
    """Return the column at which a cell begins, counted from 1 (exact for cells without quotes)."""
    lead = len(row[place]) - len(row[place].lstrip())
    return sum(len(cell) + 1 for cell in row[:place]) + lead + 1


def _column(table: _Table, name: str, unit: str, address: Scalar) -> tuple[int, str]:
    plain: dict[str, tuple[int, str]] = {}
    for number, header in enumerate(table.header):
        found = _HEADER.fullmatch(header)
        plain[header] = (number, unit)
        if found is not None:
            plain[found[1]] = (number, unit or found[2])
    if name not in plain:
        raise InputError(
            located(address, f"{Path(table.file).name} has no column {name!r}", did_you_mean(name, plain))
        )
    return plain[name]


def _rows_in_order(table: _Table, horizon: Horizon | None, address: Scalar) -> tuple[tuple[_Cell, ...], ...]:
    """Return one row for every quarter of the horizon."""
    place = table.header.index("quarter")
    by_quarter: dict[Quarter, tuple[_Cell, ...]] = {}
    for row in table.rows:
        cell = row[place] if place < len(row) else _Cell("", row[0].line, 1)
        try:
            quarter = Quarter.parse(cell.text)
        except ValueError as error:
            raise InputError(table.problem(cell, str(error))) from error
        if quarter in by_quarter:
            raise InputError(table.problem(cell, f"{quarter} stands twice"))
        by_quarter[quarter] = row
    if horizon is None:
        return tuple(by_quarter[quarter] for quarter in sorted(by_quarter))
    wanted = [horizon.first + step for step in range(horizon.quarters)]
    missing = [str(quarter) for quarter in wanted if quarter not in by_quarter]
    if missing:
        raise InputError(located(address, f"{Path(table.file).name} has no row for {', '.join(missing[:4])}"))
    return tuple(by_quarter[quarter] for quarter in wanted)


def _value(
    table: _Table, row: tuple[_Cell, ...], number: int, slot: Slot, unit: str, problems: list[Problem]
) -> float:
    cell = row[number] if number < len(row) else _Cell("", row[0].line, 1)
    try:
        value = _convert_cell(cell.text, slot.unit, unit)
        check_bounds(value, slot.unit, slot.bounds or {})
    except QuantityError as fault:
        problems.append(table.problem(cell, fault.reason, fault.suggestion))
        return 0.0
    return value


def _convert_cell(text: str, wanted: str, unit: str) -> float:
    if not text:
        raise QuantityError("the cell is empty")
    if is_uncertain(text):
        raise QuantityError("a series takes certain numbers")
    bare = bool(unit) and (text[-1].isdigit() or text[-1] == ".")
    return convert(f"{text} {unit}" if bare else text, wanted)
