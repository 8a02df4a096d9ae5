"""``exaplan check``, ``init`` and ``schema``: files before any planning."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exaplan.domain.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exaplan.io.filekind import FileKind

LAB_FILE = "lab.yaml"
SCHEMA_FILE = "exaplan.schema.json"
OTHER_FILES: dict[FileKind, tuple[str, str]] = {
    "race": ("race.yaml", "exaplan.race.schema.json"),
    "alignment": ("alignment.yaml", "exaplan.alignment.schema.json"),
}
"""Names of what is no lab: the file and its schema."""

NEXT: dict[FileKind, tuple[str, ...]] = {
    "lab": (
        "exaplan plan {file}      what to sign, what binds, value and P(ruin)",
        "exaplan catalog chips    what may stand behind `catalog:`; also models, prices, energy",
    ),
    "race": ("exaplan race {file}      who is how many months behind, P(parity by date)",),
    "alignment": ("exaplan align {file}     FLOP, chips, dollars of each pipeline",),
}


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(file: Path, as_json: bool) -> None:
    """Read FILE and print every fault and everything implausible, each with its place.

    FILE is a lab, a race or an alignment file; which it is, is told from its keys.
    """
    from exaplan.io.filekind import kind_of

    kind = kind_of(file)
    problems = problems_of(file, kind)
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    if as_json:
        counts = {"file": str(file), "kind": kind, "errors": errors, "warnings": warnings}
        rows = [dataclasses.asdict(problem) for problem in problems]
        click.echo(json.dumps({**counts, "problems": rows}, indent=2))
    else:
        for problem in problems:
            click.echo(str(problem))
        click.echo(f"{kind} file: {_counted(errors, 'error')}, {_counted(warnings, 'warning')}")
    if errors:
        sys.exit(2)


def problems_of(file: Path, kind: FileKind = "lab") -> Sequence[Problem]:
    """Return what is wrong with a file; where a lab reads without error, what looks implausible in it."""
    from exaplan.io.alignfile import read_study
    from exaplan.io.labfile import read_lab
    from exaplan.io.lint import lint
    from exaplan.io.racefile import read_race

    try:
        if kind == "lab":
            return lint(read_lab(file))
        if kind == "race":
            read_race(file)
        else:
            read_study(file)
    except InputError as error:
        return error.problems
    return ()


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "example",
    type=click.Choice(["frontier", "startup", "strategic", "race", "alignment"]),
    default="startup",
    show_default=True,
    help="Example to start from: three labs, a race of five labs, alignment pipelines.",
)
def init(folder: Path, example: str) -> None:
    """Write a commented file to start from and the schema that editors read into DIR; overwrites nothing."""
    kind: FileKind = "race" if example == "race" else "alignment" if example == "alignment" else "lab"
    name, schema_name = OTHER_FILES.get(kind, (LAB_FILE, SCHEMA_FILE))
    texts = {name: _starting_text(example, schema_name), schema_name: schema_text(kind)}
    taken = [folder / name for name in texts if (folder / name).exists()]
    if taken:
        hint = "choose another folder, or move the file away"
        raise InputError(
            *(Problem("the file is there already", file=str(path), suggestion=hint) for path in taken)
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name_of, text in texts.items():
            (folder / name_of).write_text(text, encoding="utf-8")
    except OSError as error:
        reason = f"cannot write here: {error.strerror or error}"
        raise InputError(Problem(reason, file=str(folder), suggestion="choose another folder")) from error
    file = folder / name
    click.echo(f"Wrote {file} (a copy of the {example} example) and {folder / schema_name}. Next:")
    click.echo(f"  exaplan check {file}     every fault and everything implausible")
    for line in NEXT[kind]:
        click.echo("  " + line.format(file=file))


def _starting_text(example: str, schema_name: str) -> str:
    """Text of an example, with the line by which editors find its schema."""
    from exaplan.io.alignfile import shipped_text
    from exaplan.io.examples import example_text

    text = shipped_text() if example == "alignment" else example_text(example)
    mark = "# yaml-language-server: $schema="
    return text if text.startswith(mark) else f"{mark}./{schema_name}\n{text}"


@click.command()
@click.argument("kind", type=click.Choice(["lab", "race", "alignment"]), default="lab")
def schema(kind: FileKind) -> None:
    """Print the JSON Schema of the lab file, or of a race or alignment file."""
    click.echo(schema_text(kind), nl=False)


def schema_text(kind: FileKind = "lab") -> str:
    """Return the JSON Schema of a kind of file as text."""
    from exaplan.io.schema import file_schema

    return json.dumps(file_schema(kind), indent=2, ensure_ascii=False) + "\n"
