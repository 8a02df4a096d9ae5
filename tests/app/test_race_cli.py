"""``exaplan race`` from the outside: the answer first, files, JSON, located faults."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from exaplan.app.cli.main import main

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "race-2026.yaml"


def run(*words: str, code: int = 0) -> str:
    found = CliRunner().invoke(main, ["race", *words])
    assert found.exit_code == code, found.output
    return found.output


def test_the_answer_comes_first_then_the_tables():
    text = run(str(EXAMPLE), "--paths", "300", "--by", "2027-Q4", "--no-critical-path")
    assert text.startswith("openai leads in compute at the end of 2025-Q4; it still does in 2027-Q4 on")
    told = " ".join(text.split())
    assert "xai is 8.1 months behind in compute" in told
    assert "it reaches parity with the compute leader by 2027-Q4 on" in told
    assert (
        text.index("leads in compute")
        < text.index("Compute at work")
        < text.index("P(parity by)")
        < text.index("Money")
    )
    assert "Critical path" not in text


def test_the_critical_path_names_the_limit():
    text = run(str(EXAMPLE), "--paths", "100")
    assert "Critical path: one limit taken away from one lab" in text
    assert "stand between anthropic and parity in compute" in text.replace("stands", "stand")


def test_json_is_one_object_and_the_same_again_with_the_same_seed():
    words = (str(EXAMPLE), "--paths", "200", "--no-critical-path", "--json", "--seed", "7")
    one = run(*words)
    assert one == run(*words)
    found = json.loads(one)
    assert found["quarters"][-1] == "2030-Q3"
    assert [each["lab"] for each in found["compute"]] == [
        "openai",
        "google-deepmind",
        "anthropic",
        "meta-msl",
        "xai",
    ]
    assert found["compute"][2]["lag_now"] == pytest.approx(3.05, abs=0.01)
    assert len(found["compute"][0]["level"]) == 20


def test_out_writes_table_chart_text_and_json(tmp_path):
    run(str(EXAMPLE), "--paths", "100", "--no-critical-path", "--out", str(tmp_path / "run"))
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "race.csv",
        "race.json",
        "race.png",
        "race.txt",
    ]
    rows = (tmp_path / "run" / "race.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + 2 * 5 * 20
    assert (tmp_path / "run" / "race.png").read_bytes().startswith(b"\x89PNG")


def test_a_shock_by_name_is_told_and_changes_the_race():
    calm = json.loads(run(str(EXAMPLE), "--paths", "400", "--no-critical-path", "--json"))
    hit = json.loads(
        run(str(EXAMPLE), "--paths", "400", "--no-critical-path", "--json", "--shock", "foundry-halt")
    )
    assert hit["forced"] == ["foundry-halt"]
    assert hit["compute"][0]["level"][10]["p50"] < calm["compute"][0]["level"][10]["p50"]


def test_the_backtest_prints_the_seven_points():
    text = run("--backtest", "--paths", "2000")
    assert "of 7 later fleets lie inside the 80 % band of the race" in text
    assert text.count("2025-12-31") == 6
    assert text.count("2023-12-31") == 2
    assert len(json.loads(run("--backtest", "--paths", "500", "--json"))) == 7


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "no race FILE given"),
        (("--backtest", str(EXAMPLE)), "--backtest takes no FILE"),
        ((str(EXAMPLE), "--by", "2031-Q4"), "'2031-Q4' is no quarter of this race"),
        ((str(EXAMPLE), "--shock", "flood"), "'flood' is no shock of this race; the file has: grid-delay"),
        (("nowhere.yaml",), "nowhere.yaml"),
    ],
)
def test_bad_words_end_with_a_reason_and_code_2(words, reason):
    assert reason in run(*words, "--paths", "5", code=2)
