"""``exaplan plan``: the main job."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from exaplan.app.cli.runs import changes, clear_line, clock_for, default_folder, inputs_of, run_options
from exaplan.app.cli.whatif import compare

if TYPE_CHECKING:
    from exaplan.app.pipeline import Clock, Planned
    from exaplan.domain.answer import Answer, Verdict
    from exaplan.optimize.routes import RouteName


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
        folder = out or default_folder(lab, settings.seed)
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
    from exaplan.app.kept_plan import keep_plan
    from exaplan.io.planfile import PLAN_FILE
    from exaplan.io.runfolder import write_run
    from exaplan.report.page import page_html
    from exaplan.report.tables import document, frames

    with clock.phase("report"):
        answer = gather(planned, lab_file=str(lab), version=__version__, verdict=verdict, more=more)
        page = page_html(answer)
        folder = out or default_folder(lab, planned.settings.seed)
        record: dict[str, Any] = {key: value for key, value in document(answer).items() if key != "timings"}
        record["overrides"] = dict(sorted(overrides.items()))
        inputs = inputs_of(lab)
        kept = keep_plan(
            planned.solved, planned.lab, planned.settings, version=__version__, inputs=inputs, overrides=overrides
        )  # fmt: skip
        beside = {PLAN_FILE: kept}
        write_run(folder, document=record, tables=frames(answer), inputs=inputs, page=page, beside=beside)
    return replace(answer, lab_file=str(lab), timings=dict(clock.seconds)), folder


def show(answer: Answer, folder: Path, as_json: bool) -> None:
    """Print the answer: one JSON object, or the terminal view with the time each phase took."""
    from exaplan.report.tables import document
    from exaplan.report.terminal import answer_text

    if as_json:
        click.echo(json.dumps(document(answer), indent=2, allow_nan=False))
        return
    clear_line()
    encoding = (sys.stdout.encoding or "ascii").lower()
    click.echo(
        answer_text(
            answer, color=sys.stdout.isatty(), ascii_only="utf" not in encoding, run_folder=str(folder)
        )
    )


def violates(answer: Answer) -> bool:
    """Whether the plan breaks a limit of its own lab."""
    return any(limit.state == "relaxed" for limit in answer.limits)
