"""Which file this is: a lab, a race or an alignment study, told by the keys that only one of them has."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from exaplan.domain.errors import InputError
from exaplan.io.yamltree import read_tree

FileKind = Literal["lab", "race", "alignment"]
KINDS: tuple[FileKind, ...] = get_args(FileKind)
_OWN_KEYS: dict[FileKind, tuple[str, ...]] = {
    "race": ("race", "as_of", "market"),
    "alignment": ("pipelines", "pretraining_tokens", "read_mfu"),
}


def kind_of(path: Path) -> FileKind:
    """Tell what a file describes; a lab where nothing says otherwise, or where it cannot be read at all."""
    try:
        keys = {key.text for key, _ in read_tree(path).entries}
    except InputError:
        return "lab"  # whose reader says what is wrong with it
    if "lab" in keys:
        return "lab"
    return next((kind for kind, own in _OWN_KEYS.items() if keys & set(own)), "lab")
