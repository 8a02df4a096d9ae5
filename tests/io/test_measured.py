"""Published measurements at the door: every row is read or refused with its reason, and what is read is what was published."""

import csv
import dataclasses
import math
from importlib import resources

import pytest

from exaplan.domain.errors import InputError
from exaplan.domain.measured import Measurements, ServingRow, TrainingRow
from exaplan.io.catalogue import load_chips
from exaplan.io.measured import read_inference, read_measurements, read_serving, read_training
from exaplan.io.measured_words import (
    RefusedRowError,
    month,
    serving_precision,
    sharding,
    training_precision,
)

ALL = read_measurements()
TRAINED = {row.id: row for row in ALL.training}
SERVED = {row.id: row for row in ALL.serving}
TABLES = ("training", "inference", "serving_points")


def shipped(table: str) -> list[dict[str, str]]:
    path = resources.files("exaplan").joinpath(f"data/measured/{table}.csv")
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def read_alone(table: str, path) -> Measurements:
    return {"training": read_training, "inference": read_inference, "serving_points": read_serving}[table](
        path
    )


def write(path, rows: list[dict[str, str]]):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def changed(tmp_path, table: str, name: str, **cells: str) -> Measurements:
    """Read the one row ``name`` of a shipped table with some of its cells replaced."""
    (row,) = (row for row in shipped(table) if row["id"] == name)
    return read_alone(table, write(tmp_path / "one.csv", [row | cells]))


def reason(found: Measurements) -> str:
    (skipped,) = found.skipped
    return skipped.reason


@pytest.mark.parametrize("table", TABLES)
def test_every_row_is_read_or_skipped_with_a_reason_and_none_is_lost(table):
    ids = {row["id"] for row in shipped(table)}
    rows = ALL.training if table == "training" else ALL.serving
    read = {row.id.split(":")[0] for row in rows} & ids
    skipped = {row.id for row in ALL.skipped if row.table == table}
    assert read | skipped == ids
    assert not read & skipped
    assert all(row.reason.strip() for row in ALL.skipped)


def test_nineteen_in_twenty_rows_of_a_known_architecture_are_read():
    excluded = sum(row.excluded for row in ALL.skipped)
    total = sum(len(shipped(table)) for table in TABLES)
    assert 1 - (len(ALL.skipped) - excluded) / (total - excluded) > 0.95
    assert {row.table for row in ALL.skipped if row.excluded} == set(TABLES)


def test_hybrids_are_refused_by_name_and_no_other_nemotron_is():
    reasons = {row.id: row.reason for row in ALL.skipped}
    hybrid = {row["id"] for row in shipped("training") if "Nemotron-3-Super" in row["model_id"]}
    assert hybrid
    assert all("hybrid" in reasons[name] for name in hybrid)
    assert {row.model.id for row in ALL.training if "Nemotron" in row.model.id} == {
        "Nemotron-4-340B",
        "Nemotron-3-8B",
    }


def test_deepseek_v3_trained_at_1543_tokens_per_second_on_each_of_2048_h800():
    (row,) = (row for row in ALL.training if row.chip.id == "H800-SXM")
    assert row.measured == pytest.approx(1543.2)
    assert (row.chips, row.model.id, row.precision, row.family) == (2048, "DeepSeek-V3", "fp8", "moe")
    assert (row.sequence_tokens, row.batch_sequences, row.pp, row.ep) == (4096, 15360, 16, 64), (
        "the paper's figures"
    )


def test_a_step_time_becomes_tokens_per_second_and_chip():
    row = TRAINED["TR0657"]
    assert row.measured == pytest.approx(64 * 2048 / 18.13 / 64), (
        "175B on 64 A100: 18.13 s a step of 64 x 2,048"
    )
    assert (row.recompute, TRAINED["TR0658"].recompute) == ("full", "selective")


def test_hardware_flop_are_undone_by_the_formula_they_were_counted_with():
    row = TRAINED["TR0654"]
    layers, hidden, sequence, vocab = 128, 25600, 2048, 51200
    per_token = 96 * layers * hidden**2 * (1 + sequence / (6 * hidden) + vocab / (16 * layers * hidden))
    assert row.measured == pytest.approx(163e12 / per_token, rel=1e-6)


def test_an_mfu_gives_the_step_time_of_the_same_paper():
    row = TRAINED["TR0874"]
    assert row.measured == pytest.approx(2240 * 2048 / 39.15 / 2240, rel=0.01), (
        "39.15 s a step, arXiv 2205.05198"
    )


def test_maxtext_counts_attention_in_full_before_2025():
    row = TRAINED["TR0554"]
    weights = row.model.layers * row.model.hidden * (4 * 64 * 128 + 3 * 28672) + 32000 * row.model.hidden
    assert row.measured == pytest.approx(132e12 / (6 * weights + 12 * 32 * 64 * 128 * 2048), rel=1e-3)


def test_degrees_of_trainium_count_cores_and_come_out_in_chips():
    row = TRAINED["TR0839"]
    assert (row.chips, row.tp, row.pp, row.dp) == (512, 16, 1, 32), "published TP=32 DP=32 on 1,024 cores"
    assert row.tp * row.dp == row.chips
    assert SERVED["IN0976"].tp == 12, "24 cores"
    assert SERVED["IN1028"].tp == 16, "TP_DEGREE=64 on 16 Trainium2"
    assert {row.tp for row in ALL.serving if row.chip.id == "TPU7x-Ironwood"} == {4}, "8 cores"


def test_degrees_fit_the_chips():
    odd = [
        row.id
        for row in (*ALL.training, *ALL.serving)
        if (row.tp or 1) * (row.pp or 1) * (row.dp or 1) > row.chips
    ]
    assert odd == []


def test_a_fastertransformer_latency_in_seconds():
    row = SERVED["IN1224"]
    assert (row.metric, row.measured) == ("latency_s", pytest.approx(0.565))
    assert (row.engine, row.mode, row.concurrency) == ("fastertransformer", "static_batch", 1)
    assert (row.input_tokens, row.output_tokens, row.tp, row.pp) == (20, 8, 16, 1)


def test_a_total_rate_is_divided_by_the_chips_and_latencies_stand_beside_it():
    rate, first, each = (SERVED[f"IN1160{suffix}"] for suffix in ("", ":ttft_s", ":tpot_s"))
    assert (rate.metric, rate.measured) == ("output_tokens_per_s_per_chip", pytest.approx(51.67 / 2))
    assert (first.measured, each.measured) == (pytest.approx(0.40677), pytest.approx(0.01858))
    assert "IN1167:ttft_s" not in SERVED, "88 s of waiting in a queue are no prefill"
    assert "IN1167:tpot_s" in SERVED


def test_a_serving_point_gives_both_latencies_of_the_same_configuration():
    (point,) = (
        row
        for row in shipped("serving_points")
        if row["id"].startswith("dsr1_h200_trtllm_fp8_agg_8192x1024_c4_")
    )
    each, first = SERVED[f"{point['id']}:tpot_s"], SERVED[f"{point['id']}:ttft_s"]
    assert each.measured == pytest.approx(0.014880872639)
    assert first.measured == pytest.approx(0.447451159)
    same = dataclasses.replace(first, id=each.id, metric=each.metric, measured=each.measured)
    assert same == each
    assert (each.chips, each.expert_tp, each.concurrency, each.date) == (8, 8, 4, "2025-11")


def test_a_point_whose_requests_mostly_waited_is_kept_but_doubted():
    points = read_serving().serving
    doubted = {row.id.rsplit(":", 1)[0] for row in points if row.doubt}
    assert doubted  # eight points of one engine version, 20 to 460 s to the first token
    assert all(row.model.id == "gpt-oss-120b" and row.concurrency == 512 for row in points if row.doubt)
    assert len(doubted) < 0.01 * len(points)


def test_attention_replicas_count_as_chips():
    row = next(row for row in ALL.serving if row.dp == 8 and row.mode == "closed_loop")
    assert row.chips == row.tp * row.dp * row.pp
    assert row.chips == row.ep * row.expert_tp


def test_every_measured_value_and_length_is_a_positive_number():
    for row in (*ALL.training, *ALL.serving):
        assert math.isfinite(row.measured)
        assert row.measured > 0
    assert all(row.input_tokens > 0 and row.output_tokens > 0 for row in ALL.serving)
    assert max(row.measured for row in ALL.serving if row.metric == "tpot_s") < 1
    assert all(month(row.date) == row.date for row in (*ALL.training, *ALL.serving))


def test_ids_are_unique_and_groups_are_kept():
    for rows in (ALL.training, ALL.serving):
        assert len({row.id for row in rows}) == len(rows)
    assert TRAINED["TR0657"].group == next(
        row["split_group"] for row in shipped("training") if row["id"] == "TR0657"
    )
    assert len({row.group for row in ALL.serving if row.mode == "closed_loop" and row.engine_version}) > 10


def test_experts_of_the_models_measured():
    models = {row.model.id: row.model for row in (*ALL.training, *ALL.serving)}
    sparse = {
        name: (model.experts, model.top_k, model.first_dense_layers, model.moe_layer_every)
        for name, model in models.items()
        if model.experts
    }
    assert sparse["DeepSeek-V3"] == sparse["DeepSeek-R1"] == (256, 8, 3, 1)
    assert sparse["Kimi-K2-Instruct"] == (384, 8, 1, 1)
    assert sparse["Llama-4-Maverick-17B-128E-Instruct"] == (128, 1, 0, 2)
    assert sparse["Llama-4-Scout-17B-16E-Instruct"] == (16, 1, 0, 1)
    assert sparse["Mixtral-8x7B-v0.1"] == (8, 2, 0, 1)
    assert sparse["gpt-oss-20b"] == (32, 4, 0, 1)


def test_an_architecture_not_in_the_catalogue_is_built_from_its_row_and_says_so():
    built = next(row.model for row in ALL.serving if row.model.id == "GPT-20B")
    assert (built.layers, built.hidden, built.ffn, built.ffn_matrices, built.head_dim) == (
        44,
        6144,
        24576,
        2,
        128,
    )
    assert "built from the dimensions" in built.notes
    bloom = next(
        row.model for row in ALL.training if row.model.id.startswith("BLOOM-tuning h13824 L78 heads64")
    )
    assert (bloom.head_dim, bloom.vocab, bloom.ffn_matrices) == (216, 250000, 2)


def test_a_precision_that_the_log_leaves_open_stays_open():
    assert training_precision("NVFP4 or FP8 (log does not say)") is None
    assert training_precision("FP8/MXFP4 (not stated in log)") is None
    assert training_precision("INT8 (AQT) forward/backward matmuls") == "int8"
    assert training_precision("FP16/BF16") == "bf16"
    assert TRAINED["TR0874"].precision == "bf16", "not stated, but an A100 has no FP8 units"
    assert training_precision("", load_chips()["H100-SXM"]) is None
    with pytest.raises(RefusedRowError, match="FP32"):
        training_precision("FP32")


def test_four_bit_weights_compute_in_what_the_chip_has():
    chips = load_chips()
    assert serving_precision("fp4", chips["B200-SXM"], "DeepSeek-R1") == ("fp4", "fp4")
    assert serving_precision("fp4", chips["H200-SXM"], "DeepSeek-R1") == ("bf16", "fp4")
    assert serving_precision("MXFP4", chips["B200-SXM"], "gpt-oss-120b") == ("fp8", "fp4")
    assert serving_precision("INT4 g32 weight-only", chips["A100-80-SXM"], "llama2-7b") == ("bf16", "int4")
    assert serving_precision("UINT4", chips["Intel-Arc-Pro-B60"], "x") == ("bf16", "int4")
    with pytest.raises(RefusedRowError, match="leaves open"):
        serving_precision("FP4 or FP8", chips["B200-SXM"], "x")


def test_sharding_remarks():
    assert sharding("FSDP in pod, DP across pods") == 3
    assert sharding("SHARD_GRAD_OP") == 2
    assert sharding("something new") is None


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"value": "fast"}, "value is not a number"),
        ({"value": "-3"}, "not a positive number"),
        ({"value": "nan"}, "does not state the measured value"),
        ({"n_chips": ""}, "number of chips"),
        ({"chip": "Abacus-9"}, "not in the catalogue"),
        ({"task": "distillation"}, "task 'distillation'"),
        ({"measured_metric": "furlongs"}, "metric 'furlongs'"),
        ({"tokens_per_s_per_chip": "9000"}, "but the row says 9000"),
        ({"notes": "KNOWN PERFORMANCE REGRESSION in this release"}, "regression"),
        ({"notes": "(tokendrop)"}, "dropped"),
        ({"TP": "1024"}, "does not fit"),
        ({"model_id": "Jamba-1.5", "model": "Jamba 1.5"}, "hybrid"),
        ({"model_id": "", "model": "Mystery", "heads": ""}, "lacks heads"),
        ({"model_id": "", "model": "Mystery", "params_total_B": "3"}, "do not give its 3 billion"),
        ({"precision": "TF32"}, "TF32"),
    ],
)
def test_an_odd_training_row_is_refused_with_its_reason(tmp_path, cells, words):
    assert words in reason(changed(tmp_path, "training", "TR0657", **cells))


@pytest.mark.parametrize(
    ("name", "cells", "words"),
    [
        ("IN1160", {"input_len": "dataset unheard-of"}, "only named"),
        ("IN1160", {"value_per_chip": "99"}, "but the row says 99"),
        ("IN1160", {"notes": "EAGLE3 drafts"}, "drafted"),
        ("IN1160", {"concurrency_or_batch": ""}, "in flight"),
        ("IN1160", {"concurrency_or_batch": "Server", "model": "new-7b"}, "latency limits"),
        ("IN1160", {"phase": "rest"}, "phase 'rest'"),
        ("IN0976", {"TP": "3"}, "whole number of chips"),
        ("IN1160", {"metric": "samples"}, "metric 'samples'"),
    ],
)
def test_an_odd_inference_row_is_refused_with_its_reason(tmp_path, name, cells, words):
    assert words in reason(changed(tmp_path, "inference", name, **cells))


def test_an_mlperf_scenario_brings_its_limits(tmp_path):
    cells = {
        "concurrency_or_batch": "Interactive",
        "model": "llama2-70b-99.9",
        "model_id": "maxtext:llama2-70b",
    }
    row = changed(tmp_path, "inference", "IN1160", **cells).serving[0]
    assert (row.mode, row.scenario, row.ttft_limit_s, row.tpot_limit_s) == (
        "max_load",
        "Interactive",
        0.45,
        0.04,
    )


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "junk", ["", "?", "0", "-1", "1e400", "8x2", "12,000 or so", "none", "\u00bd", "BF16"]
)
def test_no_cell_however_odd_stops_the_reading_of_a_table(tmp_path, table, junk):
    rows = shipped(table)[:: len(shipped(table)) // 12]
    odd = [
        row | {column: junk, "id": f"{number}-{column}"}
        for number, row in enumerate(rows)
        for column in rows[0]
    ]
    found = read_alone(table, write(tmp_path / "odd.csv", odd))
    read = {row.id.split(":")[0] for row in (*found.training, *found.serving)}
    assert len(read) + len(found.skipped) == len(odd)
    assert all(row.reason for row in found.skipped)


def test_short_rows_and_rows_without_an_id_are_still_accounted_for(tmp_path):
    path = tmp_path / "short.csv"
    header = ",".join(shipped("training")[0])
    path.write_text(f"\ufeff{header}\n,x,y\nTR1\nTR1\n", encoding="utf-8")
    found = read_training(path)
    assert [row.id for row in found.skipped] == ["row-2", "TR1", "TR1#2"]
    assert all(row.reason for row in found.skipped)


def test_a_missing_column_a_missing_file_and_an_empty_one_are_told_at_once(tmp_path):
    lacking = write(tmp_path / "lacking.csv", [{"id": "a", "chip": "b"}])
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    with pytest.raises(InputError) as told:
        read_measurements(lacking, tmp_path / "absent.csv", empty)
    first, second, third = (str(problem) for problem in told.value.problems)
    assert "lacking.csv" in first
    assert "n_chips" in first
    assert "absent.csv" in second
    assert "model_path" in third


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "image.csv"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match=r"image\.csv"):
        read_serving(path)


def test_records_are_frozen():
    for record in (TrainingRow, ServingRow):
        assert record.__dataclass_params__.frozen
