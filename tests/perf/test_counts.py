"""Counts match published names, hand arithmetic, and sums taken token by token."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.domain.technology import Model
from exaplan.io.catalogue import load_models
from exaplan.perf.counts import (
    attention_flop_per_context_token,
    attention_parameters,
    experts_touched,
    forward_flop_per_token,
    kv_bytes,
    kv_values_per_token_layer,
    layer_split,
    mean_causal_context,
    mean_context,
    parameters,
    training_flop_per_token,
)

MODELS = load_models()


@pytest.mark.parametrize(
    ("name", "total_b"),
    [
        ("Meta-Llama-3.1-8B", 8.03),
        ("Meta-Llama-3.1-70B", 70.55),
        ("Meta-Llama-3.1-405B", 405.85),
        ("DeepSeek-V3", 671.0),
        ("gpt-oss-120b", 116.8),
        ("Qwen3-235B-A22B", 235.1),
        ("Kimi-K2-Instruct", 1026.0),
        ("MiniMax-M2.5", 228.7),
        ("Mixtral-8x7B-v0.1", 46.7),
        ("gemma2-27b", 27.2),
    ],
)
def test_parameters_match_the_published_name_within_a_thousandth(name, total_b):
    assert parameters(MODELS[name]).total == pytest.approx(1e9 * total_b, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "without_b", "with_b"),
    [
        ("DeepSeek-V3", 36.6, 37.6),
        ("gpt-oss-120b", 5.13, 5.7),
        ("Qwen3-235B-A22B", 21.57, 22.2),
        ("Kimi-K2-Instruct", 31.7, 32.9),
        ("MiniMax-M2.5", 10.4, 11.0),
        ("Mixtral-8x7B-v0.1", 12.75, 12.9),
    ],
)
def test_active_parameters_without_and_with_the_input_embedding(name, without_b, with_b):
    # publishers count either way: 5.1 of gpt-oss leave the look-up out, 37.6 of DeepSeek-V3 count it
    count = parameters(MODELS[name])
    assert count.active == pytest.approx(1e9 * without_b, rel=0.004)
    assert count.active + count.embedding == pytest.approx(1e9 * with_b, rel=0.004)


@pytest.mark.parametrize(
    ("name", "per_token"),
    [
        ("Meta-Llama-3.1-8B", 2 * 32 * 8 * 128 * 2),
        ("Meta-Llama-3.1-70B", 2 * 80 * 8 * 128 * 2),
        ("Meta-Llama-3.1-405B", 2 * 126 * 8 * 128 * 2),
        ("DeepSeek-V3", 61 * (512 + 64) * 2),
    ],
)
def test_a_token_leaves_exactly_its_keys_and_values_in_the_cache(name, per_token):
    assert kv_bytes(MODELS[name], 1000, 2.0) == 1000 * per_token


def test_the_latent_of_deepseek_v3_is_70_kb_a_token_where_full_heads_would_be_5_mb():
    model = MODELS["DeepSeek-V3"]
    assert kv_bytes(model, 1.0, 2.0) == pytest.approx(70e3, rel=0.01)
    assert 2 * 61 * model.heads * (192 + 128) == pytest.approx(5.0e6, rel=0.01)


def test_windowed_layers_keep_only_their_window():
    model = MODELS["gpt-oss-120b"]
    per_layer = 2 * 8 * 64 * 2.0
    assert kv_bytes(model, 10_000, 2.0) == pytest.approx(per_layer * (18 * 10_000 + 18 * 128))


def test_attention_of_deepseek_v3_has_187_million_parameters_a_layer():
    # d q_r + q_r h(d_n + d_r) + d(r + d_r) + r h(d_n + d_v) + h d_v d
    by_hand = 7168 * 1536 + 1536 * 128 * 192 + 7168 * 576 + 512 * 128 * 256 + 128 * 128 * 7168
    assert attention_parameters(MODELS["DeepSeek-V3"]) == by_hand


def test_the_absorbed_form_reads_the_latent_at_three_times_the_flop():
    # 2 h (d_n + d_r + d_v) = 2 * 128 * 320 against 2 h (2 r + d_r) = 2 * 128 * 1088
    model = MODELS["DeepSeek-V3"]
    assert attention_flop_per_context_token(model, absorbed=False) == 81_920
    assert attention_flop_per_context_token(model, absorbed=True) == 278_528
    assert kv_values_per_token_layer(model) == 576


def test_grouped_queries_cost_the_flop_of_all_heads():
    # 4 h d_h whatever the number of key-value heads, absorbed or not
    model = MODELS["Meta-Llama-3.1-70B"]
    assert attention_flop_per_context_token(model, absorbed=False) == 4 * 64 * 128
    assert attention_flop_per_context_token(model, absorbed=True) == 4 * 64 * 128


def test_deepseek_v3_trains_at_250_gflop_per_token():
    assert training_flop_per_token(MODELS["DeepSeek-V3"], 4096) == pytest.approx(250e9, rel=0.005)


def test_llama_405b_trains_at_the_2524_gflop_per_token_that_megatron_counts():
    # published since 2025-09 as 6 (N - input embedding) + 6 L h s; ours leaves out norms only
    assert training_flop_per_token(MODELS["Meta-Llama-3.1-405B"], 8192) == pytest.approx(2524e9, rel=0.002)


@given(sequence=st.integers(1, 400), window=st.integers(1, 500), local=st.integers(0, 4))
def test_causal_attention_summed_token_by_token_is_the_mean_of_the_formula(sequence, window, local):
    # 64 points per token: the sum then comes within a thousandth of the integral
    model = Model(
        id="m", layers=4, hidden=4, heads=2, kv_heads=2, head_dim=2, vocab=9, window=window, window_layers=local
    )  # fmt: skip
    steps = 64
    position = (np.arange(sequence * steps) + 0.5) / steps
    seen = (4 - local) / 4 * position + local / 4 * np.minimum(position, window)
    assert mean_causal_context(model, float(sequence)) == pytest.approx(seen.mean(), rel=1e-3)


def test_a_backward_pass_is_twice_the_forward_pass_with_a_window_too():
    model = MODELS["gpt-oss-120b"]
    context = (18 * 2048 + 18 * (128 - 128**2 / (2 * 4096))) / 36
    attention = 36 * 4 * 64 * 64 * context
    assert forward_flop_per_token(model, context) == pytest.approx(2 * parameters(model).active + attention)
    assert training_flop_per_token(model, 4096) == pytest.approx(3 * forward_flop_per_token(model, context))


def test_hand_arithmetic_of_a_tiny_sparse_model():
    model = Model(
        id="tiny", layers=3, hidden=4, heads=2, kv_heads=1, head_dim=2, ffn=8, vocab=10,
        experts=4, top_k=2, shared_experts=1, expert_ffn=3, first_dense_layers=1,
    )  # fmt: skip
    count = parameters(model)
    assert layer_split(model) == (1, 2)
    parts = (count.attention, count.dense_ffn, count.expert, count.shared, count.router)
    assert parts == (48, 96, 36, 36, 16)
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


def test_experts_touched_agree_with_throwing_the_dice():
    rng = np.random.default_rng(0)
    thrown = [
        np.unique(np.concatenate([rng.choice(64, 4, replace=False) for _ in range(20)])).size
        for _ in range(400)
    ]
    assert float(experts_touched(64.0, 4.0, np.array(20.0))) == pytest.approx(np.mean(thrown), rel=0.01)


@given(tokens=st.floats(0, 1e5), more=st.floats(0, 1e5))
def test_more_tokens_never_touch_fewer_experts_nor_more_than_there_are(tokens, more):
    few, many = experts_touched(128.0, 8.0, np.array([tokens, tokens + more]))
    assert 0 <= few <= many <= 128


def test_a_window_of_the_whole_sequence_is_full_attention():
    model = Model(
        id="m", layers=4, hidden=4, heads=2, kv_heads=2, head_dim=2, vocab=9, window=512, window_layers=4
    )
    assert mean_causal_context(model, 512) == pytest.approx(256)
    assert mean_causal_context(model, 5120) == pytest.approx(512 - 512 / 20)
    assert mean_context(model, 300.0) == 300
    assert mean_context(model, 5120.0) == 512
