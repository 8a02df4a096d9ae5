"""The documentation is complete: every command, error, extra, dependency and room is in it."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from pathlib import Path

import click
import pytest

import exaplan
from exaplan.domain import errors

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
DEPENDENCIES_PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
ROOMS = sorted(folder.name for folder in (ROOT / "src" / "exaplan").iterdir() if any(folder.glob("*.py")))


def commands(command: click.Command, name: str) -> list[str]:
    """Every command that does something, with the groups it stands in: ``exaplan perf estimate``."""
    if isinstance(command, click.Group):
        return [
            full
            for child, inner in sorted(command.commands.items())
            for full in commands(inner, f"{name} {child}")
        ]
    return [name]


def every_command() -> list[str]:
    """The commands of the console script; none while it cannot be imported, which test_packaging reports."""
    module, _, function = PROJECT["project"]["scripts"]["exaplan"].partition(":")
    try:
        main = getattr(import_module(module), function)
    except (ImportError, AttributeError):
        return []
    return commands(main, "exaplan") if isinstance(main, click.Command) else []


def names(requirements: list[str]) -> list[str]:
    return [re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0] for requirement in requirements]


@pytest.mark.parametrize("command", every_command())
def test_every_command_is_in_the_docs(command):
    assert re.search(rf"{re.escape(command)}\b", TEXT)


@pytest.mark.parametrize(
    "error", [e.__name__ for e in (errors.ExaplanError, *errors.ExaplanError.__subclasses__())]
)
def test_every_error_is_in_the_docs(error):
    assert error in TEXT


@pytest.mark.parametrize("extra", PROJECT["project"]["optional-dependencies"])
def test_every_extra_is_in_the_docs(extra):
    assert f"[{extra}]" in DEPENDENCIES_PAGE


@pytest.mark.parametrize(
    "name",
    names(
        PROJECT["project"]["dependencies"]
        + [r for e in PROJECT["project"]["optional-dependencies"].values() for r in e]
    ),
)
def test_every_dependency_is_justified(name):
    assert re.search(rf"^\| {re.escape(name)} \|", DEPENDENCIES_PAGE, re.MULTILINE)


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_on_the_map(room):
    assert f"`{room}`" in (ROOT / "docs" / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert not missing


def test_the_python_of_the_readme_compiles():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        compile(block, "README.md", "exec")


def test_the_lab_file_of_the_readme_is_accepted(tmp_path):
    (block,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    lab = tmp_path / "lab.yaml"
    lab.write_text(block, encoding="utf-8")
    assert exaplan.load(lab)
