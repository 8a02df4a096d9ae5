"""What holds for every chip and model at fixed coefficients: better hardware, more sequences, more splits, no NaN."""

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf import meshes
from exaplan.perf.machine import machine_of, stack_machines, take_machines
from exaplan.perf.meshes import serving_mesh, training_mesh
from exaplan.perf.search import search_serving, search_training
from exaplan.perf.serving import (
    ServeMesh,
    ServeRequest,
    serve_closed_loop,
    serve_static_batch,
    serving_memory_bytes,
)
from exaplan.perf.shapes import stack_models
from exaplan.perf.training import TrainMesh, TrainRequest, train_step, training_memory_bytes

CHIPS, MODELS = load_chips(), load_models()
CHAT = ServeRequest(1200.0, 300.0)
JOB = TrainRequest(4096.0, 4096.0 * 1024, 1024.0)
SPEEDS = (
    "bf16_flop_per_s",
    "fp8_flop_per_s",
    "fp4_flop_per_s",
    "hbm_bandwidth_bytes_per_s",
    "scale_up_bandwidth_bytes_per_s",
    "scale_up_bandwidth_bidirectional_bytes_per_s",
    "scale_out_bandwidth_bytes_per_s",
)
_ROUNDING = 1e-9

chips = st.sampled_from(sorted(CHIPS))
models = st.sampled_from(sorted(MODELS))
precisions = st.sampled_from(["bf16", "fp8", "fp4"])


def thinned(mesh, rows=300):
    """Some of the rows of a mesh, spread over all of it."""
    return mesh.take(np.unique(np.linspace(0, mesh.tp.size - 1, rows).astype(int)))


def improved(chip, field, factor):
    value = getattr(chip, field)
    return chip if value is None else chip.model_copy(update={field: value * factor})


@given(
    chip=chips, name=models, precision=precisions, field=st.sampled_from(SPEEDS), factor=st.floats(1.0, 8.0)
)
def test_no_configuration_is_slower_on_a_faster_chip(chip, name, precision, field, factor):
    # not so the first token of a closed loop: whoever is answered sooner asks again sooner, and queues are longer
    model = MODELS[name]
    before, after = (
        machine_of(one, precision) for one in (CHIPS[chip], improved(CHIPS[chip], field, factor))
    )
    replicas = thinned(serving_mesh(model, before))
    old, new = (serve_closed_loop(model, machine, CHAT, replicas) for machine in (before, after))
    assert (new.tpot_s <= old.tpot_s * (1 + _ROUNDING)).all()
    assert (new.tokens_per_s_per_chip >= old.tokens_per_s_per_chip * (1 - _ROUNDING)).all()
    old, new = (serve_static_batch(model, machine, CHAT, replicas) for machine in (before, after))
    assert (new.ttft_s <= old.ttft_s * (1 + _ROUNDING)).all()
    jobs = thinned(training_mesh(model, before, JOB))
    old, new = (train_step(model, machine, JOB, jobs) for machine in (before, after))
    assert (new.step_s <= old.step_s * (1 + _ROUNDING)).all()


@given(chip=chips, name=models, factor=st.floats(1.0, 8.0), tpot_ms=st.floats(5.0, 200.0))
def test_the_best_with_more_memory_is_never_slower(chip, name, factor, tpot_ms):
    model, request = MODELS[name], replace(CHAT, tpot_s=tpot_ms / 1e3)
    places = [machine_of(one, "fp8") for one in (CHIPS[chip], improved(CHIPS[chip], "hbm_bytes", factor))]
    for search, asked in ((search_serving, request), (search_training, JOB)):
        old, new = (search(model, place, asked) for place in places)
        if old.order.size:
            best = [found.result.tokens_per_s_per_chip[found.order[0]] for found in (old, new)]
            assert best[1] >= best[0]


@given(chip=chips, name=models, precision=precisions, prompt=st.floats(10, 1e5), answer=st.floats(1, 1e4))
def test_tokens_come_no_sooner_among_more_sequences(chip, name, precision, prompt, answer):
    model, machine = MODELS[name], machine_of(CHIPS[chip], precision)
    mesh, request = serving_mesh(model, machine, 64), ServeRequest(prompt, answer)
    slots = np.unique(mesh.slots).size  # innermost axis of the mesh
    for serve in (serve_closed_loop, serve_static_batch):
        tpot = serve(model, machine, request, mesh).tpot_s.reshape(-1, slots)
        assert (np.diff(tpot, axis=1) >= -_ROUNDING * tpot[:, 1:]).all()


@given(chip=chips, name=models, pp=st.sampled_from([1, 2, 8]), slots=st.integers(1, 512))
def test_serving_memory_does_not_grow_with_tensor_parallelism(chip, name, pp, slots):
    model, machine = MODELS[name], machine_of(CHIPS[chip], "fp8")
    tp = 2.0 ** np.arange(7)
    one = np.ones_like(tp)
    for ep in (one, tp):  # experts split like dense blocks, or spread over the ranks
        mesh = ServeMesh(tp, pp * one, ep, one, slots * one)
        assert (np.diff(serving_memory_bytes(model, machine, CHAT, mesh)) <= 0).all()


@given(
    chip=chips,
    name=models,
    pp=st.sampled_from([1, 4, 16]),
    micro=st.sampled_from([1, 4]),
    recompute=st.sampled_from([0, 1, 2]),
    zero=st.sampled_from([0, 1, 2, 3]),
    schedule=st.sampled_from([0, 1, 2]),
)
def test_training_memory_does_not_grow_with_tensor_parallelism(
    chip, name, pp, micro, recompute, zero, schedule
):
    model, machine = MODELS[name], machine_of(CHIPS[chip], "bf16")
    # beyond its key-value heads a model keeps copies of them, which fewer replicas share among themselves
    split = 2.0 ** np.arange(7)
    shared = split[split <= (1 if model.kv_lora_rank else model.kv_heads)]
    for tp, dp in (
        (split, 8 * np.ones(7)),
        (shared, 512 / shared),
    ):  # at as many replicas, and at as many chips
        one = np.ones_like(tp)
        fixed = (micro * one, one, recompute * one, zero * one, schedule * one)
        mesh = TrainMesh(tp, pp * one, one, dp, one, *fixed)
        memory = training_memory_bytes(model, machine, JOB, mesh)
        assert (np.diff(memory) <= _ROUNDING * memory[1:]).all()


@cache
def everywhere(job=None, rows=12):
    """Every chip with every model: stacked records and a coarse sample of the mesh of each pair, serving or training."""

    def mesh_of(model, machine):
        return training_mesh(model, machine, job) if job else serving_mesh(model, machine)

    machines = [machine_of(chip, "fp8") for chip in CHIPS.values()]
    found = [
        (m, c, thinned(mesh_of(model, machine), rows))
        for m, model in enumerate(MODELS.values())
        for c, machine in enumerate(machines)
    ]
    sizes = [mesh.tp.size for _, _, mesh in found]
    which_model, which_chip = (np.repeat([entry[i] for entry in found], sizes) for i in (0, 1))
    stacked = stack_machines(machines)
    knobs = replace(
        stacked.knobs,
        **{field.name: getattr(stacked.knobs, field.name)[which_chip] for field in fields(stacked.knobs)},
    )
    kind = type(found[0][2])
    mesh = kind(
        **{
            field.name: np.concatenate([getattr(one, field.name) for _, _, one in found])
            for field in fields(kind)
        }
    )
    shapes = stack_models(list(MODELS.values())).take(which_model)
    return shapes, take_machines(stacked, which_chip, knobs), mesh


def finite(result):
    """Whether every number of a result is one, times and rates are positive and terms not negative."""
    values = [getattr(result, field.name) for field in fields(result) if field.name != "terms"]
    above = all((np.isfinite(value) & (value > 0)).all() for value in values)
    return above and all((np.isfinite(value) & (value >= 0)).all() for value in result.terms.values())


@pytest.mark.parametrize(
    "request_",
    [
        CHAT,
        ServeRequest(1.0, 1.0),
        ServeRequest(1e6, 1e4),
        replace(CHAT, disaggregated=True, prefix_share=0.9),
    ],
)
def test_serving_is_a_number_for_every_chip_and_model(request_):
    shapes, machines, mesh = everywhere()
    assert mesh.tp.size >= 12 * len(CHIPS) * len(MODELS) * 0.9
    assert finite(serve_closed_loop(shapes, machines, request_, mesh))
    assert finite(serve_static_batch(shapes, machines, request_, mesh))


@pytest.mark.parametrize(
    "job", [JOB, TrainRequest(131072.0, 131072.0 * 16, 20.0), TrainRequest(64.0, 64.0, 3.0)]
)
def test_training_is_a_number_for_every_chip_and_model(job):
    shapes, machines, mesh = everywhere(job)
    assert mesh.tp.size >= 5 * len(CHIPS) * len(MODELS)
    assert finite(train_step(shapes, machines, job, mesh))


@given(chip=chips, name=models)
def test_equal_inputs_give_equal_bytes(chip, name):
    model = MODELS[name]

    def answers():
        place = machine_of(CHIPS[chip], "fp8")
        for found in (search_serving(model, place, CHAT), search_training(model, place, JOB)):
            columns = [
                getattr(found.result, field.name) for field in fields(found.result) if field.name != "terms"
            ]
            for column in (*columns, *found.result.terms.values(), found.order):
                yield column.tobytes()

    first = list(answers())
    meshes._serving.cache_clear()
    meshes._training.cache_clear()
    assert list(answers()) == first


@given(chip=chips, name=models)
def test_one_record_and_stacked_records_are_one_formula(chip, name):
    model, machine = MODELS[name], machine_of(CHIPS[chip], "fp8")
    mesh = thinned(serving_mesh(model, machine), 40)
    rows = np.zeros(mesh.tp.size, dtype=int)
    stacked = stack_machines([machine])
    knobs = replace(
        stacked.knobs,
        **{field.name: getattr(stacked.knobs, field.name)[rows] for field in fields(stacked.knobs)},
    )
    wide = serve_closed_loop(
        stack_models([model]).take(rows), take_machines(stacked, rows, knobs), CHAT, mesh
    )
    narrow = serve_closed_loop(model, machine, CHAT, mesh)
    assert wide.tpot_s == pytest.approx(narrow.tpot_s, rel=1e-12)
    assert wide.ttft_s == pytest.approx(narrow.ttft_s, rel=1e-12)
    assert wide.memory_bytes == pytest.approx(narrow.memory_bytes, rel=1e-12)
