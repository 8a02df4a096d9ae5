"""The cash row of the plan, path by path: what comes in, what goes out, what is drawn, who is ruined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.lab import Finance
from exaplan.economy.accounts import account_of
from exaplan.plan.inputs import Deals, fixed_cost_usd
from exaplan.plan.layout import USD, Layout
from exaplan.plan.money_rows import savings
from exaplan.plan.stage import Stage
from exaplan.simulate.dispatch import Work
from exaplan.simulate.fleet import Fleet


@dataclass(frozen=True)
class Drawn:
    """Interest and draws of one quarter, M$ by path, and its books before ruin wiped them out."""

    items: dict[str, np.ndarray]  # by name (``economy.accounts``), received positive
    debt: np.ndarray
    receivable: np.ndarray
    carried: np.ndarray


@dataclass(frozen=True)
class Books:
    """State of the money between quarters, M$ by path."""

    cash: np.ndarray
    debt: np.ndarray
    receivable: np.ndarray
    carried: np.ndarray  # tax losses
    raised: np.ndarray  # [path, round] raised so far
    earned: np.ndarray  # present value of free cash to equity, counted when earned
    paid_in: np.ndarray  # present value of raises with their dilution, and of rescue at face value
    alive: np.ndarray  # bool
    ruined_in: np.ndarray  # quarter of ruin, -1 for none
    drawn: Drawn | None = None  # what the quarter that was closed last drew


def opening_books(finance: Finance, paths: int) -> Books:
    """Books before the first quarter."""
    ones = np.ones(paths)
    debt = finance.debt.outstanding_usd / USD if finance.debt else 0.0
    return Books(
        cash=ones * finance.cash_usd / USD,
        debt=ones * debt,
        receivable=ones * finance.collection_lag_quarters * finance.receivables_usd / USD,
        carried=ones * finance.losses_carried_usd / USD,
        raised=np.zeros((paths, len(finance.rounds))),
        earned=0.0 * ones,
        paid_in=0.0 * ones,
        alive=ones.astype(bool),
        ruined_in=np.full(paths, -1),
    )


@dataclass(frozen=True)
class Flows:
    """Money of one quarter before draws, M$ by path. ``items`` are the flows by name (``economy.accounts``), received positive."""

    revenues: np.ndarray  # [path, serve] what customers owe for the quarter
    items: dict[str, np.ndarray]
    given: np.ndarray  # value given away without cash
    carried: np.ndarray
    receivable: np.ndarray

    @property
    def revenue(self) -> np.ndarray:
        """Revenue of all workloads."""
        return np.asarray(self.revenues.sum(axis=1))

    @property
    def compute_cost(self) -> np.ndarray:
        """Everything paid for chips this quarter except capex and deposits."""
        return -self.of("compute")

    @property
    def capex(self) -> np.ndarray:
        """Purchases and deposits, less residuals."""
        return -self.of("capex")

    @property
    def other_cost(self) -> np.ndarray:
        """Fixed costs, costs of revenue, what further decisions cost; without tax."""
        return np.asarray(self.items["tax"] - self.of("other"))

    @property
    def net(self) -> np.ndarray:
        """Change of cash before interest and draws."""
        return np.asarray(sum(self.items.values(), np.zeros(len(self.given))))

    def of(self, group: str) -> np.ndarray:
        """Sum the flows of one group of accounts."""
        chosen = [amount for name, amount in self.items.items() if account_of(name).group == group]
        return np.asarray(sum(chosen, np.zeros(len(self.given))))


@dataclass(frozen=True)
class Further:
    """Money of decisions beside the core program, M$ by path (``plan.decided.Decided``)."""

    flows: dict[str, np.ndarray]  # cash by name
    profit: np.ndarray
    given: np.ndarray
    revenue_rate: np.ndarray  # share of the path's own revenue due to investors
    revenue_paid: np.ndarray  # what of it the node pays, within flows and profit


def flows_of(  # noqa: PLR0913 - a quarter's money has many sources
    finance: Finance, sets: Layout, stage: Stage, deals: Deals, fleet: Fleet, books: Books, work: Work,
    *, quarter: int, left: tuple[np.ndarray, np.ndarray], deposit: np.ndarray, further: Further,
) -> Flows:  # fmt: skip
    """Work out a quarter's money; ``left`` is the share of each exit contract left (before, now) [path, exit]."""
    tail = quarter == fleet.tail.first
    revenues = _revenues(sets, stage, work)
    revenue = revenues.sum(axis=1)
    compute = _compute(sets, stage, deals, fleet, work, quarter, left[1])
    saved = (work.insight * savings(sets)).sum(axis=1)
    cost_of_revenue = finance.revenue_cost * revenue
    shared = further.revenue_rate * revenue - further.revenue_paid  # beyond what the node pays
    spent = sum(compute.values(), np.zeros(len(revenue)))
    profit = (
        revenue
        - cost_of_revenue
        + spent
        - deals.fixed
        - fleet.write_down(quarter)
        + saved
        + further.profit
        - shared
    )
    relief = np.minimum(np.maximum(profit, 0.0), books.carried)
    late = 0.0 if tail else float(finance.collection_lag_quarters)
    items = {"collected": (1 - late) * revenue + books.receivable, **compute}
    items["contract_exit_fees"] = -_exit_fee(sets, deals, left)
    items["revenue_cost"], items["hours_saved"] = -cost_of_revenue, saved
    items["signed_upkeep"], items["instalments"] = -deals.upkeep, -deals.instalments
    items |= fleet.events(quarter, deposit)
    for cost in fixed_shares(finance, deals, quarter, tail):
        items[cost[0]] = cost[1]
    for name, amount in further.flows.items():
        items[name] = items.get(name, 0.0) + amount
    items["revenue_shared"] = items.get("revenue_shared", 0.0) - shared
    items["tax"] = -finance.tax_rate * (np.maximum(profit, 0.0) - relief)
    return Flows(
        revenues=revenues,
        items=items,
        given=further.given,
        carried=books.carried + np.maximum(-profit, 0.0) - relief,
        receivable=late * revenue,
    )


def _revenues(sets: Layout, stage: Stage, work: Work) -> np.ndarray:
    """Revenue of the quarter by workload [path, serve]: output at the stated price, price points, premium."""
    revenues = work.output[:, : len(sets.serve)].sum(axis=2) * stage.price
    beyond = stage.price[:, sets.point_serve] * (sets.point_price - 1)
    np.add.at(revenues.T, sets.point_serve, (work.sold.sum(axis=2) * beyond).T)
    revenues[:, sets.premium_serve] += work.premium * stage.price[:, sets.premium_serve]
    return np.asarray(revenues)


def _compute(
    sets: Layout, stage: Stage, deals: Deals, fleet: Fleet, work: Work, quarter: int, left: np.ndarray
) -> dict[str, np.ndarray]:  # fmt: skip
    """Flows of a quarter for chips, below zero where paid, M$ [path]."""
    share, hourly = stage.block_share, len(sets.on_demand)
    rent = (work.rent * share).sum(axis=2) * stage.rent_price
    return {
        "rent_by_use": -rent[:, :hourly].sum(axis=1),
        "contract_use": -rent[:, hourly:].sum(axis=1),
        "energy": -((work.work * share).sum(axis=2) * stage.energy).sum(axis=1),
        "metered": -(work.above * deals.rent[:, sets.metered]).sum(axis=1),
        "upkeep": -(fleet.stock(quarter) * deals.holding).sum(axis=1),
        "committed_rent": -fleet.committed(quarter),
        "contract_rent": -deals.contract_payment.sum(axis=1),
        "contracts_left": (deals.contract_payment[:, sets.exits] * left).sum(axis=1),
    }


def fixed_shares(finance: Finance, deals: Deals, quarter: int, tail: bool) -> list[tuple[str, np.ndarray]]:
    """List the fixed costs of a quarter by name, below zero, M$ [path]; they are the same on every path."""
    if tail:
        return []
    paths = len(deals.upkeep)
    return [
        (f"fixed.{cost.id}", np.full(paths, -fixed_cost_usd(cost, quarter) / USD))
        for cost in finance.fixed_costs
    ]


def _exit_fee(sets: Layout, deals: Deals, left: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    share = np.array([sets.contracts[number].exit_fee or 0.0 for number in sets.exits], dtype=float)
    return np.asarray((deals.contract_owed[:, sets.exits] * share * (left[1] - left[0])).sum(axis=1))


@dataclass(frozen=True)
class Draws:
    """What the owner permits in a quarter and what the plan meant to draw, M$ by path."""

    open_rounds: np.ndarray  # [path, round] share of the round that can be raised in the quarter
    planned_raise: np.ndarray  # [path, round]
    planned_debt: np.ndarray  # [path]


def _most_debt(finance: Finance, revenue: np.ndarray) -> np.ndarray:
    """Largest balance of the credit line in a quarter of this ``revenue``, M$ [path]: its limit and its covenant."""
    if finance.debt is None:
        return np.zeros_like(revenue)
    limit = np.full_like(revenue, finance.debt.limit_usd / USD)
    multiple = finance.debt.revenue_multiple
    return limit if multiple is None else np.minimum(limit, 4 * multiple * revenue)


def close_quarter(
    finance: Finance,
    books: Books,
    flows: Flows,
    draws: Draws,
    *,
    weight: tuple[float, float],
    tail: bool,
    absorbing: bool,
) -> Books:
    """Close a quarter: planned draws, then every permitted draw that is needed, then ruin.

    Ruin is cash below the minimum although every permitted draw is used; with ``absorbing`` the path stops there and
    its equity is worth nothing, else the shortfall is put in at face value and the path goes on. ``weight`` is the
    quarter's discount and what a dollar held then adds to value (``Inputs.cash_worth``).
    """
    debt_rate = finance.debt.rate / 4 if finance.debt else 0.0
    limit = _most_debt(finance, flows.revenue) if not tail else np.zeros_like(books.cash)
    most = np.array([chance.max_usd / USD for chance in finance.rounds], dtype=float)
    room = np.minimum(np.maximum(most - books.raised, 0.0), most * draws.open_rounds)
    raised = np.minimum(draws.planned_raise, room)
    debt = np.minimum(draws.planned_debt, limit)
    interest = 1 + finance.cash_rate / 4
    cash = books.cash * interest + flows.net - (1 + debt_rate) * books.debt + debt + raised.sum(axis=1)
    least = 0.0 if tail else finance.cash_minimum_usd / USD
    borrowed = np.clip(least - cash, 0.0, limit - debt)
    cash, debt = cash + borrowed, debt + borrowed
    for number in range(room.shape[1]):
        more = np.clip(least - cash, 0.0, room[:, number] - raised[:, number])
        cash, raised[:, number] = cash + more, raised[:, number] + more
    short = np.maximum(least - cash, 0.0)
    ruined = books.alive & (short > 1e-6) & (not tail)
    given = 1 + np.array([chance.dilution_cost for chance in finance.rounds], dtype=float)
    rescue = np.zeros_like(short) if absorbing and not tail else short
    alive = books.alive & ~ruined if absorbing else books.alive
    discount, worth = weight
    held = np.where(alive, cash + rescue, 0.0)
    paid = books.paid_in + discount * (raised @ given + flows.given + rescue)
    changes = {
        "interest_earned": books.cash * finance.cash_rate / 4,
        "interest_paid": -debt_rate * books.debt,
        "debt_drawn": np.maximum(debt - books.debt, 0.0),
        "debt_repaid": np.minimum(debt - books.debt, 0.0),
        **{f"raised.{chance.id}": raised[:, k] for k, chance in enumerate(finance.rounds)},
        "rescue": rescue,
        "wound_up": held - cash - rescue,
    }
    return Books(
        cash=held,
        debt=np.where(alive, debt, 0.0),
        receivable=np.where(alive, flows.receivable, 0.0),
        carried=np.where(alive, flows.carried, 0.0),
        raised=np.where(books.alive[:, None], books.raised + raised, books.raised),
        earned=books.earned + discount * worth * held,
        paid_in=np.where(books.alive, paid, books.paid_in),
        alive=alive,
        ruined_in=np.where(ruined & (books.ruined_in < 0), -2, books.ruined_in),
        drawn=Drawn(changes, debt, flows.receivable, flows.carried),
    )
