"""The market in which chips are rented: what its price returns to, how it wanders, and where spot departs from contracts."""

from __future__ import annotations

from pydantic import model_validator

from exaplan.domain.base import Record, quantity, text
from exaplan.domain.uncertain import Uncertain


class Switch(Record):
    """One way out of a regime."""

    to: str = text("regime that follows")
    rate: float = quantity(
        "1/year", "how often a year the market goes there while it is in this regime", ge=0
    )


class Regime(Record):
    """One state of the rental market, such as glut, balance or scarcity."""

    id: str = text("name of the regime")
    level: float = quantity(
        "ratio", "mean to which the index returns in this regime, over the long-run mean", gt=0
    )
    switches: tuple[Switch, ...] = text("regimes that can follow, with their rates", default=())


class Spot(Record):
    """Price of chips by the hour over that of contracts: a mean-reverting basis, 1 at the start."""

    start: float = quantity(
        "ratio",
        "basis (price by the hour over that of contracts) at the start over its long-run mean",
        default=1.0,
        gt=0,
    )
    volatility: float = quantity("share", "yearly log standard deviation of the basis", ge=0)
    reversion: float = quantity("1/year", "speed of return of the basis to its mean", default=0.0, ge=0)


class RentalMarket(Record):
    """The rental price of contracts as a mean-reverting scarcity index, 1 at the start."""

    start: float = quantity("ratio", "index at the start over its long-run mean", default=1.0, gt=0)
    drift: Uncertain = quantity(
        "1/year",
        "yearly change of the long-run mean",
        default=Uncertain.point(0.0),
        literal="uncertain",
        gt=-1,
    )
    volatility: float = quantity("share", "yearly log standard deviation", default=0.0, ge=0)
    reversion: float = quantity("1/year", "speed of return to the mean", default=0.0, ge=0)
    regimes: tuple[Regime, ...] = text(
        "regimes between which the market switches, from the loosest to the scarcest (default: one, at the mean)",
        default=(),
    )
    regime: str | None = text(
        "regime at the start (default: the one whose level is nearest to `start`)", default=None
    )
    spot: Spot | None = text(
        "how the price by the hour departs from that of contracts (default: both are one)", default=None
    )

    @model_validator(mode="after")
    def _regimes_fit(self) -> RentalMarket:
        names = [regime.id for regime in self.regimes]
        if self.regime is not None and self.regime not in names:
            raise ValueError(
                f"regime {self.regime!r} is none of {', '.join(names) or 'the regimes: there are none'}"
            )
        if not names:
            return self
        if len(names) < 2 or len(set(names)) < len(names):
            raise ValueError("regimes are at least two, each with a name of its own")
        if self.reversion == 0:
            raise ValueError(
                "regimes act through reversion: say how fast the index returns to its regime's mean"
            )
        levels = [regime.level for regime in self.regimes]
        if levels != sorted(levels):
            raise ValueError("regimes stand in the order of their levels, the loosest first")
        for regime in self.regimes:
            ways = [switch.to for switch in regime.switches]
            wrong = [way for way in ways if way not in names or way == regime.id]
            if wrong:
                raise ValueError(f"regime {regime.id!r} switches to {wrong[0]!r}, which is no other regime")
            if len(set(ways)) < len(ways):
                raise ValueError(f"regime {regime.id!r} names one way out twice")
        return self

    @property
    def first_regime(self) -> int:
        """Number of the regime at the start."""
        levels = {regime.id: abs(regime.level - self.start) for regime in self.regimes}
        name = self.regime if self.regime is not None else min(levels, key=lambda each: levels[each])
        return list(levels).index(name)
