"""Frontiers: nothing on them is beaten, nothing off them is needed, and they are known by their content."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.estimate import survey
from exaplan.perf.frontier import engine_word, frontier, frontier_table, pareto
from exaplan.perf.machine import machine_of
from exaplan.perf.search import search_serving, search_training
from exaplan.perf.serving import ServeRequest
from exaplan.perf.training import TrainRequest

CHIPS, MODELS = load_chips(), load_models()
CHAT = ServeRequest(1200.0, 300.0)
JOB = TrainRequest(4096.0, 4096.0 * 1024, 1024.0)
PAIRS = [
    ("Meta-Llama-3.1-70B", "H100-SXM"),
    ("DeepSeek-V3", "GB200-NVL72"),
    ("gpt-oss-120b", "TPU-v5p"),
    ("Qwen3-235B-A22B", "Trainium2"),
]
pairs = pytest.mark.parametrize(("name", "chip"), PAIRS)


def beats(one, other):
    """Whether a point (cost, gain, size) is at least as good everywhere and better somewhere."""
    return one[0] <= other[0] and one[1] >= other[1] and one[2] <= other[2] and one != other


@given(points=st.lists(st.tuples(*[st.integers(0, 6)] * 3), max_size=50))
def test_the_filter_keeps_one_of_each_unbeaten_point(points):
    cost, gain, size = (np.array([point[i] for point in points], dtype=float) for i in range(3))
    kept = [points[i] for i in pareto(cost, gain, size)]
    expected = {point for point in points if not any(beats(other, point) for other in points)}
    assert sorted(kept) == sorted(expected)  # each once
    assert [point[0] for point in kept] == sorted(point[0] for point in kept)


@pairs
def test_the_ends_of_a_serving_frontier_are_the_soonest_and_the_cheapest_token(name, chip):
    model, found = MODELS[name], frontier(MODELS[name], CHIPS[chip], CHAT)
    whole = search_serving(model, machine_of(CHIPS[chip], found.precision), CHAT).result
    assert found.time_s[0] == whole.tpot_s.min()
    assert found.tokens_per_s_per_chip.max() == whole.tokens_per_s_per_chip.max()
    assert (
        found.chips.min()
        == search_serving(model, machine_of(CHIPS[chip], found.precision), CHAT).mesh.chips.min()
    )


@pairs
@pytest.mark.parametrize("limit", [0.1, 0.05, 0.03])
def test_the_best_point_within_a_limit_lies_on_the_frontier(name, chip, limit):
    # a rate table takes the best estimate of a survey
    best = survey(MODELS[name], CHIPS[chip], replace(CHAT, tpot_s=limit), top=1).estimates
    found = frontier(MODELS[name], CHIPS[chip], CHAT)
    if not best:
        assert found.time_s.min() > limit
        return
    place = found.configurations.index(best[0].configuration)
    assert found.tokens_per_s_per_chip[place] == best[0].tokens_per_s_per_chip
    assert found.time_s[place] == best[0].tpot_s
    assert found.tokens_per_s_per_chip[found.time_s <= limit].max() == best[0].tokens_per_s_per_chip


def test_limits_of_the_request_are_kept():
    request = ServeRequest(1200.0, 300.0, 0.05, 1.0)
    found = frontier(MODELS["DeepSeek-V3"], CHIPS["H100-SXM"], request, chips_max=64)
    assert found.configurations
    assert (found.time_s <= 0.05).all()
    assert (found.ttft_s <= 1.0).all()
    assert (found.chips <= 64).all()


@pairs
def test_a_larger_cluster_on_a_training_frontier_is_faster(name, chip):
    found = frontier(MODELS[name], CHIPS[chip], JOB)
    assert (np.diff(found.chips) > 0).all()
    assert (np.diff(found.time_s) < 0).all()
    assert found.tokens_per_s_per_chip * found.time_s * found.chips == pytest.approx(JOB.batch_tokens)


def test_a_training_frontier_holds_the_best_job_of_each_cluster_that_buys_speed():
    model, chip, clusters = MODELS["Meta-Llama-3.1-70B"], CHIPS["H100-SXM"], (512.0, 64.0, 513.0, 256.0)
    found = frontier(model, chip, JOB, clusters=clusters)
    place = machine_of(chip, "bf16")
    for size, step in zip(found.chips, found.time_s, strict=True):
        job = search_training(model, place, replace(JOB, cluster_chips=float(size)))
        assert step == job.result.step_s.min()
    assert found.chips.tolist() == [64, 256, 512]  # the odd chip buys nothing


@pytest.mark.parametrize(
    ("request_", "chip", "why"),
    [
        (CHAT, "TPU-v5e", ""),
        (replace(CHAT, tpot_s=1e-4), "H100-SXM", "TPOT: the fastest"),
        (replace(CHAT, ttft_s=1e-4), "H100-SXM", "TTFT: the soonest"),
        (replace(JOB, cluster_chips=8.0), "H100-SXM", "memory: the leanest"),
    ],
)
def test_an_empty_frontier_says_why(request_, chip, why):
    found = frontier(MODELS["DeepSeek-V3"], CHIPS[chip], request_)
    assert found.reason.startswith(why)
    assert bool(found.reason) == (not found.configurations) == (found.time_s.size == 0)


def test_a_table_has_models_outermost_and_takes_known_frontiers_as_they_are():
    models, chips = [MODELS[name] for name, _ in PAIRS[:2]], [CHIPS[chip] for _, chip in PAIRS[:2]]
    table = frontier_table(models, chips, [CHAT, JOB])
    assert [(one.model, one.chip, one.phase) for one in table] == [
        (model.id, chip.id, phase) for model in models for chip in chips for phase in ("serve", "train")
    ]
    asked = []

    def counting(function, tasks):
        tasks = list(tasks)
        asked.extend(tasks)
        return map(function, tasks)

    known = {one.key: one for one in table[1:]}
    again = frontier_table(models, chips, [CHAT, JOB], known=known, map=counting)
    assert len(asked) == 1
    assert all(one is other for one, other in zip(again[1:], table[1:], strict=True))
    assert pickle.dumps(again[0]) == pickle.dumps(table[0])


@pytest.mark.parametrize(
    "change",
    [
        {"request": replace(CHAT, input_tokens=1201.0)},
        {"model": MODELS["Meta-Llama-3.1-70B"].model_copy(update={"layers": 81})},
        {"chip": CHIPS["H100-SXM"].model_copy(update={"hbm_bytes": 81e9})},
        {"precision": "bf16"},
        {"chips_max": 64.0},
    ],
)
def test_other_content_has_another_key(change):
    asked = {"model": MODELS["Meta-Llama-3.1-70B"], "chip": CHIPS["H100-SXM"], "request": CHAT}
    assert frontier(**asked).key == frontier(**asked).key
    assert frontier(**asked).key != frontier(**{**asked, **change}).key


def test_another_engine_has_another_word(monkeypatch):
    before = engine_word()
    monkeypatch.setattr("exaplan.perf.serving.PREFILL_TOKENS", 4096.0)
    engine_word.cache_clear()
    try:
        assert engine_word() != before
    finally:
        engine_word.cache_clear()
        monkeypatch.undo()
    assert engine_word() == before


def test_rows_of_requests_are_refused():
    with pytest.raises(TypeError, match="one request"):
        frontier(MODELS["DeepSeek-V3"], CHIPS["H100-SXM"], ServeRequest(np.array([1.0, 2.0]), 3.0))
