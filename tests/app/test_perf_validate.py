"""``exaplan perf validate`` and ``calibrate`` on small tables."""

from __future__ import annotations

import csv
import dataclasses
import json
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from exaplan.app.accuracy import Tables, predicted, read_tables
from exaplan.app.accuracy_material import AIMS, FAMILIES, knob_sentences
from exaplan.app.cli.main import Located
from exaplan.app.cli.perf_accuracy import accuracy
from exaplan.app.cli.perf_calibrate import calibrate
from exaplan.app.cli.perf_validate import validate
from exaplan.io.calibration import load_calibration, read_calibration, write_calibration
from exaplan.perf.calibration.hierarchy import RULES
from exaplan.report.accuracy import KEPT

KEYS = {"n", "groups", "coverage", "median_abs_log_error", "mape", "bias", "interval_coverage"}
SHIPPED = {"training": 60, "inference": 150, "serving_points": 200}
"""Tables that come with exaplan, and every how many-th of their rows a small one takes."""


def shipped(table):
    text = resources.files("exaplan").joinpath(f"data/measured/{table}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def written(path, rows, columns=None):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns or list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Three small tables, as paths."""
    folder = tmp_path_factory.mktemp("tables")
    return {
        table: written(folder / f"{table}.csv", shipped(table)[::step]) for table, step in SHIPPED.items()
    }


def run(*arguments, command=validate):
    group = Located("perf", commands=[command])
    return CliRunner().invoke(group, [command.name, *map(str, arguments)], env={"COLUMNS": "220"})


def options(paths):
    return (
        "--training",
        paths["training"],
        "--inference",
        paths["inference"],
        "--serving",
        paths["serving_points"],
    )


def test_json_has_the_promised_keys_and_only_the_given_tables(small):
    result = run("--training", small["training"], "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert set(found["total"]) >= KEYS
    assert found["groups"]
    for group in found["groups"]:
        assert set(group) >= KEYS | {"chip", "family", "task", "intervals", "rank_correlation"}
    assert all(set(row) == {"id", "reason"} and row["reason"] for row in found["skipped"])
    rows = shipped("training")[:: SHIPPED["training"]]
    assert found["total"]["n"] + len(found["skipped"]) == len(rows)
    assert {group["task"] for group in found["groups"]} <= {"pretrain", "sft", "lora"}


def test_coverage_is_rows_predicted_over_rows_of_known_architecture(small):
    found = json.loads(run(*options(small), "--json").stdout)
    against = len(found["skipped"]) - found["not_counted"]
    total = found["total"]
    assert total["coverage"] == pytest.approx(total["n"] / (total["n"] + against))


def test_shuffled_measurements_leave_predictions_where_they_are(small, tmp_path):
    rng = np.random.default_rng(5)
    shuffled = {}
    for table, columns in (
        ("training", ("value", "tokens_per_s_per_chip", "tflops_per_chip_published", "mfu_published_pct", "iter_time_s_published")),
        ("inference", ("value", "value_per_chip", "ttft_ms", "tpot_ms")),
        ("serving_points", ("silicon_tpot_ms", "silicon_ttft_ms")),
    ):  # fmt: skip
        rows = [dict(row) for row in csv.DictReader(small[table].read_text(encoding="utf-8").splitlines())]
        # Within rows of the same unit and the same cells filled, so that each row still reads as a measurement.
        kinds: dict[tuple[object, ...], list[int]] = {}
        for place, row in enumerate(rows):
            kind = (row.get("measured_metric", row.get("metric")), *(bool(row[name]) for name in columns))
            kinds.setdefault(kind, []).append(place)
        for places in kinds.values():
            values = [{name: rows[place][name] for name in columns} for place in places]
            for place, other in zip(places, rng.permutation(len(places)), strict=True):
                rows[place].update(values[other])
        shuffled[table] = written(tmp_path / f"{table}.csv", rows)

    def told(paths):
        measured, _ = read_tables(Tables(paths["training"], paths["inference"], paths["serving_points"]))
        rows = predicted(measured, load_calibration())
        return {
            name: pair
            for name, *pair in zip(
                rows.ids.tolist(), rows.log_modelled.tolist(), rows.log_sd.tolist(), rows.log_measured.tolist(), strict=True
            )
        }  # fmt: skip

    before, after = told(small), told(shuffled)
    both = before.keys() & after.keys()
    assert len(both) > 0.8 * len(before)
    assert sum(before[name][2] != after[name][2] for name in both) > 0.3 * len(both)
    assert [before[name][:2] for name in both] == [after[name][:2] for name in both]


def test_a_table_without_rows_still_gives_valid_json(small, tmp_path):
    header = next(csv.DictReader(small["training"].read_text(encoding="utf-8").splitlines()))
    empty = written(tmp_path / "empty.csv", [], list(header))
    result = run("--training", empty, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["groups"] == []
    assert found["total"]["n"] == 0
    assert found["total"]["coverage"] is None
    assert "Coverage" in run("--training", empty).stdout


def test_rows_that_cannot_be_read_are_listed_and_lower_the_coverage(small, tmp_path):
    rows = [dict(row) for row in csv.DictReader(small["training"].read_text(encoding="utf-8").splitlines())]
    for row in rows:
        row["n_chips"] = ""
    found = json.loads(run("--training", written(tmp_path / "t.csv", rows), "--json").stdout)
    assert found["total"]["n"] == 0
    assert found["total"]["coverage"] == 0.0
    assert {row["id"] for row in found["skipped"]} == {row["id"] for row in rows}


def test_a_column_that_is_missing_is_told_with_its_file_and_exits_with_two(small, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("id,source\n1,x\n", encoding="utf-8")
    result = run("--training", bad, "--inference", tmp_path / "absent.csv")
    assert result.exit_code == 2
    assert f"{bad}:1:1" in result.output
    assert "absent.csv" in result.output  # both faults at once
    assert "Traceback" not in result.output


def test_a_folder_that_is_no_calibration_exits_with_two(small, tmp_path):
    result = run("--training", small["training"], "--calibration", tmp_path)
    assert result.exit_code == 2
    assert "is not a calibration" in result.output


def test_the_tables_show_tasks_chips_coverage_and_the_worst_groups(small):
    result = run(*options(small))
    assert result.exit_code == 0
    for words in ("median |log error|", "By chip", "total", "Coverage", "worst:", "Calibration of"):
        assert words in result.stdout


def test_a_refit_without_its_source_gives_other_predictions_in_a_plain_loop(tmp_path):
    rows = shipped("training")
    pair = [rows[0], next(row for row in rows if row["source"].startswith("MosaicML"))]
    measured, _ = read_tables(Tables(training=written(tmp_path / "pair.csv", pair)))
    assert len({row.source for row in measured.training}) == 2
    seen = predicted(measured, load_calibration())
    unseen = predicted(measured, load_calibration(), "source", map=map)
    assert unseen.ids.tolist() == seen.ids.tolist()
    assert np.isfinite(unseen.log_modelled).all()
    assert (unseen.log_modelled != seen.log_modelled).any()


def test_a_refit_learns_from_known_rows_but_never_from_those_of_the_source_left_out(tmp_path):
    rows = shipped("training")
    own = [row for row in rows if row["source"].startswith("MosaicML")]
    other = [row for row in rows if row["source"].startswith("BigScience")]
    given_, _ = read_tables(Tables(training=written(tmp_path / "given.csv", own[:2])))
    known, _ = read_tables(Tables(training=written(tmp_path / "known.csv", [*own[:6], *other[:6]])))

    def refitted(change):
        moved = [
            dataclasses.replace(row, measured=row.measured * (2.0 if row.source.startswith(change) else 1.0))
            for row in known.training
        ]
        more = dataclasses.replace(known, training=tuple(moved))
        return predicted(given_, load_calibration(), "source", known=more, map=map)

    plain = refitted("nobody")
    assert plain.ids.tolist() == [row.id for row in given_.training]
    assert refitted("MosaicML").log_modelled.tolist() == pytest.approx(
        plain.log_modelled.tolist(),
        abs=1e-4,  # refits start from different full fits and stop within this
    )
    assert (np.abs(refitted("BigScience").log_modelled - plain.log_modelled) > 1e-3).all()


@pytest.mark.slow
def test_a_cross_validation_is_the_same_whatever_the_number_of_processes(tmp_path):
    from functools import partial

    from exaplan.app.fold_map import process_map

    table = written(tmp_path / "few.csv", shipped("training")[::160])
    measured, _ = read_tables(Tables(training=table))
    one, two = (
        predicted(measured, load_calibration(), "chip", map=partial(process_map, count=count)) for count in (1, 2)
    )  # fmt: skip
    assert one.log_modelled.tobytes() == two.log_modelled.tobytes()
    assert one.log_sd.tobytes() == two.log_sd.tobytes()


@pytest.mark.slow
def test_calibrate_writes_what_validate_reads(small, tmp_path):
    out = tmp_path / "mine"
    few = written(tmp_path / "few.csv", shipped("training")[::160])
    result = run("--training", few, "--out", out, "--date", "2026-02-03", command=calibrate)
    assert result.exit_code == 0, result.output
    assert "Fitted on 2026-02-03" in result.stdout
    assert read_calibration(out).date == "2026-02-03"
    found = json.loads(run("--training", few, "--calibration", out, "--json").stdout)
    assert found["calibration"]["date"] == "2026-02-03"


def test_a_calibration_that_has_never_seen_a_task_says_so(small, tmp_path):
    known = load_calibration()
    some = replace(known, spreads=tuple(entry for entry in known.spreads if entry.task != "pretrain"))
    write_calibration(tmp_path / "some", some)
    result = run("--training", small["training"], "--calibration", tmp_path / "some")
    assert result.exit_code == 2
    assert "pretrain" in result.output


@pytest.mark.slow
def test_one_command_writes_every_page_and_keeps_what_a_hand_wrote(tmp_path):
    rows = shipped("training")
    pair = [rows[0], next(row for row in rows if row["source"].startswith("MosaicML"))]
    few = written(tmp_path / "pair.csv", pair)
    out = tmp_path / "docs"
    assert run("--training", few, "--out", out, command=accuracy).exit_code == 0
    page = out / "accuracy.md"
    first = page.read_text(encoding="utf-8")
    assert {path.stem for path in (out / "accuracy").iterdir()} == set(FAMILIES)
    head, mark, tail = first.partition(KEPT[0])
    _, end, rest = tail.partition(KEPT[1])
    page.write_text(f"{head}{mark}\nWe tried more.\n{end}{rest}", encoding="utf-8")
    assert run("--training", few, "--out", out, command=accuracy).exit_code == 0
    assert page.read_text(encoding="utf-8") == f"{head}{mark}\nWe tried more.\n{end}{rest}"


@pytest.mark.parametrize("day", ["2026-13-01", "yesterday", "20260101"])
def test_a_date_that_is_none_exits_with_two(day, small, tmp_path):
    result = run("--training", small["training"], "--out", tmp_path / "x", "--date", day, command=calibrate)
    assert result.exit_code == 2
    assert "--date" in result.output
    assert not (tmp_path / "x").exists()


def test_calibrate_never_writes_into_the_package_by_default():
    default = next(option.default for option in calibrate.params if option.name == "out")
    assert not Path(default).is_absolute()


def test_every_fitted_coefficient_has_its_sentence():
    assert set(knob_sentences()) >= set(RULES)
    assert all(len(sentence) > 10 for sentence in knob_sentences().values())


def test_the_aims_and_families_are_those_that_were_set():
    assert [(aim.limit, aim.figure, aim.judged) for aim in AIMS] == [
        (0.08, "median_abs_log_error", "source"),
        (0.12, "median_abs_log_error", "source"),
        (0.25, "median_abs_log_error", "model"),
        (0.20, "median_abs_log_error", "source"),
        (0.20, "mape_rows", "model"),
        (0.20, "mape", "model"),
    ]
    assert list(FAMILIES) == ["ampere", "hopper", "blackwell", "amd", "tpu", "trainium", "gaudi"]
