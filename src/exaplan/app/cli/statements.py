"""``exaplan statements``: income, cash flow, balance sheet and key figures of a plan."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exaplan.app.cli.exploring import command_line
from exaplan.app.cli.plan_taken import plan_option, read_taken
from exaplan.app.cli.runs import clear_line, clock_for, default_folder, given_options, inputs_of

if TYPE_CHECKING:
    from exaplan.app.pipeline import Clock
    from exaplan.domain.statements import FinanceReport


@click.command(
    epilog="Example: exaplan statements examples/frontier-2026.yaml --life 3 --lease lease --xlsx statements.xlsx"
)
@click.argument("lab", type=click.Path(path_type=Path))
@plan_option
@click.option(
    "--paths",
    type=click.IntRange(min=0),
    help="Futures to replay; 0: the futures of the tree, as solved.  [default: 500]",
)
@click.option("--seed", type=click.IntRange(min=0), help="Seed of everything random.  [default: 1]")
@click.option(
    "--life", default="5", show_default=True, metavar="3|5|6", help="Years over which chips are written off."
)
@click.option(
    "--lease",
    default="service",
    show_default=True,
    type=click.Choice(["service", "lease"]),
    help="Reservations: expensed as they run, or leases on the balance sheet.",
)
@click.option(
    "--resale",
    default="net",
    show_default=True,
    type=click.Choice(["gross", "net"]),
    help="What resellers keep: revenue and cost (principal), or neither (agent).",
)
@click.option(
    "--free-users",
    default="cost-of-sales",
    show_default=True,
    type=click.Choice(["cost-of-sales", "marketing"]),
    help="Where the compute of users who pay nothing is booked.",
)
@click.option(
    "--impairment",
    default="off",
    show_default=True,
    type=click.Choice(["off", "use", "rent"]),
    help="Write book down to economic value: by use in the plan, or at market rent.",
)
@given_options
@click.option(
    "--xlsx", type=click.Path(path_type=Path), help="Write a workbook whose statements are live formulas."
)
def statements(  # noqa: PLR0913 - one argument per option
    lab: Path, run: Path | None, paths: int | None, seed: int | None, life: str, lease: str, resale: str, free_users: str,
    impairment: str, overrides: tuple[str, ...], xlsx: Path | None, as_json: bool, out: Path | None,
) -> None:  # fmt: skip
    """Draw up the statements of the plan of LAB: income, cash flow, balance sheet, key figures.

    The plan is solved, replayed on futures it has not seen, and every dollar of every future is booked; assets and debts
    are measured from what was signed, so that the balance is a check. Figures are means over the futures with their
    Monte Carlo interval and percentiles.
    """
    from exaplan.app.finance import Asked, run_statements, switches_for
    from exaplan.io.workbook import check_ending

    clock, years = clock_for(as_json), _life(life)
    folder = out or default_folder(lab, "statements")
    taken = read_taken(lab, run, overrides, folder, clock)
    kept = taken.kept
    paths = paths if paths is not None else kept.paths if kept else 500
    seed = seed if seed is not None else kept.seed if kept else 1
    if xlsx is not None:
        check_ending(xlsx)
    chosen = switches_for(
        taken.lab, life_years=years, lease=lease, resale=resale, free_users=free_users, impairment=impairment
    )
    options = [("--set", pair) for pair in taken.overrides]
    named = (
        ("life", life),
        ("lease", lease),
        ("resale", resale),
        ("free-users", free_users),
        ("impairment", impairment),
    )
    options += [(f"--{name}", value) for name, value in named]
    line = command_line("statements", lab, ("--paths", str(paths)), ("--seed", str(seed)), *options)
    report = run_statements(taken.plan(clock).solved, Asked(paths, seed, chosen, str(lab), line), clock)
    _write(report, folder, clock, inputs_of(lab))
    if xlsx is not None:
        _write_workbook(report, xlsx)
    _show(report, folder, as_json)


def _life(text: str) -> int:
    """Read the years of ``--life``, with or without the unit."""
    years = text.strip().removesuffix("years").removesuffix("year").strip()
    if years not in ("3", "5", "6"):
        raise click.BadParameter(f"{text!r} is none of 3, 5 and 6 years", param_hint="--life")
    return int(years)


def _write(report: FinanceReport, folder: Path, clock: Clock, inputs: dict[str, bytes]) -> None:
    """Write the run folder: run.json, the page, the rows as a table."""
    from exaplan.io.runfolder import write_run
    from exaplan.report.statements import statements_document
    from exaplan.report.statements_page import statements_page
    from exaplan.report.statements_tables import statement_frames

    with clock.phase("report"):
        write_run(
            folder, document=statements_document(report), tables=statement_frames(report), inputs=inputs,
            page=statements_page(report),
        )  # fmt: skip


def _write_workbook(report: FinanceReport, path: Path) -> None:
    from exaplan.io.workbook import write_workbook
    from exaplan.report.statements_sheets import sheets_of

    write_workbook(path, sheets_of(report))


def _show(report: FinanceReport, folder: Path, as_json: bool) -> None:
    from exaplan.report.statements import statements_document, statements_text

    if as_json:
        click.echo(json.dumps(statements_document(report), indent=2, allow_nan=False))
        return
    clear_line()
    encoding = (sys.stdout.encoding or "ascii").lower()
    width = max(100, shutil.get_terminal_size((120, 24)).columns)
    click.echo(statements_text(report, width=width, ascii_only="utf" not in encoding, place=str(folder)))
