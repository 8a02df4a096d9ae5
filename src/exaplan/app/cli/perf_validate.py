"""``exaplan perf validate``: modelled against measured, on the shipped tables or on your own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from exaplan.app.accuracy import Left

WIDE = 160
"""Width of a table that is written to a pipe or a file."""
_HEADS = (
    "rows",
    "groups",
    "coverage",
    "median |log error|",
    "90 %",
    "MAPE",
    "bias",
    "in 80 % interval",
    "rank",
)
_FEWEST = 5  # worst groups shown


def table_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the three tables of measurements."""
    place = click.Path(path_type=Path, dir_okay=False)
    options = (
        click.option("--training", type=place, help="CSV of training rates."),
        click.option("--inference", type=place, help="CSV of inference rates and latencies."),
        click.option("--serving", type=place, help="CSV of closed-loop serving points."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@table_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--cv",
    type=click.Choice(["source", "model", "chip"]),
    help="Refit without each one before predicting it.",
)
@click.option(
    "--alone", is_flag=True, help="--cv: refit on the given tables alone, without those of exaplan."
)
@click.option(
    "--calibration", "folder", type=click.Path(path_type=Path, file_okay=False), help="Coefficients to use."
)
def validate(
    training: Path | None,
    inference: Path | None,
    serving: Path | None,
    as_json: bool,
    cv: Left | None,
    alone: bool,
    folder: Path | None,
) -> None:
    """Compare modelled with measured values; without a CSV, on all tables that come with exaplan.

    The predictions read no measured value. With --cv every row is predicted by coefficients that were refitted without
    its source, model or chip, to the given tables and those of exaplan together.
    """
    from exaplan.app.accuracy import Tables, coefficients, document, predicted, read_tables
    from exaplan.app.cli.progress import told
    from exaplan.io.measured import read_measurements

    measured, missing = read_tables(Tables(training, inference, serving))
    calibration = coefficients(folder)
    with told() as tell:
        known = None if cv is None or alone else read_measurements()
        rows = predicted(measured, calibration, cv, known=known, tell=tell)
        found = document(measured, missing, rows, calibration, cv)
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    from exaplan.report.accuracy import percent

    seen = "with the calibration's own coefficients" if found["cv"] is None else f"without its {found['cv']}"
    total, about = found["total"], found["calibration"]
    _grid(
        f"Modelled against measured, every row predicted {seen}",
        ("task", "family"),
        [
            *((row["task"], row["family"], *cells(row)) for row in found["tasks"]),
            ("total", "", *cells(total)),
        ],
    )
    _grid(
        "By chip",
        ("chip", "family", "task"),
        [
            (row["chip"], row["family"], row["task"], *cells(row))
            for row in sorted(found["groups"], key=lambda row: (row["chip"], row["task"], row["family"]))
        ],
    )
    left_out = len(found["skipped"]) - found["not_counted"]
    click.echo(
        f"Coverage {percent(total['coverage'])}: {total['n']:,} published rows predicted, {left_out} not; "
        f"{found['not_counted']} more have an unknown architecture or a linear-attention hybrid and do not count."
    )
    for row in found["worst"][:_FEWEST]:
        times = f"{row['mean_abs_log_error']:.2f} off, {'above' if row['bias'] > 0 else 'below'} what was measured"
        why = f" ({row['reason']})" if row["reason"] else ""
        click.echo(f"  worst: {row['group']}, {row['task']} on {row['chip']}: |log error| {times}{why}")
    if found["cv"] is None:
        click.echo(f"Calibration of {about['date']}: {about['data']}.")
    click.echo(found["note"])


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Words of a score as on the pages, without the two figures over rows, which a terminal has no room for."""
    from exaplan.report.accuracy import score_cells

    return score_cells(row)[:-2]


def _grid(title: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    grid = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )
    for name in names:
        grid.add_column(name, overflow="fold")
    for head in _HEADS:
        grid.add_column(head, justify="right", overflow="fold")
    for row in rows:
        grid.add_row(*row)
    # A pipe or a file has no edge to wrap at; a terminal tells its own.
    wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE
    Console(highlight=False, width=wide).print(grid)
