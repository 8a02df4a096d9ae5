"""One formula for one model and for a table of them: every row of the table is what the model gives alone."""

from dataclasses import fields, replace

import numpy as np
import pytest

from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.counts import forward_flop_per_token, kv_bytes, mean_causal_context, parameters
from exaplan.perf.knobs import Knobs
from exaplan.perf.machine import machine_of, stack_machines, take_machines
from exaplan.perf.serving import (
    ServeMesh,
    ServeRequest,
    capacity_slots,
    serve_closed_loop,
    serve_static_batch,
)
from exaplan.perf.shapes import Shapes, either, stack_models
from exaplan.perf.training import TrainMesh, TrainRequest, train_step

CHIPS, MODELS = load_chips(), load_models()
NAMES = (
    "Meta-Llama-3.1-8B", "Meta-Llama-3.1-405B", "DeepSeek-V3", "gpt-oss-120b", "Qwen3-235B-A22B",
    "Mixtral-8x7B-v0.1", "gemma2-27b", "Kimi-K2-Instruct",
)  # fmt: skip
KINDS = ("H100-SXM", "A100-80-SXM", "B200-SXM", "TPU-v5e", "TPU-v5p", "Trainium2", "MI300X", "Gaudi2")
ROWS = 20
RNG = np.random.default_rng(7)


def draw(options):
    return [options[int(i)] for i in RNG.integers(len(options), size=ROWS)]


def numbers(*options):
    return np.array(draw(options), dtype=float)


MODEL_ROWS = [MODELS[name] for name in draw(NAMES)]
MACHINE_ROWS = [
    machine_of(CHIPS[chip], precision, software_months=months)
    for chip, precision, months in zip(
        draw(KINDS), draw(("bf16", "fp8", "fp4")), draw((0.0, 7.0, 60.0)), strict=True
    )
]
SHAPES, MACHINES = stack_models(MODEL_ROWS), stack_machines(MACHINE_ROWS)


def row(record, index):
    """One row of a record of arrays."""
    return replace(record, **{f.name: np.asarray(getattr(record, f.name))[[index]] for f in fields(record)})


def plain(record, index):
    """One row of a record of arrays or numbers, as numbers."""
    return replace(
        record,
        **{f.name: np.broadcast_to(getattr(record, f.name), ROWS)[index].item() for f in fields(record)},
    )


def compare(table, alone, index):
    for field in fields(table):
        if field.name == "terms":
            shared = {name: seconds[index] for name, seconds in table.terms.items() if name in alone.terms}
            extra = [seconds[index] for name, seconds in table.terms.items() if name not in alone.terms]
            assert shared == pytest.approx({k: v[0] for k, v in alone.terms.items()}, rel=1e-12, abs=1e-18)
            assert not np.any(extra), "a term of other rows is not zero here"
        else:
            value = getattr(table, field.name)[index]
            assert value == pytest.approx(getattr(alone, field.name)[0], rel=1e-12), field.name


def test_counts_of_a_table_are_those_of_its_rows():
    table, contexts = parameters(SHAPES), numbers(100, 5000, 40_000)
    for index, model in enumerate(MODEL_ROWS):
        alone = parameters(model)
        for field in fields(alone):
            value = np.broadcast_to(getattr(table, field.name), ROWS)[index]
            assert value == getattr(alone, field.name), field.name
        context = contexts[index]
        assert kv_bytes(SHAPES, contexts, 2.0)[index] == kv_bytes(model, context, 2.0)
        assert mean_causal_context(SHAPES, contexts)[index] == mean_causal_context(model, context)
        flop = np.asarray(forward_flop_per_token(SHAPES, contexts))[index]
        assert flop == pytest.approx(forward_flop_per_token(model, context), rel=1e-12)


TRAIN = TrainMesh(
    tp=numbers(1, 2, 4, 8), pp=numbers(1, 2, 4, 7), ep=numbers(1, 8), dp=numbers(8, 16, 64), cp=numbers(1, 2, 4),
    micro=numbers(1, 2, 4), interleave=numbers(1, 2), recompute=numbers(0, 1, 2), zero=numbers(0, 1, 2, 3),
    schedule=numbers(0, 1, 2),
)  # fmt: skip
JOBS = TrainRequest(
    sequence_tokens=numbers(2048, 4096, 8192), batch_tokens=numbers(1, 4, 16) * 2**20,
    cluster_chips=TRAIN.chips + 3, trainable_share=numbers(1.0, 0.01), classic=numbers(0, 1) > 0,
    gradient_bytes=numbers(2, 4), state_bytes=numbers(6, 8, 12),
)  # fmt: skip


@pytest.mark.parametrize("index", range(ROWS))
def test_a_training_step_of_a_table_is_that_of_its_row(index):
    table = train_step(SHAPES, MACHINES, JOBS, TRAIN)
    alone = train_step(MODEL_ROWS[index], MACHINE_ROWS[index], plain(JOBS, index), row(TRAIN, index))
    compare(table, alone, index)


SERVE = ServeMesh(
    tp=numbers(1, 2, 4, 8), pp=numbers(1, 2, 4), ep=np.ones(ROWS), dp=np.ones(ROWS), slots=numbers(1, 16, 200)
)
WIDE = replace(SERVE, dp=numbers(2, 8), pp=np.ones(ROWS))
WIDE = replace(WIDE, ep=WIDE.tp * WIDE.dp)
REQUESTS = ServeRequest(
    input_tokens=numbers(100, 1200, 30_000), output_tokens=numbers(2, 300, 4000), prefix_share=numbers(0, 0.5),
    draft_tokens=numbers(0, 0, 3), acceptance=numbers(0.5, 0.9), draft_cost_share=numbers(0, 0.05),
    disaggregated=numbers(0, 1) > 0, tpot_s=np.full(ROWS, np.inf), ttft_s=np.full(ROWS, np.inf),
)  # fmt: skip


@pytest.mark.parametrize("mesh", [SERVE, WIDE], ids=["tensor parallel", "attention-data parallel"])
@pytest.mark.parametrize("serve", [serve_closed_loop, serve_static_batch])
def test_serving_of_a_table_is_that_of_its_rows(serve, mesh):
    table = serve(SHAPES, MACHINES, REQUESTS, mesh)
    for index, (model, machine) in enumerate(zip(MODEL_ROWS, MACHINE_ROWS, strict=True)):
        compare(table, serve(model, machine, plain(REQUESTS, index), row(mesh, index)), index)


def test_room_for_sequences_in_a_table_is_that_of_its_rows():
    table = capacity_slots(SHAPES, MACHINES, REQUESTS, SERVE)
    for index, (model, machine) in enumerate(zip(MODEL_ROWS, MACHINE_ROWS, strict=True)):
        alone = capacity_slots(model, machine, plain(REQUESTS, index), row(SERVE, index))
        assert table[index] == pytest.approx(alone[0], rel=1e-12)


def test_one_model_on_many_machines_is_each_machine_alone():
    # scalars beside arrays: the search lays out the mesh only, a co-design the machines only
    model, mesh = MODELS["DeepSeek-V3"], row(SERVE, 0)
    table = serve_closed_loop(model, MACHINES, ServeRequest(1000, 200), SERVE.take(np.zeros(ROWS, dtype=int)))
    for index, machine in enumerate(MACHINE_ROWS):
        compare(table, serve_closed_loop(model, machine, ServeRequest(1000, 200), mesh), index)


def test_rows_that_are_taken_are_the_same_rows():
    index = np.array([3, 3, 0, 19])
    knobs = Knobs(**{f.name: getattr(MACHINES.knobs, f.name)[index] for f in fields(Knobs)})
    taken, shapes = take_machines(MACHINES, index, knobs), SHAPES.take(index)
    again = stack_machines([MACHINE_ROWS[i] for i in index])
    for field in fields(Shapes):
        assert (
            getattr(shapes, field.name) == getattr(stack_models([MODEL_ROWS[i] for i in index]), field.name)
        ).all()
    assert all((getattr(taken.knobs, f.name) == getattr(again.knobs, f.name)).all() for f in fields(Knobs))
    assert (taken.peak_flop_per_s == again.peak_flop_per_s).all()


def test_a_branch_that_no_row_takes_is_never_computed():
    def never():
        raise AssertionError

    assert either(True, lambda: 1.0, never) == 1.0
    assert either(np.array([False, False]), never, lambda: 2.0) == 2.0
    assert np.array_equal(either(np.array([True, False]), lambda: np.ones(2), lambda: 0.0), [1, 0])
