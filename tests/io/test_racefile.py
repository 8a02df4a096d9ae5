"""The race file: figures carry dates, all faults come at once with their places, and the example reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from exaplan.domain.errors import InputError
from exaplan.io.labfile import read_lab
from exaplan.io.racefile import parse_race, read_race

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "race-2026.yaml"
TEXT = EXAMPLE.read_text(encoding="utf-8")


def faults(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse_race(text, "race.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_the_example_holds_five_labs_over_twenty_quarters():
    file = read_race(EXAMPLE)
    assert [lab.id for lab in file.labs] == ["openai", "google-deepmind", "anthropic", "meta-msl", "xai"]
    assert file.horizon.quarters == 20
    assert file.labs[0].fleet == 1_743_440
    assert file.labs[0].revenue == pytest.approx(5e9)


def test_a_figure_without_a_date_is_refused_at_its_place():
    line = next(number for number, text in enumerate(TEXT.splitlines(), 1) if "fleet: 1743440" in text)
    changed = TEXT.replace(
        "fleet: 1743440 chips               # 2025-12-31, Epoch AI", "fleet: 1743440 chips # Epoch AI"
    )
    found = faults(changed)
    assert len(found) == 1
    assert found[0].startswith(f"race.yaml:{line}:")
    assert "has no date" in found[0]


def test_a_figure_newer_than_as_of_is_refused():
    found = faults(TEXT.replace("as_of: 2026-07-31", "as_of: 2026-04-30"))
    assert found
    assert all("after as_of 2026-04-30" in each for each in found)


def test_all_faults_come_at_once_with_their_lines():
    changed = (
        TEXT.replace("cooling: 40 %/year", "cooling: 140 %/year")
        .replace("fleet: 1189574 chips", "fleet: 1189574 GW")
        .replace("labs: [openai, anthropic, xai]", "labs: [openai, antropic, xai]")
        .replace("region: memphis, start", "region: memfis, start")
        .replace("kind: price,", "kind: prize,")
        .replace("  elasticity: 1.2", "  elastisity: 1.2")
    )
    text = "\n".join(faults(changed))
    for words in (
        "must be below 100 %/year", "GW does not measure this; it needs chip", "did you mean 'anthropic'?", "no lab of this race is in region 'memfis'",
        "did you mean 'price'?", "did you mean 'elasticity'?",
    ):  # fmt: skip
        assert words in text
    assert text.count("race.yaml:") >= 6


def test_the_first_quarter_cannot_lie_after_as_of():
    assert any(
        "it cannot begin after" in each
        for each in faults(TEXT.replace("horizon: 2025-Q4", "horizon: 2026-Q4"))
    )


def test_the_best_lab_has_capability_one():
    assert any(
        "the largest must be 1, not 0.68" in each
        for each in faults(TEXT.replace("capability: 1  ", "capability: 0.5"))
    )


def test_a_lab_and_a_race_are_told_apart_in_one_line():
    """Taking one file for the other is one mistake, not one for each of its keys."""
    with pytest.raises(InputError) as lab_given:
        read_race(EXAMPLE.with_name("startup.yaml"))
    with pytest.raises(InputError) as race_given:
        read_lab(EXAMPLE)
    for found, command in ((lab_given, "exaplan plan"), (race_given, "exaplan race")):
        (problem,) = found.value.problems
        assert command in problem.suggestion
        assert problem.line > 0
