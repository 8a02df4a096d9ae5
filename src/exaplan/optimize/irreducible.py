"""Why a model has no solution: a smallest set of rows and bounds that clash, by their labels.

An irreducible infeasible set has no solution, and has one as soon as any single member is left out (Chinneck (2008),
Feasibility and Infeasibility in Optimization, chapter 6). A model may hold several; one is returned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import highspy
import numpy as np

from exaplan.optimize.handover import STATUS, loaded
from exaplan.optimize.model import Model, bounded, holder, number
from exaplan.optimize.ranges import LabelledRange

Side = Literal["lower", "upper", "both"]

SIDE: dict[int, Side] = {
    int(highspy.IisBoundStatus.kIisBoundStatusLower): "lower",
    int(highspy.IisBoundStatus.kIisBoundStatusUpper): "upper",
    int(highspy.IisBoundStatus.kIisBoundStatusBoxed): "both",
}


@dataclass(frozen=True)
class Clash:
    """One member of an irreducible set: the range it belongs to, its place there, which of its bounds, their values."""

    name: str
    place: tuple[int, ...]
    label: str
    side: Side
    lower: float
    upper: float

    def __str__(self) -> str:
        """Write it as in a list of constraints: ``floor[3] >= 12``."""
        if self.side == "both":
            return bounded(self.label, self.lower, self.upper)
        return (
            f"{self.label} >= {number(self.lower)}"
            if self.side == "lower"
            else f"{self.label} <= {number(self.upper)}"
        )


@dataclass(frozen=True)
class IrreducibleSet:
    """Rows and column bounds that cannot hold together."""

    rows: tuple[Clash, ...]
    bounds: tuple[Clash, ...]


def irreducible_set(model: Model) -> IrreducibleSet:
    """Find rows and bounds that clash and none of which can be spared; whole numbers are not asked for.

    Raises
    ------
    ValueError
        If the model, with integer columns relaxed, has a solution.
    RuntimeError
        If the solver finds no such set.
    """
    solver = loaded(replace(model, integer=None))
    strategy = highspy.IisStrategy.kIisStrategyFromLp, highspy.IisStrategy.kIisStrategyIrreducible
    solver.setOptionValue("iis_strategy", int(strategy[0]) | int(strategy[1]))
    solver.run()
    status = STATUS.get(solver.getModelStatus(), "unknown")
    if status != "infeasible":
        raise ValueError(
            f"irreducible_set: the model is {status}, not infeasible; there is no clash to explain"
        )
    outcome, found = solver.getIis()
    if (
        outcome == highspy.HighsStatus.kError
        or not found.valid_
        or not (found.row_index_ or found.col_index_)
    ):
        raise RuntimeError("irreducible_set: HiGHS found the model infeasible but no irreducible set of it")
    rows = clashes(model.rows, model.row_lower, model.row_upper, found.row_index_, found.row_bound_)
    return IrreducibleSet(
        rows, clashes(model.columns, model.lower, model.upper, found.col_index_, found.col_bound_)
    )


def clashes(
    ranges: Mapping[str, LabelledRange],
    lower: np.ndarray,
    upper: np.ndarray,
    numbers: Sequence[int],
    bounds: Sequence[int],
) -> tuple[Clash, ...]:
    """Label the members among columns or rows; those without a bound in the clash are no members."""
    members = []
    for at, bound in sorted(zip(numbers, bounds, strict=True)):
        if bound in SIDE:
            block = holder(ranges, at)
            low, high = float(lower[at]), float(upper[at])
            members.append(Clash(block.name, block.place(at), block.label(at), SIDE[bound], low, high))
    return tuple(members)
