"""``exaplan sweep``: plans along one key, or over the grid of two."""

from __future__ import annotations

from pathlib import Path

import click

from exaplan.app.cli.exploring import command_line, counter, show_explored, write_explored
from exaplan.app.cli.runs import changes, clock_for, default_folder, inputs_of, run_options
from exaplan.domain.errors import InputError, Problem

MOST_AXES = 2


@click.command()
@click.argument("lab", type=click.Path(path_type=Path))
@click.option(
    "--over", "over", multiple=True, required=True, metavar="KEY=a..b:n",
    help="Key to move: n settings from a to b, or KEY=v1,v2,v3. Twice gives a grid.",
)  # fmt: skip
@run_options
def sweep(
    lab: Path,
    over: tuple[str, ...],
    out: Path | None,
    paths: int,
    seed: int,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Plan LAB along a key: value, P(ruin) and first signatures at each setting, solved from neighbor to neighbor."""
    from exaplan.app.again import make_base
    from exaplan.app.pipeline import Settings
    from exaplan.app.sweep import run_sweep, settings_of
    from exaplan.io.asked import read_axis
    from exaplan.io.labfile import read_lab
    from exaplan.io.runfolder import check_place

    clock = clock_for(as_json)
    with clock.phase("load"):
        axes = [read_axis(text) for text in over]
        if len(axes) > MOST_AXES or len({axis.key for axis in axes}) < len(axes):
            reason = f"--over is given {len(axes)} times; a sweep moves one key or two different ones"
            raise InputError(Problem(reason, suggestion="leave the others out, or fix them with --set"))
        given = changes(overrides)
        read = read_lab(lab, overrides=given)
        labs = [read_lab(lab, overrides={**given, **setting}) for setting in settings_of(axes)]
    settings = Settings(paths, seed)
    folder = out or default_folder(lab, settings.seed)
    check_place(folder)
    found = run_sweep(
        make_base(read, clock), axes, labs, settings, clock, lab_file=str(lab), tell=counter(as_json, "sweep")
    )
    options = [("--over", text) for text in over] + [("--set", text) for text in overrides]
    line = command_line("sweep", lab, *options, ("--paths", str(paths)), ("--seed", str(seed)))
    write_explored(found, folder, clock, command=line, inputs=inputs_of(lab))
    show_explored(found, folder, as_json)
