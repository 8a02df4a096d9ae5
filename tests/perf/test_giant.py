"""Giant models: shapes keep their proportions, waiting is what the terms say, more never costs more."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exaplan.capability.laws import BESIROGLU
from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.counts import parameters
from exaplan.perf.giant import (
    Serving,
    active_exponent,
    compute_optimal_tokens,
    lost_over_sites,
    scaled,
    serve_giant,
    train_giant,
    waiting_s,
    wide_serving_mesh,
)
from exaplan.perf.machine import machine_of
from exaplan.perf.search import search_training
from exaplan.perf.serving import ServeRequest
from exaplan.perf.sites import OuterSync, WideLink
from exaplan.perf.training import TrainRequest

BASE = load_models()["DeepSeek-V3"]
CHIP = load_chips()["GB200-NVL72"]
TWO = scaled(BASE, 2e12, exponent=0.7)
JOB = TrainRequest(4096.0, 64e6, 4096.0)
ASKED = ServeRequest(4000.0, 1000.0, tpot_s=0.1)


def machine(domain=72, precision="fp8"):
    return machine_of(CHIP.model_copy(update={"scale_up_domain": domain}), precision)


@pytest.fixture(scope="module")
def training():
    return train_giant(TWO, machine(), JOB)


# --- shapes


@given(st.floats(1e12, 1e14), st.floats(0.5, 0.9))
def test_a_scaled_model_has_the_parameters_asked_for(total, exponent):
    count, own = parameters(scaled(BASE, total, exponent=exponent)), parameters(BASE)
    assert float(count.total) == pytest.approx(total, rel=0.05)
    grown = (total / float(own.total)) ** exponent
    # experts in powers of two move the active share by up to a fifth
    assert float(count.active) == pytest.approx(float(own.active) * grown, rel=0.25)


def test_a_model_scaled_to_its_own_size_is_itself_up_to_whole_steps():
    same = scaled(BASE, float(parameters(BASE).total), exponent=0.7)
    assert (same.layers, same.hidden, same.experts, same.top_k) == (61, 7168, 256, 8)
    assert same.expert_ffn == BASE.expert_ffn


def test_experts_spread_over_many_ranks():
    for total in np.geomspace(1e12, 1e15, 7):
        experts = scaled(BASE, float(total), exponent=0.7).experts
        assert experts % 32 == 0
        assert experts // (experts & -experts) in (1, 3)


def test_depth_and_width_grow_with_the_cube_root_of_active_parameters():
    eightfold = 8 ** (1 / 0.7)
    grown = scaled(BASE, float(parameters(BASE).total) * eightfold, exponent=0.7)
    assert grown.layers == 2 * BASE.layers
    assert grown.hidden == 2 * BASE.hidden


def test_dense_models_and_tiny_totals_are_refused():
    with pytest.raises(ValueError, match="no experts"):
        scaled(load_models()["llama3-70b"], 2e12, exponent=0.7)
    with pytest.raises(ValueError, match="room for"):
        scaled(BASE, 2e10, exponent=0.0)


def test_the_exponent_of_two_models_is_the_slope_between_them():
    pair = [load_models()[name] for name in ("Qwen3-30B-A3B", "Qwen3-235B-A22B")]
    (small, large) = (parameters(model) for model in pair)
    slope = np.log(float(large.active / small.active)) / np.log(float(large.total / small.total))
    assert active_exponent(pair) == pytest.approx(slope)
    assert active_exponent([*pair, pair[0]]) == pytest.approx(slope), "copies have one vote"
    with pytest.raises(ValueError, match="two sparse models"):
        active_exponent([pair[0], load_models()["llama3-70b"]])


def test_compute_optimal_tokens_of_a_dense_law_are_those_of_its_closed_form():
    dense = load_models()["llama3-70b"]
    count = parameters(dense)
    active = float(count.active)
    # equal derivatives of A/N^a + B/D^b along 6ND = C
    law = BESIROGLU
    pull = law.size_exponent * law.size / active**law.size_exponent
    expected = (law.data_exponent * law.data / pull) ** (1 / law.data_exponent)
    # active and counted parameters of a dense model differ by nothing but the embedding's look-up
    assert compute_optimal_tokens(law, dense) == pytest.approx(expected, rel=0.02)


# --- training


def test_what_is_lost_is_messages_and_bubbles_of_the_step(training):
    found = search_training(TWO, machine(), JOB)
    messages, bubble = waiting_s(found.result)
    best = found.order[0]
    work = [
        s[best]
        for name, s in found.result.terms.items()
        if not name.endswith(("traffic", "messages", "bubble"))
    ]
    assert training.messages_s + training.bubble_s + sum(work) == pytest.approx(training.step_s)
    assert training.messages_s == pytest.approx(messages[best])
    assert training.bubble_s == pytest.approx(bubble[best])
    assert 0 < training.lost_share < 1


def test_a_wider_domain_is_never_slower():
    rates = [train_giant(TWO, machine(domain), JOB).tokens_per_s_per_chip for domain in (8, 64, 512, 4096)]
    assert (np.diff(rates) >= 0).all()


def test_a_model_that_does_not_fit_is_no_answer():
    assert train_giant(TWO, machine(), TrainRequest(4096.0, 64e6, 64.0)) is None
    assert serve_giant(TWO, machine(), ASKED, chips_max=4.0) is None


def test_one_site_waits_for_no_other(training):
    link = WideLink(1e9, 0.1)
    for sync in (None, OuterSync(inner_steps=30.0)):
        assert lost_over_sites(training, TWO, 1, link, sync=sync) == pytest.approx(training.lost_share)


def test_the_share_lost_between_two_sites_by_hand(training):
    total = float(parameters(TWO).total)
    link = WideLink(bytes_per_s=1e12, latency_s=0.0)
    exchange = total * 2 / 1e12  # 2 (s - 1)/s of two bytes a parameter
    between = exchange / (exchange + training.step_s)
    expected = 1 - (1 - training.lost_share) * (1 - between)
    assert lost_over_sites(training, TWO, 2, link) == pytest.approx(expected)


@settings(max_examples=15)
@given(st.floats(1e9, 1e14), st.integers(2, 8))
def test_rarer_synchronization_and_faster_links_never_lose_more(bandwidth, sites):
    training = _once()
    slow, fast = WideLink(bandwidth, 0.02), WideLink(2 * bandwidth, 0.02)
    often, rarely = OuterSync(inner_steps=10.0), OuterSync(inner_steps=100.0)
    lost = lost_over_sites(training, TWO, sites, slow, sync=often)
    assert lost >= lost_over_sites(training, TWO, sites, fast, sync=often)
    assert lost >= lost_over_sites(training, TWO, sites, slow, sync=rarely) >= training.lost_share


_KEPT: dict[str, object] = {}


def _once():
    if "training" not in _KEPT:
        _KEPT["training"] = train_giant(TWO, machine(), JOB)
    return _KEPT["training"]


# --- serving


def test_more_chips_in_a_replica_are_never_dearer():
    rates = [
        serve_giant(TWO, machine(), ASKED, chips_max=chips).tokens_per_s_per_chip for chips in (16, 64, 256)
    ]
    assert (np.diff(rates) >= 0).all()


def test_a_replica_keeps_memory_and_latency():
    found = serve_giant(TWO, machine(), ASKED, chips_max=256)
    assert found.tpot_s <= ASKED.tpot_s
    assert found.memory_bytes <= CHIP.hbm_bytes


def test_every_wide_layout_holds_whole_experts_on_every_rank():
    mesh = wide_serving_mesh(TWO, machine(), 1024)
    assert (TWO.experts % mesh.ep == 0).all()
    assert (mesh.ep == mesh.tp * mesh.dp).all()
    assert mesh.chips.max() == 1024


def test_a_million_tokens_by_hand():
    replica = Serving("", 8, 64.0, 0.05, tokens_per_s_per_chip=2000.0, memory_bytes=1e9)
    assert replica.usd_per_million_tokens(3.6) == pytest.approx(0.5)
