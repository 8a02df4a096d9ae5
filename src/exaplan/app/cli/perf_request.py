"""Options that the ``perf`` commands share, and how they become a request, a calibration and a file."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from exaplan.domain.errors import InputError, Problem

if TYPE_CHECKING:
    from exaplan.domain.calibration import Calibration
    from exaplan.perf.serving import ServeRequest
    from exaplan.perf.training import TrainRequest
    from exaplan.report.drawing import Chart

UNCALIBRATED = (
    "Uncalibrated: a closed form with starting coefficients from published fits, not fitted to any chip; the 80 % "
    "intervals are assumed. Expect errors of tens of percent, and more on chips that nobody has measured."
)
WIDE = 190
"""Width of a table that is written to a pipe or a file."""
SERVE_TPOT = "50 ms"
TRAIN_CHIPS = 1024.0
SUFFIXES = (".png", ".html")

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
_SHARE = click.FloatRange(0, 1)

_SERVING = (
    click.option(
        "--input",
        "input_tokens",
        default=1200,
        show_default=True,
        type=float,
        help="Input tokens of a request.",
    ),
    click.option(
        "--output",
        "output_tokens",
        default=300,
        show_default=True,
        type=float,
        help="Output tokens of a request (rl: mean).",
    ),
    click.option(
        "--tpot", help=f"Longest time per output token.  [default: {SERVE_TPOT}; none for rl and frontier]"
    ),
    click.option("--ttft", help="Longest time to first token, for example '2 s'."),
    click.option(
        "--prefix-share", type=_SHARE, default=0.0, help="Share of the prompt found in a prefix cache, 0..1."
    ),
    click.option(
        "--draft-tokens",
        type=click.FloatRange(min=0),
        default=0.0,
        help="Tokens proposed ahead per step (speculative decoding, MTP).",
    ),
    click.option(
        "--acceptance",
        type=click.FloatRange(0, 1, max_open=True),
        help="Chance that a proposed token is accepted, 0..1.",
    ),
    click.option("--disaggregated", is_flag=True, help="Prefill on chips of its own."),
)
_TRAINING = (
    click.option("--batch", default=4e6, help="Tokens of a training batch.  [default: 4e6]"),
    click.option(
        "--sequence", default=8192, show_default=True, type=float, help="Tokens of a training sequence."
    ),
    click.option(
        "--task",
        type=click.Choice(["pretrain", "sft", "lora"]),
        default="pretrain",
        show_default=True,
        help="What is trained: all weights, or LoRA adapters.",
    ),
)
_COEFFICIENTS = (
    click.option(
        "--precision",
        type=click.Choice(["bf16", "fp8", "fp4"]),
        help="Of matrix products.  [default: fp8 to serve where the chip has it, else bf16]",
    ),
    click.option("--uncalibrated", is_flag=True, help="Starting coefficients instead of the fitted ones."),
    click.option("--engine", default="", help="Serving engine or training software, for example vllm."),
)
_OUTPUT = (
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    click.option(
        "--plot",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Draw to FILE.png or FILE.html.",
    ),
)


def _all(options: Sequence[Callable[[CommandT], CommandT]], command: CommandT) -> CommandT:
    for option in reversed(options):
        command = option(command)
    return command


def serving_options(command: CommandT) -> CommandT:
    """Add what an average request is and which latency it may have."""
    return _all(_SERVING, command)


def training_options(command: CommandT) -> CommandT:
    """Add what a training job is."""
    return _all(_TRAINING, command)


def coefficient_options(command: CommandT) -> CommandT:
    """Add precision, and which coefficients are used."""
    return _all(_COEFFICIENTS, command)


def output_options(command: CommandT) -> CommandT:
    """Add the forms of the answer."""
    return _all(_OUTPUT, command)


def read_request(options: dict[str, Any], phase: str) -> ServeRequest | TrainRequest:
    """Build the request of a phase, ``serve`` or ``train``.

    Raises
    ------
    InputError
        With every fault found.
    """
    return training_request(options) if phase == "train" else serving_request(options)


def serving_request(options: dict[str, Any], *, tpot: str | None = SERVE_TPOT) -> ServeRequest:
    """Build a serving request; ``tpot`` is the limit where none is typed, None for no limit."""
    from exaplan.perf.estimate import request_of

    limit = options["tpot"] or tpot
    request = request_of(
        "serve",
        input_tokens=options["input_tokens"],
        output_tokens=options["output_tokens"],
        tpot_s=None if limit is None else seconds("--tpot", limit),
        ttft_s=None if options["ttft"] is None else seconds("--ttft", options["ttft"]),
    )
    if options["draft_tokens"] and options["acceptance"] is None:
        raise InputError(
            Problem(
                "--draft-tokens needs --acceptance", suggestion="published chances are 0.6 to 0.9 per token"
            )
        )
    if options["acceptance"] is not None and not options["draft_tokens"]:
        raise InputError(Problem("--acceptance needs --draft-tokens", suggestion="1 for one MTP module"))
    if options["prefix_share"] >= 1:
        raise InputError(
            Problem("--prefix-share 1 leaves no prompt to compute", suggestion="0.99 is a long chat")
        )
    return dataclasses.replace(
        request,
        prefix_share=options["prefix_share"],
        draft_tokens=options["draft_tokens"],
        acceptance=options["acceptance"] or 0.0,
        disaggregated=options["disaggregated"],
    )


def training_request(options: dict[str, Any]) -> TrainRequest:
    """Build a training job; LoRA trains the share of parameters that the measurements of LoRA are read with."""
    from exaplan.perf.calibration.training_cases import LORA_TRAINABLE_SHARE
    from exaplan.perf.estimate import request_of

    request = request_of(
        "train",
        sequence_tokens=options["sequence"],
        batch_tokens=options["batch"],
        cluster_chips=TRAIN_CHIPS if options["job_chips"] is None else options["job_chips"],
    )
    share = LORA_TRAINABLE_SHARE if options["task"] == "lora" else 1.0
    return dataclasses.replace(request, trainable_share=share)


def seconds(option: str, text: str) -> float:
    """Read a time with its unit."""
    from exaplan.io.units import QuantityError, convert

    try:
        return convert(text, "s")
    except QuantityError as error:
        raise InputError(Problem(f"{option}: {error.reason}", suggestion=error.suggestion)) from error


def read_calibration(options: dict[str, Any]) -> Calibration | None:
    """Load the shipped calibration unless it is switched off; check that it knows the engine."""
    from exaplan.io.calibration import load_calibration

    engine = options["engine"]
    if options["uncalibrated"]:
        if engine:
            raise InputError(
                Problem("--engine has no effect with --uncalibrated", suggestion="drop one of them")
            )
        return None
    calibration = load_calibration()
    known = sorted({effect.member for effect in calibration.effects if effect.level == "engine"})
    if engine and engine not in known:
        raise InputError(
            Problem(f"--engine {engine!r} has no measurements", suggestion=f"known: {', '.join(known)}")
        )
    return calibration


def coefficients_note(calibration: Calibration | None) -> str:
    """Say what the coefficients were fitted to, or that they were not."""
    if calibration is None:
        return UNCALIBRATED
    return f"Calibrated {calibration.date} on {calibration.data}. The interval is meant to hold 80 % of measurements."


def calibration_json(calibration: Calibration | None) -> dict[str, Any]:
    """Say the same for a program."""
    from exaplan.perf.estimate import INTERVAL_SHARE

    return {
        "calibrated": calibration is not None,
        "calibration": None if calibration is None else {"date": calibration.date, "data": calibration.data},
        "interval_share": INTERVAL_SHARE,
        "note": coefficients_note(calibration),
    }


def table_width() -> int | None:
    """Width of a table: a pipe or a file has no edge to wrap at; a terminal tells its own."""
    return None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE


def checked_plot(path: Path | None) -> None:
    """Refuse a chart file of a form that is not drawn, before anything is computed."""
    if path is None:
        return
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            Problem(
                f"--plot {path}: a chart is drawn as .png or .html",
                suggestion=f"--plot {path.with_suffix('.png')}",
            )
        )
    if not path.absolute().parent.is_dir():
        raise InputError(Problem(f"--plot {path}: there is no folder {path.absolute().parent}"))


def write_plot(path: Path | None, draw: Callable[[], Chart | None]) -> None:
    """Draw a chart to a file where one is asked for, and say where it went."""
    if path is None:
        return
    from exaplan.report.perf_charts import chart_file

    chart = draw()
    if chart is None:
        click.echo(f"--plot {path}: nothing to draw", err=True)
        return
    path.write_bytes(chart_file(chart, path.suffix.lower()))
    click.echo(f"Chart: {path}", err=True)
