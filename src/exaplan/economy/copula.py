"""The one Gaussian copula that joins all sources of uncertainty, and that the user can see.

Every source is a standard normal factor with a name: ``demand.<workload>``, ``price``, ``rental``, ``frontier``,
``slip.<supplier>``, ``supply.<supplier>``, ``default.<supplier>``, ``site.<site>``; and, where the lab states them,
``algorithm``, ``regime``, ``spot``, ``delay`` or ``delay.<workload>``, ``renewal.<supplier>``, ``refusal.<supplier>``,
``window.<window>``, ``shift.<shift>``. A correlation may name a factor or a group of them by its first word, such as
``demand`` (all workloads) or ``slip`` (all suppliers). One matrix serves three kinds of draws: starting levels, trends
(growth, change, drift, delay: once per path) and the news of each quarter (wandering demand and supply, rental market
and its regime, slips, failures, renewals, windows, shifts). A correlation acts between draws of the same kind.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from exaplan.domain.errors import InputError, Problem
from exaplan.domain.futures_faults import faults_of_futures
from exaplan.domain.lab import Correlation, Lab

GROUPS = ("demand", "slip", "supply", "default", "site", "delay", "renewal", "refusal", "window", "shift")
BY_DEFAULT, BY_DEMAND = -2, -1
LARGEST_REPAIR = 0.1
"""Largest change of one correlation that is a repair; beyond it the stated correlations contradict each other."""


@dataclass(frozen=True)
class Copula:
    """Correlations as used, and as stated where they had to be repaired."""

    names: tuple[str, ...]
    matrix: np.ndarray  # [factor, factor] as used: unit diagonal, positive semidefinite
    stated: np.ndarray  # [factor, factor] as the lab states them
    remarks: tuple[str, ...] = ()
    statement: np.ndarray | None = (
        None  # [factor, factor] which of futures.correlations states a pair; BY_DEFAULT and BY_DEMAND for the others
    )

    @property
    def root(self) -> np.ndarray:
        """Lower triangular square root, [factor, factor]; a factor depends on those before it only."""
        return semidefinite_cholesky(self.matrix)


def factor_names(lab: Lab) -> tuple[str, ...]:
    """Name the sources of uncertainty of a lab, in the order of the matrix.

    A factor depends on those before it only, so sources that a lab may add stand last: the others keep their numbers.
    """
    demand, futures = tuple(f"demand.{workload.id}" for workload in lab.serve), lab.futures
    return (
        *demand, "price", "rental", "frontier", *(f"slip.{slip.supplier}" for slip in lab.slips),
        *(f"supply.{supply.supplier}" for supply in futures.supply),
        *(f"default.{default.supplier}" for default in futures.defaults),
        *(f"site.{delay.site}" for delay in futures.site_delays),
        *_further_names(lab),
    )  # fmt: skip


def _further_names(lab: Lab) -> tuple[str, ...]:
    futures, law = lab.futures, lab.capability
    uncertain = law is not None and not law.algorithmic_progress.is_certain
    return (
        *(("algorithm",) if uncertain else ()),
        *(("regime",) if futures.rental.regimes else ()),
        *(("spot",) if futures.rental.spot is not None else ()),
        *("delay" if d.workload is None else f"delay.{d.workload}" for d in futures.demand_delay),
        *(f"renewal.{renewal.supplier}" for renewal in futures.renewals),
        *(f"refusal.{renewal.supplier}" for renewal in futures.renewals),
        *(f"window.{window.id}" for window in futures.capital_window),
        *(f"shift.{shift.id}" for shift in futures.model_shifts),
    )


def correlation_matrix(lab: Lab) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the names and the correlation matrix [factor, factor] of a lab, as used.

    Raises
    ------
    InputError
        As :func:`join`.
    """
    copula = join(lab)
    return copula.names, copula.matrix


def join(lab: Lab) -> Copula:
    """Build the copula of a lab; says in ``remarks`` what was repaired and which correlation has no effect.

    A pair of two factors beats a pair with a group, whatever their order.

    Raises
    ------
    InputError
        A name that is no source of uncertainty, a pair stated twice with different values, a factor correlated with
        itself, slips of a supplier that does not exist, or correlations so contradictory that the nearest possible
        matrix moves one of them by more than ``LARGEST_REPAIR``.
    """
    _check_sources(lab)
    names = factor_names(lab)
    stated, statement = _stated_matrix(lab, names)
    matrix = nearest_correlation(stated)
    change = np.abs(matrix - stated)
    remarks = list(_idle(lab))
    if change.size and change.max() > 1e-8:
        row, column = np.unravel_index(int(change.argmax()), change.shape)
        told = (
            f"correlation of {names[row]} and {names[column]}: stated {stated[row, column]:+.2f}, "
            f"nearest possible {matrix[row, column]:+.2f}"
        )
        if change.max() > LARGEST_REPAIR:
            reason = f"futures.correlations contradict each other ({told})"
            raise InputError(
                Problem(reason, suggestion="bring the correlations of these sources closer to it")
            )
        remarks.append(f"correlations were repaired to the nearest possible ones; largest change: {told}")
    return Copula(names, matrix, stated, tuple(remarks), statement)


def nearest_correlation(matrix: np.ndarray, *, steps: int = 500) -> np.ndarray:
    """Find the correlation matrix nearest to a symmetric matrix [factor, factor] in the Frobenius norm.

    Alternating projections with Dykstra's correction: Higham, IMA J. Numer. Anal. 22 (2002) 329. A matrix that is
    positive semidefinite already comes back as it is.

    Examples
    --------
    >>> nearest_correlation(np.array([[1.0, 0.5], [0.5, 1.0]]))
    array([[1. , 0.5],
           [0.5, 1. ]])
    """
    if not matrix.size or np.linalg.eigvalsh(matrix)[0] >= -1e-10:
        return matrix
    found, correction = matrix, np.zeros_like(matrix)
    for _ in range(steps):
        reduced = found - correction
        values, vectors = np.linalg.eigh(reduced)
        semidefinite = (vectors * np.maximum(values, 0)) @ vectors.T
        correction = semidefinite - reduced
        previous, found = found, semidefinite.copy()
        np.fill_diagonal(found, 1.0)
        if np.abs(found - previous).max() < 1e-10:
            break
    # What is left below zero after the last step is removed exactly, at a change far below the printed digits.
    values, vectors = np.linalg.eigh(found)
    clipped = (vectors * np.maximum(values, 0)) @ vectors.T
    deviation = np.sqrt(np.diag(clipped))
    result = np.asarray(clipped / np.outer(deviation, deviation))
    np.fill_diagonal(result, 1.0)
    return result


def semidefinite_cholesky(matrix: np.ndarray) -> np.ndarray:
    """Factor a positive semidefinite matrix [factor, factor] as L L^T; a factor without own variance gets a zero column.

    Examples
    --------
    >>> semidefinite_cholesky(np.ones((2, 2)))
    array([[1., 0.],
           [1., 0.]])
    """
    size = len(matrix)
    lower = np.zeros((size, size))
    for column in range(size):
        rest = matrix[column:, column] - lower[column:, :column] @ lower[column, :column]
        if rest[0] > 1e-10:
            lower[column:, column] = rest / np.sqrt(rest[0])
    return lower


def _stated_matrix(lab: Lab, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Lay out what the lab states, and which statement each number is from, both [factor, factor]."""
    matrix = np.eye(len(names))
    demand = np.array([name.startswith("demand.") for name in names], dtype=bool)
    matrix[np.outer(demand, demand) & ~np.eye(len(names), dtype=bool)] = lab.futures.demand_correlation
    rank = np.full(matrix.shape, -1)
    statement = np.where(np.outer(demand, demand), BY_DEMAND, BY_DEFAULT)
    problems = []
    for number, pair in enumerate(lab.futures.correlations):
        fault = _fault(pair, names)
        if fault is not None:
            problems.append(fault)
            continue
        one, other = (_members(name, names) for name in pair.between)
        cells = np.outer(one, other) | np.outer(other, one)
        cells &= ~np.eye(len(names), dtype=bool)
        precision = sum(name not in GROUPS for name in pair.between)
        if np.any(cells & (rank == precision) & (matrix != pair.rho)):
            problems.append(Problem(f"futures.correlations state {_pair(pair)} twice with different values"))
        wins = cells & (rank <= precision)
        matrix[wins], rank[wins], statement[wins] = pair.rho, precision, number
    if problems:
        raise InputError(*problems)
    return matrix, statement


def _fault(pair: Correlation, names: tuple[str, ...]) -> Problem | None:
    unknown = [name for name in pair.between if name not in names and name not in GROUPS]
    if unknown:
        known = ", ".join((*GROUPS, *names))
        return Problem(
            f"futures.correlations: {unknown[0]!r} is no source of uncertainty",
            suggestion=f"use one of {known}",
        )
    if pair.between[0] != pair.between[1] or pair.between[0] in GROUPS[1:]:
        return None
    hint = "write demand_correlation" if pair.between[0] == "demand" else "name two different sources"
    return Problem(f"futures.correlations: {pair.between[0]!r} is correlated with itself", suggestion=hint)


def _members(name: str, names: tuple[str, ...]) -> np.ndarray:
    return np.array(
        [member == name or (name in GROUPS and member.startswith(f"{name}.")) for member in names], bool
    )


def _pair(pair: Correlation) -> str:
    return f"{pair.between[0]} with {pair.between[1]}"


def _check_sources(lab: Lab) -> None:
    futures = lab.futures
    stated = {
        "slips": [slip.supplier for slip in lab.slips],
        "supply": [supply.supplier for supply in futures.supply],
        "defaults": [default.supplier for default in futures.defaults],
        "site_delays": [delay.site for delay in futures.site_delays],
        "renewals": [renewal.supplier for renewal in futures.renewals],
    }
    problems = [Problem(reason, suggestion=hint) for _, reason, hint in faults_of_futures(lab)]
    for key, names in stated.items():
        known = tuple(site.id for site in lab.sites) if key == "site_delays" else lab.suppliers
        what, many = (
            ("is no site of", "sites") if key == "site_delays" else ("supplies nothing in", "suppliers")
        )
        problems += [
            Problem(
                f"futures.{key}: {name!r} {what} this lab",
                suggestion=f"{many} are {', '.join(known)}" if known else "remove it: there are none",
            )
            for name in names
            if name not in known
        ]
        problems += [
            Problem(f"futures.{key}: {name!r} stands there twice", suggestion="keep one of them")
            for name in sorted(set(names))
            if names.count(name) > 1
        ]
    if problems:
        raise InputError(*problems)


def _idle(lab: Lab) -> Iterable[str]:
    """Say which stated correlations join no two draws of the same kind, and so do nothing."""
    trend = {
        "demand": any(not workload.growth.is_certain for workload in lab.serve),
        "price": any(not workload.price_change.is_certain for workload in lab.serve),
        "rental": not lab.futures.rental.drift.is_certain,
        "frontier": lab.capability is not None and not lab.capability.frontier_growth.is_certain,
        "algorithm": True,
        "delay": True,
    }
    news = {
        "demand": any(workload.volatility > 0 for workload in lab.serve),
        "rental": lab.futures.rental.volatility > 0,
        "slip": any(slip.probability > 0 for slip in lab.slips),
        "supply": any(supply.volatility > 0 for supply in lab.futures.supply),
        "default": any(default.chance_per_year > 0 for default in lab.futures.defaults),
        "site": any(delay.probability > 0 for delay in lab.futures.site_delays),
        "regime": True,
        "spot": lab.futures.rental.spot is not None and lab.futures.rental.spot.volatility > 0,
        "renewal": any(not renewal.jump.is_certain for renewal in lab.futures.renewals),
        "refusal": any(renewal.refusal > 0 for renewal in lab.futures.renewals),
        "window": True,
        "shift": any(shift.chance_per_year > 0 for shift in lab.futures.model_shifts),
    }
    level = {
        "demand": any(not workload.level.is_certain for workload in lab.serve),
        "supply": any(not supply.level.is_certain for supply in lab.futures.supply),
        "shift": any(not shift.factor.is_certain for shift in lab.futures.model_shifts),
    }
    for pair in lab.futures.correlations:
        one, other = (name.split(".", 1)[0] for name in pair.between)
        if pair.rho and not any(kind.get(one) and kind.get(other) for kind in (level, trend, news)):
            yield (
                f"the correlation of {_pair(pair)} has no effect: the two share neither a draw per path "
                "(growth, change of price, drift) nor news of each quarter (volatility, slips)"
            )
