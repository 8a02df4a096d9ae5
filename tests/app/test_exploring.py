"""What-if, sweep and frontier at the terminal and in Python, on a lab that plans in a second."""

from __future__ import annotations

import csv
import io
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.app import strangers

import exaplan
from exaplan.app.cli.main import main
from exaplan.app.efficient import cautions
from exaplan.app.sweep import halves, neighbours
from exaplan.domain.lab import Policy, Risk
from exaplan.io.runfolder import read_run

FEW = ("--paths", "20")


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def answer(*arguments: str | Path) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return strangers.write_lab(tmp_path_factory.mktemp("lab"), strangers.short_lab())


@pytest.fixture(scope="module")
def whatif(lab: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("whatif") / "run"
    given = (
        "--what-if",
        "finance.cash=125 MUSD,policy.risk.weight=0 %",
        "--what-if",
        "offers.own-b200.price=40 kUSD/chip",
    )
    return answer("plan", lab, *given, "--what-if", "policy.ruin.probability=4 %", *FEW, "--out", folder), folder  # fmt: skip


def test_each_what_if_is_a_plan_beside_the_one_as_given(whatif: tuple[dict[str, Any], Path]) -> None:
    found, _ = whatif
    assert [case["changes"] for case in found["cases"]] == [
        [["finance.cash", "125 MUSD"], ["policy.risk.weight", "0 %"]],
        [["offers.own-b200.price", "40 kUSD/chip"]],
        [["policy.ruin.probability", "4 %"]],
    ]
    base, (rich, cheap, same) = found["base"], found["cases"]
    assert rich["gain"] == pytest.approx(rich["value"] - base["value"])
    assert rich["gain_ci"][0] <= rich["gain"] <= rich["gain_ci"][1]
    assert cheap["start"] == "same shape"
    assert (same["start"], same["gain"]) == ("same program", 0.0)
    assert same["p_ruin"] == base["p_ruin"]
    assert base["gain"] is None


def test_the_parts_of_a_value_add_up_to_it(whatif: tuple[dict[str, Any], Path]) -> None:
    found, _ = whatif
    for point in (found["base"], *found["cases"]):
        assert sum(part["usd"] for part in point["components"]) == pytest.approx(point["value"])


def test_a_what_if_is_the_plan_that_the_changed_file_makes(
    whatif: tuple[dict[str, Any], Path], lab: Path, tmp_path: Path
) -> None:
    """Cheaper chips, planned from nothing: the tree's value on the line of its own may differ by the line alone."""
    found, _ = whatif
    study = exaplan.load(lab).replace("offers.own-b200.price", "40 kUSD/chip")
    cold = study.plan(paths=20)
    assert found["cases"][1]["tree_value"] == pytest.approx(cold.planned.plan.value_usd, rel=0.02)


def test_the_run_folder_holds_page_chart_and_table(whatif: tuple[dict[str, Any], Path]) -> None:
    found, folder = whatif
    held = read_run(folder)
    assert held.document["kind"] == "what-if"
    assert "seconds" not in json.dumps(held.document)
    assert (folder / "chart.png").read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader(io.StringIO((folder / "table.csv").read_text(encoding="utf-8"))))
    assert [float(row["value_usd"]) for row in rows] == pytest.approx([found["base"]["value"], *(case["value"] for case in found["cases"])])  # fmt: skip
    assert "<svg" in held.page
    assert "//" not in re.sub(r'xmlns(:\w+)?="[^"]*"|base64,[^"]*', "", held.page), (
        "the page needs no network"
    )
    assert held.tables["plans"].height == 4


def test_a_what_if_in_a_terminal_says_what_changes_first(lab: Path, tmp_path: Path) -> None:
    result = run("plan", lab, "--what-if", "finance.cash=90 MUSD", *FEW, "--out", tmp_path / "run")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[1].startswith("A  finance.cash = 90 MUSD: ")
    for word in ("as given", "Value", "P(ruin)", "Binds", "same matrix", "report.html"):
        assert word in result.stdout


def test_a_sweep_is_the_same_from_either_end_and_the_same_again(lab: Path, tmp_path: Path) -> None:
    key = "policy.floor.share"
    up = answer("sweep", lab, "--over", f"{key}=10 %..30 %:3", *FEW, "--out", tmp_path / "up")
    down = answer("sweep", lab, "--over", f"{key}=30 %,20 %,10 %", *FEW, "--out", tmp_path / "down")
    assert [point["name"] for point in up["points"]] == ["10 %", "20 %", "30 %"]
    ends = [point["tree_value"] for point in down["points"]][::-1]
    assert [point["tree_value"] for point in up["points"]] == pytest.approx(ends, rel=0.02)
    answer("sweep", lab, "--over", f"{key}=10 %..30 %:3", *FEW, "--out", tmp_path / "again")
    for name in ("run.json", "table.csv", "report.html", "chart.png"):
        assert (tmp_path / "up" / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_two_keys_make_a_grid(lab: Path, tmp_path: Path) -> None:
    over = (
        "--over",
        "finance.cash=100..120 MUSD:2",
        "--over",
        "policy.cover=0 quarters,1 quarter,2 quarters",
    )
    found = answer("sweep", lab, *over, *FEW, "--out", tmp_path / "run")
    assert len(found["points"]) == 6
    assert found["points"][1]["changes"] == [["finance.cash", "100 MUSD"], ["policy.cover", "1 quarter"]]
    assert (tmp_path / "run" / "chart.png").stat().st_size > 1000
    text = run("sweep", lab, *over, *FEW, "--out", tmp_path / "text").stdout
    assert "cash" in text
    assert "Binds as given" in text


def test_the_frontier_goes_from_no_caution_to_much_and_marks_what_is_given(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exaplan.app.efficient.SEARCH_PATHS", 30)
    for against in ("value", "lead"):
        found = answer("frontier", lab, "--against", against, *FEW, "--out", tmp_path / against)
        plans = found["plans"]
        assert {plan["cover_quarters"] for plan in plans} == {0.0, 1.0, 2.0, 3.0, 4.0, 6.0}
        assert sum(plan["given"] for plan in plans) == 1
        best = [plan for plan in plans if plan["efficient"]]
        assert best
        worth = "search_lead" if against == "lead" else "search_value"
        for plan in plans:
            for other in best:
                less = plan["search_p_ruin"] < other["search_p_ruin"]
                assert not (less and plan[worth] >= other[worth]), "an efficient plan is beaten"
        assert found["asked"]["seed"] == 1
        assert found["search_paths"] != found["asked"]["paths"]


def test_a_lab_without_capability_has_no_lead_to_give_up(tmp_path: Path) -> None:
    fields = strangers.short_lab()
    del fields["capability"]
    plain = strangers.write_lab(tmp_path, fields)
    result = run("frontier", plain, "--against", "lead", *FEW, "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "--against value" in result.output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("plan", "--what-if", "policy.flor.share=40 %"), "did you mean 'floor'"),
        (("plan", "--what-if", "finance.cash=40"), "has no unit"),
        (("plan", "--what-if", "offers.own-b20.price=40 kUSD/chip"), "did you mean 'own-b200'"),
        (("plan", "--what-if", "finance.cash"), "KEY=VALUE"),
        (("plan", "--what-if", "finance.cash=1 MUSD", "--search-ruin"), "exclude each other"),
        (("sweep", "--over", "finance.cash=1..2 MUSD"), "number of settings"),
        (("sweep", "--over", "finance.cash=1..2 chips:2"), "finance.cash"),
        (("sweep",), "--over"),
        (("sweep", "--over", "finance.cash=1..2 MUSD:2", "--over", "finance.cash=3..4 MUSD:2"), "two different"),
        (("frontier", "--against", "fame"), "--against"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_told_and_ends_with_two(
    arguments: tuple[str, ...], reason: str, lab: Path
) -> None:
    result = run(arguments[0], lab, *arguments[1:])
    assert result.exit_code == 2
    assert reason in result.output


def test_in_python_the_same_questions_are_verbs(lab: Path, tmp_path: Path) -> None:
    study = exaplan.load(lab)
    plan = study.plan(paths=20)
    found = plan.what_if({"finance.cash": "90 MUSD"}, {"policy.floor.share": "30 %"})
    assert found.table.height == 3
    assert found.table["value_usd"][0] == pytest.approx(plan.answer.replay.value)
    assert "as given" in repr(found)
    assert found.report(tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert found.chart().to_dict(validate=False)["vconcat"]
    swept = study.sweep("policy.floor.share", ["10 %", "30 %"], paths=20)
    assert swept.table["policy.floor.share"].to_list() == ["10 %", "30 %"]


def test_a_walk_through_a_grid_makes_one_step_at_a_time() -> None:
    order = neighbours([3, 4])
    places = [divmod(place, 4) for place in order]
    assert sorted(order) == list(range(12))
    assert all(abs(a - c) + abs(b - d) == 1 for (a, b), (c, d) in pairwise(places))
    first, second = halves(order)
    assert sorted([*first, *second]) == list(range(12))
    assert abs(len(first) - len(second)) <= 1


def test_the_owners_own_policy_is_among_those_tried() -> None:
    own = Policy(cover_quarters=2.5, risk=Risk(weight=0.15))
    tried = cautions(own)
    assert own in tried
    assert min(policy.cover_quarters for policy in tried) == 0.0
