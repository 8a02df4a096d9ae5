"""What is allowed but looks like a slip is told; editors get a schema of the file as people write it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from exaplan.io.alignfile import shipped_text
from exaplan.io.examples import example_text
from exaplan.io.filekind import FileKind
from exaplan.io.labfile import read_lab
from exaplan.io.lint import lint
from exaplan.io.schema import file_schema, lab_schema

SMALL = Path(__file__).with_name("small.yaml")
TEXT = SMALL.read_text(encoding="utf-8")


LATE = json.dumps(
    [
        {"chip": chip, "workloads": ["chat"], "ready": "2029-Q1", "maturity": "50 %"}
        for chip in ("h100", "b200")
    ]
)


def test_a_plausible_lab_is_told_nothing() -> None:
    assert lint(read_lab(SMALL)) == []


@pytest.mark.parametrize(
    ("path", "value", "severity", "told"),
    [
        ("chips.b200.bf16", "4.5 PFLOP/s", "warning", "2 times B200-SXM's dense peak"),
        ("chips.b200.bf16", "9 PFLOP/s", "error", "a sparse peak?"),
        ("offers.rent-h100.price", "26.5 USD/chip/h", "warning", "check the unit and the decimal point"),
        ("offers.reserve-h100.price", "0.21 USD/chip/h", "warning", "check the unit and the decimal point"),
        ("offers.own-b200.price", "450 kUSD/chip", "warning", "30000 to 47400"),
        ("offers.own-b200.lead", "3 years", "warning", "cannot deliver inside the horizon"),
        ("offers.own-b200.residual", "120 %", "error", "scrap worth 120%"),
        ("offers.rent-h100.pool", "texsa", "warning", "did you mean the site 'texas'?"),
        ("sites.texas.ready", "2029-Q1", "warning", "no power before the horizon ends"),
        ("policy.ruin.within", "5 years", "warning", "20 quarters; the horizon has 8"),
        ("finance.cash_minimum", "1 GUSD", "warning", "ruined today"),
        ("contracts.fleet.term", "1 quarter", "warning", "ends before the horizon begins"),
        ("software", LATE, "warning", "no chip that arrives"),
    ],
)  # fmt: skip
def test_a_slip_is_told_at_its_place(path: str, value: str, severity: str, told: str) -> None:
    found = lint(read_lab(SMALL, overrides={path: value}))
    assert [problem.severity for problem in found] == [severity], found
    assert told in str(found[0])
    assert found[0].line


def test_an_announced_chip_cannot_come_before_its_launch(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text(TEXT.replace("b200: B200-SXM", "b200: MTIA-500"), encoding="utf-8")
    assert [problem for problem in lint(read_lab(path)) if "before the announced launch" in problem.reason]


def fits(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Check a value against the part of JSON Schema that the lab's schema uses."""
    if "$ref" in schema:
        return fits(value, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root)
    if "anyOf" in schema:
        return any(fits(value, option, root) for option in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    names = {
        "string": str,
        "object": dict,
        "array": list,
        "integer": int,
        "number": int | float,
        "boolean": bool,
        "null": type(None),
    }
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(isinstance(value, names[kind]) for kind in kinds):
        return False
    if isinstance(value, str) and "pattern" in schema:
        return re.search(schema["pattern"], value) is not None
    if isinstance(value, list) and "items" in schema:
        return all(fits(item, schema["items"], root) for item in value)
    if isinstance(value, dict):
        known, rest = schema.get("properties", {}), schema.get("additionalProperties", True)
        return all(key in value for key in schema.get("required", [])) and all(
            fits(item, known[key], root)
            if key in known
            else (rest if isinstance(rest, bool) else fits(item, rest, root))
            for key, item in value.items()
        )
    return True


def test_the_schema_accepts_the_file_and_refuses_a_misspelt_key() -> None:
    schema = lab_schema()
    assert json.loads(json.dumps(schema)) == schema
    plain = YAML(typ="safe", pure=True)
    written = plain.load(TEXT)
    for section, value in written.items():
        assert fits(value, schema["properties"][section], schema), section
    assert fits(written, schema, schema)
    assert not fits(plain.load(TEXT.replace("    lead:", "    leed:")), schema, schema)
    assert not fits(plain.load(TEXT.replace("2026-Q3 .. 2028-Q2", "soon")), schema, schema)


def test_every_quantity_in_the_schema_says_what_it_is_and_shows_one() -> None:
    schema = lab_schema()
    tpot = schema["$defs"]["Serve"]["properties"]["tpot"]
    assert tpot == {
        "description": "longest time per output token [s]",
        "type": "string",
        "examples": ["40 ms"],
    }
    assert all(
        each["description"] for record in schema["$defs"].values() for each in record["properties"].values()
    )


@pytest.mark.parametrize("kind", ["race", "alignment"])
def test_the_schemas_of_races_and_alignment_accept_what_ships_and_refuse_a_misspelt_key(
    kind: FileKind,
) -> None:
    text = example_text("race") if kind == "race" else shipped_text()
    text = re.sub(
        r"^as_of: (\S+)", r"as_of: '\1'", text, flags=re.MULTILINE
    )  # text in YAML 1.2, a date in 1.1
    schema, plain = file_schema(kind), YAML(typ="safe")
    assert fits(plain.load(text), schema, schema)
    misspelt = ("shipments:", "shipment:") if kind == "race" else ("label_price:", "label_prize:")
    assert misspelt[0] in text
    assert not fits(plain.load(text.replace(*misspelt)), schema, schema)
