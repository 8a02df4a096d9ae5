"""Chip programs in a lab file: units, short forms, offers made from them, and every fault at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from exaplan.domain.errors import InputError
from exaplan.io.labfile import read_lab
from exaplan.io.lint import lint

SMALL = Path(__file__).with_name("small.yaml").read_text(encoding="utf-8")
PROGRAM = """
silicon:
  asic:
    chip: b200
    site: texas
    window: 2026-Q3 .. 2027-Q1
    nre:
      design: {age: 0 quarters, amount: 120 MUSD}
      masks: {age: 12 months, amount: 30 MUSD}
    lead: 18 months
    production: 2 quarters
    respin: {probability: 30 %, delay: 2 quarters, cost: 40 MUSD}
    ramp: [1k chips/quarter, 3k chips/quarter]
    availability: 95 %
    life: 5 years
    system_cost: 12 kUSD/chip
    foundries:
      n3:
        supplier: tsmc
        node: N3P
        wafer_price: 20480 USD/wafer
        die_area: 8 cm^2
        dies: 2
        defect_density: 0.125 /cm^2
        yield_model: seeds
        packaging_cost: 500 USD/chip
        packaging_slots: 2k chips/quarter
        hbm_stacks: 8
        hbm_cost: 400 USD/stack
        test_yield: 83 %
        partner_margin: 40 %
leverage: {incumbent: own-b200, margin: 50 %}
"""


def read(tmp_path: Path, text: str = SMALL + PROGRAM):
    file = tmp_path / "lab.yaml"
    file.write_text(text, encoding="utf-8")
    return read_lab(file)


def test_a_program_is_read_with_its_units_and_becomes_an_offer(tmp_path):
    lab = read(tmp_path)
    (program,) = lab.silicon
    assert [stage.age_quarters for stage in program.nre] == [0, 4]
    assert (program.lead_quarters, program.release_quarters, program.life_quarters) == (6, 4, 20)
    assert program.foundries[0].die_area_mm2 == pytest.approx(800)
    offer = next(o for o in lab.offers if o.id == "asic-n3")
    assert (offer.supplier, offer.site, offer.lead_quarters) == ("tsmc", "texas", 2)
    assert offer.price_usd_per_chip[0] == pytest.approx(
        22_000, rel=1e-3
    )  # worked out in domain.die_cost.chip_cost
    assert set(offer.max_order) == {2000.0}
    assert {"tsmc", "asic re-spin"} <= set(lab.suppliers)
    assert lab.options == ("asic",)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("    chip: b200\n    site", "    chip: b20\n    site", "refers to no chip"),
        ("yield_model: seeds", "yield_model: bose-einstein", "critical_layers"),
        ("yield_model: seeds", "yield_model: murphi", "not one of the choices"),
        ("production: 2 quarters", "production: 9 quarters", "production is part of the lead"),
        ("die_area: 8 cm^2", "die_area: 900 cm^2", "not one whole die"),
        ("die_area: 8 cm^2", "die_area: 8 cm", "does not measure this"),
        ("2026-Q3 .. 2027-Q1\n    nre", "2026-Q3 .. 2035-Q1\n    nre", "outside the horizon"),
        ("  asic:\n", "  own:\n", "duplicate id 'own-b200'"),
        ("supplier: tsmc", "supplier: asic", "is the name of a supplier as well"),
        ("incumbent: own-b200", "incumbent: own-b20", "refers to no offer"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_line(tmp_path, old, new, reason):
    text = SMALL + PROGRAM.replace("      n3:\n", "      b200:\n" if "own:" in new else "      n3:\n")
    assert old in text
    with pytest.raises(InputError) as caught:
        read(tmp_path, text.replace(old, new))
    assert any(reason in problem.reason and problem.line for problem in caught.value.problems)


def test_an_offer_that_nothing_unlocks_is_told(tmp_path):
    text = (SMALL + PROGRAM).replace("    lead: 1 quarter", "    unlocked_by: asci\n    lead: 1 quarter")
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    (problem,) = caught.value.problems
    assert "refers to no option: 'asci'" in problem.reason
    assert problem.suggestion == "did you mean 'asic'?"


def test_what_nobody_has_achieved_is_remarked(tmp_path):
    text = (
        (SMALL + PROGRAM)
        .replace("lead: 18 months", "lead: 9 months")
        .replace("defect_density: 0.125 /cm^2", "defect_density: 4 /cm^2")
    )
    found = {problem.line: problem.reason for problem in lint(read(tmp_path, text))}
    assert any("quickest claim is 18 months" in reason for reason in found.values())
    assert any("of the dies work" in reason for reason in found.values())
    assert 0 not in found
