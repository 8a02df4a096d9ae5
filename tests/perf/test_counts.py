"""Counts match published names and hand arithmetic."""

import numpy as np
import pytest

from exaplan.domain.technology import Model
from exaplan.io.catalogue import load_models
from exaplan.perf.counts import (
    activation_bytes_per_token_layer,
    experts_touched,
    forward_flop_per_token,
    kv_bytes,
    layer_split,
    mean_causal_context,
    parameters,
    training_flop_per_token,
)

MODELS = load_models()


@pytest.mark.parametrize(
    ("name", "total_b"),
    [
        ("Meta-Llama-3.1-8B", 8.03),
        ("Meta-Llama-3.1-70B", 70.6),
        ("Meta-Llama-3.1-405B", 405.9),
        ("DeepSeek-V3", 671.0),
        ("gpt-oss-120b", 116.8),
        ("Qwen3-235B-A22B", 235.0),
        ("Kimi-K2-Instruct", 1026.0),
        ("Mixtral-8x7B-v0.1", 46.7),
        ("gemma2-27b", 27.2),
    ],
)
def test_parameters_match_the_published_name_within_one_percent(name, total_b):
    assert parameters(MODELS[name]).total == pytest.approx(1e9 * total_b, rel=0.01)


@pytest.mark.parametrize(
    ("name", "active_b"),
    [("DeepSeek-V3", 36.6), ("gpt-oss-120b", 5.1), ("Qwen3-235B-A22B", 21.5), ("Kimi-K2-Instruct", 31.7)],
)
def test_active_parameters_leave_out_the_input_embedding(name, active_b):
    assert parameters(MODELS[name]).active == pytest.approx(1e9 * active_b, rel=0.01)


@pytest.mark.parametrize(
    ("name", "per_token"),
    [
        ("Meta-Llama-3.1-8B", 2 * 32 * 8 * 128 * 2),
        ("Meta-Llama-3.1-70B", 2 * 80 * 8 * 128 * 2),
        ("Meta-Llama-3.1-405B", 2 * 126 * 8 * 128 * 2),
        ("DeepSeek-V3", 61 * 576 * 2),
    ],
)
def test_a_token_leaves_exactly_its_keys_and_values_in_the_cache(name, per_token):
    assert kv_bytes(MODELS[name], 1000, 2.0) == 1000 * per_token


def test_windowed_layers_keep_only_their_window():
    model = MODELS["gpt-oss-120b"]
    per_layer = 2 * 8 * 64 * 2.0
    assert kv_bytes(model, 10_000, 2.0) == pytest.approx(per_layer * (18 * 10_000 + 18 * 128))


def test_deepseek_v3_trains_at_250_gflop_per_token():
    assert training_flop_per_token(MODELS["DeepSeek-V3"], 4096) == pytest.approx(250e9, rel=0.005)


def test_llama_405b_trains_at_the_2524_gflop_per_token_that_megatron_counts():
    # published since 2025-09 as 6 (N - input embedding) + 6 L h s; ours leaves out norms only
    assert training_flop_per_token(MODELS["Meta-Llama-3.1-405B"], 8192) == pytest.approx(2524e9, rel=0.002)


def test_hand_arithmetic_of_a_tiny_sparse_model():
    model = Model(
        id="tiny", layers=3, hidden=4, heads=2, kv_heads=1, head_dim=2, ffn=8, vocab=10,
        experts=4, top_k=2, shared_experts=1, expert_ffn=3, first_dense_layers=1,
    )  # fmt: skip
    count = parameters(model)
    assert layer_split(model) == (1, 2)
    assert (count.attention, count.dense_ffn, count.expert, count.shared, count.router) == (
        48,
        96,
        36,
        36,
        16,
    )
    assert count.total == 3 * 48 + 96 + 2 * (4 * 36 + 36 + 16) + 2 * 40
    assert count.active == 3 * 48 + 96 + 2 * (2 * 36 + 36 + 16) + 40
    # 2 N_active + 4 h d_h context per layer
    assert forward_flop_per_token(model, 5.0) == 2 * count.active + 3 * 4 * 2 * 2 * 5


def test_every_second_layer_sparse_and_tied_embeddings():
    model = Model(
        id="m", layers=6, hidden=4, heads=2, kv_heads=2, head_dim=2, ffn=8, vocab=10, tied_embeddings=True,
        experts=4, top_k=1, expert_ffn=8, moe_layer_every=2,
    )  # fmt: skip
    assert layer_split(model) == (3, 3)
    assert parameters(model).embedding == 0


def test_a_batch_touches_every_expert_in_the_limit_and_top_k_for_one_token():
    touched = experts_touched(256, 8, np.array([1.0, 1e6]))
    assert touched.tolist() == pytest.approx([8.0, 256.0])


def test_a_window_of_the_whole_sequence_is_full_attention():
    model = Model(
        id="m", layers=4, hidden=4, heads=2, kv_heads=2, head_dim=2, vocab=9, window=512, window_layers=4
    )
    assert mean_causal_context(model, 512) == pytest.approx(256)
    assert mean_causal_context(model, 5120) == pytest.approx(512 - 512 / 20)


def test_the_classical_block_keeps_32_bytes_per_unit_of_width():
    # Korthikanti et al. count 34 s b h with two dropout masks of one byte; those are gone
    model = Model(
        id="gpt", layers=2, hidden=64, heads=4, kv_heads=4, head_dim=16, ffn=256, ffn_matrices=2, vocab=9
    )
    assert activation_bytes_per_token_layer(model) == 32 * 64
