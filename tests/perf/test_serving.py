"""Serving: conservation of machine time, prefixes, proposals, two pools, limits, and what more hardware may never do."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.domain.errors import InputError
from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.counts import kv_bytes, mean_causal_context
from exaplan.perf.estimate import estimate, request_of
from exaplan.perf.machine import machine_of
from exaplan.perf.search import search_serving, serving_mesh
from exaplan.perf.serving import (
    ServeMesh,
    ServeRequest,
    pass_terms,
    serve_closed_loop,
    serve_static_batch,
    serving_memory_bytes,
)

CHIPS, MODELS = load_chips(), load_models()
H100 = machine_of(CHIPS["H100-SXM"], "fp8")
CHAT = ServeRequest(1200, 300)
SMALL, LARGE, SPARSE = (MODELS[name] for name in ("Meta-Llama-3.1-8B", "Meta-Llama-3.1-70B", "DeepSeek-V3"))


def one(tp=1, pp=1, ep=1, dp=1, slots=1):
    return ServeMesh(*(np.atleast_1d(np.asarray(value, dtype=float)) for value in (tp, pp, ep, dp, slots)))


def many(slots, **layout):
    slots = np.asarray(slots, dtype=float)
    fixed = {name: np.full(slots.size, float(layout.get(name, 1))) for name in ("tp", "pp", "ep", "dp")}
    return ServeMesh(**fixed, slots=slots)


def interfering(gamma):
    return replace(H100, knobs=replace(H100.knobs, prefill_interference=gamma))


def test_one_sequence_of_llama_70b_reads_all_weights_per_token():
    # 70.6 GB in FP8 over 8 chips at 3.35 TB/s: 2.6 ms at full bandwidth; launches and messages come on top
    tpot = serve_closed_loop(LARGE, H100, CHAT, one(tp=8)).tpot_s[0]
    assert 70.6e9 / 8 / 3.35e12 < tpot < 4 * 70.6e9 / 8 / 3.35e12


def test_one_sequence_pays_its_own_prefill_and_no_other():
    result = serve_closed_loop(SMALL, H100, CHAT, one())
    assert result.terms["prefill of other requests"][0] == 0
    prefill = 1500 / result.tokens_per_s_per_chip[0] - 300 * result.tpot_s[0]
    assert 0 < prefill < result.ttft_s[0]


def test_decode_steps_and_prefill_passes_of_a_second_add_up_to_a_second():
    mesh = many([1, 8, 64, 256])
    prompts = np.minimum(mesh.slots, 6)  # of 1200 tokens in a pass of 8192
    step = sum(pass_terms(SMALL, H100, mesh, mesh.slots, context_tokens=1350, decode=True).values())
    prefill = pass_terms(SMALL, H100, mesh, prompts * 1200, context_tokens=600, decode=False)
    requests = serve_closed_loop(SMALL, interfering(1.0), CHAT, mesh).output_tokens_per_s_per_chip / 300
    busy = requests * (sum(prefill.values()) / prompts + 300 * step / mesh.slots)
    assert busy == pytest.approx(np.ones(4))


def test_a_static_batch_takes_its_first_token_and_the_others_one_by_one():
    mesh = many([1, 16, 64], tp=2)
    result = serve_static_batch(SMALL, H100, CHAT, mesh)
    latency = result.ttft_s + 299 * result.tpot_s
    assert result.output_tokens_per_s_per_chip == pytest.approx(mesh.slots * 300 / latency / 2)
    prefill = pass_terms(SMALL, H100, mesh, mesh.slots * 1200, context_tokens=600, decode=False)
    assert result.ttft_s == pytest.approx(sum(prefill.values()))


def test_a_single_sequence_gains_nothing_at_its_first_token_from_a_pipeline():
    # it visits the stages one after another
    first = [
        serve_static_batch(LARGE, H100, CHAT, one(tp=2, pp=pp, slots=1 / pp)).ttft_s[0] for pp in (1, 2, 4, 8)
    ]
    assert all(later >= first[0] for later in first)


def test_a_full_pipeline_ends_its_first_pass_after_all_groups():
    # four groups in four stages: seven stage times of a quarter of a pass
    whole = serve_static_batch(LARGE, H100, CHAT, one(tp=2, slots=8)).ttft_s[0]
    piped = serve_static_batch(LARGE, H100, CHAT, one(tp=2, pp=4, slots=8)).ttft_s[0]
    assert piped == pytest.approx(whole * 7 / 4, rel=0.02)


def test_a_cached_prefix_is_attended_to_and_not_computed():
    cold, warm, none = (
        serve_closed_loop(SMALL, H100, ServeRequest(4000, 100, prefix_share=share), one(slots=8))
        for share in (0.0, 0.75, 0.001)
    )
    assert warm.ttft_s < cold.ttft_s
    assert warm.output_tokens_per_s_per_chip > cold.output_tokens_per_s_per_chip
    assert none.ttft_s == pytest.approx(cold.ttft_s, rel=0.01)
    assert warm.memory_bytes == cold.memory_bytes


@pytest.mark.parametrize("name", ["Meta-Llama-3.1-8B", "gpt-oss-120b"])
def test_fresh_tokens_behind_a_prefix_attend_to_what_lies_before_them(name):
    # the causal sum over all tokens less that over the known ones
    model = MODELS[name]
    result = serve_static_batch(model, H100, ServeRequest(4000, 2, prefix_share=0.5), one(slots=1))
    whole, known = (n * mean_causal_context(model, n) for n in (4000.0, 2000.0))
    expected = pass_terms(
        model, H100, one(), np.array([2000.0]), context_tokens=(whole - known) / 2000, decode=False
    )
    assert result.ttft_s == pytest.approx(sum(expected.values()), rel=1e-6)


def test_no_proposals_are_no_speculation():
    plain = serve_closed_loop(SMALL, H100, CHAT, many([1, 64]))
    none = serve_closed_loop(SMALL, H100, ServeRequest(1200, 300, acceptance=0.9), many([1, 64]))
    assert (plain.tpot_s == none.tpot_s).all()


@pytest.mark.parametrize(("q", "p", "tokens"), [(3, 1.0, 4), (3, 0.0, 1), (1, 0.85, 1.85), (2, 0.5, 1.75)])
def test_a_step_yields_the_accepted_proposals_and_one_more(q, p, tokens):
    assert float(ServeRequest(1, 1, draft_tokens=q, acceptance=p).tokens_per_step) == pytest.approx(
        tokens, 1e-6
    )


def test_proposals_that_are_all_accepted_divide_a_memory_bound_step():
    # one sequence: weights are read once for four tokens
    plain, fourfold = (
        serve_closed_loop(LARGE, H100, ServeRequest(1200, 300, draft_tokens=q, acceptance=1.0), one(tp=8))
        for q in (0, 3)
    )
    assert plain.tpot_s / fourfold.tpot_s == pytest.approx(4, rel=0.05)


def test_checking_proposals_reads_the_cache_once_a_sequence():
    # 128 k tokens of context: attention of a step is its cache, whatever the tokens checked together
    request = [ServeRequest(128e3, 100, draft_tokens=q, acceptance=1.0) for q in (0, 1)]
    plain, checked = (
        serve_closed_loop(SMALL, H100, each, one(slots=8)).terms["attention"] for each in request
    )
    assert 2 * checked == pytest.approx(plain, rel=0.1)


def test_a_proposal_costs_its_share_of_a_step_without_proposals():
    free, dear = (
        serve_closed_loop(
            SMALL, H100, ServeRequest(1200, 300, draft_tokens=4, acceptance=1.0, draft_cost_share=share),
            one(slots=64),
        ).tpot_s
        for share in (0.0, 0.1)
    )  # fmt: skip
    decode = pass_terms(SMALL, H100, one(), np.array([64.0]), context_tokens=1350, decode=True)
    assert 5 * (dear - free) == pytest.approx(4 * 0.1 * sum(decode.values()), rel=0.01)


def test_two_pools_join_like_resistances_and_no_prompt_delays_a_token():
    apart = serve_closed_loop(LARGE, H100, replace(CHAT, disaggregated=True), one(tp=4, slots=32))
    decode = 32 / apart.tpot_s / 4
    prompts = 6 * 1200
    passed = pass_terms(LARGE, H100, one(tp=4), np.array([prompts]), context_tokens=600.0, decode=False)
    prefill = 6 / sum(passed.values()) * 300 / 4  # output tokens that a prefill chip makes possible
    rate = apart.output_tokens_per_s_per_chip
    assert 1 / rate == pytest.approx(1 / decode + 1 / prefill)
    assert apart.terms["prefill of other requests"] == 0
    together = serve_closed_loop(LARGE, interfering(1.0), CHAT, one(tp=4, slots=32))
    assert apart.tpot_s < together.tpot_s
    # with machine time conserved, splitting the work of equal chips gains nothing
    assert rate == pytest.approx(together.output_tokens_per_s_per_chip)


def test_memory_is_weights_cache_and_workspace():
    memory = serving_memory_bytes(LARGE, H100, CHAT, one(tp=8, slots=32))[0]
    cache = kv_bytes(LARGE, 1350, 1.0) * 32 / 8
    assert memory == pytest.approx(70.55e9 / 8 + cache + H100.knobs.workspace_bytes, rel=1e-3)


def test_tensor_parallelism_replicates_the_latent_cache():
    grow = [
        np.diff(serving_memory_bytes(SPARSE, H100, CHAT, many([8, 16], tp=tp, ep=tp)))[0] for tp in (1, 8)
    ]
    assert grow[0] == pytest.approx(grow[1]) == 8 * kv_bytes(SPARSE, 1350, 1.0)


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
    known=st.floats(0, 0.99),
    draft=st.integers(0, 4),
)
def test_tpot_never_falls_with_the_batch(layout, chip, prompt, answer, known, draft):
    name, split = layout
    machine = machine_of(CHIPS[chip], "fp8")
    request = ServeRequest(prompt, answer, prefix_share=known, draft_tokens=draft, acceptance=0.7)
    result = serve_closed_loop(MODELS[name], machine, request, many(range(1, 400), **split))
    assert (np.diff(result.tpot_s) >= -1e-12 * result.tpot_s[1:]).all()
    assert np.isfinite(result.ttft_s).all()


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
    model=st.sampled_from([LARGE, SPARSE]),
)
def test_a_better_chip_is_never_slower_in_any_configuration(field, factor, model):
    chip = CHIPS["H100-SXM"]
    better = machine_of(chip.model_copy(update={field: getattr(chip, field) * factor}), "fp8")
    mesh = serving_mesh(model, H100, 64)
    before, after = (serve_closed_loop(model, machine, CHAT, mesh) for machine in (H100, better))
    assert (after.tpot_s <= before.tpot_s * (1 + 1e-9)).all()
    assert (after.tokens_per_s_per_chip >= before.tokens_per_s_per_chip * (1 - 1e-9)).all()


def test_memory_does_not_grow_with_tensor_parallelism():
    for name in ("Meta-Llama-3.1-70B", "DeepSeek-V3", "gpt-oss-120b"):
        layouts = [one(tp=tp, slots=64) for tp in (1, 2, 4, 8, 16, 32)]
        sizes = [serving_memory_bytes(MODELS[name], H100, CHAT, layout)[0] for layout in layouts]
        assert sizes == sorted(sizes, reverse=True)


def test_a_tighter_limit_never_raises_throughput_and_is_kept():
    best = []
    for limit in (0.2, 0.1, 0.05, 0.025, 0.0125):
        found = search_serving(LARGE, H100, ServeRequest(1200, 300, limit))
        top = found.order[0]
        assert found.result.tpot_s[top] <= limit
        best.append(found.result.tokens_per_s_per_chip[top])
    assert best == sorted(best, reverse=True)


def test_each_limit_that_cannot_be_kept_is_named():
    assert search_serving(SPARSE, H100, ServeRequest(1200, 300, 1e-4)).reason.startswith("TPOT: the fastest")
    late = search_serving(SPARSE, H100, ServeRequest(1200, 300, 1.0, 1e-4)).reason
    assert late.startswith("TTFT: the soonest")
    assert search_serving(SPARSE, H100, CHAT, chips_max=8).reason.startswith("memory: the leanest")


def test_an_estimate_opens_to_its_equation():
    row = estimate(SPARSE, CHIPS["H100-SXM"], input_tokens=1200, output_tokens=300, tpot_s=0.05)[0]
    rate = next(item for item in row.derivations if item.key == "tokens_per_s_per_chip")
    values = {operand.name: operand.value for operand in rate.operands}
    again = values["in_flight"] * 1500 / (values["prefill"] + 300 * values["tpot"]) / values["chips"]
    assert again == pytest.approx(row.tokens_per_s_per_chip) == rate.value
    assert sum(row.terms.values()) == pytest.approx(row.tpot_s)
    assert row.bottleneck in row.terms
    assert 0 < row.mfu < 1
    assert 753 + 0.3 * 700 <= row.power_w <= 1453


def test_missing_and_senseless_arguments_are_all_named_at_once():
    with pytest.raises(InputError) as caught:
        request_of("train", sequence_tokens=-1.0)
    assert len(caught.value.problems) == 3
    assert "sequence_tokens is -1" in str(caught.value)


def test_a_full_pipeline_is_paced_by_its_longest_stage():
    # 61 layers on 16 stages: four in the longest, as if there were 64
    whole, staged = (serve_closed_loop(SPARSE, H100, CHAT, one(tp=8, pp=pp, slots=8)) for pp in (1, 16))
    assert staged.terms["experts"] / whole.terms["experts"] == pytest.approx(64 / 61)


def test_a_prompt_that_is_known_wholly_still_has_a_last_token_to_compute():
    known = serve_closed_loop(SMALL, H100, ServeRequest(2000.0, 100.0, prefix_share=1.0), one(slots=8))
    nearly = serve_closed_loop(SMALL, H100, ServeRequest(2000.0, 100.0, prefix_share=0.999), one(slots=8))
    assert known.ttft_s == pytest.approx(nearly.ttft_s, rel=0.05)
