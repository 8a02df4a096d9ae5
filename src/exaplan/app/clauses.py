"""The clauses of an offer, each with what the contract says without it: a table that may be appended to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic_core import PydanticUndefined

from exaplan.app.variants import edit_site
from exaplan.domain.lab import Lab
from exaplan.domain.supply import Purchase, Reserved, Site

Signed: TypeAlias = Reserved | Purchase
"""An offer that is signed ahead."""

YEAR = 4


@dataclass(frozen=True)
class Clause:
    """One clause: ``change`` gives the offer with it neutralised, or the offer itself where that changes nothing."""

    name: str
    field: str  # what to show before and after
    change: Callable[[Signed], Signed]


@dataclass(frozen=True)
class Changed:
    """A lab in which one clause reads otherwise."""

    clause: str
    now: str
    instead: str
    lab: Lab


def with_field(field: str, value: Callable[[Any], Any]) -> Callable[[Signed], Signed]:
    """Change one field where the offer carries it; the offer itself where it does not."""

    def change(offer: Signed) -> Signed:
        if field not in type(offer).model_fields:
            return offer
        return offer.model_copy(update={field: value(getattr(offer, field))})

    return change


CLAUSES: tuple[Clause, ...] = (
    Clause("no deposit", "deposit", with_field("deposit", lambda _: 0.0)),
    Clause("no take-or-pay", "take_or_pay", with_field("take_or_pay", lambda _: 0.0)),
    Clause("full take-or-pay", "take_or_pay", with_field("take_or_pay", lambda _: 1.0)),
    Clause(
        "delivery a quarter sooner",
        "lead_quarters",
        with_field("lead_quarters", lambda lead: max(lead - 1, 0)),
    ),
    Clause("delivery a quarter later", "lead_quarters", with_field("lead_quarters", lambda lead: lead + 1)),
    Clause("a year longer", "term_quarters", with_field("term_quarters", lambda term: term + YEAR)),
    Clause(
        "a year shorter",
        "term_quarters",
        with_field("term_quarters", lambda term: term - YEAR if term > YEAR else term),
    ),
    Clause("a year longer of use", "life_quarters", with_field("life_quarters", lambda life: life + YEAR)),
    Clause("no residual", "residual", with_field("residual", lambda _: 0.0)),
    Clause(
        "a tenth more to order",
        "max_order",
        with_field("max_order", lambda most: tuple(1.1 * chips for chips in most)),
    ),
    Clause("a price that the market does not move", "market_exposure", with_field("market_exposure", lambda _: 0.0)),
    Clause("up all the time", "availability", with_field("availability", lambda _: 1.0)),
)  # fmt: skip
"""The clauses that are tried on every offer. A clause that does not change an offer is not shown."""

_COVERED = {clause.field for clause in CLAUSES} | {"pool"}


def changes_of(lab: Lab, offer: Signed, clauses: tuple[Clause, ...] = CLAUSES) -> tuple[Changed, ...]:
    """Every lab in which one clause of the offer, or one line of its site, reads otherwise."""
    found = []
    for clause in (*clauses, *optional_clauses(offer)):
        changed = clause.change(offer)
        if changed != offer:
            now, instead = (_words(clause.field, getattr(one, clause.field)) for one in (offer, changed))
            found.append(Changed(clause.name, now, instead, _replaced(lab, changed)))
    if isinstance(offer, Purchase):
        found += _site_changes(lab, offer)
    return tuple(found)


def optional_clauses(offer: Signed) -> Iterator[Clause]:
    """Yield a clause for every optional field that the offer carries and the table does not name: back to the default."""
    for name, field in type(offer).model_fields.items():
        default = field.default
        if name in _COVERED or default is PydanticUndefined or name == "kind":
            continue
        if getattr(offer, name) != default:
            words = name.removesuffix("_usd").removesuffix("_quarters").replace("_", " ")
            yield Clause(f"without: {words}", name, with_field(name, _always(default)))


def _always(value: Any) -> Callable[[Any], Any]:
    return lambda _: value


def _replaced(lab: Lab, changed: Signed) -> Lab:
    offers = tuple(changed if offer.id == changed.id else offer for offer in lab.offers)
    return lab.model_copy(update={"offers": offers})


def _site_changes(lab: Lab, offer: Purchase) -> Iterator[Changed]:
    site = next(site for site in lab.sites if site.id == offer.site)
    more = edit_site(lab, site.id, lambda s: {"power_w": tuple(1.1 * power for power in s.power_w)})
    most = max(site.power_w) / 1e6
    yield Changed(f"a tenth more power at {site.id}", f"{most:g} MW", f"{1.1 * most:g} MW", more)
    if site.ready is None or site.ready <= lab.horizon.first:
        return
    sooner = edit_site(lab, site.id, _earlier)
    before, after = str(site.ready), str(site.ready + -1)
    yield Changed(f"{site.id} ready a quarter sooner", before, after, sooner)
    if offer.lead_quarters > 0:
        both = _replaced(sooner, offer.model_copy(update={"lead_quarters": offer.lead_quarters - 1}))
        yield Changed(f"{site.id} and delivery a quarter sooner", before, after, both)


def _earlier(site: Site) -> dict[str, object]:
    return {"ready": site.ready + -1 if site.ready is not None else None}


def _words(field: str, value: Any) -> str:
    """Write a field's value as a reader would."""
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        first = value[0]
        return f"{first:,.0f}" if isinstance(first, float) else f"{len(value)} entries"
    if field.endswith("_quarters"):
        return f"{value:g} quarter" + ("" if value == 1 else "s")
    if isinstance(value, int | float):
        return f"{100 * value:g} %" if 0 <= value <= 1 else f"{value:g}"
    return str(value)
