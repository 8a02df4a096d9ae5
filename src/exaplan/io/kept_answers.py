"""Answers of cases kept on disk: one JSON file per case and per state of everything that it was computed from."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from exaplan.domain.casebook import CaseRecord

_RECORD = TypeAdapter(CaseRecord)


def answers_folder() -> Path:
    """Folder of the user's caches: ``$XDG_CACHE_HOME/exaplan/cases``, by default under ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "exaplan" / "cases"


def digest(files: list[Path], words: tuple[str, ...]) -> str:
    """Hash the content of files in the order of their names, and words beside them."""
    found = sha256("\0".join(words).encode())
    for path in sorted(files):
        found.update(b"\0" + path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:20]


def read_answer(folder: Path, name: str, key: str) -> tuple[CaseRecord, float] | None:
    """Read an answer and the seconds that it took; None where it is not kept, or the file is broken."""
    path = folder / f"{name}-{key}.json"
    if not path.is_file():
        return None
    seconds, _, text = path.read_text(encoding="utf-8").partition("\n")
    try:
        return _RECORD.validate_json(text), float(seconds)
    except (ValidationError, ValueError):
        return None  # cut short by a full disk: it is computed anew and written again


def keep_answer(folder: Path, name: str, key: str, answer: tuple[CaseRecord, float]) -> None:
    """Keep an answer; older ones of the case go."""
    folder.mkdir(parents=True, exist_ok=True)
    record, seconds = answer
    path = folder / f"{name}-{key}.json"
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(f"{seconds:.3f}\n" + json.dumps(asdict(record)), encoding="utf-8")
    partial.replace(path)
    for old in folder.glob(f"{name}-*.json"):
        if old != path and len(old.stem) == len(path.stem):
            old.unlink(missing_ok=True)
