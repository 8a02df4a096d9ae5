"""Real options and leverage: what go, wait and never are worth, by when to sign, and what a second source is good for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProgramStart:
    """One start that a plan chooses: expected over the futures in which it happens."""

    program: str
    foundry: str
    quarter: str
    probability: float
    nre_usd: float
    chips: float
    paid_usd: float  # for chips, undiscounted


@dataclass(frozen=True)
class Begin:
    """One quarter in which a lump is started, and in what share of futures."""

    quarter: str
    probability: float


@dataclass(frozen=True)
class Delayed:
    """What a plan is worth whose lump may not be started before a quarter, and how much above never."""

    quarter: str
    value_usd: float
    above_never_usd: float


@dataclass(frozen=True)
class LumpOption:
    """What one lump is worth by when it may be started."""

    lump: str
    go_usd: float | None  # started at once; None where its window is not open yet
    wait_usd: float | None  # not before the second quarter; None where its window closes before
    never_usd: float
    best_usd: float
    gap: float  # largest relative gap of these values
    begins: tuple[Begin, ...]  # what the best plan does
    by_quarter: tuple[Delayed, ...]
    latest: str | None  # last quarter at which it is still worth starting; None where it never is
    adapted_usd: float | None = None  # never, with the other lumps free to adapt; None where they always were

    @property
    def worth_usd(self) -> float:
        """What having the lump at all is worth."""
        return self.best_usd - self.never_usd

    @property
    def waiting_usd(self) -> float:
        """What the right to wait is worth: lost by a decision that is now or never."""
        now = self.never_usd if self.go_usd is None else max(self.go_usd, self.never_usd)
        return self.best_usd - now


@dataclass(frozen=True)
class PricePoint:
    """Plans at one price of the incumbent's offers, with and without the second source."""

    factor: float  # price over list price
    without_usd: float  # value of the plan that has no second source
    with_usd: float
    paid_without_usd: float  # present value of what the incumbent is paid
    paid_with_usd: float


@dataclass(frozen=True)
class Bargain:
    """Prices over list price that a negotiation ends at, and the discount that the second source makes."""

    power: float  # the lab's
    without: float | None  # None where the two sides have nothing to share
    with_: float | None

    @property
    def discount(self) -> float | None:
        """Share by which the second source lowers the price."""
        if self.without is None or self.with_ is None:
            return None
        return 1 - self.with_ / self.without


@dataclass(frozen=True)
class LeverageAnswer:
    """What own silicon is worth against the incumbent."""

    incumbent: tuple[str, ...]
    margin: float
    walk_without_usd: float  # value of the plan without the incumbent and without the second source
    walk_with_usd: float
    points: tuple[PricePoint, ...]
    break_even: float | None  # discount that makes up for not having the second source; None if none does
    bargains: tuple[Bargain, ...]
    typed_discount: float | None  # assumed by the owner of the file, not found


@dataclass(frozen=True)
class FoundryCost:
    """Where the cost of one chip comes from, USD but for the first three columns."""

    choice: str
    node: str
    yield_model: str
    dies_per_wafer: int
    die_yield: float
    good_die_usd: float
    packaged_usd: float
    price_usd: float
    installed_usd: float


@dataclass(frozen=True)
class OptionsAnswer:
    """Everything ``exaplan options`` says."""

    lab: str
    lab_file: str
    first_quarter: str
    leaves: int
    nodes: int
    objective_usd: float
    bound_usd: float
    gap: float
    starts: tuple[ProgramStart, ...]
    chip_costs: tuple[FoundryCost, ...]
    options: tuple[LumpOption, ...]
    leverage: LeverageAnswer | None
    remarks: tuple[str, ...]
    version: str
    timings: dict[str, float]
