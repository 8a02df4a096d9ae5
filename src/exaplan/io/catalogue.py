"""The catalogue that comes with exaplan: chips, models, prices, laws, energy and labs, each row with its source."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Literal, get_args

from exaplan.domain.errors import InputError, Problem
from exaplan.domain.lab import Origin
from exaplan.domain.technology import Chip, Model
from exaplan.io.fields import slots

RowTable = Literal["prices", "laws", "energy", "labs"]


@dataclass(frozen=True)
class _Table:
    """One CSV of the catalogue with the line of each row, counted from 1."""

    rows: tuple[dict[str, str], ...]
    lines: tuple[int, ...]


def load_chips() -> dict[str, Chip]:
    """Return the chips of the catalogue by id. Peaks are dense; bandwidth is one way unless named otherwise."""
    return dict(_records("chips"))


def load_models() -> dict[str, Model]:
    """Return the model architectures of the catalogue by id."""
    return dict(_records("models"))


def load_rows(table: RowTable) -> list[dict[str, str]]:
    """Return the rows of ``prices``, ``laws``, ``energy`` or ``labs``; each has a source, a date and a kind.

    Raises
    ------
    InputError
        Where there is no such table.
    """
    if table not in get_args(RowTable):
        raise InputError(
            Problem(
                f"the catalogue has no table {table!r}", suggestion=f"known: {', '.join(get_args(RowTable))}"
            )
        )
    return [dict(row) for row in _read(table).rows]


def load_shape() -> tuple[tuple[float, ...], Origin]:
    """Return the shipped serving load by hour of the day, requests an hour, and where it comes from."""
    read = _read("load_shape")
    first = read.rows[0]
    note = f"{first['source']} ({first['kind']}, {first['date']}); {first['notes']}"
    origin = Origin(file="catalogue/load_shape.csv", line=read.lines[0], column=1, note=note)
    return tuple(float(row["requests_per_h"]) for row in read.rows), origin


def find(name: str, names: Iterable[str]) -> str:
    """Find a name regardless of case, spaces and hyphens; aliases of the catalogue count.

    Raises
    ------
    InputError
        Where nothing matches; the message suggests the nearest names.

    Examples
    --------
    >>> find("deepseek-v3", load_models())
    'DeepSeek-V3'
    >>> find("TPU-v7x", load_chips())
    'TPU7x-Ironwood'
    """
    known = list(names)
    by_key = {_key(alias): target for alias, target in _aliases().items() if target in known}
    by_key |= {_key(candidate): candidate for candidate in known}
    found = by_key.get(_key(name))
    if found is not None:
        return found
    close = difflib.get_close_matches(_key(name), by_key, n=3, cutoff=0.55)
    nearest = list(dict.fromkeys(by_key[key] for key in close))
    hint = (
        f"did you mean {' or '.join(map(repr, nearest))}?"
        if nearest
        else "`exaplan catalog` lists what is known"
    )
    raise InputError(Problem(f"{name!r} is not in the catalogue", suggestion=hint))


def known_names(table: Literal["chips", "models"]) -> tuple[str, ...]:
    """Return the ids and aliases of a table."""
    ids = {row["id"] for row in _read(table).rows}
    return (*sorted(ids), *sorted(alias for alias, target in _aliases().items() if target in ids))


def catalogue_origin(table: Literal["chips", "models"], name: str) -> Origin:
    """Return where a chip or model stands in the catalogue, with its source."""
    read = _read(table)
    for row, line in zip(read.rows, read.lines, strict=True):
        if row["id"] == name:
            note = f"{row['source']} ({row['kind']}, {row['date']})"
            return Origin(file=f"catalogue/{table}.csv", line=line, column=1, note=note)
    raise InputError(Problem(f"{name!r} is not in the catalogue"))


def id_at(table: Literal["chips", "models"], line: int) -> str:
    """Return the id of the row in a line of a table, as its origin gives it."""
    read = _read(table)
    return read.rows[read.lines.index(line)]["id"]


def catalogue_row(table: Literal["chips", "models"], name: str) -> dict[str, str]:
    """Return a row of the catalogue with all its columns, also those that no record carries."""
    for row in _read(table).rows:
        if row["id"] == name:
            return dict(row)
    raise InputError(Problem(f"{name!r} is not in the catalogue"))


@lru_cache(maxsize=2)
def _records(table: Literal["chips", "models"]) -> dict[str, Any]:
    record: type[Chip] | type[Model] = Chip if table == "chips" else Model
    return {row["id"]: _record(record, row) for row in _read(table).rows}


def _record(record: type[Chip] | type[Model], row: Mapping[str, str]) -> Chip | Model:
    values: dict[str, Any] = {}
    for slot in slots(record).values():
        text = row.get(slot.name, "")
        if text:
            values[slot.name] = text == "true" if slot.shape == "flag" else text
    return record.model_validate(values)


@lru_cache(maxsize=8)
def _read(table: str) -> _Table:
    with resources.files("exaplan").joinpath(f"data/{table}.csv").open(encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = [(dict(row), reader.line_num) for row in reader]
    return _Table(tuple(row for row, _ in rows), tuple(line for _, line in rows))


@lru_cache(maxsize=1)
def _aliases() -> dict[str, str]:
    found: dict[str, str] = {}
    for table in ("chips", "models"):
        for row in _read(table).rows:
            found |= {alias: row["id"] for alias in row["aliases"].split("|") if alias}
    return found


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9.]", "", name.casefold())
