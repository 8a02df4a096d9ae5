"""What an independent build of a plan reads from lab, rates and tree: plain Python, one node at a time."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from tests.plan.sheet import Expression, Sheet, plus, times

from exaplan.domain.base import over_quarters
from exaplan.domain.futures import Tree
from exaplan.domain.lab import Lab
from exaplan.domain.rates import RateTable
from exaplan.domain.supply import OnDemand, Purchase, Reserved

HOURS, SECONDS = 2190.0, 3600 * 2190.0


class Known:
    """What is known at a node of the tree: its line of ancestors, what is live there, what it costs."""

    def __init__(self, lab: Lab, rates: RateTable, tree: Tree, reference: np.ndarray | None = None) -> None:
        self.lab, self.rates, self.tree, self.sheet = lab, rates, tree, Sheet()
        self.T = lab.horizon.quarters
        self.first = lab.horizon.first
        leaves = [n for n in range(len(tree.parent)) if tree.stage[n] == self.T - 1]
        self.tail_of = {leaf: len(tree.parent) + i for i, leaf in enumerate(leaves)}
        self.leaf_of = {tail: leaf for leaf, tail in self.tail_of.items()}
        self.nodes = [*range(len(tree.parent)), *self.leaf_of]
        self.orders = [o for o in lab.offers if not isinstance(o, OnDemand)]
        self.spot = [o for o in lab.offers if isinstance(o, OnDemand)]
        self.beta = (1 + lab.finance.cost_of_equity) ** -0.25
        self.fade = self.beta * (1 - lab.ends.fade) ** 0.25
        self.after = lab.ends.quarters
        self.reference = np.ones(len(self.nodes)) if reference is None else reference

    # --- the tree ---
    def seen(self, n: int) -> int:
        return self.leaf_of.get(n, n)

    def up(self, n: int) -> int:
        return self.leaf_of[n] if n in self.leaf_of else int(self.tree.parent[n])

    def t(self, n: int) -> int:
        return self.T if n in self.leaf_of else int(self.tree.stage[n])

    def line(self, n: int) -> list[int]:
        """Tree nodes from the root down to the node."""
        path = [self.seen(n)]
        while self.tree.parent[path[0]] >= 0:
            path.insert(0, int(self.tree.parent[path[0]]))
        return path

    def weight(self, n: int) -> float:
        return float(self.tree.probability[self.seen(n)]) * self.beta ** self.t(n)

    def series(self, values, n: int) -> float:
        return float(over_quarters(values, self.T)[min(self.t(n), self.T - 1)])

    # --- what is live when ---
    @staticmethod
    def life(offer) -> int:
        return offer.life_quarters if isinstance(offer, Purchase) else offer.term_quarters

    def late(self, n: int, due: int, supplier: str) -> int:
        if not 0 <= due < self.T or due >= len(self.line(n)):
            return 0
        return int(self.tree.world.slip[self.line(n)[due], self.lab.suppliers.index(supplier)])

    def span(self, n: int, due: int, supplier: str, life: int) -> tuple[int, int] | None:
        """Arrival and retirement as known at a node; None while not due."""
        if due > self.t(n) and self.t(n) < self.T:
            return None
        arrival = due + self.late(n, due, supplier)
        return arrival, arrival + life

    def alive(self, n: int, span: tuple[int, int] | None, *, paid: bool) -> float:
        """1 or 0 in a quarter; after the horizon the discounted quarters left, of work or (to the end) of payment."""
        if span is None:
            return 0.0
        if self.t(n) < self.T:
            return float(span[0] <= self.t(n) < span[1])
        factor, last = (self.beta, span[1]) if paid else (self.fade, min(span[1], self.T + self.after))
        return sum(factor ** (k - self.T) for k in range(max(self.T, span[0]), last))

    def over_orders(self, n: int, offer, worth, *, paid: bool = True) -> Expression:
        """Sum over every past order of an offer: what is alive of it times ``worth(order node)``."""
        total: Expression = {}
        for q, m in enumerate(self.line(n)):
            span = self.span(n, q + offer.lead_quarters, offer.supplier, self.life(offer))
            total[("order", m, offer.id)] = self.alive(n, span, paid=paid) * worth(m)
        return total

    def stock(self, n: int, offer) -> Expression:
        return self.over_orders(n, offer, lambda _: 1.0, paid=False)

    def price(self, m: int, offer) -> float:
        """M$ per thousand chips (and quarter, where rented) at the node of signature."""
        moved = 1 + offer.market_exposure * (float(self.tree.world.rental_index[self.seen(m)]) - 1)
        if isinstance(offer, Purchase):
            return self.series(offer.price_usd_per_chip, m) * moved / 1e3
        return self.series(offer.price_usd_per_chip_h, m) * moved * HOURS / 1e3

    def contract_live(self, n: int, contract, *, paid: bool) -> float:
        total = 0.0
        for tranche in contract.tranches:
            due = tranche.date - self.first
            arrival = due + self.late(n, due, contract.supplier)
            total += (
                self.alive(n, (arrival, arrival + contract.term_quarters), paid=paid) * tranche.chips / 1e3
            )
        return total

    def contract_owed(self, n: int, contract) -> float:
        hourly = contract.price_usd_per_chip_h * contract.take_or_pay * HOURS / 1e3
        quarters = 0.0
        for tranche in contract.tranches:
            due = tranche.date - self.first
            arrival = due + self.late(n, due, contract.supplier)
            end = arrival + contract.term_quarters
            quarters += max(end - max(arrival, self.t(n)), 0) * tranche.chips / 1e3
        return quarters * hourly

    # --- chips ---
    def site_of(self, source) -> str | None:
        place = getattr(source, "site", None) or source.pool
        return place if place in [s.id for s in self.lab.sites] else None

    def group(self, source) -> tuple[str, str]:
        return source.chip, getattr(source, "site", None) or source.pool

    def rate(self, n: int, chip: str, workload: str) -> float:
        unit = 1e12 if workload in [w.id for w in self.lab.serve] else 1e24
        c, w = self.rates.chips.index(chip), self.rates.workloads.index(workload)
        return self.rates.mean[c, w, min(self.t(n), self.T - 1)] * 1e3 * SECONDS / unit

    def capacity(self, n: int, chip: str, workloads) -> float:
        c = self.rates.chips.index(chip)
        mean = self.rates.mean[c, :, min(self.t(n), self.T - 1)]
        return max(mean[self.rates.workloads.index(w)] for w in workloads) * 1e3 * SECONDS / 1e24

    def chips(self, n: int, *, metered: bool) -> dict[tuple[str, str], Expression]:
        """Chips up by group; with ``metered`` a reservation on take-or-pay counts by its use, else whole."""
        chips: dict[tuple[str, str], Expression] = defaultdict(dict)
        for offer in self.orders:
            up = times(offer.availability, self.stock(n, offer))
            if metered and isinstance(offer, Reserved) and offer.take_or_pay < 1:
                up = {("use", n, offer.id): 1.0}
            chips[self.group(offer)] = plus(chips[self.group(offer)], up)
        for offer in self.spot:
            chips[self.group(offer)] = plus(
                chips[self.group(offer)], {("rent", n, offer.id): offer.availability}
            )
        for contract in self.lab.contracts:
            up = self.contract_live(n, contract, paid=False) * contract.availability * contract.take_or_pay
            part = {(): up}
            if contract.exit_fee is not None:
                part = {(): up, ("left", n, contract.id): -up}
            if contract.take_or_pay < 1:
                part[("flex", n, contract.id)] = contract.availability
            chips[self.group(contract)] = plus(chips[self.group(contract)], part)
        return chips

    def by_use(self, n: int, contract) -> float:
        """Thousand chips that a contract offers beyond what must be paid."""
        return self.contract_live(n, contract, paid=False) * (1 - contract.take_or_pay)
