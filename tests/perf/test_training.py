"""Training steps: published speeds, hand arithmetic, and what more hardware may never do."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.counts import parameters
from exaplan.perf.machine import machine_of
from exaplan.perf.search import search_training, training_mesh
from exaplan.perf.training import FULL, SELECTIVE, TrainMesh, TrainRequest, model_flop_share, train_step

CHIPS, MODELS = load_chips(), load_models()
H100 = machine_of(CHIPS["H100-SXM"], "bf16")
# launches, latencies and reality factors off; every message in sight
BARE = replace(
    H100.knobs, launch_s=0.0, inner_half=0.0, scale_up_latency_s=0.0, scale_out_latency_s=0.0, link_share=0.8,
    training_network_share=0.8, tensor_exposed=1.0, data_exposed=1.0, expert_exposed=1.0, context_exposed=1.0,
    stage_exposed=1.0, slowdown_per_doubling=0.0, training_share=1.0, sparse_training_share=1.0, software_gap=0.0,
    low_software_gap=0.0, sparse_software_gap=0.0, step_fixed_s=0.0, bubble=1.0, training_skew=1.0, training_expert_share=1.0,
)  # fmt: skip
PLAIN = replace(H100, knobs=BARE)
UP, OUT = 450e9 * 0.8, 50e9 * 0.8
LLAMA, SPARSE = MODELS["Meta-Llama-3.1-70B"], MODELS["DeepSeek-V3"]
SEQUENCE = 4096


def one(**changed):
    fields = ("tp", "pp", "ep", "dp", "cp", "micro", "interleave", "recompute", "zero", "schedule")
    usual = dict.fromkeys(fields, 1) | {"recompute": 0, "schedule": 0} | changed
    return TrainMesh(*(np.array([float(usual[name])]) for name in fields))


def job(chips, sequences, **changed):
    return TrainRequest(SEQUENCE, SEQUENCE * sequences, chips, **changed)


def terms(model, machine, request, mesh):
    result = train_step(model, machine, request, mesh)
    return {name: float(seconds[0]) for name, seconds in result.terms.items()}


def best_mfu(model, chip, request, precision="bf16"):
    machine = machine_of(CHIPS[chip], precision)
    found = search_training(MODELS[model], machine, request)
    rate = found.result.tokens_per_s_per_chip[found.order[:1]]
    return float(rate[0]), float(model_flop_share(MODELS[model], machine, request, rate)[0])


def test_llama_405b_on_16384_h100_is_near_what_its_authors_print():
    # arXiv 2407.21783, table 4: 400 TFLOP/s per chip, 41 % of the peak
    _, mfu = best_mfu("Meta-Llama-3.1-405B", "H100-SXM", TrainRequest(8192, 16e6, 16384))
    assert mfu == pytest.approx(0.41, rel=0.2)


def test_deepseek_v3_on_2048_hopper_is_near_its_180_thousand_hours_per_trillion_tokens():
    # 1e12 / (180e3 x 3600) = 1543 tokens/s per chip (arXiv 2412.19437)
    rate, _ = best_mfu("DeepSeek-V3", "H800-SXM", TrainRequest(4096, 63e6, 2048), "fp8")
    assert 1543 / 1.4 < rate < 1543 * 1.4


def test_a_16_b_model_on_one_v5e_pod_is_near_maxtext():
    # MaxText README: 120 TFLOP/s of 197 on 256 chips, 61 %
    _, mfu = best_mfu("MaxText-16B", "TPU-v5e", TrainRequest(2048, 256 * 2048 * 6, 256))
    assert mfu == pytest.approx(0.61, rel=0.2)


def test_the_terms_add_up_to_the_step():
    request = job(256, 1024)
    result = train_step(SPARSE, H100, request, training_mesh(SPARSE, H100, request))
    assert sum(result.terms.values()) == pytest.approx(result.step_s)
    assert all((seconds > -1e-12).all() for seconds in result.terms.values())


def test_a_step_without_losses_is_its_flop():
    # one sequence on one chip whose memory is endless and fast: 3 forward passes at the peak, attention apart
    swift = replace(PLAIN, memory_bytes_per_s=1e18, knobs=replace(BARE, flop_share=1.0))
    found = terms(LLAMA, swift, job(1, 1), one(zero=0))
    products = found["attention products"] + found["feed-forward"] + found["head and uneven stages"]
    assert products == pytest.approx(6 * parameters(LLAMA).active * SEQUENCE / 989.4e12, rel=0.005)
    # FlashAttention: 2.5 forward passes backward
    core = 80 * 4 * 64 * 128 * SEQUENCE**2 / 2 / 989.4e12
    by_hand = core * (1 / BARE.attention_share + 2.5 / BARE.attention_backward_share)
    assert found["attention"] == pytest.approx(by_hand)


def test_frozen_weights_cost_four_n_and_trained_ones_six():
    request = job(1, 1), job(1, 1, trainable_share=0.0)
    full, frozen = (terms(LLAMA, PLAIN, each, one(zero=0)) for each in request)
    for name in ("attention products", "feed-forward", "head and uneven stages"):
        assert frozen[name] / full[name] == pytest.approx(4 / 6)
    assert frozen["attention"] == full["attention"]
    assert frozen["optimizer"] == 0


@pytest.mark.parametrize(("recompute", "ratio"), [(SELECTIVE, 1.0), (FULL, 4 / 3)])
def test_full_recomputation_repeats_the_forward_pass(recompute, ratio):
    keep, again = (terms(LLAMA, PLAIN, job(1, 1), one(zero=0, recompute=kind)) for kind in (0, recompute))
    assert again["feed-forward"] / keep["feed-forward"] == pytest.approx(ratio)
    assert again["elementwise"] / keep["elementwise"] == pytest.approx(4 / 3)


def test_zero_1_scatters_gradients_and_gathers_weights_once_a_step():
    # 70.55e9 x 2 bytes over 64 chips, twice: 7/8 up, 7/8 of the eighth out
    once = 2 * 70.5524e9 * (7 / 8 / UP + 7 / 8 / 8 / OUT)
    for sequences in (64, 512):
        found = terms(LLAMA, PLAIN, job(64, sequences), one(dp=64))
        assert found["data-parallel traffic"] == pytest.approx(2 * once, rel=1e-4)


def test_zero_3_gathers_twice_and_scatters_once_a_microbatch():
    once = 2 * 70.5524e9 * (7 / 8 / UP + 7 / 8 / 8 / OUT)
    for count in (1, 8):
        found = terms(LLAMA, PLAIN, job(64, 64 * count), one(dp=64, zero=3))
        assert found["data-parallel traffic"] == pytest.approx(3 * count * once, rel=1e-4)


def test_tensor_parallelism_reduces_four_times_a_layer():
    # two all-reduces forward and two backward of 4096 x 8192 values of two bytes, over 8
    by_hand = 80 * 4 * 2 * 7 / 8 * SEQUENCE * 8192 * 2 / UP
    found = terms(LLAMA, PLAIN, job(8, 1), one(tp=8))
    assert found["tensor-parallel traffic"] == pytest.approx(by_hand)


def test_context_parallelism_passes_keys_and_values_round_and_their_gradients_back():
    # forward: every rank sees the keys and values of the others; backward: again, and their gradients
    whole = 2 * 8 * 128 * 2 * SEQUENCE
    found = terms(LLAMA, PLAIN, job(8, 1), one(cp=8))
    assert found["context-parallel traffic"] == pytest.approx(80 * 3 * 7 / 8 * whole / UP)


def test_context_parallelism_divides_the_tokens_and_not_the_context():
    alone, shared = (terms(LLAMA, PLAIN, job(8, 8), mesh) for mesh in (one(dp=8), one(cp=8)))
    for name in ("attention", "elementwise"):
        assert shared[name] == pytest.approx(alone[name], rel=1e-3)


def test_latent_attention_passes_its_expanded_keys_and_values_round_the_ring():
    # 128 heads of 128 + 64 values of key and 128 of value, not twice the widest of them
    found = terms(SPARSE, PLAIN, job(8, 1), one(cp=8, ep=8))
    by_hand = 61 * 3 * 7 / 8 * 128 * (192 + 128) * 2 * SEQUENCE / UP
    assert found["context-parallel traffic"] == pytest.approx(by_hand)


def test_expert_parallelism_in_a_domain_by_hand():
    # every token goes to 8 experts and comes back, in BF16, forward and backward; 7/8 of the ranks are others
    busiest = 1 + np.sqrt(2 * np.log(8) / (SEQUENCE * 8))
    by_hand = 58 * 2 * busiest * 7 / 8 * SEQUENCE * 8 * 7168 * (2 + 2) / UP
    found = terms(SPARSE, PLAIN, job(8, 8), one(dp=8, ep=8))
    assert found["expert traffic"] == pytest.approx(by_hand)


def test_experts_on_eight_domains_send_their_copies_over_the_network():
    # at most four of eight domains, of which one in eight is home: 3.5 copies out, whatever the top 8
    busiest = 1 + np.sqrt(2 * np.log(64) / (SEQUENCE * 8))
    by_hand = 58 * 2 * busiest * 3.5 * SEQUENCE * 7168 * (2 + 2) / OUT
    found = terms(SPARSE, PLAIN, job(64, 64), one(dp=64, ep=64))
    assert found["expert traffic"] == pytest.approx(by_hand, rel=1e-3)


def test_imbalance_slows_experts_and_their_messages_alone():
    even, uneven = (
        terms(
            SPARSE,
            replace(PLAIN, knobs=replace(BARE, training_skew=skew)),
            job(8, 64),
            one(dp=8, ep=8, micro=8),
        )
        for skew in (1.0, 1.5)
    )
    assert 1.3 < uneven["expert traffic"] / even["expert traffic"] < 1.5
    assert 1.1 < uneven["experts"] / even["experts"] < 1.5
    assert uneven["attention"] == even["attention"]


def test_software_of_before_2022_hides_no_message_and_computes_masked_scores():
    new, old = (terms(LLAMA, H100, job(8, 8, classic=flag), one(tp=8)) for flag in (False, True))
    assert new["tensor-parallel traffic"] == pytest.approx(
        old["tensor-parallel traffic"] * H100.knobs.tensor_exposed
    )
    assert old["attention"] > 2 * new["attention"]
    assert old["elementwise"] / new["elementwise"] == pytest.approx((1 + 8) / 2)
    assert old["feed-forward"] == new["feed-forward"]


def test_the_bubble_is_pp_minus_one_stages_and_falls_with_interleaving():
    request = job(64, 64)
    plain, chunked = (terms(LLAMA, PLAIN, request, one(tp=8, pp=8, interleave=v)) for v in (1, 5))
    assert plain["pipeline bubble"] / chunked["pipeline bubble"] == pytest.approx(5)
    apart = ("pipeline bubble", "data-parallel traffic", "optimizer")
    steady = sum(seconds for name, seconds in plain.items() if name not in apart)
    assert plain["pipeline bubble"] / steady == pytest.approx(7 / 64)


def test_software_grows_up_with_the_months():
    machines = [
        replace(PLAIN, software_months=m, knobs=replace(BARE, software_gap=0.4)) for m in (0, 12, 1e4)
    ]
    new, year, old = (float(train_step(LLAMA, each, job(8, 8), one(tp=8)).step_s[0]) for each in machines)
    assert (new / old, year / old) == pytest.approx((1 / 0.6, 1 / 0.8))


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
    chip, request = CHIPS["H100-SXM"], job(256, 1024)
    better = machine_of(chip.model_copy(update={field: getattr(chip, field) * factor}), "bf16")
    mesh = training_mesh(SPARSE, H100, request)
    before, after = (train_step(SPARSE, machine, request, mesh).step_s for machine in (H100, better))
    assert (after <= before * (1 + 1e-9)).all()


def test_more_memory_never_lowers_the_best_rate():
    chip, request = CHIPS["H100-SXM"], TrainRequest(8192, 4e6, 256)
    rates = []
    for gigabytes in (40, 80, 141, 288):
        larger = machine_of(chip.model_copy(update={"hbm_bytes": gigabytes * 1e9}), "bf16")
        found = search_training(LLAMA, larger, request)
        rates.append(found.result.tokens_per_s_per_chip[found.order[0]] if found.order.size else 0.0)
    assert rates == sorted(rates)
    assert rates[-1] > 0


def test_what_cannot_fit_says_how_much_is_missing():
    found = search_training(SPARSE, H100, TrainRequest(4096, 1e6, 8))
    assert found.order.size == 0
    assert found.reason.startswith("memory: the leanest layout needs")


def test_a_cluster_of_no_whole_chip_has_no_layout():
    assert search_training(SPARSE, H100, TrainRequest(4096, 1e6, 0.5)).reason.startswith("cluster")


def test_a_remainder_of_the_cluster_stands_idle():
    # 100 chips leave 4 without work where a job uses 8 x 12: the rate counts all of them
    mesh = one(tp=8, pp=4, dp=3)
    rates = [train_step(LLAMA, H100, job(chips, 96), mesh).tokens_per_s_per_chip[0] for chips in (100, 96)]
    assert rates[0] / rates[1] == pytest.approx(0.96)
