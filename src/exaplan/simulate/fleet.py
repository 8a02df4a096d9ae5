"""Orders of simulated paths: what is live, what falls due, what it is worth in the tail stage."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.domain.futures import NEVER
from exaplan.plan.calendar import TO_THE_END, Cohorts, Terms, run_off


@dataclass(frozen=True)
class Tail:
    """The tail stage: horizon, its length in quarters, and its factors per quarter on margins and on payments."""

    first: int
    quarters: int
    margin: float
    discount: float


@dataclass(frozen=True)
class Fleet:
    """Everything signed on the way, LP units; arrays are [path, order quarter, orderable]."""

    terms: Terms
    cohorts: Cohorts
    tail: Tail
    ordered: np.ndarray
    rent: np.ndarray  # price at signature, M$ per thousand chips and quarter
    capex: np.ndarray  # price at signature, M$ per thousand chips

    def take(self, paths: np.ndarray) -> Fleet:
        """Pick paths, in a new order."""
        dates = self.cohorts
        chosen = Cohorts(
            dates.arrival[paths], dates.retirement[paths], tuple(e[paths] for e in dates.milestones)
        )
        return replace(
            self, cohorts=chosen, ordered=self.ordered[paths], rent=self.rent[paths], capex=self.capex[paths]
        )

    def sign(self, quarter: int, chips: np.ndarray, rent: np.ndarray, capex: np.ndarray) -> None:
        """Record the orders of a quarter with the prices at which they were signed."""
        self.ordered[:, quarter], self.rent[:, quarter], self.capex[:, quarter] = chips, rent, capex

    def stock(self, quarter: int) -> np.ndarray:
        """Thousand chips live [path, orderable]; in the tail stage the annuity of what survives, fading."""
        return np.asarray(
            (self.ordered * self._alive(quarter, self.tail.margin, self.tail.quarters)).sum(axis=1)
        )

    def committed(self, quarter: int) -> np.ndarray:
        """Must-pay of reservations, M$ [path]; in the tail stage at present value."""
        alive = (1 - self.terms.deposit) * self._alive(quarter, self.tail.discount, TO_THE_END)
        for after, rise in self.terms.steps:
            later = self.cohorts.later(after)
            alive = alive + rise * self._alive(quarter, self.tail.discount, TO_THE_END, cohorts=later)
        return np.asarray((self.ordered * self.rent * self.terms.take_or_pay * alive).sum(axis=(1, 2)))

    def write_down(self, quarter: int) -> np.ndarray:
        """Straight-line depreciation of purchases, M$ [path]."""
        alive = self._alive(quarter, self.tail.discount, TO_THE_END)
        return np.asarray((self.ordered * self.capex / self.terms.life * alive).sum(axis=(1, 2)))

    def events(self, quarter: int, deposit: np.ndarray) -> dict[str, np.ndarray]:
        """Payments that hang on orders, M$ [path] by name: deposits, milestones, the rest on arrival, residuals.

        ``deposit`` [path] is what this quarter's signatures cost.
        """
        arrival = self._falls_due(self.cohorts.arrival, quarter)
        end = self._falls_due(self.cohorts.retirement, quarter)
        marked = np.zeros(len(deposit))
        for event, (_, part) in zip(self.cohorts.milestones, self.terms.milestones, strict=True):
            marked = marked + self._of_price(part * self._falls_due(event, quarter))
        reserved = np.zeros(len(deposit))
        if quarter < self.tail.first:
            now = (self.ordered[:, quarter], self.rent[:, quarter], self.capex[:, quarter])
            reserved = self.deposit(*now)[:, self.terms.rented].sum(axis=1)
        return {
            "reservation_deposits": -reserved,
            "purchase_deposits": reserved - deposit,
            "milestones": -marked,
            "on_delivery": -self._of_price(self.terms.rest * arrival),
            "residuals": self._of_price(self.terms.residual * end),
        }

    def _of_price(self, share: np.ndarray) -> np.ndarray:
        return np.asarray((self.ordered * self.capex * share).sum(axis=(1, 2)))

    def deposit(self, chips: np.ndarray, rent: np.ndarray, capex: np.ndarray) -> np.ndarray:
        """Payment at signature, M$ per path and offer [path, orderable]."""
        terms = self.terms
        return np.asarray(terms.deposit * chips * (capex + rent * terms.take_or_pay * terms.life))

    def _alive(
        self, quarter: int, factor: float, quarters: int, *, cohorts: Cohorts | None = None
    ) -> np.ndarray:
        cohorts = cohorts or self.cohorts
        if quarter < self.tail.first:
            return (cohorts.arrival <= quarter) & (quarter < cohorts.retirement)
        return run_off(cohorts.arrival, cohorts.retirement, self.tail.first, quarters, factor)

    def _falls_due(self, event: np.ndarray, quarter: int) -> np.ndarray:
        if quarter < self.tail.first:
            return np.asarray(event == quarter, dtype=float)
        later = self.tail.discount ** (event - float(self.tail.first))
        return np.where((event >= self.tail.first) & (event < NEVER), later, 0.0)


def empty_fleet(terms: Terms, cohorts: Cohorts, tail: Tail) -> Fleet:
    """Start a fleet without orders."""
    shape = cohorts.arrival.shape
    return Fleet(terms, cohorts, tail, np.zeros(shape), np.zeros(shape), np.zeros(shape))
