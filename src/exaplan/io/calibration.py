"""The door of fitted coefficients: three small tables and a line of provenance."""

from __future__ import annotations

import csv
import json
from functools import lru_cache
from pathlib import Path

import numpy as np

from exaplan.domain.calibration import Calibration, Effect, Spread
from exaplan.domain.errors import InputError, Problem

SHIPPED = Path(__file__).resolve().parent.parent / "data" / "calibration"
_EFFECTS, _COVARIANCE, _SPREADS, _ABOUT = "effects.csv", "covariance.csv", "spreads.csv", "about.json"
_CORRELATION_STEP = 0.01  # correlations are kept to two digits


def read_calibration(folder: Path = SHIPPED) -> Calibration:
    """Read a calibration.

    Parameters
    ----------
    folder : Path
        Where ``write_calibration`` wrote it; the shipped one where not given.

    Raises
    ------
    InputError
        When a table is missing.
    """
    missing = [name for name in (_EFFECTS, _COVARIANCE, _SPREADS, _ABOUT) if not (folder / name).is_file()]
    if missing:
        raise InputError(
            Problem(
                f"{folder} is not a calibration: {', '.join(missing)} missing",
                suggestion=f"exaplan perf calibrate --out {folder} makes one",
            )
        )
    about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    rows = _rows(folder / _EFFECTS)
    effects = tuple(Effect(row["knob"], row["level"], row["member"], float(row["logit"])) for row in rows)
    sd = np.array([float(row["logit_sd"]) for row in rows])
    correlation = np.eye(len(rows))
    for row in _rows(folder / _COVARIANCE):
        i, j = int(row["row"]), int(row["column"])
        correlation[i, j] = correlation[j, i] = float(row["correlation"])
    spreads = tuple(
        Spread(
            row["task"],
            row["family"],
            row["level"],
            row["member"],
            float(row["log_sd"]),
            int(row["groups"]),
            row["unseen"],
        )
        for row in _rows(folder / _SPREADS)
    )
    covariance = correlation * np.outer(sd, sd)
    return Calibration(about["date"], about["data"], effects, covariance, spreads, tuple(about["known"]))


@lru_cache(maxsize=1)
def load_calibration() -> Calibration:
    """Read the shipped calibration once."""
    return read_calibration()


def write_calibration(folder: Path, calibration: Calibration) -> None:
    """Write a calibration as text; correlations below half a unit of the last digit are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    sd = np.sqrt(np.diag(calibration.covariance))
    correlation = np.round(calibration.covariance / np.outer(sd, sd) / _CORRELATION_STEP) * _CORRELATION_STEP
    _write(
        folder / _EFFECTS,
        ("knob", "level", "member", "logit", "logit_sd"),
        [
            (effect.knob, effect.level, effect.member, f"{effect.value:.6g}", f"{spread:.4g}")
            for effect, spread in zip(calibration.effects, sd, strict=True)
        ],
    )
    upper = np.argwhere(np.triu(correlation, k=1) != 0)
    _write(
        folder / _COVARIANCE,
        ("row", "column", "correlation"),
        [(int(i), int(j), f"{correlation[i, j]:.2f}") for i, j in upper],
    )
    _write(
        folder / _SPREADS,
        ("task", "family", "level", "member", "log_sd", "groups", "unseen"),
        [
            (
                entry.task,
                entry.family,
                entry.level,
                entry.member,
                f"{entry.log_sd:.4f}",
                entry.groups,
                entry.unseen,
            )
            for entry in calibration.spreads
        ],
    )
    about = {"date": calibration.date, "data": calibration.data, "known": list(calibration.known)}
    (folder / _ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
