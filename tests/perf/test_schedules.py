"""Pipeline schedules: formulas of their authors, and an event-by-event simulation of the two that are simple."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.machine import machine_of
from exaplan.perf.schedules import (
    DUAL_PIPE,
    ONE_F_ONE_B,
    ZERO_BUBBLE,
    bubble_share,
    in_flight,
    weight_copies,
)
from exaplan.perf.search import search_training
from exaplan.perf.training import TrainMesh, TrainRequest, microbatches, train_step

FORWARD, BACKWARD, WEIGHT = 1.0, 2.0, 1.0  # of a stage's microbatch; the weight part lies inside the backward
WHOLE = FORWARD + BACKWARD
CHIPS, MODELS = load_chips(), load_models()


def idle(schedule, stages, chunks=1):
    return float(bubble_share(np.array(schedule), np.array(float(stages)), np.array(float(chunks)))) * WHOLE


@pytest.mark.parametrize("stages", [2, 4, 8, 16])
def test_idle_times_are_those_of_table_2_of_deepseek_v3(stages):
    # arXiv 2412.19437, table 2, with an overlapped pair F&B as long as F + B
    assert idle(ONE_F_ONE_B, stages) == pytest.approx((stages - 1) * (FORWARD + BACKWARD))
    assert idle(ZERO_BUBBLE, stages) == pytest.approx((stages - 1) * (FORWARD + BACKWARD - 2 * WEIGHT))
    assert idle(DUAL_PIPE, stages) == pytest.approx((stages / 2 - 1) * (WHOLE + BACKWARD - 3 * WEIGHT))


def test_copies_and_activations_are_those_of_the_same_table():
    kinds, stages = np.array([ONE_F_ONE_B, ZERO_BUBBLE, DUAL_PIPE]), np.full(3, 16.0)
    assert np.asarray(weight_copies(kinds)).tolist() == [1, 1, 2]
    assert in_flight(kinds, stages, np.ones(3), np.full(3, 100.0)).tolist() == [16, 16, 17]


def order_1f1b(stage, stages, batches):
    """Order of work of a stage: fill, alternate, drain."""
    fill = min(stages - stage - 1, batches)
    work = [("F", i, 0) for i in range(fill)]
    for i in range(batches - fill):
        work += [("F", fill + i, 0), ("B", i, 0)]
    return work + [("B", i, 0) for i in range(batches - fill, batches)]


def order_interleaved(stage, stages, batches, chunks):
    """Megatron's order: microbatches in groups of one per stage, chunk after chunk (arXiv 2104.04473, figure 4)."""
    total = batches * chunks

    def unit(k, *, backward):
        chunk = (k // stages) % chunks
        return (k // (stages * chunks)) * stages + k % stages, chunks - 1 - chunk if backward else chunk

    fill = min(2 * (stages - stage - 1) + (chunks - 1) * stages, total)
    work = [("F", *unit(k, backward=False)) for k in range(fill)]
    for k in range(total - fill):
        work += [("F", *unit(fill + k, backward=False)), ("B", *unit(k, backward=True))]
    return work + [("B", *unit(k, backward=True)) for k in range(total - fill, total)]


def simulate(stages, batches, chunks):
    """Run every stage's list of work as soon as its inputs are there: length of a step, most activations kept."""
    lists = [
        order_1f1b(s, stages, batches) if chunks == 1 else order_interleaved(s, stages, batches, chunks)
        for s in range(stages)
    ]
    done, clock, position = {}, [0.0] * stages, [0] * stages

    def needs(kind, stage, batch, chunk):
        place = chunk * stages + stage
        if kind == "F":
            return ("F", batch, place - 1) if place else None
        return ("B", batch, place + 1) if place < stages * chunks - 1 else ("F", batch, place)

    while any(position[s] < len(lists[s]) for s in range(stages)):
        moved = False
        for s in range(stages):
            while position[s] < len(lists[s]):
                kind, batch, chunk = lists[s][position[s]]
                before = needs(kind, s, batch, chunk)
                if before is not None and before not in done:
                    break
                begin = max(clock[s], done.get(before, 0.0))
                clock[s] = begin + (FORWARD if kind == "F" else BACKWARD) / chunks
                done[kind, batch, chunk * stages + s] = clock[s]
                position[s] += 1
                moved = True
        assert moved, "the lists of work lock each other"
    kept = np.cumsum([1 if kind == "F" else -1 for kind, _, _ in lists[0]]).max()
    return max(clock), kept / chunks


@pytest.mark.parametrize(("stages", "batches"), [(2, 2), (4, 4), (4, 9), (8, 32), (16, 16)])
def test_1f1b_event_by_event_is_the_closed_form(stages, batches):
    length, kept = simulate(stages, batches, 1)
    assert length == pytest.approx(batches * WHOLE + idle(ONE_F_ONE_B, stages))
    assert kept == in_flight(ONE_F_ONE_B, np.array(stages), np.array(1), np.array(batches))


@pytest.mark.parametrize(("stages", "batches", "chunks"), [(2, 4, 2), (4, 8, 2), (4, 8, 4), (8, 32, 3)])
def test_interleaving_event_by_event_is_the_closed_form(stages, batches, chunks):
    length, kept = simulate(stages, batches, chunks)
    assert length == pytest.approx(batches * WHOLE + idle(ONE_F_ONE_B, stages, chunks))
    held = in_flight(np.array(ONE_F_ONE_B), np.array(stages), np.array(chunks), np.array(batches))
    assert kept == pytest.approx(float(held))


@given(stages=st.integers(1, 64), chunks=st.integers(1, 8))
def test_the_newer_schedules_never_idle_longer(stages, chunks):
    plain = idle(ONE_F_ONE_B, stages)
    assert 0 <= idle(DUAL_PIPE, stages) <= idle(ZERO_BUBBLE, stages) <= plain
    assert idle(ONE_F_ONE_B, stages, chunks) == pytest.approx(plain / chunks)


def bare_machine():
    """A machine on which nothing but stages takes time."""
    machine = machine_of(CHIPS["H100-SXM"], "bf16")
    knobs = replace(
        machine.knobs, bubble=0.0, data_exposed=0.0, stage_exposed=0.0, slowdown_per_doubling=0.0,
        step_fixed_s=0.0, software_gap=0.0, sparse_software_gap=0.0, low_software_gap=0.0,
    )  # fmt: skip
    return replace(machine, knobs=knobs)


def step(model, stages, *, batches=8, chunks=1, bubble=0.0):
    one, request = np.ones(1), TrainRequest(4096, 4096 * batches, 1)
    mesh = TrainMesh(one, one * stages, one, one, one, one, one * chunks, 0 * one, 0 * one, 0 * one)
    machine = bare_machine()
    machine = replace(machine, knobs=replace(machine.knobs, bubble=bubble))
    terms = train_step(model, machine, request, mesh).terms
    return {name: float(seconds[0]) for name, seconds in terms.items()}


def longest_stage(model, stages):
    terms = step(model, stages)
    skipped = ("optimizer", "data-parallel traffic", "pipeline bubble", "pipeline messages", "fixed per step")
    return sum(seconds for name, seconds in terms.items() if name not in skipped)


def fewest(layers, stages, head):
    """Longest stage of the best of all assignments of layers to stages, in layers: brute force, stage by stage."""

    @cache
    def best(left, after):
        if after == 1:
            return left + head  # the last stage has the output head
        return min(max(mine, best(left - mine, after - 1)) for mine in range(left + 1))

    return best(layers, stages)


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("DeepSeek-V3", 16),
        ("DeepSeek-V3", 8),
        ("DeepSeek-V3", 2),
        ("Meta-Llama-3.1-8B", 4),
        ("Meta-Llama-3.1-8B", 8),
        ("Meta-Llama-3.1-8B", 16),
        ("Meta-Llama-3.1-405B", 16),
        ("gpt-oss-120b", 12),
        ("Qwen3-0.6B", 4),
        ("gemma2-2b", 8),
        ("Llama-3.2-1B", 4),
    ],
)
def test_uneven_stages_are_the_best_of_all_assignments(name, stages):
    model = MODELS[name]
    head = step(model, 1)["head and uneven stages"]
    layer = (longest_stage(model, 1) - head) / model.layers
    assert longest_stage(model, stages) == pytest.approx(layer * fewest(model.layers, stages, head / layer))


def test_61_layers_on_16_stages_take_four_layers_of_time():
    model = MODELS["DeepSeek-V3"]
    layer = (longest_stage(model, 1) - step(model, 1)["head and uneven stages"]) / 61
    assert longest_stage(model, 16) == pytest.approx(4 * layer)


@pytest.mark.parametrize(
    ("stages", "batches", "chunks"), [(8, 2, 4), (16, 8, 5), (16, 16, 5), (8, 32, 5), (8, 4, 1)]
)
def test_no_interleaving_passes_a_microbatch_faster_than_all_stages_one_after_another(
    stages, batches, chunks
):
    # a microbatch visits every chunk forward and backward; the others follow one chunk apart
    model = MODELS["Meta-Llama-3.1-70B"]
    terms = step(model, stages, batches=batches, chunks=chunks, bubble=1.0)
    steady = sum(seconds for name, seconds in terms.items() if name not in ("optimizer", "pipeline bubble"))
    path = (stages + (batches - 1) / chunks) * steady / batches
    assert steady + terms["pipeline bubble"] >= path * (1 - 1e-9)


def test_a_search_fills_dual_pipe_from_both_ends_or_leaves_it():
    # its authors' implementation asks for an even number of stages and two microbatches a stage
    model, request = MODELS["Meta-Llama-3.1-405B"], TrainRequest(8192, 16e6, 16384)
    found = search_training(model, machine_of(CHIPS["H100-SXM"], "bf16"), request)
    both = found.mesh.take(found.order)
    both = both.take(both.schedule == DUAL_PIPE)
    assert (both.pp % 2 == 0).all()
    assert (microbatches(request, both) >= 2 * both.pp).all()
