"""Chips of one's own design on simulated paths: released when the path's own slips and re-spins allow.

A path starts what its node has started; what it may then order, and what its re-spins cost, is its own.
"""

from __future__ import annotations

import numpy as np

from exaplan.domain.base import over_quarters
from exaplan.domain.futures import World
from exaplan.plan.inputs import Inputs
from exaplan.plan.layout import CHIPS, USD
from exaplan.plan.silicon_rows import Choice, choices_of
from exaplan.plan.solve import Solved


def most_own_chips(solved: Solved, world: World, node: np.ndarray, t: int) -> np.ndarray | None:
    """Thousand chips that a path can order of each offer in quarter ``t`` [path, orderable]: inf where no program makes them.

    The ramp of a program counts from the path's own release. None where the lab has no programs.
    """
    inputs = solved.program.inputs
    choices = choices_of(inputs.lab.silicon)
    if not choices:
        return None
    orders = {offer.id: number for number, offer in enumerate(inputs.sets.orderable)}
    most = np.full((len(node), len(orders)), np.inf)
    for item, choice in enumerate(choices):
        if choice.id not in orders:
            continue
        begun = _started(solved, node, item)
        age = _quarters_released(inputs, choice, world, t)
        ramp = np.array(choice.program.ramp)
        slots = float(over_quarters(choice.foundry.packaging_slots, inputs.quarters)[t])
        able = np.where(age >= 0, np.minimum(ramp[np.clip(age, 0, len(ramp) - 1)], slots), 0.0)
        most[:, orders[choice.id]] = (begun * able).sum(axis=1) / CHIPS
    return most


def respins_beyond_plan(solved: Solved, world: World, node: np.ndarray, t: int) -> np.ndarray:
    """M$ that re-spins cost a path in quarter ``t`` beyond what they cost its node [path]."""
    inputs = solved.program.inputs
    more = np.zeros(len(node))
    if t >= inputs.quarters:
        return more
    for item, choice in enumerate(choices_of(inputs.lab.silicon)):
        respin, begin = choice.program.respin, t - choice.program.release_quarters
        if respin is None or begin < 0 or choice.program.respin_name not in inputs.lab.suppliers:
            continue
        place = inputs.lab.suppliers.index(choice.program.respin_name)
        times = world.slip[:, t, place] - inputs.tree.world.slip[node, place]
        more += respin.cost_usd / USD * times * _started(solved, node, item)[:, begin]
    return more


def _started(solved: Solved, node: np.ndarray, item: int) -> np.ndarray:
    """Return the share of a choice that the history of each path's node starts in each quarter [path, quarter]."""
    inputs = solved.program.inputs
    before = inputs.at_quarter[node]
    start = solved.value(solved.model.columns["silicon_start"])[:, item]
    return np.where(before >= 0, start[np.maximum(before, 0)], 0.0)


def _quarters_released(inputs: Inputs, choice: Choice, world: World, t: int) -> np.ndarray:
    """Quarters since the release of a start of each quarter on each path, int [path, quarter]; below zero where not."""
    program, names = choice.program, inputs.lab.suppliers
    due = np.arange(inputs.quarters) + program.release_quarters
    seen = np.minimum(due, inputs.quarters - 1)
    delay = np.zeros((len(world.slip), len(due)), dtype=int)
    weights = [(program.id, 1)]
    if program.respin is not None:
        weights.append((program.respin_name, program.respin.delay_quarters))
    for source, quarters in weights:
        if source in names:
            delay += quarters * world.lateness[:, seen, names.index(source)]
    return np.where(due <= t, t - due - delay, -1)
