"""Parallel bets in a race: one sure bet changes nothing, more of them cost compute and bring the best recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exaplan.io.racefile import read_race
from exaplan.simulate.race import run_race
from exaplan.simulate.race_bets import Bets, bet_draws
from exaplan.simulate.race_draws import draw_race

FILE = read_race(Path(__file__).parents[2] / "examples" / "race-2026.yaml")
DRAWS = draw_race(FILE, paths=64, seed=3)
RACE = run_race(FILE, paths=64, seed=3, draws=DRAWS)
LAB = 2


def capability(**terms: float) -> np.ndarray:
    bets = Bets(**{"count": 1, "pilot": 0.0, "divergence": 0.0, "alike": 0.0, "seen": 1.0, **terms})
    draws = bet_draws(FILE, DRAWS, RACE, LAB, bets)
    return run_race(FILE, paths=64, seed=3, draws=draws).capability[:, LAB]


def test_one_bet_that_cannot_fail_is_the_race_as_it_was():
    assert capability() == pytest.approx(RACE.capability[:, LAB], rel=1e-12)


def test_bets_that_are_free_and_seen_never_hurt():
    assert np.all(capability(count=4) >= RACE.capability[:, LAB] * (1 - 1e-12))
    assert capability(count=4)[:, -1].mean() > 1.1 * RACE.capability[:, LAB, -1].mean()


def test_bets_that_nobody_tells_apart_only_cost_their_pilots():
    blind = capability(count=3, pilot=0.2, seen=0.0)
    assert np.all(blind[:, 1:] < RACE.capability[:, LAB, 1:])


def test_a_bet_that_always_fails_adds_no_development():
    stuck = capability(divergence=1.0)
    progress = np.exp(DRAWS.progress).T
    # Diffusion can only lift it: what it does itself stays at the first quarter's effort.
    spread = FILE.model_copy(update={"market": FILE.market.model_copy(update={"diffusion": 0.0})})
    draws = draw_race(spread, paths=64, seed=3)
    race = run_race(spread, paths=64, seed=3, draws=draws)
    alone = run_race(
        spread, paths=64, seed=3, draws=bet_draws(spread, draws, race, LAB, Bets(1, 0.0, 1.0, 0.0, 1.0))
    )
    level = alone.capability[:, LAB] / progress
    early = slice(
        0, 2
    )  # later its revenue, and with it its compute, falls behind that of the race without failures
    assert level[:, early] == pytest.approx(np.broadcast_to(level[:, :1], level[:, early].shape), rel=1e-9)
    assert np.all(stuck[:, 1:] < RACE.capability[:, LAB, 1:])


def test_pilots_cannot_take_everything():
    with pytest.raises(ValueError, match="leave nothing"):
        capability(count=6, pilot=0.2)
