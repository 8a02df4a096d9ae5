"""How the source is written: sizes, names, imports, words."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = sorted((ROOT / "src").rglob("*.py"))
PYTHON = SOURCE + sorted((ROOT / "tests").rglob("*.py"))
PROSE = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.yaml", "scripts/*", "Makefile", "pyproject.toml")
    for path in ROOT.glob(pattern)
    if path.is_file()
)
LINES_MAX, FUNCTION_LINES_MAX = 400, 60
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
# Written with brackets, so that this file does not trip over itself.
LEFT_UNDONE = re.compile(r"\b([T]ODO|[F]IXME|[X]XX)\b")
OWN_MACHINE = re.compile(r"(?<![\w.:/}*-])/(home|root|Users|tmp|work)(?=[/\s\"'`]|$)")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def lines_without_docstring(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        lines -= function.body[0].end_lineno - function.body[0].lineno + 1
    return lines


@pytest.mark.parametrize("path", SOURCE, ids=name_of)
def test_a_file_can_be_read_in_one_sitting(path):
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= LINES_MAX, f"{lines} lines: split it by what it knows"


@pytest.mark.parametrize("path", SOURCE, ids=name_of)
def test_a_function_fits_on_a_screen(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    long = {
        f.name: lines_without_docstring(f)
        for f in functions(tree)
        if lines_without_docstring(f) > FUNCTION_LINES_MAX
    }
    assert not long, f"over {FUNCTION_LINES_MAX} lines, docstring not counted: {long}"


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_imports_say_where_they_come_from(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    relative = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    assert not relative, f"relative imports in lines {relative}"


@pytest.mark.parametrize("path", SOURCE, ids=name_of)
def test_inside_modules_do_not_import_the_public_face(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    face = [
        node.lineno
        for node in ast.walk(tree)
        if (
            isinstance(node, ast.ImportFrom)
            and node.module == "exaplan"
            and {a.name for a in node.names} != {"__version__"}
        )
        or (isinstance(node, ast.Import) and any(alias.name == "exaplan" for alias in node.names))
    ]
    assert not face, f"imports the face in lines {face}; import the module that defines the name"


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_no_error_is_swallowed(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    bare = [h.lineno for h in handlers if h.type is None]
    everything = [
        h for h in handlers if isinstance(h.type, ast.Name) and h.type.id in ("Exception", "BaseException")
    ]
    swallowed = [h.lineno for h in everything if all(isinstance(line, ast.Pass) for line in h.body)]
    assert not bare + swallowed, f"lines {bare + swallowed}"


@pytest.mark.parametrize("path", PYTHON + PROSE, ids=name_of)
def test_nothing_is_left_undone_and_no_machine_is_named(path):
    text = path.read_text(encoding="utf-8")
    undone = [match.group() for match in LEFT_UNDONE.finditer(text)]
    machines = [match.group() for match in OWN_MACHINE.finditer(text)]
    assert not undone, undone
    assert not machines, f"absolute paths of somebody's machine: {machines}"


def test_file_names_say_what_is_inside():
    assert not [
        name_of(path) for path in SOURCE if path.stem in VAGUE_NAMES or path.parent.name in VAGUE_NAMES
    ]


@pytest.mark.parametrize(
    "path", [p for p in SOURCE if p.name == "__init__.py" and p.parent.name != "exaplan"], ids=name_of
)
def test_the_front_door_of_a_room_is_a_docstring_and_no_logic(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1
