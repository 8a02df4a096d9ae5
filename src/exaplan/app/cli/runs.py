"""What commands that make a run share: their options, progress by phase, the inputs and the name of the run folder."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from exaplan.app.pipeline import Clock

PHASES = {
    "load": "reading the lab",
    "technology": "what each chip delivers",
    "tree": "futures and scenario tree",
    "futures": "sampling futures, growing the tree",
    "search": "searching for the limit on P(ruin)",
    "build": "building the programs",
    "solve": "solving the plan",
    "tree worth": "solving with the mean future's and with two-stage signatures",
    "replay": "replaying on unseen futures, trying the inputs",
    "what-if": "solving each change from the plan as given",
    "sweep": "solving from setting to setting",
    "frontier": "solving from caution to caution",
    "verdict": "examining the signature: full solves with each input moved",
    "ends": "solving with four more quarters",
    "options": "valuing go, wait and never",
    "leverage": "plans by the incumbent's price",
    "plan": "solving the plan",
    "alternatives": "near-optimal plans",
    "sensitivity": "trying the inputs",
    "offer": "examining the offer",
    "statements": "drawing up the statements",
    "report": "the report",
    "kept plan": "taking up the plan of the run",
    "tuning": "tuning simple rules",
    "delay": "the same futures with demand late",
    "rolling": "planning again from where each future stands",
}


def changes(pairs: tuple[str, ...]) -> dict[str, str]:
    """Read ``KEY=VALUE`` options."""
    given = {}
    for pair in pairs:
        key, found, value = pair.partition("=")
        if not found or not key:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE, for example policy.floor.share='45 %'")
        given[key.strip()] = value.strip()
    return given


def clock_for(quiet: bool) -> Clock:
    """Clock that tells a terminal which phase runs; silent elsewhere."""
    from exaplan.app.pipeline import Clock

    if quiet or not sys.stderr.isatty():
        return Clock()

    def tell(phase: str) -> None:
        click.echo(f"\r\033[K{PHASES.get(phase, phase)} …", nl=False, err=True)

    return Clock(tell)


def given_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of all that make a run: where to write, what to replace, JSON."""
    options = (
        click.option(
            "--out",
            type=click.Path(path_type=Path),
            help="Run folder (default: in runs/, named by time and lab).",
        ),
        click.option(
            "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Replace one value of the file."
        ),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def run_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of every plan: those of a run, how many futures, which seed."""
    command = given_options(command)
    options = (
        click.option(
            "--paths", default=500, show_default=True, type=click.IntRange(min=2), help="Futures to replay."
        ),
        click.option(
            "--seed",
            default=1,
            show_default=True,
            type=click.IntRange(min=0),
            help="Seed of everything random.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def inputs_of(lab: Path) -> dict[str, bytes]:
    """Read the lab file and every CSV it names, so that a run can be repeated from its folder."""
    text = lab.read_bytes()
    named = {match.decode() for match in re.findall(rb"csv:\s*['\"]?([^#\s'\"}]+)#", text)}
    found = {
        name: lab.parent / name for name in sorted(named) if not Path(name).is_absolute() and ".." not in name
    }
    return {lab.name: text, **{name: path.read_bytes() for name, path in found.items() if path.is_file()}}


def default_folder(lab: Path, ending: str | int) -> Path:
    """Name a run by the minute it was made, its lab, and its seed or what it is."""
    moment = datetime.now(tz=UTC).strftime("%Y-%m-%dT%H-%M-%S")
    return Path("runs") / f"{moment}_{lab.stem}_{ending}"


def clear_line() -> None:
    """Clear the line of progress before the answer is printed."""
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)
