"""What the commands that compare plans share: progress, the run folder, the print."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exaplan.app.cli.runs import clear_line

if TYPE_CHECKING:
    from exaplan.app.pipeline import Clock
    from exaplan.report.explored import Explored


def counter(quiet: bool, what: str) -> Callable[[int, int], None]:
    """Show on a terminal how many plans are done; silent elsewhere."""
    shown = not quiet and sys.stderr.isatty()

    def tell(done: int, total: int) -> None:
        if shown:
            click.echo(f"\r\033[K{what}: {done} of {total} plans …", nl=False, err=True)

    return tell


def command_line(name: str, lab: Path, *options: tuple[str, str]) -> str:
    """Write the command that gives a comparison again."""
    words = [shlex.quote(part) for option in options for part in option]
    return " ".join(["exaplan", name, shlex.quote(lab.name), *words])


def write_explored(
    found: Explored, folder: Path, clock: Clock, *, command: str, inputs: dict[str, bytes]
) -> Path:
    """Write the run folder of a comparison: run.json, the page, the chart, the table as CSV and Parquet."""
    from exaplan.io.runfolder import write_run
    from exaplan.report.drawing import chart_png
    from exaplan.report.explored import explored_document, table_csv, table_frame
    from exaplan.report.explored_charts import explored_chart
    from exaplan.report.explored_page import explored_page

    with clock.phase("report"):
        page = explored_page(found, command)
        beside: dict[str, bytes | str] = {
            "table.csv": table_csv(found),
            "chart.png": chart_png(explored_chart(found)),
        }
        document = {**explored_document(found, timings=False), "command": command}
        tables = {"plans": table_frame(found)}
        return write_run(folder, document=document, tables=tables, inputs=inputs, page=page, beside=beside)


def show_explored(found: Explored, folder: Path, as_json: bool) -> None:
    """Print a comparison: one JSON object, or the terminal view."""
    from exaplan.report.explored import explored_document, explored_text

    if as_json:
        click.echo(json.dumps(explored_document(found), indent=2, allow_nan=False))
        return
    clear_line()
    encoding = (sys.stdout.encoding or "ascii").lower()
    width = max(100, shutil.get_terminal_size((140, 24)).columns)
    click.echo(explored_text(found, width=width, ascii_only="utf" not in encoding, run_folder=str(folder)))
