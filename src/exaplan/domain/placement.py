"""Whether a hall can take a chip: cooling, and power per rack."""

from __future__ import annotations

from exaplan.domain.supply import Site
from exaplan.domain.technology import Chip


def misfit(chip: Chip, site: Site) -> str | None:
    """Say why the chip cannot stand at the site; None where it can, or where it is not known."""
    if chip.liquid_cooled and not site.liquid:
        return f"{chip.id!r} needs liquid cooling; the hall of {site.id!r} has none"
    limit, needed = site.rack_power_max_w, chip.rack_power_w
    if limit is not None and needed is not None and needed > limit:
        return f"a rack of {chip.id!r} draws {needed / 1e3:g} kW; the hall of {site.id!r} feeds {limit / 1e3:g} kW"
    return None


def unknown_fit(chip: Chip, site: Site) -> str | None:
    """Say what is not known of the chip that the hall of the site depends on; None where nothing is missing."""
    if chip.liquid_cooled is None and not site.liquid:
        return f"whether {chip.id!r} needs liquid cooling, which the hall of {site.id!r} lacks"
    if chip.rack_power_w is None and site.rack_power_max_w is not None:
        return f"what a rack of {chip.id!r} draws, which the hall of {site.id!r} limits to {site.rack_power_max_w / 1e3:g} kW"
    return None
