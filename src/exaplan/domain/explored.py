"""Plans compared: what a change does, what a sweep finds, what is given up for less risk. Plain rows, US dollars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Against = Literal["value", "lead"]


@dataclass(frozen=True)
class Signed:
    """What one plan signs of one offer in the first quarter."""

    offer: str
    chips: float
    committed_usd: float


@dataclass(frozen=True)
class Component:
    """One part of a plan's value: what a kind of money adds, mean over the replayed futures, discounted."""

    name: str
    usd: float


@dataclass(frozen=True)
class QuarterFigures:
    """One quarter of a plan, means over the replayed futures; a ruined lab counts zero."""

    quarter: str
    chips_at_work: float
    revenue_usd: float
    spend_usd: float
    cash_p50_usd: float


@dataclass(frozen=True)
class KeyFigure:
    """One key figure of a plan."""

    name: str
    label: str
    value: float
    unit: str


@dataclass(frozen=True)
class Point:
    """One plan among those compared, replayed on the same random numbers as the others.

    ``lead`` is the capability ratio in the last quarter, mean over futures (a ruined lab counts zero); None where the lab
    has no capability. ``gain_ci`` is the 95 % interval of this plan's value over that of the base, future by future.
    ``start`` says how the solver started, ``why`` gives the reason, ``anew`` what else had to be computed again.
    """

    name: str
    changes: tuple[tuple[str, str], ...]
    value: float
    value_ci: tuple[float, float]
    p_ruin: float
    p_ruin_ci: tuple[float, float]
    lead: float | None
    lead_ci: tuple[float, float] | None
    served_share: float
    tree_value: float
    gain: float | None
    gain_ci: tuple[float, float] | None
    signed: tuple[Signed, ...]
    binds: tuple[str, ...]
    relaxed: tuple[str, ...]
    components: tuple[Component, ...]
    quarters: tuple[QuarterFigures, ...]
    figures: tuple[KeyFigure, ...]
    start: str
    why: str
    anew: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Asked:
    """Which lab was asked, with which futures: the head of every comparison."""

    lab: str
    lab_file: str
    version: str
    paths: int
    seed: int
    ruin_within_quarters: int | None
    ruin_limit: float | None
    seconds: float


@dataclass(frozen=True)
class WhatIf:
    """The plan as the file has it and the plans of separate changes."""

    asked: Asked
    base: Point
    cases: tuple[Point, ...]


@dataclass(frozen=True)
class Axis:
    """One key that a sweep moves: its settings as written, as numbers where they are numbers, and their unit."""

    key: str
    settings: tuple[str, ...]
    numbers: tuple[float, ...] | None
    unit: str


@dataclass(frozen=True)
class Sweep:
    """Plans along one key, or over the grid of two; ``points`` run through the last axis first."""

    asked: Asked
    base: Point
    axes: tuple[Axis, ...]
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Caution:
    """One plan of the frontier: how cautious the policy is, and the plan it makes.

    ``efficient`` plans are those that no other plan beat on the futures of the search; ``point`` has the figures on
    other futures, and ``confirmed`` says whether no other efficient plan beats it there. ``given`` marks the policy as the
    file has it.
    """

    cover_quarters: float
    tail_weight: float
    search_value: float
    search_p_ruin: float
    search_lead: float | None
    efficient: bool
    confirmed: bool
    given: bool
    point: Point


@dataclass(frozen=True)
class Frontier:
    """What is given up, in value or in lead, for a lower P(ruin)."""

    asked: Asked
    against: Against
    search_paths: int
    plans: tuple[Caution, ...]


@dataclass(frozen=True)
class LateRaise:
    """The plan where a round can be raised from ``quarter`` on only, or never.

    ``safe`` says whether P(ruin) keeps the owner's limit, or, without one, is not clearly above that of the plan as
    given; ``more_ruin_ci`` is the 95 % interval of the difference, future by future.
    """

    quarter: str | None  # None: never
    safe: bool
    more_ruin: float
    more_ruin_ci: tuple[float, float]
    point: Point


@dataclass(frozen=True)
class RoundDates:
    """One round of equity, raised later and later.

    ``latest_safe`` is the last quarter up to which every later beginning is safe; None where not even the first one is.
    ``needed`` is whether the lab is not safe without the round.
    """

    round: str
    first: str
    last: str
    max_usd: float
    latest_safe: str | None
    needed: bool
    plans: tuple[LateRaise, ...]


@dataclass(frozen=True)
class Raises:
    """By when each round has to be raised, the others as given."""

    asked: Asked
    base: Point
    rounds: tuple[RoundDates, ...]
