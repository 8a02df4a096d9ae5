"""When what is signed arrives, is paid and retires; one definition for tree nodes and for simulated paths.

A delivery due in quarter q of a future comes at ``q + slip[q]`` (``World.lateness``); beyond the horizon nothing is
late. From the quarter of a supplier's failure on, in which the slip is NEVER, nothing of it arrives.
After the last quarter T-1 the fleet runs off in one tail stage: a cohort alive from ``arrival`` to ``retirement``
counts there as the annuity of the quarters it still works.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.futures import NEVER
from exaplan.domain.quarter import Quarter
from exaplan.domain.supply import Contract, Purchase, Reserved


def ancestors(parent: np.ndarray, stage: np.ndarray, quarters: int) -> np.ndarray:
    """Ancestor of each node at each quarter, itself included; shape [node, quarter], -1 where there is none."""
    table = np.full((len(parent), quarters), -1)
    nodes = np.arange(len(parent))
    current = nodes.copy()
    while (current >= 0).any():
        alive = current >= 0
        inside = alive & (stage[current] < quarters)
        table[nodes[inside], stage[current[inside]]] = current[inside]
        current = np.where(alive, parent[current], -1)
    return table


def arrival_quarter(order_quarter: np.ndarray, lead: np.ndarray, slip: np.ndarray) -> np.ndarray:
    """Quarter in which an order arrives.

    ``order_quarter`` and ``lead`` broadcast to [..., order quarter, source]; ``slip`` is [..., quarter, source].
    """
    due = np.broadcast_to(
        order_quarter + lead, np.broadcast_shapes(np.shape(order_quarter + lead), slip.shape)
    )
    quarters = slip.shape[-2]
    late = np.take_along_axis(slip, np.minimum(due, quarters - 1), axis=-2)
    arrival = due + np.where(due < quarters, late, 0)
    return np.where(arrival >= failure_quarter(slip)[..., None, :], NEVER, arrival)


def failure_quarter(slip: np.ndarray) -> np.ndarray:
    """First quarter in which the slip [..., quarter, source] is NEVER, shape [..., source]; NEVER where there is none."""
    failed = slip >= NEVER
    return np.where(failed.any(axis=-2), failed.argmax(axis=-2), NEVER)


def run_off(
    arrival: np.ndarray, retirement: np.ndarray, first: int, quarters: int, factor: float
) -> np.ndarray:
    """Annuity of the quarters after ``first`` in which a cohort lives, the first of them weighing 1.

    Sum of ``factor**(k - first)`` over ``k`` from ``max(arrival, first)`` to ``retirement - 1``, cut after
    ``quarters``; elementwise on integer arrays.

    Examples
    --------
    >>> run_off(np.array([0]), np.array([12]), 10, 20, 0.5)
    array([1.5])
    """
    begin = np.clip(np.maximum(arrival, first) - first, 0, quarters)
    end = np.clip(retirement - first, begin, quarters)
    if factor == 1.0:
        return np.asarray(end - begin, dtype=float)
    return np.asarray((factor**begin - factor**end) / (1 - factor))


@dataclass(frozen=True)
class Terms:
    """Lead, life and payment terms of the orderable offers, in their order."""

    lead: np.ndarray  # [orderable] quarters
    life: np.ndarray  # [orderable] quarters, term of a reservation or useful life
    supplier: np.ndarray  # [orderable] index into World.slip's last axis
    rented: np.ndarray  # [orderable] bool
    deposit: np.ndarray  # [orderable] share paid at signature
    take_or_pay: np.ndarray  # [orderable] share paid whether used or not (1 for purchases)
    residual: np.ndarray  # [orderable] share of the price recovered at the end of life
    step_up: np.ndarray  # [orderable] yearly rise of the price of a reservation
    milestones: tuple[tuple[int, np.ndarray], ...]  # quarters after signature, share of the price [orderable]

    @property
    def rest(self) -> np.ndarray:
        """Share of a purchase's price that is paid on arrival [orderable]."""
        return np.asarray(1 - self.deposit - sum(share for _, share in self.milestones))

    @property
    def steps(self) -> tuple[tuple[int, np.ndarray], ...]:
        """Rises of price: quarters after arrival, and the rise over the price at signature [orderable]."""
        years = np.arange(1, (int(self.life.max(initial=1)) - 1) // 4 + 1)
        rises = [(1 + self.step_up) ** year - (1 + self.step_up) ** (year - 1) for year in years]
        kept = (
            (4 * int(year), np.where(self.life > 4 * year, rise, 0.0))
            for year, rise in zip(years, rises, strict=True)
        )
        return tuple((after, rise) for after, rise in kept if rise.any())

    @property
    def mean_price(self) -> np.ndarray:
        """Mean price over the term in prices at signature [orderable]."""
        mean = np.ones(len(self.life))
        for after, rise in self.steps:
            mean += rise * (self.life - after) / self.life
        return mean


def terms_of(offers: tuple[Reserved | Purchase, ...], suppliers: tuple[str, ...]) -> Terms:
    """Collect the terms of the orderable offers as arrays."""
    bought = [isinstance(offer, Purchase) for offer in offers]
    life = [o.life_quarters if isinstance(o, Purchase) else o.term_quarters for o in offers]
    return Terms(
        lead=np.array([offer.lead_quarters for offer in offers], dtype=int),
        life=np.array(life, dtype=int),
        supplier=np.array([suppliers.index(offer.supplier) for offer in offers], dtype=int),
        rented=~np.array(bought, dtype=bool),
        deposit=np.array([offer.deposit for offer in offers], dtype=float),
        take_or_pay=np.array(
            [1.0 if isinstance(o, Purchase) else o.take_or_pay for o in offers], dtype=float
        ),
        residual=np.array([o.residual if isinstance(o, Purchase) else 0.0 for o in offers], dtype=float),
        step_up=np.array([0.0 if isinstance(o, Purchase) else o.step_up for o in offers], dtype=float),
        milestones=_milestones(offers),
    )


def _milestones(offers: tuple[Reserved | Purchase, ...]) -> tuple[tuple[int, np.ndarray], ...]:
    """Collect milestones by their age: quarters after signature and share of the price [orderable]."""
    ages = sorted(
        {m.after_quarters for offer in offers if isinstance(offer, Purchase) for m in offer.milestones}
    )
    shares = np.zeros((len(ages), len(offers)))
    for number, offer in enumerate(offers):
        for milestone in offer.milestones if isinstance(offer, Purchase) else ():
            shares[ages.index(milestone.after_quarters), number] += milestone.share
    return tuple(zip(ages, shares, strict=True))


@dataclass(frozen=True)
class Cohorts:
    """When an order of each quarter arrives and retires on each history; NEVER where the history is too short."""

    arrival: np.ndarray  # [history, order quarter, orderable]
    retirement: np.ndarray  # [history, order quarter, orderable]
    milestones: tuple[
        np.ndarray, ...
    ]  # the same, when each of Terms.milestones is due; NEVER after a failure

    def later(self, quarters: int) -> Cohorts:
        """Return what begins so many quarters after arrival and ends with the cohort: a rise of its price, say."""
        arrival = self.arrival + quarters
        lives = arrival < self.retirement
        return Cohorts(np.where(lives, arrival, NEVER), np.where(lives, self.retirement, NEVER), ())


TO_THE_END = 400
"""Quarters of a tail stage that follows every obligation to its end."""


def cohorts_of(terms: Terms, slip: np.ndarray, quarter: np.ndarray) -> Cohorts:
    """Follow every possible order through each history.

    ``slip`` is [history, quarter, supplier], ``quarter`` [history] the last quarter the history knows; an order due
    after it has not arrived, except beyond the horizon, where nothing is late.
    """
    horizon = slip.shape[1]
    order = np.arange(horizon)[:, None]
    arrival = arrival_quarter(order, terms.lead[None, :], slip[:, :, terms.supplier])
    unknown = (order + terms.lead[None, :] > quarter[:, None, None]) & (quarter < horizon)[:, None, None]
    arrival = np.where(unknown | (order > quarter[:, None, None]), NEVER, arrival)
    failed = failure_quarter(slip)[:, None, terms.supplier]
    milestones = tuple(np.where(order + age < failed, order + age, NEVER) for age, _ in terms.milestones)
    return Cohorts(arrival, arrival + terms.life, milestones)


@dataclass(frozen=True)
class Tranches:
    """Every dated delivery of the signed contracts, flat."""

    contract: np.ndarray  # [tranche] contract number
    due: np.ndarray  # [tranche] quarter from the start; negative before the horizon
    chips: np.ndarray  # [tranche]
    term: np.ndarray  # [tranche] quarters
    supplier: np.ndarray  # [tranche]

    def lives(self, slip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Arrival and retirement quarter of each tranche on each history; ``slip`` is [history, quarter, supplier]."""
        quarters = slip.shape[1]
        late = slip[:, np.clip(self.due, 0, quarters - 1), self.supplier]
        arrival = self.due + np.where((self.due >= 0) & (self.due < quarters), late, 0)
        lost = arrival >= failure_quarter(slip)[:, self.supplier]
        arrival = np.where(lost, NEVER, arrival)
        return arrival, np.where(lost, NEVER, arrival + self.term)


def tranches_of(contracts: tuple[Contract, ...], first: Quarter, suppliers: tuple[str, ...]) -> Tranches:
    """Flatten the tranches of the signed contracts."""
    rows = [
        (
            number,
            tranche.date - first,
            tranche.chips,
            contract.term_quarters,
            suppliers.index(contract.supplier),
        )
        for number, contract in enumerate(contracts)
        for tranche in contract.tranches
    ]
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    whole = [np.array(columns[i], dtype=int) for i in (0, 1, 3, 4)]
    return Tranches(whole[0], whole[1], np.array(columns[2], dtype=float), whole[2], whole[3])


def live_chips(tranches: Tranches, contracts: int, slip: np.ndarray, quarter: np.ndarray) -> np.ndarray:
    """Contracted chips that are live, shape [history, contract], at each history's ``quarter`` [history]."""
    arrival, retirement = tranches.lives(slip)
    alive = (arrival <= quarter[:, None]) & (quarter[:, None] < retirement)
    return _by_contract(tranches, contracts, alive * tranches.chips)


def run_off_chips(
    tranches: Tranches, contracts: int, slip: np.ndarray, *, first: int, quarters: int, factor: float
) -> np.ndarray:
    """Contracted chip-quarters of the tail stage as annuities (see ``run_off``), shape [history, contract]."""
    arrival, retirement = tranches.lives(slip)
    return _by_contract(
        tranches, contracts, run_off(arrival, retirement, first, quarters, factor) * tranches.chips
    )


def delivered_share(tranches: Tranches, contracts: int, slip: np.ndarray) -> np.ndarray:
    """Share of each contract's chips that its supplier has not failed to deliver [history, contract]; 1 without a failure.

    From the quarter of the failure on only this share of its instalments is paid.
    """
    arrival, _ = tranches.lives(slip)
    kept = _by_contract(tranches, contracts, np.where(arrival >= NEVER, 0.0, tranches.chips))
    whole = np.bincount(tranches.contract, tranches.chips, minlength=contracts)
    return np.asarray(np.divide(kept, whole, out=np.ones_like(kept), where=whole > 0))


def _by_contract(tranches: Tranches, contracts: int, values: np.ndarray) -> np.ndarray:
    total = np.zeros((values.shape[0], contracts))
    np.add.at(total.T, tranches.contract, values.T)
    return total
