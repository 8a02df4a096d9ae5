"""Drawn coefficients: centered on the fit, shared where chips share effects, equal for equal seeds."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from exaplan.domain.calibration import Calibration, Effect, Spread
from exaplan.io.catalogue import load_chips
from exaplan.perf.calibration.coefficients import calibrated_knobs
from exaplan.perf.calibration.draws import drawn_knobs, drawn_residuals, one_draw
from exaplan.perf.calibration.hierarchy import RULES
from exaplan.perf.knobs import Knobs

CHIPS = load_chips()
H100, H200, V5P = (CHIPS[name] for name in ("H100-SXM", "H200-SXM", "TPU-v5p"))
KEY = ("memory_share", "class", "hopper")
SURE = Calibration(
    "2026-01-01",
    "by hand",
    (Effect(*KEY, 0.5),),
    np.array([[1e-12]]),
    (
        Spread("throughput", "moe", "all", "all", 0.2, 9),
        Spread("throughput", "moe", "class", "tpu", 0.4, 9),
    ),
)


def seeded():
    return np.random.default_rng(7)


def test_draws_lie_around_the_fitted_coefficient():
    drawn = drawn_knobs([H100], SURE, seeded(), 4000)[0]
    fitted = calibrated_knobs(H100, SURE)
    for name in RULES:
        middle = np.median(np.asarray(getattr(drawn, name)))
        rule = RULES[name]
        assert middle == pytest.approx(float(getattr(fitted, name)), abs=0.03 * (rule.high - rule.low))


def test_draws_stay_between_the_bounds():
    for knobs in drawn_knobs([H100, V5P], None, seeded(), 500):
        for name, rule in RULES.items():
            values = np.asarray(getattr(knobs, name))
            assert (values >= rule.low).all()
            assert (values <= rule.high).all()


def test_chips_err_together_as_far_as_they_share_effects():
    near, twin, far = drawn_knobs([H100, H200, V5P], None, seeded(), 3000)
    shared = np.corrcoef(near.flop_share, twin.flop_share)[0, 1]
    apart = np.corrcoef(near.flop_share, far.flop_share)[0, 1]
    assert shared > 0.5
    assert abs(apart) < 0.1
    # an effect of all chips moves every one alike
    assert np.corrcoef(near.bubble, far.bubble)[0, 1] == pytest.approx(1.0)


def test_equal_seeds_give_equal_draws_and_one_draw_is_plain_numbers():
    one, other = (drawn_knobs([H100], SURE, seeded(), 10)[0] for _ in range(2))
    for field in fields(Knobs):
        assert (getattr(one, field.name) == getattr(other, field.name)).all()
    third = one_draw(one, 3)
    assert third.flop_share == one.flop_share[3]
    assert isinstance(third.flop_share, float)


def test_a_surer_fit_spreads_less():
    wide = drawn_knobs([H100], None, seeded(), 2000)[0]
    narrow = drawn_knobs([H100], SURE, seeded(), 2000)[0]
    assert np.std(narrow.memory_share) < np.std(wide.memory_share)


def test_residuals_are_shared_inside_a_class_and_have_its_spread():
    factors = drawn_residuals([H100, H200, V5P], SURE, seeded(), 20_000, task="throughput", family="moe")
    assert (factors[0] == factors[1]).all()
    assert np.std(np.log(factors[0])) == pytest.approx(0.2, rel=0.05)
    assert np.std(np.log(factors[2])) == pytest.approx(0.4, rel=0.05)
    assert abs(np.corrcoef(factors[0], factors[2])[0, 1]) < 0.05
