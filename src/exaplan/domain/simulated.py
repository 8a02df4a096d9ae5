"""What a simulation of a plan found, as plain rows; every estimate stands beside its interval."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from exaplan.domain.answer import CashBand, Replay, Story

PolicyKind = Literal["plan", "alternative", "rule", "rolling"]


@dataclass(frozen=True)
class PolicyRow:
    """One policy on the same futures as the plan; differences and regrets are taken future by future.

    ``gain`` is its value less the plan's. Regret in a future is the value of the best policy of the table there less its
    own; ``best_share`` the share of futures in which it is that best one.
    """

    name: str
    kind: PolicyKind
    setting: str
    value: float
    value_ci: tuple[float, float]
    p_ruin: float
    p_ruin_ci: tuple[float, float]
    gain: float
    gain_ci: tuple[float, float]
    regret_mean: float
    regret_mean_ci: tuple[float, float]
    regret_max: float
    best_share: float
    best_share_ci: tuple[float, float]
    within_limit: bool | None  # whether P(ruin) is at most the owner's limit; None where none is set


@dataclass(frozen=True)
class RuinYear:
    """P(ruin) from the start to the end of a year."""

    year: int
    through: str
    p_ruin: float
    low: float
    high: float


@dataclass(frozen=True)
class Quantile:
    """A quantile of the value over the futures, with the interval of its order statistics."""

    share: float
    value_usd: float
    low_usd: float
    high_usd: float


@dataclass(frozen=True)
class ValueBin:
    """Share of futures whose value lies between two ends."""

    low_usd: float
    high_usd: float
    share: float
    ruined_share: float


@dataclass(frozen=True)
class LostSales:
    """Demand of a workload that is not served: what was asked and turned away, and who stayed away from before.

    Shares are of all demand at the lab's capability over the horizon while the lab lives, means over futures.
    """

    workload: str
    unserved_share: float
    unserved_low: float
    unserved_high: float
    stayed_away_share: float
    revenue_usd: (
        float  # mean revenue over the horizon that was lost, at the price of the quarter, undiscounted
    )
    revenue_low_usd: float
    revenue_high_usd: float


@dataclass(frozen=True)
class FloorBreach:
    """Share of futures in which the development floor is missed in a quarter, and by how much where it is."""

    quarter: str
    share: float
    low: float
    high: float
    missed: float  # mean amount missed over futures that miss it, 1e24 FLOP a quarter


@dataclass(frozen=True)
class DelayPoint:
    """The plan on the same futures with demand late by some months."""

    months: float
    p_ruin: float
    p_ruin_low: float
    p_ruin_high: float
    least_median_cash_usd: float
    value_usd: float
    survived: bool


@dataclass(frozen=True)
class TunedRule:
    """A simple rule as tuned: setting, budget, and how it did where it was tuned."""

    name: str
    setting: str
    evaluations: int
    paths: int
    training_value_usd: float
    training_p_ruin: float


@dataclass(frozen=True)
class Rolling:
    """The plan made again every few quarters from where each path stands, beside the plan on the same few futures."""

    paths: int
    every: int
    plans: int
    failed: int
    value: float
    value_ci: tuple[float, float]
    plan_value: float
    gain: float
    gain_ci: tuple[float, float]
    p_ruin: float
    p_ruin_ci: tuple[float, float]
    plan_p_ruin: float


@dataclass(frozen=True)
class Simulated:
    """Everything one run of ``exaplan simulate`` found."""

    lab: str
    lab_file: str
    version: str
    plan: str  # "solved now", or the run whose plan was taken
    first_quarter: str
    quarters: int
    tree_value: float
    limit: float | None  # the owner's limit on P(ruin)
    limit_quarters: int | None
    cash_minimum_usd: float
    replay: Replay
    verdict: str  # which policy wins, in a sentence
    winner: str | None  # name of the policy of the most value beyond doubt; None where none is
    delay_months: float | None  # longest delay of demand that is survived; None where even none is not
    delay_bounded: bool  # whether a longer delay would have been tried
    policies: tuple[PolicyRow, ...]
    ruin_by_year: tuple[RuinYear, ...]
    quantiles: tuple[Quantile, ...]
    histogram: tuple[ValueBin, ...]
    lost_sales: tuple[LostSales, ...]
    floor_breaches: tuple[FloorBreach, ...]
    delays: tuple[DelayPoint, ...]
    tuning: tuple[TunedRule, ...]
    cash: tuple[CashBand, ...]
    stories: tuple[Story, ...]
    rolling: Rolling | None = None
    remarks: tuple[str, ...] = ()
    seed: int = 1
    timings: dict[str, float] = field(default_factory=dict)
