"""``exaplan sensitivity``: which inputs the plan's value turns on."""

from __future__ import annotations

from pathlib import Path

import click

from exaplan.app.cli.explained import explain_options, finish, read_given
from exaplan.app.cli.runs import clock_for


@click.command()
@click.argument("lab", type=click.Path(path_type=Path))
@explain_options
@click.option(
    "--trajectories",
    default=8,
    show_default=True,
    type=click.IntRange(min=0),
    help="Morris trajectories through all inputs together; 0: one input at a time alone.",
)
@click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(min=0), help="Seed of the trajectories."
)
def sensitivity(
    lab: Path,
    out: Path | None,
    overrides: tuple[str, ...],
    as_json: bool,
    full: bool,
    trajectories: int,
    seed: int,
) -> None:
    """Which inputs the value of LAB turns on: each low and high (tornado), and all together (Morris)."""
    from exaplan import __version__
    from exaplan.app.ground import ground_of
    from exaplan.app.sensitivity import Screened, sensitivity_of
    from exaplan.report.explained import sensitivity_sheet

    clock = clock_for(as_json)
    read = read_given(lab, overrides, out, clock)
    ground = ground_of(read, clock, full=full)
    with clock.phase("sensitivity"):
        screened = Screened(trajectories, seed, clock.tell)
        found = sensitivity_of(ground, screened, lab_file=lab, version=__version__)
    finish(
        "sensitivity",
        found,
        sensitivity_sheet,
        lab=lab,
        out=out,
        overrides=overrides,
        as_json=as_json,
        clock=clock,
    )
