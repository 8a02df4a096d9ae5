"""The MPS text says the same to an independent reader."""

import highspy
import numpy as np
import pytest

from exaplan.optimize.blocks import Builder
from exaplan.optimize.highs import solve
from exaplan.optimize.mps import mps_text


def read_and_solved(text, folder):
    path = folder / "model.mps"
    path.write_text(text)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    assert solver.readModel(str(path)) == highspy.HighsStatus.kOk
    solver.run()
    return solver.getObjectiveValue()


@pytest.mark.parametrize("sense", ["max", "min"])
def test_random_programs_read_back(random_model, sense, tmp_path):
    for seed in range(5):
        model = random_model(seed, sense)
        assert read_and_solved(mps_text(model), tmp_path) == pytest.approx(solve(model).objective, rel=1e-12)


def test_integers_ranges_offsets_and_every_kind_of_bound_read_back(tmp_path):
    builder = Builder()
    x = builder.variable("x", (5,), lower=[-np.inf, -3.0, 2.0, -np.inf, 0.0], upper=[-1.0, 3.0, 2.0, np.inf, 9.0],
                         cost=[1.0, 1.0, 1.0, -1.0, 0.3])  # fmt: skip
    site = builder.variable("site", (2,), upper=3.0, cost=[1.0, 1.1], integer=True)
    band = builder.rows("band", (2,), lower=[-2.5, -np.inf], upper=[4.25, np.inf])
    builder.add(band, 0, x.index, 1.0)
    builder.add(band, 0, site.index, 0.7)
    builder.add(band, 1, x.index, 1.0)
    model = builder.build("max", offset=17.0)
    assert solve(model).status == "optimal"
    assert read_and_solved(mps_text(model), tmp_path) == pytest.approx(solve(model).objective, rel=1e-9)
