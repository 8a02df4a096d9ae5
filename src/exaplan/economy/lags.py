"""How many months one series lies behind another: backward, forward, and for releases against a frontier.

The same two functions measure compute and capability, simulated paths and public series. Levels are positive and axes
are [..., date]; a level once held counts as held from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Between = Literal["log", "step"]
"""Between two dates a level grows at a constant rate (``log``), or jumps at the date (``step``: releases)."""


@dataclass(frozen=True)
class Lag:
    """Months, and where they are not known: ``censored`` marks values that are only a bound (at least so many)."""

    months: np.ndarray  # [..., date]
    censored: np.ndarray  # [..., date] bool


def months_behind(
    months: np.ndarray,
    follower: np.ndarray,
    *,
    leader_months: np.ndarray,
    leader: np.ndarray,
    between: Between = "log",
) -> Lag:
    """Months since the leader first held the level that the follower holds now; 0 where the follower is not behind.

    ``months`` [date] are the dates of ``follower`` [..., date], ``leader_months`` [past] those of ``leader`` [..., past],
    both increasing. Where the leader held the level before its first date the lag is the time since that date and
    ``censored``: at least so many months.

    Examples
    --------
    A fleet that grows 4.5-fold a year and is 1.465 times another one, as fleets of 1.743 and 1.190 million are:

    >>> dates = np.arange(-12.0, 1.0, 3.0)
    >>> lead = 1.743 * 4.5 ** (dates / 12)
    >>> found = months_behind(dates[-1:], np.array([1.190]), leader_months=dates, leader=lead)
    >>> round(float(found.months[0]), 1), bool(found.censored[0])
    (3.0, False)
    """
    held = np.maximum.accumulate(np.asarray(leader, dtype=float), axis=-1)
    levels = np.asarray(follower, dtype=float)
    since, censored = np.empty(levels.shape), np.zeros(levels.shape, dtype=bool)
    for place, now in enumerate(months):
        level = levels[..., place]
        known = max(int(np.searchsorted(leader_months, now, side="right")), 1)
        first, before = _first_reached(held[..., :known], level, leader_months[:known], between)
        lag = now - first
        since[..., place] = np.maximum(np.where(np.isfinite(lag), lag, 0.0), 0.0)
        censored[..., place] = before
    return Lag(since, censored)


def months_until(
    months: np.ndarray,
    follower: np.ndarray,
    leader: np.ndarray,
    *,
    between: Between = "log",
    places: Sequence[int] | None = None,
) -> Lag:
    """Months until the follower holds the level that the leader holds now; 0 where it holds it already.

    All on the dates ``months`` [date]; ``places`` picks the dates that are asked about. Where it does not happen within the series the value is infinite and ``censored``.

    Examples
    --------
    >>> months = np.array([0.0, 12.0, 24.0])
    >>> found = months_until(months, np.array([1.0, 2.0, 4.0]), np.array([2.0, 4.0, 8.0]))
    >>> found.months.tolist(), found.censored.tolist()
    ([12.0, 12.0, inf], [False, False, True])
    """
    levels, goals = np.asarray(follower, dtype=float), np.asarray(leader, dtype=float)
    asked = range(len(months)) if places is None else places
    until = []
    for place in asked:
        held = np.maximum.accumulate(levels[..., place:], axis=-1)
        first, _ = _first_reached(held, goals[..., place], months[place:], between)
        until.append(first - months[place])
    found = np.stack(until, axis=-1)
    return Lag(found, ~np.isfinite(found))


def first_month(months: np.ndarray, reached: np.ndarray) -> np.ndarray:
    """Give the first date at which ``reached`` [..., date] holds, infinite where it never does [...].

    Examples
    --------
    >>> first_month(np.array([0.0, 3.0]), np.array([[False, True], [False, False]])).tolist()
    [3.0, inf]
    """
    hits = np.asarray(reached, dtype=bool)
    return np.asarray(np.where(hits.any(axis=-1), np.asarray(months)[hits.argmax(axis=-1)], np.inf))


def _first_reached(
    held: np.ndarray, level: np.ndarray, months: np.ndarray, between: Between
) -> tuple[np.ndarray, np.ndarray]:
    """Date at which ``held`` [..., date], never falling, first is at least ``level`` [...], and whether before its start."""
    count = (held < level[..., None]).sum(axis=-1)
    size = held.shape[-1]
    after = np.minimum(count, size - 1)
    date = np.asarray(months, dtype=float)[after]
    if between == "log" and size > 1:
        ahead = np.maximum(after - 1, 0)
        high = np.take_along_axis(held, np.broadcast_to(after, level.shape)[..., None], axis=-1)[..., 0]
        low = np.take_along_axis(held, np.broadcast_to(ahead, level.shape)[..., None], axis=-1)[..., 0]
        inside = (count > 0) & (count < size) & (high > low) & (low > 0)
        part = np.log(np.where(inside, level / np.where(low > 0, low, 1.0), 1.0))
        whole = np.log(np.where(inside, high / np.where(low > 0, low, 1.0), np.e))
        start = np.asarray(months, dtype=float)[ahead]
        date = np.where(inside, start + (date - start) * part / whole, date)
    first_held = np.broadcast_to(held[..., 0], level.shape)
    return np.where(count == size, np.inf, date), (count == 0) & (level < first_held)
