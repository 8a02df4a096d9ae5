"""Chips and halls: what does not fit is refused at its line, what nobody published is remarked."""

from __future__ import annotations

from pathlib import Path

import pytest

from exaplan.domain.errors import InputError
from exaplan.io.catalogue import catalogue_row, load_chips
from exaplan.io.labfile import read_lab
from exaplan.io.lint import lint

TEXT = Path(__file__).with_name("small.yaml").read_text(encoding="utf-8")


def lab_of(folder: Path, *edits: tuple[str, str]):
    text = TEXT
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    file = folder / "lab.yaml"
    file.write_text(text, encoding="utf-8")
    return read_lab(file)


GB300 = ("b200: B200-SXM", "b200: GB300-NVL72")
DRY, THIN = ("pue: 1.2,", "pue: 1.2, liquid: false,"), ("pue: 1.2,", "pue: 1.2, rack_power_max: 40 kW,")


@pytest.mark.parametrize(
    ("hall", "reason"),
    [
        (DRY, "'b200' needs liquid cooling; the hall of 'texas' has none"),
        (THIN, "a rack of 'b200' draws 132 kW; the hall of 'texas' feeds 40 kW"),
    ],
)
def test_an_offer_that_the_hall_cannot_take_is_refused_at_its_site(tmp_path, hall, reason):
    with pytest.raises(InputError) as caught:
        lab_of(tmp_path, GB300, hall)
    assert len(caught.value.problems) == 1
    assert reason in str(caught.value)
    assert "lab.yaml:32:" in str(caught.value)


def test_a_contract_in_the_pool_of_a_site_stands_in_its_hall(tmp_path):
    with pytest.raises(InputError) as caught:
        lab_of(
            tmp_path, ("h100: {catalog: H100-SXM}", "h100: GB300-NVL72"), DRY,
            ("{id: fleet, kind: reserved,", "{id: fleet, kind: reserved, pool: texas,"),
        )  # fmt: skip
    assert "'h100' needs liquid cooling" in str(caught.value)
    assert "lab.yaml:36:" in str(caught.value)


def test_a_hall_that_suits_takes_the_rack(tmp_path):
    lab = lab_of(tmp_path, GB300, ("pue: 1.2,", "pue: 1.2, rack_power_max: 140 kW,"))
    assert lab.sites[0].rack_power_max_w == 140e3
    assert not [problem for problem in lint(lab) if "nobody published" in problem.reason]


@pytest.mark.parametrize(
    ("hall", "missing"), [(DRY, "whether 'b200' needs liquid cooling"), (THIN, "what a rack of 'b200' draws")]
)
def test_what_nobody_published_is_taken_to_fit_and_remarked(tmp_path, hall, missing):
    (told,) = lint(lab_of(tmp_path, hall))
    assert missing in told.reason
    assert (told.severity, told.line) == ("warning", 32)


def test_a_lab_can_say_it_itself(tmp_path):
    chip = ("b200: B200-SXM", "b200: {catalog: B200-SXM, liquid_cooled: false, rack_power: 30 kW}")
    hall = ("pue: 1.2,", "pue: 1.2, liquid: false, rack_power_max: 40 kW,")
    assert lint(lab_of(tmp_path, chip, hall)) == []


def test_every_statement_about_cooling_in_the_catalogue_has_its_source():
    known = [name for name, chip in load_chips().items() if chip.liquid_cooled is not None]
    assert len(known) >= 10
    for name in load_chips():
        row = catalogue_row("chips", name)
        assert bool(row["liquid_cooled"] or row["rack_power_w"]) == bool(row["cooling_source"]), name
        assert not row["cooling_source"] or "20" in row["cooling_source"]


def test_a_place_is_one_where_chips_are_delivered(tmp_path):
    run = ("cluster: 1024 chips,", "cluster: 1024 chips, place: {chip: b200, pool: texas},")
    assert lab_of(tmp_path, run).develop[0].place.pool == "texas"
    wrong = (run[0], run[1].replace("texas", "texsa"))
    with pytest.raises(InputError) as caught:
        lab_of(tmp_path, wrong)
    assert "no offer or contract delivers 'b200' in the pool 'texsa'" in str(caught.value)
    assert "did you mean 'texas'?" in str(caught.value)
    assert "lab.yaml:44:" in str(caught.value)
