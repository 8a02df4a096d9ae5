"""``exaplan perf``: what a model reaches on a chip, how sure that is, and what holds it back."""

from __future__ import annotations

import click

from exaplan.app.cli.perf_accuracy import accuracy
from exaplan.app.cli.perf_calibrate import calibrate
from exaplan.app.cli.perf_codesign import codesign
from exaplan.app.cli.perf_compare import compare
from exaplan.app.cli.perf_estimate import estimate
from exaplan.app.cli.perf_frontier import frontier
from exaplan.app.cli.perf_validate import validate


@click.group(context_settings={"max_content_width": 110})
def perf() -> None:
    """Model speed, memory, power and price of models on chips.

    \b
    exaplan perf estimate --model deepseek-v3 --chip h100-sxm --why
    exaplan perf compare --model deepseek-v3 --chips h100-sxm,b200,tpu-v6e
    exaplan perf frontier --model llama3-70b --chips h100-sxm,b200 --plot pareto.png
    exaplan perf codesign --model qwen3-235b-a22b

    Chips and models are those of `exaplan catalog`.
    """  # noqa: D301 - \b keeps click from folding the examples


for command in (estimate, compare, frontier, codesign, validate, calibrate, accuracy):
    perf.add_command(command)
