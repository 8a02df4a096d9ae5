"""The run folder: run.json, tables, inputs and page of one run, written whole or not at all."""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from exaplan.domain.errors import InputError, Problem

if TYPE_CHECKING:
    import polars as pl

SCHEMA_VERSION = 2
DOCUMENT, PAGE, TABLES, INPUTS = "run.json", "report.html", "tables", "inputs"
_DIGITS = 12


@dataclass(frozen=True)
class Run:
    """What a run folder holds."""

    folder: Path
    document: dict[str, Any]
    tables: dict[str, pl.DataFrame]
    inputs: dict[str, bytes]
    page: str


def write_run(
    folder: Path,
    *,
    document: Mapping[str, Any],
    tables: Mapping[str, pl.DataFrame],
    inputs: Mapping[str, bytes | str],
    page: str,
    beside: Mapping[str, bytes | str] | None = None,
) -> Path:
    """Write a run folder and return its path.

    Everything goes into a hidden sibling first, is flushed to disk, and takes its name by one rename: a killed run
    leaves no half-written folder. An older run of the same name is moved aside by a rename and then removed; a folder
    that is not a run is left alone. ``beside`` are further files by name: a chart, a table as CSV.

    Raises
    ------
    InputError
        Where no run can stand at ``folder``, or a name would leave the folder.
    """
    folder = Path(folder)
    check_place(folder)
    files = _files(document, tables, inputs, page)
    files |= {_inside(name): content for name, content in (beside or {}).items()}
    _sweep(folder)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.partial-{os.getpid()}-", dir=folder.parent))
    try:
        for name, content in files.items():
            _write(partial / name, content)
        partial.chmod(0o755)
        for directory in [*(path for path in partial.rglob("*") if path.is_dir()), partial]:
            _flush(directory)
        _take_place(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def check_place(folder: Path) -> None:
    """Refuse a place where no run folder can stand; makes the folders above it.

    Raises
    ------
    InputError
        Where something other than a run stands there, or nothing can be written.
    """
    try:
        taken = folder.exists() and not (folder / DOCUMENT).is_file()
        if taken and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(
                Problem("this exists and is no run folder", str(folder), suggestion="choose another name")
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"no run folder can be made here: {error.strerror or error}"
        raise InputError(Problem(reason, str(folder), suggestion="choose another place")) from error
    if not os.access(folder.parent, os.W_OK):
        reason = "no run folder can be made here: the folder above it cannot be written"
        raise InputError(Problem(reason, str(folder), suggestion="choose another place"))


def read_run(folder: Path) -> Run:
    """Read a run folder.

    Raises
    ------
    InputError
        Where it is no run folder, is damaged, or was written by a later version.
    """
    import polars as pl

    folder = Path(folder)
    path = folder / DOCUMENT
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            Problem(f"this is no run folder: {DOCUMENT}: {error.strerror}", str(folder))
        ) from error
    except ValueError as error:
        raise InputError(Problem(f"damaged: {error}", str(path), suggestion="run the plan again")) from error
    version = document.get("schema_version") if isinstance(document, dict) else None
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        reason = f"schema version {version}; this exaplan reads up to {SCHEMA_VERSION}"
        raise InputError(Problem(reason, str(path), suggestion="update exaplan"))
    inputs = folder / INPUTS
    return Run(
        folder=folder,
        document=document,
        tables={path.stem: pl.read_parquet(path) for path in sorted((folder / TABLES).glob("*.parquet"))},
        inputs={str(p.relative_to(inputs)): p.read_bytes() for p in sorted(inputs.rglob("*")) if p.is_file()},
        page=(folder / PAGE).read_text(encoding="utf-8") if (folder / PAGE).is_file() else "",
    )


def canonical_json(document: Mapping[str, Any]) -> str:
    """Write JSON that depends on values alone: keys sorted, floats to 12 significant digits, no NaN.

    Examples
    --------
    >>> print(canonical_json({"b": 0.1 + 0.2, "a": 1}), end="")
    {
     "a": 1,
     "b": 0.3
    }
    """
    plain = _plain(document, "document")
    return json.dumps(plain, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any, path: str) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{path}[{place}]") for place, item in enumerate(value)]
    if hasattr(value, "tolist"):  # a NumPy array or scalar
        return _plain(value.tolist(), path)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{path} is {value}; a run holds finite numbers only")
        return float(f"{value:.{_DIGITS}g}") + 0.0
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"{path} is a {type(value).__name__}, which JSON does not know")


def _files(
    document: Mapping[str, Any],
    tables: Mapping[str, pl.DataFrame],
    inputs: Mapping[str, bytes | str],
    page: str,
) -> dict[str, Any]:
    """Return what stands in the folder, by path inside it; frames are written where they will stand."""
    files: dict[str, Any] = {
        DOCUMENT: canonical_json({**document, "schema_version": SCHEMA_VERSION}),
        PAGE: page,
    }
    files |= {f"{TABLES}/{_inside(name)}.parquet": frame for name, frame in tables.items()}
    return files | {f"{INPUTS}/{_inside(name)}": content for name, content in inputs.items()}


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts:
        raise InputError(Problem(f"{name!r} does not name a file inside the run folder"))
    return name


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        if isinstance(content, str):
            file.write(content.encode("utf-8"))
        elif isinstance(content, bytes):
            file.write(content)
        else:
            content.write_parquet(file)
        file.flush()
        os.fsync(file.fileno())


def _flush(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _take_place(partial: Path, folder: Path) -> None:
    old: Path | None = None
    if folder.exists():
        old = partial.with_name(partial.name.replace(".partial-", ".replaced-"))
        folder.rename(old)
    try:
        partial.rename(folder)
    except OSError:
        if old is not None:
            old.rename(folder)
        raise
    _flush(folder.parent)
    if old is not None:
        shutil.rmtree(old)


def _sweep(folder: Path) -> None:
    """Remove what killed runs of this folder left beside it; give back a run that was moved aside and not replaced."""
    for left in folder.parent.glob(f".{folder.name}.*-*-*"):
        kind, _, owner = left.name.removeprefix(f".{folder.name}.").partition("-")
        number = owner.partition("-")[0]
        if kind not in ("partial", "replaced") or not number.isdigit() or _alive(int(number)):
            continue
        if kind == "replaced" and not folder.exists():
            left.rename(folder)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _alive(process: int) -> bool:
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
