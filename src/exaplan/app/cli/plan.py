"""``exaplan plan``: the main job."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from exaplan.app.cli.whatif import compare

if TYPE_CHECKING:
    from exaplan.app.pipeline import Clock, Planned, Settings
    from exaplan.domain.answer import Answer, Verdict
    from exaplan.optimize.routes import RouteName

PHASES = {
    "load": "reading the lab",
    "technology": "what each chip delivers",
    "tree": "futures and scenario tree",
    "search": "searching for the limit on P(ruin)",
    "build": "building the programs",
    "solve": "solving: the plan and the rent-only alternative",
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
    "report": "the report",
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


def run_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of every run: where to write, how many futures, which seed, what to replace."""
    options = (
        click.option("--out", type=click.Path(path_type=Path), help="Run folder (default: runs/TIME_LAB)."),
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
        click.option(
            "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Replace one value of the file."
        ),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.argument("lab", type=click.Path(path_type=Path))
@click.option(
    "--what-if",
    "what_ifs",
    multiple=True,
    metavar="KEY=VALUE",
    help="Compare with a changed plan; KEY=V,KEY2=V2 change together, a further --what-if is another plan.",
)
@run_options
@click.option(
    "--search-ruin",
    is_flag=True,
    help="Search for the plan that keeps the limit on P(ruin); replays 20,000 futures unless told otherwise.",
)
@click.option(
    "--route",
    type=click.Choice(["extensive", "two-stage", "subtree"]),
    help="How to solve (default: by size; the answer says why).",
)
@click.option(
    "--gap", type=click.FloatRange(min=0, max=1), help="Relative gap at which to stop, such as 0.005."
)
@click.option(
    "--time-limit", type=click.FloatRange(min=0), help="Seconds after which the best plan so far is taken."
)
@click.option("--vss", is_flag=True, help="Also solve the plans that know less: mean future, two stages.")
def plan(  # noqa: PLR0913 - one argument per option
    lab: Path,
    what_ifs: tuple[str, ...],
    out: Path | None,
    paths: int,
    seed: int,
    search_ruin: bool,
    route: RouteName | None,
    gap: float | None,
    time_limit: float | None,
    vss: bool,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Plan LAB: what to sign, what binds, value and P(ruin); writes a run folder."""
    from exaplan.app.pipeline import CONFIRM_PATHS, Settings, make_plan
    from exaplan.app.stopping import stoppable
    from exaplan.io.labfile import read_lab
    from exaplan.io.runfolder import check_place
    from exaplan.plan.solve import Effort

    clock = clock_for(as_json)
    if what_ifs:
        if search_ruin:
            raise click.UsageError("--search-ruin and --what-if exclude each other; type the policy it found")
        settings = Settings(paths, seed)
        folder = out or default_folder(settings, lab)
        given, inputs = changes(overrides), inputs_of(lab) if lab.is_file() else {}
        compare(
            lab, what_ifs, given=given, settings=settings, clock=clock, folder=folder, inputs=inputs, as_json=as_json
        )  # fmt: skip
        return
    with clock.phase("load"):
        given = changes(overrides)
        read = read_lab(lab, overrides=given)
    if out is not None:
        check_place(out)
    if search_ruin and click.get_current_context().get_parameter_source("paths") is ParameterSource.DEFAULT:
        paths = CONFIRM_PATHS  # a limit on P(ruin) is reported on as many futures as it was confirmed on
    effort = Effort(route, gap, float("inf") if time_limit is None else time_limit)
    with stoppable() as clock.stop:
        planned = make_plan(read, Settings(paths, seed, search_ruin, vss, effort), clock)
    answer, folder = write(planned, lab, out, clock, given)
    show(answer, folder, as_json)
    sys.exit(1 if violates(answer) else 0)


def write(
    planned: Planned,
    lab: Path,
    out: Path | None,
    clock: Clock,
    overrides: dict[str, str],
    verdict: Verdict | None = None,
    more: tuple[str, ...] = (),
) -> tuple[Answer, Path]:
    """Gather the answer and write the run folder."""
    from dataclasses import replace

    from exaplan import __version__
    from exaplan.app.answering import gather
    from exaplan.io.runfolder import write_run
    from exaplan.report.page import page_html
    from exaplan.report.tables import document, frames

    with clock.phase("report"):
        answer = gather(planned, lab_file=str(lab), version=__version__, verdict=verdict, more=more)
        page = page_html(answer)
        folder = out or default_folder(planned.settings, lab)
        record: dict[str, Any] = {key: value for key, value in document(answer).items() if key != "timings"}
        record["overrides"] = dict(sorted(overrides.items()))
        inputs = inputs_of(lab)
        write_run(folder, document=record, tables=frames(answer), inputs=inputs, page=page)
    return replace(answer, lab_file=str(lab), timings=dict(clock.seconds)), folder


def inputs_of(lab: Path) -> dict[str, bytes]:
    """Read the lab file and every CSV it names, so that a run can be repeated from its folder."""
    text = lab.read_bytes()
    named = {match.decode() for match in re.findall(rb"csv:\s*['\"]?([^#\s'\"}]+)#", text)}
    found = {
        name: lab.parent / name for name in sorted(named) if not Path(name).is_absolute() and ".." not in name
    }
    return {lab.name: text, **{name: path.read_bytes() for name, path in found.items() if path.is_file()}}


def default_folder(settings: Settings, path: Path) -> Path:
    """Name a run by the minute it was made, its lab and its seed."""
    moment = datetime.now(tz=UTC).strftime("%Y-%m-%dT%H-%M-%S")
    return Path("runs") / f"{moment}_{path.stem}_{settings.seed}"


def show(answer: Answer, folder: Path, as_json: bool) -> None:
    """Print the answer: one JSON object, or the terminal view with the time each phase took."""
    from exaplan.report.tables import document
    from exaplan.report.terminal import answer_text

    if as_json:
        click.echo(json.dumps(document(answer), indent=2, allow_nan=False))
        return
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)
    encoding = (sys.stdout.encoding or "ascii").lower()
    click.echo(
        answer_text(
            answer, color=sys.stdout.isatty(), ascii_only="utf" not in encoding, run_folder=str(folder)
        )
    )


def violates(answer: Answer) -> bool:
    """Whether the plan breaks a limit of its own lab."""
    return any(limit.state == "relaxed" for limit in answer.limits)
