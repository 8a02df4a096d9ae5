"""What designed chips inherit, what their draws say, and attention on latents as a choice of kernels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from exaplan.capability.laws import ABNAR
from exaplan.domain.calibration import Calibration, Effect, Spread
from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.calibration.coefficients import calibrated_knobs
from exaplan.perf.codesign.cells import (
    Kernels,
    Layout,
    Workload,
    designed_machine,
    drawn_serving_rates,
    serving_cells,
)
from exaplan.perf.codesign.drawing import Uncertainty, interval_of
from exaplan.perf.codesign.inherited import Relatives, fitted_spread, inherited_knobs
from exaplan.perf.codesign.joint import codesign
from exaplan.perf.codesign.shapes import Reference, with_expert_width
from exaplan.perf.codesign.silicon import Budget, Silicon, filled, knobs_of
from exaplan.perf.codesign.space import Space, Weighing, tables_of
from exaplan.perf.serving import ServeRequest
from exaplan.perf.training import TrainRequest

SPARSE, MLA = load_models()["Qwen3-30B-A3B"], load_models()["DeepSeek-V3"]
H100, TRILLIUM = (load_chips()[name] for name in ("H100-SXM", "TPU-v6e-Trillium"))
RELATIVES = Relatives(H100, TRILLIUM)
BUDGET = Budget(800.0, 800.0)
CORES = filled(Silicon("cores", 16, 1, 60e6, "hbm3e", 5, 450e9), BUDGET)
SYSTOLIC = filled(Silicon("arrays", 256, 1, 60e6, "hbm3e", 5, 450e9, domain=64, torus_axes=3), BUDGET)
WORKLOAD = Workload(
    ServeRequest(4000.0, 1000.0, tpot_s=0.05), TrainRequest(4096.0, 4e6, 256.0), 3e14, replica_chips_max=16.0
)
KERNELS = (
    Kernels("on latents", "fp8", "bf16", True),
    Kernels("expanded", "fp8", "bf16", True, absorbed=False),
)


def fit(*effects, sd=1e-6):
    """A calibration with these effects, nearly certain."""
    spreads = tuple(
        Spread(task, "all", "all", "all", 0.1, 9, "source") for task in ("throughput", "pretrain")
    )
    return Calibration("2026-11-22", "made up", effects, np.eye(len(effects)) * sd**2, spreads, ())


def space(model, kernels=KERNELS[:1], silicon=(CORES, SYSTOLIC)):
    shapes = (model, with_expert_width(model, 2 * model.expert_ffn))
    return Space(shapes, kernels, silicon, (Layout("searched"),))


# --- inheritance


def test_without_a_calibration_designed_chips_start_where_they_did():
    knobs = inherited_knobs(RELATIVES, None)
    for chip in (CORES, SYSTOLIC):
        assert knobs(chip) == knobs_of(chip)


def test_a_design_inherits_its_class_and_not_the_quirks_of_one_chip():
    quirk, common = (
        Effect("flop_share", "chip", "H100-SXM", -1.0),
        Effect("flop_share", "class", "hopper", -1.0),
    )
    start = inherited_knobs(RELATIVES, fit())(CORES).flop_share
    assert calibrated_knobs(H100, fit(quirk)).flop_share < start
    assert inherited_knobs(RELATIVES, fit(quirk))(CORES).flop_share == pytest.approx(start)
    assert inherited_knobs(RELATIVES, fit(common))(CORES).flop_share < start
    assert inherited_knobs(RELATIVES, fit(common))(SYSTOLIC).flop_share == pytest.approx(
        inherited_knobs(RELATIVES, fit())(SYSTOLIC).flop_share
    )


def test_slower_coefficients_of_one_kind_slow_that_kind_alone():
    def slower(silicon):
        base = knobs_of(silicon)
        return replace(base, serving_share=base.serving_share / 2) if silicon.systolic else base

    one, two = (tables_of(space(SPARSE), WORKLOAD, knobs).serving_rate for knobs in (knobs_of, slower))
    assert (two[:, :, 0] == one[:, :, 0]).all()
    assert (two[:, :, 1] < one[:, :, 1]).all()


# --- draws


def drawn(spread, draws=2, weight=None):
    return codesign(
        space(SPARSE),
        WORKLOAD,
        ABNAR,
        Reference(SPARSE, 10e12),
        weighing=weight or Weighing(chip=1.0),
        uncertainty=Uncertainty([ABNAR] * draws, fitted=spread),
    )


@pytest.fixture(scope="module")
def spread():
    known = fit(Effect("expert_share", "class", "hopper", 0.2))
    return fitted_spread(RELATIVES, known, np.random.default_rng(1), 400, sparse=True)


def test_factors_scatter_about_one_and_a_known_effect_scatters_less(spread):
    assert spread.serving.shape == spread.training.shape == (2, 400)
    for both in spread.factors.values():
        assert both.shape == (2, 400)
        assert (both >= 0).all()
    middles = {name: np.median(both, axis=1) for name, both in spread.factors.items()}
    for name in ("flop_share", "memory_share", "expert_share"):
        assert middles[name] == pytest.approx([1.0, 1.0], abs=0.05)
    cores, arrays = np.std(np.log(spread.factors["expert_share"]), axis=1)
    assert cores < arrays, "one class was fitted, the other keeps its prior"
    assert np.std(np.log(spread.serving), axis=1) == pytest.approx([0.1, 0.1], rel=0.15)


def still(spread, serving, training):
    ones = {name: np.ones((2, 2)) for name in spread.factors}
    return replace(spread, factors=ones, serving=np.array(serving), training=np.array(training))


def test_a_residual_that_all_chips_share_changes_no_gain(spread):
    twice = [[1.0, 2.0], [1.0, 2.0]]
    found = drawn(still(spread, twice, twice))
    assert found.draws.joint == pytest.approx([found.joint_gain] * 2)
    assert found.draws.ratio == pytest.approx([found.ratio] * 2)
    assert "covariance of the fit" in found.draws.source


def test_a_kind_that_turns_out_faster_gains_as_much(spread):
    ones, faster = [[1.0, 1.0]], [[1.0, 100.0]]
    found = drawn(still(spread, ones + faster, ones + faster))
    cost = found.grid.cost
    gain = cost[0, 0, 0, 0] / (cost[0, 0, 1, 0] / 100.0)
    assert found.draws.singles[1, 2] == pytest.approx(gain)
    assert found.draws.joint[0] == pytest.approx(found.joint_gain)


def test_draws_without_a_baseline_are_counted_and_left_out(spread):
    found = drawn(still(spread, [[1.0, 0.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]]))
    assert (found.draws.lost, found.draws.ratio.size) == (1, 1)


def test_an_endless_draw_stays_in_the_interval():
    assert interval_of(np.array([1.0, 2.0, np.inf])).high == np.inf
    assert interval_of(np.array([])) is None


# --- attention on latents


def test_decoding_on_latents_is_cheaper_than_expanding_them():
    rate = tables_of(space(MLA, KERNELS, (replace(CORES, domain=16),)), WORKLOAD, knobs_of).serving_rate
    assert (rate[:, 0] > 2 * rate[:, 1]).all()


def test_without_latents_both_kernels_share_one_search():
    found = tables_of(space(SPARSE, KERNELS), WORKLOAD, knobs_of)
    assert (found.serving_rate[:, 0] == found.serving_rate[:, 1]).all()
    assert found.serving[0, 0, 0, 0] is found.serving[0, 1, 0, 0]


def test_both_kernels_are_drawn_side_by_side_as_they_were_searched():
    machine = designed_machine(replace(CORES, domain=16), "fp8", MLA, fused=True)
    loose = replace(WORKLOAD, serve=replace(WORKLOAD.serve, tpot_s=1.0))
    cells = [
        serving_cells(MLA, machine, loose, (Layout("searched"),), absorbed=absorbed)[0]
        for absorbed in (True, False)
    ]
    bulk = drawn_serving_rates(cells, loose, [{}])[0]
    assert bulk == pytest.approx([cell.rate[0] for cell in cells], rel=1e-9)
    assert bulk[0] > bulk[1] > 0
