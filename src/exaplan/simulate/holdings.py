"""What a replay bought and rented, as cohorts with their dates, prices and payments."""

from __future__ import annotations

import numpy as np

from exaplan.domain.futures import NEVER, World
from exaplan.domain.ledger import Purchases, Reservations
from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.plan.calendar import failure_quarter, tranches_of
from exaplan.plan.further_stocks import halls_started
from exaplan.plan.layout import CHIPS, USD
from exaplan.plan.solve import Solved
from exaplan.simulate.fleet import Fleet

Due = list[tuple[np.ndarray, np.ndarray]]
BEFORE = -1


def purchases_of(solved: Solved, fleet: Fleet, world: World, node: np.ndarray) -> Purchases:
    """Collect orders of purchases, tranches of owned contracts, and halls; ``node`` is [path, quarter]."""
    parts = [_orders(solved, fleet, world), _owned(solved, world), _halls(solved, node)]
    dues = max(len(part.due) for part in parts)
    paths = len(node)
    return Purchases(
        name=tuple(name for part in parts for name in part.name),
        hall=np.concatenate([part.hall for part in parts]),
        life=np.concatenate([part.life for part in parts]),
        **{
            name: np.concatenate([getattr(part, name) for part in parts], axis=1)
            for name in ("chips", "cost_usd", "arrival", "retirement", "lost")
        },
        due=tuple(
            (
                np.concatenate([_due(part, k, 0, paths) for part in parts], axis=1),
                np.concatenate([_due(part, k, 1, paths) for part in parts], axis=1),
            )
            for k in range(dues)
        ),
    )


def _due(part: Purchases, number: int, which: int, paths: int) -> np.ndarray:
    if number < len(part.due):
        return part.due[number][which]
    return np.full((paths, len(part.name)), NEVER if which == 0 else 0)


def _flat(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Turn [path, order quarter, orderable] into [path, cohort] for the chosen offers."""
    return np.asarray(values[:, :, chosen].reshape(len(values), -1))


def _lost(arrival: np.ndarray, signed: np.ndarray, failed: np.ndarray) -> np.ndarray:
    """Quarter in which a failure ends what has not arrived, NEVER elsewhere."""
    return np.where(arrival >= NEVER, np.maximum(signed, failed), NEVER)


def _orders(solved: Solved, fleet: Fleet, world: World) -> Purchases:
    terms, horizon = fleet.terms, fleet.ordered.shape[1]
    bought = np.flatnonzero(~terms.rented)
    offers = [solved.program.inputs.sets.orderable[number].id for number in bought]
    signed = np.tile(np.repeat(np.arange(horizon), len(bought)), (len(fleet.ordered), 1))
    failed = np.tile(failure_quarter(world.lateness)[:, terms.supplier[bought]], (1, horizon))
    arrival, retirement = _flat(fleet.cohorts.arrival, bought), _flat(fleet.cohorts.retirement, bought)
    cost = _flat(fleet.ordered * fleet.capex, bought) * USD

    def share(values: np.ndarray) -> np.ndarray:
        return np.tile(values[bought], horizon) * cost

    due: Due = [(signed, share(terms.deposit)), (arrival, share(terms.rest))]
    for event, (_, part) in zip(fleet.cohorts.milestones, terms.milestones, strict=True):
        due.append((_flat(event, bought), share(part)))
    # what a failed supplier no longer asks for is no part of the price of what it delivered
    asked = sum((np.where(when < NEVER, amount, 0.0) for when, amount in due), np.zeros(cost.shape))
    return Purchases(
        name=tuple(offers * horizon),
        hall=np.zeros(len(bought) * horizon, dtype=bool),
        life=np.tile(terms.life[bought], horizon),
        chips=_flat(fleet.ordered, bought) * CHIPS,
        cost_usd=np.where(arrival < NEVER, asked, cost),
        arrival=arrival,
        retirement=np.where(arrival >= NEVER, NEVER, retirement),
        lost=_lost(arrival, signed, failed),
        due=tuple(due),
    )


def _owned(solved: Solved, world: World) -> Purchases:
    """Tranches of owned contracts: what is told of their price is the deposit paid and the instalments owed."""
    inputs = solved.program.inputs
    lab, first = inputs.lab, inputs.lab.horizon.first
    tranches = tranches_of(lab.contracts, first, lab.suppliers)
    own = np.array([lab.contracts[k].kind == "owned" for k in tranches.contract], dtype=bool)
    contract, chips = tranches.contract[own], tranches.chips[own]
    arrival, retirement = (dates[:, own] for dates in tranches.lives(world.lateness))
    whole = np.bincount(tranches.contract, tranches.chips, minlength=len(lab.contracts))
    part = chips / whole[contract]
    paths = len(world.slip)
    failed = failure_quarter(world.lateness)[:, tranches.supplier[own]]
    lost = _lost(arrival, np.zeros_like(arrival), failed)
    told = np.array([lab.contracts[k].deposit_paid_usd for k in contract]) * part
    due: Due = [(np.full(arrival.shape, BEFORE), np.tile(told, (paths, 1)))]
    for number in sorted(set(contract.tolist())):
        for instalment in lab.contracts[number].instalments:
            amount = np.where(contract == number, instalment.amount_usd * part, 0.0)
            when = np.full(arrival.shape, instalment.date - first)
            due.append((np.where(when < lost, when, NEVER), np.tile(amount, (paths, 1))))
    cost = np.asarray(sum((amount for _, amount in due), np.zeros(arrival.shape)))
    return Purchases(
        name=tuple(lab.contracts[k].id for k in contract),
        hall=np.zeros(len(chips), dtype=bool),
        life=np.array([lab.contracts[k].term_quarters for k in contract], dtype=int),
        chips=np.tile(chips, (paths, 1)),
        cost_usd=cost,
        arrival=arrival,
        retirement=retirement,
        lost=lost,
        due=tuple(due),
    )


def _halls(solved: Solved, node: np.ndarray) -> Purchases:
    """Site steps by the quarter of their start; a path follows the starts of the nodes it resembles."""
    paths, horizon = node.shape
    found = [(step, started, q) for step, started in halls_started(solved) for q in range(horizon)]
    count = len(found)
    begin = np.array([q for _, _, q in found], dtype=int)
    share = np.stack([s[node[:, q]] for _, s, q in found], axis=1) if found else np.zeros((paths, 0))
    price = np.array([step.cost_usd for step, _, _ in found])
    life = np.array([step.life_quarters for step, _, _ in found], dtype=int)
    arrival = np.tile(begin + np.array([step.lead_quarters for step, _, _ in found], dtype=int), (paths, 1))
    longest = max((len(step.payments) for step, _, _ in found), default=0)
    due: Due = []
    for age in range(longest):
        part = np.array([step.payments[age] if age < len(step.payments) else 0.0 for step, _, _ in found])
        due.append((np.tile(begin + age, (paths, 1)), share * part * price))
    return Purchases(
        name=tuple(step.id for step, _, _ in found),
        hall=np.ones(count, dtype=bool),
        life=life,
        chips=np.zeros((paths, count)),
        cost_usd=share * price,
        arrival=arrival,
        retirement=arrival + life,
        lost=np.full((paths, count), NEVER),
        due=tuple(due),
    )


def reservations_of(solved: Solved, fleet: Fleet, world: World) -> Reservations:
    """Collect orders of reservations and tranches of signed contracts that are rented."""
    orders, signed = _reserved_orders(solved, fleet, world), _signed_tranches(solved, world)
    rises = [*orders.steps, *((after, rise) for after, rise in signed.steps)]
    paths, more = len(fleet.ordered), len(signed.name)
    return Reservations(
        name=(*orders.name, *signed.name),
        term=np.concatenate([orders.term, signed.term]),
        signed=np.concatenate([orders.signed, signed.signed]),
        **{
            name: np.concatenate([getattr(orders, name), getattr(signed, name)], axis=1)
            for name in ("chips", "rent_usd", "deposit_usd", "arrival", "retirement", "lost")
        },
        steps=tuple(
            (after, np.concatenate([rise, np.zeros((paths, more))], axis=1)) for after, rise in rises
        ),
    )


def _reserved_orders(solved: Solved, fleet: Fleet, world: World) -> Reservations:
    terms, horizon = fleet.terms, fleet.ordered.shape[1]
    rented = np.flatnonzero(terms.rented)
    signed = np.repeat(np.arange(horizon), len(rented))
    arrival, retirement = _flat(fleet.cohorts.arrival, rented), _flat(fleet.cohorts.retirement, rented)
    failed = np.tile(failure_quarter(world.lateness)[:, terms.supplier[rented]], (1, horizon))
    full = _flat(fleet.ordered * fleet.rent * terms.take_or_pay, rented) * USD

    def spread(values: np.ndarray) -> np.ndarray:
        return np.tile(values[rented], horizon)

    return Reservations(
        name=tuple([solved.program.inputs.sets.orderable[number].id for number in rented] * horizon),
        term=spread(terms.life),
        chips=_flat(fleet.ordered, rented) * CHIPS,
        signed=signed,
        rent_usd=full * (1 - spread(terms.deposit)),
        deposit_usd=full * spread(terms.deposit * terms.life),
        steps=tuple((after, full * spread(rise)) for after, rise in terms.steps),
        arrival=arrival,
        retirement=np.where(arrival >= NEVER, NEVER, retirement),
        lost=_lost(arrival, np.broadcast_to(signed, arrival.shape), failed),
    )


def _signed_tranches(solved: Solved, world: World) -> Reservations:
    lab = solved.program.inputs.lab
    tranches = tranches_of(lab.contracts, lab.horizon.first, lab.suppliers)
    rented = np.array([lab.contracts[k].kind == "reserved" for k in tranches.contract], dtype=bool)
    contract, chips = tranches.contract[rented], tranches.chips[rented]
    arrival, retirement = (dates[:, rented] for dates in tranches.lives(world.lateness))
    paths = len(world.slip)
    whole = np.bincount(tranches.contract, tranches.chips, minlength=len(lab.contracts))
    rent = np.array([c.price_usd_per_chip_h * c.take_or_pay for c in lab.contracts]) * HOURS_PER_QUARTER
    paid = np.array([c.deposit_paid_usd for c in lab.contracts])
    failed = failure_quarter(world.lateness)[:, tranches.supplier[rented]]
    return Reservations(
        name=tuple(lab.contracts[k].id for k in contract),
        term=tranches.term[rented],
        chips=np.tile(chips, (paths, 1)),
        signed=np.full(len(chips), BEFORE),
        rent_usd=np.tile(chips * rent[contract], (paths, 1)),
        deposit_usd=np.tile(paid[contract] * chips / whole[contract], (paths, 1)),
        steps=(),
        arrival=arrival,
        retirement=retirement,
        lost=_lost(arrival, np.zeros_like(arrival), failed),
    )
