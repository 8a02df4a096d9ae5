"""The model as a value: changes, refusals, its text."""

import numpy as np
import pytest

from exaplan.optimize.blocks import Builder
from exaplan.optimize.highs import solve


def fleet(upper=5.0, cost=(1.0, 2.0), limit=8.0, floor=1.0):
    builder = Builder()
    use = builder.variable("use", (2,), upper=upper, cost=cost)
    total = builder.rows("total", (), upper=limit)
    least = builder.rows("least", (2,), lower=floor)
    builder.add(total, 0, use.index, [1.0, 2.0])
    builder.add(least, least.position, use.index, 1.0)
    return builder.build("max")


def test_with_changes_equals_a_rebuild():
    changed = fleet().with_changes(
        upper={"use": [6.0, 7.0]}, lower={"use": 0.5}, cost={"use": 3.0}, row_upper={"total": 9.0},
        row_lower={"least": [0.0, 2.0]},
    )  # fmt: skip
    rebuilt = fleet(upper=[6.0, 7.0], cost=3.0, limit=9.0, floor=[0.0, 2.0]).with_changes(lower={"use": 0.5})
    assert changed.to_lp_text() == rebuilt.to_lp_text()
    assert solve(changed).objective == pytest.approx(solve(rebuilt).objective, abs=0)


def test_with_changes_shares_the_matrix_and_leaves_the_original():
    model = fleet()
    text = model.to_lp_text()
    changed = model.with_changes(row_upper={"total": 1.0})
    assert changed.value is model.value
    assert changed.cost is model.cost
    assert model.to_lp_text() == text != changed.to_lp_text()


def test_changes_that_make_no_sense_are_refused_with_the_label():
    model = fleet()
    for change, reason in (
        ({"upper": {"usage": 1.0}}, "no range 'usage'; there are use"),
        ({"upper": {"use": [1.0, 2.0, 3.0]}}, "upper of use"),
        ({"lower": {"use": [0.0, 6.0]}}, r"use\[1\] has lower bound 6.0 and upper 5.0"),
        ({"row_upper": {"total": np.nan}}, "total has"),
        ({"cost": {"use": np.inf}}, r"use\[0\] is inf"),
    ):
        with pytest.raises(ValueError, match=reason):
            model.with_changes(**change)


def test_golden_text():
    builder = Builder()
    stock = builder.variable("stock", (2, 2), cost=[[0.0, -1.5], [2.0, 0.0]])
    cash = builder.variable("cash", (), lower=-np.inf, cost=1.0)
    tape_out = builder.variable("tape_out", (2,), upper=1.0, integer=True)
    balance = builder.rows("balance", (2,), lower=[1.0, 0.25], upper=[1.0, 4.0])
    free = builder.rows("watch", ())
    builder.add(balance, balance.position[:, None], stock.index, [1.0, -0.1])
    builder.add(balance, 1, cash.index, -1.0)
    builder.add(free, 0, tape_out.index, 1e-7)
    model = builder.build("min", offset=-12.5)
    assert (
        model.to_lp_text()
        == """\
minimize
  -1.5 stock[0,1] + 2 stock[1,0] + cash - 12.5
subject to
  balance[0]: stock[0,0] - 0.1 stock[0,1] = 1
  balance[1]: 0.25 <= stock[1,0] - 0.1 stock[1,1] - cash <= 4
  watch: 1e-07 tape_out[0] + 1e-07 tape_out[1] free
bounds
  cash free
  0 <= tape_out[0] <= 1
  0 <= tape_out[1] <= 1
integer
  tape_out[0] tape_out[1]
"""
    )
    assert model.to_lp_text(rows=["watch"]) == "watch: 1e-07 tape_out[0] + 1e-07 tape_out[1] free\n"
    with pytest.raises(ValueError, match="no row range 'cash'"):
        model.to_lp_text(rows=["cash"])
