"""What the explaining commands share: their options, and the run folder they write."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exaplan.app.cli.runs import changes, clear_line, default_folder, given_options, inputs_of

if TYPE_CHECKING:
    from exaplan.app.pipeline import Clock
    from exaplan.domain.lab import Lab
    from exaplan.report.sheet import Sheet


def share(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    """Read a share of 0 to 1, written as ``1%``, ``1 %`` or ``0.01``."""
    text = value.strip()
    try:
        found = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        found = float("nan")
    if not 0 <= found <= 1:
        raise click.BadParameter(f"{value!r} is no share between 0 % and 100 %, for example 1%")
    return found


def explain_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of every explanation: those of a run, and the lab's own tree."""
    return click.option(
        "--full", is_flag=True, help="Use the lab's own tree even where that takes minutes (see the note)."
    )(given_options(command))


def read_given(lab: Path, overrides: tuple[str, ...], out: Path | None, clock: Clock) -> Lab:
    """Read the lab with its replaced values; refuse a place where no run can stand before any work."""
    from exaplan.io.labfile import read_lab
    from exaplan.io.runfolder import check_place

    with clock.phase("load"):
        read = read_lab(lab, overrides=changes(overrides))
    if out is not None:
        check_place(out)
    return read


def finish(
    kind: str, record: Any, sheet_of: Callable[[Any], Sheet], *, lab: Path, out: Path | None,
    overrides: tuple[str, ...], as_json: bool, clock: Clock,
) -> None:  # fmt: skip
    """Write the run folder, then print one JSON object or the text with the time each phase took."""
    from dataclasses import replace

    from exaplan.io.runfolder import write_run
    from exaplan.report.sheet import record_document, record_frames, sheet_html, sheet_text

    with clock.phase("report"):
        folder = out or default_folder(lab, kind)
        document = {key: value for key, value in record_document(kind, record).items() if key != "timings"}
        document["overrides"] = dict(sorted(changes(overrides).items()))
        write_run(
            folder,
            document=document,
            tables=record_frames(record),
            inputs=inputs_of(lab),
            page=sheet_html(sheet_of(record)),
        )
    record = replace(record, timings=dict(clock.seconds))
    if as_json:
        click.echo(json.dumps(record_document(kind, record), indent=2, allow_nan=False))
        return
    clear_line()
    ascii_only = "utf" not in (sys.stdout.encoding or "ascii").lower()
    click.echo(sheet_text(sheet_of(record), ascii_only=ascii_only, run_folder=str(folder)))
