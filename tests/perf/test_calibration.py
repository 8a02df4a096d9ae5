"""The fit finds what the engine itself was given, says how sure it is, and never reads what it must not."""

from dataclasses import replace

import numpy as np
import pytest

from exaplan.domain.errors import InputError
from exaplan.domain.measured import Measurements, ServingRow, TrainingRow
from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.calibration.calibrate import calibrate
from exaplan.perf.calibration.coefficients import calibrated_knobs, rate_log_sd
from exaplan.perf.calibration.fit import NOISE_SD, fit, predict, row_weights, sample_of, slopes
from exaplan.perf.calibration.hierarchy import (
    RULES,
    design,
    from_logit,
    keys_of,
    labels_of,
    prior_sds,
    to_logit,
)
from exaplan.perf.calibration.interval import CENTRAL_80, coefficient_variance, fit_spreads, spread_of
from exaplan.perf.calibration.validate import cross_validate, predictions
from exaplan.perf.knobs import KNOBS, knobs_for
from exaplan.perf.machine import machine_of
from exaplan.perf.training import TrainMesh, TrainRequest, train_step

CHIPS, MODELS = load_chips(), load_models()
NAMES = ("Meta-Llama-3.1-8B", "Mixtral-8x7B-v0.1")
KINDS = ("A100-80-SXM", "H100-SXM", "TPU-v5p")


def trained(number, rng):
    tp, pp = float(rng.choice([1, 2, 4, 8])), float(rng.choice([1, 2, 4]))
    model = MODELS[NAMES[number % len(NAMES)]]
    dp = float(rng.choice([4, 16]))
    return TrainingRow(
        id=f"t{number}", source=f"s{number // 2 % 2}", date="2025-01", group=f"g{number}", sweep=f"w{number % 3}",
        chip=CHIPS[KINDS[number % 3]], model=model, task="pretrain", stack="megatron",
        chips=tp * pp * dp, sequence_tokens=4096.0, batch_sequences=float(rng.choice([2, 8])) * dp,
        precision="bf16", micro_batch=1.0, tp=tp, pp=pp, dp=dp, ep=8.0 if model.experts and tp * dp >= 8 else 1.0,
        cp=1.0, interleave=1.0, recompute="full", zero=1, shard_group=None, measured=1.0, schedule=None,
    )  # fmt: skip


def served(number, rng):
    return ServingRow(
        id=f"v{number}", source=f"s{number // 2 % 2}", date="2025-01", group=f"g{number}", sweep=f"w{number % 3}",
        chip=CHIPS["H100-SXM"], model=MODELS[NAMES[number % len(NAMES)]], engine=("vllm", "trtllm")[number % 2],
        engine_version="", mode="closed_loop", scenario="", phase="mixed", precision="fp8", weights="fp8",
        cache=None, chips=8.0, tp=8.0, pp=1.0, ep=1.0, dp=1.0, expert_tp=None,
        concurrency=float(rng.choice([1, 8, 64, 256])), input_tokens=float(rng.choice([200, 1000, 8000])),
        output_tokens=float(rng.choice([100, 1000])), ttft_limit_s=None, tpot_limit_s=None,
        metric="tpot_s", measured=1.0,
    )  # fmt: skip


def with_values(measured, values):
    rows = [
        replace(row, measured=float(value))
        for row, value in zip((*measured.training, *measured.serving), values, strict=True)
    ]
    cut = len(measured.training)
    return Measurements(tuple(rows[:cut]), tuple(rows[cut:]))


def world(seed, noise, rows=40):
    """Rows whose values are the engine's own at coefficients drawn from the prior, with noise; and the true logs."""
    rng = np.random.default_rng(seed)
    training = tuple(trained(number, rng) for number in range(rows))
    serving = tuple(served(number, rng) for number in range(rows))
    blank = Measurements(training, serving)
    sample = sample_of(blank)
    truth = predict(sample, prior_sds(sample.keys) * rng.standard_normal(len(sample.keys)))
    sd = np.array([NOISE_SD[kind] for kind in sample.kinds])
    return with_values(blank, np.exp(truth + noise * sd * rng.standard_normal(truth.size))), truth


@pytest.fixture(scope="module")
def exact():
    """Rows, and the logs of their true values, without noise."""
    return world(1, 0.0, rows=80)


@pytest.fixture(scope="module")
def sample(exact):
    return sample_of(exact[0])


@pytest.fixture(scope="module")
def fitted(sample):
    return fit(sample)


def test_a_fit_to_the_engines_own_values_finds_its_predictions_again(exact, sample, fitted):
    start = np.abs(predict(sample, np.zeros(len(sample.keys))) - exact[1])
    found = np.abs(predict(sample, fitted.effects) - exact[1])
    assert np.median(start) > 0.05
    assert np.median(found) < 0.02


def test_eighty_of_a_hundred_true_values_lie_in_the_eighty_percent_interval():
    held = []
    for seed in (2, 3):
        measured, truth = world(seed, 1.0, rows=32)
        sample = sample_of(measured)
        found = fit(sample, rounds=4)
        count = len(found.keys)
        sd = np.sqrt(coefficient_variance(slopes(sample, found.effects), found.covariance[:count, :count]))
        held += (np.abs(predict(sample, found.effects) - truth) <= CENTRAL_80 * sd).tolist()
    assert 0.65 < np.mean(held) < 0.95


def test_the_covariance_is_symmetric_and_positive_and_never_wider_than_the_prior(fitted):
    covariance = fitted.covariance
    assert covariance == pytest.approx(covariance.T, rel=1e-6, abs=1e-12)
    assert np.linalg.eigvalsh((covariance + covariance.T) / 2).min() > 0
    count = len(fitted.keys)
    assert (np.sqrt(np.diag(covariance))[:count] <= prior_sds(fitted.keys) * (1 + 1e-6)).all()


def test_equal_data_give_equal_bytes(exact):
    first, second = (fit(sample_of(exact[0]), rounds=2) for _ in range(2))
    assert first.values.tobytes() == second.values.tobytes()
    assert first.covariance.tobytes() == second.covariance.tobytes()


def test_rows_left_out_are_not_read(sample):
    used = np.arange(sample.rows) % 3 > 0
    whole = fit(sample, used, rounds=2)
    altered = replace(sample, log_measured=np.where(used, sample.log_measured, sample.log_measured + 3.0))
    assert fit(altered, used, rounds=2).values.tobytes() == whole.values.tobytes()
    assert fit(altered, rounds=2).values.tobytes() != whole.values.tobytes()


def test_predictions_do_not_move_when_measured_values_are_shuffled(exact):
    rng = np.random.default_rng(0)
    values = np.array([row.measured for row in (*exact[0].training, *exact[0].serving)])
    shuffled = with_values(exact[0], rng.permutation(values))
    before, after = (predictions(each, None) for each in (exact[0], shuffled))
    assert after.log_modelled.tobytes() == before.log_modelled.tobytes()
    assert (after.log_measured != before.log_measured).any()


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_absurd_values_leave_every_coefficient_between_its_bounds(exact, factor):
    values = np.array([row.measured for row in (*exact[0].training, *exact[0].serving)])
    sample = sample_of(with_values(exact[0], values * factor))
    found = fit(sample, rounds=3)
    assert np.isfinite(found.values).all()
    assert np.isfinite(found.covariance).all()
    for part in sample.parts:
        for name, logits in part.logits(found.effects).items():
            coefficient = from_logit(name, logits)
            assert (RULES[name].low <= coefficient).all()
            assert (coefficient <= RULES[name].high).all()


@pytest.fixture(scope="module")
def calibration():
    measured, _ = world(9, 1.0, rows=16)
    return calibrate(Measurements(measured.training), "2026-01-01")


def step_sd(chip, calibration):
    one = np.ones(1)
    mesh = TrainMesh(8 * one, one, one, one, one, one, one, 0 * one, one, 0 * one)
    machine = machine_of(CHIPS[chip], "bf16")

    def rate(knobs):
        rows = np.zeros(np.size(knobs.flop_share), dtype=int)
        request = TrainRequest(4096, 4096 * 8, 8)
        model = MODELS["Meta-Llama-3.1-8B"]
        return train_step(
            model, replace(machine, knobs=knobs), request, mesh.take(rows)
        ).tokens_per_s_per_chip

    return rate_log_sd(rate, CHIPS[chip], MODELS["Meta-Llama-3.1-8B"], calibration, task="pretrain")


def test_a_chip_that_was_never_measured_inherits_its_class(calibration):
    heir = calibrated_knobs(CHIPS["H200-SXM"], calibration)
    kin = {(e.knob, e.level, e.member): e.value for e in calibration.effects}
    levels = (("vendor", "nvidia"), ("class", "hopper"), ("all", "all"))
    moved = sum(kin.get(("flop_share", *level), 0.0) for level in levels)
    assert moved != 0
    expected = from_logit("flop_share", to_logit("flop_share", KNOBS["hopper"].flop_share) + moved)
    assert heir.flop_share == pytest.approx(float(expected))


def test_a_chip_that_was_never_measured_has_a_wider_interval(calibration):
    measured, kin, stranger = (step_sd(chip, calibration) for chip in ("H100-SXM", "H200-SXM", "MI300X"))
    assert measured < kin < stranger


def test_without_a_calibration_a_chip_keeps_its_start():
    assert calibrated_knobs(CHIPS["H100-SXM"], None) == knobs_for(CHIPS["H100-SXM"])


def test_a_prediction_without_its_source_has_not_seen_it():
    measured = Measurements(world(10, 1.0, rows=12)[0].training)
    before = cross_validate(measured, "source")
    one = before.sources == "s1"
    values = np.exp(before.log_measured + np.where(one, 2.0, 0.0))
    after = cross_validate(with_values(measured, values), "source")
    assert after.log_modelled[one] == pytest.approx(before.log_modelled[one], abs=1e-9)
    assert np.abs(after.log_modelled[~one] - before.log_modelled[~one]).max() > 0.01


def test_a_group_of_near_duplicates_weighs_as_the_root_of_its_size():
    weights = row_weights(np.array(["a", "a", "a", "a", "b", "c"]), np.array([True] * 5 + [False]))
    assert weights == pytest.approx([0.5, 0.5, 0.5, 0.5, 1.0, 0.0])


def test_spreads_hold_eighty_percent_of_unseen_errors_and_fall_back_to_wider_levels():
    rng = np.random.default_rng(3)
    errors = 0.2 * rng.standard_normal(1000)
    same = np.full(1000, "tpu")
    groups = np.arange(1000).astype(str)
    spreads = fit_spreads(np.full(1000, "tpot"), np.full(1000, "dense"), same, groups, errors, np.zeros(1000))
    sd = spread_of(spreads, "tpot", "dense", "tpu")
    assert np.mean(np.abs(errors) <= CENTRAL_80 * sd) == pytest.approx(0.8, abs=0.01)
    assert sd == pytest.approx(0.2, rel=0.1)
    assert spread_of(spreads, "tpot", "moe", "gaudi") == sd
    with pytest.raises(KeyError):
        spread_of(spreads, "training", "dense", "tpu")


def test_every_start_lies_between_its_bounds_and_comes_back_from_its_logit():
    for name, rule in RULES.items():
        for kind, knobs in KNOBS.items():
            value = getattr(knobs, name)
            assert rule.low <= value <= rule.high, (name, kind)
            assert float(from_logit(name, to_logit(name, value))) == pytest.approx(
                value, abs=2e-3 * (rule.high - rule.low)
            )


def varied_rows():
    """Rows that between them use every part of the engine."""
    rng = np.random.default_rng(0)
    dense, sparse = trained(0, rng), trained(1, rng)
    wide = {"tp": 8.0, "pp": 4.0, "dp": 4.0, "cp": 2.0, "chips": 256.0, "ep": 1.0}
    long = replace(dense, **wide, model=MODELS["Meta-Llama-3.1-70B"], chip=CHIPS["H100-SXM"])
    blackwell = replace(dense, chip=CHIPS["B200-SXM"], precision="fp4", date="2025-08", stack="jax")
    routed = {"tp": 2.0, "pp": 1.0, "dp": 8.0, "ep": 16.0, "chips": 16.0, "precision": "fp8"}
    training = (long, replace(long, precision="fp8"), blackwell, sparse, replace(sparse, **routed))
    loop, moe = served(0, rng), served(1, rng)
    wide_serving = replace(
        moe, model=MODELS["DeepSeek-V3"], tp=1.0, dp=16.0, ep=16.0, chips=16.0, concurrency=512.0
    )
    queue = replace(
        loop, mode="max_load", metric="output_tokens_per_s_per_chip", concurrency=None, input_tokens=8000.0,
        model=MODELS["Meta-Llama-3.1-70B"], tp=2.0, chips=2.0,
    )  # fmt: skip
    first = replace(loop, metric="ttft_s", concurrency=32.0)
    serving = (
        replace(loop, chip=CHIPS["B200-SXM"], precision="fp4", weights="fp4"), replace(loop, precision="bf16"),
        moe, wide_serving, queue, first, replace(loop, weights="int4"),
    )  # fmt: skip
    return Measurements(training, serving)


def test_every_coefficient_that_is_fitted_moves_some_prediction():
    sample = sample_of(varied_rows())
    dead = []
    for part in sample.parts:
        steepest = np.abs(part.slopes(np.zeros(len(sample.keys)))).max(axis=0)
        dead += [name for name, own in part.columns.items() if not steepest[own].any()]
    assert not dead


def test_each_row_has_one_effect_per_level_of_a_coefficient():
    labels = [labels_of(CHIPS[chip], "vllm") for chip in KINDS]
    keys = keys_of(labels)
    held = design(labels, keys).sum(axis=1)
    assert held.tolist() == [sum(len(rule.prior_sd) for rule in RULES.values())] * len(KINDS)


def test_nothing_to_fit_is_an_input_error():
    with pytest.raises(InputError, match="no measured row"):
        sample_of(Measurements())
