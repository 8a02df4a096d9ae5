"""``exaplan align``: what aligning a model takes in tokens, FLOP, chips and dollars, by people or by AI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from exaplan.app.cli.capability import show
from exaplan.app.cli.perf_prices import chip_price
from exaplan.app.cli.perf_request import checked_plot, output_options
from exaplan.domain.errors import InputError, Problem


@click.command(context_settings={"max_content_width": 110})
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--example", is_flag=True, help="Print the file of the defaults, to start from, and stop.")
@click.option("--model", help="Another policy, a model of the catalogue.")
@click.option("--chip", help="Another chip of the catalogue.")
@click.option(
    "--draws",
    type=click.IntRange(min=20),
    default=2000,
    show_default=True,
    help="Draws behind the intervals.",
)
@click.option("--seed", default=1, show_default=True, help="Seed of the draws.")
@output_options
def align(file: Path | None, example: bool, **options: Any) -> None:
    """Compare alignment pipelines of FILE (YAML): human feedback, Constitutional AI, verifiable rewards.

    \b
    exaplan align                          pipelines with published sizes, on a 70 B model
    exaplan align --example > mine.yaml    a file to change
    exaplan align mine.yaml --plot compute.png

    Printed are FLOP, chip-hours and dollars by phase, the compute of AI feedback over that of human feedback, the
    label price at which AI feedback is cheaper, and oversight as a share of training and of serving.
    """  # noqa: D301 - \b keeps click from folding the examples
    from exaplan.io.alignfile import read_study, shipped_text

    if example:
        click.echo(shipped_text(), nl=False)
        return
    from exaplan.app.scaling.aligning import Rent, align_finding
    from exaplan.io.catalogue import find, load_chips, load_models

    checked_plot(options["plot"])
    study = read_study(file)
    chips, models = load_chips(), load_models()
    chip = chips[find(options["chip"] or study.chip, chips)]
    name = options["model"] or study.model
    model = None if name is None else models[find(name, models)]
    price = chip_price(chip.id, study.price_usd_per_chip_h)
    if price is None:
        raise InputError(
            Problem(
                f"the catalogue has no rental price of {chip.id}",
                file=str(file or ""),
                suggestion="add price: 3 USD/chip/h",
            )
        )
    show(
        align_finding(
            study,
            model,
            chip,
            Rent(price.usd_per_chip_h, price.source),
            draws=options["draws"],
            seed=options["seed"],
        ),
        options,
    )
