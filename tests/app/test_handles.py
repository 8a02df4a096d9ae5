"""What is held in Python says what the commands say: statements, a race, the cases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.app import strangers

import exaplan
from exaplan.app.cli.main import main

RACE = Path(__file__).resolve().parents[2] / "examples" / "race-2026.yaml"


def told(*words: str | Path) -> dict:
    found = CliRunner().invoke(main, [*map(str, words), "--json"])
    assert found.exit_code in (0, 1), found.output
    return json.loads(found.stdout)


def test_statements_of_a_plan_in_hand_are_those_of_the_command_and_of_the_plans_page(tmp_path: Path):
    lab = strangers.write_lab(tmp_path, strangers.short_lab())
    plan = exaplan.load(lab).plan(paths=40, seed=3)
    held = plan.statements()
    said = told("statements", lab, "--paths", "40", "--seed", "3", "--out", tmp_path / "run")
    for mine, theirs in zip(held.record.figures, said["figures"], strict=True):
        if theirs["value"] is not None:
            assert mine.value == pytest.approx(theirs["value"]), mine.key
    on_page = {kpi.name: kpi for kpi in plan.answer.kpis}
    for row in held.record.figures:
        shown = on_page[f"{row.key}.{row.item}" if row.item else row.key]
        assert (shown.value, shown.unit) == (pytest.approx(row.value, nan_ok=True), row.unit)
    replay = plan.answer.replay
    assert (held.record.p_ruin, held.record.p_ruin_interval) == (
        pytest.approx(replay.p_ruin),
        pytest.approx(replay.p_ruin_ci),
    )
    assert held.figures.height == len(held.record.figures)
    assert "Balance sheet" in repr(held)
    assert held.report(tmp_path / "page.html").stat().st_size > 10_000
    assert held.xlsx(tmp_path / "book.xlsx").stat().st_size > 5_000
    assert plan.statements(paths=0, life_years=3).record.source == "tree"
    with pytest.raises(exaplan.InputError, match="xlsx"):
        held.xlsx(tmp_path / "book.csv")


def test_a_race_in_hand_is_that_of_the_command():
    held = exaplan.race(RACE, paths=200)
    assert held.document == told("race", RACE, "--paths", "200", "--no-critical-path")
    assert set(held.frame["lab"]) == {each.lab for each in held.record.compute}
    assert "leads in compute" in repr(held)
    assert held.chart() is not None


def test_cases_are_named_and_answered():
    every = exaplan.cases()
    listed = CliRunner().invoke(main, ["cases", "list"]).output
    assert all(case.name in listed and case.question in repr(case) for case in every)
    (one,) = exaplan.cases(every[0].name)
    assert one == every[0]
    with pytest.raises(exaplan.InputError, match="is not a case"):
        exaplan.cases("nonsense")
