"""``exaplan perf codesign``: model shape, kernels, silicon and layout together against one layer at a time."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING, Any

import click

from exaplan.app.cli.perf_names import found_models
from exaplan.app.cli.perf_request import (
    checked_plot,
    output_options,
    seconds,
    table_width,
    write_plot,
)
from exaplan.domain.errors import InputError, Problem

if TYPE_CHECKING:
    from exaplan.app.cli.perf_space import Question
    from exaplan.perf.codesign.drawing import DrawnGains, Interval
    from exaplan.perf.codesign.joint import CodesignResult

_POSITIVE = click.FloatRange(min=0, min_open=True)
_LAWS = ("abnar", "krajewski", "besiroglu", "hoffmann")


@click.command()
@click.option(
    "--model", "model_name", required=True, help="Model to start from, for example qwen3-235b-a22b."
)
@click.option("--widths", help="Expert widths to try, with commas.  [default: half and twice its own]")
@click.option("--experts", help="Numbers of experts to try, with commas.  [default: half and twice its own]")
@click.option("--depths", help="Numbers of layers to try, with commas.  [default: 3/4 and 5/4, dense models]")
@click.option(
    "--tiles", default="16,128,256", show_default=True, help="Edges of a matrix unit; 16 is a tensor core."
)
@click.option(
    "--stacks", default="5,6", show_default=True, help="Memory stacks of a chip; the first is the baseline's."
)
@click.option(
    "--links",
    default="450 GB/s, 900 GB/s",
    show_default=True,
    help="Scale-up bandwidth one way; first: baseline.",
)
@click.option(
    "--domains", default="8,64", show_default=True, help="Chips in a scale-up domain; first: baseline."
)
@click.option("--area", type=_POSITIVE, default=800, show_default=True, help="Die area of every chip, mm2.")
@click.option("--power", type=_POSITIVE, default=800, show_default=True, help="Power of every chip, W.")
@click.option(
    "--stack-weight",
    type=click.FloatRange(min=0),
    default=0.02,
    show_default=True,
    help="Cost of a memory stack over that of the rest of a chip.",
)
@click.option(
    "--input",
    "input_tokens",
    type=_POSITIVE,
    default=4000,
    show_default=True,
    help="Input tokens of a request.",
)
@click.option(
    "--output",
    "output_tokens",
    type=_POSITIVE,
    default=1000,
    show_default=True,
    help="Output tokens of a request.",
)
@click.option("--tpot", default="50 ms", show_default=True, help="Longest time per output token.")
@click.option(
    "--job-chips", type=_POSITIVE, default=2048, show_default=True, help="Chips of the training job."
)
@click.option("--batch", type=_POSITIVE, default=16e6, help="Tokens of a training batch.  [default: 16e6]")
@click.option(
    "--trained",
    type=_POSITIVE,
    default=15e12,
    help="Training tokens that set the loss.  [default: 15e12]",
)
@click.option(
    "--served", type=_POSITIVE, default=1e15, help="Tokens served in the model's life.  [default: 1e15]"
)
@click.option(
    "--law", type=click.Choice(_LAWS), default="abnar", show_default=True, help="Scaling law of equal loss."
)
@click.option(
    "--draws", type=click.IntRange(min=0), default=100, show_default=True, help="Draws behind the intervals."
)
@click.option("--seed", default=1, show_default=True, help="Seed of the draws.")
@click.option("--top", default=5, show_default=True, type=click.IntRange(min=1), help="Designs shown.")
@click.option("--uncalibrated", is_flag=True, help="Starting coefficients instead of the fitted ones.")
@click.option("--why", is_flag=True, help="The equations with their numbers.")
@output_options
def codesign(model_name: str, **options: Any) -> None:
    """Design model shape, kernels, silicon and layout together, at equal loss.

    \b
    exaplan perf codesign --model qwen3-235b-a22b
    exaplan perf codesign --model deepseek-v3 --tiles 16,128 --widths 1024,4096 --plot gains.png

    Every shape is trained to the loss of MODEL, every chip fills the same die area and power. Printed are the
    gain of the best choice in each layer alone, their product, the gain of the joint optimum, and the joint
    gain over that product with its interval: above 1, layers must change together; below 1, they compete for
    the same saving. Coefficients and their spread are those of the calibration, or assumed with --uncalibrated.
    """  # noqa: D301 - \b keeps click from folding the examples
    from exaplan.app.cli.perf_space import links_of, question_of, whole_numbers

    checked_plot(options["plot"])
    (model,) = found_models([model_name])
    numbers = {name: whole_numbers(f"--{name}", options[name]) for name in ("tiles", "stacks", "domains")}
    shapes = {name: whole_numbers(f"--{name}", options[name]) for name in ("widths", "experts", "depths")}
    asked = options | numbers | shapes | {"links": links_of(options["links"])}
    asked["tpot_s"] = seconds("--tpot", options["tpot"])
    question = question_of(model, asked)
    result = _searched(question)
    if options["as_json"]:
        click.echo(json.dumps(_as_json(result, question, options["top"]), indent=2, allow_nan=False))
    else:
        click.echo(_text(result, question, options))
    write_plot(options["plot"], lambda: _chart(result, question))


def _searched(question: Question) -> CodesignResult:
    """Search with a sign of life on the terminal."""
    from exaplan.app.cli.progress import told
    from exaplan.perf.codesign.joint import codesign as search

    extent = " x ".join(map(str, question.space.extent))
    with told() as tell:
        tell(f"Searching {extent} shapes, kernels, chips and layouts, {len(question.laws)} draws")
        try:
            return search(
                question.space,
                question.workload,
                question.law,
                question.reference,
                weighing=question.weighing,
                knobs=question.knobs,
                uncertainty=question.uncertainty,
            )
        except ValueError as error:
            hint = "a looser --tpot, more --job-chips, or more --stacks on the baseline"
            raise InputError(Problem(f"nothing to compare with: {error}", suggestion=hint)) from error


def _text(result: CodesignResult, question: Question, options: dict[str, Any]) -> str:
    from exaplan.report.perf_tables import grid_text

    width = table_width()
    base = result.space.names((0, 0, 0, 0))
    lines = [f"Co-design of {question.reference.model.id} at equal loss; baseline: {'; '.join(base)}", ""]
    layers = [
        (single.layer, single.id, f"{single.gain:.2f}", _ends(interval))
        for single, interval in zip(result.singles, result.single_intervals, strict=True)
    ]
    titles = ("layer", "best choice alone", "gain", "90 % of draws")
    lines.append(grid_text(titles, layers, left=titles[:2], width=width))
    lines += ["", *_verdict(result), ""]
    heads = ("shape", "kernels", "silicon", "layout", "gain")
    cells = [(*names, f"{gain:.2f}") for names, gain in result.best_cells(options["top"])]
    lines.append(
        grid_text(heads, cells, title="Best designs, all layers together", left=heads[:4], width=width)
    )
    if options["why"]:
        lines += ["", *_why(result, question)]
    return "\n".join([*lines, "", *question.assumptions()])


def _verdict(result: CodesignResult) -> list[str]:
    rows = (
        ("product of the single-layer gains", result.product_of_gains, result.product_interval),
        ("joint gain", result.joint_gain, result.joint_gain_interval),
        ("all single best choices put together", result.composed_gain, None),
        ("one layer after another", result.sequential_gain, None),
        ("joint gain over the product of the single-layer gains", result.ratio, result.ratio_interval),
        (
            "joint gain over the single best choices put together",
            result.over_composed,
            result.over_composed_interval,
        ),
    )
    lines = [f"{name:<54} {_gain(value):>10}{_span(interval)}" for name, value, interval in rows]
    if result.draws is not None and result.draws.ratio.size:
        reached = float((result.draws.ratio >= 1).mean())
        lines.append(f"{'the joint gain reaches that product':<54} {'in':>10}   {reached:.0%} of draws")
        if result.draws.lost:
            lines.append(
                f"{'draws left out, since the baseline misses its limits':<54} {result.draws.lost:>10}"
            )
    return lines


def _gain(value: float) -> str:
    if value == 0:
        return "does not fit"
    return f"{value:.2f}" if math.isfinite(value) else "endless"


def _span(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f"   90 % of {interval.draws} draws: {_ends(interval)}"


def _ends(interval: Interval | None) -> str:
    return "" if interval is None else f"{_gain(interval.low)} .. {_gain(interval.high)}"


def _why(result: CodesignResult, question: Question) -> list[str]:
    from exaplan.report.perf_tables import figure

    lines = [
        "Why: cost of a served token = weight x (1/serving rate + training tokens / (served tokens x training rate))"
    ]
    served = question.workload.served_tokens
    for word, cell in (("baseline", (0, 0, 0, 0)), ("joint optimum", result.joint)):
        grid = result.grid
        tokens, weight = float(grid.tokens[cell[0]]), float(grid.weight[cell[2]])
        serve, train = float(grid.serving[cell]), float(grid.training[cell])
        lines += [
            f"  {word}: {'; '.join(result.space.names(cell))}",
            (
                f"    = {weight:.3g} x (1 / {1 / serve:,.0f} + {tokens:.3g} / ({served:.3g} x {tokens / served / train:,.0f})) "
                f"= {weight:.3g} x ({figure(serve, 's')} + {figure(train, 's')}) = {figure(float(grid.cost[cell]), 's')} of a "
                "chip per token"
            ),
            f"    bottleneck: {'serving' if serve > train else 'training'}, {max(serve, train) / (serve + train):.0%} of the cost",
        ]
    gains = " x ".join(f"{single.gain:.3g}" for single in result.singles)
    lines.append(f"  ratio = {result.joint_gain:.3g} / ({gains}) = {result.ratio:.3g}")
    other = result.expanded
    if other is not None:
        lines.append(
            "  the joint optimum with keys and values expanded in every step instead of attention on the latents: "
            + (f"{other:.2f} times the cost" if math.isfinite(other) else "does not meet its limits")
        )
    return lines


def _as_json(result: CodesignResult, question: Question, top: int) -> dict[str, Any]:
    def interval(one: Interval | None) -> dict[str, Any] | None:
        if one is None:
            return None
        return {name: gain(value) for name, value in dataclasses.asdict(one).items()}

    def gain(value: float) -> float | None:
        return value if math.isfinite(value) else None

    def drawn(draws: DrawnGains | None) -> dict[str, Any] | None:
        if draws is None:
            return None
        named = {"joint_gain": draws.joint, "product_of_gains": draws.product, "ratio": draws.ratio}
        return {name: values.tolist() for name, values in named.items()} | {
            "spread": draws.source,
            "lost": draws.lost,
        }

    return {
        "model": question.reference.model.id,
        "designs": math.prod(result.space.extent),
        "baseline": list(result.space.names((0, 0, 0, 0))),
        "singles": [
            {"layer": one.layer, "choice": one.id, "gain": one.gain, "interval": interval(own)}
            for one, own in zip(result.singles, result.single_intervals, strict=True)
        ],
        "product_of_gains": result.product_of_gains,
        "product_interval": interval(result.product_interval),
        "joint": list(result.space.names(result.joint)),
        "joint_gain": result.joint_gain,
        "joint_gain_interval": interval(result.joint_gain_interval),
        "composed": list(result.space.names(result.composed)),
        "composed_gain": result.composed_gain,
        "sequential_gain": result.sequential_gain,
        "ratio": result.ratio,
        "ratio_interval": interval(result.ratio_interval),
        "draws": drawn(result.draws),
        "over_composed": gain(result.over_composed),
        "over_composed_interval": interval(result.over_composed_interval),
        "best": [{"design": list(names), "gain": value} for names, value in result.best_cells(top)],
        "assumptions": question.assumptions(),
    }


def _chart(result: CodesignResult, question: Question) -> Any:
    from exaplan.report.perf_frontier_charts import Gain, gains_chart

    joint = result.joint_gain_interval
    gains = [Gain(f"{one.layer}: {one.id}", one.gain, "one layer alone") for one in result.singles]
    gains += [
        Gain("product of the four", result.product_of_gains, "arithmetic"),
        Gain("the four put together", result.composed_gain, "together"),
        Gain("one layer after another", result.sequential_gain, "together"),
        Gain(
            "joint optimum",
            result.joint_gain,
            "together",
            joint.low if joint else None,
            joint.high if joint else None,
        ),
    ]
    ratio = f"joint over product {result.ratio:.2f}"
    if result.ratio_interval:
        ratio += f" ({result.ratio_interval.low:.2f} .. {result.ratio_interval.high:.2f})"
    title = f"Co-design of {question.reference.model.id} at equal loss: {ratio}"
    note = "Gain: cost of a served token at the baseline over that of the design; lines span 90 % of draws."
    return gains_chart([item for item in gains if item.gain > 0], title=title, note=note)
