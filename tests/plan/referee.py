"""A second, independent build of a plan: plain Python over nodes, symbol by symbol, solved through linopy.

Nothing of the engine's arrays is used. Where the engine carries a balance from node to node (stock, commitments,
depreciation, rounds), this file sums over the whole history, so the two agree only if both are right.
Units: thousand chips, M$, 1e12 tokens, 1e24 FLOP.
"""

from __future__ import annotations

import math

import numpy as np
from tests.plan.known import HOURS, SECONDS, Known
from tests.plan.sheet import Expression, Sheet, plus, times

from exaplan.domain.futures import Tree
from exaplan.domain.lab import Lab
from exaplan.domain.rates import RateTable
from exaplan.domain.supply import Purchase, Reserved


class Referee(Known):
    """The plan once more, quarter by quarter along every branch."""

    def declare(self, n: int) -> None:  # noqa: C901, PLR0912 - one rule after the other
        lab, v, tail = self.lab, self.sheet.var, self.t(n) == self.T
        for offer in self.orders:
            if not tail:
                first, last = offer.first or self.first, offer.last or lab.horizon.last
                inside = first - self.first <= self.t(n) <= last - self.first
                v("order", n, offer.id, high=self.series(offer.max_order, n) / 1e3 if inside else 0.0)
            if isinstance(offer, Reserved) and offer.take_or_pay < 1:
                v("use", n, offer.id)
                v("above", n, offer.id)
        for offer in self.spot:
            v("rent", n, offer.id, high=0.0 if tail else self.series(offer.max_chips, n) / 1e3)
        for group in self.groups:
            for workload in lab.workloads:
                can = self.rate(n, group[0], workload.id) > 0
                v("work", n, group, workload.id, high=math.inf if can else 0.0)
        for workload in lab.workloads:
            v("output", n, workload.id)
        for workload in lab.serve:
            v("unserved", n, workload.id)
            v("forgiven", n, workload.id)
            v("lost", n, workload.id)
        for contract in lab.contracts:
            if contract.exit_fee is not None:
                v("left", n, contract.id, high=1.0)
            if contract.take_or_pay < 1:
                v("flex", n, contract.id, high=self.by_use(n, contract))
        v("progress", n, high=math.inf if lab.capability else 0.0)
        v("ratio", n)
        v("standing", n, low=-math.inf)
        least = 0.0 if tail else lab.finance.cash_minimum_usd / 1e6
        v("cash", n, low=least)
        v("debt", n, high=0.0 if tail or not lab.finance.debt else lab.finance.debt.limit_usd / 1e6)
        v("rescue", n)
        v("uncovered", n)
        for chance in lab.finance.rounds:
            inside = chance.first - self.first <= self.t(n) <= chance.last - self.first and not tail
            v("raised", n, chance.id, high=chance.max_usd / 1e6 if inside else 0.0)
        for name in ("profit", "loss", "relief", "carried"):
            v(name, n)

    @property
    def groups(self) -> list[tuple[str, str]]:
        return list(dict.fromkeys(self.group(s) for s in (*self.lab.offers, *self.lab.contracts)))

    def quarter_rows(self, n: int) -> None:  # noqa: C901, PLR0912 - one rule after the other
        lab, row = self.lab, self.sheet.row
        usable, live = self.chips(n, metered=True), self.chips(n, metered=False)
        for group in self.groups:
            work = {("work", n, group, w.id): 1.0 for w in lab.workloads}
            row(plus(work, times(-1, usable[group])), "<=", 0.0)
        for offer in self.orders:
            if isinstance(offer, Reserved) and offer.take_or_pay < 1:
                up = times(offer.availability, self.stock(n, offer))
                row(plus({("use", n, offer.id): 1.0}, times(-1, up)), "<=", 0.0)
                paid = plus(
                    {("above", n, offer.id): 1.0, ("use", n, offer.id): -1.0}, times(offer.take_or_pay, up)
                )
                row(paid, ">=", 0.0)
        for contract in lab.contracts:
            if contract.take_or_pay < 1 and contract.exit_fee is not None:
                most = self.by_use(n, contract)
                row({("flex", n, contract.id): 1.0, ("left", n, contract.id): most}, "<=", most)
        for w in lab.workloads:
            made = {("work", n, g, w.id): -self.rate(n, g[0], w.id) for g in self.groups}
            row(plus({("output", n, w.id): 1.0}, made), "=" if w in lab.develop else "<=", 0.0)
        for s, w in enumerate(lab.serve):
            year = sum(self.fade**k for k in range(self.after)) if self.t(n) == self.T else 1.0
            wanted = year * float(self.tree.world.demand_tokens[self.seen(n), s]) / 1e12
            gained = w.sensitivity if lab.capability else 0.0
            met = {("output", n, w.id): 1.0, ("unserved", n, w.id): 1.0, ("forgiven", n, w.id): -1.0}
            row({("forgiven", n, w.id): 1.0, ("lost", n, w.id): -year}, "<=", 0.0)
            row({**met, ("lost", n, w.id): year, ("standing", n): -gained * wanted}, "=", wanted)
        for floor in (lab.policy.floor, lab.policy.safety):
            if floor is None:
                continue
            left: Expression = {(): 0.0}
            for group in self.groups:
                omega = self.capacity(n, group[0], floor.workloads)
                left = plus(left, {("work", n, group, w): omega for w in floor.workloads})
                left = plus(left, times(-floor.share * omega, live[group]))
            level = 0.0 if self.t(n) == self.T else floor.level_flop_per_s * SECONDS / 1e24
            row(left, ">=", level)
        if lab.policy.oversight > 0 and lab.oversee:
            left = {}
            for g in self.groups:
                omega = self.capacity(n, g[0], [w.id for w in lab.oversee])
                left |= {("work", n, g, w.id): omega for w in lab.oversee}
                others = (*lab.serve, *lab.develop)
                left |= {("work", n, g, w.id): -lab.policy.oversight * omega for w in others}
            row(left, ">=", 0.0)
        if len(lab.develop) > 1:
            for w in lab.develop:
                every = {("output", n, v.id): 1.0 for v in lab.develop}
                own = {("output", n, w.id): 1.0}
                row(plus(own, times(-w.share_min, every)), ">=", 0.0)
                row(plus(own, times(-w.share_max, every)), "<=", 0.0)
        for site in lab.sites:
            ready = site.ready is None or min(self.t(n), self.T - 1) >= site.ready - self.first
            megawatt = self.series(site.power_w, n) / 1e6 if ready else 0.0
            year = sum(self.fade**k for k in range(self.after)) if self.t(n) == self.T else 1.0
            drawn: Expression = {}
            for g in self.groups:
                if g[1] == site.id:
                    c = self.rates.chips.index(g[0])
                    peak = max(self.rates.power_w[c].max(), self.rates.idle_power_w[c])
                    drawn |= {("work", n, g, w.id): peak * 1e3 / 1e6 for w in lab.workloads}
            row(drawn, "<=", megawatt * year)
        if lab.capability:
            self.progress_rows(n)

    def progress_rows(self, n: int) -> None:
        law = self.lab.capability
        points = [1.0]
        if law.returns < 1:
            steps = math.ceil(math.log(100 / 0.25) / math.log(1.8))
            points = sorted({*(0.25 * 400 ** (k / steps) for k in range(steps + 1)), 1.0})
        lines = [((1 - law.returns) * r**law.returns, law.returns * r ** (law.returns - 1)) for r in points]
        if law.returns < 1:
            lines.append((0.0, 0.25 ** (law.returns - 1)))
        for start, slope in lines:
            flop = {
                ("output", n, w.id): -slope * 1e24 / law.parity_flop_per_quarter for w in self.lab.develop
            }
            self.sheet.row({("progress", n): 1.0, **flop}, "<=", start)

    def link_rows(self, n: int) -> None:
        lab, row, p = self.lab, self.sheet.row, self.up(n)
        for contract in lab.contracts:
            if contract.exit_fee is not None and p >= 0:
                sign = "=" if self.t(n) == self.T else ">="
                row({("left", n, contract.id): 1.0, ("left", p, contract.id): -1.0}, sign, 0.0)
        for s, w in enumerate(lab.serve):
            if p < 0:
                row({("lost", n, w.id): 1.0}, "=", 0.0)
                continue
            demand = self.tree.world.demand_tokens[:, s]
            growth = float(demand[self.seen(n)] / demand[self.seen(p)])
            kept = {("lost", p, w.id): (1 - w.recovery) * growth}
            new = {("unserved", p, w.id): w.churn_when_unserved * growth}
            row(plus({("lost", n, w.id): 1.0}, times(-1, kept), times(-1, new)), "=", 0.0)
        near = float(self.reference[n])
        law = lab.capability
        if law is None or not any(w.sensitivity for w in lab.serve):
            row({("standing", n): 1.0}, "=", 0.0)
        else:  # ln z0 + (z - z0) / z0
            row({("standing", n): 1.0, ("ratio", n): -1 / near}, "=", math.log(near) - 1)
        if law is None:
            return
        if p < 0:
            row({("ratio", n): 1.0}, "=", law.start)
            return
        pace = (1 + law.frontier_growth.median) ** 0.25
        before = float(self.tree.world.frontier[self.seen(p)])
        now = before * pace if self.t(n) == self.T else float(self.tree.world.frontier[n])
        recipe = (1 + law.algorithmic_progress.median) ** (self.t(p) / 4)
        keep = (1 - law.decay) * before / now
        inflow = (pace - (1 - law.decay)) * recipe / now
        row({("ratio", n): 1.0, ("ratio", p): -keep, ("progress", p): -inflow}, "=", 0.0)

    # --- money ---
    def upkeep(self, source) -> float:
        """M$ per thousand chips and quarter at an own site, at work or not."""
        name = self.site_of(source)
        if name is None:
            return 0.0
        site = next(s for s in self.lab.sites if s.id == name)
        c = self.rates.chips.index(source.chip)
        peak = max(self.rates.power_w[c].max(), self.rates.idle_power_w[c])
        idle = self.rates.idle_power_w[c] * site.pue * site.electricity_usd_per_j * SECONDS
        return float(peak * site.upkeep_usd_per_w_quarter + idle) / 1e3

    def quarter_cost(self, n: int) -> Expression:  # noqa: C901, PLR0912 - one cost after the other
        """Everything that a quarter's compute and the lab itself cost, without capex, deposits and tax."""
        lab, cost = self.lab, [{(): 0.0}]
        cost += [{("rent", n, o.id): self.price(n, o)} for o in self.spot]
        for site in lab.sites:
            for chip, place in self.groups:
                if place == site.id:
                    c = self.rates.chips.index(chip)
                    tariff = site.pue * site.electricity_usd_per_j * SECONDS / 1e3
                    for w in lab.workloads:
                        watts = (
                            self.rates.power_w[c, self.rates.workloads.index(w.id)]
                            - self.rates.idle_power_w[c]
                        )
                        cost.append({("work", n, (chip, place), w.id): max(watts, 0.0) * tariff})
        for o in self.orders:
            cost.append(times(self.upkeep(o), self.stock(n, o)))
            if isinstance(o, Reserved):
                share = o.take_or_pay * (1 - o.deposit)
                cost.append(self.over_orders(n, o, lambda m, o=o, s=share: s * self.price(m, o)))
                if o.take_or_pay < 1:
                    cost.append({("above", n, o.id): self.price(n, o)})
        for c in lab.contracts:
            live = self.contract_live(n, c, paid=True)
            paid = live * c.price_usd_per_chip_h * c.take_or_pay * HOURS / 1e3
            cost.append({(): paid + live * self.upkeep(c)})
            if c.exit_fee is not None:
                cost.append({("left", n, c.id): -paid})
            if c.take_or_pay < 1:
                cost.append({("flex", n, c.id): c.price_usd_per_chip_h * HOURS / 1e3})
            for bill in c.instalments:
                due = bill.date - self.first
                if min(due, self.T) == self.t(n):
                    cost.append({(): bill.amount_usd / 1e6 * self.beta ** max(due - self.T, 0)})
        if self.t(n) < self.T:
            for fixed in lab.finance.fixed_costs:
                amount = self.series(fixed.amount_usd_per_quarter, n) * (1 + fixed.growth) ** (self.t(n) / 4)
                cost.append({(): amount / 1e6})
        return plus(*cost)

    def capital_cost(self, n: int) -> Expression:
        """Deposits at signature, the rest of purchases on arrival, less scrap at the end of life."""
        cost = [{(): 0.0}]
        for o in self.orders:
            bought = isinstance(o, Purchase)
            if self.t(n) < self.T:
                value = self.price(n, o) * (1.0 if bought else o.take_or_pay * self.life(o))
                cost.append({("order", n, o.id): o.deposit * value})
            if not bought:
                continue
            for q, m in enumerate(self.line(n)):
                span = self.span(n, q + o.lead_quarters, o.supplier, self.life(o))
                if span is None:
                    continue
                for event, share in zip(span, (1 - o.deposit, -o.residual), strict=True):
                    if event == self.t(n) < self.T:
                        cost.append({("order", m, o.id): share * self.price(m, o)})
                    elif self.t(n) == self.T and event >= self.T:
                        later = self.beta ** (event - self.T)
                        cost.append({("order", m, o.id): share * self.price(m, o) * later})
        return plus(*cost)

    def exit_fees(self, n: int) -> Expression:
        cost = [{(): 0.0}]
        for c in self.lab.contracts:
            if c.exit_fee is not None:
                price = c.exit_fee * self.contract_owed(n, c)
                cost.append({("left", n, c.id): price})
                if self.up(n) >= 0:
                    cost.append({("left", self.up(n), c.id): -price})
        return plus(*cost)

    def income(self, n: int) -> Expression:
        world = self.tree.world.price_usd_per_token[self.seen(n)]
        return {("output", n, w.id): float(world[s]) * 1e6 for s, w in enumerate(self.lab.serve)}

    def money_rows(self, n: int) -> None:
        money, row, p, tail = self.lab.finance, self.sheet.row, self.up(n), self.t(n) == self.T
        opening = money.losses_carried_usd / 1e6 if p < 0 else 0.0
        before = {("carried", p): -1.0} if p >= 0 else {}
        written = [
            self.over_orders(n, o, lambda m, o=o: self.price(m, o) / self.life(o))
            for o in self.orders if isinstance(o, Purchase)
        ]  # fmt: skip
        margin = plus(times(1 - money.revenue_cost, self.income(n)), times(-1, self.quarter_cost(n)))
        taxable = plus(margin, *(times(-1, part) for part in written))
        row(plus({("profit", n): 1.0, ("loss", n): -1.0}, times(-1, taxable)), "=", 0.0)
        row({("relief", n): 1.0, ("profit", n): -1.0}, "<=", 0.0)
        row({("relief", n): 1.0, **before}, "<=", opening)
        row({("carried", n): 1.0, ("loss", n): -1.0, ("relief", n): 1.0, **before}, "=", opening)
        lag = money.collection_lag_quarters
        flows = [times((1.0 if tail else 1.0 - lag) - money.revenue_cost, self.income(n))]
        flows += [times(-1, part(n)) for part in (self.quarter_cost, self.capital_cost, self.exit_fees)]
        flows.append({("profit", n): -money.tax_rate, ("relief", n): money.tax_rate, ("debt", n): 1.0})
        flows.append({("raised", n, chance.id): 1.0 for chance in money.rounds})
        flows.append({("rescue", n): 1.0})
        interest = 1 + money.cash_rate / 4
        owed = 1 + money.debt.rate / 4 if money.debt else 1.0
        if p >= 0:
            flows.append({("cash", p): interest, ("debt", p): -owed})
            flows.append(times(lag, self.income(p)))
        else:
            start = interest * money.cash_usd + lag * money.receivables_usd
            flows.append({(): (start - owed * (money.debt.outstanding_usd if money.debt else 0.0)) / 1e6})
        row(plus({("cash", n): 1.0}, times(-1, plus(*flows))), "=", 0.0)
        for chance in money.rounds:
            row({("raised", m, chance.id): 1.0 for m in self.line(n)}, "<=", chance.max_usd / 1e6)
        if not tail and self.lab.policy.cover_quarters > 0:
            spare = {("cash", n): 1.0, ("debt", n): -1.0, ("uncovered", n): 1.0}
            least = (money.cash_minimum_usd - (money.debt.limit_usd if money.debt else 0.0)) / 1e6
            must = times(-self.lab.policy.cover_quarters, self.commitments(n))
            row(plus(spare, must), ">=", least)

    def commitments(self, n: int) -> Expression:
        """What a quarter must pay whatever happens: reservations, contracts not left, costs of the lab."""
        of_use = ("rent", "flex", "work", "above")
        cost = {key: value for key, value in self.quarter_cost(n).items() if not key or key[0] not in of_use}
        for o in self.orders:
            cost = plus(cost, times(-self.upkeep(o), self.stock(n, o)))
        return cost

    def build(self) -> Sheet:
        for n in self.nodes:
            self.declare(n)
        for n in self.nodes:
            self.quarter_rows(n)
            self.link_rows(n)
            self.money_rows(n)
        risk, money, goal = self.lab.policy.risk, self.lab.finance, self.sheet.goal
        equity: dict[int, Expression] = {}
        for n in self.nodes:
            put_in = {("rescue", n): self.lab.policy.rescue_price}
            put_in |= {("raised", n, chance.id): 1 + chance.dilution_cost for chance in money.rounds}
            earned = {("cash", n): 1.0, ("cash", self.up(n)): -(1 + money.cash_rate / 4)}
            equity[n] = plus({k: v for k, v in earned.items() if k[1] >= 0}, times(-1, put_in))
            goal[("uncovered", n)] -= (1 - risk.weight) * self.weight(n) * 2.0
            for s, w in enumerate(self.lab.serve):
                price = max(float(self.tree.world.price_usd_per_token[self.seen(n), s]) * 1e6, 1e-6)
                dearest = self.lab.policy.rescue_price * (1 - risk.weight + risk.weight / (1 - risk.level))
                goal[("forgiven", n, w.id)] -= 2.0 * dearest * self.weight(n) * price
        for n, part in equity.items():
            for key, value in part.items():
                goal[key] += (1 - risk.weight) * self.weight(n) * value
        self.sheet.var("eta", low=-math.inf)
        goal[("eta",)] -= risk.weight
        for leaf, tail in self.tail_of.items():
            self.sheet.var("excess", tail)
            chance = float(self.tree.probability[leaf])
            goal[("excess", tail)] -= risk.weight * chance / (1 - risk.level)
            gain = plus(*(times(self.beta ** self.t(m), equity[m]) for m in (*self.line(tail), tail)))
            self.sheet.row(plus({("excess", tail): 1.0, ("eta",): 1.0}, gain), ">=", 0.0)
        return self.sheet


def best_value_usd(lab: Lab, rates: RateTable, tree: Tree, reference: np.ndarray | None = None) -> float:
    """Objective of the plan, USD; ``reference`` [node] is where the logarithm of capability is linear."""
    return Referee(lab, rates, tree, reference).build().solve() * 1e6
