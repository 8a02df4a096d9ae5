"""The same lab with one thing changed: rent only, without an offer, an input at another value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from exaplan.domain.lab import Lab, Origin
from exaplan.domain.rates import RateTable
from exaplan.domain.supply import OnDemand
from exaplan.domain.uncertain import Z95, Uncertain


def rent_only(lab: Lab) -> Lab:
    """Sign nothing new: contracts run on, everything else is rented by the hour."""
    for offer in lab.offers:
        if not isinstance(offer, OnDemand):
            lab = without(lab, offer.id)
    return lab


def without(lab: Lab, offer: str) -> Lab:
    """Take one offer off the table; it stays in the lab, so that the futures of its supplier stay the same."""
    return edit_offer(lab, offer, lambda _: {"max_order": (0.0,)})


def from_quarter(lab: Lab, offer: str, quarters: int) -> Lab:
    """Open an offer's window that many quarters after the horizon's first."""
    opened = lab.horizon.first + quarters
    return edit_offer(lab, offer, lambda o: {"first": max(o.first or opened, opened)})


def edit_offer(lab: Lab, offer: str, change: Callable[..., dict[str, object]]) -> Lab:
    """Change fields of one offer."""
    edited = tuple(o.model_copy(update=change(o)) if o.id == offer else o for o in lab.offers)
    return lab.model_copy(update={"offers": edited})


def edit_site(lab: Lab, site: str, change: Callable[..., dict[str, object]]) -> Lab:
    """Change fields of one site."""
    edited = tuple(s.model_copy(update=change(s)) if s.id == site else s for s in lab.sites)
    return lab.model_copy(update={"sites": edited})


def priced_at(lab: Lab, offer: str, factor: float) -> Lab:
    """Multiply the price of one offer, in every quarter."""

    def fields(o: object) -> dict[str, object]:
        name = "price_usd_per_chip" if hasattr(o, "price_usd_per_chip") else "price_usd_per_chip_h"
        return {name: tuple(price * factor for price in getattr(o, name))}

    return edit_offer(lab, offer, fields)


def coarse(lab: Lab) -> Lab:
    """Put the same lab on a tree of two leaves, for screening: two children at the first date of news."""
    few = tuple(branch.model_copy(update={"into": 2}) for branch in lab.futures.branches[:1])
    return lab.model_copy(
        update={"futures": lab.futures.model_copy(update={"branches": few, "samples": 400})}
    )


def thinned(lab: Lab) -> Lab:
    """Put the same lab on a thinner tree, for many re-solves: two children at each of the first four dates of news."""
    few = tuple(
        branch.model_copy(update={"into": min(branch.into, 2)}) for branch in lab.futures.branches[:4]
    )
    return lab.model_copy(update={"futures": lab.futures.model_copy(update={"branches": few})})


@dataclass(frozen=True)
class Knob:
    """One input that can be set low or high: how it reads at each, where it comes from, and the lab it makes."""

    name: str
    origin: str
    now: str
    show: Callable[[float], str]
    low: float
    high: float
    at: Callable[[Lab, RateTable, float], tuple[Lab, RateTable]]
    base: float = 0.0


def knobs_of(lab: Lab, rates: RateTable, offer: str | None) -> tuple[Knob, ...]:
    """Return the inputs that can plausibly decide a plan: each moves between the ends of its 90 % interval.

    An uncertain literal moves all workloads along their own intervals together (``base`` 0 is the median, 1 the 95th
    percentile); a plain number moves by the ratio that is stated.
    """
    knobs = [
        _percentile("growth of demand", "growth", lab),
        _percentile("change of token prices", "price_change", lab),
        _modelled_rates(rates),
        _ratio("rental prices", origin_of(lab, "offers"), _rental, 0.7, 1.3),
    ]
    if any(workload.churn_when_unserved > 0 for workload in lab.serve):
        knobs.append(
            _ratio(
                "customers lost when unserved", _workload_origin(lab, "churn_when_unserved"), _churn, 0.5, 1.5
            )
        )
    if lab.capability is not None and any(workload.sensitivity > 0 for workload in lab.serve):
        knobs.append(
            _ratio(
                "demand gained by capability", _workload_origin(lab, "sensitivity"), _sensitivity, 0.5, 1.5
            )
        )
    if offer is not None:
        source = origin_of(lab, f"offers.{offer}.price")
        knobs.append(_ratio(f"price of {offer}", source, _offer_price(offer), 0.75, 1.25))
    return tuple(knob for knob in knobs if knob.low != knob.high)


def _percentile(name: str, field: str, lab: Lab) -> Knob:
    def move(given: Lab, rates: RateTable, z: float) -> tuple[Lab, RateTable]:
        moved = {w.id: {field: Uncertain.point(_at(getattr(w, field), z))} for w in given.serve}
        return _edit_workloads(given, moved), rates

    def show(z: float) -> str:
        return ", ".join(f"{w.id} {_at(getattr(w, field), z):+.0%}/year" for w in lab.serve)

    certain = all(getattr(w, field).is_certain for w in lab.serve)
    end = 0.0 if certain else Z95
    return Knob(name, _workload_origin(lab, field), show(0.0), show, -end, end, move)


def _at(number: Uncertain, z: float) -> float:
    return float(number.at(np.array([z]))[0])


def _ratio(
    name: str,
    origin: str,
    change: Callable[[Lab, RateTable, float], tuple[Lab, RateTable]],
    low: float,
    high: float,
) -> Knob:
    return Knob(name, origin, "as given", lambda x: f"x {x:.2f}", low, high, change, base=1.0)


def _modelled_rates(rates: RateTable) -> Knob:
    """Every chip's rates move together along their own intervals: the model's errors share their causes."""
    used = rates.log_sd[rates.feasible.any(axis=2)]
    typical = float(np.median(used)) if used.size else 0.0

    def move(lab: Lab, given: RateTable, z: float) -> tuple[Lab, RateTable]:
        return lab, replace(given, mean=given.mean * np.exp(z * given.log_sd)[:, :, None])

    def show(z: float) -> str:
        return f"x {np.exp(z * typical):.2f}"

    name = "chip rates of the performance model"
    return Knob(name, "spread of the performance model", show(0.0), show, -Z95, Z95, move)


def _rental(lab: Lab, rates: RateTable, x: float) -> tuple[Lab, RateTable]:
    for offer in lab.offers:
        if offer.kind != "purchase":
            lab = _offer_price(offer.id)(lab, rates, x)[0]
    return lab, rates


def _offer_price(offer: str) -> Callable[[Lab, RateTable, float], tuple[Lab, RateTable]]:
    return lambda lab, rates, x: (priced_at(lab, offer, x), rates)


def _churn(lab: Lab, rates: RateTable, x: float) -> tuple[Lab, RateTable]:
    edits = {w.id: {"churn_when_unserved": min(1.0, w.churn_when_unserved * x)} for w in lab.serve}
    return _edit_workloads(lab, edits), rates


def _sensitivity(lab: Lab, rates: RateTable, x: float) -> tuple[Lab, RateTable]:
    edits = {w.id: {"sensitivity": min(0.99, w.sensitivity * x)} for w in lab.serve}
    return _edit_workloads(lab, edits), rates


def _edit_workloads(lab: Lab, edits: Mapping[str, Mapping[str, object]]) -> Lab:
    edited = tuple(w.model_copy(update=edits.get(w.id, {})) for w in lab.workloads)
    return lab.model_copy(update={"workloads": edited})


def origin_of(lab: Lab, key: str) -> str:
    """Name the place of a key in the lab file and the source beside it."""
    found = lab.origins.get(key)
    return _place(found) if found else "assumed"


def _workload_origin(lab: Lab, field: str) -> str:
    notes = [lab.origins.get(f"workloads.{w.id}.{field}") for w in lab.serve]
    known = [note for note in notes if note is not None]
    return _place(known[0]) if known else "default of exaplan"


def _place(origin: Origin) -> str:
    """Name the file without its folder: a run says the same wherever the lab stands."""
    place = str(origin.model_copy(update={"file": Path(origin.file).name}))
    return f"{place}: {origin.note}" if origin.note else place
