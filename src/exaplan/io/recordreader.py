"""From nodes of a tree to records: walks the fields of a record, converts, and notes every fault with its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from exaplan.domain.errors import InputError
from exaplan.domain.lab import Horizon, Origin
from exaplan.domain.quarter import Quarter
from exaplan.io.csvseries import read_csv_series
from exaplan.io.fields import Slot, kind_of, slots
from exaplan.io.literals import check_bounds, is_uncertain, read_uncertain, split_range
from exaplan.io.located import Faults, did_you_mean
from exaplan.io.units import QuantityError, convert, example
from exaplan.io.yamltree import Listing, Node, Scalar
from exaplan.io.yamltree import Mapping as MappingNode

FAILED: Any = object()
"""What a field gives whose fault is already noted."""


@dataclass(frozen=True)
class Reference:
    """An id that some other part of the file must define."""

    node: Scalar
    collection: str
    path: str


@dataclass
class RecordReader:
    """Reads one lab file; ``faults``, ``origins`` and ``references`` fill as it goes."""

    folder: Path
    faults: Faults
    horizon: Horizon | None = None
    origins: dict[str, Origin] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)

    def record(
        self, kind: type[BaseModel], node: Node, path: str, given: Mapping[str, Any] | None = None
    ) -> Any:
        """Read one record; ``given`` are field values that need not be stated. FAILED where a fault was noted."""
        if not isinstance(node, MappingNode):
            if kind is Horizon:
                return self._refuse(node, "the horizon has two ends", "write it like 2026-Q3 .. 2030-Q2")
            return self._refuse(
                node, f"{path or 'the file'} is a group of keys", f"it may hold: {', '.join(slots(kind))}"
            )
        table = slots(kind)
        by_name = {slot.name: slot for slot in table.values()}
        values: dict[str, Any] = dict(given or {})
        stated: dict[str, Node] = {}
        misspelt: set[str] = set()
        sound = True
        for key, value in node.entries:
            slot = table.get(key.text) or by_name.get(key.text)
            if slot is None:
                hint = did_you_mean(key.text, table)
                misspelt |= {meant for meant in table if hint == f"did you mean {meant!r}?"}
                self.faults.add(key, f"unknown key {key.text!r} in {path or 'the file'}", hint)
                sound = False
                continue
            if slot.name in stated:
                self.faults.add(key, f"{slot.key!r} is given twice", f"see line {stated[slot.name].line}")
                sound = False
                continue
            if not slot.required and _is_blank(value) and slot.shape in ("record", "records"):
                continue  # a section whose lines are all commented out
            stated[slot.name] = value
            read = self._field(slot, value, f"{path}.{slot.key}" if path else slot.key)
            sound = sound and read is not FAILED
            values[slot.name] = read
        missing = [slot for slot in table.values() if slot.required and slot.name not in values]
        for slot in missing:
            if slot.key not in misspelt:
                hint = f"for example {slot.key}: {example(slot.unit)}" if slot.unit else ""
                self.faults.add(node, f"{path or 'the file'} lacks {slot.key!r} ({slot.description})", hint)
        sound = sound and not missing
        return self._build(kind, values, stated, node) if sound else FAILED

    def _build(
        self, kind: type[BaseModel], values: Mapping[str, Any], stated: Mapping[str, Node], node: Node
    ) -> Any:
        try:
            return kind(**values)
        except ValidationError as error:
            by_key = {slot.key: slot.name for slot in slots(kind).values()}
            for detail in error.errors(include_url=False, include_context=False):
                where = str(detail["loc"][0]) if detail["loc"] else ""
                place = stated.get(by_key.get(where, where), node)
                self.faults.add(place, detail["msg"].removeprefix("Value error, "))
            return FAILED

    def _field(self, slot: Slot, node: Node, path: str) -> Any:
        if slot.shape == "record":
            return self._one_of(slot.records, node, path)
        if slot.shape == "records":
            return self._records(slot, node, path)
        if slot.shape == "record_map":
            raise TypeError(f"{path}: mappings of records are read by their own door")
        self.origins[path] = Origin(file=node.source.file, line=node.line, column=node.column, note=node.note)
        if slot.shape == "quantity" and slot.literal in ("series", "trace"):
            return self._series(slot, node, path)
        if slot.shape == "words":
            return self._words(node, path)
        if not isinstance(node, Scalar):
            needs = f"for example {example(slot.unit)}" if slot.unit else slot.description
            self.faults.add(node, f"{path} takes a single value", needs)
            return FAILED
        return self._guarded(node, self._scalar_reader(slot, path), node.text)

    def _scalar_reader(self, slot: Slot, path: str) -> Callable[[str], Any]:
        def word(text: str) -> Any:
            if not text.strip():
                raise QuantityError(f"{path} is empty", slot.description)
            return text

        def choice(text: str) -> str:
            if text not in slot.choices:
                raise QuantityError(
                    f"{text!r} is not one of the choices of {path}", did_you_mean(text, slot.choices)
                )
            return text

        if slot.shape == "quantity":
            return lambda text: read_quantity(text, slot, path)
        return {
            "whole": _whole,
            "number": _number,
            "flag": _flag,
            "quarter": Quarter.parse,
            "choice": choice,
        }.get(slot.shape, word)

    def _guarded(self, node: Scalar, reader: Callable[[str], Any], text: str) -> Any:
        try:
            value = reader(text)
        except QuantityError as fault:
            self.faults.add(node, fault.reason, fault.suggestion)
            return FAILED
        except ValueError as error:
            self.faults.add(node, str(error))
            return FAILED
        return value

    def _series(self, slot: Slot, node: Node, path: str) -> Any:
        if isinstance(node, MappingNode) or (isinstance(node, Scalar) and node.text.startswith("csv:")):
            return self._csv(slot, node, path)
        parts = node.items if isinstance(node, Listing) else (node,)
        values = [
            self._guarded(part, lambda text: read_quantity(text, slot, path), part.text)
            if isinstance(part, Scalar)
            else self._refuse(
                part, f"{path} takes one value per {'step' if slot.literal == 'trace' else 'quarter'}"
            )
            for part in parts
        ]
        if not values:
            return self._refuse(node, f"{path} is an empty list", f"for example [{example(slot.unit)}]")
        if slot.literal == "series" and self.horizon is not None and len(values) > self.horizon.quarters:
            return self._refuse(
                node, f"{path} has {len(values)} values; the horizon has {self.horizon.quarters} quarters"
            )
        return FAILED if any(value is FAILED for value in values) else tuple(values)

    def _csv(self, slot: Slot, node: Node, path: str) -> Any:
        unit: Node | None = None
        where: Node | None = node
        if isinstance(node, MappingNode):
            unknown = [key for key, _ in node.entries if key.text not in ("csv", "unit")]
            if unknown:
                return self._refuse(
                    unknown[0],
                    f"unknown key {unknown[0].text!r} in {path}",
                    "a series is a list, a value or csv: FILE#column",
                )
            where, unit = node.get("csv"), node.get("unit")
        if not isinstance(where, Scalar) or not (unit is None or isinstance(unit, Scalar)):
            return self._refuse(node, f"{path} takes a value, a list or csv: FILE#column")
        address = Scalar(
            where.source,
            where.line,
            where.column,
            where.end_line,
            where.closes,
            where.text.removeprefix("csv:").strip(),
        )
        try:
            horizon = self.horizon if slot.literal == "series" else None
            return read_csv_series(address, slot, self.folder, horizon, unit.text if unit else "")
        except InputError as error:
            self.faults.extend(error.problems)
            return FAILED

    def _words(self, node: Node, path: str) -> Any:
        parts = node.items if isinstance(node, Listing) else (node,)
        if not all(isinstance(part, Scalar) and part.text.strip() for part in parts):
            return self._refuse(node, f"{path} takes a list of names", "write it like [a, b]")
        return tuple(part.text for part in parts if isinstance(part, Scalar))

    def _records(self, slot: Slot, node: Node, path: str) -> Any:
        if _is_blank(node):
            return ()
        if not isinstance(node, Listing):
            return self._refuse(node, f"{path} is a list", f"{slot.description}; begin each item with '- '")
        read = []
        seen: dict[str, Node] = {}
        for number, item in enumerate(node.items):
            identity = item_id(item)
            name = f"{path}.{identity.text if identity else number}"
            if identity is not None and identity.text in seen:
                self.faults.add(
                    identity,
                    f"duplicate id {identity.text!r} in {path}",
                    f"see line {seen[identity.text].line}",
                )
            elif identity is not None:
                seen[identity.text] = identity
            read.append(self._one_of(slot.records, item, name))
        return FAILED if any(record is FAILED for record in read) else tuple(read)

    def _one_of(self, kinds: tuple[type[BaseModel], ...], node: Node, path: str) -> Any:
        if len(kinds) == 1:
            return self._with_references(kinds[0], node, path)
        by_kind = {kind_of(kind): kind for kind in kinds}
        kind = node.get("kind") if isinstance(node, MappingNode) else None
        if not isinstance(kind, Scalar):
            return self._refuse(node, f"{path} lacks 'kind'", f"one of: {', '.join(by_kind)}")
        if kind.text not in by_kind:
            return self._refuse(
                kind,
                f"{kind.text!r} is not a kind of {path.partition('.')[0]}",
                did_you_mean(kind.text, by_kind),
            )
        return self._with_references(by_kind[kind.text], node, path)

    def _with_references(self, kind: type[BaseModel], node: Node, path: str) -> Any:
        if isinstance(node, MappingNode):
            self.collect_references(kind, node, path)
        return self.record(kind, node, path)

    def collect_references(self, kind: type[BaseModel], node: MappingNode, path: str) -> None:
        """Remember the ids that a record names, to be checked when all ids are known."""
        for slot in slots(kind).values():
            value = node.get(slot.key)
            if slot.refers_to and value is not None:
                parts = value.items if isinstance(value, Listing) else (value,)
                self.references.extend(
                    Reference(part, slot.refers_to, f"{path}.{slot.key}" if path else slot.key)
                    for part in parts
                    if isinstance(part, Scalar)
                )

    def _refuse(self, node: Node, reason: str, suggestion: str = "") -> Any:
        self.faults.add(node, reason, suggestion)
        return FAILED


def _is_blank(node: Node) -> bool:
    return isinstance(node, Scalar) and node.text.strip() in ("", "~", "null")


def item_id(item: Node) -> Scalar | None:
    """Return what names an item of a list: its id, supplier, date or model (in that order), or None."""
    if isinstance(item, MappingNode):
        for key in ("id", "supplier", "date", "model"):
            value = item.get(key)
            if isinstance(value, Scalar) and value.text:
                return value
            if value is not None:
                return None
    return None


def read_quantity(text: str, slot: Slot, path: str) -> Any:
    """Read one quantity of a slot into its unit; QuantityError tells what is wrong."""
    bounds = slot.bounds or {}
    if slot.literal == "uncertain":
        return read_uncertain(text, slot.unit, bounds)
    if is_uncertain(text):
        raise QuantityError(
            f"{path} takes one number, not an uncertain one", f"for example {example(slot.unit)}"
        )
    if split_range(text) is not None:
        raise QuantityError(f"{path} takes one number, not a range", f"for example {example(slot.unit)}")
    value = convert(text, slot.unit)
    check_bounds(value, slot.unit, bounds)
    if not slot.whole:
        return value
    if abs(value - round(value)) > 1e-9:
        raise QuantityError(f"{text.strip()} is {value:.3g} quarters", "write whole quarters")
    return round(value)


def _whole(text: str) -> int:
    number = _number(text)
    if number != int(number):
        raise QuantityError(f"{text!r} is not a whole number")
    return int(number)


def _number(text: str) -> float:
    return convert(text, "ratio")


def _flag(text: str) -> bool:
    if text.casefold() not in ("true", "false", "yes", "no"):
        raise QuantityError(f"{text!r} is neither true nor false")
    return text.casefold() in ("true", "yes")
