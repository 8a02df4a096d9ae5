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

_PICTURE_SCALE = 1.4


@click.group()
def cases() -> None:
    """Answer questions that were really asked; every verdict is computed."""


@cases.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_cases(as_json: bool) -> None:
    """Name the cases and what each asks."""
    from exaplan.app.casebook.registry import CASES

    if as_json:
        click.echo(json.dumps([{"name": case.name, "question": case.question} for case in CASES], indent=2))
        return
    for case in CASES:
        click.echo(f"{case.name}\n    {case.question}")


@cases.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "every", is_flag=True, help="Every case.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a page and its plots into this folder.",
)
def run(names: tuple[str, ...], every: bool, as_json: bool, out: Path | None) -> None:
    """Answer the cases of the given NAMES, or --all."""
    from exaplan.report.casebook import as_json as record_json
    from exaplan.report.casebook import chance_words, metric_words

    chosen = _chosen(names, every)
    records: list[CaseRecord] = []
    with _progress(len(chosen)) as tell:
        for case in chosen:
            tell(case.name)
            records.append(case.run())
            if out is not None:
                _write(out, records[-1])
        tell("")
    if out is not None and every:
        _write_index(out, tuple(records))
    if as_json:
        found = [record_json(record) for record in records]
        click.echo(json.dumps(found if every or len(found) != 1 else found[0], indent=2, allow_nan=False))
        return
    for record in records:
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
    from exaplan.app.casebook.registry import CASES

    known = {case.name: case for case in CASES}
    listed = "`exaplan cases list` names them"
    if every == bool(names):
        raise InputError(Problem("name the cases to run, or give --all (not both)", suggestion=listed))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(*(Problem(f"{name!r} is not a case", suggestion=listed) for name in unknown))
    return CASES if every else tuple(known[name] for name in names)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str], None]]:
    """Show a bar on stderr when that is a terminal; tell it each case as it starts, and an empty name at the end."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task("cases", total=total)
        started = False

        def tell(name: str) -> None:
            nonlocal started
            if started:
                bar.advance(task)
            started = True
            bar.update(task, description=name or "done")

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
    from exaplan.report.casebook import index_page

    (folder / "index.md").write_text(index_page(records), encoding="utf-8")
