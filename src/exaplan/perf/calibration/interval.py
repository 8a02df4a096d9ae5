"""How far a modelled value may be from a measured one: uncertainty of the coefficients and what they cannot explain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from exaplan.domain.calibration import Calibration, Spread
from exaplan.perf.calibration.hierarchy import Key, prior_sds
from exaplan.perf.shapes import Array

CENTRAL_80 = 1.2815515655446004
"""Standard deviations on each side of the mean that hold 80 % of a normal."""
_GROUPS_MIN = 8  # groups below which a spread is that of the next wider level
_LEAST_SPREAD = 0.03


def carried_over(calibration: Calibration | None, keys: tuple[Key, ...]) -> tuple[Array, Array]:
    """Effects and their covariance for the given keys; an effect that was not fitted is zero with its prior's spread.

    Returns
    -------
    values : array
        Axis: effect.
    covariance : array
        Axes: effect, effect.
    """
    values, covariance = np.zeros(len(keys)), np.diag(prior_sds(keys) ** 2)
    if calibration is None:
        return values, covariance
    pairs = [(i, calibration.index[key]) for i, key in enumerate(keys) if key in calibration.index]
    if not pairs:
        return values, covariance
    own, fitted = np.array(pairs).T
    values[own] = np.array([calibration.effects[i].value for i in fitted])
    covariance[np.ix_(own, own)] = calibration.covariance[np.ix_(fitted, fitted)]
    return values, covariance


def coefficient_variance(slopes: Array, covariance: Array) -> Array:
    """Variance of a log prediction that comes from the coefficients. Axes of ``slopes``: row, effect."""
    # correlations kept to two digits may leave a tiny negative variance
    return np.asarray(np.maximum(np.einsum("re,re->r", slopes @ covariance, slopes), 0.0))


def spread_of(spreads: Sequence[Spread], task: str, family: str, kind: str, unseen: str = "source") -> float:
    """Residual log standard deviation for a task, family and class of chips, from the narrowest level that is known.

    ``unseen`` says what the coefficients never saw of the question: a plan is nobody's published row, so its source.

    Raises
    ------
    KeyError
        When no level of the task is known.
    """
    known = {
        (entry.task, entry.family, entry.member): entry.log_sd for entry in spreads if entry.unseen == unseen
    }
    for key in ((task, family, kind), (task, family, "all"), (task, "all", "all")):
        if key in known:
            return known[key]
    raise KeyError(task)


def fit_spreads(
    tasks: NDArray[np.str_],
    families: NDArray[np.str_],
    kinds: NDArray[np.str_],
    groups: NDArray[np.str_],
    errors: Array,
    variance: Array,
    unseen: str = "source",
) -> tuple[Spread, ...]:
    """Choose spreads so that 80 % intervals hold 80 % of rows that a fit had not seen, groups weighted equally.

    Parameters
    ----------
    tasks, families, kinds, groups : arrays of str
        Kind of measurement, dense or moe, class of chip, group of near-duplicates. Axis: row.
    errors, variance : array
        Log error of each row under a fit without it, and the variance from that fit's coefficients.
    unseen : str
        What those fits had not seen.

    Returns
    -------
    tuple of Spread
        By task, by task and family, and by class where it has enough groups.
    """
    found: list[Spread] = []
    for task in np.unique(tasks):
        one = tasks == task
        found.append(_spread(one, groups, errors, variance, (str(task), "all", "all", "all"), unseen))
        for family in np.unique(families[one]):
            two = one & (families == family)
            found.append(
                _spread(two, groups, errors, variance, (str(task), str(family), "all", "all"), unseen)
            )
            for kind in np.unique(kinds[two]):
                three = two & (kinds == kind)
                if np.unique(groups[three]).size >= _GROUPS_MIN:
                    name = (str(task), str(family), "class", str(kind))
                    found.append(_spread(three, groups, errors, variance, name, unseen))
    return tuple(found)


def _spread(
    rows: NDArray[np.bool_],
    groups: NDArray[np.str_],
    errors: Array,
    variance: Array,
    name: tuple[str, str, str, str],
    unseen: str,
) -> Spread:
    """Smallest spread with which the rows' intervals hold 80 % of them, by bisection on a monotone count."""
    _, inverse, sizes = np.unique(groups[rows], return_inverse=True, return_counts=True)
    weight = 1 / sizes[inverse]
    beyond = (errors[rows] / CENTRAL_80) ** 2 - variance[rows]  # the spread's square must exceed this
    order = np.argsort(beyond)
    held = np.cumsum(weight[order]) / weight.sum()
    needed = beyond[order][min(int(np.searchsorted(held, 0.8)), order.size - 1)]
    task, family, level, member = name
    log_sd = float(np.sqrt(max(needed, _LEAST_SPREAD**2)))
    return Spread(task, family, level, member, log_sd, int(sizes.size), unseen)
