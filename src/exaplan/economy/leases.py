"""Reservations on the books: as services with prepaid deposits, or as leases with a right of use and a liability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.ledger import Reservations


@dataclass(frozen=True)
class Rented:
    """Balances [path, 1 + quarter] (the first is the opening one) and charges [path, quarter], USD."""

    prepaid: np.ndarray  # deposits still to be credited
    right_of_use: np.ndarray
    liability: np.ndarray
    credited: np.ndarray  # deposits used up, services only
    depreciation: np.ndarray  # of rights of use
    interest: np.ndarray  # on lease liabilities
    lost: np.ndarray  # deposits with suppliers that failed before delivery


def as_services(held: Reservations, quarters: int) -> Rented:
    """Rent is expensed as it runs; a deposit is prepaid rent, used up in equal parts over the term."""
    rented = _nothing(len(held.rent_usd), quarters)
    each = held.deposit_usd / np.maximum(held.term, 1)
    for t in range(-1, quarters):
        left = np.clip(held.retirement - np.maximum(held.arrival, t + 1), 0, held.term)
        left = np.where(t < held.arrival, held.term, left)  # what never comes is prepaid until it is lost
        there = (held.signed <= t) & (t < held.lost)
        rented.prepaid[:, t + 1] = (each * left * there).sum(axis=1)
        if t >= 0:
            rented.credited[:, t] = (each * ((held.arrival <= t) & (t < held.retirement))).sum(axis=1)
            rented.lost[:, t] = (held.deposit_usd * (held.lost == t)).sum(axis=1)
    return rented


def as_leases(held: Reservations, quarters: int, borrowing_rate: float) -> Rented:
    """Lease liability = present value of what is still to be paid at the borrowing rate; right of use written off evenly.

    A lease begins on delivery: right of use = liability + deposit. Payments fall at the end of each quarter. What runs
    already at the start is taken in at what is left of it (IFRS 16, appendix C8(b)(ii)). What is paid only when used
    never enters.
    """
    rented, rate = _nothing(len(held.rent_usd), quarters), borrowing_rate / 4
    begin = np.maximum(held.arrival, 0)
    first = _liability(held, np.where(held.arrival < 0, -1, held.arrival - 1), rate)
    untouched = np.clip((held.retirement - begin) / np.maximum(held.term, 1), 0.0, 1.0)
    left = np.maximum(held.retirement - begin, 1)
    each = (first + held.deposit_usd * untouched) / left
    for t in range(-1, quarters):
        there = (held.signed <= t) & (t < held.lost)
        serving = (held.arrival <= t) & (t < held.retirement)
        rented.prepaid[:, t + 1] = (held.deposit_usd * (t < held.arrival) * there).sum(axis=1)
        rented.liability[:, t + 1] = (_liability(held, t, rate) * serving).sum(axis=1)
        rented.right_of_use[:, t + 1] = (each * (held.retirement - 1 - t) * serving).sum(axis=1)
        if t >= 0:
            rented.depreciation[:, t] = (each * serving).sum(axis=1)
            rented.interest[:, t] = (rate * _liability(held, t - 1, rate) * serving).sum(axis=1)
            rented.lost[:, t] = (held.deposit_usd * (held.lost == t)).sum(axis=1)
    return rented


def _liability(held: Reservations, end_of: int | np.ndarray, rate: float) -> np.ndarray:
    """Present value at the end of a quarter of the rent still to be paid, USD [path, cohort]."""
    payments = np.maximum(held.retirement - 1 - end_of, 0)
    value = held.rent_usd * _annuity(rate, payments)
    for after, rise in held.steps:
        wait = np.maximum(held.arrival + after - 1 - end_of, 0)  # quarters before the first raised payment
        value = value + rise * np.maximum(_annuity(rate, payments) - _annuity(rate, wait), 0.0)
    return np.asarray(value)


def _annuity(rate: float, quarters: np.ndarray) -> np.ndarray:
    if rate == 0:
        return quarters.astype(float)
    return np.asarray((1 - (1 + rate) ** -quarters.astype(float)) / rate)


def _nothing(paths: int, quarters: int) -> Rented:
    balances = (np.zeros((paths, quarters + 1)) for _ in range(3))
    charges = (np.zeros((paths, quarters)) for _ in range(4))
    return Rented(*balances, *charges)
