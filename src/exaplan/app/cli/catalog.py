"""``exaplan catalog``: every figure that comes with exaplan, with its unit, source, date and kind."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from exaplan.app.cli.entries import (
    TABLES,
    Entry,
    Figure,
    Row,
    check_table,
    entries_of,
    entry_of,
    in_words,
    rows_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WIDE = 240
"""Columns of a table that goes into a pipe."""

_FOOTNOTES = {
    "chips": (
        "A chip is one package: not a core of it (slice names of TPU v2, v3, v4 and v5p count cores, two per chip), not a server.",
        "Peaks are dense: sparse ones are printed at twice that. Bandwidth is one way unless it says both ways.",
        "tdp is the package alone; it_power adds its share of server and network; the facility draws it_power x PUE.",
    ),
    "models": ("Counted parameters follow from the architecture; norms and biases (< 0.1 %) are left out.",),
    "prices": ("USD of the day. 'owning cost' is the whole cost of ownership by the hour, not a price.",),
    "laws": (),
    "energy": (
        "power basis: IT is what servers draw; site (facility) includes cooling and losses, IT x PUE.",
    ),
    "labs": ("Reports and estimates, not audited accounts.",),
}


@click.command()
@click.argument("table", required=False, metavar="[chips|models|prices|laws|energy|labs]")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def catalog(table: str | None, name: str | None, as_json: bool) -> None:
    """Show the catalogue: its tables, one table, or every figure of NAME with unit, source, date and kind."""
    if table is None:
        _print_tables(as_json)
        return
    check_table(table)
    if name is None:
        rows = rows_of(table)
        if as_json:
            _print_json([entry_of(table, row) for row in rows])
        else:
            _print_list(table, rows)
        return
    entries = entries_of(table, name)
    if as_json:
        _print_json(entries)
    elif len(entries) > 1:
        _print_sourced(entries)
        _print_notes(table)
    else:
        _print_entry(entries[0])
        _print_notes(table)


def _chip_cells(row: Row) -> tuple[str, ...]:
    def shown(column: str, size: float) -> str:
        return f"{float(row[column]) / size:,.6g}" if row[column] else ""

    date = row["date"] + (" announced" if row["announced"] == "true" else "")
    figures = (shown("bf16_flop_per_s", 1e12), shown("fp8_flop_per_s", 1e12), shown("fp4_flop_per_s", 1e12))
    memory = (shown("hbm_bytes", 1e9), shown("hbm_bandwidth_bytes_per_s", 1e12))
    fabric = (row["scale_up_domain"], shown("scale_up_bandwidth_bytes_per_s", 1e9))
    return (row["id"], *figures, *memory, *fabric, row["tdp_w"], row["it_power_w"], row["kind"], date)


def _model_cells(row: Row) -> tuple[str, ...]:
    from exaplan.io.catalogue import load_models
    from exaplan.perf.counts import parameters

    counts = parameters(load_models()[row["id"]])
    experts = f"{row['top_k']} of {row['experts']}" if row["experts"] not in ("", "0") else "dense"
    attention = "MLA" if row["kv_lora_rank"] not in ("", "0") else f"{row['heads']}/{row['kv_heads']}"
    sizes = (f"{counts.total / 1e9:,.4g}", f"{counts.active / 1e9:,.4g}")
    return (row["id"], *sizes, row["layers"], row["hidden"], attention, experts, row["kind"], row["date"])


def _columns_of(*columns: str) -> Callable[[Row], tuple[str, ...]]:
    return lambda row: tuple(row[column] for column in columns)


_LISTS: dict[str, tuple[tuple[str, ...], Callable[[Row], tuple[str, ...]]]] = {
    "chips": (
        ("chip", "BF16 dense TFLOP/s", "FP8 dense", "FP4 dense", "HBM GB", "HBM TB/s", "scale-up chips",
         "scale-up GB/s one way", "TDP W", "IT W", "kind", "date"),
        _chip_cells,
    ),
    "models": (
        ("model", "total B", "active B", "layers", "hidden", "heads/kv", "experts", "kind", "date"),
        _model_cells,
    ),
    "prices": (
        ("chip", "basis", "term", "seller", "price", "unit", "kind", "date"),
        lambda row: (row["chip"] or row["chip_as_printed"], *_columns_of("basis", "term", "seller", "price", "unit", "kind", "date")(row)),
    ),
    "laws": (("law", "form", "parameters", "kind", "date"), _columns_of("id", "form", "parameters", "kind", "date")),
    "energy": (
        ("item", "low", "middle", "high", "unit", "power basis", "kind", "date"),
        _columns_of("id", "low", "middle", "high", "unit", "power_basis", "kind", "date"),
    ),
    "labs": (
        ("lab", "metric", "value", "unit", "kind", "date"),
        _columns_of("lab", "metric", "value", "unit", "kind", "date"),
    ),
}  # fmt: skip


def _print_tables(as_json: bool) -> None:
    counted = {table: len(rows_of(table)) for table in TABLES}
    if as_json:
        rows = [{"table": table, "entries": counted[table], "holds": text} for table, text in TABLES.items()]
        click.echo(json.dumps(rows, indent=2))
        return
    for table, text in TABLES.items():
        click.echo(f"{table:<8}{counted[table]:>5}  {text}")
    click.echo("exaplan catalog TABLE lists one; exaplan catalog TABLE NAME opens an entry to its source.")


def _print_list(table: str, rows: Sequence[Row]) -> None:
    heads, cells = _LISTS[table]
    _print_grid(heads, [cells(row) for row in rows])
    _print_notes(table)
    click.echo(f"Sources: exaplan catalog {table} NAME")


def _print_json(entries: Sequence[Entry]) -> None:
    click.echo(
        json.dumps([asdict(entry) for entry in entries], indent=2, ensure_ascii=False, allow_nan=False)
    )


def _print_entry(entry: Entry) -> None:
    click.echo(entry.id)
    for figure in entry.figures:
        click.echo(f"  {figure.name:<46} {in_words(figure.value, figure.unit)}{_aside(figure)}")
    click.echo(f"  kind    {entry.kind}\n  date    {entry.date}\n  source  {entry.source}")
    if entry.notes:
        click.echo(f"  notes   {entry.notes}")
    click.echo()


def _print_sourced(entries: Sequence[Entry]) -> None:
    """Print many entries of one name as a table, with each source once below it."""
    heads = list(dict.fromkeys(figure.name for entry in entries for figure in entry.figures))
    sources = list(dict.fromkeys(entry.source for entry in entries))
    cells = []
    for entry in entries:
        shown = {figure.name: in_words(figure.value, figure.unit) for figure in entry.figures}
        place = f"[{sources.index(entry.source) + 1}]"
        cells.append((*(shown.get(head, "") for head in heads), entry.kind, entry.date, entry.notes, place))
    _print_grid([*(head.replace("_", " ") for head in heads), "kind", "date", "notes", "source"], cells)
    for number, source in enumerate(sources, start=1):
        click.echo(f"[{number}] {source}")


def _aside(figure: Figure) -> str:
    return "" if figure.description == figure.name.replace("_", " ") else f"   ({figure.description})"


def _print_notes(table: str) -> None:
    for line in _FOOTNOTES[table]:
        click.echo(line)


def _print_grid(heads: Sequence[str], cells: Sequence[Sequence[Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    numeric = [all(_is_number(row[i]) for row in cells) for i in range(len(heads))]
    for head, right in zip(heads, numeric, strict=True):
        grid.add_column(head, justify="right" if right else "left", overflow="fold")
    for row in cells:
        grid.add_row(*(Text(cell) for cell in row))
    # A pipe or a file has no edge to wrap at; a terminal tells its own.
    wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE
    Console(highlight=False, width=wide).print(grid)


def _is_number(text: str) -> bool:
    try:
        return not text or float(text.replace(",", "")) is not None
    except ValueError:
        return False
