"""``exaplan frontier``: value or lead against P(ruin)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from exaplan.app.cli.exploring import command_line, counter, show_explored, write_explored
from exaplan.app.cli.runs import changes, clock_for, default_folder, inputs_of, run_options

if TYPE_CHECKING:
    from exaplan.domain.explored import Against


@click.command()
@click.argument("lab", type=click.Path(path_type=Path))
@click.option(
    "--against", type=click.Choice(["value", "lead"]), default="value", show_default=True,
    help="What less risk costs: value, or capability against the frontier in the last quarter.",
)  # fmt: skip
@run_options
def frontier(
    lab: Path,
    against: Against,
    out: Path | None,
    paths: int,
    seed: int,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Plan LAB at every caution (liquidity cover x weight of CVaR): the plans that no other beats in value and P(ruin)."""
    from exaplan.app.again import make_base
    from exaplan.app.efficient import run_frontier
    from exaplan.app.pipeline import Settings
    from exaplan.io.labfile import read_lab
    from exaplan.io.runfolder import check_place

    clock = clock_for(as_json)
    with clock.phase("load"):
        read = read_lab(lab, overrides=changes(overrides))
    settings = Settings(paths, seed)
    folder = out or default_folder(lab, settings.seed)
    check_place(folder)
    found = run_frontier(
        make_base(read, clock), settings, clock, lab_file=str(lab), against=against, tell=counter(as_json, "frontier")
    )  # fmt: skip
    options = [("--against", against), *(("--set", text) for text in overrides)]
    line = command_line("frontier", lab, *options, ("--paths", str(paths)), ("--seed", str(seed)))
    write_explored(found, folder, clock, command=line, inputs=inputs_of(lab))
    show_explored(found, folder, as_json)
