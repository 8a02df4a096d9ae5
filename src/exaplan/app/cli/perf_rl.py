"""``exaplan perf estimate --phase rl``: how fast a reinforcement-learning loop turns, on the same chips and on two sides."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import click

from exaplan.app.cli.perf_request import (
    TRAIN_CHIPS,
    calibration_json,
    coefficients_note,
    read_calibration,
    seconds,
    table_width,
    write_plot,
)
from exaplan.domain.errors import InputError, Problem

if TYPE_CHECKING:
    from exaplan.domain.technology import Chip, Model
    from exaplan.perf.rl import Pace
    from exaplan.perf.rl_survey import LoopRequest, LoopSurvey

_SPREAD_OF_MEAN = 0.7


def answer_rl(model: Model, chip: Chip, options: dict[str, Any]) -> int:
    """Print a loop and return the exit code: 1 where a side does not fit."""
    from exaplan.perf.rl_survey import rl_survey

    request, calibration = _request(options), read_calibration(options)
    found = rl_survey(
        model,
        chip,
        request,
        precision=options["precision"],
        calibration=calibration,
        engine=options["engine"],
    )
    if options["as_json"]:
        document = calibration_json(calibration) | _as_json(request, found)
        click.echo(json.dumps(document, indent=2, allow_nan=False))
    elif found.together is None:
        click.echo(f"No loop of {model.id} on {chip.id} with {request.chips:,.0f} chips. {found.reason}.")
        click.echo(coefficients_note(calibration))
    else:
        click.echo("\n".join([*_lines(model, chip, request, found, options), coefficients_note(calibration)]))
    if found.together is not None:
        write_plot(options["plot"], lambda: _chart(model, chip, found))
    return 0 if found.together is not None else 1


def _request(options: dict[str, Any]) -> LoopRequest:
    from exaplan.perf.calibration.training_cases import LORA_TRAINABLE_SHARE
    from exaplan.perf.rl_survey import LoopRequest

    chips = TRAIN_CHIPS if options["job_chips"] is None else options["job_chips"]
    sizes = {"--prompts": options["prompts"], "--group": options["group"], "--chips": chips}
    sizes |= {"--input": options["input_tokens"], "--output": options["output_tokens"]}
    problems = [
        Problem(f"{name} is {value:g}; it must be at least 1") for name, value in sizes.items() if value < 1
    ]
    if problems:
        raise InputError(*problems)
    spread = options["output_sd"]
    return LoopRequest(
        prompts=options["prompts"],
        group=options["group"],
        input_tokens=options["input_tokens"],
        mean_tokens=options["output_tokens"],
        sd_tokens=_SPREAD_OF_MEAN * options["output_tokens"] if spread is None else spread,
        chips=chips,
        scored=options["scored"],
        trainable_share=LORA_TRAINABLE_SHARE if options["task"] == "lora" else 1.0,
        switch_s=seconds("--switch", options["switch"]),
        waits=not options["never_wait"],
        tpot_s=float("inf") if options["tpot"] is None else seconds("--tpot", options["tpot"]),
    )


def _lines(
    model: Model, chip: Chip, request: LoopRequest, found: LoopSurvey, options: dict[str, Any]
) -> list[str]:
    from exaplan.app.cli.perf_rows import bottleneck_of, interval_of
    from exaplan.report.perf_tables import derivation_lines, grid_text

    title = (
        f"{model.id} on {request.chips:,.0f} {chip.id}, rl: {request.prompts:g} prompts x {request.group:g} answers of "
        f"{request.mean_tokens:,.0f} +- {request.sd_tokens:,.0f} tokens"
    )
    heads = ("chips", "iteration", "tokens/s/chip", "rollout chips", "busy", "learner chips", "busy ")
    paces = [("the same", found.together), ("two sides", found.split)]
    cells = [_cells(name, pace, request) for name, pace in paces if pace is not None]
    lines = [grid_text(heads, cells, title=title, left=("chips",), width=table_width()), ""]
    if found.split is None:
        lines.append(
            "Two sides: these chips do not hold one replica for rollouts and another for the learner."
        )
    for side, survey in (("Rollouts", found.rollout), ("Learner", found.learner)):
        row = survey.estimates[0]
        lines.append(
            f"{side}: {row.configuration}, {row.tokens_per_s_per_chip:,.0f} tokens/s/chip (80 %: {interval_of(row)}), "
            f"{bottleneck_of(row)}"
        )
    waiting = "answers wait for the longest" if request.waits else "answers never wait"
    lines.append(
        f"Slots in use: {found.slot_share:.0%} ({waiting}; lognormal lengths). Tokens are those written; the learner reads "
        "the prompt too."
    )
    assumed = [f"switch {options['switch']}", "1 s to start a weight sync"]
    if options["output_sd"] is None:
        assumed.append(f"standard deviation of answers {_SPREAD_OF_MEAN:g} of the mean")
    lines.append(
        f"Assumed unless typed: {', '.join(assumed)}; the learner is as fast per chip on part of the chips."
    )
    if options["why"]:
        lines += [
            "",
            "Why:",
            *(f"  {line}" for one in found.derivations for line in derivation_lines(one)),
            "",
        ]
    return lines


def _cells(name: str, pace: Pace, request: LoopRequest) -> tuple[str, ...]:
    tokens = request.prompts * request.group * request.mean_tokens
    return (
        name,
        f"{float(pace.iteration_s):,.3g} s",
        f"{tokens / float(pace.iteration_s) / request.chips:,.0f}",
        f"{float(pace.rollout_chips):,.0f}",
        f"{float(pace.rollout_busy_share):.0%}",
        f"{float(pace.learner_chips):,.0f}",
        f"{float(pace.learner_busy_share):.0%}",
    )


def _as_json(request: LoopRequest, found: LoopSurvey) -> dict[str, Any]:
    def pace(one: Pace | None) -> dict[str, float] | None:
        return (
            None if one is None else {name: float(value) for name, value in dataclasses.asdict(one).items()}
        )

    def side(name: str) -> dict[str, Any] | None:
        from exaplan.app.cli.perf_rows import estimate_json

        rows = getattr(found, name).estimates
        return estimate_json(rows[0], None) if rows else None

    asked = dataclasses.asdict(request)
    asked["tpot_s"] = None if request.tpot_s == float("inf") else request.tpot_s
    work = found.work
    return {
        "reason": found.reason,
        "request": asked,
        "slot_share": found.slot_share,
        "work": None
        if work is None
        else {name: float(value) for name, value in dataclasses.asdict(work).items()},
        "colocated": pace(found.together),
        "disaggregated": pace(found.split),
        "rollout": side("rollout"),
        "learner": side("learner"),
        "derivations": [dataclasses.asdict(one) for one in found.derivations],
    }


def _chart(model: Model, chip: Chip, found: LoopSurvey) -> Any:
    from exaplan.report.perf_charts import TimePart, time_chart

    parts = []
    for name, pace in (("the same chips", found.together), ("two sides: rollouts", found.split)):
        if pace is None:
            continue
        whole, rollout = float(pace.iteration_s), float(pace.rollout_busy_share)
        learner = float(pace.learner_busy_share)
        if pace is found.together:
            spent = {
                "rollouts": rollout,
                "scoring and learning": learner,
                "sync and switch": 1 - rollout - learner,
            }
            parts += [TimePart(name, term, share * whole) for term, share in spent.items()]
            continue
        for bar, word, share in (
            (name, "rollouts", rollout),
            ("two sides: learner", "scoring and learning", learner),
        ):
            parts += [
                TimePart(bar, word, share * whole),
                TimePart(bar, "waiting and sync", (1 - share) * whole),
            ]
    return time_chart(parts, title=f"{model.id} on {chip.id}: one iteration", note="seconds")
