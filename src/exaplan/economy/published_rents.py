"""The published one-year rent of an H100 against a rental market: whether the market as stated could have made it.

Prices in USD per chip-hour of one-year contracts with new clouds (surveys and estimates): 2.99 in October 2024, 1.70 in
October 2025 (the low of the cycle), 2.35 in March 2026, 2.65 in June 2026; SemiAnalysis' contract index as quoted by
theinformationmachine.fyi (2026-06) and techreaderdaily.com (2026-03), and its post of 2024-10.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.quarter import Quarter
from exaplan.domain.rental import Regime, RentalMarket, Switch
from exaplan.economy.processes import QUARTERS_PER_YEAR, rental_index
from exaplan.economy.regimes import generator, regime_index, walk

H100_ONE_YEAR = (
    (Quarter(2024, 4), 2.99),
    (Quarter(2025, 4), 1.70),
    (Quarter(2026, 1), 2.35),
    (Quarter(2026, 2), 2.65),
)
"""Quarter and USD per chip-hour."""

H100_MARKET = RentalMarket(
    start=1.1,
    volatility=0.3,
    reversion=2.0,
    regimes=(
        Regime(id="glut", level=0.6, switches=(Switch(to="balance", rate=1.0),)),
        Regime(
            id="balance",
            level=1.0,
            switches=(Switch(to="glut", rate=1.0), Switch(to="scarcity", rate=0.6)),
        ),
        Regime(id="scarcity", level=1.3, switches=(Switch(to="balance", rate=1.5),)),
    ),
    regime="scarcity",
)
"""A calibration to that series. Levels: 60 % and 130 % of a mean of 2.41 are 1.45 and 3.13, just beyond the lowest and the
highest price seen. Assumed: a glut lasts a year on average, a shortage eight months, and a price goes half of the way to
its regime's level in four months. The series of four prices does not identify more."""


@dataclass(frozen=True)
class Published:
    """One published price and where it stands among the market's own paths."""

    quarter: Quarter
    usd_per_chip_h: float
    low_usd: float  # 5 % quantile of the market
    middle_usd: float
    high_usd: float  # 95 %
    quantile: float  # share of the market's paths that are lower


def published_against(rental: RentalMarket, *, paths: int = 20_000, seed: int = 1) -> tuple[Published, ...]:
    """Start a market at the first published price and tell the quantile of each later one.

    The market's mean is the last published price over ``rental.start``, carried back at the median drift; the regime of the
    first quarter is the one whose level is nearest to its price.
    """
    generator_of = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
    (begin, first), (end, last) = H100_ONE_YEAR[0], H100_ONE_YEAR[-1]
    years = (end - begin) / QUARTERS_PER_YEAR
    mean = last / rental.start * (1 + rental.drift.median) ** -years
    market = rental.model_copy(update={"start": first / mean, "regime": None})
    draws = generator_of.standard_normal((3, paths, end - begin + 1))
    drift = market.drift.at(draws[0, :, 0])
    if market.regimes:
        regime = walk(generator(market), market.first_regime, draws[1])
        index = regime_index(market, drift=drift, regime=regime, news=draws[2])
    else:
        index = rental_index(
            start=market.start,
            drift=drift,
            volatility=market.volatility,
            reversion=market.reversion,
            news=draws[2],
        )
    found = []
    for quarter, price in H100_ONE_YEAR[1:]:
        rent = first * index[:, quarter - begin]
        low, middle, high = (float(each) for each in np.quantile(rent, (0.05, 0.5, 0.95)))
        found.append(Published(quarter, price, low, middle, high, float((rent < price).mean())))
    return tuple(found)
