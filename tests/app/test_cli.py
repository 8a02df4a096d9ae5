"""The command line: answers as one object, the same bytes for the same seed, and no traceback whatever is typed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.app import strangers

from exaplan.app.cli.main import main

COMMANDS = (
    "plan",
    "decide",
    "options",
    "sweep",
    "frontier",
    "raises",
    "alternatives",
    "sensitivity",
    "offer",
    "check",
    "init",
    "schema",
    "catalog",
    "perf",
)
KEYS = {
    "status", "objective", "bound", "gap", "certificate", "replay", "benchmark", "decisions", "allocation", "prices",
    "kpis", "limits", "deciding_inputs", "timings",
}  # fmt: skip
PHASES = {"load", "technology", "tree", "build", "solve", "replay", "report"}


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def shell(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, as a console script would."""
    code = "from exaplan.app.cli.main import main; main(prog_name='exaplan')"
    line: Sequence[str] = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return strangers.write_lab(tmp_path_factory.mktemp("lab"), strangers.short_lab())


def test_help_lists_every_command_without_loading_what_only_an_answer_needs(tmp_path: Path) -> None:
    done = shell("--help", cwd=tmp_path)
    assert done.returncode == 0
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", done.stdout, re.MULTILINE)
    code = "import sys, exaplan.app.cli.main; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"highspy", "polars", "altair", "rich", "pint", "jinja2"} & {
        name.partition(".")[0] for name in loaded
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 3


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """The small lab planned in a process of its own, and the run folder."""
    folder = tmp_path_factory.mktemp("planned")
    done = shell("plan", strangers.SMALL, "--out", "run", "--paths", "40", "--json", cwd=folder)
    return done, folder / "run"


def test_a_plan_is_one_object_with_the_promised_keys(
    planned: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, folder = planned
    assert done.returncode in (0, 1), done.stderr
    assert done.stderr == ""
    answer: dict[str, Any] = json.loads(done.stdout)
    assert set(answer) >= KEYS
    assert set(answer["certificate"]) == {"primal_residual", "dual_residual", "gap"}
    assert set(answer["replay"]) >= {"value", "value_ci", "p_ruin", "p_ruin_ci", "paths"}
    assert set(answer["benchmark"]) >= {"name", "value"}
    assert set(answer["timings"]) >= PHASES
    assert all(set(row) >= {"name", "state", "worth", "unit"} for row in answer["limits"])
    assert {row["state"] for row in answer["limits"]} <= {"binds", "slack", "relaxed"}
    assert answer["replay"]["paths"] == 40
    assert done.returncode == any(row["state"] == "relaxed" for row in answer["limits"])
    assert len(answer["deciding_inputs"]) == 3
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert set(record) == set(answer) - {"timings"} | {"overrides"}, "no timing in the record"
    assert record["objective"] == pytest.approx(answer["objective"], rel=1e-9)


def test_the_same_file_and_seed_give_the_same_bytes_wherever_they_stand(
    planned: tuple[subprocess.CompletedProcess[str], Path], tmp_path: Path
) -> None:
    _, one = planned
    twin = tmp_path / strangers.SMALL.name
    twin.write_bytes(strangers.SMALL.read_bytes())
    two = tmp_path / "again"
    assert run("plan", twin, "--out", two, "--paths", "40").exit_code in (0, 1)
    names = sorted(path.relative_to(one).as_posix() for path in one.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(two).as_posix() for path in two.rglob("*") if path.is_file())
    same = [name for name in names if name.endswith((".json", ".parquet", ".yaml"))]
    assert [name for name in same if (one / name).read_bytes() != (two / name).read_bytes()] == []
    assert str(tmp_path) not in (two / "run.json").read_text(encoding="utf-8")
    assert (two / "inputs" / twin.name).read_bytes() == twin.read_bytes()


def test_the_answer_comes_first_in_the_terminal(lab: Path, tmp_path: Path) -> None:
    result = run("plan", lab, "--out", tmp_path / "run", "--paths", "20", "--set", "policy.floor.share=30 %")
    assert result.exit_code in (0, 1)
    head = "\n".join(result.stdout.splitlines()[:3])
    assert re.search(r"Sign|Nothing to sign", head)
    for word in ("Value", "P(ruin)", "Rent only", "Certificate", "report.html"):
        assert word in result.stdout


def test_a_decision_names_its_offer_and_the_cost_of_waiting(lab: Path, tmp_path: Path) -> None:
    result = run("decide", lab, "--out", tmp_path / "run", "--paths", "10", "--json")
    assert result.exit_code in (0, 1), result.output
    verdict = json.loads(result.stdout)["verdict"]
    assert verdict["offer"] == "own-b200"
    assert verdict["quarter"] == "2026-Q3"
    assert {row["sign"] for row in verdict["flips"]} <= {True, False}
    assert len(verdict["worst"]) == 10


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
BAD_FILES = {
    "not YAML": "workloads: [\n",
    "empty": "",
    "a sentence": "just a sentence\n",
    "an alias bomb": BOMB,
    "an unknown key": "labb: x\n",
    "a bare number": strangers.SMALL.read_text(encoding="utf-8").replace("cash: 120 MUSD", "cash: 120"),
    "NaN": strangers.SMALL.read_text(encoding="utf-8").replace("cash: 120 MUSD", "cash: .nan"),
    "no such chip": strangers.SMALL.read_text(encoding="utf-8").replace("chip: b200,", "chip: b20,"),
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("command", ["plan", "check"])
def test_a_bad_file_ends_with_its_place_and_exit_code_two(command: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text(BAD_FILES[name], encoding="utf-8")
    result = run(command, path)
    assert result.exit_code == 2
    assert re.search(rf"^{re.escape(str(path))}(:\d+:\d+)?: error: .+", result.output, re.MULTILINE)
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["plan", "decide", "check"])
def test_a_missing_file_and_a_folder_are_no_labs(command: str, tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.yaml", "No such file"), (tmp_path, "is a directory")):
        result = run(command, path)
        assert result.exit_code == 2
        assert f"{path}: error: " in result.output
        assert reason in result.output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--set", "policy.floor"), "is not KEY=VALUE"),
        (("--set", "policy.flor.share=40 %"), "policy.flor"),
        (("--set", "finance.cash=40"), "has no unit"),
        (("--paths", "1"), "--paths"),
        (("--seed", "-1"), "--seed"),
        (("--nothing",), "--nothing"),
    ],
)
def test_a_bad_option_is_told_and_ends_with_two(arguments: tuple[str, ...], reason: str, lab: Path) -> None:
    result = run("plan", lab, *arguments)
    assert result.exit_code == 2
    assert reason in result.output


def test_an_offer_that_cannot_be_decided_on_is_told_with_those_that_can(lab: Path, tmp_path: Path) -> None:
    result = run("decide", lab, "own-b20", "--paths", "2", "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "own-b200" in result.output


def test_a_place_where_no_run_can_stand_is_refused_before_any_work(lab: Path, tmp_path: Path) -> None:
    taken = tmp_path / "notes"
    taken.mkdir()
    (taken / "mine.txt").write_text("keep", encoding="utf-8")
    for place in (taken, taken / "mine.txt", taken / "mine.txt" / "run"):
        result = run("plan", lab, "--out", place)
        assert result.exit_code == 2
        assert "error: " in result.output
    assert (taken / "mine.txt").read_text(encoding="utf-8") == "keep"
