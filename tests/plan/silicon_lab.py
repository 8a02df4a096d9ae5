"""A chip program whose plan can be worked out by hand: a chip costs 4,000 USD, works one quarter and earns 10,000."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tests.plan import toy

from exaplan.domain.futures import Tree
from exaplan.domain.lab import Lab
from exaplan.domain.silicon import Foundry, NreStage, Silicon


def foundry(name: str = "x", *, usd: float = 4000.0, slots: float = 1e6, **more) -> Foundry:
    """64 dies a wafer, half of them good: the wafer costs 32 dies of four fifths of the price, the partner keeps a fifth."""
    given = {
        "id": name, "node": "N3", "wafer_price_usd": 32 * 0.8 * usd, "die_area_mm2": 800.0, "defect_density_per_cm2": 0.125,
        "yield_model": "seeds", "packaging_cost_usd": 0.0, "packaging_slots": (slots,), "test_yield": 1.0,
        "partner_margin": 0.2,
    }  # fmt: skip
    return Foundry(**{**given, **more})


def program(
    name: str = "asic", *, nre: tuple[tuple[int, float], ...] = ((0, 1e6), (1, 5e5)), **more
) -> Silicon:
    """Released a quarter after the start; 300 chips in that quarter, 600 in each later one."""
    given = {
        "id": name, "chip": "a", "site": "here", "lead_quarters": 1, "production_quarters": 0, "life_quarters": 1,
        "nre": tuple(NreStage(id=f"stage {age}", age_quarters=age, amount_usd=usd) for age, usd in nre),
        "ramp": (300.0, 600.0), "foundries": (foundry(),), "availability": 1.0, "system_cost_usd_per_chip": 0.0,
    }  # fmt: skip
    return Silicon(**{**given, **more})


def lab(*programs: Silicon, **more) -> Lab:
    return toy.lab(**{"silicon": programs or (program(),), "sites": (toy.site(),), **more})


def with_slips(tree: Tree, lab: Lab, **late: list[int]) -> Tree:
    """Give each source of delay its slips by node; ``_`` in a name stands for a blank."""
    slip = np.zeros((len(tree.parent), len(lab.suppliers)), dtype=int)
    for name, values in late.items():
        slip[:, lab.suppliers.index(name.replace("_", " "))] = values
    return replace(tree, world=replace(tree.world, slip=slip))
