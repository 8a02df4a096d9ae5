"""Dates of the models that share a segment, as the arrays of a quarter."""

from __future__ import annotations

import numpy as np

from exaplan.domain.lab import Lab
from exaplan.plan import layout


def retired(lab: Lab, sets: layout.Layout) -> np.ndarray:
    """Mark the services that end with the horizon or before, bool [service + 1]; the last one is no service."""
    ends = [each.able.last if each.able else None for each in sets.services]
    gone = [last is not None and last <= lab.horizon.last for last in ends]
    return np.array([*gone, False], dtype=bool)


def distil_max(lab: Lab, sets: layout.Layout, quarter: np.ndarray) -> np.ndarray:
    """1e24 FLOP that each run may take at each node [node, run]: all of it inside its window, nothing in the tail."""
    most = np.zeros((len(quarter), len(sets.distillations)))
    for number, (_, run) in enumerate(sets.distillations):
        first, last = run.first - lab.horizon.first, run.last - lab.horizon.first
        inside = (quarter >= first) & (quarter <= last) & (quarter < lab.horizon.quarters)
        most[:, number] = np.where(inside, run.flop / layout.FLOP, 0.0)
    return most


def flop_of_runs(sets: layout.Layout) -> np.ndarray:
    """1e24 FLOP of each run [run]."""
    return np.array([run.flop / layout.FLOP for _, run in sets.distillations], dtype=float)


def teachers(sets: layout.Layout) -> tuple[np.ndarray, np.ndarray]:
    """List the runs whose teacher is itself made by a run, and that run: two arrays [taught]."""
    names = [name for name, _ in sets.distillations]
    pairs = [
        (n, names.index(run.source)) for n, (_, run) in enumerate(sets.distillations) if run.source in names
    ]
    taught = np.array(pairs, dtype=int).reshape(-1, 2)
    return taught[:, 0], taught[:, 1]
