"""What must fit together in the futures of a lab: names of suppliers, sources and rounds. Every fault is located."""

from __future__ import annotations

from exaplan.domain.futures_faults import faults_of_futures
from exaplan.domain.lab import Lab
from exaplan.io.located import did_you_mean
from exaplan.io.recordreader import RecordReader
from exaplan.io.treewalk import at, items
from exaplan.io.yamltree import Listing, Mapping, Scalar

BY_SUPPLIER = ("slips", "supply", "defaults", "renewals")


def check_futures(root: Mapping, reader: RecordReader, lab: Lab) -> None:
    """Check the names of suppliers, then of correlated sources, then what the other processes refer to."""
    suppliers = set(lab.suppliers)
    for key in BY_SUPPLIER:
        for item in items(at(root, "futures", key)):
            name = item.get("supplier")
            if isinstance(name, Scalar) and name.text not in suppliers:
                reason = f"futures.{key} refers to no supplier: {name.text!r}"
                reader.faults.add(name, reason, did_you_mean(name.text, suppliers))
    sources = sources_of(lab)
    for item in items(at(root, "futures", "correlations")):
        between = item.get("between")
        for name in between.items if isinstance(between, Listing) else ():
            if isinstance(name, Scalar) and name.text not in sources:
                reader.faults.add(
                    name, f"{name.text!r} is no source of uncertainty", did_you_mean(name.text, sources)
                )
    for place, reason, hint in faults_of_futures(lab):
        reader.faults.add(at(root, "futures", *place), reason, hint)


def sources_of(lab: Lab) -> set[str]:
    """Names that a correlation may use: sources of the lab, and groups of them."""
    futures, law = lab.futures, lab.capability
    sources = {
        "demand",
        "price",
        "rental",
        "frontier",
        "slip",
        *(f"demand.{workload.id}" for workload in lab.serve),
        *(f"supply.{supply.supplier}" for supply in futures.supply),
        *(f"default.{default.supplier}" for default in futures.defaults),
        *(f"site.{delay.site}" for delay in futures.site_delays),
        *(f"delay.{delay.workload}" for delay in futures.demand_delay if delay.workload),
        *(f"renewal.{renewal.supplier}" for renewal in futures.renewals),
        *(f"refusal.{renewal.supplier}" for renewal in futures.renewals),
        *(f"window.{window.id}" for window in futures.capital_window),
        *(f"shift.{shift.id}" for shift in futures.model_shifts),
    }
    stated = {
        "supply": futures.supply,
        "default": futures.defaults,
        "site": futures.site_delays,
        "delay": futures.demand_delay,
        "renewal": futures.renewals,
        "refusal": futures.renewals,
        "window": futures.capital_window,
        "shift": futures.model_shifts,
        "regime": futures.rental.regimes,
        "spot": futures.rental.spot is not None,
        "algorithm": law is not None and not law.algorithmic_progress.is_certain,
    }
    return sources | {name for name, there in stated.items() if there}
