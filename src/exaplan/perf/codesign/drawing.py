"""Gains under draws of coefficients and of the loss law: every draw optimizes anew, in every way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from exaplan.perf.codesign.cells import Array, Workload, drawn_serving_rates, drawn_training_rates
from exaplan.perf.codesign.inherited import FittedSpread
from exaplan.perf.codesign.optimum import BASELINE, Optima, cell_of, optima, worth_drawing
from exaplan.perf.codesign.shapes import LossLaw, Reference, equal_loss
from exaplan.perf.codesign.space import Grid, Space, Tables, seconds_of


@dataclass(frozen=True)
class Uncertainty:
    """What the draws vary: coefficients, what these cannot explain, and the loss law, one per draw.

    With ``fitted`` the coefficients are drawn from a calibration. Without it ``knob_log_sd`` gives an assumed log standard
    deviation by name: one factor per coefficient and kind of matrix unit, since chips of one kind err together.
    """

    laws: Sequence[LossLaw]
    seed: int = 0
    knob_log_sd: Mapping[str, float] = field(default_factory=dict)
    fitted: FittedSpread | None = None

    @property
    def source(self) -> str:
        """Say where the spread of coefficients comes from."""
        if self.fitted is not None:
            return "covariance of the fit and the spread that it leaves"
        return "assumed log standard deviations"


@dataclass(frozen=True)
class Interval:
    """5th, 50th and 95th percentile over draws, and how many draws there were."""

    low: float
    median: float
    high: float
    draws: int


@dataclass(frozen=True)
class DrawnGains:
    """Gains over the baseline in each draw. Axis: draw; ``singles`` has draw, layer.

    Draws in which the baseline does not run have no gain: they are left out here and counted in ``lost``.
    """

    singles: Array
    joint: Array
    composed: Array  # 0 where the single best choices do not fit each other
    source: str
    lost: int

    @property
    def product(self) -> Array:
        """Product of single-layer gains."""
        return np.asarray(self.singles.prod(axis=1))

    @property
    def ratio(self) -> Array:
        """Joint gain over the product of single-layer gains."""
        return np.asarray(self.joint / self.product)

    @property
    def over_composed(self) -> Array:
        """Joint gain over that of all single best choices together; infinite where those do not fit each other."""
        fits = self.composed > 0
        return np.where(fits, self.joint / np.where(fits, self.composed, 1.0), np.inf)


def interval_of(values: Array) -> Interval | None:
    """Percentiles of draws; None where there are none. Infinite draws count: a percentile may be infinite."""
    if values.size == 0:
        return None
    finite = bool(np.isfinite(values).all())
    low, median, high = np.percentile(values, [5.0, 50.0, 95.0], method="linear" if finite else "nearest")
    return Interval(float(low), float(median), float(high), int(values.size))


def drawn_gains(
    space: Space,
    workload: Workload,
    reference: Reference,
    uncertainty: Uncertainty,
    found: tuple[Tables, Grid],
) -> DrawnGains:
    """Optimize the cells that may decide, again under each draw.

    Parameters
    ----------
    space, workload, reference
        The question.
    uncertainty : Uncertainty
        What is drawn.
    found : tuple of Tables and Grid
        Searched cells, and their costs at the central coefficients.

    Returns
    -------
    DrawnGains
        One entry per draw in which the baseline runs.
    """
    cost = found[1].cost
    kept = worth_drawing(cost)
    costs = _drawn_costs(space, workload, reference, uncertainty, (*found, kept))
    runs = np.isfinite(costs[(slice(None), *BASELINE)])
    # What a draw composes may be a cell that nobody kept: a second round evaluates those
    missing = np.zeros_like(kept)
    for one in costs[runs]:
        composed = optima(one).choices
        missing[composed] = np.isfinite(cost[composed]) and not kept[composed]
    costs = np.minimum(costs, _drawn_costs(space, workload, reference, uncertainty, (*found, missing)))
    outcomes: list[Optima] = [optima(one) for one in costs[runs]]
    return DrawnGains(
        singles=np.array([one.gains for one in outcomes]).reshape(len(outcomes), len(BASELINE)),
        joint=np.array([one.joint_gain for one in outcomes]),
        composed=np.array([one.composed_gain for one in outcomes]),
        source=uncertainty.source,
        lost=int((~runs).sum()),
    )


def _drawn_costs(
    space: Space,
    workload: Workload,
    reference: Reference,
    uncertainty: Uncertainty,
    found: tuple[Tables, Grid, NDArray[np.bool_]],
) -> Array:
    """Cost of the marked cells under each draw, axes [draw, *grid]; infinite elsewhere."""
    tables, grid, marked = found
    out = np.full((len(uncertainty.laws), *grid.cost.shape), np.inf)
    cells = [cell_of(index) for index in np.argwhere(marked).tolist()]
    if not cells:
        return out
    kinds = np.array([int(space.silicon[cell[2]].systolic) for cell in cells])
    factors = _factors(uncertainty, kinds)
    serving = drawn_serving_rates([tables.serving[cell] for cell in cells], workload, factors)
    training = drawn_training_rates([tables.training[cell] for cell in cells], workload, factors)
    if uncertainty.fitted is not None:
        serving = serving * uncertainty.fitted.serving[kinds].T
        training = training * uncertainty.fitted.training[kinds].T
    shape_of, chip_of_cell = (np.array([cell[axis] for cell in cells]) for axis in (0, 2))
    needed = np.array([equal_loss(space.shapes, law, reference).tokens for law in uncertainty.laws])
    amortized = needed[:, shape_of] / workload.served_tokens
    out[:, marked] = grid.weight[chip_of_cell] * (seconds_of(serving) + amortized * seconds_of(training))
    return out


def _factors(uncertainty: Uncertainty, kinds: NDArray[np.int_]) -> list[dict[str, Array]]:
    """Factor of each coefficient per draw, by kind of matrix unit laid out over cells."""
    fitted = uncertainty.fitted
    if fitted is not None:
        return [
            {name: both[kinds, draw] for name, both in fitted.factors.items()}
            for draw in range(len(uncertainty.laws))
        ]
    generator = np.random.default_rng(uncertainty.seed)
    drawn = []
    for _ in uncertainty.laws:
        factors = {}
        for name in sorted(uncertainty.knob_log_sd):
            both = np.exp(uncertainty.knob_log_sd[name] * generator.standard_normal(2))
            factors[name] = both[kinds]
        drawn.append(factors)
    return drawn
