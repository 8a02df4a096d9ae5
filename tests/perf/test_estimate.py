"""Surveys: intervals from a calibration or a prior, sources, frontiers, loops."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from exaplan.domain.calibration import Calibration, Effect, Spread
from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.calibration.interval import CENTRAL_80
from exaplan.perf.estimate import FITTED, PRIOR, pareto_survey, request_of, survey
from exaplan.perf.machine import machine_of
from exaplan.perf.opened import SOURCE, serving_flop_per_token, trained_flop_per_token
from exaplan.perf.rl_survey import LoopRequest, rl_survey
from exaplan.perf.search import search_serving
from exaplan.perf.spread import prior_log_sd

CHIP, MODEL = load_chips()["H100-SXM"], load_models()["Qwen3-8B"]
SERVE = request_of("serve", input_tokens=1000, output_tokens=500, tpot_s=0.05)
JOB = request_of("train", sequence_tokens=4096, batch_tokens=1e6, cluster_chips=64)
LOOP = LoopRequest(prompts=64, group=8, input_tokens=500, mean_tokens=2000, sd_tokens=1500, chips=32)


def fit(*effects, sd=0.2, tasks=("pretrain", "throughput"), logit_sd=0.1):
    """A calibration with the given effects, uncorrelated, and one spread for each task."""
    spreads = tuple(Spread(task, "all", "all", "all", sd, 10) for task in tasks)
    return Calibration(
        "2026-01-02", "a few rows", tuple(effects), np.eye(len(effects)) * logit_sd**2, spreads
    )


def best(request, **options):
    return survey(MODEL, CHIP, request, top=1, **options).estimates[0]


@pytest.mark.parametrize("request_", [SERVE, JOB], ids=["serve", "train"])
def test_without_a_calibration_the_interval_is_the_prior_and_says_so(request_):
    row = best(request_)
    assert row.log_sd == prior_log_sd(CHIP, MODEL, serving=request_ is SERVE)
    assert row.spread == PRIOR
    assert all(derivation.source == SOURCE for derivation in row.derivations)


@pytest.mark.parametrize("request_", [SERVE, JOB], ids=["serve", "train"])
def test_a_calibrated_interval_holds_eighty_percent_of_a_log_normal(request_):
    row = best(request_, calibration=fit())
    rate = row.tokens_per_s_per_chip
    assert row.spread == FITTED
    assert math.log(row.high_tokens_per_s_per_chip / rate) == pytest.approx(CENTRAL_80 * row.log_sd)
    assert math.log(rate / row.low_tokens_per_s_per_chip) == pytest.approx(CENTRAL_80 * row.log_sd)


def test_coefficients_and_what_they_leave_add_in_squares():
    tight, wide = (best(SERVE, calibration=fit(sd=sd)).log_sd for sd in (0.1, 0.4))
    assert wide**2 - tight**2 == pytest.approx(0.4**2 - 0.1**2)
    assert tight > 0.1, "coefficients are never known exactly"


def test_a_coefficient_that_was_measured_narrows_the_interval():
    known = Effect("flop_share_fp8", "class", "hopper", 0.0), Effect("memory_share", "class", "hopper", 0.0)
    assert best(SERVE, calibration=fit(*known, logit_sd=0.01)).log_sd < best(SERVE, calibration=fit()).log_sd


def test_a_fitted_effect_moves_the_rate_and_the_source_names_the_fit():
    faster = fit(Effect("flop_share", "class", "hopper", 0.5))
    row = best(JOB, calibration=faster)
    assert row.tokens_per_s_per_chip > best(JOB, calibration=fit()).tokens_per_s_per_chip
    assert "calibrated 2026-01-02 on a few rows" in row.derivations[0].source


def test_the_effect_of_an_engine_counts_where_the_engine_is_named():
    slow = fit(Effect("step_overhead_s", "engine", "vllm", 3.0))
    plain, named = best(SERVE, calibration=slow), best(SERVE, calibration=slow, engine="vllm")
    assert named.tokens_per_s_per_chip < plain.tokens_per_s_per_chip


def test_a_fit_that_never_saw_serving_leaves_the_prior():
    row = best(SERVE, calibration=fit(tasks=("pretrain",)))
    assert (row.log_sd, row.spread) == (prior_log_sd(CHIP, MODEL, serving=True), PRIOR)


def test_the_frontier_is_that_of_every_pair_compared():
    machine = machine_of(CHIP, "fp8")
    found = search_serving(MODEL, machine, SERVE, 8)
    rate = found.result.tokens_per_s_per_chip[found.order]
    tpot = found.result.tpot_s[found.order]
    beaten = (rate[None] >= rate[:, None]) & (tpot[None] <= tpot[:, None])
    beaten &= (rate[None] > rate[:, None]) | (tpot[None] < tpot[:, None])
    alone = ~beaten.any(axis=1)
    rows = pareto_survey(MODEL, CHIP, SERVE, precision="fp8", chips_max=8).estimates
    assert {(row.tpot_s, row.tokens_per_s_per_chip) for row in rows} == set(
        zip(tpot[alone].tolist(), rate[alone].tolist(), strict=True)
    )


def test_cached_prompts_cost_their_attention_and_nothing_else():
    whole = serving_flop_per_token(MODEL, SERVE)
    half = serving_flop_per_token(MODEL, replace(SERVE, prefix_share=0.5))
    tokens = (1000 * 0.5 + 500) / 1500
    assert tokens * whole * 0.99 < half < tokens * whole * 1.05


def test_frozen_weights_save_the_weight_gradient():
    frozen = trained_flop_per_token(MODEL, replace(JOB, trainable_share=0.0))
    assert 2 / 3 < frozen / trained_flop_per_token(MODEL, JOB) < 0.72


def test_rollouts_that_wait_for_each_other_are_slower():
    waits = rl_survey(MODEL, CHIP, LOOP)
    free = rl_survey(MODEL, CHIP, replace(LOOP, waits=False))
    assert free.slot_share == 1.0
    assert waits.slot_share < 1.0
    assert float(waits.together.iteration_s) > float(free.together.iteration_s)


def test_a_switch_costs_the_colocated_loop_its_time_and_the_other_nothing():
    plain, slow = rl_survey(MODEL, CHIP, LOOP), rl_survey(MODEL, CHIP, replace(LOOP, switch_s=30.0))
    assert float(slow.together.iteration_s) == pytest.approx(float(plain.together.iteration_s) + 30.0)
    assert float(slow.split.iteration_s) == pytest.approx(float(plain.split.iteration_s))


def test_a_loop_that_does_not_fit_says_which_side():
    found = rl_survey(load_models()["DeepSeek-V3"], CHIP, replace(LOOP, chips=4))
    assert found.together is None
    assert found.reason.startswith(("rollouts: memory", "learner: memory"))
