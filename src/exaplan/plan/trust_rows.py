"""Rows of what safety work earns: a premium on revenue and fewer customers who leave, by lines in amounts of work.

A premium g(S/Q) on Q tokens is Q g(S/Q), which is concave in both where g is concave; its tangents are a Q + b S, linear as
they stand. So no reference volume is needed where one segment is served.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exaplan.optimize.blocks import Builder, Variable
from exaplan.plan.columns import StageColumns
from exaplan.plan.layout import Layout
from exaplan.plan.stage import Stage

Lines = Sequence[Sequence[tuple[float, float]]]
"""Intercepts and slopes of each workload's curve."""


def trust(builder: Builder, columns: StageColumns, sets: Layout, stage: Stage) -> None:
    """Safety earns trust: premium_s <= a Q_s + b S_s for each line; leaving_s >= a Q_s + b S_s, at most its churn without safety.

    Q_s is what is served in the quarter, S_s the safety capacity at work in tokens that as much capacity would serve.
    """
    earning, leaving = sets.premium_serve, sets.churn_serve
    if len(earning) + len(leaving) == 0:
        return
    curves = [each.premium_lines for s in earning if (each := sets.serve[s].trust)]
    _envelope(builder, "premium_line", (columns, sets, stage), columns.premium, earning, curves)
    curves = [each.churn_lines for s in leaving if (each := sets.serve[s].trust)]
    _envelope(builder, "leaving_line", (columns, sets, stage), columns.leaving, leaving, curves)
    most = builder.rows("leaving_most", columns.leaving.shape, upper=0.0)
    builder.add(most, most.position, columns.leaving.index, 1.0)
    worst = np.array([lines[0][0] for lines in curves])[:, None]
    builder.add(most, most.position[:, :, None], columns.output.index[:, leaving], -worst)


def _envelope(
    builder: Builder,
    name: str,
    parts: tuple[StageColumns, Layout, Stage],
    variable: Variable,
    serve: np.ndarray,
    curves: Lines,
) -> None:
    """Hold a variable [node, place] below the lines of a concave curve, or above those of a falling one."""
    columns, sets, stage = parts
    lines = [(place, a, b) for place, curve in enumerate(curves) for a, b in curve]
    place = np.array([line[0] for line in lines], dtype=int)
    a, b = (np.array([line[k] for line in lines], dtype=float) for k in (1, 2))
    below = name == "premium_line"
    row = builder.rows(
        name, (len(stage.weight), len(lines)), lower=-np.inf if below else 0.0, upper=0.0 if below else np.inf
    )
    builder.add(row, row.position, variable.index[:, place], 1.0)
    at = row.position[:, :, None]
    builder.add(row, at, columns.output.index[:, serve[place]], -a[:, None])
    arcs, tokens = safety_tokens(sets, stage)
    value = -b[:, None, None] * tokens[:, serve[place]][:, :, :, None] * stage.block_share
    builder.add(row, at[:, :, :, None], columns.work.index[:, None, arcs], value)


def safety_tokens(sets: Layout, stage: Stage) -> tuple[np.ndarray, np.ndarray]:
    """Arcs of safety work, and the 1e12 tokens of each segment that a thousand chips of it stand for [node, serve, arc].

    Capacity is counted in chips as good as the lab's best for that work. Safety capacity is shared out over the segments
    as serving capacity would be at the demand that the lab states for its start.
    """
    first, last = len(sets.serve), sets.first_internal
    begin = first + len(sets.train)
    arcs = np.flatnonzero((sets.arc_workload >= begin) & (sets.arc_workload < last))
    best = np.zeros((len(stage.weight), len(sets.workloads)))
    np.maximum.at(best.T, sets.arc_workload, stage.rate.T)
    stated = np.array([workload.starting_tokens_per_month[0] for workload in sets.serve])
    capacity = np.divide(
        stated, best[:, :first], out=np.zeros((len(best), first)), where=best[:, :first] > 0
    ).sum(axis=1, keepdims=True)
    tokens = np.divide(stated, capacity, out=np.zeros((len(best), first)), where=capacity > 0)
    top = best[:, begin:last].max(axis=1, initial=0.0)[:, None]
    equal = np.divide(stage.rate[:, arcs], top, out=np.zeros((len(best), len(arcs))), where=top > 0)
    return arcs, tokens[:, :, None] * equal[:, None, :]
