"""What must fit together in deals and in the clauses of offers. Every fault is located."""

from __future__ import annotations

from exaplan.domain.deals import Equity, Exclusive
from exaplan.domain.lab import Lab
from exaplan.domain.supply import OnDemand
from exaplan.io.located import did_you_mean
from exaplan.io.recordreader import RecordReader
from exaplan.io.treewalk import at
from exaplan.io.yamltree import Mapping


def check_deals(root: Mapping, reader: RecordReader, lab: Lab) -> None:
    """Check that what unlocks an offer exists, that deals name suppliers of the lab, and that channels serve."""
    for offer in lab.offers:
        if isinstance(offer, OnDemand) or offer.unlocked_by is None or offer.unlocked_by in lab.options:
            continue
        reader.faults.add(
            at(root, "offers", offer.id, "unlocked_by"),
            f"offers.{offer.id}.unlocked_by refers to no option: {offer.unlocked_by!r}",
            did_you_mean(offer.unlocked_by, lab.options),
        )
    capped = {
        "supplier_share": [cap.supplier for cap in lab.policy.supplier_share],
        "supplier_order": [cap.supplier for cap in lab.policy.supplier_order],
    }
    for key, names in capped.items():
        for name in names:
            if name not in lab.suppliers:
                reason = f"policy.{key} refers to no supplier: {name!r}"
                reader.faults.add(at(root, "policy", key), reason, did_you_mean(name, lab.suppliers))
    serving = [workload.id for workload in lab.serve]
    for deal in lab.deals:
        if deal.must_spend is not None and deal.supplier not in lab.suppliers:
            reader.faults.add(
                at(root, "deals", deal.id, "supplier"),
                f"{deal.id!r} asks to spend with {deal.supplier!r}, who offers nothing in this lab",
                did_you_mean(deal.supplier, lab.suppliers),
            )
        for name in deal.excludes if isinstance(deal, Exclusive) else ():
            if name not in lab.suppliers or name == deal.supplier:
                reason = (
                    "is no supplier of this lab" if name != deal.supplier else "is the supplier of the deal"
                )
                others = [supplier for supplier in lab.suppliers if supplier != deal.supplier]
                place = at(root, "deals", deal.id, "excludes")
                reader.faults.add(place, f"{name!r} {reason}", did_you_mean(name, others))
        for channel in deal.channels if isinstance(deal, Equity) else ():
            if channel.workload not in serving:
                place = at(root, "deals", deal.id, "channels")
                reader.faults.add(
                    place,
                    f"{channel.workload!r} serves no customers",
                    did_you_mean(channel.workload, serving),
                )
