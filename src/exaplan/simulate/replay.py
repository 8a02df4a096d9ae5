"""Replay a plan on simulated futures, quarter by quarter.

An order rule wishes, by default for the orders of the nearest node; it is clipped to what is allowed and affordable. The quarter's
chips are dispatched by the stage rows at that node's prices; where the path stands exactly on the tree, the plan's own
dispatch (one of that program's optima) is followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from exaplan.domain.futures import World
from exaplan.domain.outcome import Outcome
from exaplan.economy.state import states
from exaplan.plan.decided import decided_of
from exaplan.plan.inputs import growth_of, recipe_of
from exaplan.plan.layout import USD
from exaplan.plan.result import stage_worth
from exaplan.plan.services import flop_of_runs
from exaplan.plan.solve import Solved
from exaplan.simulate.cash import Draws, Further, close_quarter, flows_of, opening_books
from exaplan.simulate.dispatch import CHUNK, Map, State, Work, priced_for, run_quarter
from exaplan.simulate.ledger import LedgerKeeper
from exaplan.simulate.mapping import nearest_nodes
from exaplan.simulate.on_tree import ON_TREE, as_planned, demand_effect_of
from exaplan.simulate.programs import most_own_chips, respins_beyond_plan
from exaplan.simulate.quarter import Quarter, opening_fleet, opening_state, quarter_of
from exaplan.simulate.record import Recorder, joined
from exaplan.simulate.renewals import Beyond, renewals_of
from exaplan.simulate.signing import (
    Known,
    OrderRule,
    PlanOrders,
    draws_of,
    gated_offers,
    most_allowed,
    sign,
    spare_of,
)

BATCH = CHUNK
"""Paths that live side by side in one thread; fixed, so that answers do not depend on the number of workers."""


def replay(
    solved: Solved,
    world: World,
    *,
    seed: int,
    orders: OrderRule | None = None,
    absorbing: bool = True,
    itemize: bool = False,
    together: bool = False,
    map: Map = map,  # noqa: A002
) -> Outcome:
    """Replay a solved plan on futures.

    ``world`` has leading axes [path, quarter]; ``orders`` decides what is signed (None: the plan's nodes). With
    ``absorbing`` a ruined path stops; else its shortfall is put in at face value. ``itemize`` keeps the ledger: every
    flow of money by name. Paths live in batches, of fixed size so that any ``map`` over them gives the same bytes;
    ``together`` is for a rule that must see all paths at once: then only programs are mapped.
    """
    inputs = solved.program.inputs
    nodes, distance = nearest_nodes(inputs.tree, states(world))
    # neighbors share optimal bases
    order = np.lexsort((world.demand_tokens[:, -1].sum(axis=1), nodes[:, -1]))
    size = max(1, len(order)) if together or itemize else BATCH
    batches = [order[begin : begin + size] for begin in range(0, len(order), size)]
    ground = _Ground(solved, orders or PlanOrders(solved), absorbing=absorbing, itemize=itemize)

    def lived(batch: np.ndarray, programs: Map) -> Outcome:
        seen = World(*(field[batch] for field in vars(world).values()))
        lives = _Lives(ground, seen, nodes[batch], distance[batch], programs)
        for t in range(inputs.quarters):
            lives.live(t)
        lives.live(inputs.quarters)  # the tail stage
        return lives.outcome(seed, np.argsort(batch))

    if len(batches) <= 1:
        return lived(order, map)
    found = list(map(lambda batch: lived(batch, _one_by_one), batches))
    return joined(found, np.concatenate([np.sort(batch) for batch in batches]))


def _one_by_one(function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Map where one stands: the other threads have batches of their own."""
    return [function(item) for item in items]


class _Ground:
    """What all batches of paths share: the plan, as replays read it, and how orders are decided."""

    def __init__(self, solved: Solved, rule: OrderRule, *, absorbing: bool, itemize: bool) -> None:
        self.solved, self.rule, self.absorbing, self.itemize = solved, rule, absorbing, itemize
        self.worth, self.decided, self.gated = stage_worth(solved), decided_of(solved), gated_offers(solved)


class _Lives:
    """The lab on every path of a batch at once, from its first quarter to the tail stage."""

    def __init__(
        self, ground: _Ground, world: World, nodes: np.ndarray, distance: np.ndarray, map: Map  # noqa: A002
    ) -> None:  # fmt: skip
        self.solved, self.inputs, self.rule = ground.solved, ground.solved.program.inputs, ground.rule
        self.worth, self.decided, self.gated = ground.worth, ground.decided, ground.gated
        self.world, self.nodes, self.distance, self.map = world, nodes, distance, map
        self.absorbing, paths = ground.absorbing, len(nodes)
        self.renewals = renewals_of(self.solved, world)
        self.fleet, self.state = opening_fleet(self.solved, world), opening_state(self.solved, paths)
        self.books = opening_books(self.inputs.lab.finance, paths)
        self.ratio = np.full(paths, self.inputs.ratio_start)
        self.recorder = Recorder(paths, self.inputs)
        self.recorder.keeper = LedgerKeeper(self.solved, paths) if ground.itemize else None

    def live(self, t: int) -> None:
        """Live one quarter: sign, dispatch, pay, close the books; ``t`` at the horizon is the tail stage."""
        inputs, finance = self.inputs, self.inputs.lab.finance
        tail = t == inputs.quarters
        now = quarter_of(self.solved, self.world, self._nodes_at(t), t)
        left = self.state.left
        self._enter(now)
        draws = draws_of(self.solved, self.world, now.node, t)
        deposit = np.zeros(len(now.node)) if tail else self._sign(now, draws)
        beyond = self.renewals.renew(self.world, now.node, t, fleet=self.fleet, left=self.state.left)
        work = self._work(now, beyond)
        flows = flows_of(
            finance, inputs.sets, now.stage, now.deals, self.fleet, self.books, work,
            quarter=t, left=(left, self.state.left), deposit=deposit, further=beyond.money(self._further(now)),
        )  # fmt: skip
        opened, weight = self.books, (inputs.discount[now.node[0]], inputs.cash_worth[now.node[0]])
        books = close_quarter(
            finance, opened, flows, draws, weight=(float(weight[0]), float(weight[1])), tail=tail,
            absorbing=self.absorbing,
        )  # fmt: skip
        self.books = replace(books, ruined_in=np.where(books.ruined_in == -2, t, books.ruined_in))
        if not tail:
            self.recorder.quarter(
                t, now.stage, self.state, work, flows, self.books, self.ratio, self.fleet, opened, self.decided,
                now.node,
            )  # fmt: skip
            self._age(t, work)

    def outcome(self, seed: int, back: np.ndarray) -> Outcome:
        """Give what happened, paths in the order ``back``."""
        value = self.books.earned - self.books.paid_in
        return self.recorder.outcome(value * USD, self.books, self.nodes, self.world, back, seed)

    def _nodes_at(self, t: int) -> np.ndarray:
        """Node that each path resembles; in the tail stage the one after its leaf [path]."""
        inputs = self.inputs
        if t < inputs.quarters:
            return np.asarray(self.nodes[:, t])
        return np.asarray(inputs.tree_nodes + np.searchsorted(inputs.leaves, self.nodes[:, -1]))

    def _enter(self, now: Quarter) -> None:
        """Bring the state into the quarter: stock as it arrives, and what follows the plan's node."""
        columns, value = self.solved.program.columns, self.solved.value
        self.state = replace(
            self.state,
            stock=self.fleet.stock(now.number),
            left=np.maximum(self.state.left, value(columns.left)[now.node]),
            finished=value(columns.finished)[now.node],
            offered=value(columns.offered)[now.node],
            brought=self.decided.brought[now.node],
        )

    def _sign(self, now: Quarter, draws: Draws) -> np.ndarray:
        """Sign the quarter's orders; returns deposits paid, M$ [path]."""
        deposit = sign(self.solved, self.rule, self._known(now), self.fleet, draws)
        self.state = replace(self.state, stock=self.fleet.stock(now.number))  # what has no lead works at once
        return deposit

    def _known(self, now: Quarter) -> Known:
        """Collect what an order rule may look at: nothing beyond the quarter."""
        most = most_allowed(self.solved, now.deals, self.decided, self.gated, now.node)
        own_chips = most_own_chips(self.solved, self.world, now.node, now.number)
        return Known(
            quarter=now.number,
            world=World(*(field[:, : now.number + 1] for field in vars(self.world).values())),
            node=now.node, inputs=self.inputs, stage=now.stage, deals=now.deals, state=self.state, ratio=self.ratio,
            books=self.books, ordered=self.fleet.ordered, rent=self.fleet.rent, capex=self.fleet.capex,
            spare=spare_of(self.inputs.lab.finance, self.books),
            most=most if own_chips is None else np.minimum(most, own_chips),
        )  # fmt: skip

    def _work(self, now: Quarter, beyond: Beyond) -> Work:
        """Dispatch the quarter; where a path stands exactly on the tree, as the plan does."""
        inputs, node = self.inputs, now.node
        near = self.distance[:, min(now.number, inputs.quarters - 1)] < ON_TREE
        exact = near & beyond.nothing & as_planned(self.solved, self.state, now.stage, self.ratio, node)
        self.state = replace(self.state, effect=demand_effect_of(self.solved, self.ratio, node, exact))
        exact &= self.books.alive
        own = {name: self.solved.value(getattr(self.solved.program.columns, name))[node] for name in Work.__dataclass_fields__}  # fmt: skip
        found = {name: np.where(exact.reshape(-1, *[1] * (v.ndim - 1)), v, 0.0) for name, v in own.items()}
        rest = np.flatnonzero(self.books.alive & ~exact)
        if len(rest):
            prices = priced_for(self.worth, node, inputs.sets, now.stage, inputs.stage)
            prices = {name: values[rest] for name, values in prices.items()}
            part = State(*(field[rest] for field in vars(self.state).values()))
            added = {name: amount[node[rest]] for name, amount in self.decided.rows.items()}
            for name, amount in beyond.rows(now.stage).items():
                added[name] = added.get(name, 0.0) + amount[rest]
            work = run_quarter(inputs.sets, now.stage.take(rest), part, prices, decided=added, map=self.map)
            for name, values in found.items():
                values[rest] = getattr(work, name)
        return Work(**found)

    def _further(self, now: Quarter) -> Further:
        """Pick the money of decisions beside the core program at each path's node; re-spins are the path's own."""
        decided, node = self.decided, now.node
        cost = respins_beyond_plan(self.solved, self.world, node, now.number)
        named = {name: amount[node] for name, amount in decided.flows.items()}
        named["silicon_respins"] = named.get("silicon_respins", np.zeros(len(node))) - cost
        rest = {name: getattr(decided, name)[node] for name in ("given", "revenue_rate", "revenue_paid")}
        return Further(flows=named, profit=decided.profit[node] - cost, **rest)

    def _age(self, t: int, work: Work) -> None:
        """Lost demand and capability of the next quarter (rows 8 and 9), on each path's own news."""
        inputs, world, state = self.inputs, self.world, self.state
        last = t + 1 == inputs.quarters
        now, then = world.demand_tokens[:, t], world.demand_tokens[:, t if last else t + 1]
        recovery = np.array([workload.recovery for workload in inputs.sets.serve])
        churn = np.array([workload.churn_when_unserved for workload in inputs.sets.serve])
        away = churn * work.unserved.sum(axis=2)
        away[:, inputs.sets.churn_serve] += work.leaving
        lost = growth_of(now, then) * ((1 - recovery) * state.lost + away)
        law = inputs.lab.capability
        if law is not None:
            pace = (1 + law.frontier_growth.median) ** 0.25
            frontier = world.frontier[:, t]
            ahead = frontier * pace if last else world.frontier[:, t + 1]
            keep = (1 - law.decay) * frontier / ahead
            inflow = (pace - (1 - law.decay)) * recipe_of(law, world.algorithm[:, t], t) / ahead
            # what runs of the node took beyond a path's development is owed, but nobody forgets more than is known
            self.ratio = np.maximum(keep * self.ratio + inflow * work.progress, 0.0)
        ready = state.ready + work.distil / flop_of_runs(inputs.sets)
        self.state = replace(state, lost=lost, ready=ready)
