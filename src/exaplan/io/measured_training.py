"""Rows of published training rates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from exaplan.domain.measured import MathPrecision, TrainingRow
from exaplan.domain.technology import Chip, Model
from exaplan.io.measured_flop import flop_per_token
from exaplan.io.measured_models import chip_named, model_of
from exaplan.io.measured_words import (
    RefusedRowError,
    Row,
    month,
    needed,
    recompute,
    shard_group,
    sharding,
    stated,
    training_precision,
)

COLUMNS = (
    "id", "source", "date", "chip", "n_chips", "model", "model_id", "n_layers", "hidden", "ffn", "heads", "kv_heads",
    "experts", "vocab", "seq_len", "global_batch", "micro_batch", "precision", "TP", "PP", "DP", "EP", "CP", "VP",
    "recompute", "zero_fsdp", "task", "measured_metric", "value", "notes", "split_group",
)  # fmt: skip
CONTRADICTION_SHARE = 0.05
CORES = {"Trainium1": 2.0, "Inferentia2": 2.0, "Trainium2": 4.0, "Trainium3": 4.0}
UNFIT = (
    (r"regression", "the source declares a performance regression in this release"),
    (r"token ?drop", "tokens were dropped: the step does not process what it counts"),
    (r"power[- ]limited run|maxq", "the run was power-limited"),
)
TASKS: dict[str, Literal["pretrain", "sft", "lora"]] = {"pretrain": "pretrain", "sft": "sft", "lora": "lora"}


@dataclass(frozen=True)
class Completion:
    """Settings of a run that another document states; the row's own figures always come first."""

    source: str
    model: str
    chips: float
    settings: dict[str, str]


# Runs whose row names the document but whose settings stand elsewhere in it.
COMPLETIONS = (
    # arXiv 2412.19437: section 3.2 (16-way pipeline by DualPipe, 64-way experts, ZeRO-1; norms and MLA up-projections
    # recomputed), section 4.2 (batch 15,360, length 4K).
    Completion(
        "DeepSeek-V3 tech report",
        "DeepSeek-V3",
        2048.0,
        {
            "seq_len": "4096",
            "global_batch": "15360",
            "PP": "16",
            "EP": "64",
            "TP": "1",
            "zero_fsdp": "ZeRO-1",
            "schedule": "DualPipe",
            "recompute": "selective",
        },
    ),
    # arXiv 2205.05198, section 6: eight replicas of 280 GPUs, one sequence per micro-batch, 280 in each replica.
    Completion("arXiv 2205.05198", "MT-NLG-530B", 2240.0, {"global_batch": "2240", "micro_batch": "1"}),
)


def refuse_unfit(row: Row) -> None:
    """Refuse a row whose own remark says that it is not a measurement of the configuration at its best.

    Raises
    ------
    RefusedRowError
        With the remark's meaning.
    """
    text = f"{row.get('model', '')} {row.get('notes', '')}".casefold()
    for pattern, reason in UNFIT:
        if re.search(pattern, text):
            raise RefusedRowError(reason)


def training_row(row: Row) -> TrainingRow:
    """Read one row of the training table.

    Degrees of Trainium and Inferentia count NeuronCores and are brought to chips. Rates published as TFLOP/s or MFU
    are brought to tokens/s/chip by the publisher's own FLOP convention.

    Raises
    ------
    RefusedRowError
        Where the row cannot be read, with the reason.
    """
    model = model_of(row)
    chip = chip_named(row["chip"].strip())
    refuse_unfit(row)
    chips = needed(row, "n_chips", "number of chips")
    row = _completed(row, model, chips)
    task = TASKS.get(row["task"].strip().casefold())
    if task is None:
        raise RefusedRowError(f"the task {row['task'].strip()!r} is not one that is modelled")
    sequence = needed(row, "seq_len", "sequence length")
    batch = needed(row, "global_batch", "global batch")
    precision = training_precision(row["precision"], chip)
    tp, dp = in_chips(row, chip, chips, stated(row, "TP"), stated(row, "DP"))
    return TrainingRow(
        id=row["id"],
        source=row["source"].strip(),
        date=month(row["date"]),
        group=row["split_group"].strip() or row["id"],
        sweep=f"{row['source'].strip()}|{model.id}|{chip.id}",
        chip=chip,
        model=model,
        task=task,
        stack=stack(row["source"], row["zero_fsdp"], chip),
        chips=chips,
        sequence_tokens=sequence,
        batch_sequences=batch,
        precision=precision,
        micro_batch=stated(row, "micro_batch"),
        tp=tp,
        pp=stated(row, "PP"),
        dp=dp,
        ep=stated(row, "EP"),
        cp=stated(row, "CP"),
        interleave=stated(row, "VP"),
        schedule=schedule(f"{row.get('schedule', '')} {row.get('notes', '')}"),
        recompute=recompute(row["recompute"]),
        zero=sharding(row["zero_fsdp"]),
        shard_group=shard_group(row["zero_fsdp"], chip),
        measured=_rate(row, chip, model, precision, sequence * batch / chips),
    )


STACKS = (
    ("deepspeed", r"bloom|deepspeed|intel gaudi|habana"),
    ("jax", r"maxtext|tpu-recipes|levanter|palm"),
    ("neuron", r"neuron"),
    ("megatron", r"megatron|nemo (?!automodel)|mlperf|arxiv 2205|llama-3 405b|deepseek"),
    ("pytorch", r"llm-foundry|torchtitan|internevo|automodel|tinyllama|pytorch"),
)


def stack(source: str, sharding_remark: str, chip: Chip) -> str:
    """Return the training software in one word: by its name in the source, else by how states are sharded.

    Examples
    --------
    >>> from exaplan.io.catalogue import load_chips
    >>> h100 = load_chips()["H100-SXM"]
    >>> stack("pytorch/torchtitan benchmarks", "FSDP2", h100), stack("somebody's blog", "DDP", h100)
    ('pytorch', 'megatron')
    """
    low = source.casefold()
    if chip.designer.casefold().startswith("google"):
        return "jax"
    named = next((word for word, pattern in STACKS if re.search(pattern, low)), "")
    if named:
        return named
    return "pytorch" if sharding(sharding_remark) == 3 else "megatron"


def schedule(text: str) -> Literal["zero-bubble", "dualpipe"] | None:
    """Return the pipeline schedule that a remark names, beyond one forward and one backward in turn.

    Examples
    --------
    >>> schedule("DualPipe, EP64"), schedule("1F1B")
    ('dualpipe', None)
    """
    low = text.casefold()
    if "dualpipe" in low:
        return "dualpipe"
    return "zero-bubble" if re.search(r"zero[- ]?bubble|zb-h1|zb1p", low) else None


def in_chips(
    row: Row, chip: Chip, chips: float, tp: float | None, dp: float | None
) -> tuple[float | None, float | None]:
    """Bring degrees that count cores to chips: tensor parallelism first, then the data-parallel degree.

    Trainium1 and Inferentia2 have two NeuronCores, Trainium2 eight that appear as four; a TPU row counts cores where
    it says so.

    Raises
    ------
    RefusedRowError
        Where the degrees do not come out at whole chips, or exceed the chips.
    """
    cores = CORES.get(chip.id, 1.0)
    if "TPU" in chip.id and re.search(r"\btp\b[^;]*counts? tensor-?cores", row.get("notes", "").casefold()):
        cores = 2.0
    if tp is None:
        return tp, dp
    if cores > 1.0 and tp > cores * chips:
        cores = tp / chips
    width = tp / cores
    if width < 1.0 and dp is not None:
        width, dp = 1.0, dp * width
    if width != int(width) or (dp is not None and dp != int(dp)):
        raise RefusedRowError(
            f"a tensor degree of {tp:g} cores is not a whole number of chips of {cores:g} cores"
        )
    if width * (stated(row, "PP") or 1.0) > chips:
        raise RefusedRowError(f"a tensor degree of {tp:g} does not fit {chips:g} chips")
    return width, dp


def _completed(row: Row, model: Model, chips: float) -> Row:
    for known in COMPLETIONS:
        if row["source"].startswith(known.source) and model.id == known.model and chips == known.chips:
            return {
                **row,
                **{column: row.get(column, "").strip() or text for column, text in known.settings.items()},
            }
    return row


def _rate(
    row: Row, chip: Chip, model: Model, precision: MathPrecision | None, tokens_per_chip: float
) -> float:
    """Return tokens per second and chip from whatever the row measured."""
    value, metric = needed(row, "value", "measured value"), row["measured_metric"].strip().casefold()
    sequence = needed(row, "seq_len", "sequence length")
    chips = needed(row, "n_chips", "number of chips")
    if metric == "tokens_per_s_per_chip":
        rate = value
    elif metric in ("iter_time_s", "step_time_s"):
        rate = tokens_per_chip / value
    elif metric in ("iter_time_ms", "step_time_ms"):
        rate = 1e3 * tokens_per_chip / value
    elif metric in ("tokens_per_s", "tokens_per_s_total"):
        rate = value / chips
    elif metric in ("sequences_per_s", "samples_per_s"):
        rate = value * sequence / chips
    elif metric in ("tflops_per_chip", "mfu"):
        achieved = 1e12 * value if metric == "tflops_per_chip" else value / 100.0 * _peak(chip, precision)
        rate = achieved / flop_per_token(row.get("flop_convention", ""), model, sequence)
    else:
        raise RefusedRowError(f"the metric {metric!r} is not one that is known")
    told = stated(row, "tokens_per_s_per_chip")
    if told is not None and abs(rate / told - 1.0) > CONTRADICTION_SHARE:
        raise RefusedRowError(f"its {metric} gives {rate:.0f} tokens/s/chip but the row says {told:.0f}")
    return rate


def _peak(chip: Chip, precision: MathPrecision | None) -> float:
    peaks = {"bf16": chip.bf16_flop_per_s, "fp8": chip.fp8_flop_per_s, "fp4": chip.fp4_flop_per_s}
    peak = peaks.get(precision or "bf16")
    if peak is None:
        raise RefusedRowError(f"an MFU cannot be read: no {precision} peak of {chip.id} is known")
    return peak
