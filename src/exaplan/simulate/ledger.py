"""Keeps the ledger of a replay: every flow by name, quarter by quarter, and in the end what was bought and rented."""

from __future__ import annotations

import numpy as np

from exaplan.domain.futures import NEVER, World
from exaplan.domain.ledger import Activity, Ledger, Opening
from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.economy.statements import h100_equivalents
from exaplan.plan.further_stocks import renewals_prepaid, supplier_loans_owed
from exaplan.plan.layout import CHIPS, TOKENS, USD, WATTS
from exaplan.plan.solve import Solved
from exaplan.plan.stage import Stage
from exaplan.simulate.cash import Books, Flows
from exaplan.simulate.dispatch import State, Work
from exaplan.simulate.fleet import Fleet
from exaplan.simulate.holdings import purchases_of, reservations_of
from exaplan.simulate.holdings_worth import economic_value

SECONDS_PER_HOUR = 3600
BOOKS = ("cash", "debt", "receivable", "losses_carried")


class LedgerKeeper:
    """Fills the ledger; arrays are [path, quarter] in the order of the replay."""

    def __init__(self, solved: Solved, paths: int) -> None:
        inputs = solved.program.inputs
        self.solved, self.inputs, self.sets = solved, inputs, inputs.sets
        self.shape = (paths, inputs.quarters)
        self.flows: dict[str, np.ndarray] = {}
        self.revenues = {workload.id: np.zeros(self.shape) for workload in self.sets.serve}
        self.books = {name: np.zeros(self.shape) for name in BOOKS}
        self.ended = np.full(paths, NEVER)
        self.hours: dict[str, dict[str, np.ndarray]] = {
            name: {w: np.zeros(self.shape) for w in self.sets.workloads} for name in ("h100e", "chip")
        }
        self.output, self.peak = (
            {name: np.zeros(self.shape) for name in self.sets.workloads} for _ in range(2)
        )
        self.wanted = {workload.id: np.zeros(self.shape) for workload in self.sets.serve}
        self.ratio = np.ones(self.shape)
        self.live = {name: np.zeros(self.shape) for name in ("h100e", "chip", "w")}
        sources = (*self.sets.contracts, *self.sets.orderable, *self.sets.hourly)
        self.suppliers = {
            name: np.zeros(self.shape) for name in sorted({source.supplier for source in sources})
        }
        chips = [inputs.lab.chips[name] for name, _ in self.sets.groups]
        self.h100e = h100_equivalents(1.0, [chip.dense_8bit_op_per_s for chip in chips])
        self.peak_flop_per_s = np.array([chip.bf16_flop_per_s or chip.dense_8bit_op_per_s for chip in chips])

    def money(self, t: int, flows: Flows, before: Books, books: Books) -> None:
        """Record the money of one quarter; paths that were ruined before count as zero."""
        drawn, alive = books.drawn, before.alive
        assert drawn is not None  # noqa: S101 - close_quarter always tells what it drew
        for name, amount in (*flows.items.items(), *drawn.items.items()):
            if name not in self.flows:
                self.flows[name] = np.zeros(self.shape)
            self.flows[name][:, t] = np.where(alive, amount, 0.0) * USD
        for number, workload in enumerate(self.sets.serve):
            self.revenues[workload.id][:, t] = np.where(alive, flows.revenues[:, number], 0.0) * USD
        stocks = (books.cash, drawn.debt, drawn.receivable, drawn.carried)
        for name, amount in zip(BOOKS, stocks, strict=True):
            self.books[name][:, t] = np.where(alive, amount, 0.0) * USD
        self.ended = np.where(alive & ~books.alive, t, self.ended)

    def activity(
        self, t: int, stage: Stage, state: State, work: Work, *, alive: np.ndarray, ratio: np.ndarray,
        further: np.ndarray | None,
    ) -> None:  # fmt: skip
        """Record what was up and at work in one quarter; paths not ``alive`` count as zero.

        ``ratio`` is capability over the frontier [path]; ``further`` is what further decisions add to the left side of
        ``chips`` [path, group, block].
        """
        self.ratio[:, t] = ratio
        self._work(t, stage, state, work, alive)
        self._live(t, stage, state, work, further, alive)

    def _work(self, t: int, stage: Stage, state: State, work: Work, alive: np.ndarray) -> None:
        busy = (work.work @ stage.block_share) * CHIPS * HOURS_PER_QUARTER * alive[:, None]
        weighted = busy * self.h100e[self.sets.arc_group]
        peak = busy * self.peak_flop_per_s[self.sets.arc_group] * SECONDS_PER_HOUR
        for number, name in enumerate(self.sets.workloads):
            own = self.sets.arc_workload == number
            self.hours["chip"][name][:, t] = busy[:, own].sum(axis=1)
            self.hours["h100e"][name][:, t] = weighted[:, own].sum(axis=1)
            self.peak[name][:, t] = peak[:, own].sum(axis=1)
            self.output[name][:, t] = work.output[:, number].sum(axis=1) * self.sets.unit[number] * alive
        wanted = stage.demand * state.asked(self.sets) + state.brought
        for number, workload in enumerate(self.sets.serve):
            self.wanted[workload.id][:, t] = wanted[:, number] * TOKENS * alive

    def _live(
        self, t: int, stage: Stage, state: State, work: Work, further: np.ndarray | None, alive: np.ndarray
    ) -> None:  # fmt: skip
        sets = self.sets
        signed = stage.contract_chips.copy()
        signed[:, sets.exits] *= 1 - state.left
        rented = (work.rent @ stage.block_share) * stage.rent_available
        total = np.zeros((len(alive), len(sets.groups)))
        sources = (
            (sets.contracts, signed, sets.contract_group),
            (sets.orderable, state.stock * stage.available, sets.orderable_group),
            (sets.hourly, rented, sets.on_demand_group),
        )
        for offers, chips, group in sources:
            held = chips * alive[:, None] * CHIPS
            np.add.at(total.T, group, held.T)
            for number, offer in enumerate(offers):
                self.suppliers[offer.supplier][:, t] += held[:, number] * self.h100e[group[number]]
        if further is not None:
            total -= (further @ stage.block_share) * alive[:, None] * CHIPS
        self.live["chip"][:, t] = total.sum(axis=1) * HOURS_PER_QUARTER
        self.live["h100e"][:, t] = (total @ self.h100e) * HOURS_PER_QUARTER
        self.live["w"][:, t] = (total @ stage.power) / CHIPS * WATTS

    def ledger(
        self,
        fleet: Fleet,
        world: World,
        nodes: np.ndarray,
        *,
        back: np.ndarray,
        weight: np.ndarray | None = None,
    ) -> Ledger:
        """Close the ledger and put the paths back into the order in which they were given.

        ``weight`` [path] are probabilities in that order; equal where none are given.
        """
        inputs, finance = self.inputs, self.inputs.lab.finance

        def given(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            return {name: amount[back] for name, amount in values.items()}

        fleet = fleet.take(back)
        seen = World(*(field[back] for field in vars(world).values()))
        node = nodes[back]
        prepaid, used = renewals_prepaid(self.solved)
        purchases = purchases_of(self.solved, fleet, seen, node)
        paths = len(back)
        return Ledger(
            first=inputs.lab.horizon.first,
            weight=np.full(paths, 1 / paths) if weight is None else weight,
            opening=Opening(
                finance.cash_usd,
                finance.collection_lag_quarters * finance.receivables_usd,
                finance.debt.outstanding_usd if finance.debt else 0.0,
                finance.losses_carried_usd,
            ),
            flows=given({name: amount for name, amount in self.flows.items() if amount.any()}),
            revenues=given(self.revenues),
            **{name: amount[back] for name, amount in self.books.items()},
            supplier_loans=supplier_loans_owed(self.solved)[node],
            prepaid_renewals=prepaid[node],
            used_renewals=used[node],
            ended=self.ended[back],
            purchases=purchases,
            reservations=reservations_of(self.solved, fleet, seen),
            activity=Activity(
                h100e_hours=given(self.hours["h100e"]),
                chip_hours=given(self.hours["chip"]),
                live_h100e_hours=self.live["h100e"][back],
                live_chip_hours=self.live["chip"][back],
                live_w=self.live["w"][back],
                peak_flop=given(self.peak),
                output=given(self.output),
                wanted=given(self.wanted),
                h100e_by_supplier=given(self.suppliers),
                ratio=self.ratio[back],
            ),
            economic_value=economic_value(self.solved, purchases, seen, node),
        )
