"""Tables and the JSON object hold what the answer holds, and nothing that varies."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import fields, replace

import polars as pl
import pytest

from exaplan.domain.answer import Answer, Certificate
from exaplan.report.tables import RECORDS, csv_text, document, frames

PROMISED = (
    "status", "objective", "bound", "gap", "certificate", "replay", "benchmark", "decisions", "allocation",
    "prices", "kpis", "limits", "deciding_inputs", "timings",
)  # fmt: skip


def test_every_table_of_the_answer_becomes_a_frame(full: Answer) -> None:
    made = frames(full)
    assert list(made) == list(RECORDS)
    for name, frame in made.items():
        assert frame.height == len(getattr(full, name)), name


def test_an_empty_table_keeps_the_columns_and_types_of_a_full_one(full: Answer, empty: Answer) -> None:
    filled, hollow = frames(full), frames(empty)
    assert {name: frame.schema for name, frame in filled.items()} == {
        name: frame.schema for name, frame in hollow.items()
    }


def test_numbers_come_through_the_frames_unchanged(full: Answer) -> None:
    capacity = frames(full)["capacity"]
    live = capacity.filter(pl.col("quarter") == "2027-Q1")["chips"].sum()
    assert live == pytest.approx(sum(row.chips for row in full.capacity if row.quarter == "2027-Q1"))
    assert frames(full)["kpis"].filter(pl.col("name") == "gross_margin_share")["substituted"].item() == (
        "gross margin = ($96.4 B - $40.5 B) / $96.4 B"
    )


def test_the_csv_is_the_table_at_six_digits(full: Answer) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_text(full, "cash"))))
    assert [row["quarter"] for row in rows] == [row.quarter for row in full.cash]
    for row, record in zip(rows, full.cash, strict=True):
        assert float(row["p50_usd"]) == pytest.approx(record.p50_usd, rel=1e-5)


def test_the_document_has_every_promised_key(full: Answer) -> None:
    told = document(full)
    assert set(PROMISED) <= set(told)
    assert {"schema_version", "lab", "seed", "tree", "verdict"} <= set(told)
    assert list(told["certificate"]) == ["primal_residual", "dual_residual", "gap"]
    assert {"value", "value_ci", "p_ruin", "p_ruin_ci", "paths"} <= set(told["replay"])
    assert {"name", "value"} <= set(told["benchmark"])
    assert list(told["timings"]) == ["load", "technology", "tree", "build", "solve", "replay", "report"]
    assert {"name", "state", "worth", "unit"} <= set(told["limits"][0])
    assert told["kpis"]["gross_margin_share"]["derivation"]["operands"][0]["name"] == "revenue"
    assert set(told["decisions"][0]) == {item.name for item in fields(RECORDS["decisions"])}


def test_the_document_is_json_and_the_same_twice(full: Answer) -> None:
    text = json.dumps(document(full), allow_nan=False)
    assert text == json.dumps(document(replace(full)), allow_nan=False)
    assert json.loads(text)["verdict"]["sign"] is True


def test_what_json_cannot_say_is_null(empty: Answer) -> None:
    broken = replace(empty, gap=math.inf, certificate=Certificate(math.nan, 0.0, 0.0))
    told = document(broken)
    assert told["gap"] is None
    assert told["certificate"]["primal_residual"] is None
    assert told["verdict"] is None
    assert set(told["timings"].values()) == {None}
    json.dumps(told, allow_nan=False)
