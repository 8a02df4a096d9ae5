"""Serving: conservation of machine time, limits, and what more hardware may never do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.domain.errors import InputError
from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.counts import kv_bytes
from exaplan.perf.estimate import estimate, request_of
from exaplan.perf.machine import machine_of
from exaplan.perf.search import search_serving, serving_mesh
from exaplan.perf.serving import ServeMesh, ServeRequest, pass_terms, serve_closed_loop, serving_memory_bytes

CHIPS, MODELS = load_chips(), load_models()
H100 = machine_of(CHIPS["H100-SXM"], "fp8")
CHAT = ServeRequest(1200, 300)


def one(tp=1, pp=1, ep=1, dp=1, slots=1):
    return ServeMesh(*(np.atleast_1d(np.asarray(value, dtype=float)) for value in (tp, pp, ep, dp, slots)))


def many(slots, **layout):
    slots = np.asarray(slots, dtype=float)
    fixed = {name: np.full(slots.size, float(layout.get(name, 1))) for name in ("tp", "pp", "ep", "dp")}
    return ServeMesh(**fixed, slots=slots)


def test_one_sequence_of_llama_70b_reads_all_weights_per_token():
    # 70.6 GB in FP8 over 8 chips at 3.35 TB/s: 2.6 ms at full bandwidth; launches and messages come on top
    tpot = serve_closed_loop(MODELS["Meta-Llama-3.1-70B"], H100, CHAT, one(tp=8)).tpot_s[0]
    assert 70.6e9 / 8 / 3.35e12 < tpot < 4 * 70.6e9 / 8 / 3.35e12


def test_one_sequence_pays_its_own_prefill_and_no_other():
    result = serve_closed_loop(MODELS["Meta-Llama-3.1-8B"], H100, CHAT, one())
    assert result.terms["prefill of other requests"][0] == 0
    prefill = 1500 / result.tokens_per_s_per_chip[0] - 300 * result.tpot_s[0]
    assert 0 < prefill < result.ttft_s[0]


def test_decode_steps_and_prefill_passes_of_a_second_add_up_to_a_second():
    model, mesh = MODELS["Meta-Llama-3.1-8B"], many([1, 8, 64, 256])
    prompts = np.minimum(mesh.slots, 6)  # of 1200 tokens in a pass of 8192
    step = sum(pass_terms(model, H100, mesh, mesh.slots, context_tokens=1350, decode=True).values())
    prefill = pass_terms(model, H100, mesh, prompts * 1200, context_tokens=600, decode=False)
    requests = serve_closed_loop(model, H100, CHAT, mesh).output_tokens_per_s_per_chip / 300
    busy = requests * (sum(prefill.values()) / prompts + 300 * step / mesh.slots)
    assert busy == pytest.approx(np.ones(4))


def test_memory_is_weights_cache_and_workspace():
    model = MODELS["Meta-Llama-3.1-70B"]
    memory = serving_memory_bytes(model, H100, CHAT, one(tp=8, slots=32))[0]
    cache = kv_bytes(model, 1350, 1.0) * 32 / 8
    assert memory == pytest.approx(70.55e9 / 8 + cache + H100.knobs.workspace_bytes, rel=1e-3)


def test_tensor_parallelism_replicates_the_latent_cache():
    model = MODELS["DeepSeek-V3"]
    grow = [np.diff(serving_memory_bytes(model, H100, CHAT, many([8, 16], tp=tp, ep=tp)))[0] for tp in (1, 8)]
    assert grow[0] == pytest.approx(grow[1]) == 8 * kv_bytes(model, 1350, 1.0)


LAYOUTS = st.sampled_from(
    [
        ("Meta-Llama-3.1-70B", {"tp": 8}),
        ("Meta-Llama-3.1-70B", {"tp": 2, "pp": 4}),
        ("DeepSeek-V3", {"tp": 8, "ep": 8}),
        ("DeepSeek-V3", {"dp": 32, "ep": 32}),
        ("gpt-oss-120b", {"tp": 4}),
        ("Qwen3-235B-A22B", {"tp": 2, "dp": 8, "ep": 16}),
    ]
)


@given(
    layout=LAYOUTS,
    chip=st.sampled_from(["H100-SXM", "TPU-v5p", "GB200-NVL72", "Trainium2"]),
    prompt=st.floats(10, 20000),
    answer=st.floats(10, 5000),
)
def test_tpot_never_falls_with_the_batch(layout, chip, prompt, answer):
    name, split = layout
    machine = machine_of(CHIPS[chip], "fp8")
    result = serve_closed_loop(
        MODELS[name], machine, ServeRequest(prompt, answer), many(range(1, 400), **split)
    )
    assert (np.diff(result.tpot_s) >= -1e-12 * result.tpot_s[1:]).all()


@given(
    field=st.sampled_from(
        [
            "fp8_flop_per_s",
            "hbm_bandwidth_bytes_per_s",
            "scale_up_bandwidth_bytes_per_s",
            "scale_out_bandwidth_bytes_per_s",
        ]
    ),
    factor=st.floats(1.0, 8.0),
    name=st.sampled_from(["Meta-Llama-3.1-70B", "DeepSeek-V3"]),
)
def test_a_better_chip_is_never_slower_in_any_configuration(field, factor, name):
    chip, model = CHIPS["H100-SXM"], MODELS[name]
    better = machine_of(chip.model_copy(update={field: getattr(chip, field) * factor}), "fp8")
    mesh = serving_mesh(model, H100, 64)
    before, after = (serve_closed_loop(model, machine, CHAT, mesh) for machine in (H100, better))
    assert (after.tpot_s <= before.tpot_s * (1 + 1e-9)).all()
    assert (after.tokens_per_s_per_chip >= before.tokens_per_s_per_chip * (1 - 1e-9)).all()


def test_memory_does_not_grow_with_tensor_parallelism():
    for name in ("Meta-Llama-3.1-70B", "DeepSeek-V3", "gpt-oss-120b"):
        sizes = [
            serving_memory_bytes(MODELS[name], H100, CHAT, one(tp=tp, slots=64))[0]
            for tp in (1, 2, 4, 8, 16, 32)
        ]
        assert sizes == sorted(sizes, reverse=True)


def test_a_tighter_limit_never_raises_throughput_and_is_kept():
    model = MODELS["Meta-Llama-3.1-70B"]
    best = []
    for limit in (0.2, 0.1, 0.05, 0.025, 0.0125):
        found = search_serving(model, H100, ServeRequest(1200, 300, limit))
        top = found.order[0]
        assert found.result.tpot_s[top] <= limit
        best.append(found.result.tokens_per_s_per_chip[top])
    assert best == sorted(best, reverse=True)


def test_each_limit_that_cannot_be_kept_is_named():
    model = MODELS["DeepSeek-V3"]
    assert search_serving(model, H100, ServeRequest(1200, 300, 1e-4)).reason.startswith("TPOT: the fastest")
    assert search_serving(model, H100, ServeRequest(1200, 300, 1.0, 1e-4)).reason.startswith(
        "TTFT: the soonest"
    )
    assert search_serving(model, H100, CHAT, chips_max=8).reason.startswith("memory: the leanest")


def test_llama_8b_on_v5e_and_h100_are_sensible():
    small, large = (
        estimate(
            MODELS["Meta-Llama-3.1-8B"],
            CHIPS[name],
            input_tokens=1024,
            output_tokens=1024,
            tpot_s=0.05,
            top=1,
        )[0]
        for name in ("TPU-v5e", "H100-SXM")
    )
    assert (small.precision, large.precision) == ("bf16", "fp8")
    # an H100 has 4 times the bandwidth, 5 times the memory and 10 times the peak (FP8 against BF16)
    assert 4 < large.tokens_per_s_per_chip / small.tokens_per_s_per_chip < 25


def test_an_estimate_opens_to_its_equation():
    row = estimate(
        MODELS["DeepSeek-V3"], CHIPS["H100-SXM"], input_tokens=1200, output_tokens=300, tpot_s=0.05
    )[0]
    rate = next(item for item in row.derivations if item.key == "tokens_per_s_per_chip")
    values = {operand.name: operand.value for operand in rate.operands}
    again = values["in_flight"] * 1500 / (values["prefill"] + 300 * values["tpot"]) / values["chips"]
    assert again == pytest.approx(row.tokens_per_s_per_chip) == rate.value
    assert sum(row.terms.values()) == pytest.approx(row.tpot_s)
    assert row.bottleneck in row.terms
    assert 0 < row.mfu < 1
    assert 0 < row.memory_share < 0.92
    assert 753 + 0.3 * 700 <= row.power_w <= 1453


def test_missing_and_senseless_arguments_are_all_named_at_once():
    with pytest.raises(InputError) as caught:
        request_of("train", sequence_tokens=-1.0)
    assert len(caught.value.problems) == 3
    assert "sequence_tokens is -1" in str(caught.value)
