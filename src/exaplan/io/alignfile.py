"""The door of alignment files: a path in, one frozen study out, or every fault at once."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from exaplan.domain.alignment import AlignmentStudy
from exaplan.domain.errors import InputError
from exaplan.io.catalogue import find, load_chips, load_models
from exaplan.io.located import Faults
from exaplan.io.recordreader import RecordReader
from exaplan.io.yamltree import Mapping, Scalar, parse_tree, read_tree

SHIPPED = "alignment.yaml"


def shipped_text() -> str:
    """Text of the shipped file, comments and sources included."""
    return resources.files("exaplan").joinpath("data", SHIPPED).read_text(encoding="utf-8")


def read_study(path: Path | None = None) -> AlignmentStudy:
    """Read a file of pipelines; the shipped one where none is given.

    Raises
    ------
    InputError
        With every fault found, each at its line and column.
    """
    root = parse_tree(shipped_text(), f"catalogue/{SHIPPED}") if path is None else read_tree(path)
    faults = Faults()
    reader = RecordReader(path.parent if path else Path(), faults)
    _check_names(root, faults)
    study = reader.record(AlignmentStudy, root, "")
    faults.raise_if_any()
    if not isinstance(study, AlignmentStudy):
        raise InputError(*faults.problems)
    return study


def _check_names(root: Mapping, faults: Faults) -> None:
    """Names of chip and model must be in the catalogue."""
    for key, known in (("chip", load_chips()), ("model", load_models())):
        node = root.get(key)
        if isinstance(node, Scalar) and node.text.strip():
            try:
                find(node.text, known)
            except InputError as error:
                faults.add(node, error.problems[0].reason, error.problems[0].suggestion)
