"""The futures of a lab as they are sampled and as the tree sees them, as plain rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from exaplan.domain.futures import Fit


@dataclass(frozen=True)
class Correlated:
    """One number of the copula, and where it comes from."""

    one: str
    other: str
    stated: float
    used: float  # differs where the stated numbers contradicted each other
    source: str


@dataclass(frozen=True)
class Moment:
    """One quantity at one date: over the sampled paths with the error of the sampling, and in closed form.

    An error is the half width of the 95 % interval. What has no closed form is None.
    """

    quantity: str
    quarter: str
    mean: float
    mean_error: float
    p05: float
    p05_error: float
    p50: float
    p50_error: float
    p95: float
    p95_error: float
    theory_mean: float | None = None
    theory_p05: float | None = None
    theory_p50: float | None = None
    theory_p95: float | None = None


@dataclass(frozen=True)
class Fan:
    """One quarter of a fan chart: quantiles over paths, and the tree's mean."""

    quantity: str
    quarter: str
    p05: float
    p25: float
    p50: float
    p75: float
    p95: float
    tree_low: float  # lowest node of the quarter
    tree_high: float


@dataclass(frozen=True)
class NamedFuture:
    """A named future: its share of the paths, what it holds, and what it is like at the last date."""

    id: str
    probability: float
    paths: int
    holds: str
    demand: float  # mean over its paths, against today
    price: float
    rental: float


@dataclass(frozen=True)
class PublishedRent:
    """One published one-year rent of an H100, and the rental market's own quantiles of that date."""

    quarter: str
    usd_per_chip_h: float
    p05: float
    p50: float
    p95: float
    quantile: float


@dataclass(frozen=True)
class Distance:
    """How far, on average, a path stands from its node: root mean square, in log money still to come."""

    quarter: str
    distance: float
    nodes: int


@dataclass(frozen=True)
class FuturesShown:
    """Everything that ``exaplan futures`` shows."""

    lab: str
    lab_file: str
    version: str
    first_quarter: str
    quarters: int
    paths: int
    seed: int
    factors: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]  # as used, in the order of ``factors``
    correlations: tuple[Correlated, ...]  # pairs that are not zero
    moments: tuple[Moment, ...]
    fans: tuple[Fan, ...]
    named: tuple[NamedFuture, ...]
    rents: tuple[PublishedRent, ...]
    tree_nodes: int
    tree_leaves: int
    tree_samples: int
    fit: tuple[Fit, ...]
    distances: tuple[Distance, ...]
    remarks: tuple[str, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)
