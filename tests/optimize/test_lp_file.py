"""The LP file says the same to an independent reader, under the model's own labels."""

import highspy
import numpy as np
import pytest

from exaplan.optimize.blocks import Builder
from exaplan.optimize.highs import solve
from exaplan.optimize.lp_file import lp_file_text


def read(text, folder):
    path = folder / "model.lp"
    path.write_text(text)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    assert solver.readModel(str(path)) == highspy.HighsStatus.kOk
    return solver


def optimum(solver):
    solver.run()
    return solver.getObjectiveValue()


def mixed():
    builder = Builder()
    x = builder.variable("x", (5,), lower=[-np.inf, -3.0, 2.0, -np.inf, 0.0], upper=[-1.0, 3.0, 2.0, np.inf, 9.0],
                         cost=[1.0, 1.0, 1.0, -1.0, 0.3])  # fmt: skip
    site = builder.variable("site", (2, 1), upper=3.0, cost=[[1.0], [1.1]], integer=True)
    builder.variable("nowhere", ())
    band = builder.rows("band", (2,), lower=[-2.5, -np.inf], upper=[4.25, np.inf])
    builder.rows("empty", (), upper=1e-7)
    builder.add(band, 0, x.index, [1.0, 1.0, -1 / 3, 1.0, 1.0])
    builder.add(band, 0, site.index, 0.7)
    builder.add(band, 1, x.index, 1.0)
    return builder.build("max", offset=-17.0)


@pytest.mark.parametrize("sense", ["max", "min"])
def test_random_programs_read_back(random_model, sense, tmp_path):
    for seed in range(5):
        model = random_model(seed, sense)
        assert optimum(read(lp_file_text(model), tmp_path)) == pytest.approx(
            solve(model).objective, rel=1e-12
        )


def test_integers_ranges_offsets_and_every_kind_of_bound_read_back(tmp_path):
    model = mixed()
    solver = read(lp_file_text(model), tmp_path)
    assert solve(model).status == "optimal"
    assert optimum(solver) == pytest.approx(solve(model).objective, rel=1e-9)
    lp = solver.getLp()
    assert set(lp.row_names_) == {"band(0)", "band(0)_upper", "empty"}
    assert sorted(lp.col_names_) == sorted(
        [*(f"x({k})" for k in range(5)), "site(0,0)", "site(1,0)", "nowhere"]
    )


def test_golden_text():
    assert (
        lp_file_text(mixed())
        == f"""\
maximize
 obj: + 1.0 x(0) + 1.0 x(1) + 1.0 x(2) - 1.0 x(3) + 0.3 x(4) + 1.0 site(0,0)
  + 1.1 site(1,0) - 17.0
subject to
 band(0): + 1.0 x(0) + 1.0 x(1) - {1 / 3!r} x(2) + 1.0 x(3) + 1.0 x(4) + 0.7 site(0,0)
  + 0.7 site(1,0) >= -2.5
 band(0)_upper: + 1.0 x(0) + 1.0 x(1) - {1 / 3!r} x(2) + 1.0 x(3) + 1.0 x(4) + 0.7 site(0,0)
  + 0.7 site(1,0) <= 4.25
 empty: 0 x(0) <= 1e-07
bounds
 -inf <= x(0) <= -1.0
 -3.0 <= x(1) <= 3.0
 x(2) = 2.0
 x(3) free
 0.0 <= x(4) <= 9.0
 0.0 <= site(0,0) <= 3.0
 0.0 <= site(1,0) <= 3.0
 nowhere >= 0.0
general
 site(0,0)
 site(1,0)
end
"""
    )
