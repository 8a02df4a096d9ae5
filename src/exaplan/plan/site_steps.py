"""Site steps: megawatts that are built when they are decided, with what they cost while they are built and after."""

from __future__ import annotations

import numpy as np

from exaplan.domain.lab import Lab
from exaplan.domain.sitestep import SiteStep
from exaplan.optimize.blocks import Builder, Variable
from exaplan.plan.calendar import TO_THE_END, run_off
from exaplan.plan.columns import Columns
from exaplan.plan.flows import name_flow, pay
from exaplan.plan.inputs import Inputs
from exaplan.plan.layout import USD, WATTS
from exaplan.plan.options import by_age, declare_starts, windows_of

FAMILIES = (("site_step", False), ("site_part", True))
"""Steps built whole, and steps of which any part can be built: each family has a start variable of its own."""


def steps_of(lab: Lab, *, continuous: bool) -> tuple[tuple[int, SiteStep], ...]:
    """All steps of one family with the number of their site, in the order of the lab file."""
    return tuple(
        (number, step)
        for number, site in enumerate(lab.sites)
        for step in site.steps
        if step.continuous is continuous
    )


def site_steps(builder: Builder, _columns: Columns, inputs: Inputs) -> None:
    """Build steps of sites: start once in the window; from start + lead on its life: power + MW on ``power``.

    Paid: cost x milestones from the start on, upkeep while it stands; received: residual at the end of its life; for tax
    it is written off straight-line over its life. In a tail node its power is the annuity of what its life leaves. A step
    that comes ``after`` another is begun no earlier.
    """
    for name, continuous in FAMILIES:
        steps = steps_of(inputs.lab, continuous=continuous)
        if not steps:
            continue
        first = inputs.lab.horizon.first
        opens = np.array([(step.first or first) - first for _, step in steps])
        closes = np.array([(step.last or inputs.lab.horizon.last) - first for _, step in steps])
        window = windows_of(inputs, opens, closes)
        start = declare_starts(builder, inputs, name, window, integer=not continuous).start
        _feed(builder, inputs, start, steps)
        _pay(builder, inputs, start, steps)
    _in_order(builder, inputs)


def _in_order(builder: Builder, inputs: Inputs) -> None:
    """Open a step by another one of its site: begun[n] <= begun[n] of the step that it comes ``after``."""
    tree = np.arange(inputs.tree_nodes)
    place = {
        (number, step.id): (name, item)
        for name, continuous in FAMILIES
        for item, (number, step) in enumerate(steps_of(inputs.lab, continuous=continuous))
    }
    for name, continuous in FAMILIES:
        steps = enumerate(steps_of(inputs.lab, continuous=continuous))
        bound = [(item, place[number, step.after]) for item, (number, step) in steps if step.after]
        if not bound:
            continue
        row = builder.rows(f"{name}_after", (len(tree), len(bound)), upper=0.0)
        for at, (item, (family, opener)) in enumerate(bound):
            builder.add(row, row.position[:, at], builder.column(f"{name}_begun").index[tree, item], 1.0)
            builder.add(row, row.position[:, at], builder.column(f"{family}_begun").index[tree, opener], -1.0)


def _feed(builder: Builder, inputs: Inputs, start: Variable, steps: tuple[tuple[int, SiteStep], ...]) -> None:
    """Put the megawatts of what was started into ``power``."""
    if not builder.has_rows("power"):
        return
    power = builder.declared("power")
    megawatts = np.array([step.power_w for _, step in steps]) / WATTS
    now, later = _standing(inputs, steps, inputs.tail_margin, inputs.tail_quarters)
    node, begun, item, value = by_age(inputs, now * megawatts, tail=later * megawatts)
    site = np.array([number for number, _ in steps])[item]
    builder.add(power, power.position[node, site], start.index[begun, item][:, None], -value[:, None])


def _pay(builder: Builder, inputs: Inputs, start: Variable, steps: tuple[tuple[int, SiteStep], ...]) -> None:
    """Pay milestones and upkeep, receive the residual, and write the cost off against tax."""
    if not builder.has_rows("cash_balance"):
        return
    cost = np.array([step.cost_usd for _, step in steps]) / USD
    now, later = _paid(inputs, steps)
    node, begun, item, value = by_age(inputs, -now * cost, tail=-later * cost)
    pay(builder, node, start.index[begun, item], value, taxed=False, flow=None)
    for flow, (now, later) in zip(("halls", "hall_residuals"), _parts_paid(inputs, steps), strict=True):
        at, begun, item, value = by_age(inputs, -now * cost, tail=-later * cost)
        name_flow(builder, flow, at, start.index[begun, item], value)
    upkeep = np.array([step.upkeep_usd_per_w_quarter * step.power_w for _, step in steps]) / USD
    now, later = _standing(inputs, steps, inputs.tail_margin, inputs.tail_quarters)
    node, begun, item, value = by_age(inputs, -now * upkeep, tail=-later * upkeep)
    pay(builder, node, start.index[begun, item], value, flow="hall_upkeep")
    if builder.has_rows("profit_balance"):
        book = cost / np.array([step.life_quarters for _, step in steps])
        now, later = _standing(inputs, steps, inputs.tail_discount, TO_THE_END)
        node, begun, item, value = by_age(inputs, now * book, tail=later * book)
        builder.add(builder.declared("profit_balance"), node, start.index[begun, item], value)


def _standing(
    inputs: Inputs, steps: tuple[tuple[int, SiteStep], ...], factor: float, quarters: int
) -> tuple[np.ndarray, np.ndarray]:
    """Whether a step stands, by age in quarters since its start; in the tail the annuity of its rest [age, step]."""
    age = np.arange(inputs.quarters + 1)[:, None]
    lead = np.array([step.lead_quarters for _, step in steps])
    end = lead + np.array([step.life_quarters for _, step in steps])
    now = ((age >= lead) & (age < end)).astype(float)
    return now, run_off(lead - age, end - age, 0, quarters, factor)


def _paid(inputs: Inputs, steps: tuple[tuple[int, SiteStep], ...]) -> tuple[np.ndarray, np.ndarray]:
    """Share of the cost paid less the residual received, by age; in the tail the rest at present value [age, step]."""
    (now, later), (back, back_later) = _parts_paid(inputs, steps)
    return now + back, later + back_later


def _parts_paid(
    inputs: Inputs, steps: tuple[tuple[int, SiteStep], ...]
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Share of the cost paid, and apart from it the residual as a negative payment; each by age and in the tail."""
    ages = inputs.quarters + 1
    longest = max(max(len(s.payments), s.lead_quarters + s.life_quarters + 1) for _, s in steps)
    share = np.zeros((max(ages, longest), len(steps)))
    back = np.zeros_like(share)
    for number, (_, step) in enumerate(steps):
        share[: len(step.payments), number] = step.payments
        back[step.lead_quarters + step.life_quarters, number] = -step.residual
    wait = np.arange(len(share))[None, :] - np.arange(ages)[:, None]
    factor = np.where(wait >= 0, inputs.tail_discount ** np.maximum(wait, 0), 0.0)
    return (share[:ages], factor @ share), (back[:ages], factor @ back)
