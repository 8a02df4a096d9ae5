"""One offer to the end: what it is worth, up to which price, by which date, clause by clause, and at what risk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from exaplan.app.clauses import CLAUSES, Changed, Clause, Signed, changes_of
from exaplan.app.fanout import counted_map, thread_map
from exaplan.app.ground import Ground, again, remarks_on, stood_on
from exaplan.app.variants import priced_at
from exaplan.app.walkaway import Bare, Search, bare, barred, volume_break_even, walk_away
from exaplan.domain.errors import InputError, Problem
from exaplan.domain.explained import ClauseWorth, Offered, PricePoint, Wait
from exaplan.domain.futures import Tree, World
from exaplan.domain.lab import Lab
from exaplan.domain.outcome import Outcome
from exaplan.domain.supply import OnDemand, Purchase
from exaplan.economy.ruin import mean_interval
from exaplan.economy.sampling import sample_world
from exaplan.io.located import did_you_mean
from exaplan.plan.accounts import FEW_CHIPS
from exaplan.plan.effective import effective_cost
from exaplan.plan.layout import CHIPS, USD
from exaplan.plan.solve import Solved
from exaplan.simulate.replay import replay
from exaplan.simulate.summary import replay_of

CHEAPER = 0.99
"""Factor on the price by whose worth a clause is told in per cent of the price."""

Z95 = 1.959964


@dataclass(frozen=True)
class Examined:
    """How an offer is examined: futures to replay, their seed, the clauses tried, who is told of progress."""

    paths: int = 500
    seed: int = 1
    clauses: tuple[Clause, ...] = CLAUSES
    tell: Callable[[str], object] = lambda text: None  # noqa: ARG005


@dataclass(frozen=True)
class _Found:
    """What the parallel solves brought."""

    search: Search
    volume: float | None
    cheaper: Solved
    clauses: tuple[tuple[Changed, Solved], ...]
    month: Solved
    waits: tuple[tuple[int, Solved], ...]
    outcome: Outcome
    forgone: Outcome


def named_offer(lab: Lab, name: str) -> Signed:
    """Find an offer that is signed ahead.

    Raises
    ------
    InputError
        Where there is none of that name, saying what the name is instead and which offers there are.
    """
    ahead = [offer for offer in lab.offers if not isinstance(offer, OnDemand) and max(offer.max_order) > 0]
    names = [offer.id for offer in ahead]
    for offer in ahead:
        if offer.id == name:
            return offer
    choose = f"choose one of: {', '.join(names) or 'none'}"
    if any(contract.id == name for contract in lab.contracts):
        reason = f"{name!r} is a contract: it is signed already and sunk"
    elif any(offer.id == name for offer in lab.offers):
        reason = f"{name!r} is rented by the hour, or nothing of it can be ordered: there is nothing to sign"
    else:
        reason, choose = f"no offer {name!r}", did_you_mean(name, names)
    raise InputError(Problem(reason, suggestion=choose))


def examine_offer(
    ground: Ground, name: str, examined: Examined, *, lab_file: str | Path = "", version: str = ""
) -> Offered:
    """Examine one offer by solving the plan again with it changed, all on one tree and side by side.

    Raises
    ------
    InputError
        Where the lab has no such offer.
    """
    offer = named_offer(ground.lab, name)
    case = bare(ground, offer)
    found = _solve_all(case, examined)
    inputs = ground.solved.program.inputs
    orders = np.maximum(ground.solved.value(ground.solved.program.columns.order)[:, case.number], 0.0) * CHIPS
    listed = offer.price_usd_per_chip[0] if isinstance(offer, Purchase) else offer.price_usd_per_chip_h[0]
    effective = effective_cost(ground.solved, case.number)
    change, se = _ruin_change(ground.lab, found)
    gained = found.outcome.value_usd - found.forgone.value_usd
    mean, low, high = mean_interval(gained, antithetic=_even(gained))
    waits = _waits(case, found)
    tolerance = case.nothing * USD
    return Offered(
        stood=stood_on(ground, lab_file=lab_file, version=version),
        offer=offer.id,
        supplier=offer.supplier,
        chip=offer.chip,
        offer_kind=offer.kind,
        price=listed,
        price_unit="USD/chip" if isinstance(offer, Purchase) else "USD/chip/h",
        chips_now=float(orders[0]),
        chips_expected=float(inputs.probability[: inputs.tree_nodes] @ orders),
        worth_usd=case.worth * USD,
        walk_away_price=None if found.search.factor is None else listed * found.search.factor,
        walk_away_note=found.search.note,
        volume_break_even_price=None if found.volume is None else listed * found.volume,
        prices=tuple(PricePoint(listed * factor, worth) for factor, worth in sorted(found.search.tried)),
        clauses=_clauses(case, found),
        waits=waits,
        sign_by=_last(waits, lambda wait: wait.cost_usd <= tolerance) if case.worth > case.nothing else None,
        worthless_after=_last(waits, lambda wait: wait.worth_left_usd > tolerance),
        usd_per_chip_hour=effective.usd_per_chip_hour,
        usd_per_chip_hour_discounted=effective.usd_per_chip_hour_discounted,
        p_ruin_with=replay_of(ground.lab, found.outcome).p_ruin,
        p_ruin_without=replay_of(ground.lab, found.forgone).p_ruin,
        p_ruin_change=change,
        p_ruin_change_se=se,
        replay_change_usd=mean,
        replay_change_ci=(low, high),
        paths=examined.paths,
        seed=examined.seed,
        remarks=tuple(
            remarks_on(ground, case.never, found.cheaper, found.month, *(s for _, s in found.clauses))
        ),
    )


def _solve_all(case: Bare, examined: Examined) -> _Found:
    """Solve everything that does not wait for something else, side by side; the longest first."""
    ground, lab = case.ground, case.ground.lab
    world = sample_world(lab, paths=examined.paths, seed=examined.seed, purpose="report")
    changed = changes_of(lab, case.offer, examined.clauses)
    quarters = _later_quarters(lab, case.offer)

    def clause(one: Changed) -> Callable[[], Any]:
        return lambda: again(ground, one.lab)

    def wait(quarter: int) -> Callable[[], Any]:
        return lambda: barred(ground.solved, case.number, before=quarter)

    jobs: list[Callable[[], Any]] = [
        lambda: walk_away(case),
        lambda: volume_break_even(case),
        lambda: _replayed(ground.solved, world, examined.seed),
        lambda: _replayed(case.never, world, examined.seed),
        lambda: again(ground, priced_at(lab, case.offer.id, CHEAPER)),
        lambda: again(ground, lab, tree=a_month_sooner(ground.tree)),
        *(clause(one) for one in changed),
        *(wait(quarter) for quarter in quarters),
    ]
    search, volume, outcome, forgone, cheaper, month, *rest = counted_map(
        examined.tell, "parts of the examination"
    )(lambda job: job(), jobs)
    return _Found(
        search=search,
        volume=volume,
        cheaper=cheaper,
        clauses=tuple(zip(changed, rest[: len(changed)], strict=True)),
        month=month,
        waits=tuple(zip(quarters, rest[len(changed) :], strict=True)),
        outcome=outcome,
        forgone=forgone,
    )


def _replayed(solved: Solved, world: World, seed: int) -> Outcome:
    return replay(solved, world, seed=seed, map=thread_map)


def _later_quarters(lab: Lab, offer: Signed) -> list[int]:
    """Quarters from which on the offer could be signed instead, counted from the first; the first window is left out."""
    first = max((offer.first or lab.horizon.first) - lab.horizon.first, 0)
    last = min((offer.last or lab.horizon.last) - lab.horizon.first, lab.horizon.quarters - 1)
    return list(range(first + 1, last + 1))


def a_month_sooner(tree: Tree) -> Tree:
    """Let every workload's demand come a month sooner: a third of the way to what is expected of the next quarter.

    The growth is geometric; the last quarter grows on as in the step that led to it.
    """
    demand = tree.world.demand_tokens
    later = np.zeros_like(demand)
    children = np.arange(1, len(tree.parent))
    share = tree.probability[children] / tree.probability[tree.parent[children]]
    np.add.at(later, tree.parent[children], share[:, None] * demand[children])
    before = demand[np.maximum(tree.parent, 0)]
    grown = np.divide(demand, before, out=np.ones_like(demand), where=before > 0)
    last = tree.stage == tree.stage.max()
    later = np.where(last[:, None], demand * grown, later)
    moved = np.power(demand, 2 / 3) * np.power(later, 1 / 3)
    return replace(tree, world=replace(tree.world, demand_tokens=moved))


def _clauses(case: Bare, found: _Found) -> tuple[ClauseWorth, ...]:
    """Worth of each change, largest first, and the share of the price that is worth the same."""
    base = case.ground.solved.solution.objective
    per_point = (found.cheaper.solution.objective - base) / (1 - CHEAPER)
    noise = NOISE_PRICE * abs(base)

    def row(name: str, now: str, instead: str, solved: Solved) -> ClauseWorth:
        gain = solved.solution.objective - base
        equal = gain / per_point if per_point > noise else None
        return ClauseWorth(name, now, instead, gain * USD, equal)

    rows = [row(one.clause, one.now, one.instead, solved) for one, solved in found.clauses]
    rows.sort(key=lambda one: (-one.gain_usd, one.clause))
    return (*rows, row("all demand a month sooner", "as forecast", "a month sooner", found.month))


NOISE_PRICE = 1e-6
"""Share of the objective below which the worth of a lower price is rounding."""


def _waits(case: Bare, found: _Found) -> tuple[Wait, ...]:
    """Cost of waiting by quarter; the first row is the plan itself."""
    ground = case.ground
    base, never = ground.solved.solution.objective, case.never.solution.objective
    inputs = ground.solved.program.inputs
    chance = inputs.probability[: inputs.tree_nodes]
    first = max((case.offer.first or ground.lab.horizon.first) - ground.lab.horizon.first, 0)
    rows = []
    for quarter, solved in ((first, ground.solved), *found.waits):
        at = solved.solution.objective
        chips = float(chance @ np.maximum(solved.value(solved.program.columns.order)[:, case.number], 0.0))
        rows.append(
            Wait(
                str(ground.lab.horizon.first + quarter),
                max(base - at, 0.0) * USD,
                max(at - never, 0.0) * USD,
                chips * CHIPS if chips * CHIPS > FEW_CHIPS else 0.0,
            )
        )
    return tuple(rows)


def _last(waits: tuple[Wait, ...], holds: Callable[[Wait], bool]) -> str | None:
    quarters = [wait.from_quarter for wait in waits if holds(wait)]
    return quarters[-1] if quarters else None


def _ruin_change(lab: Lab, found: _Found) -> tuple[float, float]:
    """P(ruin) with minus without on the same futures, and the standard error of that difference."""
    within = lab.policy.ruin.within_quarters if lab.policy.ruin else None

    def ruined(outcome: Outcome) -> np.ndarray:
        at = outcome.ruined_in
        return np.asarray((at >= 0) & ((at < within) if within is not None else True), dtype=float)

    difference = ruined(found.outcome) - ruined(found.forgone)
    mean, low, high = mean_interval(difference, antithetic=_even(difference))
    return mean, (high - low) / (2 * Z95)


def _even(values: np.ndarray) -> bool:
    return len(values) % 2 == 0 and len(values) > 2
