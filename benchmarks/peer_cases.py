"""The published measurements on which programs are compared: which rows, and what they say, in neutral words."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MEASURED = HERE.parent / "src" / "exaplan" / "data" / "measured"
TABLES = {"training": "training.csv", "serving": "serving_points.csv"}
HEAD_WIDTH_ASSUMED = 128  # where a row does not state the number of heads

Row = dict[str, str]


def case_ids(task: str) -> list[str]:
    """Ids of the rows compared, in the order of the file ``cases/TASK.txt``."""
    lines = (HERE / "cases" / f"{task}.txt").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def read_rows(task: str, measured: Path) -> tuple[list[Row], list[str]]:
    """Rows of a task found in a folder of measured tables, and the ids that are not there."""
    with (measured / TABLES[task]).open(encoding="utf-8") as file:
        table = {row["id"]: row for row in csv.DictReader(file)}
    wanted = case_ids(task)
    return [table[name] for name in wanted if name in table], [name for name in wanted if name not in table]


def number(cell: str) -> float:
    """First number of a cell; some carry a mark or a remark, such as ``~250000 (README)``."""
    found = re.search(r"\d+(\.\d+)?", cell)
    if found is None:
        raise ValueError(f"no number in {cell!r}")
    return float(found.group())


def architecture(row: Row) -> dict[str, Any]:
    """Shape of a dense model as its row states it.

    Whether the feed-forward block is gated is read off the parameter count; heads of width 128 are assumed where the row
    gives none.
    """
    layers, hidden, vocab = (int(number(row[name])) for name in ("n_layers", "hidden", "vocab"))
    heads = int(row["heads"] or hidden // HEAD_WIDTH_ASSUMED)
    kv_heads = int(row["kv_heads"] or heads)
    ffn = int(row["ffn"] or 4 * hidden)
    attention = 2 * hidden**2 * (1 + kv_heads / heads)
    ends = (hidden * vocab, 2 * hidden * vocab)
    stated = number(row["params_total_B"]) * 1e9
    off = {
        (matrices, end): abs(layers * (attention + matrices * hidden * ffn) + end - stated)
        for matrices in (2, 3)
        for end in ends
    }
    matrices, _ = min(off, key=lambda key: off[key])
    return {
        "layers": layers,
        "hidden": hidden,
        "heads": heads,
        "kv_heads": kv_heads,
        "ffn": ffn,
        "ffn_matrices": matrices,
        "vocab": vocab,
    }


def training_case(row: Row) -> dict[str, Any]:
    """Say a training row in neutral words; an unstated micro-batch is 1 and unstated recomputation is none."""
    stated = row["recompute"].lower()
    return {
        "id": row["id"],
        "chip": row["chip"],
        "chips": int(row["n_chips"]),
        "sequence_tokens": int(row["seq_len"]),
        "global_batch": int(row["global_batch"]),
        "micro_batch": int(row["micro_batch"] or 1),
        "tp": int(row["TP"]),
        "pp": int(row["PP"]),
        "precision": "fp8" if "fp8" in row["precision"].lower() else "bf16",
        "recompute": next((word for word in ("full", "selective") if stated.startswith(word)), "none"),
        **architecture(row),
    }


def serving_case(row: Row) -> dict[str, Any]:
    """Say a serving row in neutral words; sequences in flight per attention group are c / adp."""
    groups = int(float(row["adp"] or 1))
    return {
        "id": row["id"],
        "model_path": row["model_path"],
        "system": row["system"],
        "backend": row["backend"],
        "experts": int(float(row["E"] or 0)),
        "isl": int(float(row["isl"])),
        "osl": int(float(row["osl"])),
        "batch_size": max(int(float(row["c"]) / groups), 1),
        "tp_size": int(float(row["tp_size"])),
        "attention_dp_size": groups,
        "moe_tp_size": int(float(row["moe_tp_size"] or 1)),
        "moe_ep_size": int(float(row["moe_ep_size"] or 1)),
        "gemm_quant_mode": row["gemm_quant_mode"] or None,
        "moe_quant_mode": row["moe_quant_mode"] or None,
    }


def cases_of(task: str, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Rows of a task in neutral words."""
    tell = training_case if task == "training" else serving_case
    return [tell(row) for row in rows]


def measured_in(task: str, rows: Iterable[Row]) -> dict[str, float]:
    """Measured values that rows state outright, by id: tokens/s/chip in training, ms per output token in serving."""
    column = "tokens_per_s_per_chip" if task == "training" else "silicon_tpot_ms"
    return {row["id"]: float(row[column]) for row in rows if row[column]}
