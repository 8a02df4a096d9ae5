"""Rows of published serving rates and latencies, from the inference table and from closed-loop serving points."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from exaplan.domain.measured import ServingMetric, ServingRow
from exaplan.domain.technology import Chip, Model
from exaplan.io.measured_lengths import lengths, limits
from exaplan.io.measured_models import chip_named, is_hybrid, model_named, model_of
from exaplan.io.measured_training import in_chips, refuse_unfit
from exaplan.io.measured_words import (
    STATIC_ENGINES,
    RefusedRowError,
    Row,
    cache_precision,
    engine,
    month,
    needed,
    released,
    serving_precision,
    stated,
)

INFERENCE_COLUMNS = (
    "id", "source", "date", "chip", "n_chips", "model", "model_id", "n_layers", "hidden", "ffn", "heads", "kv_heads",
    "experts", "vocab", "precision", "kv_precision", "engine", "TP", "PP", "EP", "DP", "phase", "input_len",
    "output_len", "concurrency_or_batch", "metric", "value", "ttft_ms", "tpot_ms", "notes", "split_group",
)  # fmt: skip
POINT_COLUMNS = (
    "id", "model_path", "system", "backend", "precision", "isl", "osl", "c", "tp_size", "adp", "moe_tp_size",
    "moe_ep_size", "silicon_data_source", "backend_version", "mode", "pp_size", "silicon_tpot_ms", "silicon_ttft_ms",
)  # fmt: skip
CONTRADICTION_SHARE = 0.02
SCENARIOS = {"offline": "Offline", "server": "Server", "interactive": "Interactive"}
Mode = Literal["closed_loop", "static_batch", "max_load"]


def inference_rows(row: Row) -> tuple[ServingRow, ...]:
    """Read one row of the inference table: its metric, and time to first and per token where they are plain.

    Raises
    ------
    RefusedRowError
        Where the row cannot be read, with the reason.
    """
    model = model_of(row)
    chip = chip_named(row["chip"].strip())
    refuse_unfit(row)
    _refuse_speculation(row)
    main = _inference_row(row, model, chip)
    return (main, *_further(row, main))


def _inference_row(row: Row, model: Model, chip: Chip) -> ServingRow:
    """Read the metric of a row that is fit to be read."""
    phase = _phase(row["phase"].strip().casefold())
    chips = needed(row, "n_chips", "number of chips")
    word, version = engine(row["engine"])
    mode, scenario, concurrency = _load(row, word)
    precision, weights = serving_precision(row["precision"], chip, model.id)
    tp, dp = in_chips(row, chip, chips, stated(row, "TP"), stated(row, "DP"))
    tp = 1.0 if tp is None and dp == chips else tp
    inputs, outputs = lengths(row)
    first_limit, each_limit = limits(row, scenario)
    metric, value = _metric(row, chips)
    return ServingRow(
        id=row["id"],
        source=row["source"].strip(),
        date=month(row["date"]),
        group=row["split_group"].strip() or row["id"],
        sweep=f"{row['source'].strip()}|{model.id}|{chip.id}",
        chip=chip,
        model=model,
        engine=word,
        engine_version=version,
        mode=mode,
        scenario=scenario,
        phase=phase,
        precision=precision,
        weights=weights,
        cache=cache_precision(row["kv_precision"]),
        chips=chips,
        tp=tp,
        pp=stated(row, "PP"),
        ep=stated(row, "EP"),
        dp=dp,
        expert_tp=None,
        concurrency=concurrency,
        input_tokens=inputs,
        output_tokens=outputs,
        ttft_limit_s=first_limit,
        tpot_limit_s=each_limit,
        metric=metric,
        measured=value,
    )


POINTS_SOURCE = "closed-loop serving points"
"""What the points' table is called as a source: one campaign of one publisher."""
_NOT_ADMITTED = (
    "most requests waited to be admitted (the first token took more than twice as long as all others): the batch in "
    "flight is not the stated concurrency"
)
_WAIT_MAX = 2.0  # waiting over generating; published points lie below 1.6 or above 3.8


def serving_point_rows(row: Row) -> tuple[ServingRow, ServingRow]:
    """Read one closed-loop serving point: time per output token and time to first token.

    Raises
    ------
    RefusedRowError
        Where the point cannot be read, with the reason.
    """
    if row["mode"].strip().casefold() not in ("", "agg", "aggregated"):
        raise RefusedRowError(f"the serving mode {row['mode'].strip()!r} is not aggregated")
    each = _point(row, _served(row["model_path"].strip()), chip_named(row["system"].strip()))
    first = needed(row, "silicon_ttft_ms", "time to first token") / 1e3
    if first > _WAIT_MAX * each.measured * each.output_tokens:
        each = replace(each, doubt=_NOT_ADMITTED)
    return each, replace(each, id=f"{row['id']}:ttft_s", metric="ttft_s", measured=first)


def _point(row: Row, model: Model, chip: Chip) -> ServingRow:
    """Read the time per output token of a point, with its configuration."""
    tp = needed(row, "tp_size", "tensor-parallel degree")
    dp = stated(row, "adp") or 1.0
    tp, dp = _attention_groups(row, tp, dp)
    pp = stated(row, "pp_size") or 1.0
    expert_tp, ep = stated(row, "moe_tp_size"), stated(row, "moe_ep_size")
    if model.experts and expert_tp and ep and expert_tp * ep != tp * dp:
        raise RefusedRowError(f"{tp:g} x {dp:g} chips for attention but {expert_tp:g} x {ep:g} for experts")
    precision, weights = serving_precision(row["precision"], chip, model.id)
    word, version = engine(row["backend"])[0], row["backend_version"].strip()
    where = row["silicon_data_source"]
    group = "|".join(row[column].strip() for column in ("model_path", "system", "backend", "precision"))
    return ServingRow(
        id=f"{row['id']}:tpot_s",
        source=POINTS_SOURCE,
        date=month(where[where.find("measured=") :]) if "measured=" in where else released(word, version),
        group=group,
        sweep=f"closed-loop serving points|{model.id}|{chip.id}",
        chip=chip,
        model=model,
        engine=word,
        engine_version=version,
        mode="closed_loop",
        scenario="",
        phase="mixed",
        precision=precision,
        weights=weights,
        cache=None,
        chips=tp * dp * pp,
        tp=tp,
        pp=pp,
        ep=ep if model.experts else None,
        dp=dp,
        expert_tp=expert_tp if model.experts else None,
        concurrency=needed(row, "c", "concurrency"),
        input_tokens=needed(row, "isl", "input length"),
        output_tokens=needed(row, "osl", "output length"),
        ttft_limit_s=None,
        tpot_limit_s=None,
        metric="tpot_s",
        measured=needed(row, "silicon_tpot_ms", "time per output token") / 1e3,
    )


def _attention_groups(row: Row, tp: float, dp: float) -> tuple[float, float]:
    """Return tensor and attention-data parallel degrees.

    Some points state one attention group over all ranks, and a batch per rank: then each rank is a group of its own.
    """
    offered, batch = stated(row, "c"), stated(row, "batch_size") if "batch_size" in row else None
    if dp == 1 and tp > 1 and offered and batch and offered == batch * tp:
        return 1.0, tp
    return tp, dp


def _served(path: str) -> Model:
    if is_hybrid(path):
        raise RefusedRowError(f"{path} is a linear-attention hybrid", excluded=True)
    model = model_named(path)
    if model is None:
        raise RefusedRowError(f"the architecture of {path} is not in the catalogue", excluded=True)
    return model


def _refuse_speculation(row: Row) -> None:
    """Refuse drafts: tokens per step are then not one, and the acceptance is a property of the text served."""
    for found in re.finditer(
        r"(speculative: *\w+|(?:no )?mtp\b[ =]*\d*|\beagle\w*)", row["notes"].casefold()
    ):
        if not found[0].startswith(("no ", "speculative: none")) and not found[0].endswith("=0"):
            raise RefusedRowError(f"tokens are drafted ahead ({found[0]}): a step does not give one token")


def _phase(text: str) -> Literal["mixed", "prefill", "decode"]:
    if text == "prefill":
        return "prefill"
    if text == "decode":
        return "decode"
    if text in ("mixed", ""):
        return "mixed"
    raise RefusedRowError(f"the phase {text!r} is not one that is modelled")


def _load(row: Row, engine_word: str) -> tuple[Mode, str, float | None]:
    """Return how requests arrive, the MLPerf scenario, and the requests in flight."""
    text = row["concurrency_or_batch"].strip().casefold()
    if text in SCENARIOS:
        return "max_load", SCENARIOS[text], None
    if text.startswith(("max load", "all requests")):
        return "max_load", "", None
    if prompts := re.match(r"(\d+) prompts", text):
        return "max_load", "", float(prompts[1])
    if not text:
        raise RefusedRowError("the row does not state how many requests are in flight")
    count = stated(row, "concurrency_or_batch")
    notes, metric = row["notes"].casefold(), row["metric"].casefold()
    static = "static batch" in notes or "latency" in metric or engine_word in STATIC_ENGINES
    static = static and "prompts" not in notes and "concurrency" not in notes
    return ("static_batch" if static else "closed_loop"), "", count


def _metric(row: Row, chips: float) -> tuple[ServingMetric, float]:
    """Return the metric and its value in SI, per chip where it is a rate of the whole system."""
    value, metric = needed(row, "value", "measured value"), row["metric"].strip().casefold()
    known: dict[str, tuple[ServingMetric, float]] = {
        "output_tokens_per_s_total": ("output_tokens_per_s_per_chip", value / chips),
        "output_tokens_per_s_per_chip": ("output_tokens_per_s_per_chip", value),
        "input_tokens_per_s_per_chip": ("input_tokens_per_s_per_chip", value),
        "input_tokens_per_s_total": ("input_tokens_per_s_per_chip", value / chips),
        "output_tokens_per_s_per_user": ("output_tokens_per_s_per_user", value),
        "e2e_latency_ms": ("latency_s", value / 1e3),
        "e2e_latency_s": ("latency_s", value),
        "ttft_ms": ("ttft_s", value / 1e3),
        "ttft_s": ("ttft_s", value),
        "tpot_ms": ("tpot_s", value / 1e3),
        "tpot_s": ("tpot_s", value),
    }
    if metric not in known:
        raise RefusedRowError(f"the metric {metric!r} is not one that is known")
    name, found = known[metric]
    told = stated(row, "value_per_chip") if name.endswith("_per_chip") else None
    if told is not None and abs(found / told - 1.0) > CONTRADICTION_SHARE:
        raise RefusedRowError(f"its {metric} gives {found:.4g} per chip but the row says {told:.4g}")
    return name, found


def _further(row: Row, main: ServingRow) -> tuple[ServingRow, ...]:
    """Time to first and per token beside another metric, where they are measured and not merely its inverse.

    A first-token time of a queue that memory limits is waiting time, not prefill: it is left out.
    """
    notes = row["notes"].casefold()
    derived = "derived" in notes or main.metric == "output_tokens_per_s_per_user"
    queued = re.search(r">=\s*(\d+) is queue-limited", notes)
    waiting = queued is not None and main.concurrency is not None and main.concurrency >= float(queued[1])
    plain: tuple[tuple[ServingMetric, str, bool], ...] = (
        ("ttft_s", "ttft_ms", main.phase != "decode" and not waiting),
        ("tpot_s", "tpot_ms", main.phase != "prefill" and not derived),
    )
    found = []
    for metric, column, wanted in plain:
        value = stated(row, column)
        if wanted and value is not None and metric != main.metric:
            found.append(replace(main, id=f"{main.id}:{metric}", metric=metric, measured=value / 1e3))
    return tuple(found)
