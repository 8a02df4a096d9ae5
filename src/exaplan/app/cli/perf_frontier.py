"""``exaplan perf frontier``: throughput per chip against time per output token, one line per chip."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from exaplan.app.cli.perf_names import found_chips, found_models, names_of
from exaplan.app.cli.perf_prices import ChipPrice, chip_price, usd_per_million_tokens, usd_text
from exaplan.app.cli.perf_request import (
    calibration_json,
    checked_plot,
    coefficient_options,
    coefficients_note,
    output_options,
    read_calibration,
    serving_options,
    serving_request,
    table_width,
    write_plot,
)

if TYPE_CHECKING:
    from exaplan.domain.calibration import Calibration
    from exaplan.domain.technology import Chip, Model
    from exaplan.perf.opened import Estimate


@dataclasses.dataclass(frozen=True)
class _Line:
    """Configurations of one chip that no other of its configurations beats in both throughput and TPOT."""

    chip: Chip
    price: ChipPrice | None
    rows: tuple[Estimate, ...]  # soonest token first
    reason: str


@click.command()
@click.option("--model", "model_name", required=True, help="Model of the catalogue, for example llama3-70b.")
@click.option(
    "--chips", "--chip", "chips", required=True, help="Chips with commas, for example h100-sxm,b200."
)
@click.option("--job-chips", type=float, help="Most chips of a replica.")
@serving_options
@coefficient_options
@click.option(
    "--points", default=8, show_default=True, type=click.IntRange(min=2), help="Rows per chip in the table."
)
@click.option("--why", is_flag=True, help="Open the fastest configuration per chip of the first chip.")
@output_options
def frontier(model_name: str, chips: str, **options: Any) -> None:
    """Trace what a chip gives up in throughput for a sooner token.

    \b
    exaplan perf frontier --model llama3-70b --chips h100-sxm,b200,tpu-v6e --plot pareto.png
    exaplan perf frontier --model deepseek-v3 --chip h200 --input 4000 --output 1000 --ttft '2 s'

    Every row is a configuration that no other of its chip beats in both. --tpot cuts the line off;
    without it all of it is shown.
    """  # noqa: D301 - \b keeps click from folding the examples
    checked_plot(options["plot"])
    (model,) = found_models([model_name])
    calibration = read_calibration(options)
    lines = [_line(model, chip, calibration, options) for chip in found_chips(names_of(chips))]
    if options["as_json"]:
        click.echo(json.dumps(_as_json(model, lines, calibration), indent=2, allow_nan=False))
    else:
        click.echo(_text(model, lines, calibration, options))
    if not any(line.rows for line in lines):
        sys.exit(1)
    write_plot(options["plot"], lambda: _chart(model, lines))


def _line(model: Model, chip: Chip, calibration: Calibration | None, options: dict[str, Any]) -> _Line:
    from exaplan.perf.estimate import pareto_survey

    found = pareto_survey(
        model,
        chip,
        serving_request(options, tpot=None),
        precision=options["precision"],
        chips_max=options["job_chips"],
        calibration=calibration,
        engine=options["engine"],
    )
    return _Line(chip, chip_price(chip.id, None), found.estimates, found.reason)


def _thinned(line: _Line, points: int) -> list[Estimate]:
    """Pick rows evenly over the line, both ends kept."""
    index = np.unique(np.round(np.linspace(0, len(line.rows) - 1, points)).astype(int))
    return [line.rows[int(i)] for i in index] if line.rows else []


def _text(model: Model, lines: list[_Line], calibration: Calibration | None, options: dict[str, Any]) -> str:
    from exaplan.app.cli.perf_rows import bottleneck_of, interval_of
    from exaplan.report.perf_tables import grid_text

    heads = (
        "chip",
        "TPOT ms",
        "TTFT ms",
        "tokens/s/chip",
        "80 % interval",
        "$/Mtok",
        "chips",
        "configuration",
        "bottleneck",
    )
    cells = [
        (
            row.chip,
            f"{1e3 * (row.tpot_s or 0):.1f}",
            f"{1e3 * (row.ttft_s or 0):,.0f}",
            f"{row.tokens_per_s_per_chip:,.0f}",
            interval_of(row),
            usd_text(usd_per_million_tokens(line.price, row.tokens_per_s_per_chip)),
            str(row.chips_per_replica),
            row.configuration,
            bottleneck_of(row),
        )
        for line in lines
        for row in _thinned(line, options["points"])
    ]
    text = []
    if cells:
        title = f"{model.id}, {options['input_tokens']:,.0f} tokens in, {options['output_tokens']:,.0f} out: Pareto frontier"
        left, spare = (
            ("chip", "configuration", "bottleneck"),
            ("bottleneck", "TTFT ms", "configuration", "chips"),
        )
        text.append(grid_text(heads, cells, title=title, left=left, spare=spare, width=table_width()))
        shown, whole = len(cells), sum(len(line.rows) for line in lines)
        text.append(f"\n{shown} of {whole} configurations on the frontier; --points shows more, --json all.")
    text += [f"Not feasible on {line.chip.id}: {line.reason}." for line in lines if not line.rows]
    if options["why"] and cells:
        text += _why(model, next(line for line in lines if line.rows), calibration, options)
    return "\n".join([*text, coefficients_note(calibration)])


def _why(model: Model, line: _Line, calibration: Calibration | None, options: dict[str, Any]) -> list[str]:
    from exaplan.app.cli.perf_why import why_lines
    from exaplan.perf.estimate import survey

    request = serving_request(options, tpot=None)
    found = survey(
        model,
        line.chip,
        request,
        precision=options["precision"],
        chips_max=options["job_chips"],
        calibration=calibration,
        engine=options["engine"],
        top=1,
    )
    return why_lines(model, line.chip, found, request)


def _as_json(model: Model, lines: list[_Line], calibration: Calibration | None) -> dict[str, Any]:
    from exaplan.app.cli.perf_rows import estimate_json

    return calibration_json(calibration) | {
        "model": model.id,
        "lines": [
            {
                "chip": line.chip.id,
                "reason": line.reason,
                "price": None if line.price is None else dataclasses.asdict(line.price),
                "points": [estimate_json(row, line.price) for row in line.rows],
            }
            for line in lines
        ],
    }


def _chart(model: Model, lines: list[_Line]) -> Any:
    from exaplan.report.perf_frontier_charts import RatePoint, pareto_chart

    points = [
        RatePoint(row.chip, row.tpot_s or 0.0, row.tokens_per_s_per_chip, row.configuration)
        for line in lines
        for row in line.rows
    ]
    note = "each point is a configuration that no other of its chip beats; up and to the left is better"
    return pareto_chart(points, title=f"{model.id}: throughput against time per token", note=note)
