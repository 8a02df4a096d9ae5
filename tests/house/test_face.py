"""The public face: sorted, complete, lazy."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import exaplan

HEAVY = (
    "altair",
    "highspy",
    "jinja2",
    "numpy",
    "pandas",
    "pint",
    "polars",
    "pydantic",
    "rich",
    "ruamel",
    "vl_convert",
)


def test_the_face_is_one_sorted_list_of_at_most_forty_names():
    assert exaplan.__all__ == sorted(set(exaplan.__all__))
    assert len(exaplan.__all__) <= 40


def test_every_name_but_the_version_has_one_home_and_every_home_is_in_the_face():
    assert sorted({*exaplan._HOMES, "__version__"}) == exaplan.__all__
    assert list(exaplan._HOMES) == sorted(exaplan._HOMES)


@pytest.mark.parametrize("name", sorted(exaplan._HOMES))
def test_a_name_of_the_face_is_the_very_object_that_its_home_defines(name):
    home = import_module(exaplan._HOMES[name])
    value = getattr(exaplan, name)
    assert value is getattr(home, name)
    assert value.__module__ == exaplan._HOMES[name]
    assert value.__doc__


def test_type_checkers_see_the_same_homes():
    tree = ast.parse(Path(exaplan.__file__).read_text(encoding="utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == exaplan._HOMES


def test_completion_offers_the_face():
    assert dir(exaplan) == exaplan.__all__


def test_an_unknown_name_is_refused_with_what_there_is():
    with pytest.raises(AttributeError, match=r"no attribute 'laod'.*load"):
        exaplan.laod  # noqa: B018


@pytest.mark.parametrize(
    "statement", ["import exaplan", "import exaplan; exaplan.InputError, exaplan.__version__"]
)
def test_the_face_loads_no_heavy_library(statement):
    code = f"{statement}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert loaded.isdisjoint(HEAVY)


def test_reading_the_records_needs_no_solver_frame_unit_or_plotting_library():
    code = "import exaplan; exaplan.Lab\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert loaded.isdisjoint(set(HEAVY) - {"numpy", "pydantic"})
