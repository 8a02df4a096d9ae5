"""``exaplan capability``: what compute buys in a model, what a target takes, and what a wrong law costs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exaplan.app.cli.perf_names import found_chips, names_of
from exaplan.app.cli.perf_prices import chip_price
from exaplan.app.cli.perf_request import checked_plot, output_options, table_width, write_plot
from exaplan.app.cli.progress import told
from exaplan.domain.errors import InputError, Problem

if TYPE_CHECKING:
    from exaplan.domain.finding import Finding

_POSITIVE = click.FloatRange(min=0, min_open=True)
_LAW_NAMES = ("besiroglu", "hoffmann", "sardana", "muennighoff", "krajewski-dense", "krajewski", "abnar")
_SPLITS = ("llama3", "deepseek")
FRONTIER_FLOP = 5e26
"""Largest run of today; assumed, the order of public estimates of the largest runs of 2025."""
SMALLEST = 1e7
"""Parameters of the smallest model that a budget is asked to serve."""
FRONTIER_GROWTH = 4.6
"""Per year, training compute of notable models (Epoch AI, epoch.ai/data-insights/compute-trend-post-2010)."""


def draw_options(command: Any) -> Any:
    """Add how many draws and from which seed."""
    command = click.option("--seed", default=1, show_default=True, help="Seed of the draws.")(command)
    return click.option(
        "--draws",
        type=click.IntRange(min=20),
        default=400,
        show_default=True,
        help="Draws behind the intervals.",
    )(command)


def show(finding: Finding, options: dict[str, Any]) -> None:
    """Print an answer, draw its chart, and end with 1 where what was asked for cannot be had."""
    from exaplan.report.finding import finding_chart, finding_json, finding_text

    if options["as_json"]:
        click.echo(json.dumps(finding_json(finding), indent=2, allow_nan=False))
    else:
        click.echo(finding_text(finding, width=table_width()))
    write_plot(options["plot"], lambda: finding_chart(finding))
    if not finding.held:
        sys.exit(1)


@click.group(context_settings={"max_content_width": 110})
def capability() -> None:
    """Scaling laws: compute in, capability out, and back from a target to chips, power, money and a date.

    \b
    exaplan capability laws
    exaplan capability optimal 5.76e23
    exaplan capability reach --months-ahead 6 --chip gb200
    exaplan capability wrong-law --plan hoffmann --truth besiroglu --flop 3.8e25
    exaplan capability rl points.csv --value 2e9 --price 2.5

    Every interval is 5 to 95 % over the uncertainty that is named below the answer.
    """  # noqa: D301 - \b keeps click from folding the examples


@capability.command()
@click.option(
    "--fit", type=click.Path(dir_okay=False, path_type=Path),
    help="CSV of your runs with columns parameters, tokens, loss: fits a law to them.",
)  # fmt: skip
@output_options
def laws(fit: Path | None, **options: Any) -> None:
    """List the laws with source and range; with --fit, also the one of your own runs with its covariance."""
    import numpy as np

    from exaplan.app.scaling.sizes import laws_finding
    from exaplan.io.runs_csv import read_columns

    checked_plot(options["plot"])
    runs = None
    if fit is not None:
        read = read_columns(fit, ("parameters", "tokens", "loss"), least=6)
        runs = np.array(read["parameters"]), np.array(read["tokens"]), np.array(read["loss"])
    try:
        show(laws_finding(runs, source=str(fit or "")), options)
    except ValueError as error:
        raise InputError(Problem(str(error), file=str(fit))) from error


@capability.command()
@click.argument("flop", type=_POSITIVE)
@click.option(
    "--law", "law_names", default="besiroglu,hoffmann,llama3,deepseek,abnar", show_default=True,
    help=f"Laws, with commas: {', '.join((*_LAW_NAMES, *_SPLITS))}.",
)  # fmt: skip
@click.option(
    "--served",
    type=click.FloatRange(min=0),
    default=0.0,
    help="Tokens served over the model's life, paid from FLOP.",
)
@click.option(
    "--expansion",
    type=click.FloatRange(min=1),
    help="Total over active parameters.  [default: 1; krajewski 64]",
)
@click.option("--unique-tokens", type=_POSITIVE, help="Tokens that there are; more are repetitions.")
@draw_options
@output_options
def optimal(flop: float, law_names: str, **options: Any) -> None:
    """Compute-optimal parameters and tokens for FLOP of training, by law, and what training longer costs."""
    from exaplan.app.scaling.sizes import SizesAsk, optimal_finding

    checked_plot(options["plot"])
    names = known_laws(law_names, (*_LAW_NAMES, *_SPLITS), "--law")
    check_service(flop, options["served"])
    ask = SizesAsk(
        flop=flop, served=options["served"], expansion=options["expansion"], unique_tokens=options["unique_tokens"],
        draws=options["draws"], seed=options["seed"],
    )  # fmt: skip
    show(optimal_finding(ask, names), options)


def check_service(flop: float, served: float) -> None:
    """Refuse a budget that could not even serve a model of ten million parameters."""
    if served and flop < 2 * SMALLEST * served:
        raise InputError(
            Problem(
                f"--served {served:g}: {flop:g} FLOP do not even serve a model of {SMALLEST:g} parameters, training left out",
                suggestion="serve fewer tokens or raise the budget, which pays for both",
            )
        )


def known_laws(text: str, known: tuple[str, ...], option: str) -> tuple[str, ...]:
    """Names of laws that were typed with commas; every unknown one is reported."""
    from exaplan.io.located import did_you_mean

    names = tuple(dict.fromkeys(names_of(text)))
    problems = [
        Problem(f"{option}: there is no law {name!r}", suggestion=did_you_mean(name, known))
        for name in names
        if name not in known
    ]
    if not names:
        problems.append(Problem(f"{option} names no law", suggestion=f"known: {', '.join(known)}"))
    if problems:
        raise InputError(*problems)
    return names


@capability.command(name="wrong-law")
@click.option("--plan", "planner", help="Law that the sizes are chosen by.  [default: every pair]")
@click.option("--truth", help="Law that is true.")
@click.option(
    "--flop", type=_POSITIVE, required=True, help="Training budget (with --served: budget over life)."
)
@click.option(
    "--served", type=click.FloatRange(min=0), default=0.0, help="Tokens served over the model's life."
)
@click.option(
    "--expansion",
    type=click.FloatRange(min=1),
    help="Total over active parameters.  [default: 1; krajewski 64]",
)
@click.option(
    "--chip", default="h100-sxm", show_default=True, help="Chip whose rental price turns FLOP into dollars."
)
@click.option(
    "--price", type=_POSITIVE, help="USD per chip-hour.  [default: latest rental price of the catalogue]"
)
@click.option(
    "--mfu",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.375,
    show_default=True,
    help="Share of the BF16 peak; median of Cottier 2024.",
)
@draw_options
@output_options
def wrong_law(planner: str | None, truth: str | None, **options: Any) -> None:
    """Regret of sizing a model by one law where another is true: FLOP, dollars, months."""
    from exaplan.app.scaling.sizes import WrongAsk, wrong_law_finding, wrong_laws_finding

    checked_plot(options["plot"])
    check_service(options["flop"], options["served"])
    if planner is None and truth is None:
        show(wrong_laws_finding(options["flop"], options["served"]), options)
        return
    if planner is None or truth is None:
        raise InputError(
            Problem("--plan and --truth go together", suggestion="give both, or neither for every pair")
        )
    (planner,) = known_laws(planner, (*_LAW_NAMES, *_SPLITS), "--plan")[:1]
    (truth,) = known_laws(truth, _LAW_NAMES, "--truth")[:1]
    (chip,) = found_chips([options["chip"]])
    price = chip_price(chip.id, options["price"])
    peak = chip.bf16_flop_per_s or (chip.fp8_flop_per_s or 0.0) / 2
    usd = None if price is None else price.usd_per_chip_h / (3600 * peak * options["mfu"])
    ask = WrongAsk(
        planner,
        truth,
        options["flop"],
        options["served"],
        options["expansion"],
        usd,
        options["draws"],
        options["seed"],
    )
    show(wrong_law_finding(ask), options)


@capability.command(context_settings={"max_content_width": 110})
@click.option("--loss", type=_POSITIVE, help="Target: nats per token of the law.")
@click.option("--flop", type=_POSITIVE, help="Target: effective training FLOP, in today's recipe.")
@click.option("--months-ahead", type=float, help="Target: months ahead of today's frontier.")
@click.option(
    "--parameters",
    type=_POSITIVE,
    help="Target: total parameters, trained compute-optimally; 100e12 for 100 T.",
)
@click.option(
    "--tokens-per-parameter",
    type=_POSITIVE,
    help="With --parameters: tokens for each active one.  [default: compute-optimal]",
)
@click.option("--law", "law_name", help="Law.  [default: besiroglu; abnar with --expansion]")
@click.option(
    "--expansion",
    type=click.FloatRange(min=1),
    default=1.0,
    show_default=True,
    help="Total over active parameters; 1 is dense.",
)
@click.option(
    "--served", type=click.FloatRange(min=0), default=0.0, help="Tokens served over the model's life."
)
@click.option("--chip", default="gb200-nvl72", show_default=True, help="Chip to train on.")
@click.option(
    "--precision",
    type=click.Choice(["bf16", "fp8", "fp4"]),
    default="fp8",
    show_default=True,
    help="Of matrix products.",
)
@click.option("--days", type=_POSITIVE, help="Days of training, a limit too; chips follow.  [default: 100]")
@click.option("--chips", type=_POSITIVE, help="Chips; days follow.")
@click.option(
    "--lead",
    type=click.FloatRange(min=0),
    default=12.0,
    show_default=True,
    help="Months until the run starts.",
)
@click.option(
    "--from", "begin", default="2026-11", show_default=True, help="Month that the lead counts from."
)
@click.option(
    "--days-max", type=_POSITIVE, default=180.0, show_default=True, help="Longest run that is allowed."
)
@click.option("--site-power", default="1 GW", show_default=True, help="Power of the site.")
@click.option(
    "--pue", type=click.FloatRange(min=1), default=1.1, show_default=True, help="Site power over IT power."
)
@click.option(
    "--unique-tokens",
    type=_POSITIVE,
    default=4e14,
    help="Tokens that there are.  [default: 4e14, the low end for 2030]",
)
@click.option(
    "--price", type=_POSITIVE, help="USD per chip-hour.  [default: latest rental price of the catalogue]"
)
@click.option(
    "--frontier",
    type=_POSITIVE,
    default=FRONTIER_FLOP,
    help="FLOP of today's largest run.  [default: 5e26, assumed]",
)
@click.option(
    "--growth",
    type=_POSITIVE,
    default=FRONTIER_GROWTH,
    show_default=True,
    help="Yearly factor of the frontier's FLOP.",
)
@click.option("--no-progress", is_flag=True, help="Recipes stay as they are.")
@draw_options
@output_options
def reach(**options: Any) -> None:
    """From a target to N, D, FLOP, chips, days, megawatts, dollars and a date, and whether it can be had."""
    from exaplan.app.cli.capability_reach import ask_of
    from exaplan.app.scaling.reach import finding
    from exaplan.app.scaling.reach import reach as answer
    from exaplan.io.calibration import load_calibration

    checked_plot(options["plot"])
    ask = ask_of(options, _LAW_NAMES)
    with told(options["as_json"]) as tell:
        tell("searching layouts")
        found = answer(ask, load_calibration())
    show(finding(ask, found), options)


@capability.command()
@click.argument("points", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--ceiling", type=float, help="A, where there are no points.")
@click.option("--exponent", type=_POSITIVE, help="B, where there are no points.")
@click.option("--midpoint", type=_POSITIVE, help="C_mid in FLOP, where there are no points.")
@click.option("--start", type=float, help="Reward before training; fitted too where not given.")
@click.option("--value", type=_POSITIVE, help="USD that a reward of 1 instead of 0 is worth.")
@click.option("--price", type=_POSITIVE, help="USD per chip-hour.")
@click.option(
    "--chip", default="h100-sxm", show_default=True, help="Chip behind FLOP, at --mfu of its BF16 peak."
)
@click.option(
    "--mfu",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.2,
    show_default=True,
    help="Share of the peak over the whole loop (assumed).",
)
@draw_options
@output_options
def rl(points: Path | None, **options: Any) -> None:
    """Fit the sigmoid of reward to POINTS, a CSV with flop or chip_h, reward and maybe sd; where more stops paying."""
    from exaplan.app.cli.capability_reach import rl_ask_of
    from exaplan.app.scaling.learning import rl_finding

    checked_plot(options["plot"])
    try:
        show(rl_finding(rl_ask_of(points, options)), options)
    except ValueError as error:
        raise InputError(Problem(str(error), file=str(points or ""))) from error
