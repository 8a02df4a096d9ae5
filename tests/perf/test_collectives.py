"""Messages on a cluster of two levels: bytes counted rank by rank, times by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.domain.technology import Chip
from exaplan.io.catalogue import load_models
from exaplan.perf.collectives import all_reduce_s, all_to_all_s, imbalance, levels, scatter_s, send_s
from exaplan.perf.knobs import KNOBS
from exaplan.perf.layers import Split, forward_terms
from exaplan.perf.machine import machine_of

UP, OUT, NEAR_S, FAR_S = 400e9, 50e9, 1e-6, 4e-6
CHIP = Chip(
    id="gpu", designer="NVIDIA", launch="2022-09", bf16_flop_per_s=1e15, fp8_flop_per_s=2e15, hbm_bytes=80e9,
    hbm_bandwidth_bytes_per_s=3e12, scale_up_domain=8, scale_up_bandwidth_bytes_per_s=UP,
    scale_out_bandwidth_bytes_per_s=OUT,
)  # fmt: skip
FULL = replace(
    KNOBS["hopper"], link_share=1.0, network_share=1.0, scale_up_latency_s=NEAR_S, scale_out_latency_s=FAR_S,
    torus_axes=0.0, skew=1.0,
)  # fmt: skip
GPU = machine_of(CHIP, "bf16", FULL)
SWIFT = replace(GPU, knobs=replace(FULL, scale_up_latency_s=0.0, scale_out_latency_s=0.0))
SIZE = 1e9
MODELS = load_models()


def ring_bytes(group, domain):
    """Bytes that one rank sends up and out in a two-level reduce-scatter of SIZE, step by step."""
    inner = min(domain, group)
    up = sum(SIZE / inner for _ in range(inner - 1))
    outer = group // inner
    return up, sum(SIZE / inner / outer for _ in range(outer - 1))


@pytest.mark.parametrize("group", [2, 8, 16, 32, 256])
def test_reduce_scatter_moves_the_bytes_of_two_rings(group):
    up, out = ring_bytes(group, 8)
    assert float(scatter_s(SIZE, group, 1, SWIFT)) == pytest.approx(up / UP + out / OUT)


def test_reduce_scatter_over_32_chips_by_hand():
    # 7/8 of 1 GB up; of the eighth that is left 3/4 out; 3 hops near and 2 far
    by_hand = 7 / 8 * 1e9 / UP + 3 * NEAR_S + 3 / 4 * 0.125e9 / OUT + 2 * FAR_S
    assert float(scatter_s(SIZE, 32, 1, GPU)) == pytest.approx(by_hand)
    assert float(all_reduce_s(SIZE, 32, 1, GPU)) == pytest.approx(2 * by_hand)


def test_neighbours_eight_chips_apart_talk_over_the_network_alone():
    assert float(scatter_s(SIZE, 4, 8, GPU)) == pytest.approx(3 / 4 * SIZE / OUT + 2 * FAR_S)
    assert [float(part) for part in levels(4, 8, GPU)] == [1, 4]


def test_neighbours_two_chips_apart_share_a_domain_by_fours():
    assert [float(part) for part in levels(16, 2, GPU)] == [4, 4]


def test_a_group_of_one_says_nothing():
    assert float(all_reduce_s(SIZE, 1, 1, GPU)) == 0
    assert float(all_to_all_s(SIZE, 1, 1, GPU)) == 0


def test_a_small_all_reduce_is_latency_alone():
    assert float(all_reduce_s(1.0, 8, 1, GPU)) == pytest.approx(6 * NEAR_S, rel=1e-4)


def pairwise_bytes(group, domain):
    """Bytes that rank 0 sends inside its domain and beyond, every rank getting an equal part of SIZE."""
    near = sum(SIZE / group for rank in range(1, group) if rank < domain)
    far = sum(SIZE / group for rank in range(1, group) if rank >= domain)
    return near, far


@pytest.mark.parametrize("group", [2, 4, 8])
def test_all_to_all_in_a_domain_sends_everything_but_its_own_part(group):
    near, far = pairwise_bytes(group, 8)
    assert far == 0
    assert float(all_to_all_s(SIZE, group, 1, SWIFT)) == pytest.approx(near / UP)


@pytest.mark.parametrize("group", [16, 64, 256])
def test_all_to_all_over_domains_is_bound_by_what_leaves_them(group):
    _, far = pairwise_bytes(group, 8)
    assert float(all_to_all_s(SIZE, group, 1, SWIFT)) == pytest.approx(far / OUT)


def test_a_wide_domain_is_bound_by_what_passes_its_switch():
    wide = machine_of(CHIP.model_copy(update={"scale_out_bandwidth_bytes_per_s": 1e15}), "bf16", SWIFT.knobs)
    # every byte that leaves a chip passes the switch, to its own domain or to the rank that has the network card
    assert float(all_to_all_s(SIZE, 64, 1, wide)) == pytest.approx(63 / 64 * SIZE / UP)


def expert_traffic_s(model, machine, ranks, tokens):
    whole = {name: np.array([float(value)]) for name, value in (("tp", 1), ("ep", ranks), ("etp", 1))}
    split = Split(
        **whole, tokens=np.array([tokens]), routed=np.array([tokens * ranks]), exchanged=np.array([True])
    )
    terms = forward_terms(model, machine, split, context_tokens=1.0, decode=False)
    return float(terms["expert traffic"][0]) * model.layers / (model.layers - model.first_dense_layers)


def crossing_copies(model, domains, limit, draws=4000):
    """Copies of a token that leave its domain: one per foreign domain with an expert of its own, by dice."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(draws):
        allowed = rng.choice(domains, limit, replace=False) if limit else np.arange(domains)
        # experts fall on the allowed domains; the token's own is domain 0
        chosen = rng.choice(allowed, model.top_k)
        found.append(np.unique(chosen[chosen != 0]).size)
    return np.mean(found)


def test_a_token_travels_once_to_each_domain_of_its_experts():
    model = MODELS["DeepSeek-V3"].model_copy(update={"routed_nodes_max": 0})
    tokens = 1e12  # so many that routing is even; BF16 out and back is 4 bytes a value
    copies = expert_traffic_s(model, SWIFT, 64, tokens) * OUT / (tokens * 7168 * 4)
    assert copies == pytest.approx(crossing_copies(model, 8, 0), rel=0.02)
    assert copies == pytest.approx(7 * (1 - (7 / 8) ** 8), rel=1e-3)


def test_routing_limited_to_four_domains_sends_three_and_a_half_copies_out():
    # four of eight domains, one in eight of them its own (DeepSeek-V3: at most four nodes)
    tokens = 1e12
    copies = expert_traffic_s(MODELS["DeepSeek-V3"], SWIFT, 64, tokens) * OUT / (tokens * 7168 * 4)
    assert copies == pytest.approx(3.5, rel=1e-3)
    assert copies >= crossing_copies(MODELS["DeepSeek-V3"], 8, 4)


def test_an_all_to_all_on_a_torus_is_bound_by_its_bisection():
    # 8 x 8 x 8 chips: half of each side's bytes cross 2 x 64 links one way, each a sixth of 400 GB/s, at 0.8
    torus = replace(GPU, domain=4096, knobs=replace(SWIFT.knobs, torus_axes=3.0))
    crossing = 512 / 2 * SIZE / 2 / (2 * 64 * UP / 6 * 0.8)
    assert float(all_to_all_s(SIZE, 512, 1, torus)) == pytest.approx(crossing, rel=0.01)


def test_an_all_to_all_on_a_ring_takes_a_quarter_of_the_all_gather_of_the_same_array():
    # "How to Scale Your Model", chapter 3: every chip holds S/n; gathering moves S past every chip, both ways
    ring = replace(GPU, domain=16, knobs=replace(SWIFT.knobs, torus_axes=1.0, link_share=1.0))
    gather = float(scatter_s(16 * SIZE, 16, 1, ring))
    assert float(all_to_all_s(SIZE, 16, 1, ring)) == pytest.approx(gather / 4 / 0.8, rel=0.01)


def test_a_message_takes_the_network_only_where_it_leaves_the_domain():
    near, far = send_s(SIZE, np.array([False, True]), GPU)
    assert near == pytest.approx(SIZE / UP + NEAR_S)
    assert far == pytest.approx(SIZE / OUT + FAR_S)


@given(
    group=st.integers(1, 600),
    stride=st.sampled_from([1, 2, 4, 8, 16]),
    size=st.floats(0, 1e12),
    more=st.floats(1, 10),
)
def test_more_bytes_and_thinner_links_never_take_less_time(group, stride, size, more):
    thin = replace(GPU, scale_out_bytes_per_s=OUT / more, scale_up_bytes_per_s=UP / more)
    for collective in (scatter_s, all_reduce_s, all_to_all_s):
        once = float(collective(size, group, stride, GPU))
        assert float(collective(size * more, group, stride, GPU)) >= once * (1 - 1e-12)
        assert float(collective(size, group, stride, thin)) >= once * (1 - 1e-12)


def test_imbalance_falls_to_the_skew_as_tokens_grow():
    assert float(imbalance(8.0, 1.0, 1.2)) == 1.0
    assert float(imbalance(1e9, 32.0, 1.2)) == 1.2
    assert float(imbalance(16.0, 32.0, 1.0)) == pytest.approx(1 + np.sqrt(2 * np.log(32) / 16))


@pytest.mark.parametrize(("ranks", "mean"), [(8, 64), (64, 64), (32, 512)])
def test_the_busiest_rank_of_random_routing_is_no_busier_than_the_bound(ranks, mean):
    rng = np.random.default_rng(2)
    thrown = rng.multinomial(ranks * mean, np.full(ranks, 1 / ranks), size=500).max(axis=1).mean() / mean
    bound = float(imbalance(mean, ranks, 1.0))
    assert 1 < thrown <= bound < 1 + 1.6 * (thrown - 1)
