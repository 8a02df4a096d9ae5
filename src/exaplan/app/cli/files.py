"""``exaplan check``, ``init`` and ``schema``: the lab file before any planning."""

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

LAB_FILE = "lab.yaml"
SCHEMA_FILE = "exaplan.schema.json"


@click.command()
@click.argument("lab", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(lab: Path, as_json: bool) -> None:
    """Read LAB and print every fault and everything implausible, each with its place in the file."""
    problems = problems_of(lab)
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    if as_json:
        rows = [dataclasses.asdict(problem) for problem in problems]
        click.echo(
            json.dumps({"file": str(lab), "errors": errors, "warnings": warnings, "problems": rows}, indent=2)
        )
    else:
        for problem in problems:
            click.echo(str(problem))
        click.echo(f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}")
    if errors:
        sys.exit(2)


def problems_of(lab: Path) -> Sequence[Problem]:
    """Return what is wrong with a lab file; where it reads without error, what looks implausible in it."""
    from exaplan.io.labfile import read_lab
    from exaplan.io.lint import lint

    try:
        return lint(read_lab(lab))
    except InputError as error:
        return error.problems


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "example",
    type=click.Choice(["frontier", "startup", "strategic"]),
    default="startup",
    show_default=True,
    help="Example to start from.",
)
def init(folder: Path, example: str) -> None:
    """Write a commented lab to start from and the schema that editors read into DIR; overwrites nothing."""
    from exaplan.io.examples import example_text

    texts = {LAB_FILE: example_text(example), SCHEMA_FILE: schema_text()}
    taken = [folder / name for name in texts if (folder / name).exists()]
    if taken:
        hint = "choose another folder, or move the file away"
        raise InputError(
            *(Problem("the file is there already", file=str(path), suggestion=hint) for path in taken)
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        reason = f"cannot write here: {error.strerror or error}"
        raise InputError(Problem(reason, file=str(folder), suggestion="choose another folder")) from error
    lab = folder / LAB_FILE
    click.echo(f"Wrote {lab} (a copy of the {example} example) and {folder / SCHEMA_FILE}. Next:")
    click.echo(f"  exaplan check {lab}     every fault and everything implausible")
    click.echo(f"  exaplan plan {lab}      what to sign, what binds, value and P(ruin)")
    click.echo("  exaplan catalog chips    what may stand behind `catalog:`; also models, prices, energy")


@click.command()
def schema() -> None:
    """Print the JSON Schema of the lab file."""
    click.echo(schema_text(), nl=False)


def schema_text() -> str:
    """Return the JSON Schema of the lab file as text."""
    from exaplan.io.schema import lab_schema

    return json.dumps(lab_schema(), indent=2, ensure_ascii=False) + "\n"
