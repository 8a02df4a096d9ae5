"""The door of the examples: they ship inside the package, and stand in `examples/` of a checkout."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Literal, get_args

from exaplan.domain.errors import InputError, Problem

ExampleName = Literal["frontier", "startup", "strategic"]
RACE = "race"
_FILES: dict[str, str] = {
    "frontier": "frontier-2026.yaml",
    "startup": "startup.yaml",
    "strategic": "strategic.yaml",
    RACE: "race-2026.yaml",
}
_CHECKOUT = Path(__file__).resolve().parents[3] / "examples"


def example_names() -> tuple[str, ...]:
    """Return the names of the examples that a lab can start from."""
    return get_args(ExampleName)


def example_text(name: str) -> str:
    """Return the text of an example lab or of the example race, comments and sources included.

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


def case_folder() -> Path:
    """Folder of the lab files of the cases.

    Raises
    ------
    InputError
        Where this installation has lost it.
    """
    for folder in (Path(str(resources.files("exaplan"))) / "examples", _CHECKOUT):
        if (folder / "cases").is_dir():
            return folder / "cases"
    raise InputError(
        Problem("this installation lacks the labs of the cases", suggestion="install exaplan again")
    )


def case_lab(name: str) -> Path:
    """Find the lab file of a case.

    Raises
    ------
    InputError
        Where there is none.
    """
    path = case_folder() / f"{name}.yaml"
    if not path.is_file():
        raise InputError(Problem(f"there is no lab {name!r} among those of the cases", suggestion=str(path)))
    return path


def race_example() -> Path:
    """Find the race of five labs from public estimates, on which cases of the casebook run.

    Raises
    ------
    InputError
        Where this installation has lost it.
    """
    path = case_folder().parent / "race-2026.yaml"
    if not path.is_file():
        raise InputError(Problem(f"this installation lacks {path.name}", suggestion="install exaplan again"))
    return path
