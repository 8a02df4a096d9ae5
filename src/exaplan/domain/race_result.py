"""A simulated race: arrays by path, lab and quarter, and the few figures that answer who is how far behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

CAUSES = ("chips", "power", "money", "recipes")
"""What a lab may lack to catch up; the first three bind orders."""


@dataclass(frozen=True)
class Race:
    """Paths of a race; every array is [path, lab, quarter] unless said otherwise, levels are those at a quarter's end."""

    race: str
    labs: tuple[str, ...]
    quarters: tuple[str, ...]
    seed: int
    forced: tuple[str, ...]
    compute: np.ndarray  # H100-equivalents at work
    capability: np.ndarray  # effective compute, over that of the best lab in the first quarter
    revenue_usd: np.ndarray  # USD per quarter
    demand_usd: np.ndarray  # USD per quarter that customers would have paid
    cash_usd: np.ndarray
    stock: np.ndarray  # H100-equivalents delivered and not retired, with or without power
    ruined: np.ndarray  # bool, from the quarter of ruin on
    leapt: np.ndarray  # bool, a leap of its recipes in this quarter
    binding: np.ndarray  # int8 index into CAUSES of what limited the orders of this quarter
    price: np.ndarray  # [path, quarter] price per token over that of the first quarter
    cost: np.ndarray  # [path, quarter] cost per token over that of the first quarter
    delivered: np.ndarray  # [path, lab] H100-equivalents over the horizon
    retired: np.ndarray  # [path, lab]
    returned: np.ndarray  # [path, lab] given back in ruin
    past_months: np.ndarray  # [past] dates before the first quarter, negative, for lags that reach back
    past_compute: np.ndarray  # [lab, past] as the file's past growth has it
    past_capability: np.ndarray  # [lab, past]
    struck: np.ndarray  # [path, shock] bool

    @property
    def months(self) -> np.ndarray:
        """Months from the end of the first quarter, [quarter]."""
        return 3.0 * np.arange(len(self.quarters))

    @property
    def paths(self) -> int:
        """Number of paths."""
        return int(self.compute.shape[0])


@dataclass(frozen=True)
class Share:
    """A share of paths with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Spread:
    """A quantity over paths: 10th, 50th and 90th percentile."""

    p10: float
    p50: float
    p90: float


@dataclass(frozen=True)
class Standing:
    """Where one lab stands in one of the two measures (compute or capability).

    Lags are months behind the maximum of all others; ``censored`` is the share of paths on which a forward lag does not end
    within the horizon (infinite there).
    """

    lab: str
    lag_now: float
    lag_now_censored: bool
    lag: tuple[Spread, ...]  # [quarter] months behind
    until_parity_now: Spread
    until_parity_censored: float
    parity: tuple[Share, ...]  # [quarter] at parity with the maximum of all others by then, 95 % intervals
    lead: tuple[Share, ...]  # [quarter] ahead of all others in that quarter
    level: tuple[
        Spread, ...
    ]  # [quarter] H100-equivalents; capability over that of the best lab of the quarter


@dataclass(frozen=True)
class Catch:
    """What taking one cause away does for one lab that is behind, on the same futures."""

    lab: str
    cause: str
    parity: Share  # by the end of the horizon, in the measure that the cause acts on
    gain: float  # over the race as it is
    gain_low: float
    gain_high: float
    months_sooner: float  # median gain in months to parity where both reach it; NaN on fewer than 30 paths
    binding: float  # share of quarters and paths in which this cause limited the orders; NaN for recipes


@dataclass(frozen=True)
class RaceAnswer:
    """Everything that a race says, ready to be written down."""

    race: str
    as_of: str
    seed: int
    paths: int
    quarters: tuple[str, ...]
    forced: tuple[str, ...]
    compute: tuple[Standing, ...]
    capability: tuple[Standing, ...]
    ruin: tuple[Share, ...]  # [lab]
    leapfrog: tuple[Share, ...]  # [lab] becomes first in capability within a year of a leap of its own
    revenue_usd: tuple[tuple[Spread, ...], ...]  # [lab][quarter] USD per quarter
    price: tuple[Spread, ...]  # [quarter] price per token over that of the first quarter
    margin_kept: float  # median share of the fall of the log cost per token that the labs keep at the end
    catches: tuple[Catch, ...] = ()


@dataclass(frozen=True)
class Point:
    """A later level to be predicted, in H100-equivalents; low and high are p5 and p95 of the estimate at the start."""

    file: str
    lab: str
    day: date
    actual: float
    start_low: float
    start_high: float
    source: str


@dataclass(frozen=True)
class Grown:
    """What one buyer's fleet grew by in the year before a start, as a factor."""

    file: str
    buyer: str
    outside_china: bool
    factor: float
    known: date


@dataclass(frozen=True)
class Prediction:
    """One point of a back-test: what came, and the 80 % bands of the race and of constant growth."""

    start: str
    lab: str
    date: str
    actual: float  # H100-equivalents
    race: Spread
    inside: bool
    score: float  # interval score of the 80 % band, in natural logs; smaller is better
    score_h100e: float  # the same in H100-equivalents
    naive: Spread
    naive_inside: bool
    naive_score: float
    naive_score_h100e: float
