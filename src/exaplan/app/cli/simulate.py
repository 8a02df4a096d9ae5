"""``exaplan simulate``: how a plan fares in futures that it was not made on."""

from __future__ import annotations

from pathlib import Path

import click

from exaplan.app.cli.explained import finish
from exaplan.app.cli.plan_taken import plan_option, read_taken
from exaplan.app.cli.runs import clock_for, given_options


@click.command()
@click.argument("lab", type=click.Path(path_type=Path))
@plan_option
@click.option(
    "--paths", default=2000, show_default=True, type=click.IntRange(min=4), help="Futures to simulate."
)
@click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(min=0), help="Seed of everything random."
)
@click.option(
    "--workers",
    default=0,
    type=click.IntRange(min=0),
    help="Threads (default: one per core); the numbers do not depend on it.",
)
@click.option(
    "--budget",
    default=24,
    show_default=True,
    type=click.IntRange(min=2),
    help="Evaluations with which each simple rule is tuned.",
)
@click.option(
    "--rolling",
    default=0,
    metavar="M",
    type=click.IntRange(min=0),
    help="Also plan again from where each of M futures stands, a few hundred; takes minutes, estimated before it starts.",
)
@click.option(
    "--every",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Quarters between two such plans.",
)
@given_options
def simulate(  # noqa: PLR0913 - one argument per option
    lab: Path, run: Path | None, paths: int, seed: int, workers: int, budget: int, rolling: int, every: int,
    overrides: tuple[str, ...], out: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Simulate the plan of LAB: value, P(ruin), which policy wins, lost sales, delay survived, the worst futures."""
    from exaplan import __version__
    from exaplan.app.simulating import SOLVED_NOW, Asked, refuse_rolling, simulate_plan
    from exaplan.report.simulated import simulated_sheet

    clock = clock_for(as_json)
    taken = read_taken(lab, run, overrides, out, clock)
    if rolling:
        refuse_rolling(taken.lab)
    made = taken.plan(clock)
    asked = Asked(
        paths=paths, seed=seed, workers=workers, budget=budget, rolling=rolling, every=every,
        tell=clock.tell, announce=lambda text: click.echo(text, err=True),
    )  # fmt: skip
    found = simulate_plan(
        made,
        asked,
        clock,
        lab_file=lab,
        version=__version__,
        plan=SOLVED_NOW if run is None else f"of {run.name}",
    )
    finish(
        "simulate",
        found,
        simulated_sheet,
        lab=lab,
        out=out,
        overrides=taken.overrides,
        as_json=as_json,
        clock=clock,
    )
