"""Sampled futures: a World with one row per path."""

from __future__ import annotations

from typing import Literal
from zlib import crc32

import numpy as np

from exaplan.domain.base import over_quarters
from exaplan.domain.errors import InputError, Problem
from exaplan.domain.futures import World
from exaplan.domain.lab import Lab
from exaplan.domain.quarter import MONTHS_PER_QUARTER
from exaplan.domain.workload import Serve
from exaplan.economy.copula import Copula, join
from exaplan.economy.pinning import future_of_paths, membership, pinned_draws
from exaplan.economy.processes import (
    compound,
    failed_quarters,
    rental_index,
    slip_quarters,
    standstill_quarters,
    wander,
)
from exaplan.economy.regimes import OPEN, generator, regime_index, walk, window_generator
from exaplan.economy.surprises import delay_quarters, later, renewal_jump, shifted_rate

Purpose = Literal["tree", "search", "report", "confirm"]
PURPOSES: tuple[Purpose, ...] = ("tree", "search", "report", "confirm")


class _Draws:
    """Correlated standard normal draws of a copula, by the name of the factor; named futures hold some of them."""

    def __init__(self, copula: Copula, independent: np.ndarray, held: dict[str, np.ndarray]) -> None:
        correlated = independent @ copula.root.T  # [path, 2 + quarter, factor]
        self._by_name: dict[str, np.ndarray] = {
            name: correlated[:, :, place] for place, name in enumerate(copula.names)
        }
        self._held = held

    def level(self, name: str) -> np.ndarray:
        """Draw of the starting level, once per path, [path]."""
        return self._once(name, 0)

    def trend(self, name: str) -> np.ndarray:
        """Draw of growth, change, drift or delay, once per path, [path]."""
        return self._once(name, 1)

    def news(self, name: str) -> np.ndarray:
        """News of each quarter, [path, quarter]."""
        return self._by_name[name][:, 2:]

    def _once(self, name: str, place: int) -> np.ndarray:
        drawn = self._by_name[name][:, place]
        held = self._held.get(name.partition(".")[0])
        return drawn if held is None else np.where(np.isnan(held), drawn, held)


def stream(seed: int, purpose: Purpose, source: str = "") -> np.random.Generator:
    """Open the random numbers of one seed, purpose and source of uncertainty.

    The purposes ``tree``, ``search``, ``confirm`` and ``report`` never share numbers, so that a plan is judged on futures it has
    not seen; each source has numbers of its own, so that editing one source leaves the others as they were.

    Raises
    ------
    InputError
        A negative seed.
    """
    if seed < 0:
        raise InputError(Problem(f"seed {seed} is negative", suggestion="use 0 or a positive whole number"))
    key = (PURPOSES.index(purpose), crc32(source.encode()))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def sample_world(
    lab: Lab,
    *,
    paths: int,
    seed: int,
    quarters: int | None = None,
    purpose: Purpose = "report",
    antithetic: bool = True,
) -> World:
    """Sample futures of a lab; the World's leading axes are [path, quarter].

    All paths share the first quarter. Demand of a workload (tokens per quarter) = base x level x (1 + g)^(t/4) x
    exp(s B_t - s^2 t / 8), the level from the second quarter on; a base given by quarter is multiplied by growth.
    The price changes by one draw per path, at the same quantile for every workload.

    Parameters
    ----------
    paths, quarters
        How many; ``quarters`` defaults to the horizon's and may exceed it.
    seed, purpose
        Choose the random numbers, see :func:`stream`. Same lab, paths, seed and purpose: same bytes.
    antithetic
        Paths 2 i and 2 i + 1 use opposite draws: means get more precise, and
        :func:`exaplan.economy.ruin.mean_interval` has to be told.

    Raises
    ------
    InputError
        No paths or quarters; contradictory correlations (:func:`exaplan.economy.copula.join`); a draw of growth, change
        or drift at or below -100 %, or of a level below zero.
    """
    quarters = lab.horizon.quarters if quarters is None else quarters
    if paths < 1 or quarters < 1:
        reason = f"{paths} paths of {quarters} quarters cannot be sampled"
        raise InputError(Problem(reason, suggestion="ask for at least one of each"))
    copula = join(lab)
    shape = (paths, quarters)
    future = future_of_paths(lab, paths, antithetic=antithetic)
    independent = _independent(copula.names, (paths, 2 + quarters), seed, purpose, antithetic)
    draws = _Draws(copula, independent, pinned_draws(lab, future))
    demand = [_demand(workload, draws, quarters) for workload in lab.serve]
    demand = _late_demand(lab, draws, demand)
    price = [_price(workload, draws, quarters) for workload in lab.serve]
    rental, spot = _rents(lab, draws)
    jump, refused = _renewals(lab, draws, shape)
    return World(
        demand_tokens=np.stack(demand, axis=-1) if demand else np.zeros((*shape, 0)),
        price_usd_per_token=np.stack(price, axis=-1) if price else np.zeros((*shape, 0)),
        rental_index=rental,
        frontier=_frontier(lab, draws, quarters),
        slip=_slips(lab, draws, shape),
        setback=_setbacks(lab, shape, seed, purpose),
        supply=_supply(lab, draws, shape),
        gone=_gone(lab, draws, shape),
        standstill=_standstill(lab, draws, shape),
        spot=spot,
        algorithm=_algorithm(lab, draws, shape),
        rate=_rate(lab, draws, shape),
        rate_error=_rate_error(lab, shape, seed, purpose),
        jump=jump,
        refused=refused,
        open_round=_open_rounds(lab, draws, shape),
        pinned=membership(lab, future, quarters),
    )


def _independent(
    names: tuple[str, ...], shape: tuple[int, int], seed: int, purpose: Purpose, antithetic: bool
) -> np.ndarray:
    """Draw independent standard normals [path, draw, factor]; more draws leave the first ones as they are."""
    paths, draws = shape
    count = (paths + 1) // 2 if antithetic else paths
    values = np.empty((count, draws, len(names)))
    for place, name in enumerate(names):
        values[:, :, place] = stream(seed, purpose, name).standard_normal((draws, count)).T
    if antithetic:
        values = np.stack([values, -values], axis=1).reshape(2 * count, draws, len(names))[:paths]
    return values


def _demand(workload: Serve, draws: _Draws, quarters: int) -> np.ndarray:
    name = f"demand.{workload.id}"
    base = over_quarters(workload.starting_tokens_per_month, quarters) * MONTHS_PER_QUARTER
    level = _above(0, workload.level.at(draws.level(name)), f"level of {workload.id}")
    growth = _above(-1, workload.growth.at(draws.trend(name)), f"growth of {workload.id}")
    known = np.arange(quarters) == 0
    factor = np.where(known, 1.0, level[:, None]) * compound(growth, quarters)
    return np.asarray(base * factor * wander(workload.volatility, draws.news(name)))


def _price(workload: Serve, draws: _Draws, quarters: int) -> np.ndarray:
    change = _above(-1, workload.price_change.at(draws.trend("price")), f"price_change of {workload.id}")
    return workload.revenue_usd_per_token * compound(change, quarters)


def _frontier(lab: Lab, draws: _Draws, quarters: int) -> np.ndarray:
    trend = draws.trend("frontier")
    if lab.capability is None:
        return np.ones((len(trend), quarters))
    growth = _above(-1, lab.capability.frontier_growth.at(trend), "capability.frontier_growth")
    return compound(growth, quarters)


def _slips(lab: Lab, draws: _Draws, shape: tuple[int, int]) -> np.ndarray:
    late = np.zeros((*shape, len(lab.suppliers)), dtype=np.int64)
    for slip in lab.slips:
        news = draws.news(f"slip.{slip.supplier}")
        late[:, :, lab.suppliers.index(slip.supplier)] = slip_quarters(slip.probability, news)
    return late


def _setbacks(lab: Lab, shape: tuple[int, int], seed: int, purpose: Purpose) -> np.ndarray:
    """Draw which quarters of work on a run are lost, independent of everything else, [path, quarter, run]."""
    lost = np.zeros((*shape, len(lab.runs)))
    for number, run in enumerate(lab.runs):
        if run.divergence > 0:
            chance = stream(seed, purpose, f"run.{run.id}").random(shape[::-1]).T
            lost[:, :, number] = chance < run.divergence
    return lost


def _supply(lab: Lab, draws: _Draws, shape: tuple[int, int]) -> np.ndarray:
    factor = np.ones((*shape, len(lab.suppliers) if lab.futures.supply else 0))
    later = np.arange(shape[1]) > 0
    for supply in lab.futures.supply:
        name = f"supply.{supply.supplier}"
        level = _above(0, supply.level.at(draws.level(name)), f"futures.supply of {supply.supplier}")
        moved = np.where(later, level[:, None], 1.0) * wander(supply.volatility, draws.news(name))
        factor[:, :, lab.suppliers.index(supply.supplier)] = moved
    return factor


def _gone(lab: Lab, draws: _Draws, shape: tuple[int, int]) -> np.ndarray:
    gone = np.zeros((*shape, len(lab.suppliers) if lab.futures.defaults else 0), dtype=np.int64)
    for default in lab.futures.defaults:
        news = draws.news(f"default.{default.supplier}")
        gone[:, :, lab.suppliers.index(default.supplier)] = failed_quarters(default.chance_per_year, news)
    return gone


def _standstill(lab: Lab, draws: _Draws, shape: tuple[int, int]) -> np.ndarray:
    delays, sites = lab.futures.site_delays, [site.id for site in lab.sites]
    lost = np.zeros((*shape, len(sites) if delays else 0), dtype=np.int64)
    for delay in delays:
        news = draws.news(f"site.{delay.site}")
        lost[:, :, sites.index(delay.site)] = standstill_quarters(delay.probability, news)
    return lost


def _late_demand(lab: Lab, draws: _Draws, demand: list[np.ndarray]) -> list[np.ndarray]:
    """Let demand come later: by the delay common to all workloads, and by each one's own."""
    found = list(demand)
    for delay in lab.futures.demand_delay:
        name = "delay" if delay.workload is None else f"delay.{delay.workload}"
        quarters = delay_quarters(delay.months, delay.chance, draws.trend(name))
        for number, workload in enumerate(lab.serve):
            if delay.workload in (None, workload.id):
                found[number] = later(found[number], quarters)
    return found


def _rents(lab: Lab, draws: _Draws) -> tuple[np.ndarray, np.ndarray]:
    """Move the index of contracts [path, quarter], and that of chips by the hour [path, quarter, 0 or 1]."""
    rental = lab.futures.rental
    drift = _above(-1, rental.drift.at(draws.trend("rental")), "futures.rental.drift")
    news = draws.news("rental")
    if rental.regimes:
        regime = walk(generator(rental), rental.first_regime, draws.news("regime"))
        index = regime_index(rental, drift=drift, regime=regime, news=news)
    else:
        index = rental_index(
            start=rental.start,
            drift=drift,
            volatility=rental.volatility,
            reversion=rental.reversion,
            news=news,
        )
    if rental.spot is None:
        return index, np.zeros((*index.shape, 0))
    basis = rental_index(
        start=rental.spot.start, drift=np.zeros(len(index)), volatility=rental.spot.volatility,
        reversion=rental.spot.reversion, news=draws.news("spot"),
    )  # fmt: skip
    return index, (index * basis)[:, :, None]


def _algorithm(lab: Lab, draws: _Draws, shape: tuple[int, int]) -> np.ndarray:
    """Draw what recipes have gained since the start [path, quarter, 1]; no column where progress is certain."""
    law = lab.capability
    if law is None or law.algorithmic_progress.is_certain:
        return np.zeros((*shape, 0))
    growth = law.algorithmic_progress.at(draws.trend("algorithm"))
    return compound(_above(-1, growth, "capability.algorithmic_progress"), shape[1])[:, :, None]


def _rate(lab: Lab, draws: _Draws, shape: tuple[int, int]) -> np.ndarray:
    """Draw rates on new models over today's [path, quarter, chip]; no columns where no shift is stated."""
    chips = list(lab.chips)
    factor = np.ones((*shape, len(chips) if lab.futures.model_shifts else 0))
    for shift in lab.futures.model_shifts:
        name = f"shift.{shift.id}"
        level = draws.level(name)
        moved = shifted_rate(shift.chance_per_year, shift.factor, level, draws.news(name))
        for chip in shift.chips:
            factor[:, :, chips.index(chip)] = moved
    return factor


def _rate_error(lab: Lab, shape: tuple[int, int], seed: int, purpose: Purpose) -> np.ndarray:
    """Draw the performance model's error of each chip, standard normal, once per path [path, quarter, chip]."""
    if lab.futures.rates == "planned":
        return np.zeros((*shape, 0))
    drawn = [stream(seed, purpose, f"rates.{chip}").standard_normal(shape[0]) for chip in lab.chips]
    return np.repeat(np.stack(drawn, axis=-1)[:, None, :], shape[1], axis=1)


def _renewals(lab: Lab, draws: _Draws, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Draw the factor on renewed prices and the refusals, both [path, quarter, supplier]."""
    columns = len(lab.suppliers) if lab.futures.renewals else 0
    jump, refused = np.ones((*shape, columns)), np.zeros((*shape, columns))
    for renewal in lab.futures.renewals:
        place = lab.suppliers.index(renewal.supplier)
        jump[:, :, place] = renewal_jump(renewal.jump, draws.news(f"renewal.{renewal.supplier}"))
        news = draws.news(f"refusal.{renewal.supplier}")
        refused[:, :, place] = standstill_quarters(renewal.refusal, news)
    return jump, refused


def _open_rounds(lab: Lab, draws: _Draws, shape: tuple[int, int]) -> np.ndarray:
    """Draw in which quarters each round can be raised, 1 or 0 [path, quarter, round]."""
    rounds = [each.id for each in lab.finance.rounds]
    able = np.ones((*shape, len(rounds) if lab.futures.capital_window else 0))
    for window in lab.futures.capital_window:
        state = walk(window_generator(window), int(window.open), draws.news(f"window.{window.id}"))
        for name in window.rounds or rounds:
            able[:, :, rounds.index(name)] *= state == OPEN
    return able


def _above(bound: float, values: np.ndarray, name: str) -> np.ndarray:
    if values.min() <= bound:
        reason = f"{name} was drawn as {values.min():.3g}, and must stay above {bound:g}"
        raise InputError(
            Problem(
                reason,
                suggestion="use a lognormal or growth interval, which cannot get there, or a narrower one",
            )
        )
    return values
