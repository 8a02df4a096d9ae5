"""What chance brings to a race: every draw before the first step, each source from random numbers of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.domain.race import RaceFile, RaceLab, RaceShock
from exaplan.domain.uncertain import Uncertain
from exaplan.economy.sampling import stream

QUARTERS_PER_YEAR = 4


@dataclass(frozen=True)
class RaceDraws:
    """Everything that does not depend on what the labs do. Axes: [quarter], path, lab; growth counts from quarter 0."""

    demand: np.ndarray  # [quarter, path] market at constant price, over its start
    cost: np.ndarray  # [quarter + longest lead, path] USD per H100-equivalent and quarter
    tokens: np.ndarray  # [quarter, path] tokens per H100-equivalent, over their start
    price_cut: np.ndarray  # [quarter, path] factor of a price war
    shipments: np.ndarray  # [quarter + longest lead, path] H100-equivalents shipped to everybody
    density: np.ndarray  # [quarter, path] H100-equivalents per watt, of what is ordered now
    progress: np.ndarray  # [quarter, path] log of the recipes that all share
    obtainable: np.ndarray  # [quarter, path, lab] share of shipments, after export shocks
    funding: np.ndarray  # [quarter, path, lab] USD per quarter before access
    demand_news: np.ndarray  # [quarter, path, lab] log of a lab's own demand
    power: np.ndarray  # [quarter, path, lab] W in place
    announced: (
        np.ndarray
    )  # [quarter, path, lab] W in place if nothing announced from here on slips: sum to the horizon
    recipe_news: np.ndarray  # [quarter, path, lab] log step of a lab's own recipes
    leap: np.ndarray  # [quarter, path, lab] log size of a leap, 0 without one
    struck: np.ndarray  # [path, shock] bool


def cooled_years(cooling: float, quarters: np.ndarray | int) -> np.ndarray:
    """Years of growth at the first year's rate that a cooling growth amounts to, by quarter.

    ln growth falls by the share ``cooling`` a year: Y(t) = (1 - (1 - k)^t) / -ln(1 - k); t without cooling.

    Examples
    --------
    >>> cooled_years(0.0, 3).tolist()
    [0.0, 0.25, 0.5]
    """
    steps = np.arange(quarters) if isinstance(quarters, int) else np.asarray(quarters)
    years = steps / QUARTERS_PER_YEAR
    return np.asarray(years if cooling == 0 else np.expm1(years * np.log1p(-cooling)) / np.log1p(-cooling))


def draw_race(file: RaceFile, *, paths: int, seed: int, forced: Sequence[str] = ()) -> RaceDraws:
    """Draw ``paths`` futures of a race; ``forced`` names shocks that come for certain.

    Each source (a figure of the market, of a lab, a shock) has a stream of its own, by name: editing one leaves the
    others as they were.
    """
    quarters, market, source = file.horizon.quarters, file.market, _Source(seed, paths)
    further = quarters + max(lab.chips.lead for lab in file.labs)
    cooled, plain = cooled_years(market.cooling, further), np.arange(further) / QUARTERS_PER_YEAR
    struck = np.stack(
        [
            (source.uniform(f"shock.{shock.id}") < shock.probability) | (shock.id in forced)
            for shock in file.shocks
        ],
        axis=-1,
    ) if file.shocks else np.zeros((paths, 0), dtype=bool)  # fmt: skip
    hit = _Hit(file, struck, quarters)
    wander = market.volatility * np.sqrt(market.common) * source.walk("market.demand", quarters)

    def grown(name: str, growth: Uncertain, years: np.ndarray) -> np.ndarray:
        rate = np.log1p(growth.at(source.normal(f"market.{name}")))
        return np.asarray(np.exp(years[:, None] * rate))

    power, announced = _power(file, source, hit)
    obtainable = source.by_lab(file, "chips", [lab.chips.share for lab in file.labs])
    demand_news, funding_news, recipe_news = (
        np.stack([source.walk(f"lab.{lab.id}.{name}", quarters) for lab in file.labs], axis=-1)
        for name in ("demand", "funding", "recipe")
    )
    own = market.volatility * np.sqrt(1 - market.common)
    ahead = np.log1p(source.by_lab(file, "momentum", [lab.momentum for lab in file.labs]))
    momentum = cooled[:quarters, None, None] * ahead
    steps = np.diff(recipe_news, axis=0, prepend=recipe_news[:1])
    return RaceDraws(
        demand=grown("growth", market.growth, cooled[:quarters]) * np.exp(wander),
        cost=market.cost * HOURS_PER_QUARTER * grown("cost", market.cost_change, plain),
        tokens=grown("efficiency", market.efficiency, plain[:quarters]),
        price_cut=hit.factor("price")[:, :, 0],
        shipments=market.shipments * grown("shipments", market.shipments_growth, cooled),
        density=market.density * grown("density", market.density_growth, plain[:quarters]),
        progress=np.log(grown("progress", market.progress, plain[:quarters])),
        obtainable=_within_all(obtainable) * hit.factor("chips"),
        funding=_funding(file, source, cooled[:quarters])
        * np.exp(own * funding_news)
        * hit.factor("capital"),
        demand_news=own * demand_news + momentum,
        power=power,
        announced=announced,
        recipe_news=market.private_progress * steps,
        leap=_leaps(file, source),
        struck=struck,
    )


class _Source:
    """Random numbers by name."""

    def __init__(self, seed: int, paths: int) -> None:
        self.seed, self.paths = seed, paths

    def normal(self, name: str) -> np.ndarray:
        """Draw one standard normal per path, [path]."""
        return stream(self.seed, "report", f"race.{name}").standard_normal(self.paths)

    def uniform(self, name: str) -> np.ndarray:
        """Draw one uniform number per path, [path]."""
        return stream(self.seed, "report", f"race.{name}").random(self.paths)

    def walk(self, name: str, quarters: int) -> np.ndarray:
        """Draw Brownian motion with unit yearly variance, 0 in the first quarter, [quarter, path]."""
        news = stream(self.seed, "report", f"race.{name}.path").standard_normal((quarters, self.paths))
        news[0] = 0.0
        return np.asarray(np.cumsum(news, axis=0) / np.sqrt(QUARTERS_PER_YEAR))

    def by_lab(self, file: RaceFile, name: str, given: Sequence[Uncertain]) -> np.ndarray:
        """Draw one figure of every lab, partly in common, [path, lab]."""
        shared, common = self.normal(f"common.{name}"), file.market.common
        draws = [
            np.sqrt(common) * shared + np.sqrt(1 - common) * self.normal(f"lab.{lab.id}.{name}")
            for lab in file.labs
        ]
        return np.stack([value.at(draw) for value, draw in zip(given, draws, strict=True)], axis=-1)


class _Hit:
    """Which shock strikes whom and when."""

    def __init__(self, file: RaceFile, struck: np.ndarray, quarters: int) -> None:
        self.file, self.struck, self.quarters = file, struck, quarters

    def factor(self, kind: str) -> np.ndarray:
        """Return what is left under the shocks of a kind, [quarter, path, lab]."""
        left = np.ones((self.quarters, self.struck.shape[0], len(self.file.labs)))
        for place, shock in enumerate(self.file.shocks):
            if shock.kind == kind:
                lost = shock.size * self.struck[:, place, None] * self.labs(shock)
                first = max(shock.start - self.file.horizon.first, 0)
                left[first : max(shock.start - self.file.horizon.first + shock.length, 0)] *= 1 - lost
        return left

    def labs(self, shock: RaceShock) -> np.ndarray:
        """Say whom a shock strikes, [lab] 0 or 1; a price war strikes all."""
        if shock.kind == "price":
            return np.ones(len(self.file.labs))
        return np.array(
            [
                (lab.id in shock.labs) if shock.labs else (not shock.region or lab.region == shock.region)
                for lab in self.file.labs
            ],
            dtype=float,
        )


def _within_all(shares: np.ndarray) -> np.ndarray:
    """Scale shares of shipments [path, lab] down where together they exceed all that is shipped."""
    return np.asarray(shares / np.maximum(shares.sum(axis=-1, keepdims=True), 1.0))


def _funding(file: RaceFile, source: _Source, years: np.ndarray) -> np.ndarray:
    growth = np.log1p(source.by_lab(file, "funding", [lab.funding_growth for lab in file.labs]))
    base = np.array([lab.funding for lab in file.labs])
    return np.asarray(base * np.exp(years[:, None, None] * growth))


def _leaps(file: RaceFile, source: _Source) -> np.ndarray:
    """Draw leaps of recipes: arrivals at a constant rate, log sizes, [quarter, path, lab]."""
    market, shape = file.market, (file.horizon.quarters, source.paths)
    chance = -np.expm1(-market.leapfrog_chance / QUARTERS_PER_YEAR)
    leaps = np.zeros((*shape, len(file.labs)))
    for place, lab in enumerate(file.labs):
        numbers = stream(source.seed, "report", f"race.lab.{lab.id}.leap")
        comes, sizes = numbers.random(shape) < chance, numbers.standard_normal(shape)
        comes[0] = False
        leaps[:, :, place][comes] = np.log(market.leapfrog_size.at(sizes[comes]))
    return leaps


def _power(file: RaceFile, source: _Source, hit: _Hit) -> tuple[np.ndarray, np.ndarray]:
    """Power in place, and power if what is announced came in time, [quarter, path, lab] in W."""
    quarters, paths = file.horizon.quarters, source.paths
    beyond = max(lab.chips.lead for lab in file.labs)
    built = source.by_lab(file, "build", [lab.power.build for lab in file.labs])
    announced = np.zeros((quarters + beyond, paths, len(file.labs)))
    actual = np.zeros_like(announced)
    for place, lab in enumerate(file.labs):
        build = _build(lab, quarters + beyond)[:, None] * built[:, place]
        announced[:, :, place] += build
        actual[:, :, place] += build
        for site in lab.power.sites:
            due = max(site.ready - file.horizon.first, 0)
            if due >= quarters + beyond:
                continue
            announced[due, :, place] += site.power
            drawn = source.uniform(f"lab.{lab.id}.site.{site.id}")
            late = _late(site.slip, drawn) if site.slip > 0 else np.zeros(paths, dtype=np.int64)
            comes = due + late
            inside = np.flatnonzero(comes < quarters + beyond)
            actual[comes[inside], inside, place] += site.power
    for number, shock in enumerate(file.shocks):
        if shock.kind == "power":
            _delay(actual, shock, hit.struck[:, number, None] * hit.labs(shock), file)
    base = np.array([lab.power.now for lab in file.labs])
    return base + np.cumsum(actual, axis=0)[:quarters], np.cumsum(announced, axis=0)


def _build(lab: RaceLab, quarters: int) -> np.ndarray:
    """Factor on ``build`` by quarter: nothing before the lead, then growing."""
    since = np.arange(quarters) - lab.power.lead
    return np.where(since >= 0, (1 + lab.power.growth) ** (np.maximum(since, 0) / QUARTERS_PER_YEAR), 0.0)


def _late(chance: float, drawn: np.ndarray) -> np.ndarray:
    """Quarters late: at least k with probability chance^k, int [path]."""
    return np.asarray(np.floor(np.log(np.maximum(drawn, 1e-300)) / np.log(chance)), dtype=np.int64)


def _delay(coming: np.ndarray, shock: RaceShock, lost: np.ndarray, file: RaceFile) -> None:
    """Move the power that comes during a shock to later, in place; ``lost`` [path, lab] is 1 where it strikes."""
    first = shock.start - file.horizon.first
    for quarter in range(max(first + shock.length, 0) - 1, max(first, 0) - 1, -1):
        if quarter < len(coming):
            moved = shock.size * lost * coming[quarter]
            coming[quarter] -= moved
            if quarter + shock.length < len(coming):
                coming[quarter + shock.length] += moved
