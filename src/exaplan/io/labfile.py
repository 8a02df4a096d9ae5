"""The door of the lab file: a path in, one frozen Lab out, or every fault of the file at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from exaplan.domain.errors import InputError
from exaplan.domain.lab import Horizon, Lab
from exaplan.domain.own_chips import with_own_chips
from exaplan.domain.technology import Chip, Model
from exaplan.io.catalogue import catalogue_origin, find, load_chips, load_models, load_shape
from exaplan.io.demandchecks import named_models
from exaplan.io.fields import slots
from exaplan.io.labchecks import check_lab, check_references
from exaplan.io.located import Faults
from exaplan.io.override import apply_overrides
from exaplan.io.recordreader import FAILED, RecordReader
from exaplan.io.sugar import write_out
from exaplan.io.yamltree import Listing, Node, Scalar, read_tree
from exaplan.io.yamltree import Mapping as MappingNode

LONGEST_HORIZON = 80
_BASES = ("catalog", "like")
_OF_TABLE: dict[str, type[Chip] | type[Model]] = {"chips": Chip, "models": Model}


def read_lab(path: str | Path, *, overrides: Mapping[str, str] | None = None) -> Lab:
    """Read a lab file.

    ``overrides`` maps dotted paths, with ids for the items of lists, to values as they would be written in the file:
    ``{"policy.floor.share": "45 %", "offers.own-site.lead": "10 quarters"}``.

    Raises
    ------
    InputError
        With every fault found, each at its line and column.
    """
    root = write_out(read_tree(Path(path)))
    if overrides:
        root = write_out(apply_overrides(root, overrides))
    faults = Faults()
    if root.get("labs") is not None and root.get("lab") is None:
        faults.add(root, "this is a race of several labs, not the file of one lab", f"exaplan race {path}")
        faults.raise_if_any()
    reader = RecordReader(Path(path).parent, faults)
    given: dict[str, Any] = {}
    _horizon(root, reader)
    for table in ("chips", "models"):
        given[table] = _technology(root.get(table), table, reader)
    _add_catalogue_models(root, given, reader)
    _collect_top_references(root, reader)
    kept = tuple((key, value) for key, value in root.entries if key.text not in _OF_TABLE)
    body = MappingNode(root.source, root.line, root.column, root.end_line, root.closes, kept)
    if root.get("chips") is None:
        faults.add(
            root,
            "the file lacks 'chips' (chips by the name used in this lab)",
            "for example chips: {h100: H100-SXM}",
        )
    sound = {table: values for table, values in given.items() if values is not FAILED}
    lab = reader.record(Lab, body, "", {"chips": {}, "models": {}, **sound})
    check_references(root, reader)
    check_lab(root, reader, lab if isinstance(lab, Lab) else None)
    faults.raise_if_any()
    if not isinstance(lab, Lab) or FAILED in given.values():
        raise InputError(*faults.problems)
    shaped = _with_shape(lab, reader)
    return with_own_chips(shaped.model_copy(update={"origins": dict(reader.origins)}))


def _with_shape(lab: Lab, reader: RecordReader) -> Lab:
    """Give load blocks without a shape that of the shipped trace."""
    if lab.load is None or lab.load.blocks is None or lab.load.shape is not None:
        return lab
    shape, reader.origins["load.shape"] = load_shape()
    return lab.model_copy(update={"load": lab.load.model_copy(update={"shape": shape})})


def _horizon(root: MappingNode, reader: RecordReader) -> None:
    """Read the horizon ahead of the rest, quietly: series and dates are checked against it."""
    node = root.get("horizon")
    if node is None:
        return
    ahead = RecordReader(reader.folder, Faults())
    found = ahead.record(Horizon, node, "horizon")
    if isinstance(found, Horizon):
        if found.quarters > LONGEST_HORIZON:
            reader.faults.add(
                node,
                f"the horizon has {found.quarters} quarters; the limit is {LONGEST_HORIZON}",
                "plan over fewer years",
            )
        else:
            reader.horizon = found


def _collect_top_references(root: MappingNode, reader: RecordReader) -> None:
    reader.collect_references(Lab, root, "")


def _technology(node: Node | None, table: Literal["chips", "models"] | str, reader: RecordReader) -> Any:
    """Read ``chips:`` or ``models:``: entries of the catalogue, variations of them, or full specifications."""
    if node is None or (isinstance(node, Scalar) and not node.text.strip()):
        return {}
    if not isinstance(node, MappingNode):
        reader.faults.add(
            node,
            f"{table} is a mapping of names to entries",
            f"for example {table}: {{name: {{catalog: NAME}}}}",
        )
        return FAILED
    read = {key.text: _entry(key, value, table, reader) for key, value in node.entries}
    return FAILED if any(value is FAILED for value in read.values()) else read


def _entry(key: Scalar, node: Node, table: str, reader: RecordReader) -> Any:
    path = f"{table}.{key.text}"
    if not isinstance(node, MappingNode):
        reader.faults.add(
            node, f"{path} is an entry", "write {catalog: NAME}, {like: NAME, …} or a full specification"
        )
        return FAILED
    bases = [(name, value) for name, value in node.entries if name.text in _BASES]
    if len(bases) > 1:
        reader.faults.add(bases[1][0], f"{path} has two bases", "give either catalog or like")
        return FAILED
    own = tuple(entry for entry in node.entries if entry[0].text not in _BASES)
    rest = MappingNode(node.source, node.line, node.column, node.end_line, node.closes, own)
    given: dict[str, Any] = {"id": key.text}
    if bases:
        base = _base(bases[0][1], path, table, reader)
        if base is FAILED:
            return FAILED
        given |= _inherited(base, rest, table, like=bases[0][0].text == "like")
        _note_origins(base.id, path, table, reader)
    elif table == "chips":
        given |= {"kind": "typed", "source": f"{node.source.file}:{node.line}"}
    return reader.record(_OF_TABLE[table], rest, path, given)


def _base(node: Node, path: str, table: str, reader: RecordReader) -> Any:
    if not isinstance(node, Scalar):
        reader.faults.add(node, f"{path} names one entry of the catalogue", "for example H100-SXM")
        return FAILED
    known: Mapping[str, Chip | Model] = load_chips() if table == "chips" else load_models()
    try:
        return known[find(node.text, known)]
    except InputError as error:
        reader.faults.add(node, error.problems[0].reason, error.problems[0].suggestion)
        return FAILED


def _inherited(base: Chip | Model, own: MappingNode, table: str, *, like: bool) -> dict[str, Any]:
    """Return the fields of the base; what the file overrides makes it typed, and drops the figure it replaces twice."""
    values = base.model_dump(exclude={"id"})
    if table == "chips" and (own.entries or like):
        values["kind"] = f"typed, like {base.id}" if like else f"{base.id} with typed overrides"
        if own.get("scale_up_bandwidth") is not None:
            values["scale_up_bandwidth_bidirectional_bytes_per_s"] = None
    return values


def _note_origins(base: str, path: str, table: str, reader: RecordReader) -> None:
    origin = catalogue_origin("chips" if table == "chips" else "models", base)
    reader.origins |= {
        f"{path}.{slot.key}": origin for slot in slots(_OF_TABLE[table]).values() if slot.shape != "word"
    }


def _add_catalogue_models(root: MappingNode, given: dict[str, Any], reader: RecordReader) -> None:
    """Add models of the catalogue that a workload names directly."""
    workloads = root.get("workloads")
    if given["models"] is FAILED or not isinstance(workloads, Listing):
        return
    known = load_models()
    for name in named_models(workloads):
        if name.text not in given["models"]:
            try:
                found = find(name.text, known)
            except InputError:
                continue  # the check of references tells it, with the lab's own models among the suggestions
            given["models"][name.text] = known[found].model_copy(update={"id": name.text})
            _note_origins(found, f"models.{name.text}", "models", reader)
