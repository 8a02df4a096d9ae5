"""One signature examined to the end: sign or not, what waiting costs, what reverses the answer, the worst futures."""

from __future__ import annotations

from dataclasses import dataclass

from exaplan.app.fanout import thread_map
from exaplan.app.pipeline import Planned
from exaplan.app.variants import Knob, from_quarter, knobs_of, without
from exaplan.domain.answer import Flip, Verdict
from exaplan.domain.errors import InputError, Problem
from exaplan.domain.lab import Lab
from exaplan.domain.rates import RateTable
from exaplan.economy.ruin import mean_interval
from exaplan.economy.tree import grow_tree
from exaplan.optimize.highs import solve
from exaplan.plan.accounts import FEW_CHIPS
from exaplan.plan.inputs import collect
from exaplan.plan.layout import USD
from exaplan.plan.result import to_plan
from exaplan.plan.solve import Solved, solve_plan
from exaplan.simulate.replay import replay
from exaplan.simulate.summary import worst_futures


@dataclass(frozen=True)
class Alternative:
    """One full re-solve: the objective and what it signs of the offer now."""

    objective_usd: float
    chips_now: float
    solved: Solved


def examine(planned: Planned, offer: str) -> Verdict:
    """Examine the signature of ``offer`` in the first quarter, by full re-solves on the whole tree.

    Sign now where the plan orders it in the first quarter. The advantage is the plan's value over that of a plan that
    must wait for the second quarter at the earliest where it signs now, else over one that is never offered it.

    Raises
    ------
    InputError
        Where the lab has no such offer that can be signed ahead.
    """
    if offer not in planned.plan.offers:
        raise InputError(_unknown(planned, offer))
    lab, rates = planned.lab, planned.rates
    base = _alternative(planned.solved, offer)
    waiting, never = thread_map(
        lambda changed: _solve(changed, rates, planned, offer),
        (from_quarter(lab, offer, 1), without(lab, offer)),
    )
    forgone = replay(never.solved, planned.world, seed=planned.settings.seed, map=thread_map)
    _, low, high = mean_interval(planned.outcome.value_usd - forgone.value_usd, antithetic=_even(planned))
    knobs = knobs_of(lab, rates, offer)
    ends = [(knob, at) for knob in knobs for at in (knob.low, knob.high)]
    flips = thread_map(lambda end: _flip(planned, end[0], end[1], offer), ends)
    return Verdict(
        offer=offer,
        sign=base.chips_now > FEW_CHIPS,
        quarter=str(lab.horizon.first),
        chips=base.chips_now,
        advantage_usd=base.objective_usd - never.objective_usd,
        cost_of_waiting_usd=base.objective_usd - waiting.objective_usd,
        replay_advantage_ci=(low, high),
        flips=tuple(flips),
        worst=worst_futures(lab, planned.outcome),
    )


def doubts(verdict: Verdict) -> tuple[str, ...]:
    """Say where the replay does not confirm what the tree decides."""
    low, high = verdict.replay_advantage_ci
    if low <= 0.0 <= high:
        return (
            f"A close call: on unseen futures plans with and without {verdict.offer} do not differ clearly.",
        )
    return ()


def _even(planned: Planned) -> bool:
    return len(planned.outcome.value_usd) % 2 == 0


def _unknown(planned: Planned, offer: str) -> Problem:
    known = ", ".join(planned.plan.offers) or "none"
    return Problem(f"no offer {offer!r} that can be signed ahead", suggestion=f"choose one of: {known}")


def _solve(lab: Lab, rates: RateTable, planned: Planned, offer: str) -> Alternative:
    return _alternative(solve_plan(collect(lab, rates, planned.tree)), offer)


def _alternative(solved: Solved, offer: str) -> Alternative:
    plan = to_plan(solved)
    chips = float(plan.ordered[0, plan.offers.index(offer)]) if offer in plan.offers else 0.0
    return Alternative(plan.objective_usd, chips, solved)


def _flip(planned: Planned, knob: Knob, at: float, offer: str) -> Flip:
    """Solve with one input moved; the advantage is over the same plan barred from signing in the first quarter."""
    lab, rates = knob.at(planned.lab, planned.rates, at)
    free = solve_plan(collect(lab, rates, grow_tree(lab, seed=lab.futures.seed)))
    chips = _alternative(free, offer).chips_now
    return Flip(
        f"{knob.name} ({knob.origin})", knob.show(at), chips > FEW_CHIPS, _worth_of_now(free, offer) * USD
    )


def _worth_of_now(free: Solved, offer: str) -> float:
    """Objective lost when the first quarter's order is barred, M$: the same program from its own basis."""
    number = [source.id for source in free.program.inputs.sets.orderable].index(offer)
    upper = free.model.upper[free.program.columns.order.span].reshape(free.program.columns.order.shape).copy()
    upper[0, number] = 0.0
    barred = solve(free.model.with_changes(upper={"order": upper}), start=free.solution.basis)
    return round(
        free.solution.objective - barred.objective, 3
    )  # a thousand dollars; less is the solver's rounding
