"""``exaplan race``: several labs, who is how many months behind, and who catches up with what chance."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exaplan.app.cli.progress import told
from exaplan.domain.errors import InputError, Problem

if TYPE_CHECKING:
    from exaplan.domain.race_result import RaceAnswer


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--paths", default=10_000, show_default=True, type=click.IntRange(1, 1_000_000), help="Futures."
)
@click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(0), help="Choice of random numbers."
)
@click.option(
    "--shock",
    "shocks",
    multiple=True,
    metavar="NAME",
    help="Let a shock of FILE come for certain; repeat for several.",
)
@click.option(
    "--backtest", is_flag=True, help="No FILE: predict what came from figures dated before, and score it."
)
@click.option(
    "--no-critical-path",
    "brief",
    is_flag=True,
    help="Leave out which limit keeps each lab from parity; faster.",
)
@click.option(
    "--by", metavar="QUARTER", help="Quarter of the headline's P(parity), like 2027-Q4 (default: the last)."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write race.json, race.csv, race.txt and race.png here.",
)
def race(  # noqa: PLR0913 - one argument per option
    file: Path | None,
    paths: int,
    seed: int,
    shocks: tuple[str, ...],
    backtest: bool,
    brief: bool,
    by: str | None,
    as_json: bool,
    out: Path | None,
) -> None:
    """Race the labs of FILE: months behind in compute and capability, P(parity by date), what stands in the way.

    Start from examples/race-2026.yaml: five labs from public estimates. --shock NAME makes one of its shocks certain.
    """
    if backtest:
        if file is not None or shocks or out is not None:
            raise InputError(
                Problem("--backtest takes no FILE, --shock or --out", suggestion="leave them out")
            )
        _backtest(paths, seed, as_json)
        return
    if file is None:
        raise InputError(
            Problem("no race FILE given", suggestion="for example examples/race-2026.yaml, or --backtest")
        )
    from exaplan.app.racing import race_answer
    from exaplan.report.race import race_document, race_text

    with told(as_json) as tell:
        answer = race_answer(file, paths=paths, seed=seed, shocks=shocks, critical=not brief, tell=tell)
    place = _place(answer, by)
    if out is not None:
        _write(answer, out, place)
    if as_json:
        click.echo(json.dumps(race_document(answer, place), indent=2, allow_nan=False))
        return
    click.echo(race_text(answer, by=place))
    if out is not None:
        click.echo(f"Files  {out}/ race.json · race.csv · race.txt · race.png")


def _place(answer: RaceAnswer, by: str | None) -> int:
    """Find the quarter of the headline."""
    if by is None:
        return len(answer.quarters) - 1
    if by not in answer.quarters:
        raise InputError(
            Problem(
                f"{by!r} is no quarter of this race",
                suggestion=f"{answer.quarters[0]} to {answer.quarters[-1]}",
            )
        )
    return answer.quarters.index(by)


def _write(answer: RaceAnswer, folder: Path, place: int) -> None:
    from exaplan.report.casebook import packed_png
    from exaplan.report.drawing import chart_png
    from exaplan.report.race import race_csv, race_document, race_text
    from exaplan.report.race_charts import race_chart

    folder.mkdir(parents=True, exist_ok=True)
    document = json.dumps(race_document(answer, place), indent=2, allow_nan=False)
    (folder / "race.json").write_text(document + "\n", encoding="utf-8")
    (folder / "race.csv").write_text(race_csv(answer), encoding="utf-8")
    (folder / "race.txt").write_text(race_text(answer, by=place) + "\n", encoding="utf-8")
    (folder / "race.png").write_bytes(packed_png(chart_png(race_chart(answer), scale=1.4)))


def _backtest(paths: int, seed: int, as_json: bool) -> None:
    from exaplan.io.racehistory import BACKTESTS, backtest_file, backtest_history, backtest_points
    from exaplan.report.race import backtest_text
    from exaplan.simulate.race_backtest import backtest

    files = {name: backtest_file(name) for name in BACKTESTS}
    every = backtest_history()
    rivals = [grown for grown in every if grown.outside_china]
    points, wider = (
        backtest(files, backtest_points(), history, paths=paths, seed=seed) for history in (rivals, every)
    )
    if as_json:
        click.echo(json.dumps([asdict(point) for point in points], indent=2, allow_nan=False))
        return
    click.echo(backtest_text(points, wider))
