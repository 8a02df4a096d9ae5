"""Near-optimal alternatives of a plan: what it must have, and what it could as well leave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from exaplan.app.fanout import counted_map
from exaplan.app.ground import Ground, remarks_on, stood_on
from exaplan.domain.explained import Alternative, Alternatives, Standing
from exaplan.optimize.alternatives import Direction, Extent, near_optimal
from exaplan.plan.accounts import FEW_CHIPS
from exaplan.plan.alternatives import Measure, measures_of

DEFAULT_SLACK = 0.01
"""Share of the objective that may be given up where nobody says otherwise."""

SMALL = {"chip": FEW_CHIPS, "chip-hour": 1e3, "USD": 1e3, "share": 1e-4}
"""Less than this is the solver's rounding; of anything else a millionth of its most."""


@dataclass(frozen=True)
class Asked:
    """How alternatives are asked for: the slack, and who is told of progress."""

    slack: float = DEFAULT_SLACK
    tell: Callable[[str], object] = lambda text: None  # noqa: ARG005


def alternatives_of(
    ground: Ground, asked: Asked, *, lab_file: str | Path = "", version: str = ""
) -> Alternatives:
    """Find the least and the most of every decision among the plans within the slack of the best.

    The limits of the lab hold in all of them, and a limit that the plan itself had to relax stays relaxed by as much.
    """
    solved = ground.solved
    measures = measures_of(solved.program)
    directions = [Direction(f"{measure.kind}: {measure.name}", measure.weight) for measure in measures]
    extents = near_optimal(
        solved.model,
        solved.solution,
        directions,
        slack=asked.slack,
        map=counted_map(asked.tell, "directions of near-optimal plans"),
    )
    return Alternatives(
        stood=stood_on(ground, lab_file=lab_file, version=version),
        slack=asked.slack,
        rows=tuple(_row(measure, extent) for measure, extent in zip(measures, extents, strict=True)),
        remarks=tuple(remarks_on(ground)),
    )


def _row(measure: Measure, extent: Extent) -> Alternative:
    plan, least, most = (
        measure.scale * value + 0.0 for value in (extent.at_optimum, extent.least, extent.most)
    )
    return Alternative(
        measure.kind, measure.name, measure.unit, plan, least, most, _standing(measure.unit, least, most)
    )


def _standing(unit: str, least: float, most: float) -> Standing:
    small = SMALL.get(unit, 1e-6 * abs(most))
    if most <= small:
        return "never"
    return "must have" if least > small else "free"
