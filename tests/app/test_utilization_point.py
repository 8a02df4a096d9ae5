"""What a point of utilization and of goodput is worth: duals say it, full solves of the start-up agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from exaplan.app.again import make_base
from exaplan.app.pipeline import Clock
from exaplan.io.labfile import read_lab
from exaplan.plan.layout import USD
from exaplan.plan.priced import priced_of

STEP = 0.002
LAB = Path(__file__).resolve().parents[2] / "examples" / "startup.yaml"


@pytest.mark.parametrize("field", ["utilization", "goodput"])
def test_the_duals_price_a_point_as_two_full_solves_do(field):
    lab = read_lab(LAB)

    def value(by: float) -> float:
        moved = tuple(
            work.model_copy(update={field: getattr(work, field) + by}) if hasattr(work, field) else work
            for work in lab.workloads
        )
        return make_base(lab.model_copy(update={"workloads": moved}), Clock()).solved.solution.objective * USD

    priced = priced_of(make_base(lab, Clock()).solved)
    slope = (value(STEP) - value(-STEP)) / (2 * STEP) * 0.01
    assert getattr(priced, f"{field}_point_usd") == pytest.approx(slope, rel=0.01)
