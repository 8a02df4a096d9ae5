"""``exaplan simulate``: the answer first, the same numbers from a run's plan and from any number of workers, stale runs refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from tests.app import strangers

import exaplan
from exaplan.app import again
from exaplan.app.cli.main import main
from exaplan.io.planfile import PLAN_FILE, pack_plan, read_plan

QUICK = ("--paths", "8", "--budget", "2")


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return strangers.write_lab(tmp_path_factory.mktemp("lab"), strangers.short_lab())


@pytest.fixture(scope="module")
def planned(lab: Path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("plan") / "run"
    assert run("plan", lab, "--paths", "4", "--out", folder).exit_code in (0, 1)
    return folder


@pytest.fixture(scope="module")
def simulated(lab: Path, tmp_path_factory) -> tuple[Result, Path]:
    folder = tmp_path_factory.mktemp("sim") / "run"
    return run("simulate", lab, *QUICK, "--workers", "1", "--out", folder, "--json"), folder


def test_the_answer_is_one_object_with_an_interval_beside_every_estimate(simulated):
    result, folder = simulated
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["kind"] == "simulate"
    names = [row["name"] for row in answer["policies"]]
    assert names[0] == "the plan"
    assert {
        "no growth",
        "more cover",
        "rent only",
        "newsvendor base stock",
        "capacity trigger",
        "proportional growth",
    } <= set(names)
    for row in answer["policies"]:
        for estimate in ("value", "p_ruin", "gain", "regret_mean", "best_share"):
            low, high = row[f"{estimate}_ci"]
            assert low <= row[estimate] + 1e-9
            assert row[estimate] <= high + 1e-9
    assert (folder / "report.html").read_text(encoding="utf-8").count("<svg") == 4
    assert (folder / "tables" / "policies.parquet").is_file()


def test_the_same_seed_gives_the_same_bytes_whatever_the_number_of_workers(
    lab: Path, simulated, tmp_path: Path
):
    _, folder = simulated
    for workers in ("2", "3"):
        other = tmp_path / workers
        run("simulate", lab, *QUICK, "--workers", workers, "--out", other)
        for name in ("run.json", "report.html"):
            assert (other / name).read_bytes() == (folder / name).read_bytes(), name


def test_the_terminal_says_first_who_wins(lab: Path, planned: Path, tmp_path: Path):
    result = run("simulate", lab, "--plan", planned, *QUICK, "--out", tmp_path / "run")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert re.match(r"The plan wins|The plan does NOT win|No policy wins", lines[1])
    assert "P(ruin)" in " ".join(lines[1:4])
    assert max(len(line) for line in lines if "Files" not in line and str(tmp_path) not in line) <= 100


def test_the_plan_of_a_run_is_taken_without_solving(
    lab: Path, planned: Path, simulated, tmp_path: Path, monkeypatch
):
    def refuse(*_, **__):
        raise AssertionError("solved again")

    monkeypatch.setattr(again, "solve_plan", refuse)
    taken = json.loads(
        run("simulate", lab, "--plan", planned, *QUICK, "--out", tmp_path / "r", "--json").stdout
    )
    solved = json.loads(simulated[0].stdout)
    assert taken["replay"]["value"] == pytest.approx(solved["replay"]["value"])
    assert taken["replay"]["p_ruin"] == solved["replay"]["p_ruin"]
    assert taken["plan"] == "of run"


def test_a_run_of_another_file_version_or_setting_is_refused(lab: Path, planned: Path, tmp_path: Path):
    other = strangers.short_lab()
    other["finance"]["cash"] = "500 MUSD"
    changed = strangers.write_lab(tmp_path, other)
    result = run("simulate", changed, "--plan", planned, *QUICK)
    assert result.exit_code == 2
    assert "stale: lab.yaml is not what this run planned" in result.output
    assert "exaplan plan" in result.output
    result = run("simulate", lab, "--plan", planned, "--set", "finance.cash=500 MUSD", *QUICK)
    assert result.exit_code == 2
    assert "stale: --set" in result.output
    arrays, about = read_plan(planned)
    old = tmp_path / "old"
    old.mkdir()
    (old / PLAN_FILE).write_bytes(pack_plan(arrays, {**about, "version": "0.0.1"}))
    result = run("simulate", lab, "--plan", old, *QUICK)
    assert result.exit_code == 2
    assert "made by exaplan 0.0.1" in result.output
    result = run("simulate", lab, "--plan", tmp_path, *QUICK)
    assert result.exit_code == 2
    assert "holds no solved plan" in result.output
    (old / PLAN_FILE).write_bytes(b"not a plan")
    assert "damaged" in run("simulate", lab, "--plan", old, *QUICK).output


def test_a_kept_point_that_no_longer_solves_the_program_is_refused(lab: Path, planned: Path, tmp_path: Path):
    arrays, about = read_plan(planned)
    arrays["x"] = arrays["x"] + 1.0
    (tmp_path / PLAN_FILE).write_bytes(pack_plan(arrays, about))
    result = run("simulate", lab, "--plan", tmp_path, *QUICK)
    assert result.exit_code == 2
    assert "is not the one that the run solved" in result.output


def test_the_same_plan_is_kept_in_the_same_bytes():
    arrays = {"x": np.arange(5.0), "upper": np.full(3, np.inf)}
    assert pack_plan(arrays, {"b": 1, "a": 2}) == pack_plan(arrays, {"a": 2, "b": 1})


def test_planning_again_says_first_how_long_it_takes(lab: Path, planned: Path, tmp_path: Path):
    result = run(
        "simulate",
        lab,
        "--plan",
        planned,
        *QUICK,
        "--rolling",
        "4",
        "--every",
        "2",
        "--out",
        tmp_path / "r",
        "--json",
    )
    found = json.loads(result.stdout)
    if result.exit_code == 0:
        assert "planning again on 4 futures every 2 quarter(s)" in result.stderr
        assert found["rolling"]["paths"] == 4
        assert found["rolling"]["plans"] > 0


def test_a_plan_in_hand_simulates_itself(lab: Path, tmp_path: Path):
    plan = exaplan.load(lab).plan(paths=4)
    quick = plan.simulate(paths=8)
    assert quick.record is None
    with pytest.raises(ValueError, match="compare=True"):
        quick.report(tmp_path / "x.html")
    full = plan.simulate(paths=8, compare=True)
    assert full.value == pytest.approx(quick.value)
    assert full.ruin == quick.ruin
    assert full.frames["policies"].height == len(full.record.policies)
    assert "futures" in repr(full)
    assert full.report(tmp_path / "page.html").stat().st_size > 10_000


def test_alternatives_differ_from_the_plan_in_what_they_say(lab: Path):
    from exaplan.app.other_plans import other_plans

    made = exaplan.load(lab).plan(paths=4).planned
    kept = again.Made(made.lab, made.rates, made.tree, made.solved)
    others = {one.name: one for one in other_plans(kept, map)}
    more = others["more cover"].solved.program.inputs.lab.policy.cover_quarters
    assert more == made.lab.policy.cover_quarters + 2
    still = others["no growth"].solved.program.inputs.lab
    assert all(workload.growth.median == 0 for workload in still.serve)
