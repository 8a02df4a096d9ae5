"""``--why``: each number down to its equation and sources, and the bottleneck down to what binds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exaplan.report.perf_tables import derivation_lines, figure

if TYPE_CHECKING:
    from exaplan.domain.technology import Chip, Model
    from exaplan.perf.estimate import Survey
    from exaplan.perf.machine import Machine
    from exaplan.perf.opened import Estimate
    from exaplan.perf.operators import Operator
    from exaplan.perf.serving import ServeRequest
    from exaplan.perf.training import TrainRequest

_WHOLE = {
    "decode": "a decode step, all layers of one pipeline",
    "prefill": "a prefill pass, all layers of one pipeline",
    "step": "a training step on one chip",
}


def why_lines(model: Model, chip: Chip, found: Survey, request: ServeRequest | TrainRequest) -> list[str]:
    """Open the best configuration of a survey."""
    from exaplan.perf.operators import bottleneck_operator, operators_of

    row = found.estimates[0]
    lines = ["", f"Why {row.configuration}:"]
    for derivation in row.derivations:
        lines += [f"  {line}" for line in derivation_lines(derivation)]
    opened = operators_of(model, found.machine, request, row)
    operator = bottleneck_operator(row, opened)
    share = row.terms[row.bottleneck] / sum(row.terms.values())
    lines += ["", f"  Bottleneck: {row.bottleneck}, {share:.0%} of the time."]
    lines += [f"    {line}" for line in _bound(row, operator, found.machine)]
    spread = (
        "" if row.log_sd is None else f"  Interval: log standard deviation {row.log_sd:.2f}, {row.spread}."
    )
    lines += ["", *_origins(model, chip), spread, f"  Source: {found.source}."]
    return [line for i, line in enumerate(lines) if line or i == 0 or lines[i - 1]]


def _bound(row: Estimate, operator: Operator | None, machine: Machine) -> list[str]:
    if operator is not None:
        return _roofline(operator)
    if row.bottleneck.endswith(("traffic", "messages")):
        inside, beyond = float(machine.scale_up_bytes_per_s), float(machine.scale_out_bytes_per_s)
        return [
            (
                f"A message, not an operator: the links bind. {figure(inside, 'B/s')} a chip inside a domain of "
                f"{float(machine.domain):,.0f}, {figure(beyond, 'B/s')} beyond it, each one way."
            )
        ]
    return [
        "Time in which neither the matrix unit nor main memory nor a link is busy: waiting and launches bind."
    ]


def _roofline(one: Operator) -> list[str]:
    side = "below" if one.intensity < one.ridge else "above"
    peaks = f"{figure(one.peak_flop_per_s, 'FLOP/s')} / {figure(one.peak_bytes_per_s, 'B/s')}"
    lines = [
        f"Roofline of {one.name!r} over {_WHOLE[one.part]}:",
        (
            f"FLOP {figure(one.flop, 'FLOP')}, bytes {figure(one.moved_bytes, 'B')}, intensity "
            f"{figure(one.intensity, 'FLOP/B')}, {side} the ridge of {one.ridge:,.0f} FLOP/B = {peaks}"
        ),
        (
            f"by compute alone {figure(one.compute_s, 's')}, by memory alone {figure(one.memory_s, 's')}, launches "
            f"{figure(one.fixed_s, 's')}; modelled {figure(one.seconds, 's')}: {_verdict(one)}."
        ),
    ]
    if one.flop > 0 and one.useful_flop / one.flop < _FULL:
        lines.append(
            f"{one.useful_flop / one.flop:.0%} of those FLOP are useful; the rest pads tiles of the matrix unit."
        )
    return lines


_FULL = 0.995


def _verdict(one: Operator) -> str:
    return {
        "compute": "the matrix unit binds",
        "memory": "main-memory bandwidth binds",
        "launches": "launches bind: the pieces of work are too small",
    }[one.binds]


def _origins(model: Model, chip: Chip) -> list[str]:
    from exaplan.io.catalogue import catalogue_origin

    chips, models = catalogue_origin("chips", chip.id), catalogue_origin("models", model.id)
    return [
        f"  {chip.id}: {chips.file}:{chips.line}, {chips.note}",
        f"  {model.id}: {models.file}:{models.line}, {models.note}",
    ]
