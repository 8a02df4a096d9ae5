"""Collects what happened on every path into an outcome."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from exaplan.domain.futures import World
from exaplan.domain.outcome import Outcome
from exaplan.plan.decided import Decided
from exaplan.plan.inputs import Inputs
from exaplan.plan.layout import CHIPS, FLOP, TOKENS, USD
from exaplan.plan.stage import Stage
from exaplan.simulate.cash import Books, Flows
from exaplan.simulate.dispatch import State, Work
from exaplan.simulate.fleet import Fleet
from exaplan.simulate.ledger import LedgerKeeper


class Recorder:
    """One array per figure, filled quarter by quarter."""

    def __init__(self, paths: int, inputs: Inputs) -> None:
        self.sets = inputs.sets
        self.serve = len(inputs.sets.serve)
        self.train = len(inputs.sets.train)
        by_quarter = (paths, inputs.quarters)
        names = ("cash_usd", "revenue_usd", "compute_cost_usd", "capex_usd", "other_cost_usd", "flop", "ratio", "short", "at_work")  # fmt: skip
        self.figures = {name: np.zeros(by_quarter) for name in names}
        tokens = ("demand_tokens", "served_tokens", "lost_tokens")
        self.figures |= {name: np.zeros((*by_quarter, self.serve)) for name in tokens}
        self.fleet: Fleet | None = None
        self.keeper: LedgerKeeper | None = None

    def quarter(  # noqa: PLR0913 - everything that a quarter leaves behind
        self, t: int, stage: Stage, state: State, work: Work, flows: Flows, books: Books, ratio: np.ndarray,
        fleet: Fleet, opened: Books, decided: Decided, node: np.ndarray,
    ) -> None:  # fmt: skip
        """Record one quarter; paths that were ruined before it (``opened``) count as zero; ``node`` [path]."""
        self.fleet, alive, brought = fleet, opened.alive, decided.brought[node]
        if self.keeper is not None:
            chips = decided.rows.get("chips")
            further = None if chips is None else chips[node]
            self.keeper.money(t, flows, opened, books)
            self.keeper.activity(t, stage, state, work, alive=alive, ratio=ratio, further=further)
        money = {
            "revenue_usd": flows.revenue, "compute_cost_usd": flows.compute_cost, "capex_usd": flows.capex,
            "other_cost_usd": flows.other_cost, "cash_usd": books.cash,
        }  # fmt: skip
        for name, values in money.items():
            self.figures[name][:, t] = np.where(alive, values, 0.0) * USD
        wanted = stage.demand * state.asked(self.sets) + brought
        served = work.output[:, : self.serve].sum(axis=2)
        for name, values in (
            ("demand_tokens", wanted),
            ("served_tokens", served),
            ("lost_tokens", state.lost),
        ):
            self.figures[name][:, t] = np.where(alive[:, None], values, 0.0) * TOKENS
        self.figures["flop"][:, t] = (
            work.output[:, self.serve : self.serve + self.train].sum(axis=(1, 2)) * FLOP
        )
        self.figures["ratio"][:, t] = ratio
        self.figures["at_work"][:, t] = (work.work @ stage.block_share).sum(axis=1) * CHIPS
        if work.short.shape[1]:
            self.figures["short"][:, t] = work.short[:, 0].max(axis=1)

    def outcome(
        self,
        value_usd: np.ndarray,
        books: Books,
        nodes: np.ndarray,
        world: World,
        back: np.ndarray,
        seed: int,
    ) -> Outcome:
        """Put the paths back into the order in which they were given."""
        ordered = self.fleet.ordered if self.fleet is not None else np.zeros((len(back), 0, 0))
        ledger = None
        if self.keeper is not None and self.fleet is not None:
            ledger = self.keeper.ledger(self.fleet, world, nodes, back=back)
        return Outcome(
            seed=seed,
            value_usd=value_usd[back],
            ruined_in=books.ruined_in[back],
            node=nodes[back],
            ordered=ordered[back] * CHIPS,
            rental_index=world.rental_index[back],
            late=world.slip.max(axis=2, initial=0)[back],
            future=world.future[back],
            ledger=ledger,
            **{name: values[back] for name, values in self.figures.items()},
        )


def joined(outcomes: list[Outcome], path: np.ndarray) -> Outcome:
    """Put batches of paths together; ``path`` tells which path each of their rows is, in turn. Ledgers do not join."""
    back = np.argsort(path)
    names = [name for name, values in vars(outcomes[0]).items() if isinstance(values, np.ndarray)]
    fields: dict[str, Any] = {
        name: np.concatenate([getattr(each, name) for each in outcomes])[back] for name in names
    }
    return replace(outcomes[0], **fields)
