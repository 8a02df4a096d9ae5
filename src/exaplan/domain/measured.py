"""Published measurements of training and serving, as the performance model is validated against.

Every number is in SI units; a setting that the publisher does not state is ``None`` and is for the engine to
marginalise, never to guess. Lengths are in tokens, batches in sequences, parallel degrees in chips.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from exaplan.domain.technology import Chip, Model

MathPrecision = Literal["bf16", "fp8", "fp4", "int8"]
WeightPrecision = Literal["bf16", "fp8", "fp4", "int8", "int4"]
Family = Literal["dense", "moe"]
ServingMetric = Literal[
    "tpot_s",
    "ttft_s",
    "latency_s",
    "output_tokens_per_s_per_chip",
    "input_tokens_per_s_per_chip",
    "output_tokens_per_s_per_user",
]


def family_of(model: Model) -> Family:
    """Return ``moe`` for a model with routed experts and ``dense`` for any other."""
    return "moe" if model.experts else "dense"


@dataclass(frozen=True)
class TrainingRow:
    """One measured training rate with the settings that its publisher states.

    Attributes
    ----------
    id, source : str
        Name of the row in its table; the document that it was read from.
    date : str
        Month of the measurement or of its publication, ``YYYY-MM``; the first month where a range is given; empty
        where neither is stated.
    group : str
        Near-duplicates share a group: weigh groups, not rows.
    sweep : str
        Source, model and chip: rows whose configurations may be ranked against one another.
    chip, model : Chip, Model
        Accelerator and architecture.
    task : str
        ``pretrain``, ``sft`` or ``lora``.
    stack : str
        Training software in one word: ``megatron``, ``pytorch``, ``deepspeed``, ``jax``, ``neuron``, ...
    chips : float
        Accelerator packages.
    sequence_tokens, batch_sequences : float
        Length of a sequence (tokens) and global batch (sequences).
    precision : str or None
        Precision of the matrix products; None where the publisher leaves two open.
    micro_batch : float or None
        Sequences per micro-batch.
    tp, pp, dp, ep, cp, interleave : float or None
        Tensor, pipeline, data, expert and context parallel degrees in chips; virtual stages per pipeline stage.
    schedule : str or None
        Pipeline schedule where it is stated to be another than one forward, one backward.
    recompute : str or None
        Activation recomputation: ``none``, ``selective`` or ``full``.
    zero : int or None
        Sharding of optimizer (1), gradients (2) and parameters (3) over the data-parallel group.
    shard_group : float or None
        Chips over which ``zero`` shards, where it is stated to differ from the data-parallel group.
    measured : float
        Tokens per second and chip.
    """

    id: str
    source: str
    date: str
    group: str
    sweep: str
    chip: Chip
    model: Model
    task: Literal["pretrain", "sft", "lora"]
    stack: str
    chips: float
    sequence_tokens: float
    batch_sequences: float
    precision: MathPrecision | None
    micro_batch: float | None
    tp: float | None
    pp: float | None
    dp: float | None
    ep: float | None
    cp: float | None
    interleave: float | None
    schedule: Literal["zero-bubble", "dualpipe"] | None
    recompute: Literal["none", "selective", "full"] | None
    zero: Literal[0, 1, 2, 3] | None
    shard_group: float | None
    measured: float

    @property
    def family(self) -> Family:
        """Dense or mixture of experts."""
        return family_of(self.model)


@dataclass(frozen=True)
class ServingRow:
    """One measured rate or latency of serving with the settings that its publisher states.

    Attributes
    ----------
    id, source, date, group, sweep, chip, model
        As in `TrainingRow`. One published row with several metrics gives one record per metric; the ids of the
        further ones end in the name of their metric.
    engine, engine_version : str
        Serving software in one word (``vllm``, ``trtllm``, ``sglang``, ``fastertransformer``, ``neuron``, ...) and
        its version, empty where unknown.
    mode : str
        ``closed_loop``: that many requests in flight, each replaced when it ends; ``static_batch``: one batch from
        first to last token; ``max_load``: every request offered at once, as many run as fit.
    scenario : str
        MLPerf scenario (``Offline``, ``Server``, ``Interactive``), else empty.
    phase : str
        ``mixed``, ``prefill`` or ``decode``.
    precision, weights, cache : str
        Precision of the matrix products, of the stored weights, and of the key-value cache (None where not stated).
    chips : float
        Accelerator packages of the system measured.
    tp, pp, ep, dp, expert_tp : float or None
        Tensor, pipeline, expert and attention-data parallel degrees in chips; tensor parallelism inside experts.
        Chips beyond their product hold replicas.
    concurrency : float or None
        Requests in flight, or sequences in the batch; under ``max_load`` the requests offered, None where unlimited.
    input_tokens, output_tokens : float
        Mean lengths; a prefill row has one output token.
    ttft_limit_s, tpot_limit_s : float or None
        Latency limits (99th percentile) that the scenario imposes.
    metric : str
        What was measured, with its unit in SI.
    measured : float
        The value.
    doubt : str
        Why the stated settings cannot be those that ran; empty where nothing speaks against them. Such a row is
        predicted like any other, but neither fitted nor scored.
    """

    id: str
    source: str
    date: str
    group: str
    sweep: str
    chip: Chip
    model: Model
    engine: str
    engine_version: str
    mode: Literal["closed_loop", "static_batch", "max_load"]
    scenario: str
    phase: Literal["mixed", "prefill", "decode"]
    precision: MathPrecision
    weights: WeightPrecision
    cache: Literal["bf16", "fp8"] | None
    chips: float
    tp: float | None
    pp: float | None
    ep: float | None
    dp: float | None
    expert_tp: float | None
    concurrency: float | None
    input_tokens: float
    output_tokens: float
    ttft_limit_s: float | None
    tpot_limit_s: float | None
    metric: ServingMetric
    measured: float
    doubt: str = ""

    @property
    def family(self) -> Family:
        """Dense or mixture of experts."""
        return family_of(self.model)


@dataclass(frozen=True)
class Skipped:
    """One row that was not read.

    Attributes
    ----------
    id, table : str
        Name of the row and of its table (``training``, ``inference``, ``serving_points``).
    reason : str
        Why, in words; never empty.
    excluded : bool
        True where no model of this kind could read it (unknown architecture or a linear-attention hybrid): such rows
        do not count in coverage.
    """

    id: str
    table: str
    reason: str
    excluded: bool = False


@dataclass(frozen=True)
class Measurements:
    """What was read from one to three tables, and what was not.

    Attributes
    ----------
    training, serving : tuple of rows
        Rows read, in the order of the files.
    skipped : tuple of Skipped
        Rows not read, each with its reason.
    """

    training: tuple[TrainingRow, ...] = ()
    serving: tuple[ServingRow, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    def joined(self, other: Measurements) -> Measurements:
        """Return the rows of both."""
        return Measurements(
            self.training + other.training, self.serving + other.serving, self.skipped + other.skipped
        )
