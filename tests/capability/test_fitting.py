"""Fits tell how sure they are: simulated coverage, limits, and the ridge of a Chinchilla-type fit."""

from __future__ import annotations

import numpy as np
import pytest

from exaplan.capability.fitting import fit_chinchilla, fit_correlation, isoflop_design, least_squares
from exaplan.capability.laws import BESIROGLU
from exaplan.capability.optimum import chinchilla_optimum
from exaplan.capability.rl import Sigmoid, fit_sigmoid, stops_paying

TRUE = np.array([1.8172, np.log(482.01), 0.3478, np.log(2085.43), 0.3658])


def noisy_losses(generator, noise):
    size, tokens = isoflop_design()
    return (
        size,
        tokens,
        BESIROGLU.loss(size, size, tokens) * np.exp(noise * generator.standard_normal(size.size)),
    )


def test_least_squares_on_a_line_is_the_textbook_answer():
    x = np.array([0.0, 1.0, 2.0, 3.0])
    y = np.array([1.0, 2.9, 5.1, 7.0])
    fit = least_squares(lambda at: at[0] + at[1] * x - y, np.array([0.0, 1.0]))
    slope, intercept = np.polyfit(x, y, 1)
    assert fit.parameters == pytest.approx([intercept, slope], rel=1e-6)
    spread = np.sum((intercept + slope * x - y) ** 2) / 2
    assert fit.covariance[1, 1] == pytest.approx(spread / np.sum((x - x.mean()) ** 2), rel=1e-5)


def test_points_that_do_not_tell_parameters_apart_are_refused():
    x = np.array([1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="apart"):
        least_squares(lambda at: at[0] + at[1] * x - 2.0, np.array([1.0, 1.0]))
    with pytest.raises(ValueError, match="at least 2"):
        least_squares(lambda at: at[:1] - 1.0, np.array([1.0, 1.0]))


def test_without_noise_the_fit_returns_the_law_and_no_doubt():
    size, tokens, losses = noisy_losses(np.random.default_rng(0), 0.0)
    law, fit = fit_chinchilla(size, tokens, losses)
    assert fit.parameters == pytest.approx(TRUE, rel=1e-3)
    assert float(chinchilla_optimum(law, 5.76e23).active) / 1e9 == pytest.approx(72.2, rel=0.01)
    assert fit.residual_sd < 1e-6


def test_errors_shrink_with_the_noise():
    errors = []
    for noise in (0.02, 0.002):
        _, fit = fit_chinchilla(*noisy_losses(np.random.default_rng(3), noise))
        errors.append(np.sqrt(np.diag(fit.covariance)))
    assert errors[0] / errors[1] == pytest.approx(np.full(5, 10.0), rel=0.35)


def test_the_interval_of_every_coefficient_covers_the_truth_as_often_as_it_says():
    """200 simulated sets of 226 runs: 95 % intervals cover 91 to 98 %."""
    generator = np.random.default_rng(11)
    inside = np.zeros(5)
    repeats = 200
    for _ in range(repeats):
        _, fit = fit_chinchilla(*noisy_losses(generator, 0.01))
        inside += np.abs(fit.parameters - TRUE) <= 1.96 * np.sqrt(np.diag(fit.covariance))
    assert ((inside / repeats >= 0.91) & (inside / repeats <= 0.985)).all(), inside / repeats


def test_the_shipped_ridge_is_that_of_isoflop_runs():
    found = fit_correlation(BESIROGLU, *isoflop_design())
    assert found == pytest.approx(np.array(BESIROGLU.correlation), abs=2e-3)
    assert found[1, 2] > 0.998
    assert found[3, 4] > 0.998


def test_draws_agree_where_runs_were_made_and_part_away_from_them():
    """The ridge: coefficients are off by a quarter or more, the loss of a run of 1e9 parameters and 2e10 tokens by 3 %."""
    drawn = BESIROGLU.drawn(np.random.default_rng(5), 4000)
    assert np.std(np.log(drawn.data)) > 0.5
    near = drawn.loss(1e9, 1e9, 2e10)
    assert np.std(near) / np.mean(near) < 0.03
    apart = np.std(drawn.size / 1e9**drawn.size_exponent) / np.mean(drawn.size / 1e9**drawn.size_exponent)
    alone = BESIROGLU.size_exponent + 0.015 * np.random.default_rng(6).standard_normal(4000)
    blurred = np.std(482.01 / 1e9**alone) / np.mean(482.01 / 1e9**alone)
    assert apart < blurred / 3


def test_the_interval_of_the_optimal_size_holds_both_the_point_and_chinchilla():
    drawn = chinchilla_optimum(BESIROGLU.drawn(np.random.default_rng(7), 4000), 5.76e23)
    low, middle, high = np.percentile(drawn.active / 1e9, [2.5, 50, 97.5])
    assert low < 70 < high
    assert middle == pytest.approx(72.2, rel=0.03)
    assert 1.2 < high / low < 2.5


CURVE = Sigmoid(0.2, 0.61, 1.3, 3e22)


def test_the_curve_at_its_published_points():
    """ScaleRL's form: half of the gain at C_mid, the ceiling of 0.61 at endless compute, the start at none."""
    assert float(CURVE.reward(3e22)) == pytest.approx(0.405)
    assert float(CURVE.reward(1e30)) == pytest.approx(0.61, abs=1e-6)
    assert float(CURVE.reward(1e10)) == pytest.approx(0.2, abs=1e-6)
    assert float(CURVE.compute_for(CURVE.reward(7e22))) == pytest.approx(7e22, rel=1e-6)
    assert np.isinf(CURVE.compute_for(0.62))


def test_the_slope_is_the_derivative():
    step = 1e18
    numeric = (CURVE.reward(5e22 + step) - CURVE.reward(5e22 - step)) / (2 * step)
    assert float(CURVE.slope(5e22)) == pytest.approx(float(numeric), rel=1e-4)


def test_more_stops_paying_where_the_last_unit_brings_its_price():
    value, price = 1e9, 1e-18
    stop = float(stops_paying(CURVE, value, price))
    assert value * float(CURVE.slope(stop)) == pytest.approx(price, rel=0.02)
    assert float(stops_paying(CURVE, value, 4 * price)) < stop < float(stops_paying(CURVE, 4 * value, price))


def test_worthless_rewards_pay_for_nothing_and_what_is_spent_is_spent():
    assert float(stops_paying(CURVE, 1e-3, 1.0)) == 0.0
    assert float(stops_paying(CURVE, 1e-3, 1.0, spent=5e21)) == 5e21


def test_the_interval_of_the_ceiling_covers_the_truth_as_often_as_it_says():
    generator = np.random.default_rng(2)
    compute = np.geomspace(1e21, 5e23, 24)
    inside = 0
    for _ in range(200):
        seen = CURVE.reward(compute) + 0.01 * generator.standard_normal(compute.size)
        fitted = fit_sigmoid(compute, seen, sd=np.full(compute.size, 0.01), start=0.2)
        inside += abs(fitted.fit.parameters[-3] - 0.61) <= 1.96 * np.sqrt(fitted.fit.covariance[-3, -3])
    assert 0.91 <= inside / 200 <= 0.985


def test_points_below_the_knee_leave_the_ceiling_open():
    """Early points fix neither ceiling nor midpoint: the fit says so by a wide interval."""
    generator = np.random.default_rng(4)
    compute = np.geomspace(1e20, 3e21, 12)
    seen = CURVE.reward(compute) + 0.003 * generator.standard_normal(compute.size)
    late = np.geomspace(1e21, 5e23, 12)
    grown = CURVE.reward(late) + 0.003 * generator.standard_normal(late.size)
    early, full = (
        fit_sigmoid(c, r, start=0.2).fit.covariance[-3, -3] ** 0.5
        for c, r in ((compute, seen), (late, grown))
    )
    assert early > 10 * full
