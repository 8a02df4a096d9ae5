"""The door of the back-test: race files dated before what they predict, what came, and how fleets had grown."""

from __future__ import annotations

import csv
from datetime import date
from importlib import resources

from exaplan.domain.race import RaceFile
from exaplan.domain.race_result import Grown, Point
from exaplan.io.racefile import parse_race

BACKTESTS = ("backtest-2023", "backtest-2024")


def backtest_file(name: str) -> RaceFile:
    """Read one of ``BACKTESTS``; InputError where any figure of it is newer than its start."""
    return parse_race(_text(f"{name}.yaml"), f"exaplan/data/race/{name}.yaml")


def backtest_points() -> tuple[Point, ...]:
    """Return what came."""
    return tuple(
        Point(
            row["file"], row["lab"], date.fromisoformat(row["date"]), float(row["actual_h100e"]),
            float(row["start_low_h100e"]), float(row["start_high_h100e"]), row["source"],
        )
        for row in csv.DictReader(_text("backtest.csv").splitlines())
    )  # fmt: skip


def backtest_history() -> tuple[Grown, ...]:
    """Return how the fleets of named buyers had grown in the year before each start."""
    return tuple(
        Grown(
            row["file"], row["buyer"], row["outside_china"] == "yes",
            float(row["at_start_h100e"]) / float(row["year_before_h100e"]), date.fromisoformat(row["date"]),
        )
        for row in csv.DictReader(_text("history.csv").splitlines())
    )  # fmt: skip


def _text(name: str) -> str:
    return resources.files("exaplan").joinpath("data", "race", name).read_text(encoding="utf-8")
