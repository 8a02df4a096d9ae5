"""``exaplan raises``: by when each round of equity has to be raised."""

from __future__ import annotations

from pathlib import Path

import click

from exaplan.app.cli.exploring import command_line, counter, show_explored, write_explored
from exaplan.app.cli.runs import changes, clock_for, default_folder, inputs_of, run_options


@click.command()
@click.argument("lab", type=click.Path(path_type=Path))
@run_options
def raises(
    lab: Path, out: Path | None, paths: int, seed: int, overrides: tuple[str, ...], as_json: bool
) -> None:
    """Plan LAB with each round of equity raised later and later: the latest date that keeps P(ruin)."""
    from exaplan.app.again import make_base
    from exaplan.app.pipeline import Settings
    from exaplan.app.raising import run_raises
    from exaplan.io.labfile import read_lab
    from exaplan.io.runfolder import check_place

    clock = clock_for(as_json)
    with clock.phase("load"):
        read = read_lab(lab, overrides=changes(overrides))
    settings = Settings(paths, seed)
    folder = out or default_folder(lab, settings.seed)
    check_place(folder)
    found = run_raises(
        make_base(read, clock), settings, clock, lab_file=str(lab), tell=counter(as_json, "raises")
    )
    options = [("--set", text) for text in overrides]
    line = command_line("raises", lab, *options, ("--paths", str(paths)), ("--seed", str(seed)))
    write_explored(found, folder, clock, command=line, inputs=inputs_of(lab))
    show_explored(found, folder, as_json)
