"""Bytes on a chip by hand: weights, states, activations, logits, cache; and how parallelism divides them."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.domain.technology import Model
from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.counts import (
    activation_values_per_token_layer,
    kv_bytes,
    lean_activation_values_per_token_layer,
    parameters,
)
from exaplan.perf.machine import machine_of
from exaplan.perf.memory import local_parameters
from exaplan.perf.schedules import DUAL_PIPE
from exaplan.perf.serving import ServeMesh, ServeRequest, capacity_slots, serving_memory_bytes
from exaplan.perf.training import FULL, KEEP_ALL, SELECTIVE, TrainMesh, TrainRequest, training_memory_bytes

CHIPS, MODELS = load_chips(), load_models()
WORKSPACE = 2e9
BARE = machine_of(CHIPS["H100-SXM"], "bf16")
H100 = replace(BARE, knobs=replace(BARE.knobs, workspace_bytes=WORKSPACE, usable_share=0.9))
LLAMA = MODELS["Meta-Llama-3.1-8B"]
TOKENS, LAYERS, WIDTH, VOCAB = 4096, 32, 4096, 128_256


def mesh(**changed):
    fields = ("tp", "pp", "ep", "dp", "cp", "micro", "interleave", "recompute", "zero", "schedule")
    usual = dict.fromkeys(fields, 1) | {"recompute": KEEP_ALL, "schedule": 0} | changed
    return TrainMesh(*(np.array([float(usual[name])]) for name in fields))


def trained(model, *, share=1.0, sequences=64, **changed):
    request = TrainRequest(TOKENS, TOKENS * sequences, 8, share)
    return float(training_memory_bytes(model, H100, request, mesh(**changed))[0])


def parallel(tp, pp, ep, etp):
    return (np.array([float(value)]) for value in (tp, pp, ep, etp))


@pytest.mark.parametrize(
    ("zero", "bytes_per_parameter"),
    [(0, 2 + 4 + 12), (1, 2 + 4 + 12 / 8), (2, 2 + 4 / 8 + 12 / 8), (3, 2 / 8 + 4 / 8 + 12 / 8 + 2 * 2 / 32)],
)
def test_states_of_each_zero_stage_by_hand(zero, bytes_per_parameter):
    # arXiv 1910.02054, figure 1, with 12 bytes of master weight and moments; stage 3 holds two gathered layers
    states = parameters(LLAMA).total * bytes_per_parameter
    activations = LAYERS * activation_values_per_token_layer(LLAMA) * TOKENS * 2
    logits = 6 * TOKENS * VOCAB
    assert trained(LLAMA, dp=8, zero=zero) == pytest.approx(states + activations + logits + WORKSPACE)


@pytest.mark.parametrize("state_bytes", [12, 8, 6])
def test_narrower_states_save_their_bytes(state_bytes):
    # FP32 master weight with FP32, BF16 or 8-bit moments: 4 + 8, 4 + 4, 4 + 2
    usual = TrainRequest(TOKENS, TOKENS * 64, 8)
    sizes = [
        float(training_memory_bytes(LLAMA, H100, request, mesh(dp=8))[0])
        for request in (usual, replace(usual, state_bytes=state_bytes))
    ]
    assert sizes[0] - sizes[1] == pytest.approx((12 - state_bytes) / 8 * parameters(LLAMA).total, abs=1.0)


def test_activations_of_a_llama_layer_by_hand():
    # norms 4 d; q and attention output 2 h d_h; k and v 2 k_v d_h; gate, up and their product 3 f
    assert activation_values_per_token_layer(LLAMA) == 4 * 4096 + 2 * 4096 + 2 * 1024 + 3 * 14336
    # norms and the product of the gate are computed again: 2 d, attention, gate and up
    assert lean_activation_values_per_token_layer(LLAMA) == 2 * 4096 + 2 * 4096 + 2 * 1024 + 2 * 14336


def test_the_classical_block_keeps_32_bytes_per_unit_of_width():
    # Korthikanti et al. count 34 s b h with two dropout masks of one byte; those are gone
    model = Model(
        id="gpt", layers=2, hidden=64, heads=4, kv_heads=4, head_dim=16, ffn=256, ffn_matrices=2, vocab=9
    )
    assert 2 * activation_values_per_token_layer(model) == 32 * 64


def test_a_sparse_layer_keeps_the_inputs_of_every_copy_of_a_token():
    model = MODELS["Mixtral-8x7B-v0.1"]
    by_hand = 4 * 4096 + (2 * 32 + 2 * 8) * 128 + 2 * (3 * 14336 + 4096)
    assert activation_values_per_token_layer(model) == by_hand


@pytest.mark.parametrize(
    ("recompute", "kept", "working"),
    [
        (KEEP_ALL, activation_values_per_token_layer(LLAMA), 0),
        (SELECTIVE, lean_activation_values_per_token_layer(LLAMA), 1),
        (FULL, WIDTH, 1),
    ],
)
def test_recomputation_keeps_less_and_works_on_one_layer_at_a_time(recompute, kept, working):
    least = trained(LLAMA, dp=8) - LAYERS * activation_values_per_token_layer(LLAMA) * TOKENS * 2
    activations = (LAYERS * kept + working * activation_values_per_token_layer(LLAMA)) * TOKENS * 2
    assert trained(LLAMA, dp=8, recompute=recompute) == pytest.approx(least + activations)


def test_a_pipeline_keeps_as_many_microbatches_as_it_has_stages():
    # 1F1B: four microbatches of eight layers, as much as one of 32; interleaved by two: 3/8 more
    per_layer = activation_values_per_token_layer(LLAMA) * TOKENS * 2
    plain, two = (trained(LLAMA, pp=4, zero=0, interleave=chunks) for chunks in (1, 2))
    assert two - plain == pytest.approx(LAYERS * per_layer * 3 / 8)
    assert trained(LLAMA, pp=4, zero=0, sequences=1) == pytest.approx(plain - 3 * 8 * per_layer)


def test_dual_pipe_keeps_two_copies_of_the_weights_and_one_more_microbatch():
    plain, dual = (trained(LLAMA, pp=4, zero=0, schedule=kind) for kind in (0, DUAL_PIPE))
    stage = float(local_parameters(LLAMA, *parallel(1, 4, 1, 1)).total[0])
    one = 8 * activation_values_per_token_layer(LLAMA) * TOKENS * 2
    assert dual - plain == pytest.approx(18 * stage + one)


def test_context_parallel_ranks_share_a_sequence_and_the_states():
    whole, shared = trained(LLAMA, dp=8), trained(LLAMA, dp=4, cp=2)
    per_token = LAYERS * activation_values_per_token_layer(LLAMA) * 2 + 6 * VOCAB
    assert whole - shared == pytest.approx(per_token * TOKENS / 2)


def test_lora_has_states_for_what_it_trains_alone():
    full, lora = trained(LLAMA, zero=0), trained(LLAMA, zero=0, share=0.005)
    assert full - lora == pytest.approx(16 * 0.995 * parameters(LLAMA).total)


def test_the_experts_of_deepseek_v3_are_divided_by_expert_parallelism_and_the_rest_is_not():
    model, count = MODELS["DeepSeek-V3"], parameters(MODELS["DeepSeek-V3"])
    local = local_parameters(model, *parallel(1, 1, 64, 1))
    assert local.experts[0] == pytest.approx(58 * 256 * 3 * 7168 * 2048 / 64)
    assert local.common[0] == pytest.approx(count.total - 58 * 256 * 3 * 7168 * 2048)


def test_what_maps_into_the_latent_is_on_every_tensor_parallel_rank():
    # 7168 x (1536 + 512 + 64) a layer is not divided; everything else is
    model, count = MODELS["DeepSeek-V3"], parameters(MODELS["DeepSeek-V3"])
    replicated = 61 * 7168 * (1536 + 512 + 64)
    local = local_parameters(model, *parallel(8, 1, 8, 1))
    rest = count.total - 58 * 256 * 3 * 7168 * 2048
    assert local.common[0] == pytest.approx((rest - replicated) / 8 + replicated)


def test_the_fullest_stage_has_its_layers_and_one_embedding():
    # 80 layers on 8 stages of 8 ranks; input and output embeddings lie on different stages
    model = MODELS["Meta-Llama-3.1-70B"]
    layers = parameters(model).total - 2 * parameters(model).head
    local = local_parameters(model, *parallel(8, 8, 1, 8))
    assert local.total[0] * 8 == pytest.approx(layers / 8 + parameters(model).head)


def test_tied_embeddings_lie_on_both_ends_of_a_pipeline():
    model = MODELS["gemma2-27b"]
    count = parameters(model)
    assert model.tied_embeddings
    local = local_parameters(model, *parallel(1, 2, 1, 1))
    assert local.total[0] == pytest.approx((count.total - count.head) / 2 + count.head)


def test_61_layers_on_16_stages_fill_a_chip_with_four():
    model = MODELS["DeepSeek-V3"]
    local = local_parameters(model, *parallel(1, 16, 64, 1))
    assert local.experts[0] == pytest.approx(58 / 61 * 4 * 256 * 3 * 7168 * 2048 / 64)


def serve(model, machine, tp, slots=1.0):
    one = np.ones(1)
    layout = ServeMesh(tp * one, one, one, one, slots * one)
    return capacity_slots(model, machine, ServeRequest(1000, 1000), layout), layout


def test_sequences_of_llama_70b_in_fp8_that_fit_two_h100_by_hand():
    # 0.9 of 80 GB less 70.55 GB/2 of weights less 2 GB; a sequence of 1500 tokens has 8 heads on 2 chips
    model, machine = (
        MODELS["Meta-Llama-3.1-70B"],
        replace(machine_of(CHIPS["H100-SXM"], "fp8"), knobs=H100.knobs),
    )
    free = 0.9 * 80e9 - 70.552e9 / 2 - 2e9
    sequence = 2 * 80 * 4 * 128 * 1500 * 1
    slots, layout = serve(model, machine, 2)
    assert slots[0] == pytest.approx(free / sequence, rel=1e-4)
    full = serving_memory_bytes(model, machine, ServeRequest(1000, 1000), replace(layout, slots=slots))
    assert full[0] == pytest.approx(0.9 * 80e9)


def test_weights_too_large_for_the_chips_leave_room_for_nobody():
    slots, _ = serve(MODELS["Meta-Llama-3.1-405B"], H100, 4)
    assert slots[0] < 0


def test_more_ranks_than_key_value_heads_do_not_divide_the_cache_further():
    model = MODELS["gpt-oss-120b"]
    request, one = ServeRequest(1000, 1000), np.ones(1)
    grow = [
        float(np.diff([serving_memory_bytes(model, H100, request, ServeMesh(tp * one, one, one, one, s * one))[0]
                       for s in (1, 2)])[0])
        for tp in (4, 8, 16)
    ]  # fmt: skip
    cache = kv_bytes(model, 1500, 2.0)
    assert grow == pytest.approx([cache / 4, cache / 8, cache / 8])


@given(
    name=st.sampled_from(["Meta-Llama-3.1-8B", "DeepSeek-V3", "Qwen3-235B-A22B", "gpt-oss-120b"]),
    pp=st.sampled_from([1, 2, 4, 8]),
    micro=st.sampled_from([1, 2]),
    recompute=st.sampled_from([KEEP_ALL, SELECTIVE, FULL]),
    zero=st.sampled_from([0, 1, 2, 3]),
)
def test_memory_does_not_grow_with_tensor_parallelism(name, pp, micro, recompute, zero):
    sizes = [
        trained(MODELS[name], sequences=1024, tp=tp, pp=pp, dp=512 // (tp * pp), micro=micro, recompute=recompute, zero=zero)
        for tp in (1, 2, 4, 8)
    ]  # fmt: skip
    assert all(after <= before * (1 + 1e-9) for before, after in pairwise(sizes))
