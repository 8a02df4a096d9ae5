"""Elementary effects of functions whose mu* and sigma are known."""

from __future__ import annotations

import numpy as np
import pytest

from exaplan.optimize.elementary_effects import elementary_effects, ranking, trajectories


def screened(function, inputs: int, count: int, seed: int = 3):
    points = trajectories(inputs, count, seed=seed)
    return ranking(elementary_effects(points, function(points)), seed=seed)


def test_every_step_moves_one_input_by_two_thirds_and_each_input_moves_once():
    points = trajectories(6, 40, seed=1)
    steps = np.diff(points, axis=1)
    assert points.shape == (40, 7, 6)
    assert points.min() >= 0.0
    assert points.max() <= 1.0
    assert np.allclose(np.sort(np.abs(steps), axis=2)[:, :, :-1], 0.0)
    assert np.allclose(np.abs(steps).sum(axis=1), 2 / 3)
    assert {-1.0, 1.0} == set(np.sign(steps[steps != 0]).tolist())


def test_of_a_linear_function_mu_star_is_the_size_of_the_slope_and_sigma_is_nothing():
    slope = np.array([3.0, -2.0, 0.0])
    found = screened(lambda x: x @ slope, 3, 8)
    assert found.mu == pytest.approx(slope, abs=1e-12)
    assert found.mu_star == pytest.approx(np.abs(slope), abs=1e-12)
    assert found.sigma == pytest.approx(np.zeros(3), abs=1e-12)
    assert (found.low, found.high) == (pytest.approx(np.abs(slope)), pytest.approx(np.abs(slope)))


def test_of_a_product_the_effect_is_the_other_input():
    # d(xy)/dx over any step is y, which lies on the grid 0, 1/3, 2/3, 1, each as likely: mean 1/2, variance 5/36
    found = screened(lambda x: x[..., 0] * x[..., 1], 2, 4000)
    assert found.mu == pytest.approx([0.5, 0.5], abs=0.03)
    assert found.mu_star == pytest.approx(found.mu)
    assert found.sigma == pytest.approx(np.full(2, np.sqrt(5 / 36)), abs=0.02)
    assert (found.low < found.mu_star).all()
    assert (found.high > found.mu_star).all()


def test_an_effect_that_turns_its_sign_has_a_mean_of_nothing_but_a_size():
    # (y - 1/2) x: the effect of x is y - 1/2, one of -1/2, -1/6, 1/6, 1/2; its mean size is 1/3
    found = screened(lambda x: (x[..., 1] - 0.5) * x[..., 0], 2, 4000)
    assert found.mu[0] == pytest.approx(0.0, abs=0.03)
    assert found.mu_star[0] == pytest.approx(1 / 3, abs=0.02)


def test_the_same_seed_gives_the_same_design_and_another_seed_another():
    assert np.array_equal(trajectories(5, 4, seed=7), trajectories(5, 4, seed=7))
    assert not np.array_equal(trajectories(5, 4, seed=7), trajectories(5, 4, seed=8))


def test_one_trajectory_has_no_spread():
    assert screened(lambda x: x[..., 0], 1, 1).sigma.tolist() == [0.0]


@pytest.mark.parametrize(("inputs", "count"), [(0, 3), (3, 0)])
def test_an_empty_design_is_refused(inputs, count):
    with pytest.raises(ValueError, match="at least one"):
        trajectories(inputs, count, seed=1)
