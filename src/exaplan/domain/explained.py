"""What explains a plan, as plain rows: near-optimal alternatives, sensitivity, one offer to the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Standing = Literal["must have", "free", "never"]
"""``must have``: none of the near-optimal plans does without; ``free``: some do without; ``never``: none has any."""


@dataclass(frozen=True)
class Stood:
    """What an explanation stands on: the lab, and the tree that every one of its solves used."""

    lab: str
    lab_file: str
    version: str
    first_quarter: str
    quarters: int
    futures: int  # leaves of the tree used
    futures_of_plan: int  # leaves of the lab's own tree
    objective_usd: float  # of the plan on that tree


@dataclass(frozen=True)
class Alternative:
    """One quantity of the plan, with its least and most among the near-optimal plans; expected over the tree."""

    kind: str
    name: str
    unit: str
    plan: float
    least: float
    most: float
    standing: Standing


@dataclass(frozen=True)
class Alternatives:
    """How far each decision can move while the plan gives up no more than ``slack`` of its objective."""

    stood: Stood
    slack: float
    rows: tuple[Alternative, ...]
    remarks: tuple[str, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Swing:
    """One bar of the tornado: the plan's objective with one input at its low and at its high end, solved again."""

    name: str
    now: str
    low: str
    high: str
    at_low_usd: float
    at_high_usd: float
    source: str


@dataclass(frozen=True)
class Effect:
    """Elementary effects of one input over its range, USD: mean of sizes (mu*), mean, spread, interval of mu*."""

    name: str
    mu_star_usd: float
    mu_star_low_usd: float
    mu_star_high_usd: float
    mu_usd: float
    sigma_usd: float


@dataclass(frozen=True)
class Sensitivity:
    """Which inputs move the plan's value: one at a time, and all together (Morris)."""

    stood: Stood
    swings: tuple[Swing, ...]  # largest first
    effects: tuple[Effect, ...]  # largest mu* first
    trajectories: int
    solves: int
    screened_futures: int  # leaves of the tree on which the effects were computed
    seed: int
    remarks: tuple[str, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ClauseWorth:
    """What the plan gains if one clause of an offer changes, all else as offered."""

    clause: str
    now: str
    instead: str
    gain_usd: float
    price_equivalent: (
        float | None
    )  # share of the price that is worth the same; None where price does not matter


@dataclass(frozen=True)
class Wait:
    """The plan when the offer can be signed from a quarter on and not before."""

    from_quarter: str
    cost_usd: float  # against signing when the plan does
    worth_left_usd: float  # of having the offer at all
    chips: float  # expected orders


@dataclass(frozen=True)
class PricePoint:
    """Worth of having the offer at a price, USD per chip-hour or per chip."""

    price: float
    worth_usd: float


@dataclass(frozen=True)
class Offered:
    """One offer examined: what it is worth, up to which price, by which date, and clause by clause."""

    stood: Stood
    offer: str
    supplier: str
    chip: str
    offer_kind: str
    price: float  # list price of the first quarter in which it can be signed
    price_unit: str
    chips_now: float
    chips_expected: float
    worth_usd: float  # objective with the offer minus without
    walk_away_price: float | None  # None where it is not found below the search's end
    walk_away_note: str
    volume_break_even_price: float | None  # price at which the plan's own orders of it are worth nothing
    prices: tuple[PricePoint, ...]
    clauses: tuple[ClauseWorth, ...]
    waits: tuple[Wait, ...]
    sign_by: str | None  # last quarter after which waiting costs something
    worthless_after: str | None  # last quarter in which a signature is still worth something
    usd_per_chip_hour: float | None  # expected payments over chip-hours at work
    usd_per_chip_hour_discounted: float | None  # both discounted
    p_ruin_with: float
    p_ruin_without: float
    p_ruin_change: float
    p_ruin_change_se: float
    replay_change_usd: float
    replay_change_ci: tuple[float, float]
    paths: int
    seed: int
    remarks: tuple[str, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)
