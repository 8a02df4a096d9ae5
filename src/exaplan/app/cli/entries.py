"""Entries of the catalogue: what a name stands for, and every figure of it with its unit and where it comes from."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exaplan.domain.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from exaplan.io.fields import Slot

Row = dict[str, str]

TABLES = {
    "chips": "accelerators: dense peaks, memory, bandwidth, power, published prices",
    "models": "architectures of published models, and the parameters they come to",
    "prices": "prices of chips by the hour and to own",
    "laws": "scaling laws with their fitted parameters",
    "energy": "energy, data centres, lead times",
    "labs": "reports and estimates about labs",
}
_NOT_FIGURES = ("id", "aliases", "date_of", "notes", "announced", "kind", "date", "source")
_PREFIXES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_MEASURED = ("price", "value", "low", "middle", "high")
_EXTRA_FIGURES = {
    "sram_bytes": ("on-chip memory", "B"),
    "scale_up_topology": ("topology of the scale-up fabric", ""),
    "price_basis": ("what the purchase prices stand for", ""),
    "max_position_tokens": ("longest context", "token"),
}


@dataclass(frozen=True)
class Figure:
    """One number or word of an entry: what it is called, what it is, and its unit in the package's own terms."""

    name: str
    value: float | str | bool
    unit: str
    description: str


@dataclass(frozen=True)
class Entry:
    """One entry of the catalogue with every figure and where they come from."""

    id: str
    figures: tuple[Figure, ...]
    kind: str
    date: str
    source: str
    notes: str = ""


def entries_of(table: str, name: str) -> list[Entry]:
    """Return the entries that a name stands for: one chip, model, law or item; the rows of a chip or of a lab.

    Raises
    ------
    InputError
        Where nothing has that name; the message suggests the nearest ones.
    """
    rows = rows_of(table)
    if table in ("chips", "models"):
        from exaplan.io.catalogue import find

        found = find(name, [row["id"] for row in rows])
        return [entry_of(table, row) for row in rows if row["id"] == found]
    if table == "prices":
        return [entry_of(table, row) for row in _prices_of(rows, name)]
    key = "lab" if table == "labs" else "id"
    found = _nearest(name, [row[key] for row in rows], table)
    return [entry_of(table, row) for row in rows if row[key] == found]


def entry_of(table: str, row: Row) -> Entry:
    """Return a row of a table as an entry: its figures with their units, and where they come from."""
    if table in ("chips", "models"):
        return _technology(table, row)
    name = (
        row["chip"] or row["chip_as_printed"]
        if table == "prices"
        else row["lab" if table == "labs" else "id"]
    )
    return _plain_entry(row, name)


def check_table(table: str) -> None:
    """Refuse a table that the catalogue does not have; a chip or model in its place is told where it stands.

    Raises
    ------
    InputError
        Where there is no such table.
    """
    if table in TABLES:
        return
    from exaplan.io.catalogue import find, load_chips, load_models

    for holder, names in (("chips", load_chips()), ("models", load_models())):
        try:
            found = find(table, names)
        except InputError:
            continue
        hint = f"write `exaplan catalog {holder} {found}`"
        raise InputError(Problem(f"{table!r} is no table of the catalogue", suggestion=hint))
    close = difflib.get_close_matches(table, TABLES, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"choose one of: {', '.join(TABLES)}"
    raise InputError(Problem(f"the catalogue has no table {table!r}", suggestion=hint))


def rows_of(table: str) -> list[Row]:
    """Return the rows of a table with all their columns, as texts."""
    from exaplan.io.catalogue import catalogue_row, load_chips, load_models, load_rows

    if table == "chips":
        return [catalogue_row("chips", name) for name in load_chips()]
    if table == "models":
        return [catalogue_row("models", name) for name in load_models()]
    return load_rows(table)  # type: ignore[arg-type]


def _prices_of(rows: Sequence[Row], name: str) -> list[Row]:
    """Rows of a chip of the catalogue, or of a name as a seller printed it."""
    from exaplan.io.catalogue import find, load_chips

    printed = {row["chip_as_printed"] for row in rows}
    if name in printed:
        return [row for row in rows if name in (row["chip_as_printed"], row["chip"])]
    chips = list(load_chips())
    try:
        found = find(name, [*chips, *printed])
    except InputError:
        found = _nearest(name, [*printed, *chips], "prices")
    kept = [row for row in rows if found in (row["chip"], row["chip_as_printed"])]
    if not kept:
        raise InputError(
            Problem(
                f"the catalogue has no price of {found}", suggestion="`exaplan catalog prices` lists them"
            )
        )
    return kept


def _nearest(name: str, names: Iterable[str], table: str) -> str:
    """Find a name regardless of case and punctuation, or suggest what comes near."""
    by_key = {_key(known): known for known in names}
    if _key(name) in by_key:
        return by_key[_key(name)]
    part = [known for key, known in by_key.items() if _key(name) and _key(name) in key]
    if len(part) == 1:
        return part[0]
    close = [by_key[key] for key in difflib.get_close_matches(_key(name), by_key, n=3, cutoff=0.5)]
    near = list(dict.fromkeys([*part, *close]))[:4]
    hint = (
        f"did you mean {' or '.join(map(repr, near))}?"
        if near
        else f"`exaplan catalog {table}` lists what is known"
    )
    raise InputError(Problem(f"{name!r} is not in the table {table}", suggestion=hint))


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9.]", "", name.casefold())


def _technology(table: str, row: Row) -> Entry:
    from exaplan.domain.technology import Chip, Model
    from exaplan.io.fields import slots

    known = {slot.name: slot for slot in slots(Chip if table == "chips" else Model).values()}
    figures = [
        _figure(column, text, known) for column, text in row.items() if text and column not in _NOT_FIGURES
    ]
    if table == "models":
        figures = [figure for figure in figures if not figure.name.endswith("_counted_b")]
        figures += _counted(row["id"])
    else:
        announced = row["announced"] == "true"
        figures.append(Figure("announced", announced, "", known["announced"].description))
    return Entry(row["id"], tuple(figures), row["kind"], row["date"], row["source"], row["notes"])


def _figure(column: str, text: str, known: Mapping[str, Slot]) -> Figure:
    slot = known.get(column)
    if slot is None:
        description, unit = _EXTRA_FIGURES.get(column, (column.replace("_", " "), ""))
        return Figure(column, float(text) if unit else text, unit, description)
    value: float | str | bool = text
    if slot.shape == "flag":
        value = text == "true"
    elif slot.shape in ("quantity", "whole", "number"):
        value = float(text)
    return Figure(column, value, slot.unit, slot.description or column)


def _counted(model: str) -> list[Figure]:
    """Parameters that follow from the architecture, and how they compare with the published total."""
    from exaplan.io.catalogue import load_models
    from exaplan.perf.counts import parameters

    record = load_models()[model]
    counts = parameters(record)
    figures = [
        Figure("params_total_counted_b", float(counts.total) / 1e9, "billions", "parameters counted from the architecture, total"),
        Figure(
            "params_active_counted_b", float(counts.active) / 1e9, "billions",
            "parameters counted from the architecture that one token uses (output head included)",
        ),
    ]  # fmt: skip
    if record.params_published_b:
        off = float(counts.total) / 1e9 / record.params_published_b - 1
        figures.append(
            Figure(
                "params_counted_over_published",
                off,
                "share",
                "counted total over the published one, less one",
            )
        )
    return figures


def _plain_entry(row: Row, name: str) -> Entry:
    unit = row.get("unit", "")
    figures = []
    for column, text in row.items():
        if not text or column in (*_NOT_FIGURES, "unit", "lab"):
            continue
        measured = column in _MEASURED
        value = _number(text) if measured else text
        figures.append(Figure(column, value, unit if measured else "", column.replace("_", " ")))
    return Entry(name, tuple(figures), row["kind"], row["date"], row["source"], row.get("notes", ""))


def _number(text: str) -> float | str:
    """Read a number; what a source gives as words (``7 to 8``) stays as it stands."""
    try:
        return float(text)
    except ValueError:
        return text


def in_words(value: float | str | bool, unit: str) -> str:
    """Write a figure with its unit at a readable scale.

    Examples
    --------
    >>> in_words(9.894e14, "FLOP/s"), in_words(8e10, "B"), in_words(0.0826, "USD/kWh"), in_words(True, "")
    ('989.4 TFLOP/s', '80 GB', '0.0826 USD/kWh', 'yes')
    >>> in_words(0.0012, "share"), in_words(20000, "USD/chip"), in_words(128256, "")
    ('+0.12 %', '20,000 USD/chip', '128,256')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return f"{value} {unit}".rstrip()
    if unit == "share":
        return f"{100 * value:+.2f} %"
    if unit.partition("/")[0] in ("FLOP", "OP", "B"):
        for size, prefix in _PREFIXES:
            if value >= size:
                return f"{value / size:.6g} {prefix}{unit}"
    text = f"{value:,.0f}" if value >= 1e3 and value == round(value) else f"{value:.6g}"
    return f"{text} {unit}".rstrip()
