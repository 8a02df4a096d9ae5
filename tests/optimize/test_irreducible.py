"""Why there is no solution."""

import pytest

from exaplan.optimize.blocks import Builder
from exaplan.optimize.highs import solve
from exaplan.optimize.irreducible import irreducible_set
from exaplan.optimize.model import Model


def floor_above_supply(*, integer: bool = False) -> Model:
    builder = Builder()
    use = builder.variable("use", (2, 2), upper=5.0, integer=integer)
    shift = builder.variable("shift", (), lower=2.0, upper=3.0)
    power = builder.rows("power", (2,), upper=[30.0, 3.0])
    floor = builder.rows("floor", (), lower=12.0)
    builder.add(power, power.position[:, None], use.index, 1.0)
    builder.add(floor, 0, use.index, 1.0)
    builder.add(floor, 0, shift.index, -1.0)
    return builder.build()


@pytest.mark.parametrize("integer", [False, True])
def test_the_rows_and_bounds_that_clash_are_named(integer):
    found = irreducible_set(floor_above_supply(integer=integer))
    assert [str(row) for row in found.rows] == ["power[1] <= 3", "floor >= 12"]
    assert [str(bound) for bound in found.bounds] == ["use[0,0] <= 5", "use[0,1] <= 5", "shift >= 2"]
    assert found.rows[0].name == "power"
    assert found.rows[0].place == (1,)
    assert found.rows[0].upper == 3.0


def test_leaving_out_any_member_restores_a_solution():
    model = floor_above_supply()
    found = irreducible_set(model)
    for row in found.rows:
        side = {"lower": ("row_lower", -float("inf")), "upper": ("row_upper", float("inf"))}[row.side]
        assert solve(model.with_changes(**{side[0]: {row.name: side[1]}})).status == "optimal"
    for bound in found.bounds:
        side = {"lower": ("lower", -float("inf")), "upper": ("upper", float("inf"))}[bound.side]
        relaxed = getattr(model, side[0]).copy()
        block = model.columns[bound.name]
        relaxed[block.index[bound.place]] = side[1]
        changed = model.with_changes(**{side[0]: {bound.name: relaxed[block.span].reshape(block.shape)}})
        assert solve(changed).status == "optimal"


def test_a_model_that_has_a_solution_has_no_clash(furnace):
    with pytest.raises(ValueError, match="the model is optimal, not infeasible"):
        irreducible_set(furnace)
