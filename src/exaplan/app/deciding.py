"""Which inputs decide: each is set low and high, the plan is solved again on a tree of a few leaves."""

from __future__ import annotations

from dataclasses import dataclass

from exaplan.app.variants import Knob, coarse, knobs_of
from exaplan.domain.answer import DecidingInput
from exaplan.domain.lab import Lab
from exaplan.domain.rates import RateTable
from exaplan.economy.tree import grow_tree
from exaplan.optimize.highs import Basis
from exaplan.plan.accounts import FEW_CHIPS, contract_value
from exaplan.plan.inputs import collect
from exaplan.plan.result import to_plan
from exaplan.plan.solve import Solved, solve_plan

KEPT = 3
"""Inputs that are named."""

HALVINGS = 2
"""Steps of the search for the value at which the first signature flips."""


@dataclass(frozen=True)
class Screen:
    """The coarse plan that inputs are tried on: its signature of the first quarter, and its value."""

    lab: Lab
    rates: RateTable
    offer: str | None
    chips: float
    value_usd: float
    basis: Basis | None  # every variant has the same shape and starts here

    def move(self, knob: Knob, at: float) -> tuple[float, float]:
        """Set one input; returns the plan's value and the chips of the first signature."""
        lab, rates = knob.at(self.lab, self.rates, at)
        plan = to_plan(_solve(coarse(lab), rates, self.basis))
        chips = float(plan.ordered[0, plan.offers.index(self.offer)]) if self.offer in plan.offers else 0.0
        return plan.value_usd, chips


def deciding_inputs(lab: Lab, rates: RateTable) -> tuple[DecidingInput, ...]:
    """Name the inputs whose plausible range moves the plan's value most, and where the first signature flips.

    Values are those of the coarse tree. The first signature is the lab's ``decision`` where it is signed at once, else
    the one of the first quarter that commits most; it flips where its order falls below half.
    """
    screen = _screen(lab, rates)
    rows = []
    for knob in knobs_of(lab, rates, screen.offer):
        low, high = screen.move(knob, knob.low), screen.move(knob, knob.high)
        rows.append((abs(high[0] - low[0]), knob, low, high))
    rows.sort(key=lambda row: (-row[0], row[1].name))
    return tuple(
        DecidingInput(
            name=knob.name,
            value=knob.now,
            low=knob.show(knob.low),
            high=knob.show(knob.high),
            value_at_low_usd=low[0],
            value_at_high_usd=high[0],
            flips_at=_flip(screen, knob, (low[1], high[1])),
            source=knob.origin,
        )
        for _, knob, low, high in rows[:KEPT]
    )


def _screen(lab: Lab, rates: RateTable) -> Screen:
    solved = _solve(coarse(lab), rates, None)
    plan, inputs = to_plan(solved), solved.program.inputs
    committed = plan.ordered[0] * contract_value(inputs)[0]
    signed = [offer for offer, chips in zip(plan.offers, plan.ordered[0], strict=True) if chips > FEW_CHIPS]
    largest = plan.offers[int(committed.argmax())] if signed else None
    offer = lab.decision if lab.decision in signed else largest
    chips = float(plan.ordered[0, plan.offers.index(offer)]) if offer else 0.0
    return Screen(lab, rates, offer, chips, plan.value_usd, solved.solution.basis)


def _solve(lab: Lab, rates: RateTable, basis: Basis | None) -> Solved:
    return solve_plan(collect(lab, rates, grow_tree(lab)), start=basis)


def _flip(screen: Screen, knob: Knob, orders: tuple[float, float]) -> str | None:
    """Value of the input at which the first order halves, by bisection towards the end where it does."""
    if screen.offer is None:
        return None
    for end, order in zip((knob.low, knob.high), orders, strict=True):
        if order < screen.chips / 2:
            stays, flips = knob.base, end
            for _ in range(HALVINGS):
                middle = (stays + flips) / 2
                if screen.move(knob, middle)[1] < screen.chips / 2:
                    flips = middle
                else:
                    stays = middle
            return f"{screen.offer}: {knob.show((stays + flips) / 2)}"
    return None
