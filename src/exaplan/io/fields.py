"""What may stand in each field of a record: read from the records themselves, once."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from exaplan.domain.base import FieldLiteral
from exaplan.domain.quarter import Quarter

Shape = Literal[
    "quantity",
    "record",
    "records",
    "record_map",
    "words",
    "word",
    "whole",
    "number",
    "flag",
    "quarter",
    "choice",
]


@dataclass(frozen=True)
class Slot:
    """One field as the lab file sees it."""

    name: str
    key: str
    shape: Shape
    description: str
    required: bool
    default: Any
    unit: str = ""
    literal: FieldLiteral = "point"
    bounds: Mapping[str, float] | None = None
    whole: bool = False
    choices: tuple[str, ...] = ()
    records: tuple[type[BaseModel], ...] = ()
    refers_to: str = ""


@lru_cache(maxsize=128)
def slots(record: type[BaseModel]) -> dict[str, Slot]:
    """Return the fields of a record that a lab file may state, by their key in the file."""
    found: dict[str, Slot] = {}
    for name, info in record.model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        if not extra.get("internal"):
            slot = _slot(name, info, extra)
            found[slot.key] = slot
    return found


def _slot(name: str, info: FieldInfo, extra: Mapping[str, Any]) -> Slot:
    common: dict[str, Any] = {
        "name": name,
        "key": info.alias or name,
        "description": info.description or "",
        "required": info.is_required(),
        "default": None if info.default is PydanticUndefined else info.default,
        "refers_to": extra.get("refers_to") or "",
    }
    annotation = _without_none(info.annotation)
    if "unit" in extra:
        return Slot(
            **common,
            shape="quantity",
            unit=extra["unit"],
            literal=extra["literal"],
            bounds=extra["bounds"],
            whole=annotation is int,
        )
    shape, details = _shape(annotation)
    return Slot(**common, shape=shape, **details)


def _shape(annotation: Any) -> tuple[Shape, dict[str, Any]]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is tuple:
        inner = _records(arguments[0])
        return ("records", {"records": inner}) if inner else ("words", {})
    if origin is dict:
        return "record_map", {"records": _records(arguments[1])}
    if origin is Literal:
        return "choice", {"choices": tuple(str(argument) for argument in arguments)}
    inner = _records(annotation)
    if inner:
        return "record", {"records": inner}
    plain: dict[Any, Shape] = {bool: "flag", int: "whole", float: "number", Quarter: "quarter"}
    return plain.get(annotation, "word"), {}


def _records(annotation: Any) -> tuple[type[BaseModel], ...]:
    """Return the record types that an annotation allows; several where a ``kind`` tells them apart."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    members = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    return tuple(member for member in members if isinstance(member, type) and issubclass(member, BaseModel))


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        kept = [member for member in get_args(annotation) if member is not type(None)]
        if len(kept) == 1:
            return kept[0]
        if len(kept) < len(get_args(annotation)):
            return Union[tuple(kept)]  # noqa: UP007 - built at run time
    return annotation


def kind_of(record: type[BaseModel]) -> str:
    """Return the word that tells a record from its siblings: the only value of its ``kind``."""
    return str(get_args(record.model_fields["kind"].annotation)[0])
