"""Words of published measurement tables, brought to ours: numbers, dates, precisions, engines, sharding, lengths."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Literal

from exaplan.domain.measured import MathPrecision, WeightPrecision
from exaplan.domain.technology import Chip

Row = Mapping[str, str]
UNSTATED = ("", "-", "?", "n/a", "na", "none", "null", "nan", "unknown", "not stated", "auto")


class RefusedRowError(Exception):
    """A row that cannot be read; the message is the reason.

    Parameters
    ----------
    reason : str
        Why, in words.
    excluded : bool
        Whether the architecture is unknown or a hybrid, so that the row does not count in coverage.
    """

    def __init__(self, reason: str, *, excluded: bool = False) -> None:
        super().__init__(reason)
        self.excluded = excluded


def stated(row: Row, column: str) -> float | None:
    """Return a positive number, or None where the cell states none.

    Raises
    ------
    RefusedRowError
        Where the cell holds something else than a positive finite number.
    """
    text = row.get(column, "").strip().replace(",", "")
    if text.casefold() in UNSTATED:
        return None
    try:
        value = float(text)
    except ValueError:
        raise RefusedRowError(f"column {column} is not a number: {text!r}") from None
    if not (math.isfinite(value) and value > 0):
        raise RefusedRowError(f"column {column} is not a positive number: {text!r}")
    return value


def needed(row: Row, column: str, meaning: str) -> float:
    """Return a positive number that the row must state."""
    value = stated(row, column)
    if value is None:
        raise RefusedRowError(f"the row does not state the {meaning} ({column})")
    return value


def month(text: str) -> str:
    """Return the first month of a date as YYYY-MM; the month of measurement where a text gives both.

    Examples
    --------
    >>> month("2025-08 (measured 2023-2024)"), month("2022..2023"), month("2025-08..2026-08")
    ('2023-01', '2022-01', '2025-08')
    """
    told = re.search(r"measured[ =:]*(.*)", text)
    found = re.search(r"(20\d\d)(?:-(0[1-9]|1[0-2])(?!\d))?", told[1] if told else text)
    if found is None:
        return month(text[: told.start()]) if told else ""
    return f"{found[1]}-{found[2] or '01'}"


WORDS: tuple[tuple[WeightPrecision, str], ...] = (
    ("fp4", r"(nv|mx)?fp4|float4|e2m1"),
    ("fp8", r"(mx)?fp8|float8|e4m3|e5m2"),
    ("int4", r"u?int4|awq|gptq|w4a16"),
    ("int8", r"u?int8|w8a8"),
    ("bf16", r"bf16|fp16|bfloat16|float16|half"),
)


def precisions_in(text: str) -> set[WeightPrecision]:
    """Return every precision that a text names."""
    low = text.casefold()
    return {word for word, pattern in WORDS if re.search(rf"(?<![a-z0-9])({pattern})(?![0-9])", low)}


def training_precision(text: str, chip: Chip | None = None) -> MathPrecision | None:
    """Return the precision of the matrix products of a training run.

    A blank cell on a chip without FP8 units means 16 bits, as in every published run there. Any other blank and a cell that leaves two quantised formats open ('NVFP4 or FP8', 'FP8/MXFP4 (not stated in log)') gives
    None: the engine marginalises. A quantised format beside a 16-bit one is the format of the products (FP8 with BF16
    attention or an FP32 optimizer counts as FP8).

    Raises
    ------
    RefusedRowError
        Where the cell names no precision that we model (FP32, TF32, FP6).

    Examples
    --------
    >>> training_precision("FP8-CS (per-tensor current scaling)"), training_precision("NVFP4 or FP8 (log does not say)")
    ('fp8', None)
    >>> training_precision("Autocast:BF16+FP32Optimizer")
    'bf16'
    """
    if text.strip().casefold() in UNSTATED:
        return None if chip is None or chip.fp8_flop_per_s else "bf16"
    found = precisions_in(text)
    quantised = [word for word in ("fp4", "fp8", "int8") if word in found]
    if len(quantised) > 1:
        return None
    if quantised:
        return quantised[0]
    if "bf16" in found or text.strip().casefold().startswith(("amp", "mixed")):
        return "bf16"
    raise RefusedRowError(f"precision {text.strip()!r} is not one that is modelled")


def serving_precision(text: str, chip: Chip, model_id: str) -> tuple[MathPrecision, WeightPrecision]:
    """Return the precision of the matrix products and of the stored weights of a serving run.

    Weight-only formats compute in BF16. FP4 weights compute in FP4 where the chip can, else in BF16 (Hopper and older:
    weight-only kernels). gpt-oss is published in MXFP4 weights with wider activations: it computes in FP8 on a chip
    with FP4 units (MXFP8 activations) or where its row says FP8, else in BF16. FP8 on a chip without FP8 units is
    weight-only too.

    Raises
    ------
    RefusedRowError
        Where the cell is blank, names no precision that we model, or leaves two open.
    """
    found = precisions_in(text)
    if re.search(r"w4a8", text.casefold()):
        return ("fp8" if chip.fp8_flop_per_s else "bf16"), "int4"
    quantised = [word for word in ("fp4", "fp8", "int8", "int4") if word in found]
    if len(quantised) > 1:
        raise RefusedRowError(f"precision {text.strip()!r} leaves open which format was used")
    if not quantised:
        if "bf16" in found:
            return "bf16", "bf16"
        raise RefusedRowError(f"precision {text.strip()!r} is not one that is modelled")
    weights = quantised[0]
    if weights == "int4" or "weight-only" in text.casefold() or "weight only" in text.casefold():
        return "bf16", weights
    if weights == "fp4":
        four_bit = chip.fp4_flop_per_s is not None
        wide = "gpt-oss" in model_id
        return ("fp8" if wide else "fp4") if four_bit else "bf16", "fp4"
    if weights == "fp8":
        return ("fp8" if chip.fp8_flop_per_s else "bf16"), ("fp4" if "gpt-oss" in model_id else "fp8")
    return "int8", "int8"


def cache_precision(text: str) -> Literal["bf16", "fp8"] | None:
    """Return the precision of the key-value cache; ``auto`` (vLLM: that of the model) and blanks give None."""
    found = precisions_in(text)
    if "fp8" in found or "int8" in found:
        return "fp8"
    return "bf16" if "bf16" in found else None


def recompute(text: str) -> Literal["none", "selective", "full"] | None:
    """Return the recomputation policy; a policy that is neither (custom, offloaded) is unknown.

    MaxText's ``minimal`` keeps every matrix product and recomputes the rest, as selective recomputation does.
    """
    low = text.strip().casefold()
    if low.startswith(("none", "no ", "false", "off")) and low != "none stated":
        return "none"
    if low.startswith(("full", "true")):
        return "full"
    return "selective" if low.startswith(("selective", "minimal")) else None


def sharding(text: str) -> Literal[0, 1, 2, 3] | None:
    """Return the ZeRO stage of a sharding remark; None where it says nothing we know.

    Examples
    --------
    >>> [sharding(word) for word in ("DDP/dist-optimizer", "FULL_SHARD", "FSDP(ZeRO-2-like)", "FSDP2=64", "")]
    [1, 3, 2, 3, None]
    """
    low = text.casefold()
    if told := re.search(r"zero[- _]?([0-3])", low):
        return int(told[1])  # type: ignore[return-value]
    if "shard_grad_op" in low:
        return 2
    if "fsdp" in low or "full_shard" in low:
        return 3
    if "dist-optimizer" in low or "distributed optimizer" in low:
        return 1
    return 0 if low.strip() in ("ddp", "no_shard") else None


def shard_group(text: str, chip: Chip) -> float | None:
    """Return the chips over which states are sharded, where the remark names their number or the node."""
    if told := re.search(r"(?:fsdp\d?=|group )(\d+)", text.casefold()):
        return float(told[1])
    return float(chip.scale_up_domain) if "in node" in text.casefold() else None


ENGINES = (
    ("trtllm", r"tensorrt[- ]?llm|trtllm|^nim\b|^tensorrt"),
    ("fastertransformer", r"fastertransformer"),
    ("lmdeploy", r"lmdeploy|turbomind"),
    ("gptfast", r"gpt-fast"),
    ("neuron", r"neuron|nxd"),
    ("gaudi", r"habana|synapse"),
    ("sglang", r"sglang"),
    ("vllm", r"vllm"),
    ("jetstream", r"jetstream|maxengine"),
    ("tgi", r"\btgi\b|text-generation-inference"),
)
WRAPPERS = ("nim", "tensorrt 1", "tensorrt 9")  # their number is not that of the engine inside
# Months of release by the tags of the projects' repositories, for points that are not dated otherwise.
RELEASES = {
    ("trtllm", "1.0.0rc3"): "2025-07",
    ("vllm", "0.12.0"): "2025-12",
    ("sglang", "0.5.6.post2"): "2025-12",
}
STATIC_ENGINES = ("fastertransformer", "lmdeploy", "gptfast", "neuron", "gaudi")


def engine(text: str) -> tuple[str, str]:
    """Return the serving software in one word and its version.

    Examples
    --------
    >>> engine("rocm/vllm:rocm6.4.1_vllm_0.9.0.1_20250605"), engine("TensorRT-LLM 1.0 (PyTorch backend)")
    (('vllm', '0.9.0.1'), ('trtllm', '1.0'))
    """
    low = text.strip().casefold()
    name, pattern = next(((name, pattern) for name, pattern in ENGINES if re.search(pattern, low)), ("", ""))
    if not name:
        first = re.match(r"[a-z][a-z0-9]*", low)
        name, pattern = (first[0], re.escape(first[0])) if first else ("unknown", "unknown")
    versions = re.findall(rf"(?:{pattern})[^\d,;(]*?v?(\d[0-9a-z.+]*)", low)
    return name, (versions[-1] if versions and not low.startswith(WRAPPERS) else "")


def released(word: str, version: str) -> str:
    """Return the month in which a version of an engine was released; empty where it is not in the list."""
    return RELEASES.get((word, version.strip()), "")
