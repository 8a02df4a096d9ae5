"""What must fit together across a lab: ids, dates, shares, chips and sites. Every fault is located."""

from __future__ import annotations

import math

from exaplan.domain.lab import Horizon, Lab
from exaplan.domain.placement import misfit
from exaplan.domain.quarter import Quarter
from exaplan.domain.supply import Contract, OnDemand, Purchase, Reserved
from exaplan.io.catalogue import known_names
from exaplan.io.dealchecks import check_deals
from exaplan.io.demandchecks import check_demand, windows_of_demand
from exaplan.io.futureschecks import check_futures
from exaplan.io.located import did_you_mean
from exaplan.io.recordreader import RecordReader
from exaplan.io.runchecks import check_runs
from exaplan.io.siliconchecks import check_silicon
from exaplan.io.technologychecks import check_technology
from exaplan.io.treewalk import at, items
from exaplan.io.yamltree import Listing, Mapping, Node, Scalar

MOST_SAMPLES = 1_000_000
MOST_LEAVES = 10_000


def check_references(root: Mapping, reader: RecordReader) -> None:
    """Check that every id that the file names is defined in it (models: or in the catalogue)."""
    known = {name: _ids(root.get(name)) for name in ("chips", "models", "sites", "offers", "workloads")}
    known["models"] |= {
        ref.node.text for ref in reader.references if f"models.{ref.node.text}.layers" in reader.origins
    }
    for reference in reader.references:
        names = known[reference.collection]
        if reference.node.text not in names:
            candidates = names | set(known_names("models")) if reference.collection == "models" else names
            what = reference.collection.removesuffix("s")
            reader.faults.add(
                reference.node,
                f"{reference.path} refers to no {what}: {reference.node.text!r}",
                did_you_mean(reference.node.text, candidates),
            )


def check_lab(root: Mapping, reader: RecordReader, lab: Lab | None) -> None:
    """Check dates against the horizon on the tree, and, where every record could be built, what must fit together."""
    _check_ids(root, reader)
    if reader.horizon is not None:
        _check_dates(root, reader, reader.horizon)
    _check_kinds(root, reader)
    if lab is not None and not lab.workloads:
        reader.faults.add(
            at(root, "workloads"), "the lab has no work to plan for", "add a workload: serve, train or safety"
        )
    if lab is not None:
        _check_shares(root, reader, lab)
        _check_places(root, reader, lab)
        _check_steps(root, reader, lab)
        _check_homes(root, reader, lab)
        check_futures(root, reader, lab)
        _check_tree(root, reader, lab)
        check_deals(root, reader, lab)
        check_technology(root, reader, lab)
        check_demand(root, reader, lab)
        check_silicon(root, reader, lab)
        check_runs(root, reader, lab)


def _ids(node: Node | None) -> set[str]:
    if isinstance(node, Mapping):
        return set(node.keys)
    return {name.text for item in items(node) if isinstance(name := item.get("id"), Scalar)}


def _check_ids(root: Mapping, reader: RecordReader) -> None:
    """Check that no contract bears the name of an offer: both are sources of capacity."""
    offers = _ids(root.get("offers"))
    for contract in items(root.get("contracts")):
        name = contract.get("id")
        if isinstance(name, Scalar) and name.text in offers:
            reader.faults.add(
                name, f"duplicate id {name.text!r}: an offer has it already", "rename one of them"
            )


def _check_dates(root: Mapping, reader: RecordReader, horizon: Horizon) -> None:
    finance, futures = root.get("finance"), root.get("futures")
    windows = [
        *items(root.get("offers")),
        *items(root.get("deals")),
        *(step for site in items(root.get("sites")) for step in items(site.get("steps"))),
        *items(root.get("silicon")),
        *items(finance.get("rounds") if isinstance(finance, Mapping) else None),
        *windows_of_demand(root),
    ]
    for item in windows:
        first, last = _quarter(item.get("first")), _quarter(item.get("last"))
        if first is not None and last is not None and last[1] < first[1]:
            reader.faults.add(
                first[0],
                f"the window is turned round: {first[1]} .. {last[1]}",
                f"write {last[1]} .. {first[1]}",
            )
        for found in (first, last):
            _inside(found, reader, horizon, horizon.first)
    for branch in items(futures.get("branches") if isinstance(futures, Mapping) else None):
        date, into = _quarter(branch.get("date")), branch.get("into")
        _inside(date, reader, horizon, horizon.first + 1)
        if isinstance(into, Scalar) and into.text.isdigit() and int(into.text) < 2:
            reader.faults.add(into, "a branch splits into at least 2")
    for contract in items(root.get("contracts")):
        for tranche in items(contract.get("tranches")):
            _inside(_quarter(tranche.get("date")), reader, horizon, None)
        for instalment in items(contract.get("instalments")):
            _inside(_quarter(instalment.get("date")), reader, horizon, horizon.first)


def _quarter(node: Node | None) -> tuple[Scalar, Quarter] | None:
    if isinstance(node, Scalar):
        try:
            return node, Quarter.parse(node.text)
        except ValueError:
            return None  # the record's own check has told it
    return None


def _inside(
    found: tuple[Scalar, Quarter] | None, reader: RecordReader, horizon: Horizon, first: Quarter | None
) -> None:
    if found is not None and ((first is not None and found[1] < first) or found[1] > horizon.last):
        span = f"{first or '…'} .. {horizon.last}"
        reader.faults.add(found[0], f"{found[1]} is outside the horizon", f"choose a quarter in {span}")


def _check_kinds(root: Mapping, reader: RecordReader) -> None:
    """Check that the floor protects training and the safety floor safety work."""
    kinds = {}
    for item in items(root.get("workloads")):
        name, kind = item.get("id"), item.get("kind")
        if isinstance(name, Scalar) and isinstance(kind, Scalar):
            kinds[name.text] = kind.text
    for floor, wanted in (("floor", "train"), ("safety", "safety")):
        listed = at(root, "policy", floor, "workloads")
        for name in listed.items if isinstance(listed, Listing) else (listed,):
            if isinstance(name, Scalar) and kinds.get(name.text, wanted) != wanted:
                hint = did_you_mean(name.text, [other for other, kind in kinds.items() if kind == wanted])
                reader.faults.add(
                    name,
                    f"policy.{floor} protects {wanted} workloads; {name.text!r} is of kind {kinds[name.text]}",
                    hint,
                )


def _check_shares(root: Mapping, reader: RecordReader, lab: Lab) -> None:
    floor = lab.policy.floor.share if lab.policy.floor else 0.0
    safety = lab.policy.safety.share if lab.policy.safety else 0.0
    if floor + safety > 1:
        reader.faults.add(
            at(root, "policy", "safety", "share"),
            f"floor {floor:.0%} and safety {safety:.0%} add up to more than 100 %",
            "lower one of them",
        )
    for name, kind, each in (("floor", "train", lab.policy.floor), ("safety", "safety", lab.policy.safety)):
        if each is not None and not each.workloads:
            reason = f"policy.{name} needs a workload of kind {kind}"
            reader.faults.add(at(root, "policy", name), reason, "add one to workloads")
    total = 0.0
    for workload in lab.develop:
        place = at(root, "workloads", workload.id, "share_min")
        if workload.share_min > workload.share_max:
            reader.faults.add(
                place,
                f"the share is turned round: {workload.share_min:.0%} is above {workload.share_max:.0%}",
            )
        before, total = total, total + workload.share_min
        if before <= 1 + 1e-9 < total:
            reader.faults.add(
                place, f"the least shares of development add up to {total:.0%}", "lower one of them"
            )


def _check_places(root: Mapping, reader: RecordReader, lab: Lab) -> None:
    sites = {site.id: site for site in lab.sites}
    placed: list[tuple[str, Purchase | Reserved | Contract]] = [
        *(("offers", offer) for offer in lab.offers if not isinstance(offer, OnDemand) and offer.site),
        *(("contracts", contract) for contract in lab.contracts if contract.kind == "owned"),
    ]
    for collection, deal in placed:
        if deal.site is None:
            place = at(root, collection, deal.id)
            reader.faults.add(
                place, f"{collection}.{deal.id}: an owned fleet stands at a site", "add site: NAME"
            )
        elif deal.pool != deal.site:
            place = at(root, collection, deal.id, "pool")
            reader.faults.add(
                place, f"what stands at {deal.site!r} is in its pool, not in {deal.pool!r}", "remove pool"
            )
    for collection, source in (
        *(("offers", o) for o in lab.offers),
        *(("contracts", c) for c in lab.contracts),
    ):
        chip, site = lab.chips.get(source.chip), sites.get(getattr(source, "site", None) or source.pool)
        reason = misfit(chip, site) if chip is not None and site is not None else None
        if reason is not None:
            place = at(root, collection, source.id, "site" if getattr(source, "site", None) else "pool")
            reader.faults.add(place, reason, "choose another site or chip")


def _check_steps(root: Mapping, reader: RecordReader, lab: Lab) -> None:
    """Check that a step of a site comes after another step of the same site."""
    for site in lab.sites:
        for step in site.steps:
            others = [each.id for each in site.steps if each.id != step.id]
            if step.after is not None and step.after not in others:
                reason = f"sites.{site.id}.steps.{step.id}.after refers to no other step of the site: {step.after!r}"
                here = at(root, "sites", site.id, "steps", step.id, "after")
                reader.faults.add(here, reason, did_you_mean(step.after, others))


def _check_homes(root: Mapping, reader: RecordReader, lab: Lab) -> None:
    """Check that a workload's place is one where an offer or a contract delivers."""
    stand = [
        (source.chip, getattr(source, "site", None) or source.pool)
        for source in (*lab.offers, *lab.contracts)
    ]
    for workload in (*lab.develop, *lab.oversee):
        place = workload.place
        if place is not None and (place.chip, place.pool) not in stand:
            pools = [pool for chip, pool in stand if chip == place.chip]
            reason = f"no offer or contract delivers {place.chip!r} in the pool {place.pool!r}"
            here = at(root, "workloads", workload.id, "place", "pool")
            reader.faults.add(here, reason, did_you_mean(place.pool, pools))


def _check_tree(root: Mapping, reader: RecordReader, lab: Lab) -> None:
    dates = [branch.date for branch in lab.futures.branches]
    if dates != sorted(dates):
        reader.faults.add(at(root, "futures", "branches"), "the branches are not in the order of their dates")
    if not 1 <= lab.futures.samples <= MOST_SAMPLES:
        place = at(root, "futures", "samples")
        reader.faults.add(place, f"the number of sample paths is 1 to {MOST_SAMPLES}", "for example 4000")
    if lab.futures.seed < 0:
        reader.faults.add(at(root, "futures", "seed"), "a seed is not negative")
    leaves = math.prod(branch.into for branch in lab.futures.branches)
    if leaves > MOST_LEAVES:
        place = at(root, "futures", "branches")
        reader.faults.add(
            place, f"the tree would have {leaves} leaves; the limit is {MOST_LEAVES}", "branch less"
        )
