"""Plausibility of a lab that reads without error: figures that are allowed but look like a slip."""

from __future__ import annotations

import difflib
import re
import statistics
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from exaplan.domain.die_cost import chip_cost
from exaplan.domain.errors import Problem
from exaplan.domain.lab import Lab
from exaplan.domain.placement import unknown_fit
from exaplan.domain.quarter import Quarter
from exaplan.domain.supply import Contract, OnDemand, Purchase, Reserved
from exaplan.domain.technology import Chip
from exaplan.io.catalogue import id_at, load_chips, load_rows

FAR_OFF = 5.0
"""A price outside the catalogue's range and this many times off its median is taken for a slip of the decimal point."""
SPARSE = 1.9
"""Sparse peaks are printed at twice the dense one; from here on a peak looks like one."""
QUICKEST = 6
"""Quarters from design to volume of the quickest program that has been claimed."""
POOR_YIELD = 0.05
"""Share of working dies below which nobody would order wafers."""
_PEAKS = {
    "bf16": "bf16_flop_per_s",
    "fp8": "fp8_flop_per_s",
    "fp4": "fp4_flop_per_s",
    "int8": "int8_op_per_s",
}


def lint(lab: Lab) -> list[Problem]:
    """Return what looks implausible, in the order of the file; severity ``error`` where it cannot be meant."""
    found = [
        *_peaks(lab),
        *_prices(lab),
        *_dates(lab),
        *_residuals(lab),
        *_service(lab),
        *_money(lab),
        *_pools(lab),
        *_blocks(lab),
        *_halls(lab),
        *_programs(lab),
    ]
    return sorted(found, key=lambda problem: (problem.file, problem.line, problem.column))


def _problem(
    lab: Lab, keys: Iterable[str], reason: str, suggestion: str, severity: str = "warning"
) -> Problem:
    """Build a problem at the first of ``keys`` whose place in the file is known."""
    for key in keys:
        origin = lab.origins.get(key)
        if origin is not None and not origin.file.startswith("catalogue/"):
            line = _line(origin.file, origin.line)
            return Problem(reason, origin.file, origin.line, origin.column, line, suggestion, severity)
    return Problem(reason, suggestion=suggestion, severity=severity)


@lru_cache(maxsize=4)
def _lines(file: str) -> tuple[str, ...]:
    path = Path(file)
    return tuple(path.read_text(encoding="utf-8", errors="replace").splitlines()) if path.is_file() else ()


def _line(file: str, number: int) -> str:
    lines = _lines(file)
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _base(lab: Lab, chip: str) -> Chip | None:
    """Return the catalogue's chip that a chip of the lab is or varies."""
    for key, origin in lab.origins.items():
        if key.startswith(f"chips.{chip}.") and origin.file == "catalogue/chips.csv":
            return load_chips()[id_at("chips", origin.line)]
    return None


def _peaks(lab: Lab) -> Iterator[Problem]:
    for name, chip in lab.chips.items():
        base = _base(lab, name)
        for key, field in _PEAKS.items():
            typed: float | None = getattr(chip, field)
            if base is not None:
                known: float | None = getattr(base, field)
            else:
                peaks = [
                    peak for other in load_chips().values() if (peak := getattr(other, field)) is not None
                ]
                known = max(peaks, default=None)
            if typed is None or known is None or typed < SPARSE * known:
                continue
            whose = (
                f"{base.id}'s dense peak" if base is not None else "the highest dense peak of the catalogue"
            )
            reason = f"chips.{name}.{key} is {typed / known:.3g} times {whose} ({known / 1e12:g} T/s): a sparse peak?"
            impossible = base is not None and chip.kind.startswith(base.id) and typed > 2 * known
            severity = "error" if impossible else "warning"
            yield _problem(
                lab, [f"chips.{name}.{key}"], reason, "peaks are dense; halve a sparse figure", severity
            )


def _prices(lab: Lab) -> Iterator[Problem]:
    for offer in lab.offers:
        base = _base(lab, offer.chip)
        known = _known_prices(base, "purchase" if isinstance(offer, Purchase) else "rental") if base else []
        if not known:
            continue
        series = offer.price_usd_per_chip if isinstance(offer, Purchase) else offer.price_usd_per_chip_h
        middle = statistics.median(known)
        worst = max(series, key=lambda price: max(price / middle, middle / max(price, 1e-12)))
        off = max(worst / middle, middle / max(worst, 1e-12))
        if off > FAR_OFF and not min(known) <= worst <= max(known):
            unit = "USD/chip" if isinstance(offer, Purchase) else "USD/chip/h"
            reason = (
                f"offers.{offer.id}.price is {worst:g} {unit}; the catalogue knows {offer.chip} at "
                f"{min(known):g} to {max(known):g}, median {middle:g}"
            )
            yield _problem(lab, [f"offers.{offer.id}.price"], reason, "check the unit and the decimal point")


@lru_cache(maxsize=64)
def _known_prices_of(chip: str, basis: str) -> tuple[float, ...]:
    return tuple(
        float(row["price"])
        for row in load_rows("prices")
        if row["chip"] == chip and row["basis"] == basis and row["price"]
    )


def _known_prices(chip: Chip, basis: str) -> list[float]:
    return list(_known_prices_of(chip.id, basis))


def _dates(lab: Lab) -> Iterator[Problem]:
    first, last = lab.horizon.first, lab.horizon.last
    for offer in lab.offers:
        arrival = (offer.first or first) + _lead(offer)
        if arrival > last:
            reason = f"offers.{offer.id} cannot deliver inside the horizon: the earliest is {arrival}, the end is {last}"
            yield _problem(
                lab,
                [f"offers.{offer.id}.lead", f"offers.{offer.id}.id"],
                reason,
                "lengthen the horizon or drop it",
            )
        launch = _launch(lab.chips[offer.chip]) if lab.chips[offer.chip].announced else None
        if launch is not None and arrival < launch:
            reason = f"offers.{offer.id} could deliver in {arrival}, before the announced launch of {offer.chip} ({launch})"
            yield _problem(
                lab, [f"offers.{offer.id}.lead", f"offers.{offer.id}.id"], reason, "set window or lead"
            )
    for contract in lab.contracts:
        for tranche in contract.tranches:
            if tranche.date + contract.term_quarters <= first:
                key = f"contracts.{contract.id}.tranches.{tranche.date}.date"
                reason = f"a tranche of contracts.{contract.id} ends before the horizon begins ({first})"
                yield _problem(lab, [key], reason, "remove it, or check date and term")
    for site in lab.sites:
        if site.ready is not None and site.ready > last:
            reason = f"sites.{site.id} has no power before the horizon ends"
            yield _problem(lab, [f"sites.{site.id}.ready"], reason, "check the date")


def _lead(offer: OnDemand | Reserved | Purchase) -> int:
    return 0 if isinstance(offer, OnDemand) else offer.lead_quarters


def _launch(chip: Chip) -> Quarter | None:
    """Return the first quarter that a published launch date allows (``2026-H2``, ``2027``, ``2026-03``)."""
    found = re.fullmatch(r"(\d{4})(?:-(?:H([12])|(\d\d)))?", chip.launch)
    if found is None:
        return None
    if found[2]:
        return Quarter(int(found[1]), 2 * int(found[2]) - 1)
    return Quarter(int(found[1]), (int(found[3]) - 1) // 3 + 1 if found[3] else 1)


def _residuals(lab: Lab) -> Iterator[Problem]:
    for offer in lab.offers:
        if isinstance(offer, Purchase) and offer.residual > 1:
            reason = (
                f"offers.{offer.id}: scrap worth {offer.residual:.0%} of the price at the end of its life"
            )
            yield _problem(
                lab, [f"offers.{offer.id}.residual"], reason, "a residual value is below the cost", "error"
            )


def _service(lab: Lab) -> Iterator[Problem]:
    """Find workloads that nothing which arrives inside the horizon can run."""
    arriving = {
        offer.chip
        for offer in lab.offers
        if (offer.first or lab.horizon.first) + _lead(offer) <= lab.horizon.last
    }
    arriving |= {contract.chip for contract in lab.contracts if _runs(contract, lab)}
    for workload in lab.workloads:
        late = {
            item.chip
            for item in lab.software
            if workload.id in item.workloads and item.ready > lab.horizon.last
        }
        if not arriving - late:
            keys = [f"workloads.{workload.id}.id"]
            reason = f"no chip that arrives inside the horizon can run workloads.{workload.id}"
            yield _problem(lab, keys, reason, "add an offer or a contract, or an earlier software date")
    for serve in lab.serve:
        if serve.sensitivity > 0 and lab.capability is None:
            reason = (
                f"workloads.{serve.id} is sensitive to capability, but the file has no capability section"
            )
            yield _problem(
                lab, [f"workloads.{serve.id}.sensitivity"], reason, "add capability, or drop sensitivity"
            )


def _runs(contract: Contract, lab: Lab) -> bool:
    return any(tranche.date + contract.term_quarters > lab.horizon.first for tranche in contract.tranches)


def _money(lab: Lab) -> Iterator[Problem]:
    finance, ruin = lab.finance, lab.policy.ruin
    if finance.cash_usd < finance.cash_minimum_usd:
        yield _problem(
            lab,
            ["finance.cash"],
            "cash at the start is below the minimum: ruined today",
            "check both figures",
        )
    if ruin is not None and ruin.within_quarters > lab.horizon.quarters:
        reason = f"the limit on ruin counts {ruin.within_quarters} quarters; the horizon has {lab.horizon.quarters}"
        yield _problem(lab, ["policy.ruin.within"], reason, "it is counted over the horizon only")


def _pools(lab: Lab) -> Iterator[Problem]:
    """Find stated cloud pools whose name is nearly that of a site."""
    sites = [site.id for site in lab.sites]
    for collection, deals in (("offers", lab.offers), ("contracts", lab.contracts)):
        for deal in deals:
            key = f"{collection}.{deal.id}.pool"
            close = difflib.get_close_matches(deal.pool, sites, n=1, cutoff=0.75)
            if key in lab.origins and close and deal.pool not in sites:
                reason = f"{collection}.{deal.id} stands in the cloud pool {deal.pool!r}"
                yield _problem(lab, [key], reason, f"did you mean the site {close[0]!r}?")


def _blocks(lab: Lab) -> Iterator[Problem]:
    """Find training that may come and go with the serving load because the file does not say otherwise."""
    if lab.load is None or (lab.load.blocks or len(lab.load.parts)) < 2:
        return
    for workload in (*lab.develop, *lab.oversee):
        if workload.preemptible is None:
            reason = f"workloads.{workload.id} comes and goes with the load blocks at no loss: the file does not say otherwise"
            advice = "add preemptible: false (a final run), or preemptible: true with its restart_loss"
            yield _problem(lab, [f"workloads.{workload.id}.id"], reason, advice)


def _halls(lab: Lab) -> Iterator[Problem]:
    """Find chips of which nobody published what the hall where they stand depends on."""
    sites = {site.id: site for site in lab.sites}
    for collection, deals in (("offers", lab.offers), ("contracts", lab.contracts)):
        for deal in deals:
            site = sites.get(getattr(deal, "site", None) or deal.pool)
            missing = unknown_fit(lab.chips[deal.chip], site) if site is not None else None
            if missing is not None:
                keys = [f"{collection}.{deal.id}.{key}" for key in ("site", "pool", "id")]
                advice = f"add liquid_cooled or rack_power to chips.{deal.chip}"
                yield _problem(
                    lab, keys, f"{collection}.{deal.id}: nobody published {missing}; taken to fit", advice
                )


def _programs(lab: Lab) -> Iterator[Problem]:
    """Find chip programs quicker than any that was claimed, and dies that hardly ever work."""
    for program in lab.silicon:
        key = f"silicon.{program.id}"
        if program.lead_quarters < QUICKEST:
            reason = f"{key}.lead is {program.lead_quarters} quarters; the quickest claim is 18 months from design to volume"
            yield _problem(lab, [f"{key}.lead"], reason, "6 to 12 quarters have been seen")
        for foundry in program.foundries:
            share = chip_cost(foundry).die_yield
            if share < POOR_YIELD:
                place = f"{key}.foundries.{foundry.id}.defect_density"
                reason = f"{place}: {share:.1%} of the dies work"
                yield _problem(lab, [place], reason, "defects are per cm^2; mature nodes have 0.05 to 0.15")
