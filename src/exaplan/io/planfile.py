"""The solved plan in a run folder: its arrays and what it belongs to, so that it need not be solved again."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from exaplan.domain.errors import InputError, Problem

PLAN_FILE = "plan.npz"
_ABOUT = "about"


def pack_plan(arrays: Mapping[str, np.ndarray], about: Mapping[str, Any]) -> bytes:
    """Write arrays and a small JSON object as one compressed file; same content, same bytes."""
    text = json.dumps(about, sort_keys=True).encode("utf-8")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays, **{_ABOUT: np.frombuffer(text, dtype=np.uint8)})  # type: ignore[arg-type]
    return buffer.getvalue()


def read_plan(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read the solved plan of a run folder.

    Raises
    ------
    InputError
        Where the run holds none, or a damaged one.
    """
    path = Path(folder) / PLAN_FILE
    try:
        with np.load(path, allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
        about = json.loads(arrays.pop(_ABOUT).tobytes().decode("utf-8"))
    except FileNotFoundError as error:
        reason = f"this run holds no solved plan ({PLAN_FILE})"
        raise InputError(
            Problem(
                reason, str(folder), suggestion="make it with `exaplan plan LAB --out RUN` of this version"
            )
        ) from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(Problem(f"damaged: {error}", str(path), suggestion="run the plan again")) from error
    return arrays, about


def fingerprint(inputs: Mapping[str, bytes], overrides: Mapping[str, str]) -> dict[str, str]:
    """Digest each input file by name, and the replaced values together under ``--set``."""
    digests = {name: sha256(content).hexdigest() for name, content in inputs.items()}
    return {**digests, "--set": sha256(json.dumps(dict(sorted(overrides.items()))).encode()).hexdigest()}
