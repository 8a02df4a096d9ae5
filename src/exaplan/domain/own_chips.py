"""The chips of a program as offers: what can be ordered, paid, delivered and retired like any other purchase."""

from __future__ import annotations

from exaplan.domain.base import over_quarters
from exaplan.domain.die_cost import installed_cost
from exaplan.domain.lab import Lab
from exaplan.domain.silicon import Foundry, Silicon
from exaplan.domain.supply import Purchase


def with_own_chips(lab: Lab) -> Lab:
    """Return the lab with one purchase offer per program and foundry; an offer that is there already is left alone.

    The order of a quarter is bounded once more by the program's ramp (``plan.silicon_rows``).
    """
    known = {offer.id for offer in lab.offers}
    made = tuple(
        _offer(lab, program, foundry)
        for program in lab.silicon
        for foundry in program.foundries
        if program.offer_id(foundry) not in known
    )
    return lab.model_copy(update={"offers": (*lab.offers, *made)}) if made else lab


def _offer(lab: Lab, program: Silicon, foundry: Foundry) -> Purchase:
    slots = over_quarters(foundry.packaging_slots, lab.horizon.quarters)
    most = tuple(float(min(each, max(program.ramp))) for each in slots)
    return Purchase(
        id=program.offer_id(foundry),
        chip=program.chip,
        supplier=foundry.delivered_by,
        pool=program.site,
        site=program.site,
        availability=program.availability,
        first=program.first,
        price_usd_per_chip=(installed_cost(program, foundry),),
        lead_quarters=program.production_quarters,
        life_quarters=program.life_quarters,
        max_order=most,
        deposit=program.deposit,
        residual=program.residual,
    )
