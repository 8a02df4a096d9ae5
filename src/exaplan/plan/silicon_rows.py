"""Chips of one's own design: a start at a node of the plan's choice, engineering by age, and orders behind a ramp.

The chips of a program and foundry are an orderable purchase (``domain.own_chips``), so stock, payment, depreciation,
power and floors are those of every purchase. Here stands what a purchase does not have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.base import over_quarters
from exaplan.domain.silicon import Foundry, NreStage, Silicon
from exaplan.optimize.blocks import Builder
from exaplan.plan.columns import Columns
from exaplan.plan.flows import pay
from exaplan.plan.inputs import Inputs
from exaplan.plan.layout import CHIPS, USD
from exaplan.plan.options import Starts, by_age, declare_starts, windows_of


@dataclass(frozen=True)
class Choice:
    """One program with one foundry: a lump."""

    program: Silicon
    foundry: Foundry

    @property
    def id(self) -> str:
        """Name of the lump, and of the offer whose orders it opens."""
        return self.program.offer_id(self.foundry)

    @property
    def nre(self) -> tuple[NreStage, ...]:
        """Stages of engineering, the foundry's own among them."""
        return (*self.program.nre, *self.foundry.nre)


def choices_of(programs: tuple[Silicon, ...]) -> tuple[Choice, ...]:
    """All choices in lab-file order: the items of ``silicon_start``."""
    return tuple(Choice(program, foundry) for program in programs for foundry in program.foundries)


def silicon(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Own silicon: order[n] <= sum_m ramp(age of m's release) start[m]; one foundry a program; NRE by age of the start.

    The release of a start of quarter s is due at r = s + lead - production and comes slip + delay x re-spins later, as
    the node's own history tells at r; production follows the release, volume production quarters later.
    """
    choices = choices_of(inputs.lab.silicon)
    if not choices:
        return
    starts = declare_starts(builder, inputs, "silicon", _windows(inputs, choices))
    _one_foundry(builder, inputs, choices, starts)
    released = np.stack([quarters_released(inputs, choice) for choice in choices], axis=2)
    _ramp(builder, columns, inputs, choices, starts, released)
    _unlock(builder, columns, inputs, choices, starts, released)
    _engineering(builder, inputs, choices, starts)


def quarters_released(inputs: Inputs, choice: Choice) -> np.ndarray:
    """Quarters since the release of a start of each quarter, int [tree node, quarter]; below zero where not released."""
    program, quarter = choice.program, inputs.quarter[: inputs.tree_nodes, None]
    due = np.arange(inputs.quarters)[None, :] + program.release_quarters
    delay = _history(inputs, program.id, due)
    if program.respin is not None:
        delay = delay + program.respin.delay_quarters * _history(inputs, program.respin_name, due)
    known = (due <= quarter) & (inputs.at_quarter[: inputs.tree_nodes] >= 0)
    return np.where(known, quarter - due - delay, -1)


def _history(inputs: Inputs, source: str, due: np.ndarray) -> np.ndarray:
    """Slips of one source of delay in the quarters ``due`` [1, quarter] of each node's history [tree node, quarter]."""
    names = inputs.lab.suppliers
    if source not in names:
        return np.zeros((inputs.tree_nodes, due.shape[1]), dtype=int)
    slip = inputs.slip[: inputs.tree_nodes, :, names.index(source)]
    seen = np.take_along_axis(slip, np.minimum(due, inputs.quarters - 1) + 0 * slip[:, :1], axis=1)
    return np.asarray(np.where(due < inputs.quarters, seen, 0))


def _windows(inputs: Inputs, choices: tuple[Choice, ...]) -> np.ndarray:
    horizon = inputs.lab.horizon
    first = np.array([(c.program.first or horizon.first) - horizon.first for c in choices])
    last = np.array([(c.program.last or horizon.last) - horizon.first for c in choices])
    return windows_of(inputs, first, last)


def _one_foundry(builder: Builder, inputs: Inputs, choices: tuple[Choice, ...], starts: Starts) -> None:
    programs = [program.id for program in inputs.lab.silicon]
    row = builder.rows("silicon_foundry", (inputs.nodes, len(programs)), upper=1.0)
    owner = np.array([programs.index(choice.program.id) for choice in choices])
    builder.add(row, row.position[:, owner], starts.begun.index, 1.0)


def _ramp(
    builder: Builder, columns: Columns, inputs: Inputs, choices: tuple[Choice, ...], starts: Starts, released: np.ndarray
) -> None:  # fmt: skip
    orders = {offer.id: number for number, offer in enumerate(inputs.sets.orderable)}
    row = builder.rows("silicon_ramp", (inputs.tree_nodes, len(choices)), upper=0.0)
    for item, choice in enumerate(choices):
        if choice.id not in orders:
            continue
        builder.add(row, row.position[:, item], columns.order.index[:, orders[choice.id]], 1.0)
        ramp = np.array(choice.program.ramp)
        slots = over_quarters(choice.foundry.packaging_slots, inputs.quarters)[
            inputs.quarter[: inputs.tree_nodes]
        ]
        age = released[:, :, item]
        most = np.minimum(ramp[np.clip(age, 0, len(ramp) - 1)], slots[:, None])
        node, quarter = np.nonzero((age >= 0) & (most > 0))
        begin = starts.start.index[inputs.at_quarter[node, quarter], item]
        builder.add(row, row.position[node, item], begin, -most[node, quarter] / CHIPS)


def _unlock(
    builder: Builder, columns: Columns, inputs: Inputs, choices: tuple[Choice, ...], starts: Starts, released: np.ndarray
) -> None:  # fmt: skip
    """Open the offers that a program unlocks: order <= max_order x sum of the starts that count by now."""
    programs = {program.id: program for program in inputs.lab.silicon}
    locked = [i for i, offer in enumerate(inputs.sets.orderable) if offer.unlocked_by in programs]
    if not locked:
        return
    row = builder.rows("silicon_unlocks", (inputs.tree_nodes, len(locked)), upper=0.0)
    builder.add(row, row.position, columns.order.index[:, locked], 1.0)
    limit = inputs.deals.max_order[: inputs.tree_nodes]
    for place, offer in enumerate(locked):
        program = programs[inputs.sets.orderable[offer].unlocked_by or ""]
        for item, choice in enumerate(choices):
            if choice.program.id != program.id:
                continue
            counts = inputs.at_quarter[: inputs.tree_nodes] >= 0
            if program.unlocks == "volume":
                counts = counts & (released[:, :, item] >= program.production_quarters)
            node, quarter = np.nonzero(counts & (limit[:, offer] > 0)[:, None])
            begin = starts.start.index[inputs.at_quarter[node, quarter], item]
            builder.add(row, row.position[node, place], begin, -limit[node, offer])


def _engineering(builder: Builder, inputs: Inputs, choices: tuple[Choice, ...], starts: Starts) -> None:
    """Pay the stages when they fall due, those after the horizon at their present value, and what re-spins cost."""
    last = max((stage.age_quarters for choice in choices for stage in choice.nre), default=0)
    profile = np.zeros((last + 1, len(choices)))
    for item, choice in enumerate(choices):
        for stage in choice.nre:
            profile[stage.age_quarters, item] += stage.amount_usd / USD
    later = np.zeros_like(profile)
    for age in range(last, -1, -1):  # what is still to be paid at this age, discounted to it
        later[age] = profile[age] + (inputs.tail_discount * later[age + 1] if age < last else 0.0)
    node, begin, lump, amount = by_age(inputs, profile, tail=later)
    pay(builder, node, starts.start.index[begin, lump], -amount, flow="silicon_engineering")
    for number, choice in enumerate(choices):
        respin = choice.program.respin
        if respin is None:
            continue
        due = np.arange(inputs.quarters)[None, :] + choice.program.release_quarters
        times = _history(inputs, choice.program.respin_name, due)
        quarter = inputs.quarter[: inputs.tree_nodes, None]
        at, started = np.nonzero((due == quarter) & (times > 0))
        column = starts.start.index[inputs.at_quarter[at, started], number]
        pay(builder, at, column, -respin.cost_usd / USD * times[at, started], flow="silicon_respins")
