"""One estimate in the words of a table, and as an object."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from exaplan.app.cli.perf_prices import ChipPrice, usd_per_million_tokens

if TYPE_CHECKING:
    from exaplan.perf.opened import Estimate


def estimate_json(row: Estimate, price: ChipPrice | None) -> dict[str, Any]:
    """One estimate as an object: every field, and dollars per million tokens."""
    fields = dataclasses.asdict(row)
    fields["power_w"] = None if math.isnan(row.power_w) else row.power_w
    fields["usd_per_million_tokens"] = usd_per_million_tokens(price, row.tokens_per_s_per_chip)
    return fields


def interval_of(row: Estimate) -> str:
    """Write the interval of tokens/s per chip."""
    from exaplan.report.perf_tables import interval_text

    low, high = row.low_tokens_per_s_per_chip, row.high_tokens_per_s_per_chip
    return "n/a" if low is None or high is None else interval_text(low, high)


def latency_of(row: Estimate) -> str:
    """Write step time, or time per and to the first token."""
    if row.step_s is not None:
        return f"{row.step_s:.3g} s"
    return f"{1e3 * (row.tpot_s or 0):.1f} / {1e3 * (row.ttft_s or 0):,.0f} ms"


def bottleneck_of(row: Estimate) -> str:
    """Name the longest term and its share of the time."""
    return f"{row.bottleneck} {row.terms[row.bottleneck] / sum(row.terms.values()):.0%}"
