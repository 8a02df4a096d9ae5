"""Every quarter's program, solved among thousands, has the value that a solver finds for it alone from nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.plan.combined_lab import FEATURES, combined_lab
from tests.plan.demand_labs import price_lab, segment_lab, trust_lab
from tests.plan.labs import contracts_lab, developer_lab, owner_lab
from tests.plan.test_combined import LUMPY
from tests.plan.test_load_blocks import PEAKY
from tests.simulate.test_replay import other_futures, solved

from exaplan.domain.load import Load
from exaplan.economy.sampling import sample_world
from exaplan.economy.tree import grow_tree
from exaplan.io.calibration import load_calibration
from exaplan.io.catalogue import load_shape
from exaplan.io.labfile import read_lab
from exaplan.optimize.highs import solve
from exaplan.perf.rate_table import fill_rates
from exaplan.plan.formulation import build_stage
from exaplan.plan.inputs import collect
from exaplan.plan.solve import solve_plan
from exaplan.simulate import replay as replaying
from exaplan.simulate.dispatch import Chunk, solve_chunk
from exaplan.simulate.replay import replay

FRONTIER = Path(__file__).parents[2] / "examples" / "frontier-2026.yaml"


def every_feature():
    return combined_lab(tuple(name for name in FEATURES if name not in LUMPY))


def runs_and_models():
    return combined_lab(("runs", "mix", "segments", "blocks", "metered", "prices", "exits"))


LABS = [
    contracts_lab,
    owner_lab,
    developer_lab,
    segment_lab,
    price_lab,
    trust_lab,
    every_feature,
    runs_and_models,
]


def chunks_of(plan_solved, world) -> list[Chunk]:
    """All programs of a replay."""
    seen: list[Chunk] = []

    def keeping(function, chunks):
        given = list(chunks)
        seen.extend(given)
        return [function(chunk) for chunk in given]

    replay(plan_solved, world, seed=1, absorbing=False, map=keeping)
    return seen


def as_from_nothing(chunk: Chunk, paths: np.ndarray) -> None:
    """Compare the value of each path's program with that of a cold solve of the stage rows of that path alone."""
    x, programs = solve_chunk(chunk), chunk.programs()
    for path in paths:
        model, _ = build_stage(chunk.sets, chunk.stage.take(np.array([path])))
        alone = solve(replace(model, **{name: values.copy() for name, values in programs.at(path).items()}))
        assert alone.status == "optimal"
        assert x[path] @ programs.cost[path] == pytest.approx(alone.objective, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("blocks", [False, True], ids=["one block", "three blocks"])
@pytest.mark.parametrize("make", LABS, ids=lambda make: make.__name__)
def test_the_program_of_a_path_has_the_value_of_a_cold_solve(make, blocks):
    lab, rates, tree = make()
    plan_solved = solve_plan(collect(lab.model_copy(update={"load": PEAKY}) if blocks else lab, rates, tree))
    for chunk in chunks_of(plan_solved, other_futures(tree, paths=80)):
        as_from_nothing(chunk, np.arange(0, len(chunk.stage.weight), 11))


@pytest.mark.parametrize("kinds", [2, 60])
@pytest.mark.parametrize("make", [developer_lab, every_feature], ids=lambda make: make.__name__)
def test_rates_may_differ_between_paths(make, kinds):
    plan_solved = solved(make)
    chunk = chunks_of(plan_solved, other_futures(plan_solved.program.inputs.tree, paths=60))[2]
    rng = np.random.default_rng(7)
    factor = rng.uniform(0.5, 1.0, size=(kinds, chunk.stage.rate.shape[1]))
    factor[0, 0] = 0.0  # an arc that is gone on some paths
    slower = replace(chunk.stage, rate=chunk.stage.rate * factor[np.arange(60) % kinds])
    as_from_nothing(replace(chunk, stage=slower), np.arange(0, 60, 4))


def test_a_path_whose_rates_are_its_own_is_not_run_at_those_of_the_first():
    plan_solved = solved(developer_lab)
    chunk = chunks_of(plan_solved, other_futures(plan_solved.program.inputs.tree, paths=40))[1]
    half = np.where(np.arange(40) % 2, 0.5, 1.0)[:, None]
    slower = replace(chunk, stage=replace(chunk.stage, rate=chunk.stage.rate * half))
    programs = chunk.programs()
    full, less = ((solve_chunk(each) * programs.cost).sum(axis=1) for each in (chunk, slower))
    assert less[::2] == pytest.approx(full[::2], rel=1e-9)
    assert (less[1::2] < full[1::2] - 1e-6).any()


def test_the_same_bytes_come_from_one_two_and_three_workers(monkeypatch):
    monkeypatch.setattr(replaying, "BATCH", 60)
    plan_solved = solved(developer_lab)
    world = other_futures(plan_solved.program.inputs.tree, paths=400)
    first = replay(plan_solved, world, seed=1)
    for workers in (1, 2, 3):
        with ThreadPoolExecutor(workers) as pool:
            again = replay(plan_solved, world, seed=1, map=pool.map)
        for name, values in vars(first).items():
            if isinstance(values, np.ndarray):
                assert values.tobytes() == getattr(again, name).tobytes(), name


def test_batches_of_paths_live_as_all_paths_together_do(monkeypatch):
    monkeypatch.setattr(replaying, "BATCH", 60)
    plan_solved = solved(developer_lab)
    world = other_futures(plan_solved.program.inputs.tree, paths=200)
    apart, together = replay(plan_solved, world, seed=1), replay(plan_solved, world, seed=1, together=True)
    for name, values in vars(together).items():
        if isinstance(values, np.ndarray) and name != "at_work":  # which chips work may be a tie
            nothing = 1e-12 * max(1.0, np.abs(values).max(initial=0.0))
            assert getattr(apart, name) == pytest.approx(values, rel=1e-6, abs=nothing), name


def test_a_path_without_a_dispatch_is_named():
    plan_solved = solved(developer_lab)
    chunk = chunks_of(plan_solved, other_futures(plan_solved.program.inputs.tree, paths=40))[1]
    power = chunk.stage.contract_chips.copy()
    power[23] = -5.0  # fewer chips than none
    broken = replace(chunk, stage=replace(chunk.stage, contract_chips=power))
    with pytest.raises(RuntimeError, match="dispatch of path 23 in its chunk ended as infeasible"):
        solve_chunk(broken)


@pytest.mark.slow
@pytest.mark.parametrize("blocks", [1, 3])
def test_on_the_frontier_example_too_every_program_has_the_value_of_a_cold_solve(blocks):
    lab = read_lab(FRONTIER)
    if blocks > 1:
        lab = lab.model_copy(update={"load": Load(blocks=blocks, shape=load_shape()[0])})
    plan_solved = solve_plan(collect(lab, fill_rates(lab, calibration=load_calibration()), grow_tree(lab)))
    rng = np.random.default_rng(blocks)
    for chunk in chunks_of(plan_solved, sample_world(lab, paths=600, seed=11)):
        as_from_nothing(chunk, rng.choice(len(chunk.stage.weight), size=12, replace=False))
