"""Load blocks in the lab file: a number, blocks by name, or a trace in a CSV."""

from __future__ import annotations

import csv
from importlib import resources
from pathlib import Path

import pytest

from exaplan.domain.errors import InputError
from exaplan.economy.load import load_blocks
from exaplan.io.labfile import read_lab
from exaplan.io.lint import lint
from exaplan.io.schema import lab_schema

TEXT = Path(__file__).with_name("small.yaml").read_text(encoding="utf-8")
BLOCKS = "load: {peak: {hours: 15 %, demand: 22 %}, shoulder: {hours: 50 %, demand: 55 %}, trough: {hours: 35 %, demand: 23 %}}\n"


def lab_of(folder: Path, text: str):
    file = folder / "lab.yaml"
    file.write_text(TEXT + text, encoding="utf-8")
    return read_lab(file)


def test_a_lab_without_load_has_one_block(tmp_path):
    lab = lab_of(tmp_path, "")
    assert lab.load is None
    assert load_blocks(lab).names == ("all",)


def test_a_number_of_blocks_takes_the_shape_of_the_shipped_trace_and_says_so(tmp_path):
    lab = lab_of(tmp_path, "load: {blocks: 3}\n")
    found = load_blocks(lab)
    assert found.names == ("peak", "shoulder", "trough")
    # BurstGPT by the hour of the day: nine busy hours, seven, eight quiet ones
    assert found.hours_share == pytest.approx([9 / 24, 7 / 24, 8 / 24])
    assert found.demand_share[0] == pytest.approx([0.575, 0.308, 0.117], abs=5e-4)
    assert lab.origins["load.shape"].file == "catalogue/load_shape.csv"
    assert "BurstGPT" in lab.origins["load.shape"].note


def test_every_row_of_the_shipped_shape_says_where_it_is_from():
    with resources.files("exaplan").joinpath("data/load_shape.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["hour"]) for row in rows] == list(range(24))
    assert all(row["source"] and row["kind"] and row["date"] for row in rows)


def test_blocks_are_stated_by_name(tmp_path):
    found = load_blocks(lab_of(tmp_path, BLOCKS))
    assert found.names == ("peak", "shoulder", "trough")
    assert found.hours_share.tolist() == [0.15, 0.5, 0.35]
    assert found.demand_share.tolist() == [[0.22, 0.55, 0.23]]


def test_a_trace_in_a_csv_may_be_longer_than_the_horizon(tmp_path):
    (tmp_path / "trace.csv").write_text(
        "hour,load\n" + "\n".join(f"{h},{10 if h % 4 == 0 else 2}" for h in range(48)), encoding="utf-8"
    )
    lab = lab_of(tmp_path, "load: {blocks: 2, shape: 'csv: trace.csv#load'}\n")
    assert len(lab.load.shape) == 48
    found = load_blocks(lab)
    assert found.hours_share == pytest.approx([0.25, 0.75])
    assert found.demand_share[0] == pytest.approx([10 / 16, 6 / 16])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("load: {blocks: 3, peak: {hours: 100 %, demand: 100 %}}\n", "give either blocks"),
        ("load: {peak: {hours: 50 %, demand: 60 %}, trough: {hours: 40 %, demand: 40 %}}\n", "hours of the blocks add up to 90.00%"),
        ("load: {peak: {hours: 50 %}}\n", "lacks 'demand'"),
        ("load: {blocks: 99}\n", "the number of blocks is 1 to 12"),
        ("load: {blocks: 3, shape: [1, -1]}\n", "must be at least 0"),
        ("load: {blocks: 3, shape: [1, 2]}\n", "a trace of 2 steps cannot be cut into 3 blocks"),
        ("load: {block: 3}\n", "did you mean 'blocks'?"),
    ],
)  # fmt: skip
def test_a_load_that_cannot_be_is_told_at_its_line(tmp_path, text, reason):
    with pytest.raises(InputError) as caught:
        lab_of(tmp_path, text)
    told = str(caught.value)
    assert reason in told
    assert f":{len(TEXT.splitlines()) + 1}:" in told


def test_the_schema_knows_both_ways():
    found = lab_schema()["$defs"]
    assert {"blocks", "shape", "parts"} == set(found["Load"]["properties"])
    assert found["Load"]["additionalProperties"] == {"$ref": "#/$defs/LoadBlock"}
    assert set(found["LoadBlock"]["required"]) == {"hours", "demand"}


def test_training_that_does_not_say_whether_it_can_be_stopped_is_remarked(tmp_path):
    reasons = [problem.reason for problem in lint(lab_of(tmp_path, "load: {blocks: 3}\n"))]
    assert (
        len([reason for reason in reasons if "comes and goes with the load blocks at no loss" in reason]) == 3
    )
    assert lint(lab_of(tmp_path, "load: {blocks: 1}\n")) == []
