"""``exaplan decide``: one signature examined to the end."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from exaplan.app.cli.plan import show, violates, write
from exaplan.app.cli.runs import changes, clock_for, run_options
from exaplan.domain.errors import InputError, Problem


@click.command()
@click.argument("lab", type=click.Path(path_type=Path))
@click.argument("offer", required=False)
@run_options
def decide(
    lab: Path,
    offer: str | None,
    out: Path | None,
    paths: int,
    seed: int,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Sign OFFER now or not: cost of waiting, what reverses it, the worst futures. Default: the lab's `decision`."""
    from exaplan.app.ends import ends_remark
    from exaplan.app.pipeline import Settings, make_plan
    from exaplan.app.verdict import doubts, examine
    from exaplan.io.labfile import read_lab
    from exaplan.io.runfolder import check_place

    clock = clock_for(as_json)
    with clock.phase("load"):
        given = changes(overrides)
        read = read_lab(lab, overrides=given)
    chosen = offer or read.decision
    if chosen is None:
        raise InputError(
            Problem("no offer to decide on", file=str(lab), suggestion="name one, or add `decision: OFFER`")
        )
    if out is not None:
        check_place(out)
    planned = make_plan(read, Settings(paths, seed), clock)
    with clock.phase("verdict"):
        verdict = examine(planned, chosen)
    with clock.phase("ends"):
        remarks = (*doubts(verdict), ends_remark(planned))
    answer, folder = write(planned, lab, out, clock, given, verdict, remarks)
    show(answer, folder, as_json)
    sys.exit(1 if violates(answer) else 0)
