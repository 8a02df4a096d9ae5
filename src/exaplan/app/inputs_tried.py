"""Every input that sensitivity tries: the deciding ones, then each offer's price, dates, power, cash and policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exaplan.app.variants import Knob, edit_offer, edit_site, knobs_of, origin_of, priced_at
from exaplan.domain.lab import Lab
from exaplan.domain.rates import RateTable
from exaplan.domain.supply import OnDemand

Moved = tuple[Lab, RateTable]


def inputs_tried(lab: Lab, rates: RateTable) -> tuple[Knob, ...]:
    """Return every input that the lab has and that can be moved.

    Uncertain numbers move between the ends of their 90 % intervals. What the file gives as one number moves by a ratio,
    or one way by a quarter or a tenth; those ranges are assumed.
    """
    knobs = list(knobs_of(lab, rates, None))
    knobs += [_price(lab, offer.id) for offer in lab.offers]
    if any(not isinstance(offer, OnDemand) for offer in lab.offers):
        knobs += [
            _one_way("deliveries of new orders", lab, "offers", "a quarter later", _later),
            _ratio("what can be ordered", lab, "offers", _orderable, 0.75, 1.25),
        ]
    for site in lab.sites:
        knobs.append(_ratio(f"power at {site.id}", lab, f"sites.{site.id}.power", _power(site.id), 0.9, 1.1))
        if site.ready is not None and site.ready > lab.horizon.first:
            knobs.append(
                _one_way(
                    f"{site.id} ready", lab, f"sites.{site.id}.ready", "a quarter later", _ready(site.id)
                )
            )
    knobs += [
        _ratio("cash at the start", lab, "finance.cash", _finance("cash_usd"), 0.75, 1.25),
        _ratio("cost of equity", lab, "finance.cost_of_equity", _finance("cost_of_equity"), 0.8, 1.2),
        _ratio("fixed costs", lab, "finance.fixed_costs", _fixed_costs, 0.9, 1.1),
    ]
    if lab.policy.floor is not None and lab.policy.floor.share > 0:
        knobs.append(_ratio("development floor", lab, "policy.floor.share", _floor, 0.85, 1.15))
    if lab.capability is not None:
        law = "capability.parity_flop_per_quarter"
        knobs.append(_ratio("compute that keeps parity", lab, law, _parity, 0.75, 1.25))
    return tuple(knobs)


def _ratio(
    name: str, lab: Lab, key: str, change: Callable[[Lab, float], Lab], low: float, high: float
) -> Knob:
    def at(given: Lab, rates: RateTable, x: float) -> Moved:
        return change(given, x), rates

    return Knob(name, origin_of(lab, key), "as given", lambda x: f"x {x:.2f}", low, high, at, base=1.0)


def _one_way(name: str, lab: Lab, key: str, high: str, change: Callable[[Lab], Lab]) -> Knob:
    """Make an input that is as given (0) or moved (1); what lies between is rounded."""

    def at(given: Lab, rates: RateTable, x: float) -> Moved:
        return (change(given) if x > 0.5 else given), rates

    def show(x: float) -> str:
        return high if x > 0.5 else "as given"

    return Knob(name, origin_of(lab, key), "as given", show, 0.0, 1.0, at)


def _price(lab: Lab, offer: str) -> Knob:
    key = f"offers.{offer}.price"
    return _ratio(f"price of {offer}", lab, key, lambda given, x: priced_at(given, offer, x), 0.75, 1.25)


def _later(lab: Lab) -> Lab:
    for offer in lab.offers:
        if not isinstance(offer, OnDemand):
            lab = edit_offer(lab, offer.id, lambda o: {"lead_quarters": o.lead_quarters + 1})
    return lab


def _orderable(lab: Lab, x: float) -> Lab:
    for offer in lab.offers:
        if not isinstance(offer, OnDemand):
            lab = edit_offer(lab, offer.id, lambda o: {"max_order": tuple(x * most for most in o.max_order)})
    return lab


def _power(site: str) -> Callable[[Lab, float], Lab]:
    return lambda lab, x: edit_site(lab, site, lambda s: {"power_w": tuple(x * power for power in s.power_w)})


def _ready(site: str) -> Callable[[Lab], Lab]:
    return lambda lab: edit_site(lab, site, lambda s: {"ready": s.ready + 1})


def _finance(field: str) -> Callable[[Lab, float], Lab]:
    def change(lab: Lab, x: float) -> Lab:
        moved: dict[str, Any] = {field: getattr(lab.finance, field) * x}
        return lab.model_copy(update={"finance": lab.finance.model_copy(update=moved)})

    return change


def _fixed_costs(lab: Lab, x: float) -> Lab:
    costs = tuple(
        cost.model_copy(
            update={"amount_usd_per_quarter": tuple(x * usd for usd in cost.amount_usd_per_quarter)}
        )
        for cost in lab.finance.fixed_costs
    )
    return lab.model_copy(update={"finance": lab.finance.model_copy(update={"fixed_costs": costs})})


def _floor(lab: Lab, x: float) -> Lab:
    if lab.policy.floor is None:
        return lab
    floor = lab.policy.floor.model_copy(update={"share": min(1.0, lab.policy.floor.share * x)})
    return lab.model_copy(update={"policy": lab.policy.model_copy(update={"floor": floor})})


def _parity(lab: Lab, x: float) -> Lab:
    if lab.capability is None:
        return lab
    moved = {"parity_flop_per_quarter": lab.capability.parity_flop_per_quarter * x}
    return lab.model_copy(update={"capability": lab.capability.model_copy(update=moved)})


def all_moved(knobs: tuple[Knob, ...], lab: Lab, rates: RateTable, at: tuple[float, ...]) -> Moved:
    """Set every input at once: 0 is the low end of its range, 1 the high end."""
    for knob, share in zip(knobs, at, strict=True):
        lab, rates = knob.at(lab, rates, knob.low + share * (knob.high - knob.low))
    return lab, rates
