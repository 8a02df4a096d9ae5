"""The same program in linopy's language: same names, same optimum, and users' own rows on top."""

import sys
import warnings

import numpy as np
import pytest

from exaplan.optimize.blocks import Builder
from exaplan.optimize.highs import solve
from exaplan.optimize.linopy_export import to_linopy

linopy = pytest.importorskip("linopy", reason="linopy is not installed: pip install 'exaplan[linopy]'")
pytestmark = pytest.mark.filterwarnings("ignore")  # of linopy's own dependencies


def optimum(made):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        status = made.solve(solver_name="highs", io_api="direct", output_flag=False)
    assert status == ("ok", "optimal")
    return made.objective.value


@pytest.mark.parametrize("sense", ["max", "min"])
def test_random_programs_have_the_same_optimum(random_model, sense):
    for seed in range(4):
        model = random_model(seed, sense)
        assert optimum(to_linopy(model)) == pytest.approx(solve(model).objective, rel=1e-9)


def test_every_kind_of_row_and_column_comes_over():
    builder = Builder()
    x = builder.variable("x", (2, 2), lower=[[-np.inf, -3.0], [2.0, -1.0]], upper=[[4.0, 3.0], [2.0, np.inf]],
                         cost=[[1.0, -1.0], [0.5, -2.0]])  # fmt: skip
    site = builder.variable("site", (2,), upper=3.0, cost=[1.0, 1.1], integer=True)
    one = builder.variable("one", (), upper=5.0, cost=1.0)
    band = builder.rows(
        "band", (2, 2), lower=[[-2.5, -np.inf], [1.0, -np.inf]], upper=[[4.25, 6.0], [1.0, np.inf]]
    )
    cap = builder.rows("cap", (), upper=7.3)
    builder.rows("empty", (3,), upper=1.0)
    builder.add(band, band.position, x.index, [[1.0, 2.0], [3.0, 1.0]])
    builder.add(band, [0, 1], site.index, 0.7)
    builder.add(cap, 0, site.index, 1.0)
    builder.add(cap, 0, one.index, 1.0)
    builder.add(band, 2, one.index, -1.0)
    model = builder.build("max", offset=-17.0)
    made = to_linopy(model, dims={"x": ("node", "offer"), "band": ("node", "offer")})
    assert list(made.variables) == ["x", "site", "one", "objective_offset"]
    assert list(made.constraints) == ["band", "band_upper", "cap"]
    assert made.variables["x"].dims == ("node", "offer")
    assert made.variables["site"].dims == ("site_0",)
    assert solve(model).status == "optimal"
    assert optimum(made) == pytest.approx(solve(model).objective, rel=1e-9)


def test_a_row_of_ones_own_binds():
    builder = Builder()
    buy = builder.variable("buy", (3,), upper=[4.0, 4.0, 4.0], cost=[3.0, 2.0, 1.0])
    power = builder.rows("power", (3,), upper=10.0)
    builder.add(power, power.position, buy.index, 1.0)
    made = to_linopy(builder.build("max"), dims={"buy": ("chip",)})
    made.add_constraints(made.variables["buy"].sum("chip") <= 5.0, name="two_suppliers")
    assert optimum(made) == pytest.approx(4.0 * 3 + 1.0 * 2)  # four of the best, one of the next


def test_what_does_not_fit_is_refused_by_name(furnace):
    with pytest.raises(ValueError, match="'battery', which is no range"):
        to_linopy(furnace, dims={"battery": ("a",)})
    with pytest.raises(ValueError, match=r"do not fit batches of shape \(2,\)"):
        to_linopy(furnace, dims={"batches": ("a", "b")})


def test_without_linopy_the_install_line_is_named(furnace, monkeypatch):
    monkeypatch.setitem(sys.modules, "linopy", None)
    with pytest.raises(ImportError, match=r"pip install 'exaplan\[linopy\]'"):
        to_linopy(furnace)
