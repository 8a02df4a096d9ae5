"""A plan laid over its tree: every row keeps to one path, and cutting it gives the same plan."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan.labs import contracts_lab, developer_lab, owner_lab

from exaplan.optimize.certificate import certify
from exaplan.optimize.highs import solve
from exaplan.optimize.routes import solve_staged
from exaplan.optimize.stages import fixed_before
from exaplan.plan.formulation import build_program
from exaplan.plan.inputs import collect
from exaplan.plan.staging import staged_of

LABS = [contracts_lab, owner_lab, developer_lab]


@pytest.mark.parametrize("made", LABS)
def test_the_tree_of_a_plan_is_that_of_its_inputs_and_rows_keep_to_one_path(made):
    program = build_program(collect(*made()))
    staged = staged_of(program)
    assert staged.parent.tolist() == [-1, *program.inputs.parent[1:].tolist()]
    assert staged.depth.tolist() == program.inputs.quarter.tolist()
    assert staged.coupling_rows.tolist() == []
    for name, home in (
        ("cash", np.arange(program.inputs.nodes)),
        ("excess", program.inputs.tails),
        ("value_at_risk", 0),
    ):
        assert (staged.column_node[program.model.columns[name].span] == home).all()
    rows = program.model.rows["cash_balance"]
    assert staged.row_node[rows.span].tolist() == list(range(program.inputs.nodes))


@pytest.mark.parametrize("made", LABS)
@pytest.mark.parametrize("route", ["two-stage", "subtree"])
def test_a_plan_cut_in_two_is_the_plan_in_one_piece(made, route):
    staged = staged_of(build_program(collect(*made())))
    whole = solve(staged.model)
    found = solve_staged(staged, route=route, gap=1e-7)
    assert found.solution.objective == pytest.approx(whole.objective, rel=1e-5)
    assert found.solution.bound == pytest.approx(whole.objective, rel=1e-5)
    assert max(certify(staged.model, found.solution)) < 1e-6


def test_a_limit_on_the_tail_couples_all_leaves_and_is_divided_among_the_blocks():
    lab, rates, tree = contracts_lab()
    free = solve(build_program(collect(lab, rates, tree)).model)
    program = build_program(collect(lab, rates, tree))
    eta, excess = (free.x[program.model.columns[name].span] for name in ("value_at_risk", "excess"))
    leaves = program.inputs.probability[program.inputs.leaves]
    cvar = float(eta[0] + leaves @ excess / (1 - lab.policy.risk.level))
    risk = lab.policy.risk.model_copy(update={"limit_usd": (cvar - 0.2) * 1e6})
    tight = lab.model_copy(update={"policy": lab.policy.model_copy(update={"risk": risk})})
    staged = staged_of(build_program(collect(tight, rates, tree)))
    assert len(staged.coupling_rows) == 1
    whole = solve(staged.model)
    assert whole.status == "optimal"
    assert whole.objective < free.objective
    found = solve_staged(staged, route="two-stage", gap=1e-7)
    assert found.solution.objective == pytest.approx(whole.objective, rel=1e-5)
    assert max(certify(staged.model, found.solution)) < 1e-6


def test_orders_of_another_plan_kept_until_the_tree_branches_never_beat_the_optimum():
    staged = staged_of(build_program(collect(*contracts_lab())))
    best = solve(staged.model)
    timid = staged.model.with_changes(upper={"order": 0.0})
    kept = solve(fixed_before(staged, 1, solve(timid).x))
    assert kept.objective < best.objective
    assert solve(fixed_before(staged, 1, best.x)).objective == pytest.approx(best.objective, rel=1e-6)
