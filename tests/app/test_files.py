"""``check``, ``init`` and ``schema``: the lab file before any planning."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.app import strangers

from exaplan.app.cli.main import SECTIONS, main
from exaplan.io import examples


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_sound_file_has_nothing_to_tell() -> None:
    result = run("check", strangers.SMALL)
    assert (result.exit_code, result.stdout) == (0, "lab file: 0 errors, 0 warnings\n")


def test_what_is_implausible_is_a_warning_and_what_is_wrong_an_error(tmp_path: Path) -> None:
    text = strangers.SMALL.read_text(encoding="utf-8")
    path = tmp_path / "lab.yaml"
    path.write_text(text.replace("2.65 USD/chip/h", "26.5 USD/chip/h"), encoding="utf-8")
    doubtful = run("check", path)
    assert doubtful.exit_code == 0
    assert f"{path}:17:12: warning: " in doubtful.stdout
    assert doubtful.stdout.endswith("0 errors, 1 warning\n")
    path.write_text(
        text.replace("deposit: 10 %", "deposit: 0.1").replace("cash: 120 MUSD", "cash: 1"), encoding="utf-8"
    )
    wrong = run("check", path)
    assert wrong.exit_code == 2
    assert len(re.findall(r": error: ", wrong.stdout)) == 2
    assert wrong.stdout.endswith("2 errors, 0 warnings\n")


def test_check_as_json_locates_each_problem(tmp_path: Path) -> None:
    path = strangers.write_lab(tmp_path, strangers.short_lab() | {"colour": "red"})
    result = run("check", path, "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 2
    assert (found["errors"], found["warnings"]) == (1, 0)
    (problem,) = found["problems"]
    assert problem["line"] > 0
    assert "colour" in problem["reason"]


@pytest.mark.parametrize("example", examples.example_names())
def test_a_lab_from_an_example_checks_out_beside_its_schema(example: str, tmp_path: Path) -> None:
    result = run("init", tmp_path / "new" / "lab", "--from", example)
    assert result.exit_code == 0
    folder = tmp_path / "new" / "lab"
    assert f"exaplan plan {folder / 'lab.yaml'}" in result.stdout
    first = (folder / "lab.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=./exaplan.schema.json"
    assert (
        json.loads((folder / "exaplan.schema.json").read_text(encoding="utf-8"))["title"]
        == "exaplan lab file"
    )
    assert run("check", folder / "lab.yaml").exit_code == 0


@pytest.mark.parametrize("kind", ["race", "alignment"])
def test_a_race_and_an_alignment_file_are_told_from_a_lab(kind: str, tmp_path: Path) -> None:
    result = run("init", tmp_path, "--from", kind)
    assert result.exit_code == 0, result.output
    path = tmp_path / f"{kind}.yaml"
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema=./exaplan.{kind}.schema.json"
    schema = json.loads((tmp_path / f"exaplan.{kind}.schema.json").read_text(encoding="utf-8"))
    assert schema["title"] == f"exaplan {kind} file"
    assert schema == json.loads(run("schema", kind).stdout)
    sound = run("check", path)
    assert (sound.exit_code, sound.stdout) == (0, f"{kind} file: 0 errors, 0 warnings\n")
    path.write_text(
        path.read_text(encoding="utf-8") + "colour: red  # 2026-01-31, made up\n", encoding="utf-8"
    )
    wrong = run("check", path, "--json")
    found = json.loads(wrong.stdout)
    assert (wrong.exit_code, found["kind"], found["errors"]) == (2, kind, 1)
    assert "colour" in found["problems"][0]["reason"]


def test_what_is_no_yaml_is_checked_as_a_lab(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("lab: [", encoding="utf-8")
    assert "lab file: 1 error" in run("check", path).stdout


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text("mine", encoding="utf-8")
    result = run("init", tmp_path)
    assert result.exit_code == 2
    assert f"{tmp_path / 'lab.yaml'}: error: the file is there already" in result.output
    assert (tmp_path / "lab.yaml").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "exaplan.schema.json").exists()


def test_init_into_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = run("init", tmp_path / "file" / "lab")
    assert result.exit_code == 2
    assert "cannot write here" in result.output


def test_schema_prints_the_schema() -> None:
    result = run("schema")
    assert json.loads(result.stdout)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_wheel_carries_the_examples_and_the_catalogue(repo_root: Path, tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="no hatchling here to build a wheel with")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=repo_root, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    unpacked = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(unpacked)
    for name in ("examples/frontier-2026.yaml", "examples/startup.yaml", "data/chips.csv", "py.typed"):
        assert (unpacked / "exaplan" / name).is_file()
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import exaplan.io.examples as door; "
        "assert door.__file__.startswith(sys.argv[1]); print(door.example_text('startup'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(unpacked)], capture_output=True, text=True, check=True
    )
    assert (
        done.stdout.strip() == (repo_root / "examples" / "startup.yaml").read_text(encoding="utf-8").strip()
    )


def test_the_help_names_every_command_once_under_what_it_is_for() -> None:
    text = run("--help").output
    shown = [name for section in SECTIONS.values() for name in (command.name for command in section)]
    assert sorted(shown) == sorted(main.commands)
    for title, section in SECTIONS.items():
        assert f"{title}:" in text
        assert all(re.search(rf"^  {command.name}  ", text, re.MULTILINE) for command in section)
