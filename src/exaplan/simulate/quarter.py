"""What a simulated quarter stands on: the data of every path, and what a replay opens with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.futures import World
from exaplan.plan.calendar import TO_THE_END, cohorts_of
from exaplan.plan.inputs import Deals, deals_of
from exaplan.plan.solve import Solved
from exaplan.plan.stage import Stage, stage_of_lab
from exaplan.simulate.dispatch import State
from exaplan.simulate.fleet import Fleet, Tail, empty_fleet


@dataclass(frozen=True)
class Quarter:
    """One quarter on every path: its number (the horizon for the tail stage), the nodes that paths resemble, its data."""

    number: int
    node: np.ndarray  # [path]
    stage: Stage  # with the paths as its node axis
    deals: Deals  # likewise


def quarter_of(solved: Solved, world: World, node: np.ndarray, t: int) -> Quarter:
    """Collect the data of quarter ``t`` on every path; in the tail stage the world of the last quarter."""
    inputs = solved.program.inputs
    seen = min(t, inputs.quarters - 1)
    now = World(*(field[:, seen] for field in vars(world).values()))
    paths = len(now.rental_index)
    quarter = np.full(paths, t)
    known = (np.arange(inputs.quarters) <= seen)[:, None]
    slip, standstill = (np.where(known, values, 0) for values in (world.lateness, world.standstill))
    stage = stage_of_lab(
        inputs.lab, inputs.rates, inputs.sets, now, source=np.arange(paths), quarter=quarter, slip=slip,
        standstill=standstill,
        tail=(inputs.quarters, inputs.tail_quarters, inputs.tail_margin),
    )  # fmt: skip
    deals = deals_of(
        inputs.lab, inputs.rates, inputs.sets, inputs.deals.terms, index=now.rental_index, supply=now.to_be_had,
        quarter=quarter, slip=slip, tail=(inputs.quarters, TO_THE_END, inputs.tail_discount),
    )  # fmt: skip
    return Quarter(t, node, stage, deals)


def opening_fleet(solved: Solved, world: World) -> Fleet:
    """Start without orders; what will be late is known to the calendar alone."""
    inputs = solved.program.inputs
    tail = Tail(inputs.quarters, inputs.tail_quarters, inputs.tail_margin, inputs.tail_discount)
    end = np.full(len(world.slip), inputs.quarters)
    return empty_fleet(inputs.deals.terms, cohorts_of(inputs.deals.terms, world.lateness, end), tail)


def opening_state(solved: Solved, paths: int) -> State:
    """Start without stock, lost demand or anything begun."""
    sets = solved.program.inputs.sets
    return State(
        stock=np.zeros((paths, len(sets.orderable))),
        left=np.zeros((paths, len(sets.exits))),
        lost=np.zeros((paths, len(sets.serve))),
        effect=np.ones((paths, len(sets.serve))),
        ready=np.zeros((paths, len(sets.distillations))),
        finished=np.zeros((paths, len(sets.distillations))),
        offered=np.zeros((paths, len(sets.point_serve))),
        brought=np.zeros((paths, len(sets.serve))),
    )
