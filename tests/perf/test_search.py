"""Search: what the mesh holds, that rows do not see each other, and the order of the answer."""

from dataclasses import astuple, fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf import meshes, search
from exaplan.perf.machine import machine_of
from exaplan.perf.meshes import serving_mesh, serving_names, training_mesh, training_names
from exaplan.perf.opened import open_serving, open_training
from exaplan.perf.schedules import DUAL_PIPE
from exaplan.perf.search import search_serving, search_training
from exaplan.perf.serving import ServeRequest, serve_closed_loop, serving_memory_bytes
from exaplan.perf.training import TrainRequest, microbatches, training_memory_bytes

CHIPS, MODELS = load_chips(), load_models()
CHAT = ServeRequest(1200.0, 300.0)
JOB = TrainRequest(4096.0, 4096.0 * 512, 1000.0)
LONG = TrainRequest(131072.0, 131072.0 * 64, 512.0)
NAMES = ["Meta-Llama-3.1-70B", "DeepSeek-V3", "gpt-oss-120b", "Qwen3-235B-A22B"]
PLACES = ["H100-SXM", "GB200-NVL72", "TPU-v5e", "Trainium2"]

pairs = pytest.mark.parametrize("chip", PLACES)
models = pytest.mark.parametrize("name", NAMES)


def machine(chip):
    return machine_of(CHIPS[chip], "fp8")


@models
@pairs
@pytest.mark.parametrize("limit", [1, 24, 256])
def test_serving_layouts_fit_the_replica_the_domain_and_the_model(name, chip, limit):
    model, mesh = MODELS[name], serving_mesh(MODELS[name], machine(chip), limit)
    assert (mesh.chips <= limit).all()
    assert (mesh.tp <= machine(chip).domain).all()
    assert (model.heads % mesh.tp == 0).all()
    assert (mesh.pp <= model.layers).all()
    assert (mesh.ep <= mesh.tp * mesh.dp).all()
    assert (model.experts % mesh.ep == 0).all() if model.experts else (mesh.ep == 1).all()
    assert len(set(zip(*astuple(mesh), strict=True))) == mesh.tp.size


@models
@pairs
@pytest.mark.parametrize("job", [JOB, LONG])
def test_training_layouts_fit_the_cluster_the_batch_and_the_model(name, chip, job):
    model, mesh = MODELS[name], training_mesh(MODELS[name], machine(chip), job)
    assert (mesh.chips <= job.cluster_chips).all()
    assert (mesh.chips > job.cluster_chips - mesh.tp * mesh.pp * mesh.cp).all()  # no more idle than a replica
    assert (mesh.micro * job.sequence_tokens <= job.batch_tokens).all()
    assert (mesh.interleave * mesh.pp <= np.maximum(model.layers, mesh.pp)).all()
    assert (mesh.ep <= mesh.tp * mesh.cp * mesh.dp).all()
    assert (model.experts % mesh.ep == 0).all() if model.experts else (mesh.ep == 1).all()
    assert not ((mesh.zero == 3) & (mesh.pp > 1)).any()
    assert ((mesh.schedule == 0) | ((mesh.pp > 1) & (mesh.interleave == 1))).all()
    assert len(set(zip(*astuple(mesh), strict=True))) == mesh.tp.size


def test_layouts_of_one_and_of_two_chips_are_counted_by_hand():
    # one chip, dense: microbatch 1, 2, 4 or 8 with three ways to recompute, nothing else to choose
    assert (
        training_mesh(
            MODELS["Meta-Llama-3.1-70B"], machine("H100-SXM"), TrainRequest(64.0, 6400.0, 1.0)
        ).tp.size
        == 12
    )
    # two chips: the same for tp 2, for dp 2 with ZeRO 1 or 3, and for pp 2 with six schedules
    two = training_mesh(MODELS["Meta-Llama-3.1-70B"], machine("H100-SXM"), TrainRequest(64.0, 6400.0, 2.0))
    assert two.tp.size == 12 * (1 + 2 + 6)


def test_a_mesh_is_built_once_and_nobody_can_change_it():
    first = training_mesh(MODELS["DeepSeek-V3"], machine("H100-SXM"), JOB)
    again = training_mesh(MODELS["DeepSeek-V3"], machine("H800-SXM"), JOB)  # same domain, other speeds
    assert all(getattr(first, field.name) is getattr(again, field.name) for field in fields(first))
    with pytest.raises(ValueError, match="read-only"):
        first.tp[0] = 2


@given(
    name=st.sampled_from(NAMES),
    chip=st.sampled_from(PLACES),
    rows=st.lists(st.integers(0, 10**6), min_size=1, max_size=30),
    apart=st.booleans(),
)
def test_a_configuration_does_not_see_its_neighbours(name, chip, rows, apart):
    request = ServeRequest(1200.0, 300.0, prefix_share=0.25, disaggregated=apart)
    whole = serving_mesh(MODELS[name], machine(chip))
    index = np.array(rows) % whole.tp.size  # any rows, in any order, some of them twice
    together = serve_closed_loop(MODELS[name], machine(chip), request, whole)
    alone = serve_closed_loop(MODELS[name], machine(chip), request, whole.take(index))
    for field in ("tpot_s", "ttft_s", "tokens_per_s_per_chip", "memory_bytes"):
        assert getattr(alone, field) == pytest.approx(getattr(together, field)[index], rel=1e-12)


@models
@pairs
def test_what_is_found_fits_and_nothing_that_fits_is_lost(name, chip):
    model, place = MODELS[name], machine(chip)
    usable = place.memory_bytes * place.knobs.usable_share
    served = search_serving(model, place, CHAT)
    memory = serving_memory_bytes(model, place, CHAT, serving_mesh(model, place))
    assert served.searched == memory.size
    assert np.array_equal(served.result.memory_bytes, memory[memory <= usable])
    assert np.array_equal(np.sort(served.order), np.arange(served.mesh.tp.size))
    trained = search_training(model, place, JOB)
    mesh = training_mesh(model, place, JOB)
    memory = training_memory_bytes(model, place, JOB, mesh)
    short = (mesh.schedule == DUAL_PIPE) & (microbatches(JOB, mesh) < 2 * mesh.pp)  # the schedule cannot run
    assert np.array_equal(trained.result.memory_bytes, memory[(memory <= usable) & ~short])
    assert np.array_equal(np.sort(trained.order), np.arange(trained.mesh.tp.size))


@given(
    rows=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3), st.booleans()), max_size=60),
)
def test_the_order_is_by_speed_then_chips_then_place(rows):
    rate, chips, allowed = (
        np.array([row[i] for row in rows], dtype=kind) for i, kind in enumerate((float, float, bool))
    )
    expected = sorted((i for i, row in enumerate(rows) if row[2]), key=lambda i: (-rate[i], chips[i], i))
    assert search._best(rate, chips, allowed).tolist() == expected


@models
def test_configurations_are_named_as_estimates_name_them(name):
    model, place = MODELS[name], machine("GB200-NVL72")
    served, trained = search_serving(model, place, CHAT), search_training(model, place, LONG)
    for found, names, opened, request in (
        (served, serving_names, open_serving, CHAT),
        (trained, training_names, open_training, LONG),
    ):
        some = found.order[:: max(found.order.size // 40, 1)]
        expected = [opened(model, place, request, found, int(i)).configuration for i in some]
        assert list(names(found.mesh.take(some), place.precision)) == expected


def test_equal_questions_get_equal_bytes():
    def answer():
        found = search_training(MODELS["DeepSeek-V3"], machine("TPU-v5e"), JOB)
        return found.order.tobytes() + b"".join(column.tobytes() for column in found.result.terms.values())

    first = answer()
    meshes._training.cache_clear()
    assert answer() == first
