"""Records in: every field is described, and has a unit where it is a number. Records out: frozen."""

from __future__ import annotations

import dataclasses
import inspect
import pkgutil
import re
from importlib import import_module
from typing import get_args

import pytest

import exaplan.domain
from exaplan.domain.base import Record
from exaplan.domain.glossary import GLOSSARY, UNITS, define
from exaplan.domain.lab import Lab, Origin
from exaplan.domain.uncertain import Uncertain

MODULES = [
    import_module(f"exaplan.domain.{module.name}") for module in pkgutil.iter_modules(exaplan.domain.__path__)
]
# Values that stand inside a field, and describe themselves as a whole.
LITERALS = (Uncertain, Origin)
# A figure printed by somebody else, kept to compare our own count with; no formula reads it.
PUBLISHED_AS_PRINTED = {("Model", "params_published_b")}
SHORT_NAMES = {
    "bf16",
    "cvar",
    "flop",
    "fp4",
    "fp8",
    "hbm",
    "hfu",
    "int8",
    "mfu",
    "npv",
    "pue",
    "tdp",
    "tpot",
    "ttft",
    "wacc",
}


def parts(annotation: object) -> set[object]:
    """Every type that an annotation is made of."""
    inner = get_args(annotation)
    return {annotation} | {part for argument in inner for part in parts(argument)} if inner else {annotation}


def reachable(record: type[Record], seen: dict[str, type[Record]]) -> dict[str, type[Record]]:
    """Every record that a lab file can hold."""
    seen[record.__name__] = record
    for field in record.model_fields.values():
        for part in parts(field.annotation):
            if (
                inspect.isclass(part)
                and issubclass(part, Record)
                and part not in LITERALS
                and part.__name__ not in seen
            ):
                reachable(part, seen)
    return seen


RECORDS = reachable(Lab, {})
FIELDS = [
    pytest.param(record, name, id=f"{record.__name__}.{name}")
    for record in RECORDS.values()
    for name, field in record.model_fields.items()
    if not (isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("internal"))
]


def test_the_walk_reaches_every_room_of_the_lab():
    assert {
        "Chip",
        "Model",
        "Serve",
        "Train",
        "Safety",
        "Reserved",
        "Purchase",
        "OnDemand",
        "Finance",
        "Futures",
    } <= set(RECORDS)


@pytest.mark.parametrize(("record", "name"), FIELDS)
def test_every_input_field_is_described_and_has_a_unit_where_it_is_a_number(record, name):
    field = record.model_fields[name]
    if (
        name == "kind" and not field.description
    ):  # names which of several records this is: their docstrings describe it
        assert record.__doc__
        return
    assert field.description, "no description"
    unit = (field.json_schema_extra or {}).get("unit")
    if {float, Uncertain} & parts(field.annotation) and (record.__name__, name) not in PUBLISHED_AS_PRINTED:
        assert unit, "a number without a unit; declare it with quantity()"


@pytest.mark.parametrize(("record", "name"), FIELDS)
def test_units_are_written_with_known_atoms(record, name):
    unit = (record.model_fields[name].json_schema_extra or {}).get("unit")
    unknown = [atom for atom in re.split(r"[/*]", unit or "ratio") if atom not in UNITS]
    assert not unknown, f"{unit!r} uses {unknown}, which domain/glossary.py does not explain"


@pytest.mark.parametrize(("record", "name"), FIELDS)
def test_short_names_in_fields_are_in_the_glossary(record, name):
    assert SHORT_NAMES & set(name.split("_")) <= set(GLOSSARY)


def test_every_record_says_what_it_is():
    assert not [name for name, record in RECORDS.items() if not record.__doc__]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_whatever_stands_on_the_ground_floor_is_frozen(module):
    for name, value in vars(module).items():
        if not inspect.isclass(value) or value.__module__ != module.__name__ or issubclass(value, Exception):
            continue
        if dataclasses.is_dataclass(value):
            assert value.__dataclass_params__.frozen, f"{name} is a dataclass that can be changed"
        elif issubclass(value, Record):
            assert value.model_config.get("frozen"), f"{name} is a record that can be changed"
            assert value.model_config.get("extra") == "forbid", f"{name} takes unknown keys"
        else:
            pytest.fail(f"{name} is neither a record nor a frozen dataclass")


@pytest.mark.parametrize("key", GLOSSARY)
def test_a_term_of_the_glossary_reads_like_a_definition(key):
    term = GLOSSARY[key]
    assert term.definition.endswith(".")
    assert term.unit == "-" or all(atom in UNITS for atom in re.split(r"[/*]| per unit", term.unit) if atom)
    assert define(term.name) is term
