"""Decomposition: the same answer as the extensive form, proven from both sides, whatever the cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.optimize.trees import Kind, random_plan

from exaplan.optimize import decompose as decompose_module
from exaplan.optimize.blocks import Builder
from exaplan.optimize.certificate import certify, primal_residual
from exaplan.optimize.decompose import decompose, seconds_left
from exaplan.optimize.highs import Progress, solve
from exaplan.optimize.split import split_at
from exaplan.optimize.stages import Staged

seeds = st.integers(0, 100_000)
kinds = st.builds(
    Kind,
    depth=st.integers(2, 4),
    limit=st.booleans(),
    caps=st.booleans(),
    sense=st.sampled_from(["max", "min"]),
)


@given(seeds, kinds, st.data())
def test_every_cut_gives_the_extensive_forms_objective_and_a_certificate(seed, kind, data):
    staged = random_plan(seed, kind)
    tau = data.draw(st.integers(1, kind.depth))
    direct = solve(staged.model)
    found = decompose(staged, tau, gap=1e-7)
    assert direct.status == found.solution.status == "optimal"
    assert found.solution.objective == pytest.approx(direct.objective, rel=1e-5, abs=1e-5)
    assert found.solution.bound == pytest.approx(direct.objective, rel=1e-5, abs=1e-5)
    assert max(certify(staged.model, found.solution)) < 1e-6


@settings(max_examples=10)
@given(seeds, st.integers(1, 2), st.booleans())
def test_binaries_at_the_root_stay_in_the_master(seed, starts, limit):
    staged = random_plan(seed, Kind(depth=3, starts=starts, limit=limit))
    direct = solve(staged.model)
    found = decompose(staged, 1, gap=1e-7).solution
    assert found.status == "optimal"
    assert found.objective == pytest.approx(direct.objective, rel=1e-5, abs=1e-5)
    assert found.bound == pytest.approx(direct.objective, rel=1e-5, abs=1e-5)
    assert max(certify(staged.model, found)) < 1e-6


@pytest.mark.parametrize("sense", ["max", "min"])
def test_both_bounds_hold_at_every_moment(sense):
    staged = random_plan(11, Kind(depth=4, sense=sense))
    truth = solve(staged.model).objective
    sign = 1 if sense == "max" else -1
    log = decompose(staged, 2, gap=1e-9).log
    assert len(log) > 2
    for _, bound, objective in log:
        assert sign * bound >= sign * truth - 1e-7
        assert sign * objective <= sign * truth + 1e-7


def unrecoverable() -> Staged:
    """Build what looks best today and breaks tomorrow: orders pay at once, but stock must fit a future cap."""
    builder = Builder()
    order = builder.variable("order", (), upper=10.0, cost=1.0)
    stock = builder.variable("stock", (2,))
    arrives = builder.rows("arrives", (2,), lower=0.0, upper=0.0)
    builder.add(arrives, arrives.position, stock.index, 1.0)
    builder.add(arrives, arrives.position, order.index, -1.0)
    cap = builder.rows("cap", (2,), upper=[8.0, 3.0])
    builder.add(cap, cap.position, stock.index, 1.0)
    return Staged(builder.build("max"), np.array([-1, 0, 0]), np.array([0, 1, 2]))


def test_a_planted_unrecoverable_order_is_caught_and_named():
    staged = unrecoverable()
    found = decompose(staged, 1, start=np.array([10.0, 10.0, 10.0]))
    assert found.solution.x[0] == pytest.approx(3.0)  # by hand: the tighter cap
    assert found.solution.bound == pytest.approx(3.0)
    assert found.feasibility_cuts >= 2
    assert {"cap[0]", "cap[1]"} <= {name for name, _ in found.clashes}


def test_a_program_without_any_plan_is_infeasible_not_optimal():
    staged = unrecoverable()
    impossible = staged.with_model(staged.model.with_changes(lower={"order": 5.0}))
    assert decompose(impossible, 1).solution.status == "infeasible"
    own_fault = staged.with_model(
        staged.model.with_changes(row_lower={"cap": 9.0}, row_upper={"cap": 20.0}, upper={"stock": 4.0})
    )
    assert decompose(own_fault, 1).solution.status == "infeasible"


def test_a_program_without_limit_is_unbounded():
    staged = unrecoverable()
    endless = staged.model.with_changes(upper={"order": np.inf}, row_upper={"cap": np.inf})
    assert decompose(staged.with_model(endless), 1).solution.status == "unbounded"
    later = staged.model.with_changes(
        cost={"stock": 1.0}, row_lower={"arrives": -np.inf}, row_upper={"arrives": np.inf, "cap": np.inf}
    )
    assert decompose(staged.with_model(later), 1).solution.status == "unbounded"


def test_the_answer_is_the_same_to_the_last_bit_whatever_the_number_of_threads():
    staged = random_plan(5, Kind(depth=4, limit=True, caps=True))
    one, three = (decompose(staged, 2, threads=n) for n in (1, 3))
    assert one.rounds == three.rounds
    assert np.array_equal(one.solution.x, three.solution.x)
    assert np.array_equal(one.solution.row_dual, three.solution.row_dual)


def test_a_wish_to_stop_gives_the_best_plan_so_far_and_its_gap():
    staged = random_plan(3, Kind(depth=4))
    truth = solve(staged.model).objective
    seen: list[Progress] = []

    def enough(note: Progress) -> bool:
        seen.append(note)
        return note.bound is not None and note.phase == "cuts"

    found = decompose(staged, 3, gap=1e-12, progress=enough)
    assert found.solution.status == "interrupted"
    assert found.solution.objective <= truth + 1e-7 <= found.solution.bound + 2e-7
    assert 0 < found.gap < np.inf
    residual, dual, gap = certify(staged.model, found.solution)
    assert max(residual, dual) < 1e-6
    assert gap <= found.gap + 1e-6
    assert list(dict.fromkeys(note.phase for note in seen)) == ["start", "first pass", "cuts"]


def test_ctrl_c_gives_the_best_plan_so_far_too():
    staged = random_plan(3, Kind(depth=4))

    def pressed(note: Progress) -> bool:
        if note.objective is not None and note.phase == "cuts":
            raise KeyboardInterrupt
        return False

    found = decompose(staged, 3, gap=1e-12, progress=pressed)
    assert found.solution.status == "interrupted"
    assert primal_residual(staged.model, found.solution.x) < 1e-6


def test_an_interrupted_search_over_integers_never_passes_a_fraction_off_as_a_plan():
    staged = random_plan(12, Kind(depth=3, starts=2))
    for rounds in range(1, 8):
        found = decompose(
            staged, 1, gap=1e-9, progress=lambda note, n=rounds: (note.iterations or 0) >= n
        ).solution
        if found.has_values:
            start = found.x[staged.model.columns["start"].span]
            assert np.abs(start - np.round(start)).max() < 1e-6
            assert found.objective <= found.bound + 1e-6


def test_the_time_limit_stops_before_the_first_pass_without_an_answer():
    found = decompose(random_plan(3, Kind(depth=4)), 2, time_limit_s=0.0)
    assert found.solution.status == "time_limit"
    assert not found.solution.has_values


def test_integers_behind_the_cut_are_refused_with_the_column_and_a_way_out():
    staged = random_plan(1, Kind(depth=3, late_starts=True))
    with pytest.raises(ValueError, match=r"begin\[1\] first; cut later or solve the extensive form"):
        decompose(staged, 1)


@pytest.mark.parametrize("groups", [1, 2])
def test_blocks_that_share_a_cut_lead_to_the_same_answer(groups, monkeypatch):
    monkeypatch.setattr(decompose_module, "MOST_GROUPS", groups)
    for seed in range(4):
        staged = random_plan(seed, Kind(depth=4, caps=True, limit=True))
        found = decompose(staged, 3, gap=1e-7)
        assert found.blocks > groups
        assert found.solution.objective == pytest.approx(solve(staged.model).objective, rel=1e-5)
        assert max(certify(staged.model, found.solution)) < 1e-6


def test_a_start_near_the_optimum_saves_rounds():
    staged = random_plan(8, Kind(depth=4))
    cold = decompose(staged, 2)
    warm = decompose(staged, 2, start=cold.solution.x)
    assert warm.rounds < cold.rounds
    assert warm.solution.objective == pytest.approx(cold.solution.objective, rel=1e-6)


def test_master_and_blocks_together_hold_every_entry_and_two_for_each_part_of_a_coupling_row():
    staged = random_plan(2, Kind(depth=3, limit=True))
    for tau in (1, 2, 3):
        split = split_at(staged, tau)
        entries = split.master.entry_count + len(split.blocks.value) + len(split.blocks.links.value)
        assert entries == staged.model.entry_count + 2 * len(split.coupling.row)
        x = np.arange(staged.model.column_count, dtype=float)
        assert np.array_equal(split.joined_x(x[split.columns], x[split.blocks.columns]), x)


def test_minimizing_is_maximizing_turned_round():
    up = random_plan(4, Kind(depth=3, caps=True))
    down = up.with_model(replace(up.model, cost=-up.model.cost, offset=-up.model.offset, sense="min"))
    high, low = decompose(up, 2).solution, decompose(down, 2).solution
    assert low.objective == pytest.approx(-high.objective)
    assert low.row_dual == pytest.approx(-high.row_dual)


def test_the_estimate_of_time_left_is_silent_until_the_bound_falls():
    assert seconds_left([(0.0, np.inf, 1.0), (1.0, 2.0, 1.0)], 1e-3, 1.0) is None
    assert seconds_left([(0.0, 2.0, 1.0), (1.0, 2.0, 1.0)], 1e-3, 1.0) is None
