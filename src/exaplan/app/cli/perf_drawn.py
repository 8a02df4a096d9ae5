"""Estimates turned into the small records that charts are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from exaplan.report.perf_charts import Roof, RoofPoint, TimePart, roofline_chart, time_chart

if TYPE_CHECKING:
    from exaplan.domain.technology import Model
    from exaplan.perf.machine import Machine
    from exaplan.perf.opened import Estimate
    from exaplan.perf.operators import Operator
    from exaplan.perf.serving import ServeRequest
    from exaplan.perf.training import TrainRequest


def roofline_of(
    model: Model, machine: Machine, request: ServeRequest | TrainRequest, row: Estimate
) -> Any | None:
    """Draw the operators of one configuration under the roofs of its chip."""
    from exaplan.perf.operators import operators_of

    opened = operators_of(model, machine, request, row)
    points = [
        RoofPoint(one.name, one.part, one.flop_per_s, one.intensity, one.seconds, f"{one.binds} binds")
        for one in opened
    ]
    title = f"{row.model} on {row.chip}, {row.configuration}"
    return roofline_chart(_roofs(machine, row, opened), points, title=title, note=_left_out(opened))


def _roofs(machine: Machine, row: Estimate, opened: Sequence[Operator]) -> list[Roof]:
    bandwidth = float(machine.memory_bytes_per_s)
    named = {float(machine.peak_flop_per_s): f"{row.precision.upper()} peak"}
    if any(one.name == "attention" and one.intensity < float("inf") for one in opened):
        named.setdefault(float(machine.bf16_flop_per_s), "BF16 peak (attention)")
    return [Roof(name, peak, bandwidth) for peak, name in named.items()]


def _left_out(opened: Sequence[Operator]) -> str:
    """Say which operators have no place on the chart."""
    streams = list(dict.fromkeys(one.name for one in opened if one.flop <= 0))
    free = list(dict.fromkeys(f"{one.name} ({one.part})" for one in opened if one.moved_bytes <= 0))
    parts = []
    if streams:
        parts.append(f"{', '.join(streams)}: bytes alone")
    if free:
        parts.append(f"{', '.join(free)}: fused, bytes not counted")
    return f"Not drawn: {'; '.join(parts)}." if parts else ""


def times_of(rows: Sequence[Estimate], names: Sequence[str], *, title: str) -> Any | None:
    """Draw where the time of estimates goes, one bar each."""
    parts = [
        TimePart(name, term, seconds)
        for row, name in zip(rows, names, strict=True)
        for term, seconds in row.terms.items()
    ]
    serving = rows[0].phase == "serve"
    note = "ms per output token (TPOT)" if serving else "seconds of one training step"
    return time_chart(parts, title=title, note=note, unit="ms" if serving else "s")


def chip_times_of(rows: Sequence[Estimate], names: Sequence[str], *, title: str) -> Any | None:
    """Draw the time of one chip that a token takes, one bar per estimate, shared out as the time of a step is."""
    parts = [
        TimePart(name, term, seconds / sum(row.terms.values()) / row.tokens_per_s_per_chip)
        for row, name in zip(rows, names, strict=True)
        for term, seconds in row.terms.items()
    ]
    token = "input or output" if rows[0].phase == "serve" else "training"
    note = f"microseconds of one chip per {token} token; shorter is faster"
    return time_chart(parts, title=title, note=note, unit="us")
