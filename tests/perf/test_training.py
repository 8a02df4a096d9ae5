"""Training steps: published speeds, hand arithmetic, and what more hardware may never do."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.estimate import estimate
from exaplan.perf.machine import machine_of
from exaplan.perf.memory import local_parameters
from exaplan.perf.search import search_training, training_mesh
from exaplan.perf.training import TrainMesh, TrainRequest, train_step, training_memory_bytes

CHIPS, MODELS = load_chips(), load_models()
H100 = machine_of(CHIPS["H100-SXM"], "bf16")


def one(tp=1, pp=1, ep=1, dp=1, micro=1, interleave=1, recompute=False, sharded=False):
    numbers = [np.array([float(value)]) for value in (tp, pp, ep, dp, micro, interleave)]
    return TrainMesh(*numbers, np.array([recompute]), np.array([sharded]))


def best(model, chip, request, precision="bf16"):
    return estimate(
        MODELS[model], CHIPS[chip], phase="train", sequence_tokens=request[0], batch_tokens=request[1],
        cluster_chips=request[2], precision=precision, top=1,
    )[0]  # fmt: skip


def test_llama_405b_on_16384_h100_reaches_what_its_authors_print():
    # arXiv 2407.21783, table 4: 38 to 43 % model FLOP utilisation
    assert 0.36 <= best("Meta-Llama-3.1-405B", "H100-SXM", (8192, 16e6, 16384)).mfu <= 0.45


def test_deepseek_v3_on_2048_hopper_is_near_its_180_thousand_hours_per_trillion_tokens():
    # 1e12 / (180e3 x 3600) = 1543 tokens/s per H800 (arXiv 2412.19437); H100 links are no slower
    rate = best("DeepSeek-V3", "H100-SXM", (4096, 63e6, 2048), "fp8").tokens_per_s_per_chip
    assert 1543 / 1.3 < rate < 1543 * 1.4


def test_a_16_b_model_on_one_v5e_pod_is_near_maxtext():
    # MaxText README: 120 TFLOP/s of 197 on 256 chips, 61 %
    row = best("MaxText-16B", "TPU-v5e", (2048, 256 * 2048 * 6, 256))
    assert 0.5 <= row.mfu <= 0.75


def test_memory_of_one_chip_by_hand():
    model = MODELS["Meta-Llama-3.1-8B"]
    request = TrainRequest(4096, 4096 * 64, 8)
    total = 8.03e9
    state = total * (2 + 4) + 12 * total / 8
    activations = 32 * 4096 * 34 * 4096  # layers, width, bytes per unit of width, tokens
    logits = 6 * 4096 * 128256
    expected = state + activations + logits + H100.knobs.workspace_bytes
    assert training_memory_bytes(model, H100, request, one(dp=8))[0] == pytest.approx(expected, rel=0.005)


def test_the_terms_add_up_to_the_step():
    model = MODELS["DeepSeek-V3"]
    request = TrainRequest(4096, 4096 * 1024, 256)
    result = train_step(model, H100, request, training_mesh(model, H100, request))
    assert sum(result.terms.values()) == pytest.approx(result.step_s)


def test_uneven_stages_are_evaluated_not_refused():
    # 61 layers on 16 stages
    model = MODELS["DeepSeek-V3"]
    result = train_step(model, H100, TrainRequest(4096, 4096 * 1024, 256), one(tp=1, pp=16, ep=16, dp=16))
    assert np.isfinite(result.step_s).all()


def test_the_bubble_is_pp_minus_one_stages_and_falls_with_interleaving():
    model = MODELS["Meta-Llama-3.1-70B"]
    request = TrainRequest(4096, 4096 * 64, 64)
    plain = train_step(model, H100, request, one(tp=8, pp=8, dp=1))
    chunked = train_step(model, H100, request, one(tp=8, pp=8, dp=1, interleave=5))
    assert plain.terms["pipeline bubble"] / chunked.terms["pipeline bubble"] == pytest.approx(5, rel=0.03)
    ideal = 7 / 64 * H100.knobs.bubble
    steady = (
        plain.step_s
        - plain.terms["pipeline bubble"]
        - plain.terms["data-parallel traffic"]
        - plain.terms["optimizer"]
    )
    assert plain.terms["pipeline bubble"] / steady == pytest.approx(ideal, rel=0.03)


def test_full_recomputation_costs_a_third_more_and_saves_memory():
    model = MODELS["Meta-Llama-3.1-70B"]
    request = TrainRequest(4096, 4096 * 64, 64)
    keep, again = one(tp=8, pp=8), one(tp=8, pp=8, recompute=True)
    ratio = train_step(model, H100, request, again).step_s / train_step(model, H100, request, keep).step_s
    assert 1.25 < ratio[0] < 1.36
    assert training_memory_bytes(model, H100, request, again) < training_memory_bytes(
        model, H100, request, keep
    )


@given(
    name=st.sampled_from(["Meta-Llama-3.1-8B", "DeepSeek-V3", "Qwen3-235B-A22B", "gpt-oss-120b"]),
    pp=st.sampled_from([1, 2, 4, 8]),
    micro=st.sampled_from([1, 2]),
    recompute=st.booleans(),
)
def test_memory_does_not_grow_with_tensor_parallelism(name, pp, micro, recompute):
    sizes = [
        training_memory_bytes(MODELS[name], H100, TrainRequest(4096, 4096 * 1024, 512), mesh)[0]
        for mesh in (
            one(tp=tp, pp=pp, dp=512 // (tp * pp), micro=micro, recompute=recompute) for tp in (1, 2, 4, 8)
        )
    ]
    assert all(after <= before * (1 + 1e-9) for before, after in pairwise(sizes))


@given(
    field=st.sampled_from(
        [
            "bf16_flop_per_s",
            "hbm_bandwidth_bytes_per_s",
            "scale_up_bandwidth_bytes_per_s",
            "scale_out_bandwidth_bytes_per_s",
        ]
    ),
    factor=st.floats(1.0, 8.0),
)
def test_a_better_chip_is_never_slower_in_any_configuration(field, factor):
    chip, model, request = CHIPS["H100-SXM"], MODELS["DeepSeek-V3"], TrainRequest(4096, 4096 * 1024, 256)
    better = machine_of(chip.model_copy(update={field: getattr(chip, field) * factor}), "bf16")
    mesh = training_mesh(model, H100, request)
    before, after = (train_step(model, machine, request, mesh).step_s for machine in (H100, better))
    assert (after <= before * (1 + 1e-9)).all()


def test_more_memory_never_lowers_the_best_rate():
    chip, model, request = CHIPS["H100-SXM"], MODELS["Meta-Llama-3.1-70B"], TrainRequest(8192, 4e6, 256)
    rates = []
    for gigabytes in (40, 80, 141, 288):
        found = search_training(
            model, machine_of(chip.model_copy(update={"hbm_bytes": gigabytes * 1e9}), "bf16"), request
        )
        rates.append(found.result.tokens_per_s_per_chip[found.order[0]] if found.order.size else 0.0)
    assert rates == sorted(rates)


def test_parameters_on_chips_add_up_to_the_model():
    model = MODELS["Meta-Llama-3.1-70B"]
    tp, pp = np.array([8.0]), np.array([8.0])
    local = local_parameters(model, tp, pp, np.ones(1), tp)
    # the fullest stage carries one of the two embeddings on top of an eighth of the layers
    assert local.total[0] * 8 == pytest.approx((70.55e9 - 2 * 1.05e9) / 8 + 1.05e9, rel=0.01)


def test_what_cannot_fit_says_how_much_is_missing():
    found = search_training(MODELS["DeepSeek-V3"], H100, TrainRequest(4096, 1e6, 8))
    assert found.order.size == 0
    assert found.reason.startswith("memory: the leanest layout needs")


def test_a_cluster_of_no_whole_chip_has_no_layout():
    assert search_training(MODELS["DeepSeek-V3"], H100, TrainRequest(4096, 1e6, 0.5)).reason.startswith(
        "cluster"
    )


def test_a_remainder_of_the_cluster_stands_idle():
    # 100 chips leave 4 without work where a job uses 8 x 12: the rate counts all of them
    model, request = MODELS["Meta-Llama-3.1-70B"], TrainRequest(4096, 4096 * 96, 100)
    whole = TrainRequest(4096, 4096 * 96, 96)
    mesh = one(tp=8, pp=4, dp=3)
    rates = [train_step(model, H100, r, mesh).tokens_per_s_per_chip[0] for r in (request, whole)]
    assert rates[0] / rates[1] == pytest.approx(0.96)
