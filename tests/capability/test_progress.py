"""Recipes get better at an uncertain pace, wrong laws cost, and targets turn into sizes."""

from __future__ import annotations

import numpy as np
import pytest

from exaplan.capability.laws import ABNAR, BESIROGLU, HOFFMANN, LLAMA3, SARDANA
from exaplan.capability.optimum import chinchilla_optimum
from exaplan.capability.progress import Frontier, Progress
from exaplan.capability.target import Target, needed
from exaplan.capability.wrong_law import regret

FRONTIER = Frontier(5e26, 4.6)


def test_doubling_times_have_the_published_interval():
    """8.4 months, 95 % of 4.5 to 14.3 (arXiv 2403.05812); a lognormal of that width around 8.4 is 4.7 to 15.0."""
    drawn = Progress().doubling_months(np.random.default_rng(1), 40_000)
    low, middle, high = np.percentile(drawn, [2.5, 50, 97.5])
    assert middle == pytest.approx(8.4, rel=0.02)
    assert low == pytest.approx(4.5, rel=0.08)
    assert high == pytest.approx(14.3, rel=0.08)


def test_paths_of_progress_have_the_median_of_the_trend_and_the_spread_of_both_sources():
    progress, months = Progress(), np.array([6.0, 12.0, 36.0])
    paths = np.log2(progress.drawn(np.random.default_rng(2), months, 40_000))
    assert np.median(paths, axis=0) == pytest.approx(months / 8.4, rel=0.03)
    trend = np.std(months[None] / progress.doubling_months(np.random.default_rng(3), 40_000)[:, None], axis=0)
    expected = np.sqrt(trend**2 + progress.unevenness**2 * months / 12)
    assert np.std(paths, axis=0) == pytest.approx(expected, rel=0.03)


def test_even_progress_of_known_pace_is_certain():
    sure = Progress(log_sd=0.0, unevenness=0.0)
    assert sure.drawn(np.random.default_rng(0), np.array([8.4, 16.8]), 3) == pytest.approx(
        np.array([[2.0, 4.0]] * 3)
    )


def test_months_ahead_and_effective_flop_undo_each_other():
    assert float(FRONTIER.months_of(FRONTIER.ahead(7.0))) == pytest.approx(7.0)
    assert float(FRONTIER.ahead(0.0)) == 5e26
    yearly = 4.6 * 2 ** (12 / 8.4)
    assert float(FRONTIER.ahead(12.0)) == pytest.approx(5e26 * yearly)


def test_a_target_in_flop_is_the_optimum_of_that_budget():
    found = needed(Target("flop", 5.76e23), BESIROGLU, frontier=FRONTIER)
    assert float(found.active) / 1e9 == pytest.approx(72.2, rel=0.002)
    assert float(found.training_flop) == pytest.approx(5.76e23, rel=1e-6)


def test_better_recipes_divide_the_flop_and_leave_the_loss():
    now = needed(Target("loss", 1.95), BESIROGLU, frontier=FRONTIER)
    later = needed(Target("loss", 1.95), BESIROGLU, frontier=FRONTIER, gain=4.0)
    assert float(now.training_flop / later.training_flop) == pytest.approx(4.0, rel=1e-6)
    assert float(later.loss) == pytest.approx(1.95, rel=1e-6)


def test_a_target_in_parameters_is_compute_optimal_at_that_size():
    found = needed(Target("parameters", 619e9), BESIROGLU, frontier=FRONTIER)
    assert float(found.training_flop) == pytest.approx(3.8e25, rel=0.01)
    given = needed(Target("parameters", 1e14, 20.0), ABNAR, frontier=FRONTIER, expansion=20.0)
    assert float(given.tokens) == pytest.approx(20 * 5e12)
    assert float(given.total) == 1e14


def test_a_loss_below_the_floor_is_out_of_reach_not_an_error():
    found = needed(Target("loss", 1.7), BESIROGLU, frontier=FRONTIER)
    assert np.isinf(found.training_flop)


def test_serving_makes_the_model_of_a_target_smaller():
    alone = needed(Target("flop", 1e25), BESIROGLU, frontier=FRONTIER)
    served = needed(Target("flop", 1e25), BESIROGLU, frontier=FRONTIER, served=1e14)
    assert float(served.active) < float(alone.active)
    assert float(served.loss) == pytest.approx(float(alone.loss), rel=1e-6)


def test_planning_by_the_true_law_wastes_nothing():
    found = regret(BESIROGLU, BESIROGLU, np.array([1e22, 1e26]))
    assert found.wasted_share == pytest.approx([0.0, 0.0], abs=1e-6)
    assert found.excess_loss == pytest.approx([0.0, 0.0], abs=1e-9)


@pytest.mark.parametrize("planner", [HOFFMANN, SARDANA, LLAMA3])
def test_planning_by_a_wrong_law_wastes_compute_and_the_waste_is_consistent(planner):
    found = regret(planner, BESIROGLU, 3.8e25)
    assert float(found.excess_loss) > 0
    assert 0 < float(found.wasted_share) < 1
    enough = chinchilla_optimum(BESIROGLU, float(found.enough_flop))
    assert float(enough.loss) == pytest.approx(float(found.planned.loss), rel=1e-9)
    assert float(found.months(8.4)) == pytest.approx(-8.4 * np.log2(1 - float(found.wasted_share)), rel=1e-6)


def test_chinchillas_first_fit_wastes_a_fifth_of_a_frontier_budget_if_the_refit_is_right():
    """At 3.8e25 FLOP it asks for 273 B parameters instead of 619 B; by hand with both laws' closed forms."""
    active = float(chinchilla_optimum(HOFFMANN, 3.8e25).active)
    loss = 1.8172 + 482.01 / active**0.3478 + 2085.43 / (3.8e25 / 6 / active) ** 0.3658
    found = regret(HOFFMANN, BESIROGLU, 3.8e25)
    assert float(found.planned.loss) == pytest.approx(loss, rel=1e-6)
    assert float(found.wasted_share) == pytest.approx(0.21, abs=0.01)
