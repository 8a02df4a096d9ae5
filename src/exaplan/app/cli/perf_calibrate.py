"""``exaplan perf calibrate``: fit the coefficients to published measurements, or to your own."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exaplan.app.cli.perf_validate import table_options
from exaplan.domain.errors import InputError, Problem

if TYPE_CHECKING:
    from exaplan.domain.calibration import Calibration

DEFAULT_FOLDER = Path("calibration")


@click.command()
@table_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Folder for the fitted coefficients.",
)
@click.option("--date", "day", help="Day of the fit, YYYY-MM-DD (default: today).")
def calibrate(
    training: Path | None, inference: Path | None, serving: Path | None, out: Path, day: str | None
) -> None:
    """Fit every coefficient, refit without each source and model for the spreads, and write the result to a folder.

    `exaplan perf validate --calibration DIR` then reads it. The coefficients that come with exaplan stay as they are
    unless --out names their folder.
    """
    from exaplan.app.accuracy import Tables, check_any, read_tables
    from exaplan.app.cli.progress import told
    from exaplan.app.fold_map import process_map
    from exaplan.io.calibration import write_calibration
    from exaplan.perf.calibration.calibrate import calibrate as fit_all

    fitted_on = _day(day)
    measured, _ = read_tables(Tables(training, inference, serving))
    check_any(measured)
    _check_writable(out)
    with told() as tell:
        stage = ["fitting"]

        def say(text: str) -> None:
            stage[0] = text
            tell(text)

        def folds(done: int, of: int) -> None:
            tell(f"{stage[0]}: {done} of {of}")

        found = fit_all(measured, fitted_on, map=partial(process_map, tell=folds), tell=say)
    write_calibration(out, found)
    _print(found, out)


def _day(text: str | None) -> str:
    if text is None:
        return datetime.now(UTC).date().isoformat()
    wrong = InputError(Problem(f"--date: {text!r} is not a day", suggestion="write it as YYYY-MM-DD"))
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise wrong
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise wrong from error


def _check_writable(out: Path) -> None:
    """Find out before the work, not after it, whether the folder can be made."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"cannot write here: {error.strerror or error}"
        raise InputError(Problem(reason, file=str(out), suggestion="choose another folder")) from error


def _print(found: Calibration, out: Path) -> None:
    click.echo(f"Fitted on {found.date} to {found.data}.")
    knobs = len({effect.knob for effect in found.effects})
    click.echo(f"{len(found.effects)} effects on {knobs} coefficients, with their covariance.")
    click.echo(
        "Spread of measured over modelled that remains: log standard deviation, by what a fit had not seen"
    )
    for entry in found.spreads:
        who = entry.family if entry.member == "all" else f"{entry.family}, {entry.member}"
        click.echo(
            f"  {entry.task:<16}{who:<24}without its {entry.unseen:<8}{entry.log_sd:6.3f}  ({entry.groups} groups)"
        )
    click.echo(f"Wrote {out}; exaplan perf validate --calibration {out} uses it.")
