"""The price of an offer at which it is worth nothing any more: solved again and again with the price moved."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.clauses import Signed
from exaplan.app.ground import Ground, again_from
from exaplan.app.variants import priced_at
from exaplan.plan.formulation import Program, build_program
from exaplan.plan.inputs import collect
from exaplan.plan.layout import USD
from exaplan.plan.solve import Solved, solve_program

CLOSE_PRICE = 0.005
"""Relative width at which the search for a price ends."""

DEARER = (1.1, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
CHEAPER = (0.9, 0.8, 0.65, 0.5, 0.35, 0.25, 0.125, 0.0625)
"""Multiples of the offered price between which the search looks, nearest first; beyond them it gives up."""

MOST_SECANTS = 8

WORTH_LEFT = 1e-3
"""An offer is worth nothing where no more than this share of its worth as offered is left."""

NOISE = 1e-6
"""Share of the objective below which a difference of two solves is rounding."""


@dataclass(frozen=True)
class Bare:
    """A plan as offered and the same plan without the offer: what a price has to keep apart."""

    ground: Ground
    offer: Signed
    number: int  # of the offer among the orderable ones
    never: Solved

    @property
    def worth(self) -> float:
        """Objective with the offer minus without, M$."""
        return self.ground.solved.solution.objective - self.never.solution.objective

    @property
    def nothing(self) -> float:
        """Worth below which the offer is worth nothing, M$."""
        return max(WORTH_LEFT * self.worth, NOISE * abs(self.never.solution.objective))


@dataclass(frozen=True)
class Search:
    """Where a price search ended: the factor on the price, None where there is none, and every price tried."""

    factor: float | None
    note: str
    tried: tuple[tuple[float, float], ...]  # (factor, worth in USD)


def bare(ground: Ground, offer: Signed) -> Bare:
    """Solve the plan without the offer."""
    number = [source.id for source in ground.solved.program.inputs.sets.orderable].index(offer.id)
    return Bare(ground, offer, number, barred(ground.solved, number))


def barred(base: Solved, number: int, before: int | None = None) -> Solved:
    """Solve a plan in which an offer is not signed before a quarter, counted from the first; None: never."""
    program = base.program
    order = program.columns.order
    upper = program.model.upper[order.span].reshape(order.shape).copy()
    quarter = program.inputs.quarter[: len(upper)]
    upper[quarter < (program.inputs.quarters if before is None else before), number] = 0.0
    changed = Program(program.inputs, program.model.with_changes(upper={"order": upper}), program.columns)
    return solve_program(changed, start=base.solution.basis)


def walk_away(case: Bare) -> Search:
    """Search the price at which the plan with the offer is worth no more than without, to half a per cent.

    Worth falls with the price and never rises again, so the search is a bisection; every solve starts at the last.
    """
    ground, tried, last = case.ground, [], case.ground.solved

    def worth(factor: float) -> float:
        nonlocal last
        lab = priced_at(ground.lab, case.offer.id, factor)
        last = again_from(last, collect(lab, ground.rates, ground.tree))
        found = last.solution.objective - case.never.solution.objective
        tried.append((factor, found * USD))
        return found

    tried.append((1.0, case.worth * USD))
    wanted, low, high = case.worth > case.nothing, 1.0, 1.0
    for factor in DEARER if wanted else CHEAPER:
        still = worth(factor) > case.nothing
        low, high = (factor, high) if still else (low, factor)
        if still != wanted:
            break
    else:
        end = f"still worth something at {DEARER[-1]:g} times the price"
        return Search(
            None, end if wanted else f"worth nothing even at {CHEAPER[-1]:.0%} of the price", tuple(tried)
        )
    while high / low > 1 + CLOSE_PRICE:
        middle = float(np.sqrt(low * high))
        if worth(middle) > case.nothing:
            low = middle
        else:
            high = middle
    return Search(float(np.sqrt(low * high)), "", tuple(tried))


def volume_break_even(case: Bare) -> float | None:
    """Price factor at which the plan's own orders of the offer, taken or left as a whole, are worth nothing.

    Orders of the offer are held at the plan's; everything else answers to the price. None where nothing is ordered.
    """
    ground = case.ground
    if case.worth <= case.nothing:
        return None
    order = ground.solved.program.columns.order
    held = np.maximum(ground.solved.value(order)[:, case.number], 0.0)

    def worth(factor: float) -> float:
        lab = priced_at(ground.lab, case.offer.id, factor)
        inputs = collect(lab, ground.rates, ground.tree)
        program = build_program(inputs.around(ground.solved.program.inputs.reference_ratio))
        lower = np.zeros(order.shape)
        upper = program.model.upper[order.span].reshape(order.shape).copy()
        lower[:, case.number] = upper[:, case.number] = np.minimum(held, upper[:, case.number])
        model = program.model.with_changes(lower={"order": lower}, upper={"order": upper})
        solved = solve_program(replace(program, model=model), start=ground.solved.solution.basis)
        return solved.solution.objective - case.never.solution.objective

    before, at, factor = (1.0, case.worth), worth(1.2), 1.2
    for _ in range(MOST_SECANTS):
        slope = (at - before[1]) / (factor - before[0])
        if slope >= 0:
            return None
        step = -at / slope
        before = (factor, at)
        factor = max(factor + step, 1.0)
        if abs(step) < CLOSE_PRICE * factor:
            break
        at = worth(factor)
    return factor
