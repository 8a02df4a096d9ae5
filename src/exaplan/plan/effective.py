"""What a chip-hour at work of one offer costs after everything that must be paid for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.plan.layout import CHIPS, USD
from exaplan.plan.renewal_rows import renewables
from exaplan.plan.result import further_chips
from exaplan.plan.solve import Solved
from exaplan.plan.volume_rows import leavable, stretchable

FEW_HOURS = 1.0
"""Fewer expected chip-hours than this are the solver's rounding."""


@dataclass(frozen=True)
class Effective:
    """Expected payments for one offer and the chip-hours that work was done in."""

    payments_usd: float  # due within the horizon, undiscounted
    chip_hours: float  # at work within the horizon
    payments_today_usd: float  # all of them, discounted at the cost of equity
    chip_hours_today: float  # all of them, discounted (and faded after the horizon) like what they earn

    @property
    def usd_per_chip_hour(self) -> float | None:
        """Undiscounted, within the horizon; None where no chip works."""
        return self.payments_usd / self.chip_hours if self.chip_hours > FEW_HOURS else None

    @property
    def usd_per_chip_hour_discounted(self) -> float | None:
        """Levelised: discounted payments over discounted chip-hours, those after the horizon included."""
        return self.payments_today_usd / self.chip_hours_today if self.chip_hours_today > FEW_HOURS else None


def effective_cost(solved: Solved, number: int) -> Effective:
    """Payments and chip-hours at work of orderable ``number``, expected over the tree.

    Payments are everything that the cash rows hold against its orders, its stock, its use beyond take-or-pay and the
    must-pay that follows from them: deposits, take-or-pay, purchase prices less residuals, upkeep and idle power at an
    own site, what is used beyond the reserved, renewed, or left for a fee; not the energy of work, which depends on the
    workload. A group's work falls on its sources in proportion to their chips.
    """
    inputs = solved.program.inputs
    paid, hours = payments(solved, number), _chip_hours(solved, number)
    chance, tree = inputs.probability, inputs.tree_nodes
    today = chance * inputs.discount
    return Effective(
        payments_usd=float(chance[:tree] @ paid[:tree]),
        chip_hours=float(chance[:tree] @ hours[:tree]),
        payments_today_usd=float(today @ paid),
        chip_hours_today=float(today @ hours),
    )


def payments(solved: Solved, number: int) -> np.ndarray:
    """Payments for one orderable offer at each node, USD, read from the program's own cash rows [node].

    Tail nodes hold the present value at the horizon of what is due after it.
    """
    program, model = solved.program, solved.model
    inputs, columns = program.inputs, program.columns
    own = np.zeros(model.column_count)
    for variable, place in ((columns.order, number), (columns.stock, number)):
        at = variable.index[:, place]
        own[at] = solved.solution.x[at]
    metered = np.flatnonzero(inputs.sets.metered == number)
    above = columns.above.index[:, metered]
    own[above] = solved.solution.x[above]
    clauses = _columns_of_clauses(solved, number)
    own[clauses] = solved.solution.x[clauses]
    # commit[n] - commit[parent] = what falls due or ends at n: the row's own left side without the commit columns.
    due = -model.activity(own)[model.rows["commitments"].span]
    for quarter in range(1, inputs.quarters):  # tail nodes start anew: they hold annuities
        at = np.flatnonzero(inputs.quarter == quarter)
        due[at] += due[inputs.parent[at]]
    own[columns.commit.index] = due
    return model.activity(own)[model.rows["cash_balance"].span] * USD


def _columns_of_clauses(solved: Solved, number: int) -> np.ndarray:
    """Columns of what was left, used beyond the reserved and renewed of one orderable offer, flat."""
    inputs, columns = solved.program.inputs, solved.model.columns
    kept = [
        place
        for place, each in enumerate(renewables(inputs.sets))
        if each.source == inputs.sets.orderable[number]
    ]
    found = [np.zeros(0, dtype=int)]
    if "order_left" in columns and number in leavable(inputs):
        found.append(columns["order_left"].index[:, :, leavable(inputs).index(number)])
    if "flex_up_use" in columns and number in stretchable(inputs):
        found.append(columns["flex_up_use"].index[:, stretchable(inputs).index(number)])
    found += [columns[name].index[:, kept] for name in ("renewed", "renewed_stock", "renewed_commit") if kept]
    return np.concatenate([part.ravel() for part in found])


def _chips_by_clauses(solved: Solved, clauses: np.ndarray) -> np.ndarray:
    """Thousand chips up that columns of clauses bring, mean over the blocks, below zero where chips were left [node]."""
    own, row = np.zeros(solved.model.column_count), solved.model.rows["chips"]
    own[clauses] = solved.solution.x[clauses]
    up = -solved.model.activity(own)[row.span].reshape(row.shape)
    return np.asarray((up @ solved.program.inputs.stage.block_share).sum(axis=1))


def _chip_hours(solved: Solved, number: int) -> np.ndarray:
    """Chip-hours at work of one orderable offer at each node [node]; in tail nodes as annuities."""
    inputs = solved.program.inputs
    sets, stage = inputs.sets, inputs.stage
    group = sets.orderable_group[number]
    live = np.maximum(solved.value(solved.program.columns.stock), 0.0) * stage.available
    live[:, sets.metered] = np.maximum(solved.value(solved.program.columns.use), 0.0) @ stage.block_share
    live[:, number] += _chips_by_clauses(solved, _columns_of_clauses(solved, number))
    rent = (
        np.maximum(solved.value(solved.program.columns.rent), 0.0) * stage.rent_available[:, None]
    ) @ stage.block_share
    kept = stage.contract_chips.copy()
    kept[:, sets.exits] *= 1 - solved.value(solved.program.columns.left)
    total = live[:, sets.orderable_group == group].sum(axis=1) + further_chips(solved)[:, group]
    total -= _chips_by_clauses(solved, _columns_of_clauses(solved, number))  # counted in both
    total += rent[:, sets.on_demand_group == group].sum(axis=1)
    total += kept[:, sets.contract_group == group].sum(axis=1)
    busy = _needed_work(solved)[:, sets.arc_group == group].sum(axis=1)
    share = np.divide(busy, total, out=np.zeros_like(busy), where=total > 1e-9)
    return np.asarray(live[:, number] * np.minimum(share, 1.0) * CHIPS * HOURS_PER_QUARTER)


def _needed_work(solved: Solved) -> np.ndarray:
    """Chips at work that output needed [node, arc]: where nothing is gained by standing idle a plan may leave more on."""
    sets, stage = solved.program.inputs.sets, solved.program.inputs.stage
    work = np.maximum(solved.value(solved.program.columns.work), 0.0)
    output = np.maximum(solved.value(solved.program.columns.output), 0.0)
    able = np.zeros_like(output)
    made = work * stage.rate[:, :, None] * stage.block_share
    np.add.at(able.transpose(1, 0, 2), sets.arc_workload, made.transpose(1, 0, 2))
    needed = np.divide(output, able, out=np.zeros_like(output), where=able > 0)
    return np.asarray((work * np.minimum(needed, 1.0)[:, sets.arc_workload]) @ stage.block_share)
