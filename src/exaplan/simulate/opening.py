"""Where a simulated path stands, as a lab of its own: what has been signed is sunk, what is left is planned again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.domain.base import over_quarters
from exaplan.domain.futures import NEVER
from exaplan.domain.lab import Finance, Lab
from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.domain.rates import RateTable
from exaplan.domain.supply import Contract, Instalment, OnDemand, Purchase, Reserved, Site, Tranche
from exaplan.plan.calendar import tranches_of
from exaplan.plan.layout import CHIPS, USD
from exaplan.plan.supply_rows import FIRST_YEAR
from exaplan.simulate.signing import Known

LEAST_CHIPS = 1e-3
"""Chips below which an order is rounding."""


def not_carried(lab: Lab) -> tuple[str, ...]:
    """Name what a lab states that a path's state does not carry into a new lab: its past is more than orders and money."""
    stated = {
        "deals": lab.deals,
        "silicon": lab.silicon,
        "launches": lab.launches,
        "runs": lab.runs,
        "steps of sites": any(site.steps for site in lab.sites),
        "renewals": any(getattr(each, "renewal", None) for each in (*lab.offers, *lab.contracts)),
        "loans of suppliers": lab.finance.supplier_finance,
        "several models for a workload": any(workload.models for workload in lab.serve),
        "several prices for a workload": any(workload.price_points for workload in lab.serve),
    }
    return tuple(name for name, there in stated.items() if there)


@dataclass(frozen=True)
class Opening:
    """A lab that starts where a path stands, with its rates and the demand that has gone away by then."""

    lab: Lab
    rates: RateTable
    lost: np.ndarray  # [serve] 1e12 tokens a quarter
    line: np.ndarray | None = (
        None  # [quarter] ratio around which the demand effect is linear; None: the program's own
    )


def lab_from(known: Known, path: int) -> Opening:
    """Make the lab of a path's own position: a pure function of what is known there.

    Orders become contracts: deliveries at the quarter in which they are expected, the must-pay at its mean over what is
    left, volume by use at today's price, payments of purchases still due. Cash, debt, receivables, tax losses and what is
    left of raises are the path's own; so are the capability ratio and lost demand. Simplified, all without effect on what
    is worth signing but for a little tax: what is left to depreciate is a tax loss at once, the residual of what has been
    bought already is left out, and a delivery that is late already may be late once more.
    """
    lab, t, inputs = known.inputs.lab, known.quarter, known.inputs
    first = lab.horizon.first + t
    law = lab.capability
    if law is not None:
        law = law.model_copy(update={"start": max(float(known.ratio[path]), 1e-6)})
    moved = lab.model_copy(
        update={
            "horizon": lab.horizon.model_copy(update={"first": first}),
            "sites": tuple(_site(site, number, known, path) for number, site in enumerate(lab.sites)),
            "offers": tuple(_offer(offer, known) for offer in lab.offers),
            "contracts": (*_contracts(known, path), *_orders(known, path)),
            "finance": _finance(lab.finance, known, path),
            "capability": law,
        }
    )
    rates = inputs.rates
    rates = replace(rates, mean=rates.mean[:, :, t:], feasible=rates.feasible[:, :, t:])
    return Opening(moved, rates, known.state.lost[path])


def _later(series: tuple[float, ...], known: Known) -> tuple[float, ...]:
    return tuple(over_quarters(series, known.inputs.quarters)[known.quarter :].tolist())


def _site(site: Site, number: int, known: Known, path: int) -> Site:
    lost = known.world.standstill
    late = int(lost[path, :, number].sum()) if lost.shape[-1] else 0
    ready = (
        None if site.ready is None else site.ready + late
    )  # quarters lost so far; none is lost in the first one
    return site.model_copy(update={"power_w": _later(site.power_w, known), "ready": ready})


def _offer(offer: OnDemand | Reserved | Purchase, known: Known) -> OnDemand | Reserved | Purchase:
    if isinstance(offer, OnDemand):
        fields: dict[str, object] = {
            "price_usd_per_chip_h": _later(offer.price_usd_per_chip_h, known),
            "max_chips": _later(offer.max_chips, known),
        }
        return offer.model_copy(update=fields)
    name = "price_usd_per_chip" if isinstance(offer, Purchase) else "price_usd_per_chip_h"
    fields = {name: _later(getattr(offer, name), known), "max_order": _later(offer.max_order, known)}
    if offer.lot_chips is not None and offer.lot_until is None:
        fields["lot_until"] = known.inputs.lab.horizon.first + (FIRST_YEAR - 1)
    return offer.model_copy(update=fields)


def _date(due: int, arrival: int, now: int) -> int:
    """Quarter from the start at which a delivery is entered so that it comes when it is expected.

    What has come stays where it came; what is due in this quarter is entered there, and this quarter's slip moves it.
    """
    if arrival >= NEVER:
        return max(due, now)
    if due >= now:
        return due
    return now - 1 if arrival == now else arrival


def _contracts(known: Known, path: int) -> list[Contract]:
    """Carry the signed contracts: deliveries where they came or are expected, without what has been left."""
    lab, t = known.inputs.lab, known.quarter
    late = np.zeros((1, known.inputs.quarters, known.world.slip.shape[-1]), dtype=np.int64)
    late[0, : t + 1] = known.world.lateness[path]
    tranches = tranches_of(lab.contracts, lab.horizon.first, lab.suppliers)
    arrival = tranches.lives(late)[0][0]
    kept = np.ones(len(lab.contracts))
    kept[known.inputs.sets.exits] -= known.state.left[path]
    carried = []
    for number, contract in enumerate(lab.contracts):
        mine = np.flatnonzero(tranches.contract == number)
        rows = tuple(
            Tranche(
                date=lab.horizon.first + _date(int(tranches.due[k]), int(arrival[k]), t),
                chips=float(tranches.chips[k] * kept[number]),
            )
            for k in mine
            if tranches.chips[k] * kept[number] > LEAST_CHIPS
        )
        owed = tuple(each for each in contract.instalments if each.date - lab.horizon.first >= t)
        # one that has been left whole stays without chips: futures tell of its supplier in its place
        carried.append(contract.model_copy(update={"tranches": rows, "instalments": owed if rows else ()}))
    return carried


def _orders(known: Known, path: int) -> list[Contract]:
    """Turn the orders of a path into contracts: what must be paid, what is paid by use, what has been bought."""
    found = []
    arrival, retirement = known.cohorts.arrival[path], known.cohorts.retirement[path]
    chips = known.ordered[path] * CHIPS
    for quarter, number in np.argwhere(chips > LEAST_CHIPS):
        if arrival[quarter, number] < NEVER and retirement[quarter, number] > known.quarter:
            found += _contract(known, path, int(quarter), int(number))
    return found


def _contract(known: Known, path: int, quarter: int, number: int) -> list[Contract]:
    offer = known.inputs.sets.orderable[number]
    terms, lab, t = known.inputs.deals.terms, known.inputs.lab, known.quarter
    arrival = int(known.cohorts.arrival[path, quarter, number])
    chips = float(known.ordered[path, quarter, number]) * CHIPS
    date = lab.horizon.first + _date(quarter + int(terms.lead[number]), arrival, t)
    common = {
        "chip": offer.chip, "supplier": offer.supplier, "pool": offer.pool, "site": offer.site,
        "term_quarters": int(terms.life[number]), "availability": offer.availability,
    }  # fmt: skip
    name = f"{offer.id} of {lab.horizon.first + quarter}"
    if isinstance(offer, Purchase):
        owed = _still_due(known, path, quarter, number)
        row = Tranche(date=date, chips=chips)
        return [Contract(id=name, kind="owned", tranches=(row,), instalments=owed, **common)]
    signed = float(known.rent[path, quarter, number]) * USD / CHIPS / HOURS_PER_QUARTER
    take = float(terms.take_or_pay[number])
    factor = _mean_factor(known, path, quarter, number)
    found = []
    if take > 0 and signed * factor > 0:
        row = Tranche(date=date, chips=chips * take)
        found.append(
            Contract(
                id=name, kind="reserved", tranches=(row,), price_usd_per_chip_h=signed * factor, **common
            )
        )
    more = chips * (1 - take + offer.flex_up)
    today = float(known.deals.rent[path, number]) * USD / CHIPS / HOURS_PER_QUARTER
    if more > LEAST_CHIPS and today > 0:
        row = Tranche(date=date, chips=more)
        found.append(
            Contract(
                id=f"{name} by use", kind="reserved", tranches=(row,), price_usd_per_chip_h=today, take_or_pay=0.0, **common
            )
        )  # fmt: skip
    return found


def _mean_factor(known: Known, path: int, quarter: int, number: int) -> float:
    """Must-pay over the price at signature, mean over the quarters left: the deposit is credited, the price steps up."""
    terms = known.inputs.deals.terms
    arrival = int(known.cohorts.arrival[path, quarter, number])
    left = np.arange(max(arrival, known.quarter), int(known.cohorts.retirement[path, quarter, number]))
    paid = np.full(len(left), 1 - float(terms.deposit[number]))
    for after, rise in terms.steps:
        paid += np.where(left >= arrival + after, float(rise[number]), 0.0)
    return float(paid.mean())


def _still_due(known: Known, path: int, quarter: int, number: int) -> tuple[Instalment, ...]:
    """Payments of a purchase that fall due from now on: milestones, and the rest on arrival."""
    terms, first = known.inputs.deals.terms, known.inputs.lab.horizon.first
    price = float(known.ordered[path, quarter, number] * known.capex[path, quarter, number]) * USD
    parts = [(quarter + age, float(share[number])) for age, share in terms.milestones]
    parts.append((int(known.cohorts.arrival[path, quarter, number]), float(terms.rest[number])))
    return tuple(
        Instalment(date=first + when, amount_usd=price * share)
        for when, share in parts
        if when >= known.quarter and share > 0
    )


def _finance(finance: Finance, known: Known, path: int) -> Finance:
    books, t = known.books, known.quarter
    # rounds that are over or used up stay, with nothing left of them: futures tell of every round in its place
    rounds = tuple(
        chance.model_copy(
            update={"max_usd": max(chance.max_usd - float(books.raised[path, number]) * USD, 0.0)}
        )
        for number, chance in enumerate(finance.rounds)
    )
    costs = tuple(
        cost.model_copy(
            update={
                "amount_usd_per_quarter": tuple(
                    amount * (1 + cost.growth) ** (t / 4)
                    for amount in _later(cost.amount_usd_per_quarter, known)
                )
            }
        )
        for cost in finance.fixed_costs
    )
    debt = finance.debt
    if debt is not None:
        debt = debt.model_copy(update={"outstanding_usd": float(books.debt[path]) * USD})
    lag = finance.collection_lag_quarters
    return finance.model_copy(
        update={
            "cash_usd": max(float(books.cash[path]), 0.0) * USD,
            "debt": debt,
            "receivables_usd": float(books.receivable[path]) * USD / lag if lag else finance.receivables_usd,
            "losses_carried_usd": (float(books.carried[path]) + _book_value(known, path)) * USD,
            "rounds": rounds,
            "fixed_costs": costs,
        }
    )


def _book_value(known: Known, path: int) -> float:
    """Sum what is left to depreciate of what the path has bought, M$."""
    arrival, retirement = known.cohorts.arrival[path], known.cohorts.retirement[path]
    left = np.clip(retirement - np.maximum(arrival, known.quarter), 0, None)
    share = np.where(arrival < NEVER, left / known.inputs.deals.terms.life, 0.0)
    return float((known.ordered[path] * known.capex[path] * share).sum())
