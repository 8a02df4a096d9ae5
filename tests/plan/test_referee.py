"""The engine's program and an independent one, written differently and built with linopy, have the same optimum."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan.labs import contracts_lab, developer_lab, owner_lab
from tests.plan.referee import best_value_usd

from exaplan.plan.inputs import collect
from exaplan.plan.solve import solve_plan


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [contracts_lab, owner_lab, developer_lab], ids=lambda make: make.__name__)
def test_two_builds_of_one_plan_are_worth_the_same(make):
    lab, rates, tree = make()
    solved = solve_plan(collect(lab, rates, tree))
    reference = solved.program.inputs.reference_ratio
    twin = best_value_usd(lab, rates, tree, reference)
    assert solved.relaxed == {}
    assert solved.solution.objective * 1e6 == pytest.approx(twin, rel=1e-6)
    assert np.abs(solved.proof).max() < 1e-7


def at_work(solved, *names: str) -> bool:
    columns = solved.program.columns
    return all(solved.value(getattr(columns, name)).max() > 1e-3 for name in names)


def test_between_them_the_three_labs_use_every_part_of_a_plan():
    first, second, third = (
        solve_plan(collect(*make())) for make in (contracts_lab, owner_lab, developer_lab)
    )
    assert at_work(first, "order", "left", "use", "above", "rent", "unserved", "lost", "excess")
    assert at_work(second, "order", "debt", "raised", "profit", "relief", "carried", "write_down", "excess")
    assert at_work(third, "order", "progress", "ratio", "profit", "excess")
    for solved, names in (
        (first, ("cover",)),
        (second, ("power",)),
        (third, ("floor", "oversight", "mix_most")),
    ):
        for name in names:
            assert np.abs(solved.solution.row_dual[solved.model.rows[name].span]).max() > 1e-3, name
