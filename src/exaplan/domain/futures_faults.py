"""What in the futures of a lab does not fit the rest of it: one list for the lab file and for labs built in Python."""

from __future__ import annotations

from collections.abc import Iterator

from exaplan.domain.lab import Lab

Fault = tuple[tuple[str, ...], str, str]
"""Keys and ids that lead to the place below ``futures``, the reason, the next step."""


def faults_of_futures(lab: Lab) -> Iterator[Fault]:
    """Yield what contradicts the lab: names that are not there, and what is stated twice."""
    yield from _delays(lab)
    yield from _windows(lab)
    yield from _shifts(lab)
    yield from _pinned(lab)


def _delays(lab: Lab) -> Iterator[Fault]:
    serve = [workload.id for workload in lab.serve]
    seen: list[str | None] = []
    for delay in lab.futures.demand_delay:
        place = ("demand_delay",)
        if delay.workload is not None and delay.workload not in serve:
            reason = f"futures.demand_delay: {delay.workload!r} is no serving workload"
            yield place, reason, f"use one of {', '.join(serve)}" if serve else "remove it: nothing is served"
        if delay.workload in seen:
            what = repr(delay.workload) if delay.workload else "the delay of all workloads"
            yield place, f"futures.demand_delay: {what} stands there twice", "keep one of them"
        seen.append(delay.workload)


def _windows(lab: Lab) -> Iterator[Fault]:
    rounds = [each.id for each in lab.finance.rounds]
    for window in lab.futures.capital_window:
        place = ("capital_window", window.id)
        if not rounds:
            reason = f"futures.capital_window: {window.id!r} has no round of finance.rounds to open"
            yield place, reason, "add finance.rounds, or remove the window"
        for name in window.rounds:
            if name not in rounds and rounds:
                reason = f"futures.capital_window: {name!r} is no round of finance.rounds"
                yield (*place, "rounds"), reason, f"use one of {', '.join(rounds)}"
        if window.closes == 0 and window.reopens == 0 and window.open:
            reason = f"futures.capital_window: {window.id!r} is open and never closes"
            yield (*place, "closes"), reason, "say how often it closes, or remove it"


def _shifts(lab: Lab) -> Iterator[Fault]:
    known = [workload.id for workload in lab.workloads]
    taken: dict[str, str] = {}
    for shift in lab.futures.model_shifts:
        place = ("model_shifts", shift.id)
        if not shift.chips:
            yield (*place, "chips"), f"futures.model_shifts: {shift.id!r} names no chip", "add chips"
        for chip in shift.chips:
            if chip not in lab.chips:
                reason = f"futures.model_shifts: {chip!r} is no chip of this lab"
                yield (*place, "chips"), reason, f"use one of {', '.join(lab.chips)}"
            elif chip in taken:
                reason = f"futures.model_shifts: {chip!r} is in {taken[chip]!r} already"
                yield (*place, "chips"), reason, "name a chip in one shift"
            taken[chip] = shift.id
        for name in shift.workloads:
            if name not in known:
                reason = f"futures.model_shifts: {name!r} is no workload of this lab"
                yield (*place, "workloads"), reason, f"use one of {', '.join(known)}"


def _pinned(lab: Lab) -> Iterator[Fault]:
    sources = {
        "demand": bool(lab.serve),
        "price": bool(lab.serve),
        "rental": True,
        "frontier": lab.capability is not None,
        "algorithm": lab.capability is not None and not lab.capability.algorithmic_progress.is_certain,
        "delay": bool(lab.futures.demand_delay),
        "supply": bool(lab.futures.supply),
    }
    names = [pinned.id for pinned in lab.futures.pinned]
    total = 0.0
    for pinned in lab.futures.pinned:
        place = ("pinned", pinned.id)
        if names.count(pinned.id) > 1:
            yield place, f"futures.pinned: {pinned.id!r} stands there twice", "rename one of them"
        before, total = total, total + pinned.probability
        if before <= 1 + 1e-9 < total:
            reason = f"futures.pinned: the probabilities add up to {100 * total:.0f} %, more than 100 %"
            yield (*place, "probability"), reason, "lower one of them"
        if not pinned.quantiles:
            reason = f"futures.pinned: {pinned.id!r} holds nothing"
            yield place, reason, f"state a quantile of one of {', '.join(sources)}"
        for name in pinned.quantiles:
            if not sources[name]:
                reason = (
                    f"futures.pinned: {pinned.id!r} holds {name}, of which nothing is uncertain in this lab"
                )
                yield (*place, name), reason, "remove it, or state its uncertainty"
