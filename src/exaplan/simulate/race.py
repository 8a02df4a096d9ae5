"""A race of labs: the loop over quarters. What a quarter does stands in :mod:`exaplan.simulate.race_step`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exaplan.domain.errors import InputError, Problem
from exaplan.domain.race import RaceFile
from exaplan.domain.race_result import Race
from exaplan.simulate.race_draws import RaceDraws, draw_race
from exaplan.simulate.race_step import (
    State,
    Terms,
    deliver,
    earn,
    learn,
    opening,
    order,
    prices,
    settle,
    terms_of,
)

PAST_QUARTERS = 16
"""Quarters of the past that lags may reach back."""
_KEPT = ("compute", "capability", "revenue_usd", "demand_usd", "cash_usd", "stock", "ruined", "binding")


def run_race(
    file: RaceFile,
    *,
    paths: int,
    seed: int,
    forced: Sequence[str] = (),
    relaxed: np.ndarray | None = None,
    draws: RaceDraws | None = None,
) -> Race:
    """Simulate a race on ``paths`` futures, vectorised over paths and labs.

    ``forced`` names shocks that come for certain. ``relaxed`` [cause, lab] is infinite where a cause of ``CAUSES`` is taken
    away from a lab, else 0. ``draws`` re-uses the futures of another run of the same file.

    Raises
    ------
    InputError
        No paths, or a forced shock that the file does not have.
    """
    _check(file, paths, forced)
    draws = draw_race(file, paths=paths, seed=seed, forced=forced) if draws is None else draws
    terms = terms_of(file, relaxed)
    state = opening(file, terms, draws)
    kept: dict[str, list[np.ndarray]] = {name: [] for name in _KEPT}
    recipes: list[np.ndarray] = []
    demand = state.revenue
    for quarter in range(file.horizon.quarters):
        if quarter > 0:
            deliver(state, quarter, file, draws)
            learn(state, quarter, file, draws, recipes, terms)
            demand = earn(state, quarter, file, draws, terms)
            settle(state, quarter, draws, terms)
        recipes.append(state.recipe)
        levels = (
            state.live,
            state.level,
            state.revenue,
            demand,
            state.cash,
            state.stock,
            state.ruined.copy(),
        )
        for name, values in zip(_KEPT, (*levels, order(state, quarter, file, draws, terms)), strict=True):
            kept[name].append(values)
    return _race(file, draws, terms, state, seed=seed, forced=forced, kept=kept)


def _check(file: RaceFile, paths: int, forced: Sequence[str]) -> None:
    if paths < 1:
        raise InputError(Problem(f"{paths} paths cannot be simulated", suggestion="ask for at least one"))
    known = [shock.id for shock in file.shocks]
    unknown = [name for name in forced if name not in known]
    if unknown:
        listed = f"the file has: {', '.join(known)}" if known else "the file has no shocks"
        raise InputError(
            *(Problem(f"{name!r} is no shock of this race", suggestion=listed) for name in unknown)
        )


def _race(
    file: RaceFile,
    draws: RaceDraws,
    terms: Terms,
    state: State,
    *,
    seed: int,
    forced: Sequence[str],
    kept: dict[str, list[np.ndarray]],
) -> Race:
    """Label what was kept quarter by quarter."""
    past_months = -3.0 * np.arange(PAST_QUARTERS, 0, -1)
    past = (1 + file.market.past_growth) ** (past_months / 12)
    recipes_past = (1 + file.market.progress.median) ** (past_months / 12)
    price = np.stack([prices(quarter, file, draws)[0] for quarter in range(file.horizon.quarters)], axis=-1)
    unit_cost = draws.cost[: len(draws.tokens)] / draws.cost[0] / draws.tokens
    return Race(
        race=file.race,
        labs=tuple(lab.id for lab in file.labs),
        quarters=tuple(str(file.horizon.first + quarter) for quarter in range(file.horizon.quarters)),
        seed=seed,
        forced=tuple(forced),
        **{name: np.stack(values, axis=-1) for name, values in kept.items()},
        leapt=np.moveaxis(draws.leap != 0, 0, -1),
        price=price,
        cost=unit_cost.T,
        delivered=state.delivered,
        retired=state.retired,
        returned=state.returned,
        past_months=past_months,
        past_compute=terms.fleet[:, None] * past,
        past_capability=terms.capability[:, None] * past * recipes_past,
        struck=draws.struck,
    )
