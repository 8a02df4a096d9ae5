"""Joint optimum of shape, kernels, silicon and layout against one layer at a time, at equal loss, with its interval.

Cost of a served token = w(chip) [ 1/rate_serving + D(shape) / (served tokens x rate_training) ], where D brings the shape
to the reference's loss, rates are per chip at the workload's limits, and w weighs a chip-second.

Joint gain   = cost(baseline) / cost(joint optimum over the whole grid)
Single gains = cost(baseline) / cost(best choice in one layer, the others at the baseline)
Ratio        = joint gain / product of single gains: above 1, layers must be changed together to get what they can give.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.perf.codesign.cells import Array, Workload
from exaplan.perf.codesign.drawing import DrawnGains, Interval, Uncertainty, drawn_gains, interval_of
from exaplan.perf.codesign.inherited import KnobsOf
from exaplan.perf.codesign.optimum import BASELINE, LAYERS, Cell, Layer, cell_of, changed, optima
from exaplan.perf.codesign.shapes import LossLaw, Reference, equal_loss
from exaplan.perf.codesign.silicon import knobs_of
from exaplan.perf.codesign.space import Grid, Space, Tables, Weighing, seconds_of, tables_of


@dataclass(frozen=True)
class Single:
    """Best choice of one layer, the others at the baseline."""

    layer: Layer
    choice: int
    id: str
    gain: float


@dataclass(frozen=True)
class CodesignResult:
    """Joint optimum and layer-by-layer optimum of one space, with what is needed to print or plot both."""

    space: Space
    grid: Grid
    singles: tuple[Single, ...]
    composed: Cell  # all single best choices at once
    sequential: Cell  # layer after layer, each given those before
    joint: Cell
    baseline_cost: float
    composed_gain: float  # 0 where the composition is infeasible
    sequential_gain: float
    joint_gain: float
    product_of_gains: float
    ratio: float  # joint gain over the product of single gains
    draws: DrawnGains | None  # None where no uncertainty was asked for

    @property
    def over_composed(self) -> float:
        """Joint gain over the gain of all single best choices together; infinite where those do not fit each other."""
        return self.joint_gain / self.composed_gain if self.composed_gain > 0 else np.inf

    @property
    def expanded(self) -> float | None:
        """Cost of the joint optimum with latents expanded in every step over its own; None where that was no choice."""
        shape, kernels, silicon, layout = self.joint
        own = self.space.kernels[kernels]
        for k, other in enumerate(self.space.kernels):
            if own.absorbed and other == replace(own, id=other.id, absorbed=False):
                return float(self.grid.cost[shape, k, silicon, layout] / self.grid.cost[self.joint])
        return None

    @property
    def single_intervals(self) -> tuple[Interval | None, ...]:
        """Intervals of the single-layer gains, in the order of ``singles``."""
        if self.draws is None:
            return (None,) * len(self.singles)
        return tuple(interval_of(gains) for gains in self.draws.singles.T)

    @property
    def joint_gain_interval(self) -> Interval | None:
        """Interval of the joint gain."""
        return None if self.draws is None else interval_of(self.draws.joint)

    @property
    def product_interval(self) -> Interval | None:
        """Interval of the product of the single-layer gains."""
        return None if self.draws is None else interval_of(self.draws.product)

    @property
    def ratio_interval(self) -> Interval | None:
        """Interval of the joint gain over the product of the single-layer gains."""
        return None if self.draws is None else interval_of(self.draws.ratio)

    @property
    def over_composed_interval(self) -> Interval | None:
        """Interval of the joint gain over that of all single best choices together."""
        return None if self.draws is None else interval_of(self.draws.over_composed)

    def best_cells(self, top: int = 10) -> tuple[tuple[tuple[str, str, str, str], float], ...]:
        """Names and gain over the baseline of the best cells, best first."""
        flat = np.argsort(self.grid.cost, axis=None, kind="stable")[:top]
        cells = [cell_of(np.unravel_index(int(i), self.grid.cost.shape)) for i in flat]
        return tuple(
            (self.space.names(cell), float(self.baseline_cost / self.grid.cost[cell]))
            for cell in cells
            if np.isfinite(self.grid.cost[cell])
        )


def codesign(
    space: Space,
    workload: Workload,
    law: LossLaw,
    reference: Reference,
    *,
    weighing: Weighing,
    knobs: KnobsOf = knobs_of,
    uncertainty: Uncertainty | None = None,
) -> CodesignResult:
    """Search the whole grid, compose the single-layer optima, and compare.

    Parameters
    ----------
    space : Space
        Choices per layer, the baseline first.
    workload : Workload
        Requests, training job, tokens served in the model's life.
    law, reference : LossLaw, Reference
        Equal loss: every shape is trained to the loss of the reference.
    weighing : Weighing
        What a chip-second costs.
    knobs : callable
        Coefficients of each designed chip; the starting ones where not given.
    uncertainty : Uncertainty, optional
        Draws behind the intervals; there are none without.

    Returns
    -------
    CodesignResult
        Costs are weighted chip-seconds per served token.

    Raises
    ------
    ValueError
        When the baseline itself is infeasible or never reaches the loss.
    """
    tables = tables_of(space, workload, knobs)
    tokens = equal_loss(space.shapes, law, reference).tokens
    weight = np.array([weighing.of(silicon) for silicon in space.silicon])
    serving = seconds_of(tables.serving_rate)
    training = _trained(tables.training_rate, tokens, workload)
    cost = weight[:, None] * (serving + training)
    grid = Grid(tokens, weight, serving, training, cost)
    if not np.isfinite(cost[BASELINE]):
        raise ValueError("the baseline does not fit its chip, misses its limits, or never reaches the loss")
    outcome = optima(cost)
    singles = tuple(
        Single(layer, choice, space.names(changed(axis, choice))[axis], gain)
        for axis, (layer, choice, gain) in enumerate(zip(LAYERS, outcome.choices, outcome.gains, strict=True))
    )
    return CodesignResult(
        space=space,
        grid=grid,
        singles=singles,
        composed=outcome.choices,
        sequential=outcome.sequential,
        joint=outcome.joint,
        baseline_cost=float(cost[BASELINE]),
        composed_gain=outcome.composed_gain,
        sequential_gain=outcome.sequential_gain,
        joint_gain=outcome.joint_gain,
        product_of_gains=outcome.product,
        ratio=outcome.ratio,
        draws=_draws(space, workload, reference, uncertainty, (tables, grid)),
    )


def _draws(
    space: Space,
    workload: Workload,
    reference: Reference,
    uncertainty: Uncertainty | None,
    found: tuple[Tables, Grid],
) -> DrawnGains | None:
    if uncertainty is None:
        return None
    return drawn_gains(space, workload, reference, uncertainty, found)


def _trained(rate: Array, tokens: Array, workload: Workload) -> Array:
    """Training chip-seconds per served token; ``tokens`` stands on the axis of shapes."""
    share = (tokens / workload.served_tokens).reshape(-1, *[1] * (rate.ndim - 1))
    return np.asarray(share * seconds_of(rate))
