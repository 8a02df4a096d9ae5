"""What a lab file says of its futures: what is uncertain, what moves together, which futures have names, how the tree is cut."""

from __future__ import annotations

from typing import Literal

from exaplan.domain.base import Record, quantity, text
from exaplan.domain.quarter import Quarter
from exaplan.domain.rental import RentalMarket
from exaplan.domain.supply_risk import Default, RenewalNews, SiteDelay, Supply
from exaplan.domain.uncertain import Uncertain

PINNABLE = ("demand", "price", "rental", "frontier", "algorithm", "delay", "supply")
"""Sources whose draws a named future can hold at a quantile."""


class Slip(Record):
    """Late deliveries of one supplier."""

    supplier: str = text("supplier")
    probability: float = quantity(
        "share", "chance that what is due in a quarter comes a quarter late (its square: two)", ge=0, lt=1
    )


class Branch(Record):
    """One date at which the tree splits."""

    date: Quarter = text("first quarter that knows the news")
    into: int = text("children of each node")


class Correlation(Record):
    """Correlation of two sources of uncertainty in the Gaussian copula."""

    between: tuple[str, str] = text("names: demand, price, rental, frontier, slip, or demand.<workload>")
    rho: float = quantity("ratio", "correlation", ge=-1, le=1)


class DemandDelay(Record):
    """All demand after today comes later by a time that is drawn once."""

    workload: str | None = text(
        "workload whose demand is late (default: all, by the same time)", default=None, refers_to="workloads"
    )
    chance: float = quantity("share", "chance that it is late at all", default=1.0, gt=0, le=1)
    months: Uncertain = quantity(
        "month",
        "how much later it comes if it does; `0 to 9 months` is uniform",
        key="by",
        literal="uncertain",
        ge=0,
    )


class CapitalWindow(Record):
    """A time in which equity can be raised, and in which it cannot: the market opens and closes at random."""

    id: str = text("name of the window")
    rounds: tuple[str, ...] = text("rounds that need it (default: all)", default=())
    open: bool = text("whether it is open at the start", default=True)
    closes: float = quantity("1/year", "how often a year it closes while it is open", ge=0)
    reopens: float = quantity("1/year", "how often a year it opens while it is closed", ge=0)


class ModelShift(Record):
    """New shapes of models that run worse (or better) on some chips, from a date that is drawn."""

    id: str = text("name of the shift")
    chips: tuple[str, ...] = text("chips whose rate changes", refers_to="chips")
    workloads: tuple[str, ...] = text(
        "workloads that take the new models (default: all)", default=(), refers_to="workloads"
    )
    chance_per_year: float = quantity(
        "1/year", "chance that it comes within a year", key="probability", ge=0, lt=1
    )
    factor: Uncertain = quantity(
        "ratio", "rate on the new models over the rate on today's", literal="uncertain", gt=0
    )


class Pinned(Record):
    """A future with a name and a stated probability: on its paths the named sources stand at stated quantiles."""

    id: str = text("name of the future, such as bear, base or bull")
    probability: float = quantity("share", "share of all paths", gt=0, le=1)
    demand: float | None = quantity(
        "share", "quantile of the level and growth of demand", default=None, gt=0, lt=1
    )
    price: float | None = quantity(
        "share", "quantile of the change of token prices", default=None, gt=0, lt=1
    )
    rental: float | None = quantity(
        "share", "quantile of the drift of the rental market", default=None, gt=0, lt=1
    )
    frontier: float | None = quantity("share", "quantile of the frontier's growth", default=None, gt=0, lt=1)
    algorithm: float | None = quantity("share", "quantile of algorithmic progress", default=None, gt=0, lt=1)
    delay: float | None = quantity("share", "quantile of the delay of demand", default=None, gt=0, lt=1)
    supply: float | None = quantity(
        "share", "quantile of the level of what suppliers let us sign", default=None, gt=0, lt=1
    )

    @property
    def quantiles(self) -> dict[str, float]:
        """Stated quantile by source of uncertainty."""
        stated = {name: getattr(self, name) for name in PINNABLE}
        return {name: value for name, value in stated.items() if value is not None}


class Futures(Record):
    """How uncertainty is sampled, correlated and cut into a tree."""

    branches: tuple[Branch, ...] = text("dates at which the tree splits", default=())
    samples: int = text("sample paths the tree is made from", default=4000)
    seed: int = text("seed of the sample paths", default=1)
    demand_correlation: float = quantity(
        "ratio", "correlation of demand between workloads", default=0.0, ge=0, le=1
    )
    correlations: tuple[Correlation, ...] = text("further correlations", default=())
    rental: RentalMarket = text("rental market", default=RentalMarket())
    demand_delay: tuple[DemandDelay, ...] = text("demand that comes later than planned", default=())
    slips: tuple[Slip, ...] = text("late deliveries", default=())
    supply: tuple[Supply, ...] = text("how much suppliers let us sign", default=())
    defaults: tuple[Default, ...] = text("suppliers that may fail", default=())
    site_delays: tuple[SiteDelay, ...] = text("sites that may be late", default=())
    renewals: tuple[RenewalNews, ...] = text("price and refusal of renewals by supplier", default=())
    capital_window: tuple[CapitalWindow, ...] = text("when equity can be raised", default=())
    model_shifts: tuple[ModelShift, ...] = text("new models that run worse on some chips", default=())
    rates: Literal["planned", "sampled"] = text(
        "whether paths know the chips' rates as planned, or draw the performance model's error too",
        default="planned",
    )
    pinned: tuple[Pinned, ...] = text("futures with a name and a stated probability", default=())
