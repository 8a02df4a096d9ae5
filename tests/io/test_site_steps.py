"""Steps of a site in the lab file."""

from __future__ import annotations

from pathlib import Path

import pytest

from exaplan.domain.errors import InputError
from exaplan.io.labfile import read_lab

TEXT = Path(__file__).with_name("small.yaml").read_text(encoding="utf-8")
STEPS = """ready: 2027-Q1, steps: [
    {id: hall-1, power: 10 MW, lead: 4 quarters, life: 60 quarters, cost: 100 MUSD, window: 2026-Q3 .. 2027-Q2,
     milestones: [30 %, 0 %, 30 %, 40 %], upkeep: 0.1 USD/W/quarter, residual: 10 %},
    {id: hall-2, power: 5 MW, lead: 2 quarters, life: 60 quarters, cost: 40 MUSD, continuous: true}]"""


def lab_of(folder: Path, text: str, **overrides):
    file = folder / "lab.yaml"
    file.write_text(TEXT.replace("ready: 2027-Q1", text, 1), encoding="utf-8")
    return read_lab(file, overrides=overrides)


def test_steps_are_read_with_their_window_and_milestones(tmp_path):
    first, second = lab_of(tmp_path, STEPS).sites[0].steps
    assert (first.power_w, first.cost_usd, first.lead_quarters) == (1e7, 1e8, 4)
    assert (str(first.first), str(first.last)) == ("2026-Q3", "2027-Q2")
    assert first.payments == pytest.approx((0.3, 0.0, 0.3, 0.4))
    assert second.continuous
    assert second.payments == (0.5, 0.5)


def test_a_step_is_reached_by_a_dotted_path(tmp_path):
    lab = lab_of(tmp_path, STEPS, **{"sites.texas.steps.hall-1.cost": "80 MUSD"})
    assert lab.sites[0].steps[0].cost_usd == 8e7


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("40 %]", "30 %]", 11, "the milestones add up to 90.00%"),
        (".. 2027-Q2", ".. 2037-Q2", 11, "2037-Q2 is outside the horizon"),
        ("id: hall-2", "id: hall-1", 13, "duplicate id 'hall-1'"),
        ("power: 5 MW", "power: 5 MWh", 13, "does not measure this"),
        ("power: 5 MW", "power: 5 MW, after: hall-0", 13, "refers to no other step of the site: 'hall-0'"),
        ("power: 5 MW", "power: 5 MW, after: hall-2", 13, "did you mean 'hall-1'?"),
        ("lead: 2 quarters", "leed: 2 quarters", 13, "did you mean 'lead'?"),
    ],
)
def test_a_step_that_cannot_be_is_told_at_its_place(tmp_path, old, new, line, reason):
    with pytest.raises(InputError) as caught:
        lab_of(tmp_path, STEPS.replace(old, new, 1))
    told = str(caught.value)
    assert reason in told
    assert f"lab.yaml:{line}:" in told
