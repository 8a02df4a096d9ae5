"""``exaplan alternatives``: what the plan must have, and what it could as well leave."""

from __future__ import annotations

from pathlib import Path

import click

from exaplan.app.cli.explained import explain_options, finish, read_given, share
from exaplan.app.cli.runs import clock_for


@click.command()
@click.argument("lab", type=click.Path(path_type=Path))
@explain_options
@click.option(
    "--slack",
    callback=share,
    default="1%",
    show_default=True,
    help="Share of the value that may be given up.",
)
def alternatives(
    lab: Path, out: Path | None, overrides: tuple[str, ...], as_json: bool, full: bool, slack: float
) -> None:
    """Least and most of each decision among plans nearly as good: what is must-have, what can be left out."""
    from exaplan import __version__
    from exaplan.app.alternatives import Asked, alternatives_of
    from exaplan.app.ground import ground_of
    from exaplan.report.explained import alternatives_sheet

    clock = clock_for(as_json)
    read = read_given(lab, overrides, out, clock)
    ground = ground_of(read, clock, full=full)
    with clock.phase("alternatives"):
        found = alternatives_of(ground, Asked(slack, clock.tell), lab_file=lab, version=__version__)
    finish(
        "alternatives",
        found,
        alternatives_sheet,
        lab=lab,
        out=out,
        overrides=overrides,
        as_json=as_json,
        clock=clock,
    )
