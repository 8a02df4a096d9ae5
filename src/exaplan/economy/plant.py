"""Plant from orders and dates: construction in progress, book value, depreciation, impairment, disposals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.ledger import Purchases


@dataclass(frozen=True)
class Plant:
    """Balances [path, 1 + quarter] (the first is the opening one) and charges [path, quarter], USD."""

    construction: np.ndarray  # paid for what is not delivered
    payable: np.ndarray  # owed for what is delivered
    chips: np.ndarray  # book value of chips with their servers and network
    halls: np.ndarray  # book value of halls
    depreciation: np.ndarray
    written_off: np.ndarray  # book value left at the end of useful life
    lost: np.ndarray  # paid to suppliers that failed before delivery
    impaired: np.ndarray


def plant_of(
    bought: Purchases, life_quarters: int, quarters: int, worth_usd: np.ndarray | None = None
) -> Plant:
    """Measure the plant of every path.

    Straight line from the quarter in which a cohort is energized, over ``life_quarters`` for chips and their own life
    for halls; salvage is not anticipated: what comes in at the end is a gain, what is left on the books a loss. With
    ``worth_usd`` [path, quarter] the chips in service are one cash-generating unit: where their book exceeds it, book is
    written down in proportion, for good.
    """
    paths = len(bought.cost_usd)
    life = np.where(bought.hall, bought.life, life_quarters)
    kept = np.ones_like(bought.cost_usd)  # share of cost that impairment has left
    balances = {
        name: np.zeros((paths, quarters + 1)) for name in ("construction", "payable", "chips", "halls")
    }
    charges = {
        name: np.zeros((paths, quarters)) for name in ("depreciation", "written_off", "lost", "impaired")
    }
    for t in range(-1, quarters):
        arrived = bought.arrival <= t
        serving = arrived & (t < bought.retirement)
        paid = sum((np.where(when <= t, usd, 0.0) for when, usd in bought.due), np.zeros_like(kept))
        age = t - bought.arrival
        full = bought.cost_usd * np.clip(1 - (age + 1) / life, 0.0, 1.0) * serving
        if t >= 0:
            charged = serving & (age < life)
            charges["depreciation"][:, t] = (kept * bought.cost_usd / life * charged).sum(axis=1)
            ends = bought.retirement == t
            rest = np.clip(1 - (bought.retirement - bought.arrival) / life, 0.0, 1.0)
            charges["written_off"][:, t] = (kept * bought.cost_usd * rest * ends).sum(axis=1)
            charges["lost"][:, t] = (paid * (bought.lost == t)).sum(axis=1)
            if worth_usd is not None:
                book = (kept * full * ~bought.hall).sum(axis=1)
                share = np.where(book > worth_usd[:, t], worth_usd[:, t] / np.maximum(book, 1e-9), 1.0)
                charges["impaired"][:, t] = book * (1 - share)
                kept = np.where(serving & ~bought.hall, kept * share[:, None], kept)
        value = kept * full
        balances["construction"][:, t + 1] = (paid * ~arrived * (t < bought.lost)).sum(axis=1)
        balances["payable"][:, t + 1] = ((bought.cost_usd - paid) * arrived).sum(axis=1)
        balances["chips"][:, t + 1] = (value * ~bought.hall).sum(axis=1)
        balances["halls"][:, t + 1] = (value * bought.hall).sum(axis=1)
    return Plant(**balances, **charges)
