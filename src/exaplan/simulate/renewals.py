"""Renewals on simulated paths: a path keeps what its node keeps as far as it has it and is let, at its own price."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.domain.futures import NEVER, World
from exaplan.domain.supply import Contract
from exaplan.plan.calendar import TO_THE_END, run_off, tranches_of
from exaplan.plan.inputs import Inputs, holding_of
from exaplan.plan.layout import CHIPS, USD
from exaplan.plan.renewal_rows import Renewable, granted_of, renewables, renewal_price
from exaplan.plan.solve import Solved
from exaplan.plan.stage import Stage
from exaplan.simulate.cash import Further
from exaplan.simulate.fleet import Fleet


@dataclass(frozen=True)
class Renewals:
    """What paths have renewed, LP units; arrays are [path, quarter of renewal, renewable], filled on the way."""

    solved: Solved
    found: tuple[Renewable, ...]
    chips: np.ndarray
    price: np.ndarray  # M$ per thousand chips and quarter
    waiting: np.ndarray  # [path, renewable] what nodes have renewed and has not ended on the path yet

    def renew(self, world: World, node: np.ndarray, t: int, *, fleet: Fleet, left: np.ndarray) -> Beyond:
        """Renew in quarter ``t`` (none in the tail stage); returns what paths keep and pay beyond what their nodes do.

        A path renews what its node does, as far as it ends on the path too: in full where its supplier grants it, nothing
        where it refuses or has failed. A node renews the share that is granted on its paths; a path's own share takes its
        place. What ends later on the path is renewed when it does. ``left`` [path, exit] is the share of contracts left.
        """
        if not self.found:
            return Beyond((), np.zeros((len(node), 0)), np.zeros(len(node)))
        if t < self.solved.program.inputs.quarters:
            self._renew(world, node, t, self._ending(world, t, fleet, left))
        return self._beyond_plan(node, t)

    def _renew(self, world: World, node: np.ndarray, t: int, ending: np.ndarray) -> None:
        inputs = self.solved.program.inputs
        planned = np.maximum(self.solved.value(self.solved.model.columns["renewed"])[node], 0.0)
        now = World(*(field[:, t] for field in vars(world).values()))
        for place, each in enumerate(self.found):
            expected = granted_of(inputs.lab, inputs.tree.world, each)[node]
            asked = np.divide(planned[:, place], expected, out=np.zeros(len(node)), where=expected > 0)
            asked += self.waiting[:, place]
            met = np.minimum(asked, ending[:, place])
            self.waiting[:, place] = asked - met
            failed = now.lateness[:, inputs.lab.suppliers.index(each.source.supplier)] >= NEVER
            self.chips[:, t, place] = np.where(failed, 0.0, met * granted_of(inputs.lab, now, each))
            self.price[:, t, place] = renewal_price(inputs, each, now, np.full(len(node), t))

    def _ending(self, world: World, t: int, fleet: Fleet, left: np.ndarray) -> np.ndarray:
        """Thousand chips whose term ends on each path in quarter ``t`` [path, renewable]."""
        inputs = self.solved.program.inputs
        orders = (fleet.ordered * (fleet.cohorts.retirement == t)).sum(axis=1)
        tranches = tranches_of(inputs.sets.contracts, inputs.lab.horizon.first, inputs.lab.suppliers)
        contracts = np.zeros((len(orders), len(inputs.sets.contracts)))
        _, retirement = tranches.lives(world.lateness)
        np.add.at(contracts.T, tranches.contract, ((retirement == t) * tranches.chips / CHIPS).T)
        contracts[:, inputs.sets.exits] *= 1 - left
        ends = [
            (contracts if isinstance(each.source, Contract) else orders)[:, each.number]
            for each in self.found
        ]
        return np.stack(ends, axis=1)

    def _beyond_plan(self, node: np.ndarray, t: int) -> Beyond:
        inputs, columns = self.solved.program.inputs, self.solved.model.columns
        kept, commit = self._alive(inputs, t)
        fresh = np.zeros_like(kept)
        if t < inputs.quarters:
            planned = np.maximum(self.solved.value(columns["renewed"])[node], 0.0)
            fresh = self.chips[:, t] - planned
        kept = kept - self.solved.value(columns["renewed_stock"])[node]
        commit = commit - self.solved.value(columns["renewed_commit"])[node]
        once = np.array([each.clause.payment_usd_per_chip for each in self.found]) * CHIPS / USD
        held = np.array(
            [holding_of(inputs.lab, inputs.rates, inputs.sets, each.group) for each in self.found]
        )
        return Beyond(self.found, kept, -commit.sum(axis=1) - fresh @ once - kept @ held)

    def _alive(self, inputs: Inputs, t: int) -> tuple[np.ndarray, np.ndarray]:
        """Thousand chips kept and M$ to be paid for them, both [path, renewable]; in the tail stage annuities."""
        begin = np.arange(inputs.quarters)[:, None]
        end = begin + np.array([each.clause.term_quarters for each in self.found])
        if t < inputs.quarters:
            work = due = ((begin <= t) & (t < end)).astype(float)
        else:
            first = inputs.quarters
            work = run_off(begin, end, first, inputs.tail_quarters, inputs.tail_margin)
            due = run_off(begin, end, first, TO_THE_END, inputs.tail_discount)
        return (self.chips * work).sum(axis=1), (self.chips * self.price * due).sum(axis=1)


@dataclass(frozen=True)
class Beyond:
    """Chips [path, renewable] and money [path] by which paths' renewals differ from those of their nodes."""

    found: tuple[Renewable, ...]
    chips: np.ndarray
    cash: np.ndarray  # M$ received, and of taxable profit

    @property
    def nothing(self) -> np.ndarray:
        """Whether a path renews and pays as its node does [path]."""
        return np.asarray((np.abs(self.chips) < 1e-9).all(axis=1) & (np.abs(self.cash) < 1e-9))

    def rows(self, stage: Stage) -> dict[str, np.ndarray]:
        """Return what the chips add to the left sides of ``chips`` [path, group, block] and ``floor`` [path, floor, block]."""
        if not self.found:
            return {}
        blocks = len(stage.block_share)
        groups, floors = stage.floor_weight.shape[2], stage.floor_weight.shape[1]
        chips = np.zeros((len(self.chips), groups, blocks))
        floor = np.zeros((len(self.chips), floors, blocks))
        for place, each in enumerate(self.found):
            up = each.source.availability * self.chips[:, place]
            chips[:, each.group] -= up[:, None]
            asked = stage.floor_share * stage.floor_weight[:, :, each.group]
            floor -= (asked * up[:, None])[:, :, None]
        return {"chips": chips, "floor": floor}

    def money(self, further: Further) -> Further:
        """Add the money to that of the node's decisions."""
        rent = further.flows.get("renewed_rent", np.zeros_like(self.cash)) + self.cash
        flows = {**further.flows, "renewed_rent": rent}
        return replace(further, flows=flows, profit=further.profit + self.cash)


def renewals_of(solved: Solved, world: World) -> Renewals:
    """Start without renewals."""
    inputs = solved.program.inputs
    found = renewables(inputs.sets)
    shape = (len(world.rental_index), inputs.quarters, len(found))
    waiting = np.zeros((shape[0], shape[2]))
    return Renewals(solved, found, np.zeros(shape), np.zeros(shape), waiting)
