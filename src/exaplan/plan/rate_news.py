"""How far chips' rates on a node or a path stand from the planned ones: new models, and errors of the performance model."""

from __future__ import annotations

import numpy as np

from exaplan.domain.futures import World
from exaplan.domain.lab import Lab
from exaplan.domain.rates import RateTable, rate_columns
from exaplan.plan.layout import Layout


def rate_news(
    lab: Lab, rates: RateTable, sets: Layout, world: World, *, source: np.ndarray, quarter: np.ndarray
) -> np.ndarray | float:
    """Return the rate of each arc over the planned one, [node, arc]; 1.0 where the lab states neither.

    A shift of models multiplies the rates of its chips on its workloads. An error of the performance model, z standard
    normal per chip, is exp(sigma z - sigma^2 / 2) with sigma the spread of chip and workload in the rate table: mean one,
    known from the second quarter on, 1 on the nodes of a tree.

    Parameters
    ----------
    source
        [node] row of ``world`` that a node sees.
    quarter
        [node].
    """
    factor: np.ndarray | float = 1.0
    place = np.array([list(lab.chips).index(chip) for chip in rates.chips], dtype=int)
    chip = place[sets.group_chip[sets.arc_group]]
    if world.rate.shape[-1]:
        touched = _touched(lab)[chip, sets.arc_column]
        factor = np.where(touched, world.rate[source][:, chip], 1.0)
    if world.rate_error.shape[-1]:
        spread = rates.log_sd[sets.group_chip[sets.arc_group], sets.arc_column]
        error = np.exp(world.rate_error[source][:, chip] * spread - spread**2 / 2)
        factor = factor * np.where(quarter[:, None] > 0, error, 1.0)
    return factor


def _touched(lab: Lab) -> np.ndarray:
    """Whether a shift of models changes a chip's rate in a column of the rate table [chip of the lab, column]."""
    columns = [column.workload.id for column in rate_columns(lab)]
    chips = list(lab.chips)
    found = np.zeros((len(chips), len(columns)), dtype=bool)
    for shift in lab.futures.model_shifts:
        own = np.array([not shift.workloads or name in shift.workloads for name in columns], dtype=bool)
        for chip in shift.chips:
            found[chips.index(chip)] |= own
    return found
