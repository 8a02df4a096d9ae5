"""``exaplan perf compare``: one model on several chips, or several models on one, side by side."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from typing import TYPE_CHECKING, Any

import click

from exaplan.app.cli.perf_names import found_both, found_chips, names_of
from exaplan.app.cli.perf_prices import ChipPrice, chip_price, usd_per_million_tokens, usd_text
from exaplan.app.cli.perf_request import (
    calibration_json,
    checked_plot,
    coefficient_options,
    coefficients_note,
    output_options,
    read_calibration,
    read_request,
    serving_options,
    table_width,
    training_options,
    write_plot,
)
from exaplan.app.cli.perf_rows import bottleneck_of, estimate_json, interval_of, latency_of
from exaplan.domain.errors import InputError, Problem

if TYPE_CHECKING:
    from exaplan.domain.calibration import Calibration
    from exaplan.domain.technology import Chip, Model
    from exaplan.perf.estimate import Survey
    from exaplan.perf.serving import ServeRequest
    from exaplan.perf.training import TrainRequest


_SPARE = ("configuration", "MFU", "80 % of $/Mtok", "TPOT / TTFT", "step", "precision", "chips", "bottleneck")


@dataclasses.dataclass(frozen=True)
class _Rival:
    """One model on one chip."""

    model: Model
    chip: Chip
    survey: Survey
    price: ChipPrice | None

    @property
    def usd(self) -> float | None:
        """Dollars per million tokens of the best configuration."""
        rows = self.survey.estimates
        return usd_per_million_tokens(self.price, rows[0].tokens_per_s_per_chip) if rows else None


@dataclasses.dataclass(frozen=True)
class _Field:
    rivals: tuple[_Rival, ...]
    request: ServeRequest | TrainRequest
    calibration: Calibration | None


@click.command()
@click.option("--model", "--models", "models", required=True, help="Model, or several with commas.")
@click.option(
    "--chips", "--chip", "chips", required=True, help="Chips with commas, for example h100-sxm,tpu-v6e."
)
@click.option("--phase", type=click.Choice(["serve", "train"]), default="serve", show_default=True)
@click.option(
    "--job-chips",
    type=float,
    help="Most chips of a replica (serve); chips of the job (train).  [default: 1024 to train]",
)
@serving_options
@training_options
@coefficient_options
@click.option(
    "--price",
    "prices",
    multiple=True,
    metavar="CHIP=USD",
    help="USD per chip-hour of a chip; may be repeated.",
)
@click.option(
    "--by",
    type=click.Choice(["price", "speed"]),
    default="price",
    show_default=True,
    help="Order: $/Mtok (chips without a price last), or tokens/s per chip.",
)
@click.option(
    "--why",
    is_flag=True,
    help="Open the first row: equations with numbers and what its bottleneck is bound by.",
)
@output_options
def compare(models: str, chips: str, **options: Any) -> None:
    """Compare chips for a model, or models on a chip, each at its best configuration.

    \b
    exaplan perf compare --model deepseek-v3 --chips h100-sxm,b200,tpu-v6e,trainium2
    exaplan perf compare --models llama3-70b,qwen3-235b-a22b --chip h200 --phase train --by speed

    --plot stacks the time by operator, one bar per row. Two rows whose intervals overlap are not
    told apart by this model: measure before choosing between them.
    """  # noqa: D301 - \b keeps click from folding the examples
    checked_plot(options["plot"])
    field = _survey_all(*found_both(names_of(models), names_of(chips)), options)
    found = [rival for rival in field.rivals if rival.survey.estimates]
    if options["as_json"]:
        click.echo(json.dumps(_as_json(field), indent=2, allow_nan=False))
    else:
        click.echo(_text(field, options))
    if not found:
        sys.exit(1)
    write_plot(options["plot"], lambda: _chart(found, options))


def _survey_all(models: list[Model], chips: list[Chip], options: dict[str, Any]) -> _Field:
    from exaplan.perf.estimate import survey

    calibration = read_calibration(options)
    request = read_request(options, options["phase"])
    typed = _typed_prices(options["prices"])
    rivals = [
        _Rival(
            model,
            chip,
            survey(
                model,
                chip,
                request,
                precision=options["precision"],
                chips_max=options["job_chips"],
                calibration=calibration,
                engine=options["engine"],
                top=1,
            ),
            chip_price(chip.id, typed.get(chip.id)),
        )
        for model in models
        for chip in chips
    ]
    return _Field(tuple(sorted(rivals, key=lambda rival: _place(rival, options["by"]))), request, calibration)


def _typed_prices(texts: tuple[str, ...]) -> dict[str, float]:
    found: dict[str, float] = {}
    for text in texts:
        name, _, price = text.partition("=")
        try:
            usd = float(price)
        except ValueError:
            usd = math.nan
        if not usd >= 0:
            raise InputError(Problem(f"--price {text!r} is not a price", suggestion="--price h100-sxm=2.10"))
        found[found_chips([name])[0].id] = usd
    return found


def _place(rival: _Rival, by: str) -> tuple[float, float]:
    """Order of the table: what is feasible first, by price or by speed."""
    rows = rival.survey.estimates
    speed = rows[0].tokens_per_s_per_chip if rows else 0.0
    cost = math.inf if rival.usd is None else rival.usd
    return (cost if by == "price" and rows else 0.0 if rows else math.inf, -speed)


def _text(field: _Field, options: dict[str, Any]) -> str:
    from exaplan.report.perf_tables import grid_text

    found = [rival for rival in field.rivals if rival.survey.estimates]
    lines: list[str] = []
    if found:
        speed = "TPOT / TTFT" if options["phase"] == "serve" else "step"
        heads = (
            "model", "chip", "precision", "configuration", "chips", "tokens/s/chip", "80 % interval", "MFU",
            "$/Mtok", "80 % of $/Mtok", speed, "bottleneck",
        )  # fmt: skip
        words = ("model", "chip", "precision", "configuration", "bottleneck")
        order = "cheapest token first" if options["by"] == "price" else "fastest chip first"
        title = f"{options['phase']}: best configuration of each, {order}"
        cells = [_cells(rival) for rival in found]
        lines.append(grid_text(heads, cells, title=title, left=words, spare=_SPARE, width=table_width()))
    lines += [
        f"Not feasible: {rival.model.id} on {rival.chip.id}: {rival.survey.reason}."
        for rival in field.rivals
        if not rival.survey.estimates
    ]
    if found and options["why"]:
        from exaplan.app.cli.perf_why import why_lines

        lines += why_lines(found[0].model, found[0].chip, found[0].survey, field.request)
    return "\n".join([*lines, *_footnotes(field)])


def _cells(rival: _Rival) -> tuple[str, ...]:
    row = rival.survey.estimates[0]
    layout, _, _ = row.configuration.rpartition("-")
    return (
        row.model,
        row.chip,
        row.precision,
        layout,
        str(row.chips_per_replica),
        f"{row.tokens_per_s_per_chip:,.0f}",
        interval_of(row),
        f"{row.mfu:.1%}",
        usd_text(rival.usd),
        _usd_interval(rival),
        latency_of(row),
        bottleneck_of(row),
    )


def _usd_interval(rival: _Rival) -> str:
    from exaplan.report.perf_tables import interval_text

    row = rival.survey.estimates[0]
    low = usd_per_million_tokens(rival.price, row.high_tokens_per_s_per_chip)
    high = usd_per_million_tokens(rival.price, row.low_tokens_per_s_per_chip)
    return "n/a" if low is None or high is None else interval_text(low, high)


def _footnotes(field: _Field) -> list[str]:
    lines = [
        "",
        "Tokens are input and output together. $/Mtok at full load; its interval is that of the speed alone.",
    ]
    priced = {rival.chip.id: rival.price for rival in field.rivals}
    lines += [
        f"Price of {chip}: {price.usd_per_chip_h:g} USD/chip/h ({price.source})."
        if price
        else f"Price of {chip}: no rental price in the catalogue."
        for chip, price in priced.items()
    ]
    notes = dict.fromkeys(note for rival in field.rivals for note in rival.survey.machine.assumptions)
    lines += [f"Note: {note}." for note in notes]
    return [*lines, coefficients_note(field.calibration)]


def _as_json(field: _Field) -> dict[str, Any]:
    return calibration_json(field.calibration) | {
        "rows": [
            {
                "model": rival.model.id,
                "chip": rival.chip.id,
                "reason": rival.survey.reason,
                "price": None if rival.price is None else dataclasses.asdict(rival.price),
                "assumptions": list(rival.survey.machine.assumptions),
                "best": estimate_json(rival.survey.estimates[0], rival.price)
                if rival.survey.estimates
                else None,
            }
            for rival in field.rivals
        ]
    }


def _chart(found: list[_Rival], options: dict[str, Any]) -> Any:
    from exaplan.app.cli.perf_drawn import chip_times_of

    rows = [rival.survey.estimates[0] for rival in found]
    several = len({row.model for row in rows}) > 1
    alone = len({row.chip for row in rows}) == 1
    names = [
        row.model if several and alone else f"{row.model}, {row.chip}" if several else row.chip
        for row in rows
    ]
    head = "" if several else f"{rows[0].model}, "
    verb = "training" if options["phase"] == "train" else "serving"
    return chip_times_of(rows, names, title=f"{head}{verb}: where the time goes")
