"""Parallel bets of one lab in a race: several recipes tried at once each quarter, the best one kept, at a cost of compute."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.domain.race import RaceFile
from exaplan.domain.race_result import Race
from exaplan.economy.sampling import stream
from exaplan.simulate.race_draws import QUARTERS_PER_YEAR, RaceDraws


@dataclass(frozen=True)
class Bets:
    """How a lab bets.

    Attributes
    ----------
    count : int
        Recipes tried side by side in a quarter; the first is the one that the lab would try alone.
    pilot : float
        Share of a quarter's development compute that each further one takes.
    divergence : float
        Chance that a bet fails: if it is the one kept, the quarter's development is lost.
    alike : float
        Share of the variance of recipes that all bets have in common, and chance that a leap is the same one in all.
    seen : float
        Chance that the best one is told from the others before the full run; else the first is kept.
    """

    count: int
    pilot: float
    divergence: float
    alike: float
    seen: float


def bet_draws(file: RaceFile, draws: RaceDraws, race: Race, lab: int, bets: Bets) -> RaceDraws:
    """Put the outcome of a lab's bets into the draws of a race.

    ``race`` is the race on ``draws`` without bets: its compute says what a quarter's development is worth. A bet brings
    b_i = news_i + leap_i, or where it fails -ln(E_t / E_(t-1)), the effort E of the quarter; kept is the largest b_i where it
    is seen. What pilots take lowers effort to E_0 + m (E_t - E_0), m = 1 - pilot (count - 1), from the first quarter on.

    Raises
    ------
    ValueError
        Where the pilots take all of the compute.
    """
    left = 1 - bets.pilot * (bets.count - 1)
    if left <= 0:
        raise ValueError(f"{bets.count} bets at {bets.pilot:g} of the compute leave nothing for the run")
    first, gained = _effort(file, race, lab)
    lost = np.diff(np.log(first + gained), axis=0, prepend=np.log(first))
    brought, leapt = _brought(file, draws, lab, bets, lost, race.seed)
    number = np.where(
        _uniform("seen", race.seed, lost.shape) < bets.seen, (brought + leapt).argmax(axis=0), 0
    )
    thinner = np.log(first + left * gained) - np.log(first + gained)
    news, leap = draws.recipe_news.copy(), draws.leap.copy()
    news[:, :, lab] = np.take_along_axis(brought, number[None], axis=0)[0] + np.diff(
        thinner, axis=0, prepend=0.0
    )
    leap[:, :, lab] = np.take_along_axis(leapt, number[None], axis=0)[0]
    return replace(draws, recipe_news=news, leap=leap)


def _effort(file: RaceFile, race: Race, lab: int) -> tuple[float, np.ndarray]:
    """Effort at the start, and gained since [quarter, path]."""
    terms = file.labs[lab]
    reach = 1 / (1 - (1 + file.market.past_growth) ** (-1 / QUARTERS_PER_YEAR))
    developing = (1 - terms.policy.serve) * race.compute[:, lab].T
    developing[0] = 0.0
    return (1 - terms.policy.serve) * terms.fleet * reach, np.cumsum(developing, axis=0)


def _brought(
    file: RaceFile, draws: RaceDraws, lab: int, bets: Bets, lost: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """News and leaps of each bet, [bet, quarter, path]; a bet that fails brings the loss of the quarter and no leap."""
    market, shape = file.market, lost.shape
    step = market.private_progress / np.sqrt(QUARTERS_PER_YEAR)
    chance = -np.expm1(-market.leapfrog_chance / QUARTERS_PER_YEAR)
    same = _uniform("same", seed, shape) < bets.alike
    news, leaps = [draws.recipe_news[:, :, lab]], [draws.leap[:, :, lab]]
    for number in range(1, bets.count):
        own = step * stream(seed, "report", f"race.bets.{number}.news").standard_normal(shape)
        sizes = stream(seed, "report", f"race.bets.{number}.size").standard_normal(shape)
        comes = _uniform(f"{number}.leap", seed, shape) < chance
        leap = np.where(comes, np.log(market.leapfrog_size.at(sizes)), 0.0)
        news.append(np.sqrt(bets.alike) * news[0] + np.sqrt(1 - bets.alike) * own)
        leaps.append(np.where(same, leaps[0], leap))
    fails = np.stack(
        [_uniform(f"{number}.fails", seed, shape) < bets.divergence for number in range(bets.count)]
    )
    fails[:, 0] = False
    brought, leapt = np.where(fails, -lost, np.stack(news)), np.where(fails, 0.0, np.stack(leaps))
    brought[:, 0], leapt[:, 0] = 0.0, 0.0
    return brought, leapt


def _uniform(name: str, seed: int, shape: tuple[int, ...]) -> np.ndarray:
    return stream(seed, "report", f"race.bets.{name}").random(shape)
