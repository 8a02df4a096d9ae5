"""``exaplan offer``: one offer to the end, before it is negotiated."""

from __future__ import annotations

from pathlib import Path

import click

from exaplan.app.cli.explained import explain_options, finish, read_given
from exaplan.app.cli.runs import clock_for


@click.command()
@click.argument("lab", type=click.Path(path_type=Path))
@click.argument("offer_id", metavar="ID")
@explain_options
@click.option(
    "--paths", default=500, show_default=True, type=click.IntRange(min=2), help="Futures to replay."
)
@click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(min=0), help="Seed of those futures."
)
def offer(
    lab: Path,
    offer_id: str,
    out: Path | None,
    overrides: tuple[str, ...],
    as_json: bool,
    full: bool,
    paths: int,
    seed: int,
) -> None:
    """Offer ID of LAB to the end: walk-away price, worth of each clause, sign-by date, change in P(ruin)."""
    from exaplan import __version__
    from exaplan.app.ground import ground_of
    from exaplan.app.offering import Examined, examine_offer, named_offer
    from exaplan.report.offered import offer_sheet

    clock = clock_for(as_json)
    read = read_given(lab, overrides, out, clock)
    named_offer(read, offer_id)
    ground = ground_of(read, clock, full=full)
    with clock.phase("offer"):
        examined = Examined(paths=paths, seed=seed, tell=clock.tell)
        found = examine_offer(ground, offer_id, examined, lab_file=lab, version=__version__)
    finish("offer", found, offer_sheet, lab=lab, out=out, overrides=overrides, as_json=as_json, clock=clock)
