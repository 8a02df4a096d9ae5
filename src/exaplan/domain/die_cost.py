"""What a packaged chip costs: dies on a wafer, those that work, and all that is added to them.

Pure formulas. Yield models after Murphy, Proc. IEEE 52 (1964) 1537, doi 10.1109/PROC.1964.3442; Seeds, IEEE
International Electron Devices Meeting (1967); Price, Proc. IEEE 58 (1970) 1290, doi 10.1109/PROC.1970.7911 (Bose-
Einstein statistics); how they follow from one another: Cunningham, IEEE Trans. Semicond. Manuf. 3 (1990) 60.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from exaplan.domain.silicon import Foundry, Silicon, YieldModel


def dies_per_wafer(die_area_mm2: float, wafer_diameter_mm: float = 300.0) -> int:
    """Whole dies on a wafer: pi d^2 / (4 A) - pi d / sqrt(2 A), the area less what the edge cuts.

    The usual approximation; its accuracy and better fits: de Vries, IEEE Trans. Semicond. Manuf. 18 (2005) 136,
    doi 10.1109/TSM.2004.836656. No scribe lines, no edge exclusion.

    Examples
    --------
    By hand, 800 mm^2 on 300 mm: 70686 / 800 = 88.36, less 942.48 / 40 = 23.56, is 64.8.

    >>> dies_per_wafer(800.0)
    64
    """
    gross = math.pi * wafer_diameter_mm**2 / (4 * die_area_mm2)
    edge = math.pi * wafer_diameter_mm / math.sqrt(2 * die_area_mm2)
    return max(0, math.floor(gross - edge))


def die_yield(
    model: YieldModel, die_area_mm2: float, defect_density_per_cm2: float, critical_layers: int = 1
) -> float:
    """Share of dies without a killer defect; x = area x density is the mean number of defects on a die.

    poisson exp(-x); murphy ((1 - exp(-x)) / x)^2, Murphy's triangle; seeds 1 / (1 + x); bose-einstein
    1 / (1 + x)^layers, x per critical layer.

    Examples
    --------
    Eight square centimeters at a tenth of a defect each: x = 0.8.

    >>> [round(die_yield(m, 800.0, 0.1), 4) for m in ("poisson", "murphy", "seeds", "bose-einstein")]
    [0.4493, 0.4738, 0.5556, 0.5556]
    >>> round(die_yield("bose-einstein", 100.0, 0.25, 2), 2)
    0.64
    """
    x = die_area_mm2 / 100.0 * defect_density_per_cm2
    if model == "poisson":
        return math.exp(-x)
    if model == "murphy":
        return (-math.expm1(-x) / x) ** 2 if x > 0 else 1.0
    if model == "seeds":
        return 1 / (1 + x)
    return float((1 + x) ** -critical_layers)


@dataclass(frozen=True)
class ChipCost:
    """What one chip costs with a foundry, step by step, USD but for the first two."""

    dies_per_wafer: int
    die_yield: float
    good_die: float
    packaged: float  # dies, memory and packaging of one package, good or bad
    good_package: float  # with the packages lost at the final test
    price: float  # with the partner's margin
    installed: float  # with server, network and hall


def chip_cost(foundry: Foundry, system_cost_usd: float = 0.0) -> ChipCost:
    """Cost of one chip on the floor.

    good die = wafer price / (dies per wafer x yield); package = dies x good die + stacks x HBM + packaging; good
    package = package / test yield; price = good package / (1 - partner's margin); installed = price + system.

    Raises
    ------
    ValueError
        Where not one whole die fits on the wafer.

    Examples
    --------
    By hand: 64 dies at 50 % are 32 good ones of 640 USD; two of them, 8 stacks of 400 and 500 of packaging are 4980;
    at a test yield of 83 % 6000, at a margin of 40 % 10,000, on the floor 22,000 USD.

    >>> given = dict(id="a", node="N3", wafer_price=20480, die_area=800, dies=2, defect_density=0.125, hbm_stacks=8,
    ...              yield_model="seeds", packaging_cost=500, packaging_slots=(1e5,), hbm_cost=400, test_yield=0.83,
    ...              partner_margin=0.4)
    >>> cost = chip_cost(Foundry(**given), 12_000)
    >>> cost.dies_per_wafer, cost.die_yield, cost.good_die, cost.packaged
    (64, 0.5, 640.0, 4980.0)
    >>> round(cost.good_package), round(cost.price), round(cost.installed)
    (6000, 10000, 22000)
    """
    whole = dies_per_wafer(foundry.die_area_mm2, foundry.wafer_diameter_mm)
    if whole < 1:
        raise ValueError(f"{foundry.id}: no whole die of {foundry.die_area_mm2:g} mm^2 fits on the wafer")
    share = die_yield(
        foundry.yield_model,
        foundry.die_area_mm2,
        foundry.defect_density_per_cm2,
        foundry.critical_layers or 1,
    )
    good_die = foundry.wafer_price_usd / (whole * share)
    package = foundry.dies * good_die + foundry.hbm_stacks * foundry.hbm_cost_usd + foundry.packaging_cost_usd
    good = package / foundry.test_yield
    price = good / (1 - foundry.partner_margin)
    return ChipCost(whole, share, good_die, package, good, price, price + system_cost_usd)


def installed_cost(program: Silicon, foundry: Foundry) -> float:
    """USD per chip of a program on the floor."""
    return chip_cost(foundry, program.system_cost_usd_per_chip).installed
