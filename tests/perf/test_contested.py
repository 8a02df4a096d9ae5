"""The contest counted again: at the starting coefficients it is the contest itself; draws move it as told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from exaplan.capability.laws import ABNAR
from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.calibration.draws import drawn_knobs
from exaplan.perf.codesign.cells import Workload
from exaplan.perf.codesign.contested import Draws, contested
from exaplan.perf.codesign.sparsity import Sweep, sparse_versus_dense
from exaplan.perf.knobs import knobs_for
from exaplan.perf.serving import ServeRequest
from exaplan.perf.training import TrainRequest

MODEL = load_models()["Qwen3-30B-A3B"]
CHIPS = [load_chips()[name] for name in ("H100-SXM", "TPU-v6e-Trillium")]
WORKLOAD = Workload(
    ServeRequest(4000.0, 1000.0, tpot_s=0.05), TrainRequest(4096.0, 4e6, 256.0), 1e15, replica_chips_max=16.0
)
SWEEP = Sweep(widths=(384, 768), batches=(8.0, 64.0), domains=(8, 64))
PLAIN = sparse_versus_dense(CHIPS, MODEL, WORKLOAD, ABNAR, reference_tokens=10e12, sweep=SWEEP)
NOTHING = Draws((), {}, {}, ())


def again(knobs, draws=NOTHING):
    return contested(
        CHIPS, MODEL, WORKLOAD, ABNAR, knobs=knobs, plain=PLAIN, reference_tokens=10e12, draws=draws
    )


def test_at_the_starting_coefficients_it_is_the_contest_itself():
    found = again([knobs_for(chip) for chip in CHIPS]).contest
    np.testing.assert_allclose(found.sparse, PLAIN.sparse)
    np.testing.assert_allclose(found.dense, PLAIN.dense)


def test_slower_experts_make_sparse_dearer_and_leave_dense_alone():
    slower = [replace(knobs_for(chip), expert_share=0.3) for chip in CHIPS]
    found = again(slower).contest
    assert (found.sparse >= PLAIN.sparse).all()
    assert (found.sparse > PLAIN.sparse).any()
    np.testing.assert_allclose(found.dense, PLAIN.dense)


def test_a_residual_of_two_halves_what_it_belongs_to():
    ones = {"dense": np.ones((2, 1)), "moe": np.ones((2, 1))}
    double = {"dense": np.ones((2, 1)), "moe": np.full((2, 1), 2.0)}
    knobs = [knobs_for(chip) for chip in CHIPS]
    still = drawn_knobs(CHIPS, None, np.random.default_rng(1), 1)
    plain = again(knobs, Draws(still, ones, ones, [ABNAR]))
    halved = again(knobs, Draws(still, double, double, [ABNAR]))
    np.testing.assert_allclose(halved.sparse, plain.sparse / 2)
    np.testing.assert_allclose(halved.dense, plain.dense)
    assert plain.drawn(0).ratio.shape == PLAIN.ratio.shape


def test_draws_do_not_move_the_point_estimate():
    knobs = [knobs_for(chip) for chip in CHIPS]
    ones = {"dense": np.ones((2, 3)), "moe": np.ones((2, 3))}
    drawn = Draws(drawn_knobs(CHIPS, None, np.random.default_rng(1), 3), ones, ones, [ABNAR] * 3)
    found = again(knobs, drawn)
    np.testing.assert_allclose(found.contest.ratio, PLAIN.ratio)
    assert found.sparse.shape == (3, *PLAIN.sparse.shape)
    assert np.log(found.sparse[0] / found.sparse[1]).std() >= 0
    assert found.sparse[0].mean() != pytest.approx(found.sparse[1].mean(), rel=1e-6)
