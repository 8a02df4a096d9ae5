"""Named futures: which paths belong to which, and at which draws their sources stand there."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from exaplan.domain.lab import Lab

GOLDEN = (5**0.5 - 1) / 2
FREE = -1
"""Number of no named future."""


def future_of_paths(lab: Lab, paths: int, *, antithetic: bool) -> np.ndarray:
    """Say which named future each path belongs to, ``FREE`` where it keeps its own draws, int [path].

    Exact over the paths: each future has its probability times the number of paths, rounded by largest remainders. Spread
    evenly (multiples of the golden ratio), so that any stretch of paths has about the same shares; antithetic pairs stay
    together.
    """
    pinned = lab.futures.pinned
    found = np.full(paths, FREE, dtype=np.int64)
    if not pinned:
        return found
    wanted = np.array([future.probability for future in pinned]) * paths
    count = np.floor(wanted + 1e-9).astype(int)
    missing = round(float(wanted.sum())) - int(count.sum())
    count[np.argsort(-(wanted - count), kind="stable")[: max(missing, 0)]] += 1
    unit = np.arange(paths) // 2 if antithetic else np.arange(paths)
    order = np.lexsort((np.arange(paths), (unit * GOLDEN) % 1.0))
    found[order[: count.sum()]] = np.repeat(np.arange(len(pinned)), count)
    return found


def pinned_draws(lab: Lab, future: np.ndarray) -> dict[str, np.ndarray]:
    """Return the standard normal draw at which each pinned source stands, NaN where it is free, by source [path]."""
    inverse = NormalDist().inv_cdf
    found: dict[str, np.ndarray] = {}
    for number, pinned in enumerate(lab.futures.pinned):
        for name, quantile in pinned.quantiles.items():
            found.setdefault(name, np.full(len(future), np.nan))[future == number] = inverse(quantile)
    return found


def membership(lab: Lab, future: np.ndarray, quarters: int) -> np.ndarray:
    """1 where a path belongs to a named future, [path, quarter, pinned]."""
    own = future[:, None] == np.arange(len(lab.futures.pinned))
    return np.broadcast_to(own[:, None, :], (len(future), quarters, own.shape[1])).astype(float)
