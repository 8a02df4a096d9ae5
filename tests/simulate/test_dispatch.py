"""Dispatch is the plan's own quarter: the same rows, and at the plan's prices the same decisions are best."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan.demand_labs import launch_lab, price_lab, segment_lab, trust_lab
from tests.plan.labs import contracts_lab, developer_lab, owner_lab

from exaplan.optimize.highs import solve
from exaplan.optimize.model import Model
from exaplan.plan.decided import decided_of
from exaplan.plan.formulation import build_stage
from exaplan.plan.inputs import collect
from exaplan.plan.result import STAGE_DECISIONS, STAGE_ROW_NAMES, further_demand, stage_worth
from exaplan.plan.solve import solve_plan
from exaplan.simulate.dispatch import State, priced_for, run_quarter

LABS = pytest.mark.parametrize(
    "make",
    [contracts_lab, owner_lab, developer_lab, segment_lab, price_lab, trust_lab],
    ids=lambda make: make.__name__,
)
STATE = ("stock", "left", "lost", "standing", "ready", "finished", "offered")


def dense(model: Model) -> np.ndarray:
    matrix = np.zeros((model.row_count, model.column_count))
    matrix[model.index, model.entry_column] = model.value
    return matrix


@LABS
def test_the_stage_rows_of_a_dispatch_are_those_of_the_plan_at_that_node(make):
    solved = solve_plan(collect(*make()))
    inputs, whole = solved.program.inputs, solved.program.model
    for node in (0, 2, inputs.nodes - 1):
        part, _ = build_stage(inputs.sets, inputs.stage.take(np.array([node])))
        columns = np.concatenate([whole.columns[name].index[node].ravel() for name in part.columns])
        rows = [whole.rows[name].start + whole.rows[name].position[node].ravel() for name in part.rows]
        rows = np.concatenate(rows)
        assert set(part.rows) == {name for name in STAGE_ROW_NAMES if name in whole.rows}
        of_node = dense(whole)[rows]
        assert np.array_equal(of_node[:, columns], dense(part))
        assert np.count_nonzero(of_node) == part.entry_count  # nothing of another node
        assert np.array_equal(whole.row_lower[rows], part.row_lower)
        assert np.array_equal(whole.row_upper[rows], part.row_upper)


@LABS
def test_at_the_prices_of_a_node_the_plans_own_quarter_is_the_best_there_is(make):
    solved = solve_plan(collect(*make()))
    inputs, columns = solved.program.inputs, solved.program.columns
    worth = stage_worth(solved).by_name
    for node in range(inputs.nodes):
        model, _ = build_stage(inputs.sets, inputs.stage.take(np.array([node])))
        state = {name: solved.value(getattr(columns, name))[[node]] for name in STATE}
        prices = {name: worth[name][[node]] for name in STAGE_DECISIONS}
        model = model.with_changes(lower=state, upper=state, cost={**dict.fromkeys(STATE, 0.0), **prices})
        own = sum(
            float((prices[name] * solved.value(getattr(columns, name))[[node]]).sum()) for name in prices
        )
        assert solve(model).objective == pytest.approx(own, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("make", [*LABS.args[1], launch_lab], ids=lambda make: make.__name__)
def test_dispatch_on_a_node_earns_what_the_plan_earns_there(make):
    solved = solve_plan(collect(*make()))
    decided = decided_of(solved).rows
    inputs, columns = solved.program.inputs, solved.program.columns
    node = np.arange(inputs.nodes)
    effect = 1 + solved.value(columns.standing)[:, None] * inputs.sets.sensitivity
    given = {name: solved.value(getattr(columns, name)) for name in STATE if name != "standing"}
    state = State(**given, effect=effect, brought=further_demand(solved))
    prices = priced_for(stage_worth(solved), node, inputs.sets, inputs.stage, inputs.stage)
    for quarter in range(inputs.quarters + 1):
        at = np.flatnonzero(inputs.quarter == quarter)
        part = State(*(values[at] for values in vars(state).values()))
        here = {name: values[at] for name, values in prices.items()}
        added = {name: amount[at] for name, amount in decided.items()}
        work = run_quarter(inputs.sets, inputs.stage.take(at), part, here, decided=added)
        for place, number in enumerate(at):
            got = sum(float((here[name][place] * getattr(work, name)[place]).sum()) for name in here)
            own = sum(float((here[n][place] * solved.value(getattr(columns, n))[number]).sum()) for n in here)
            assert got == pytest.approx(own, rel=1e-6, abs=1e-6)
