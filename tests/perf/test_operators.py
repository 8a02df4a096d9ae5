"""Operators on the roofline: counts that follow from the shapes, and the limit that binds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.estimate import request_of, survey
from exaplan.perf.operators import bottleneck_operator, operators_of

CHIPS, MODELS = load_chips(), load_models()
SERVE = request_of("serve", input_tokens=1000, output_tokens=500, tpot_s=0.05)
JOB = request_of("train", sequence_tokens=4096, batch_tokens=1e6, cluster_chips=64)


def opened(model, chip, request):
    found = survey(MODELS[model], CHIPS[chip], request, precision="bf16", top=1)
    row = found.estimates[0]
    return row, operators_of(MODELS[model], found.machine, request, row)


@pytest.fixture(scope="module")
def decode():
    row, operators = opened("Qwen3-8B", "H100-SXM", SERVE)
    return row, {one.name: one for one in operators if one.part == "decode"}


def test_feed_forward_flop_of_a_decode_step_by_hand(decode):
    row, operators = decode
    model = MODELS["Qwen3-8B"]
    rows = row.layout["slots"]
    by_hand = 2 * rows * 3 * model.hidden * model.ffn * model.layers / row.tp
    assert operators["feed-forward"].useful_flop == pytest.approx(by_hand, rel=1e-6)
    assert operators["feed-forward"].flop >= by_hand * (1 - 1e-9), "padding only adds"


def test_feed_forward_bytes_are_weights_and_activations(decode):
    row, operators = decode
    model, rows = MODELS["Qwen3-8B"], row.layout["slots"]
    width = model.ffn / row.tp
    weights = 3 * model.hidden * width
    activations = rows * (model.hidden + 2 * width) + rows * (model.hidden + width)
    assert operators["feed-forward"].moved_bytes == pytest.approx(
        2 * (weights + activations) * model.layers, rel=1e-6
    )


def test_attention_of_a_decode_step_reads_the_cache_once(decode):
    row, operators = decode
    model = MODELS["Qwen3-8B"]
    shards = min(row.tp, model.kv_heads)
    cache = (
        2 * model.kv_heads * model.head_dim * 2 * SERVE.context_tokens * row.layout["slots"] * model.layers
    )
    assert operators["attention"].moved_bytes == pytest.approx(cache / shards, rel=1e-6)


def test_no_operator_beats_its_roof():
    for model, chip, request in (
        ("Qwen3-8B", "H100-SXM", SERVE),
        ("DeepSeek-V3", "B200-SXM", SERVE),
        ("Qwen3-8B", "TPU-v6e-Trillium", JOB),
    ):
        for one in opened(model, chip, request)[1]:
            roof = min(one.peak_flop_per_s, one.intensity * one.peak_bytes_per_s)
            assert one.flop_per_s <= roof * (1 + 1e-9), (one.name, one.part)
            assert one.seconds >= max(one.compute_s, one.memory_s) * (1 - 1e-9)


def test_elementwise_work_is_bytes_alone(decode):
    one = decode[1]["elementwise"]
    assert one.flop == pytest.approx(0.0, abs=1e-3)
    assert one.binds == "memory"


def test_a_lone_sequence_is_bound_by_memory_and_a_training_step_by_compute():
    lonely = request_of("serve", input_tokens=10, output_tokens=500, tpot_s=0.004)
    _, operators = opened("Qwen3-8B", "H100-SXM", lonely)
    assert next(one for one in operators if one.name == "feed-forward").binds == "memory"
    _, operators = opened("Qwen3-8B", "H100-SXM", JOB)
    assert next(one for one in operators if one.name == "feed-forward").binds == "compute"


def test_training_flop_of_products_are_six_per_parameter_and_token():
    row, operators = opened("Qwen3-8B", "H100-SXM", JOB)
    model = MODELS["Qwen3-8B"]
    if row.layout["recompute"] >= 2 or row.pp > 1:
        pytest.skip("the fastest configuration recomputes or has stages")
    one = next(one for one in operators if one.name == "feed-forward")
    tokens = JOB.batch_tokens / (row.dp * row.layout["cp"])
    by_hand = 6 * 3 * model.hidden * model.ffn * model.layers * tokens / row.tp
    assert one.useful_flop == pytest.approx(by_hand, rel=0.05)  # whole microbatches round up


def test_the_bottleneck_operator_has_the_name_or_the_part_of_the_bottleneck():
    row, operators = opened("DeepSeek-V3", "H100-SXM", SERVE)
    one = bottleneck_operator(row, operators)
    if row.bottleneck == "prefill of other requests":
        assert one.part == "prefill"
    elif one is not None:
        assert one.name == row.bottleneck


def test_counts_do_not_depend_on_coefficients():
    model, chip = MODELS["Qwen3-8B"], CHIPS["H100-SXM"]
    from dataclasses import replace

    from exaplan.perf.knobs import knobs_for

    found = survey(model, chip, SERVE, precision="bf16", top=1)
    slow = replace(
        found.machine, knobs=replace(knobs_for(chip), flop_share=0.3, memory_share=0.3, launch_s=1e-4)
    )
    first = operators_of(model, found.machine, SERVE, found.estimates[0])
    second = {(one.name, one.part): one for one in operators_of(model, slow, SERVE, found.estimates[0])}
    for one in first:
        other = second[one.name, one.part]
        assert one.flop == pytest.approx(other.flop)
        assert one.moved_bytes == pytest.approx(other.moved_bytes)
    assert all(math.isfinite(one.seconds) for one in first)
    assert np.all([second[one.name, one.part].seconds > one.seconds * 0.99 for one in first])
