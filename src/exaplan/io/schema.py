"""JSON Schema of the files as people write them, for editors: quantities are texts with units."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from exaplan.domain.alignment import AlignmentStudy
from exaplan.domain.lab import Lab
from exaplan.domain.load import LoadBlock
from exaplan.domain.race import RaceFile
from exaplan.io.fields import Slot, slots
from exaplan.io.filekind import FileKind
from exaplan.io.units import example

_QUARTER = r"^\d{4}-Q[1-4]$"
_WINDOW = r"^\d{4}-Q[1-4]\s*\.\.\s*\d{4}-Q[1-4]$"
_WORD: dict[str, Any] = {"type": ["string", "number"]}
SHORT_VALUES: dict[str, dict[str, dict[str, Any]]] = {
    "Policy": {
        "supplier_share": {
            "type": "object",
            "additionalProperties": {"type": "string", "examples": ["40 %"]},
        },
        "supplier_order": {
            "type": "object",
            "additionalProperties": {"type": "string", "examples": ["50k chips/quarter"]},
        },
        "floor": {"type": "string", "description": "share for all training", "examples": ["40 %"]},
        "safety": {
            "type": "string",
            "description": "share for all safety workloads",
            "examples": ["4 %"],
        },
    },
    "Serve": {
        "models": {
            "anyOf": [
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": {"type": "object"}},
            ],
            "description": "names alone, or what is said of each by its name",
        }
    },
    "Finance": {
        "fixed_costs": {"type": ["object", "string"], "description": "amounts by name, or one amount"},
        "supplier_finance": {"type": "object", "additionalProperties": {"type": "object"}},
    },
    "Equity": {
        "investment": {"type": "string", "description": "one amount at signature", "examples": ["2 GUSD"]}
    },
    "Futures": {
        "branches": {
            "type": "object",
            "patternProperties": {_QUARTER: {"type": "integer", "minimum": 2}},
        },
        "slips": {"type": "object", "additionalProperties": {"type": "string", "examples": ["20 %"]}},
        "supply": {
            "type": "object",
            "additionalProperties": {
                "anyOf": [{"type": "string", "examples": ["70 % to 110 %"]}, {"type": "object"}]
            },
        },
        "defaults": {
            "type": "object",
            "additionalProperties": {"type": "string", "examples": ["3 %/year"]},
        },
        "site_delays": {
            "type": "object",
            "additionalProperties": {"type": "string", "examples": ["15 %"]},
        },
        "renewals": {
            "type": "object",
            "additionalProperties": {
                "anyOf": [{"type": "string", "examples": ["90 % to 140 %"]}, {"type": "object"}]
            },
        },
        "demand_delay": {
            "type": ["string", "object"],
            "description": "one delay of all demand, or delays by workload",
            "examples": ["0 to 9 months"],
        },
        "capital_window": {"type": "object", "description": "one window for all rounds, or windows by name"},
    },
    "Regime": {
        "switches": {
            "type": "object",
            "additionalProperties": {"type": "string", "examples": ["60 %/year"]},
        }
    },
}
"""Values that may be written shorter than their records, by record and key: see ``sugar``."""


ROOTS: dict[FileKind, type[BaseModel]] = {"lab": Lab, "race": RaceFile, "alignment": AlignmentStudy}


def lab_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a lab file, with the short forms that the reader accepts."""
    return file_schema("lab")


def file_schema(kind: FileKind) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a lab, race or alignment file, short forms included."""
    definitions: dict[str, Any] = {}
    root = _record(ROOTS[kind], definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"exaplan {kind} file",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def _reference(record: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    if record.__name__ not in definitions:
        definitions[record.__name__] = {}
        definitions[record.__name__] = _record(record, definitions)
    return {"$ref": f"#/$defs/{record.__name__}"}


def _record(record: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    table = slots(record)
    properties = {key: _described(slot, _value(slot, definitions)) for key, slot in table.items()}
    required = [key for key, slot in table.items() if slot.required]
    _add_short_forms(record.__name__, properties, required)
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if record.__name__ == "Load":  # blocks stated under their own names
        block = _reference(LoadBlock, definitions)
        schema["additionalProperties"] = block
        block_id = definitions["LoadBlock"].get("required", [])
        definitions["LoadBlock"]["required"] = [key for key in block_id if key != "id"]
    if record.__doc__:
        schema["description"] = record.__doc__.strip().splitlines()[0]
    if required:
        schema["required"] = required
    return schema


def _described(slot: Slot, schema: dict[str, Any]) -> dict[str, Any]:
    text = slot.description or f"which {slot.key} it is"
    if slot.unit:
        text += f" [{slot.unit}]"
    return {"description": text, **schema}


def _value(slot: Slot, definitions: dict[str, Any]) -> dict[str, Any]:
    if slot.shape == "quantity":
        return _quantity(slot)
    if slot.shape == "record":
        return _one_of([_reference(record, definitions) for record in slot.records])
    if slot.shape == "records":
        return _collection(slot, definitions)
    if slot.shape == "record_map":
        entry = {
            "anyOf": [
                {"type": "string", "description": "a name in the catalogue"},
                *_entries(slot, definitions),
            ]
        }
        return {"type": ["object", "null"], "additionalProperties": entry}
    plain: dict[str, dict[str, Any]] = {
        "choice": {"enum": list(slot.choices)},
        "flag": {"type": "boolean"},
        "whole": {"type": "integer"},
        "number": {"type": "number"},
        "quarter": {"type": "string", "pattern": _QUARTER, "examples": ["2026-Q3"]},
        "words": {"anyOf": [{"type": "array", "items": _WORD}, _WORD]},
    }
    return plain.get(slot.shape, _WORD)


def _quantity(slot: Slot) -> dict[str, Any]:
    one: dict[str, Any] = {"type": ["string", "number"] if slot.unit == "ratio" else "string"}
    shown = [example(slot.unit)]
    if slot.literal == "uncertain":
        return {**one, "examples": [*shown, f"normal({shown[0]} to {shown[0]})", f"{shown[0]} to {shown[0]}"]}
    if slot.literal in ("series", "trace"):
        csv = {
            "type": "object",
            "properties": {
                "csv": {"type": "string", "examples": ["demand.csv#tokens"]},
                "unit": {"type": "string"},
            },
            "required": ["csv"],
            "additionalProperties": False,
        }
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}, csv], "examples": shown}
    return {**one, "examples": shown}


def _one_of(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _collection(slot: Slot, definitions: dict[str, Any]) -> dict[str, Any]:
    """Describe a list of records, or a mapping of id to record where they have one."""
    item = _one_of([_reference(record, definitions) for record in slot.records])
    listed: dict[str, Any] = {"type": "array", "items": item}
    if all("id" in slots(record) for record in slot.records):
        return {
            "anyOf": [
                listed,
                {"type": "object", "additionalProperties": {"type": "object"}},
                {"type": "null"},
            ]
        }
    return {"anyOf": [listed, {"type": "null"}]}


def _entries(slot: Slot, definitions: dict[str, Any]) -> list[dict[str, Any]]:
    """Describe an entry of chips or models: a variation of the catalogue, or a full specification."""
    found = []
    for record in slot.records:
        properties = {
            key: _described(each, _value(each, definitions))
            for key, each in slots(record).items()
            if key != "id"
        }
        required = [key for key, each in slots(record).items() if each.required and key != "id"]
        for base, text in (
            ("catalog", "the entry of the catalogue that this is"),
            ("like", "the entry that this resembles"),
        ):
            based = {base: {"type": "string", "description": text}, **properties}
            found.append(
                {"type": "object", "properties": based, "required": [base], "additionalProperties": False}
            )
        found.append(
            {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
        )
    return found


def _add_short_forms(name: str, properties: dict[str, Any], required: list[str]) -> None:
    """Add what the reader writes out: see ``sugar``."""
    if "kind" in properties and properties["kind"].get("enum") and "kind" not in required:
        required.append("kind")
    if name in (
        "OnDemand",
        "Reserved",
        "Purchase",
        "Round",
        "Equity",
        "Exclusive",
        "SiteStep",
        "Distillation",
        "Silicon",
        "Launch",
    ):
        properties["window"] = {
            "type": "string",
            "pattern": _WINDOW,
            "description": "first .. last quarter of the window",
        }
        for key in ("first", "last"):
            if key in required:
                required.remove(key)
    if name in ("Train", "ServingModel"):
        properties["share"] = {
            "type": "string",
            "description": "range of its share of development"
            if name == "Train"
            else "range of its share of the segment's tokens",
            "examples": ["20 % .. 60 %"],
        }
    if name == "TokenPrice":
        change = {
            "type": "string",
            "description": "yearly change of the price",
            "examples": ["-40 % to -10 % /year"],
        }
        properties["change"] = change
    if name in ("Lab", "RaceFile"):
        window = {"type": "string", "pattern": _WINDOW, "examples": ["2026-Q3 .. 2030-Q2"]}
        properties["horizon"] = {
            "description": "first .. last quarter",
            "anyOf": [window, {"$ref": "#/$defs/Horizon"}],
        }
    for key, short in SHORT_VALUES.get(name, {}).items():
        long = properties[key]
        description = long.pop("description", "")
        properties[key] = {"description": description, "anyOf": [short, long]}
