"""Replay a plan on simulated futures, quarter by quarter.

Off the tree a path follows the orders of the nearest node, clipped to what is allowed and affordable; the quarter's
chips are dispatched by the stage rows at that node's prices; where the path stands exactly on the tree, the plan's own
dispatch (one of that program's optima) is followed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from exaplan.domain.futures import World
from exaplan.domain.lab import Finance
from exaplan.domain.outcome import Outcome
from exaplan.economy.state import states
from exaplan.plan.calendar import TO_THE_END, cohorts_of
from exaplan.plan.decided import Decided, decided_of
from exaplan.plan.inputs import Deals, deals_of, demand_effect, growth_of
from exaplan.plan.layout import USD
from exaplan.plan.result import stage_worth
from exaplan.plan.services import flop_of_runs
from exaplan.plan.solve import Solved
from exaplan.plan.stage import Stage, stage_of_lab
from exaplan.plan.supply_rows import whole_lots
from exaplan.simulate.cash import Books, Draws, Further, close_quarter, flows_of, opening_books
from exaplan.simulate.dispatch import Map, State, Work, priced_for, ratio_of, run_quarter
from exaplan.simulate.fleet import Fleet, Tail, empty_fleet
from exaplan.simulate.mapping import nearest_nodes
from exaplan.simulate.record import Recorder

ON_TREE = 1e-9
ALMOST = 1e-6
"""Part of a lot by which a whole one may be missed in rounding."""


def replay(
    solved: Solved,
    world: World,
    *,
    seed: int,
    absorbing: bool = True,
    map: Map = map,  # noqa: A002
    progress: Callable[[int, int], object] | None = None,
) -> Outcome:
    """Replay a solved plan on futures.

    ``world`` has leading axes [path, quarter]. With ``absorbing`` a ruined path stops; else its shortfall is put in at
    face value. ``progress`` is called with (quarter, quarters). Deterministic for any ``map``.
    """
    inputs = solved.program.inputs
    nodes, distance = nearest_nodes(inputs.tree, states(world))
    order = np.lexsort(
        (world.demand_tokens[:, -1].sum(axis=1), nodes[:, -1])
    )  # neighbours share optimal bases
    world = World(*(field[order] for field in vars(world).values()))
    nodes, distance = nodes[order], distance[order]
    fleet, paths = _fleet(solved, world), len(order)
    books = opening_books(inputs.lab.finance, paths)
    state = _opening_state(solved, paths)
    worth, recorder, decided = stage_worth(solved), Recorder(paths, inputs), decided_of(solved)
    columns = solved.program.columns
    given = {name: solved.value(getattr(columns, name)) for name in ("finished", "offered")}
    left, ratio = state.left, np.full(paths, inputs.ratio_start)
    for t in range(inputs.quarters + 1):
        tail = t == inputs.quarters
        node = inputs.tree_nodes + np.searchsorted(inputs.leaves, nodes[:, -1]) if tail else nodes[:, t]
        stage, deals = _quarter(solved, world, t)
        before, left = left, np.maximum(left, solved.value(solved.program.columns.left)[node])
        deposit = np.zeros(paths) if tail else _sign(solved, fleet, deals, books, decided, node, t)
        state = replace(
            state, stock=fleet.stock(t), left=left, brought=decided.brought[node],
            **{name: values[node] for name, values in given.items()},
        )  # fmt: skip
        exact = (distance[:, min(t, inputs.quarters - 1)] < ON_TREE) & _as_planned(
            solved, state, stage, ratio, node
        )
        state = replace(state, effect=_effect(solved, ratio, node, exact))
        prices = priced_for(worth, node, inputs.sets, stage, inputs.stage)
        work = _dispatch(solved, stage, state, prices, decided, node, exact & books.alive, books.alive, map)
        flows = flows_of(
            inputs.lab.finance, inputs.sets, stage, deals, fleet, books, work,
            quarter=t, left=(before, left), deposit=deposit,
            further=_further(decided, node),
        )  # fmt: skip
        was_alive = books.alive
        books = close_quarter(
            inputs.lab.finance, books, flows, _draws(solved, node, t),
            weight=(float(inputs.discount[node[0]]), float(inputs.cash_worth[node[0]])), tail=tail, absorbing=absorbing,
        )  # fmt: skip
        books = replace(books, ruined_in=np.where(books.ruined_in == -2, t, books.ruined_in))
        if tail:
            break
        recorder.quarter(t, stage, state, work, flows, books, ratio, fleet, was_alive, decided.brought[node])
        state, ratio = _next(solved, world, state, work, ratio, t)
        if progress is not None:
            progress(t + 1, inputs.quarters)
    value = books.earned - books.paid_in
    return recorder.outcome(value * USD, books, nodes, world, np.argsort(order), seed)


def _further(decided: Decided, node: np.ndarray) -> Further:
    """Pick the money of decisions beside the core program at each path's node."""
    return Further(**{name: getattr(decided, name)[node] for name in Further.__dataclass_fields__})


def _fleet(solved: Solved, world: World) -> Fleet:
    inputs = solved.program.inputs
    tail = Tail(inputs.quarters, inputs.tail_quarters, inputs.tail_margin, inputs.tail_discount)
    end = np.full(len(world.slip), inputs.quarters)
    return empty_fleet(inputs.deals.terms, cohorts_of(inputs.deals.terms, world.lateness, end), tail)


def _opening_state(solved: Solved, paths: int) -> State:
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


def _quarter(solved: Solved, world: World, t: int) -> tuple[Stage, Deals]:
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
    return stage, deals


def _sign(
    solved: Solved, fleet: Fleet, deals: Deals, books: Books, decided: Decided, node: np.ndarray, t: int
) -> np.ndarray:
    """Sign the node's orders, clipped to what is allowed and affordable.

    The node's orders were sized for the node's liquidity: a path that has less signs less, in proportion; and no path
    signs more deposits than it can pay from what it has, or than the plan itself pays there (from the quarter's income).
    """
    columns, finance = solved.program.columns, solved.program.inputs.lab.finance
    own = solved.program.inputs.deals
    most = deals.max_order - deals.priority_lift * (1 - decided.priority[node])
    wish = np.minimum(np.maximum(solved.value(columns.order)[node], 0.0), most)
    wish = np.where(books.alive[:, None], wish, 0.0)
    spare = credit_of(finance) - books.debt + books.cash - finance.cash_minimum_usd / USD
    share = np.minimum(1.0, ratio_of(np.maximum(spare, 0.0), _planned_spare(solved, node, t)))
    wish = wish * share[:, None]
    means = np.maximum(spare + books.receivable, 0.0) + _draws(solved, node, t).planned_raise.sum(axis=1)
    planned = fleet.deposit(solved.value(columns.order)[node], own.rent[node], own.capex[node]).sum(axis=1)
    means = np.maximum(means, share * planned)
    due = fleet.deposit(wish, deals.rent, deals.capex).sum(axis=1)
    share = np.minimum(1.0, ratio_of(means, due))
    chips, paid = wish * share[:, None], due * share
    lot = whole_lots(solved.program.inputs, t)
    if (lot > 0).any():
        chips = np.where(lot > 0, np.floor(chips / np.where(lot > 0, lot, 1.0) + ALMOST) * lot, chips)
        paid = fleet.deposit(chips, deals.rent, deals.capex).sum(axis=1)
    fleet.sign(t, chips, deals.rent, deals.capex)
    return np.asarray(paid)


def _planned_spare(solved: Solved, node: np.ndarray, t: int) -> np.ndarray:
    """Liquidity with which the plan enters each path's node, M$ [path]."""
    inputs, columns = solved.program.inputs, solved.program.columns
    finance = inputs.lab.finance
    if t == 0:
        opening = finance.cash_usd / USD
        debt = finance.debt.outstanding_usd / USD if finance.debt else 0.0
        spare = np.full(len(node), opening - debt)
    else:
        before = inputs.parent[node]
        spare = solved.value(columns.cash)[before] - solved.value(columns.debt)[before]
    return np.maximum(spare + credit_of(finance) - finance.cash_minimum_usd / USD, 0.0)


def credit_of(finance: Finance) -> float:
    """Size of the credit line, M$."""
    return finance.debt.limit_usd / USD if finance.debt else 0.0


def _draws(solved: Solved, node: np.ndarray, t: int) -> Draws:
    columns, inputs = solved.program.columns, solved.program.inputs
    first = inputs.lab.horizon.first
    windows = [chance.first - first <= t <= chance.last - first for chance in inputs.lab.finance.rounds]
    return Draws(
        open_rounds=np.array(windows, dtype=bool) & (t < inputs.quarters),
        planned_raise=np.maximum(solved.value(columns.raised)[node], 0.0),
        planned_debt=np.maximum(solved.value(columns.debt)[node], 0.0),
    )


def _as_planned(
    solved: Solved, state: State, stage: Stage, ratio: np.ndarray, node: np.ndarray
) -> np.ndarray:
    """Whether a path's state and its quarter are the plan's own at its node [path].

    Distance alone does not tell: it leaves out states that move no money on average.
    """
    columns, inputs = solved.program.columns, solved.program.inputs
    own_stage = inputs.stage
    pairs = [
        (state.stock, solved.value(columns.stock)[node]),
        (state.lost, solved.value(columns.lost)[node]),
        (state.left, solved.value(columns.left)[node]),
        (state.ready, solved.value(columns.ready)[node]),
        (stage.demand, own_stage.demand[node]),
        (stage.price, own_stage.price[node]),
        (stage.contract_chips, own_stage.contract_chips[node]),
        (stage.rent_price, own_stage.rent_price[node]),
        (stage.rent_max, own_stage.rent_max[node]),
        (stage.site_power, own_stage.site_power[node]),
    ]
    if inputs.sets.sensitivity.any():
        pairs.append((ratio[:, None], solved.value(columns.ratio)[node][:, None]))
    same = np.ones(len(node), dtype=bool)
    for own, planned in pairs:
        same &= (np.abs(own - planned) <= 1e-6 * (1 + np.abs(planned))).all(axis=1)
    return same


def _effect(solved: Solved, ratio: np.ndarray, node: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Demand effect of capability [path, serve]: the true curve off the tree, the plan's own line where a path is on it."""
    inputs = solved.program.inputs
    line = 1 + solved.value(solved.program.columns.standing)[node][:, None] * inputs.sets.sensitivity
    return np.where(exact[:, None], line, demand_effect(inputs, ratio))


def _dispatch(  # noqa: PLR0913 - everything a quarter stands on
    solved: Solved, stage: Stage, state: State, worth: dict[str, np.ndarray], decided: Decided, node: np.ndarray,
    exact: np.ndarray, alive: np.ndarray, map: Map,  # noqa: A002
) -> Work:  # fmt: skip
    columns = solved.program.columns
    own = {name: solved.value(getattr(columns, name))[node] for name in Work.__dataclass_fields__}
    found = {name: np.where(exact.reshape(-1, *[1] * (v.ndim - 1)), v, 0.0) for name, v in own.items()}
    rest = np.flatnonzero(alive & ~exact)
    if len(rest):
        part = State(*(field[rest] for field in vars(state).values()))
        prices = {name: values[rest] for name, values in worth.items()}
        added = {name: amount[node[rest]] for name, amount in decided.rows.items()}
        work = run_quarter(solved.program.inputs.sets, stage.take(rest), part, prices, decided=added, map=map)
        for name, values in found.items():
            values[rest] = getattr(work, name)
    return Work(**found)


def _next(
    solved: Solved, world: World, state: State, work: Work, ratio: np.ndarray, t: int
) -> tuple[State, np.ndarray]:
    """Lost demand and capability of the next quarter (rows 8 and 9), on each path's own news."""
    inputs = solved.program.inputs
    lab = inputs.lab
    last = t + 1 == inputs.quarters
    now, then = world.demand_tokens[:, t], world.demand_tokens[:, t if last else t + 1]
    growth = growth_of(now, then)
    recovery = np.array([workload.recovery for workload in inputs.sets.serve])
    churn = np.array([workload.churn_when_unserved for workload in inputs.sets.serve])
    away = churn * work.unserved.sum(axis=2)
    away[:, inputs.sets.churn_serve] += work.leaving
    lost = growth * ((1 - recovery) * state.lost + away)
    if lab.capability is not None:
        law = lab.capability
        pace = (1 + law.frontier_growth.median) ** 0.25
        frontier = world.frontier[:, t]
        ahead = frontier * pace if last else world.frontier[:, t + 1]
        keep = (1 - law.decay) * frontier / ahead
        inflow = (pace - (1 - law.decay)) * (1 + law.algorithmic_progress) ** (t / 4) / ahead
        # what runs of the node took beyond a path's development is owed, but nobody forgets more than is known
        ratio = np.maximum(keep * ratio + inflow * work.progress, 0.0)
    ready = state.ready + work.distil / flop_of_runs(inputs.sets)
    return replace(state, lost=lost, ready=ready), ratio
