"""What a chip-hour costs according to the catalogue, and what that makes of a token."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

_SPOT = "spot"
_MARKET_KINDS = ("reported", "estimate (survey)", "estimate")


@dataclasses.dataclass(frozen=True)
class ChipPrice:
    """Price of one chip for one hour, and where it comes from."""

    usd_per_chip_h: float
    source: str


def chip_price(chip: str, given: float | None) -> ChipPrice | None:
    """Price that the user typed, else the latest rental price of the catalogue."""
    from exaplan.io.catalogue import load_rows

    if given is not None:
        return ChipPrice(given, "given by --price")
    return rental_price(load_rows("prices"), chip)


def rental_price(rows: Iterable[dict[str, str]], chip: str) -> ChipPrice | None:
    """Latest rental price of a chip: market reports and surveys before list prices, spot left out.

    Among prices of the same date the lower median is taken. None where the catalogue has no rental price.
    """
    rentals = [
        row
        for row in rows
        if row["chip"] == chip
        and row["basis"] == "rental"
        and row["unit"] == "USD/chip/h"
        and _SPOT not in row["term"]
        and row["date"][:4].isdigit()
    ]
    rentals = [row for row in rentals if row["kind"] in _MARKET_KINDS] or rentals
    if not rentals:
        return None
    latest = max(row["date"] for row in rentals)
    same = sorted((row for row in rentals if row["date"] == latest), key=lambda row: float(row["price"]))
    row = same[(len(same) - 1) // 2]
    return ChipPrice(
        float(row["price"]), f"{row['term']}, {row['seller']}, {row['date']}, {row['kind']}: {row['source']}"
    )


def usd_per_million_tokens(price: ChipPrice | None, tokens_per_s: float | None) -> float | None:
    """Dollars per million tokens (input and output) of a chip that is never idle.

    Examples
    --------
    >>> round(usd_per_million_tokens(ChipPrice(3.6, "typed"), 1000.0), 3)
    1.0
    """
    if price is None or not tokens_per_s:
        return None
    return price.usd_per_chip_h / 3600 / tokens_per_s * 1e6


def usd_text(cost: float | None) -> str:
    """Write dollars per million tokens at three digits; n/a where there is no price."""
    return "n/a" if cost is None else f"{cost:.3g}"
