"""``exaplan options``: go, wait or never for what is started once, and what a second source is worth."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exaplan.app.cli.runs import changes, clock_for, given_options, inputs_of

if TYPE_CHECKING:
    from exaplan.domain.options import OptionsAnswer
    from exaplan.report.drawing import Chart


@click.command()
@click.argument("lab", type=click.Path(path_type=Path))
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the chart to FILE.png or FILE.html.")
@given_options
@click.option(
    "--gap",
    default=5e-3,
    show_default=True,
    type=click.FloatRange(min=0, max=0.1),
    help="Relative gap at which the search for the plan stops.",
)
def options(
    lab: Path, out: Path | None, plot: Path | None, overrides: tuple[str, ...], gap: float, as_json: bool
) -> None:
    """Go, wait or never for each lump of LAB: values, last dates, foundries, break-even and bargained discounts."""
    from exaplan import __version__
    from exaplan.app.cli.perf_request import checked_plot, write_plot
    from exaplan.app.optioning import weigh
    from exaplan.io.labfile import read_lab
    from exaplan.io.runfolder import check_place
    from exaplan.report.options import options_document, options_text

    checked_plot(plot)
    if out is not None:
        check_place(out)
    clock = clock_for(as_json)
    with clock.phase("load"):
        read = read_lab(lab, overrides=changes(overrides))
    answer = weigh(read, clock, lab_file=str(lab), version=__version__, gap=gap)
    if sys.stderr.isatty() and not as_json:
        click.echo("\r\033[K", nl=False, err=True)
    if as_json:
        click.echo(json.dumps(options_document(answer), indent=2, allow_nan=False))
    else:
        click.echo(options_text(answer))
    write_plot(plot, lambda: _chart(answer))
    if out is not None:
        _write(answer, lab, out, overrides)
        click.echo(f"Files: {out}", err=True)


def _chart(answer: OptionsAnswer) -> Chart | None:
    from exaplan.report.options_charts import options_chart

    return options_chart(answer)


def _write(answer: OptionsAnswer, lab: Path, out: Path, overrides: tuple[str, ...]) -> None:
    """Write the run folder: the object, each table as people read it, the page and the lab file."""
    import polars as pl

    from exaplan.io.runfolder import write_run
    from exaplan.report.options import grids, options_document
    from exaplan.report.options_page import options_page

    document = {key: value for key, value in options_document(answer).items() if key != "timings"}
    document["overrides"] = changes(overrides)
    tables = {
        grid.key: pl.DataFrame(
            {head: [row[i] for row in grid.rows] for i, head in enumerate(grid.heads)},
            schema=dict.fromkeys(grid.heads, pl.String),
        )
        for grid in grids(answer)
    }
    write_run(out, document=document, tables=tables, inputs=inputs_of(lab), page=options_page(answer))
