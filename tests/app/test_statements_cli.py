"""``exaplan statements``: the answer first, one JSON object, a workbook, a run folder; bad input is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.io.spreadsheet import Workbook

from exaplan.app import again
from exaplan.app.cli.main import main

LAB = Path(__file__).resolve().parents[2] / "examples" / "startup.yaml"


def run(*words: str):
    return CliRunner().invoke(main, ["statements", *words])


def test_the_answer_comes_first_with_its_conventions_and_the_check(tmp_path):
    result = run(
        str(LAB), "--paths", "60", "--life", "3 years", "--lease", "lease", "--out", str(tmp_path / "run")
    )
    assert result.exit_code == 0, result.output
    assert result.output.startswith("Tideline earns $")
    assert "depreciation over 3 years, reservations as leases" in result.output
    assert "every path balances to the cent" in result.output
    assert "(3 years, lease, net, free users in cost-of-sales, no impairment)" in result.output
    for part in (
        "Income, kUSD",
        "Cash flow, kUSD",
        "Balance sheet, kUSD",
        "Lease liability",
        "Return on total compute spend",
    ):
        assert part in result.output
    assert (tmp_path / "run" / "report.html").read_text(encoding="utf-8").count("<table") == 4
    assert (tmp_path / "run" / "tables" / "statements.parquet").is_file()


def test_one_json_object_and_a_workbook_that_says_the_same(tmp_path):
    book = tmp_path / "book.xlsx"
    result = run(str(LAB), "--paths", "40", "--json", "--xlsx", str(book), "--out", str(tmp_path / "run"))
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["worst_difference_usd"] < 0.01
    assert found["switches"]["life_years"] == 5
    assert found["p_ruin_interval"][0] <= found["p_ruin"] <= found["p_ruin_interval"][1]
    read = Workbook(book)
    (check,) = [place for place in read.formulas if place[0] == "Summary"]
    assert abs(read.value(*check)) < 1e-6
    keys = {row["key"] for row in found["figures"]}
    assert {
        "return_on_compute",
        "statement_gross_margin",
        "take_or_pay_coverage",
        "compute_utilization",
    } <= keys
    again = run(str(LAB), "--paths", "40", "--json", "--out", str(tmp_path / "again"))
    assert json.loads(again.output)["rows"] == found["rows"]


def test_the_trees_own_futures_need_no_sampling(tmp_path):
    result = run(str(LAB), "--paths", "0", "--json", "--out", str(tmp_path / "run"))
    found = json.loads(result.output)
    assert (found["source"], found["p_ruin_interval"]) == ("tree", None)
    assert found["worst_difference_usd"] < 0.01


def test_a_run_brings_its_plan_and_its_changes_and_is_refused_where_the_lab_has_changed(
    tmp_path, monkeypatch
):
    lab, folder = tmp_path / "lab.yaml", tmp_path / "run"
    shutil.copy(LAB, lab)
    planned = CliRunner().invoke(main, ["plan", str(lab), "--paths", "30", "--seed", "4", "--set", "finance.cash=9 MUSD", "--out", str(folder), "--json"])  # fmt: skip
    assert planned.exit_code in (0, 1), planned.output
    monkeypatch.setattr(again, "solve_plan", lambda *_, **__: pytest.fail("solved again"))
    result = run(str(lab), "--plan", str(folder), "--json", "--out", str(tmp_path / "statements"))
    found = json.loads(result.output)
    assert (found["paths"], found["seed"]) == (30, 4)
    opening = next(row for row in found["rows"] if row["key"] == "cash")
    assert opening["mean"][0] == pytest.approx(9e6)
    other = run(str(lab), "--plan", str(folder), "--set", "finance.cash=8 MUSD")
    assert other.exit_code == 2
    assert "stale: --set" in other.output
    lab.write_text(lab.read_text() + "\n# another line\n")
    refused = run(str(lab), "--plan", str(folder), "--out", str(tmp_path / "other"))
    assert refused.exit_code == 2
    assert "stale: lab.yaml is not what this run planned" in refused.output
    assert f"plan again: exaplan plan LAB --out {folder}" in refused.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--life", "4"), "none of 3, 5 and 6"),
        (("--lease", "maybe"), "service"),
        (("--xlsx", "book.csv"), "xlsx"),
    ],
)
def test_what_cannot_be_is_refused(words, said, tmp_path):
    result = run(str(LAB), "--paths", "2", "--out", str(tmp_path / "run"), *words)
    assert result.exit_code == 2
    assert said in result.output
