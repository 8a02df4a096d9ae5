"""Optima of one cost array over four layers: each layer alone, composed, one after another, and all together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Layer = Literal["shape", "kernels", "silicon", "layout"]
LAYERS: tuple[Layer, ...] = ("shape", "kernels", "silicon", "layout")
Cell: TypeAlias = tuple[int, int, int, int]
BASELINE: Cell = (0, 0, 0, 0)

_COMPANIONS = 2  # best choices per layer whose combinations every draw looks at
_KEPT_CELLS = 40  # best cells of the grid that every draw looks at


@dataclass(frozen=True)
class Optima:
    """What each way of optimizing reaches; gains are over the baseline, the first choice of every layer."""

    choices: Cell  # best of each layer alone, put together
    gains: tuple[float, ...]  # of each layer alone
    sequential: Cell
    joint: Cell
    sequential_gain: float
    joint_gain: float
    composed_gain: float  # 0 where the choices do not fit each other

    @property
    def product(self) -> float:
        """Product of the single gains: what the layers promise when they are thought independent."""
        return float(np.prod(self.gains))

    @property
    def ratio(self) -> float:
        """Joint gain over the product of single gains."""
        return self.joint_gain / self.product


def optima(cost: Array) -> Optima:
    """Optimize one cost array in every way; ties go to the earlier choice.

    Parameters
    ----------
    cost : array, shape [shape, kernels, silicon, layout]
        Cost of every cell; infinite where infeasible, finite at the baseline.

    Returns
    -------
    Optima
        Cells and gains.

    Examples
    --------
    Two layers that are each useless alone and halve the cost together:

    >>> cost = np.full((2, 2, 1, 1), 10.0)
    >>> cost[1, 1] = 5.0
    >>> optima(cost).joint_gain, optima(cost).product
    (2.0, 1.0)
    """
    base = float(cost[BASELINE])
    lines = [cost[_line(axis, BASELINE)] for axis in range(len(LAYERS))]
    choices = cell_of([int(np.argmin(line)) for line in lines])
    sequential = BASELINE
    for axis in range(len(LAYERS)):
        sequential = changed(axis, int(np.argmin(cost[_line(axis, sequential)])), sequential)
    joint = cell_of(np.unravel_index(int(np.argmin(cost)), cost.shape))
    return Optima(
        choices=choices,
        gains=tuple(base / float(line.min()) for line in lines),
        sequential=sequential,
        joint=joint,
        sequential_gain=base / float(cost[sequential]),
        joint_gain=base / float(cost[joint]),
        composed_gain=base / float(cost[choices]),
    )


def cell_of(index: Sequence[int | np.intp]) -> Cell:
    """Four plain integers."""
    shape, kernels, silicon, layout = (int(i) for i in index)
    return shape, kernels, silicon, layout


def changed(axis: int, choice: int, start: Cell = BASELINE) -> Cell:
    """Change one layer of a cell."""
    return cell_of([choice if axis == other else start[other] for other in range(len(LAYERS))])


def worth_drawing(cost: Array) -> NDArray[np.bool_]:
    """Feasible cells that may decide a draw: single-layer changes, combinations of the best of each, the best cells."""
    kept = np.zeros(cost.shape, dtype=bool)
    best: list[list[int]] = []
    for axis in range(len(LAYERS)):
        line = _line(axis, BASELINE)
        kept[line] = True
        best.append(sorted({0, *(int(i) for i in np.argsort(cost[line], kind="stable")[:_COMPANIONS])}))
    kept[np.ix_(*best)] = True
    kept.flat[np.argsort(cost, axis=None, kind="stable")[:_KEPT_CELLS]] = True
    return kept & np.isfinite(cost)


def _line(axis: int, through: Cell) -> tuple[int | slice, ...]:
    return tuple(slice(None) if axis == other else through[other] for other in range(len(LAYERS)))
