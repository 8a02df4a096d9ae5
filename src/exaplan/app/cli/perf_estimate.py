"""``exaplan perf estimate``: the best configurations of one model on one chip, opened to their equations."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from typing import TYPE_CHECKING, Any

import click

from exaplan.app.cli.perf_names import found_both
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
from exaplan.domain.errors import InputError

if TYPE_CHECKING:
    from exaplan.domain.technology import Chip, Model
    from exaplan.perf.estimate import Survey
    from exaplan.perf.opened import Estimate
    from exaplan.perf.serving import ServeRequest
    from exaplan.perf.training import TrainRequest

_SHARE = click.FloatRange(0, 1, min_open=True)


@dataclasses.dataclass(frozen=True)
class _Answer:
    model: Model
    chip: Chip
    request: ServeRequest | TrainRequest
    survey: Survey
    price: ChipPrice | None


@click.command()
@click.option("--model", "model_name", required=True, help="Model of the catalogue, for example llama3-70b.")
@click.option("--chip", "chip_name", required=True, help="Chip of the catalogue, for example h100-sxm.")
@click.option("--phase", type=click.Choice(["serve", "train", "rl"]), default="serve", show_default=True)
@click.option(
    "--chips",
    "job_chips",
    type=float,
    help="Most chips of a replica (serve); chips of the job (train, rl: 1024).",
)
@serving_options
@training_options
@click.option("--prompts", type=float, default=512, show_default=True, help="rl: prompts of an iteration.")
@click.option("--group", type=float, default=16, show_default=True, help="rl: answers sampled per prompt.")
@click.option(
    "--output-sd", type=float, help="rl: standard deviation of answers, tokens.  [default: 0.7 of the mean]"
)
@click.option(
    "--scored",
    type=float,
    default=1,
    show_default=True,
    help="rl: models of the policy's size that read each answer.",
)
@click.option("--switch", default="20 s", show_default=True, help="rl: swap of engines on colocated chips.")
@click.option("--never-wait", is_flag=True, help="rl: answers never wait for each other (asynchronous).")
@coefficient_options
@click.option(
    "--price", type=click.FloatRange(min=0), help="USD per chip-hour.  [default: latest in the catalogue]"
)
@click.option("--top", default=5, show_default=True, type=click.IntRange(min=1), help="Configurations shown.")
@click.option("--energy", is_flag=True, help="Watts, J per token and kWh per million tokens at the meter.")
@click.option(
    "--pue", type=click.FloatRange(min=1), default=1.2, show_default=True, help="Facility over IT power."
)
@click.option("--goodput", is_flag=True, help="train: allocated x busy x goodput x MFU, each apart.")
@click.option(
    "--allocated", type=_SHARE, default=1.0, show_default=True, help="Paid chip time given to a job."
)
@click.option(
    "--busy", type=_SHARE, default=1.0, show_default=True, help="Allocated time in which the job runs."
)
@click.option(
    "--checkpoint", default="10 s", show_default=True, help="Time for which a checkpoint stops the work."
)
@click.option("--restart", default="10 min", show_default=True, help="From a failure to the first new step.")
@click.option(
    "--stragglers",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.02,
    show_default=True,
    help="Running time lost to slow chips that do not fail.",
)
@click.option(
    "--why", is_flag=True, help="Open the best: equations with numbers, and what its bottleneck is bound by."
)
@output_options
def estimate(model_name: str, chip_name: str, **options: Any) -> None:
    """Search the best configurations of MODEL on CHIP.

    \b
    exaplan perf estimate --model deepseek-v3 --chip h100-sxm --tpot '40 ms' --why
    exaplan perf estimate --model llama3-70b --chip tpu-v6e --phase train --chips 1024 --goodput
    exaplan perf estimate --model llama3-70b --chip h100-sxm --phase rl --chips 256 --output 4000

    --plot draws the best on the roofline of the chip, and where the time of each goes.
    Exit code 1 says that nothing keeps the limits, with the limit that stops it.
    """  # noqa: D301 - \b keeps click from folding the examples
    checked_plot(options["plot"])
    (model,), (chip,) = found_both([model_name], [chip_name])
    if options["phase"] == "rl":
        from exaplan.app.cli.perf_rl import answer_rl

        sys.exit(answer_rl(model, chip, options))
    answer = _answer(model, chip, options)
    if options["as_json"]:
        click.echo(json.dumps(_as_json(answer, options), indent=2, allow_nan=False))
    elif answer.survey.estimates:
        _print(answer, options)
    else:
        click.echo(f"No configuration of {model.id} on {chip.id} keeps the limits. {answer.survey.reason}.")
        click.echo(hint(answer.survey.reason))
        click.echo(coefficients_note(answer.survey.calibration))
    if not answer.survey.estimates:
        sys.exit(1)
    write_plot(options["plot"], lambda: _chart(answer))


def hint(reason: str) -> str:
    """Say what a user may change when a limit stops every configuration."""
    hints = {
        "memory": "More chips (--chips), a narrower precision (--precision fp8) or shorter requests would fit.",
        "TPOT": "A looser --tpot, a faster chip or --draft-tokens would help.",
        "TTFT": "A looser --ttft, shorter prompts, --prefix-share or more chips per replica would help.",
        "cluster": "Give the job more chips (--chips).",
    }
    return hints.get(reason.partition(":")[0], "")


def _answer(model: Model, chip: Chip, options: dict[str, Any]) -> _Answer:
    from exaplan.domain.errors import Problem
    from exaplan.perf.estimate import survey

    if options["goodput"] and options["phase"] != "train":
        raise InputError(Problem("--goodput is about a training job", suggestion="add --phase train"))
    request = read_request(options, options["phase"])
    found = survey(
        model,
        chip,
        request,
        precision=options["precision"],
        chips_max=options["job_chips"],
        calibration=read_calibration(options),
        engine=options["engine"],
        top=options["top"],
    )
    return _Answer(model, chip, request, found, chip_price(chip.id, options["price"]))


def _as_json(answer: _Answer, options: dict[str, Any]) -> dict[str, Any]:
    found = answer.survey
    document = calibration_json(found.calibration) | {
        "searched": found.searched,
        "reason": found.reason,
        "price": None if answer.price is None else dataclasses.asdict(answer.price),
        "assumptions": list(found.machine.assumptions),
        "estimates": [estimate_json(row, answer.price) for row in found.estimates],
    }
    if found.estimates and options["energy"]:
        from exaplan.app.cli.perf_reality import energy_json

        document["energy"] = energy_json(found.estimates[0], options)
    if found.estimates and options["goodput"]:
        from exaplan.app.cli.perf_reality import goodput_json

        document["goodput"] = goodput_json(answer.chip, found.estimates[0], options)
    if found.estimates and options["why"]:
        from exaplan.perf.operators import operators_of

        opened = operators_of(answer.model, found.machine, answer.request, found.estimates[0])
        document["operators"] = [dataclasses.asdict(one) | {"binds": one.binds} for one in opened]
    return document


def _print(answer: _Answer, options: dict[str, Any]) -> None:
    found, best = answer.survey, answer.survey.estimates[0]
    _print_table(found, answer.price)
    if options["energy"]:
        from exaplan.app.cli.perf_reality import energy_lines

        click.echo("\n".join(energy_lines(best, options)))
    if options["goodput"]:
        from exaplan.app.cli.perf_reality import goodput_lines

        click.echo("\n".join(goodput_lines(answer.chip, best, options)))
    if options["why"]:
        from exaplan.app.cli.perf_why import why_lines

        click.echo("\n".join(why_lines(answer.model, answer.chip, found, answer.request)))
    click.echo("\n".join(_footnotes(found, answer.price)))


def _print_table(found: Survey, price: ChipPrice | None) -> None:
    from exaplan.report.perf_tables import grid_text

    best = found.estimates[0]
    title = f"{best.model} on {best.chip}, {best.phase}, {best.precision}: best of {found.searched:,} configurations"
    speed = "TPOT / TTFT" if best.phase == "serve" else "step"
    heads = (
        "configuration", "chips", "tokens/s/chip", "80 % interval", "MFU", "memory", "W/chip", "$/Mtok", speed, "bottleneck",
    )  # fmt: skip
    cells = [_cells(row, price) for row in found.estimates]
    words = ("configuration", "bottleneck")
    spare = ("memory", "W/chip", "MFU", speed, "chips", "bottleneck")
    click.echo(grid_text(heads, cells, title=title, left=words, spare=spare, width=table_width()))


def _cells(row: Estimate, price: ChipPrice | None) -> tuple[str, ...]:
    return (
        row.configuration,
        str(row.chips_per_replica),
        f"{row.tokens_per_s_per_chip:,.0f}",
        interval_of(row),
        f"{row.mfu:.1%}",
        f"{row.memory_bytes / 1e9:.0f} GB, {row.memory_share:.0%}",
        "n/a" if math.isnan(row.power_w) else f"{row.power_w:,.0f}",
        usd_text(usd_per_million_tokens(price, row.tokens_per_s_per_chip)),
        latency_of(row),
        bottleneck_of(row),
    )


def _footnotes(found: Survey, price: ChipPrice | None) -> list[str]:
    lines = ["", "Tokens are input and output together; watts include the server's share, before PUE."]
    if price is None:
        lines.append("Price: none in the catalogue for this chip; give --price USD per chip-hour.")
    else:
        lines.append(f"Price: {price.usd_per_chip_h:g} USD/chip/h ({price.source}); $/Mtok at full load.")
    lines += [f"Note: {assumption}." for assumption in found.machine.assumptions]
    return [*lines, coefficients_note(found.calibration)]


def _chart(answer: _Answer) -> Any:
    from exaplan.app.cli.perf_drawn import roofline_of, times_of
    from exaplan.report.perf_charts import stacked

    rows, machine = answer.survey.estimates, answer.survey.machine
    roofline = roofline_of(answer.model, machine, answer.request, rows[0])
    names = [row.configuration for row in rows]
    return stacked(roofline, times_of(rows, names, title="Where the time goes, best configurations first"))
