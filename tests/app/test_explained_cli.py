"""The explaining commands: one object, a page that opens offline, tables, and errors that help."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from tests.app import strangers

import exaplan
from exaplan.app.cli.main import main

COMMANDS = {
    "alternatives": (),
    "sensitivity": ("--trajectories", "1"),
    "offer": ("own-b200", "--paths", "4"),
}
TABLES = {"alternatives": {"rows"}, "sensitivity": {"swings", "effects"}, "offer": {"prices", "clauses", "waits"}}  # fmt: skip


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return strangers.write_lab(tmp_path_factory.mktemp("lab"), strangers.short_lab())


@pytest.fixture(scope="module", params=COMMANDS)
def explained(request: pytest.FixtureRequest, lab: Path, tmp_path_factory) -> tuple[str, Result, Path]:
    command = request.param
    folder = tmp_path_factory.mktemp(command) / "run"
    first, *rest = (*COMMANDS[command],) or ("",)
    arguments = [first] if command == "offer" else [first, *rest]
    options = rest if command == "offer" else []
    given = [part for part in (*arguments, *options) if part]
    return command, run(command, lab, *given, "--out", folder, "--json"), folder


def test_the_answer_is_one_object_that_the_run_folder_holds_too(explained):
    command, result, folder = explained
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["kind"] == command
    assert answer["stood"]["futures"] == answer["stood"]["futures_of_plan"] == 2
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert set(record) == set(answer) - {"timings"} | {"overrides"}
    assert {path.stem for path in (folder / "tables").iterdir()} == TABLES[command]
    for name in TABLES[command]:
        assert pl.read_parquet(folder / "tables" / f"{name}.parquet").height == len(answer[name])


def test_the_page_opens_offline_and_draws_its_charts(explained):
    _, _, folder = explained
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") >= 1
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    assert "default-src 'none'" in page


def test_the_terminal_says_the_answer_first_and_fits(lab: Path, tmp_path: Path):
    result = run("alternatives", lab, "--slack", "2 %", "--out", tmp_path / "run")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert "Giving up 2.0 % of value" in lines[1]
    assert max(len(line) for line in lines if "Files" not in line and str(tmp_path) not in line) <= 100


def test_overrides_reach_the_explanation(lab: Path, tmp_path: Path):
    result = run("alternatives", lab, "--set", "finance.cash=500 MUSD", "--out", tmp_path / "run", "--json")
    assert json.loads(result.stdout)["stood"]["objective_usd"] > 400e6
    record = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert record["overrides"] == {"finance.cash": "500 MUSD"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("offer", "own-b20"), "did you mean 'own-b200'"),
        (("alternatives", "--slack", "-1%"), "no share"),
        (("alternatives", "--slack", "lots"), "no share"),
        (("sensitivity", "--trajectories", "-1"), "--trajectories"),
        (("offer", "own-b200", "--set", "policy.flor=1"), "policy.flor"),
    ],
)
def test_what_cannot_be_asked_is_told_and_ends_with_two(arguments, reason, lab: Path):
    command, *rest = arguments
    result = run(command, lab, *rest)
    assert result.exit_code == 2
    assert reason in result.output


def test_a_plan_in_hand_explains_itself(lab: Path, tmp_path: Path):
    plan = exaplan.load(lab).plan(paths=4)
    found = plan.alternatives(slack=0.02)
    assert found.frames["rows"].height == len(found.record.rows)
    assert "Giving up 2.0 % of value" in repr(found)
    assert found.report(tmp_path / "alternatives.html").stat().st_size > 10_000
    offer = plan.offer("own-b200", paths=4)
    assert offer.record.worth_usd >= 0.0
    assert "own-b200" in repr(offer)
