"""What of a lab the rates and the futures are made from: only a change there asks for them anew.

Fields are left out by name, so a field that is added later counts as read until it is named here.
"""

from __future__ import annotations

from exaplan.domain.lab import Lab

MONEY = frozenset({
    "demand_tokens_per_month", "seats", "price", "price_change", "revenue_share", "level", "growth", "volatility",
    "sensitivity", "churn_when_unserved", "recovery", "share_min", "share_max",
})  # fmt: skip
"""Fields of a workload that say what it is worth, not how it runs."""

RUNNING = frozenset({
    "model", "goodput", "tpot_s", "ttft_s", "utilization", "churn_when_unserved", "recovery",
})  # fmt: skip
"""Fields of a serving workload that no future depends on."""

RACE = frozenset({"start", "parity_flop_per_quarter", "algorithmic_progress", "decay", "returns"})
"""Fields of ``capability`` that say what development does, not what rivals do; progress that is certain among them."""


NOT_RATES = frozenset({
    "lab", "sites", "offers", "contracts", "workloads", "policy", "finance", "capability", "futures", "ends", "decision",
    "origins",
})  # fmt: skip
"""Parts of a lab that no rate depends on, and those that are looked into field by field."""

NOT_FUTURES = frozenset({
    "lab", "chips", "models", "sites", "offers", "contracts", "workloads", "software", "policy", "finance", "capability",
    "ends", "decision", "origins",
})  # fmt: skip
"""Parts of a lab that no future depends on, and those that are looked into field by field."""


def read_by_rates(lab: Lab) -> tuple[object, ...]:
    """Return the part of a lab that :func:`exaplan.perf.rate_table.fill_rates` reads; equal parts give equal rates."""
    workloads = [(type(item), item.model_dump(exclude=set(MONEY))) for item in lab.workloads]
    return _without(lab, NOT_RATES), list(lab.chips), list(lab.models), workloads


def read_by_futures(lab: Lab) -> tuple[object, ...]:
    """Return the part that :func:`exaplan.economy.tree.grow_tree` and ``sample_world`` read; equal parts give equal futures."""
    serve = [item.model_dump(exclude=set(RUNNING)) for item in lab.serve]
    rivals = lab.capability.model_dump(exclude=set(RACE)) if lab.capability else None
    exposure = [(offer.market_exposure, getattr(offer, "market", "")) for offer in lab.offers]
    places = [site.id for site in lab.sites]
    named = list(lab.chips), [chance.id for chance in lab.finance.rounds]
    progress = lab.capability.algorithmic_progress if lab.capability else None
    recipes = progress if progress is not None and not progress.is_certain else None
    return _without(lab, NOT_FUTURES), serve, rivals, exposure, lab.suppliers, places, named, recipes


def _without(lab: Lab, left_out: frozenset[str]) -> dict[str, object]:
    return {name: getattr(lab, name) for name in type(lab).model_fields if name not in left_out}
