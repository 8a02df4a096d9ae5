"""The door of the example labs: they ship inside the package, and stand in `examples/` of a checkout."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Literal, get_args

from exaplan.domain.errors import InputError, Problem

ExampleName = Literal["frontier", "startup", "strategic"]
_FILES: dict[str, str] = {
    "frontier": "frontier-2026.yaml",
    "startup": "startup.yaml",
    "strategic": "strategic.yaml",
}
_CHECKOUT = Path(__file__).resolve().parents[3] / "examples"


def example_names() -> tuple[str, ...]:
    """Return the names of the examples that a lab can start from."""
    return get_args(ExampleName)


def example_text(name: str) -> str:
    """Return the text of an example lab, comments and sources included.

    Raises
    ------
    InputError
        Where there is no such example, or this installation has lost its files.
    """
    if name not in _FILES:
        raise InputError(Problem(f"there is no example {name!r}", suggestion=f"choose {' or '.join(_FILES)}"))
    packaged = resources.files("exaplan").joinpath("examples", _FILES[name])
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    beside = _CHECKOUT / _FILES[name]
    if beside.is_file():
        return beside.read_text(encoding="utf-8")
    raise InputError(Problem(f"this installation lacks {_FILES[name]}", suggestion="install exaplan again"))
