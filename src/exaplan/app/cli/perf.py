"""``exaplan perf``: what a model reaches on a chip, and at what price per token."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from exaplan.domain.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exaplan.perf.estimate import Survey
    from exaplan.perf.opened import Estimate
    from exaplan.perf.serving import ServeRequest
    from exaplan.perf.training import TrainRequest

UNCALIBRATED = (
    "This version is uncalibrated: a closed form with starting coefficients from published fits, not fitted to your "
    "chips. Expect errors of tens of percent, and more on chips that nobody has measured."
)
WIDE = 160
"""Width of a table that is written to a pipe or a file."""
_SPOT = "spot"
_MARKET_KINDS = ("reported", "estimate (survey)", "estimate")


@dataclasses.dataclass(frozen=True)
class ChipPrice:
    """Price of one chip for one hour, and where it comes from."""

    usd_per_chip_h: float
    source: str


@click.group()
def perf() -> None:
    """Model the speed, memory and power of models on chips."""


@perf.command()
@click.option("--model", "model_name", required=True, help="Model of the catalogue, for example llama3-70b.")
@click.option("--chip", "chip_name", required=True, help="Chip of the catalogue, for example h100-sxm.")
@click.option("--phase", type=click.Choice(["serve", "train"]), default="serve", show_default=True)
@click.option("--input", "input_tokens", default=1200.0, show_default=True, help="Input tokens of a request.")
@click.option(
    "--output", "output_tokens", default=300.0, show_default=True, help="Output tokens of a request."
)
@click.option("--tpot", default="50 ms", show_default=True, help="Longest time per output token.")
@click.option("--ttft", default=None, help="Longest time to first token, for example '2 s'.")
@click.option(
    "--chips", type=float, help="Most chips of a replica (serve); chips of the job (train, default 1024)."
)
@click.option("--batch", default=4e6, show_default=True, help="Tokens of a training batch.")
@click.option("--sequence", default=8192.0, show_default=True, help="Tokens of a training sequence.")
@click.option(
    "--precision",
    type=click.Choice(["bf16", "fp8", "fp4"]),
    help="Default: fp8 to serve where the chip has it.",
)
@click.option(
    "--price", type=click.FloatRange(min=0), help="USD per chip-hour; default: latest in the catalogue."
)
@click.option("--top", default=5, show_default=True, type=click.IntRange(min=1), help="Configurations shown.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--why", is_flag=True, help="Open the best configuration: equations and where the time goes.")
def estimate(model_name: str, chip_name: str, **options: Any) -> None:
    """Search the best configurations of MODEL on CHIP."""
    try:
        survey, price = _search(model_name, chip_name, options)
    except InputError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    if options["as_json"]:
        click.echo(json.dumps(_as_json(survey, price), indent=2, allow_nan=False))
    elif survey.estimates:
        _print_table(survey, price)
        if options["why"]:
            _print_why(survey.estimates[0])
    else:
        click.echo(f"No configuration of {model_name} on {chip_name} keeps the limits: {survey.reason}")
        click.echo(UNCALIBRATED)
    if not survey.estimates:
        sys.exit(1)


def _search(model_name: str, chip_name: str, options: dict[str, Any]) -> tuple[Survey, ChipPrice | None]:
    from exaplan.io.catalogue import find, load_chips, load_models, load_rows
    from exaplan.perf.estimate import survey

    chips, models = load_chips(), load_models()
    chip, model = chips[find(chip_name, chips)], models[find(model_name, models)]
    given = options["price"]
    price = (
        ChipPrice(given, "given by --price")
        if given is not None
        else rental_price(load_rows("prices"), chip.id)
    )
    request = _request(options)
    return survey(
        model, chip, request, precision=options["precision"], chips_max=options["chips"], top=options["top"]
    ), price


def _request(options: dict[str, Any]) -> ServeRequest | TrainRequest:
    from exaplan.perf.estimate import request_of

    if options["phase"] == "train":
        chips = 1024.0 if options["chips"] is None else options["chips"]
        return request_of(
            "train",
            sequence_tokens=options["sequence"],
            batch_tokens=options["batch"],
            cluster_chips=chips,
        )
    return request_of(
        "serve",
        input_tokens=options["input_tokens"],
        output_tokens=options["output_tokens"],
        tpot_s=_seconds("--tpot", options["tpot"]),
        ttft_s=None if options["ttft"] is None else _seconds("--ttft", options["ttft"]),
        cluster_chips=options["chips"],
    )


def _seconds(option: str, text: str) -> float:
    from exaplan.io.units import QuantityError, convert

    try:
        return convert(text, "s")
    except QuantityError as error:
        raise InputError(Problem(f"{option}: {error.reason}", suggestion=error.suggestion)) from error


def rental_price(rows: Iterable[dict[str, str]], chip: str) -> ChipPrice | None:
    """Latest rental price of a chip: market reports and surveys before list prices, spot left out.

    Among prices of the same date the lower median is taken. None where the catalogue has no rental price.
    """
    rentals = [
        row
        for row in rows
        if row["chip"] == chip
        and row["basis"] == "rental"
        and row["unit"] == "USD/chip/h"
        and _SPOT not in row["term"]
        and row["date"][:4].isdigit()
    ]
    rentals = [row for row in rentals if row["kind"] in _MARKET_KINDS] or rentals
    if not rentals:
        return None
    latest = max(row["date"] for row in rentals)
    same = sorted((row for row in rentals if row["date"] == latest), key=lambda row: float(row["price"]))
    row = same[(len(same) - 1) // 2]
    return ChipPrice(
        float(row["price"]), f"{row['term']}, {row['seller']}, {row['date']}, {row['kind']}: {row['source']}"
    )


def usd_per_million_tokens(price: ChipPrice | None, tokens_per_s: float) -> float | None:
    """Dollars per million tokens (input and output) of a chip that is never idle.

    Examples
    --------
    >>> round(usd_per_million_tokens(ChipPrice(3.6, "typed"), 1000.0), 3)
    1.0
    """
    return None if price is None else price.usd_per_chip_h / 3600 / tokens_per_s * 1e6


def _as_json(survey: Survey, price: ChipPrice | None) -> dict[str, Any]:
    rows = []
    for row in survey.estimates:
        fields = dataclasses.asdict(row)
        fields["power_w"] = None if math.isnan(row.power_w) else row.power_w
        fields["usd_per_million_tokens"] = usd_per_million_tokens(price, row.tokens_per_s_per_chip)
        rows.append(fields)
    return {
        "calibrated": False,
        "note": UNCALIBRATED,
        "searched": survey.searched,
        "reason": survey.reason,
        "price": None if price is None else dataclasses.asdict(price),
        "assumptions": list(survey.machine.assumptions),
        "estimates": rows,
    }


def _print_table(survey: Survey, price: ChipPrice | None) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    best = survey.estimates[0]
    title = f"{best.model} on {best.chip}, {best.phase}, {best.precision}: best of {survey.searched:,} configurations"
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )
    table.add_column("configuration", overflow="fold", min_width=20)
    speed = "TPOT / TTFT" if best.phase == "serve" else "step"
    for head in ("chips", "tokens/s/chip", "MFU", "memory", "W/chip", "$/Mtok", speed):
        table.add_column(head, justify="right", overflow="fold")
    table.add_column("bottleneck", overflow="fold")
    for row in survey.estimates:
        table.add_row(*_cells(row, price))
    # A pipe or a file has no edge to wrap at; a terminal tells its own.
    console = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE)
    console.print(table)
    for line in _footnotes(survey, price):
        console.print(line, highlight=False, markup=False)


def _cells(row: Estimate, price: ChipPrice | None) -> tuple[str, ...]:
    cost = usd_per_million_tokens(price, row.tokens_per_s_per_chip)
    if row.step_s is not None:
        speed = f"{row.step_s:.3g} s"
    else:
        speed = f"{1e3 * (row.tpot_s or 0):.1f} ms / {1e3 * (row.ttft_s or 0):.0f} ms"
    return (
        row.configuration,
        str(row.chips_per_replica),
        f"{row.tokens_per_s_per_chip:,.0f}",
        f"{row.mfu:.1%}",
        f"{row.memory_bytes / 1e9:.0f} GB, {row.memory_share:.0%}",
        "n/a" if math.isnan(row.power_w) else f"{row.power_w:,.0f}",
        "n/a" if cost is None else f"{cost:.3g}",
        speed,
        f"{row.bottleneck} {row.terms[row.bottleneck] / sum(row.terms.values()):.0%}",
    )


def _footnotes(survey: Survey, price: ChipPrice | None) -> list[str]:
    lines = ["Tokens are input and output together; watts include the server's share, before PUE."]
    if price is None:
        lines.append("Price: none in the catalogue for this chip; give --price USD per chip-hour.")
    else:
        lines.append(f"Price: {price.usd_per_chip_h:g} USD/chip/h ({price.source}); $/Mtok at full load.")
    lines += [f"Note: {assumption}." for assumption in survey.machine.assumptions]
    return [*lines, UNCALIBRATED]


def _print_why(row: Estimate) -> None:
    click.echo(f"\nWhy {row.configuration}:")
    for derivation in row.derivations:
        click.echo(f"  {derivation.key} = {derivation.value:.6g} {derivation.unit}")
        click.echo(f"    = {derivation.formula}")
        for operand in derivation.operands:
            source = f"  ({operand.source})" if operand.source else ""
            click.echo(f"      {operand.name} = {operand.value:.6g} {operand.unit}{source}")
