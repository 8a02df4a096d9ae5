"""``exaplan cases``: questions that were really asked, answered again with the coefficients and figures of today."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exaplan.domain.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exaplan.app.casebook.registry import Case
    from exaplan.domain.casebook import CaseRecord
    from exaplan.report.casebook_summary import Answered

_PICTURE_SCALE = 1.4


@click.group()
def cases() -> None:
    """Answer questions that were really asked; every verdict is computed."""


@cases.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_cases(as_json: bool) -> None:
    """Name the cases, what each asks, and which systems no case speaks of."""
    from exaplan.app.casebook.registry import CASES
    from exaplan.report.casebook import systems_words
    from exaplan.report.casebook_summary import uncovered

    if as_json:
        listed = [{"name": case.name, "question": case.question, "systems": case.systems} for case in CASES]
        click.echo(json.dumps(listed, indent=2))
        return
    for case in CASES:
        click.echo(f"{case.name}\n    {case.question}\n    {systems_words(case.systems)}")
    missing = uncovered([case.systems for case in CASES])
    click.echo(f"\n{len(CASES)} cases; no case speaks of: {', '.join(missing) or 'nothing: all are covered'}")


@cases.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "every", is_flag=True, help="Every case, with a table of all.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a page and its plots into this folder.",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep answers in this folder (default: the user's cache, $XDG_CACHE_HOME/exaplan/cases).",
)
@click.option("--fresh", is_flag=True, help="Compute anew what is kept from before.")
def run(
    names: tuple[str, ...], every: bool, as_json: bool, out: Path | None, cache: Path | None, fresh: bool
) -> None:
    """Answer the cases of the given NAMES, or --all.

    Answers are kept: a second run, or one after a stop half-way, computes only what is missing or what the package would
    now answer differently.
    """
    from exaplan.report.casebook import as_json as record_json

    answered = _answered(_chosen(names, every), cache, fresh, out)
    records = tuple(one.record for one in answered)
    if out is not None and every:
        _write_index(out, records)
    if as_json:
        found = [record_json(record) for record in records]
        click.echo(json.dumps(found if every or len(found) != 1 else found[0], indent=2, allow_nan=False))
    else:
        _print(answered, every)


def _answered(chosen: tuple[Case, ...], cache: Path | None, fresh: bool, out: Path | None) -> list[Answered]:
    """Answer the cases, in the order in which they were chosen; pages are written as answers come."""
    from exaplan.app.casebook.running import answer_cases
    from exaplan.io.kept_answers import answers_folder

    found = {}
    with _progress(len(chosen)) as tell:
        for case, answered in answer_cases(chosen, folder=cache or answers_folder(), fresh=fresh):
            found[case.name] = answered
            if out is not None:
                _write(out, answered.record)
            tell(case.name)
    return [found[case.name] for case in chosen]


def _print(answered: list[Answered], every: bool) -> None:
    from exaplan.report.casebook import chance_words, metric_words
    from exaplan.report.casebook_summary import summary_text

    if every:
        click.echo(summary_text(answered))
        return
    for one in answered:
        record = one.record
        click.echo(f"{record.name}: {record.judgment.word} ({chance_words(record)})")
        click.echo(f"  {record.answer}")
        click.echo(f"  {metric_words(record.metric)}.")


def _chosen(names: tuple[str, ...], every: bool) -> tuple[Case, ...]:
    """Find cases by name.

    Raises
    ------
    InputError
        For a name that is not a case, or none at all.
    """
    from exaplan.app.handles import chosen_cases

    if every == bool(names):
        listed = "`exaplan cases list` names them"
        raise InputError(Problem("name the cases to run, or give --all (not both)", suggestion=listed))
    return chosen_cases(names)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str], None]]:
    """Show a bar on stderr when that is a terminal; tell it each case that is done."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task("cases", total=total)

        def tell(name: str) -> None:
            bar.advance(task)
            bar.update(task, description=f"done: {name}")

        yield tell


def _write(folder: Path, record: CaseRecord) -> None:
    """Write a page and its plots."""
    from exaplan.report.casebook import packed_png, page, plot_chart
    from exaplan.report.drawing import chart_png

    folder.mkdir(parents=True, exist_ok=True)
    pictures = []
    for place, plot in enumerate(record.plots, 1):
        name = f"{record.name}-{place}.png" if len(record.plots) > 1 else f"{record.name}.png"
        (folder / name).write_bytes(packed_png(chart_png(plot_chart(plot), scale=_PICTURE_SCALE)))
        pictures.append(name)
    (folder / f"{record.name}.md").write_text(page(record, tuple(pictures)), encoding="utf-8")


def _write_index(folder: Path, records: tuple[CaseRecord, ...]) -> None:
    from exaplan.report.casebook_summary import index_page

    (folder / "index.md").write_text(index_page(records), encoding="utf-8")
