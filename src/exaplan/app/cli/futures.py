"""``exaplan futures``: what is uncertain, how it moves together, and how well the tree sees it."""

from __future__ import annotations

from pathlib import Path

import click

from exaplan.app.cli.explained import finish, read_given
from exaplan.app.cli.runs import clock_for, given_options


@click.command()
@click.argument("lab", type=click.Path(path_type=Path))
@click.option(
    "--paths", default=20_000, show_default=True, type=click.IntRange(min=100), help="Futures to sample."
)
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0), help="Seed of the futures.")
@given_options
def futures(
    lab: Path, paths: int, seed: int, out: Path | None, overrides: tuple[str, ...], as_json: bool
) -> None:
    """Show what is uncertain in LAB: correlations with their sources, each process beside its theory, the tree's fit."""
    from exaplan import __version__
    from exaplan.app.futures import futures_of
    from exaplan.report.futures import futures_sheet

    clock = clock_for(as_json)
    read = read_given(lab, overrides, out, clock)
    with clock.phase("futures"):
        found = futures_of(read, paths=paths, seed=seed, lab_file=lab, version=__version__)
    finish(
        "futures", found, futures_sheet, lab=lab, out=out, overrides=overrides, as_json=as_json, clock=clock
    )
