"""Lengths and limits that a measurement's row names instead of stating, each with the document that states them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from exaplan.io.measured_words import RefusedRowError, Row, stated


@dataclass(frozen=True)
class Lengths:
    """Mean lengths of a workload in tokens; None where its source does not say."""

    pattern: str
    model: str
    input_tokens: float | None
    output_tokens: float | None
    source: str


# Data sets and engines whose lengths a row only names; the first entry that matches both text and model counts.
LENGTHS: tuple[Lengths, ...] = (
    Lengths(
        r"gpt-fast",
        r"",
        6.0,
        200.0,
        "generate.py of gpt-fast, commit 0055c42 (2024): default prompt of five words, max_new_tokens 200",
    ),
)

# Latency limits in seconds, first token and each further one: loadgen/mlperf.conf of mlcommons/inference, read at
# commit 001712e (2026). Interactive limits are those of the benchmark's ``-interactive`` variant.
LIMITS: dict[tuple[str, str], tuple[float, float]] = {
    ("llama2-70b", "server"): (2.0, 0.200),
    ("llama2-70b", "interactive"): (0.45, 0.040),
    ("mixtral-8x7b", "server"): (2.0, 0.200),
    ("llama3.1-405b", "server"): (6.0, 0.175),
    ("llama3.1-405b", "interactive"): (4.5, 0.080),
    ("llama3.1-8b", "server"): (2.0, 0.100),
    ("llama3.1-8b", "interactive"): (0.5, 0.030),
    ("deepseek-r1", "server"): (2.0, 0.080),
    ("deepseek-r1", "interactive"): (1.5, 0.015),
}


def lengths(row: Row) -> tuple[float, float]:
    """Return mean input and output length in tokens; a prefill row has one output token.

    Raises
    ------
    RefusedRowError
        Where a length is neither a number nor that of a data set whose mean is published.
    """
    known = _known(row)
    phase = row.get("phase", "").strip()
    if phase == "prefill":
        return _length(row, "input", known), 1.0
    return _length(row, "input", known), _length(row, "output", known)


def _known(row: Row) -> Lengths | None:
    text = f"{row.get('input_len', '')} {row.get('engine', '')}".casefold()
    model = row.get("model", "").casefold()
    return next(
        (entry for entry in LENGTHS if re.search(entry.pattern, text) and re.search(entry.model, model)), None
    )


def _length(row: Row, side: str, known: Lengths | None) -> float:
    column = f"{side}_len"
    text = row.get(column, "").strip()
    if re.fullmatch(r"[\d.,]+", text):
        value = stated(row, column)
        if value is not None:
            return value
    found = None if known is None else (known.input_tokens if side == "input" else known.output_tokens)
    if found is not None:
        return found
    said = f"only named ({text})" if text else "not stated"
    raise RefusedRowError(f"the {side} length is {said} and no published mean is at hand")


def limits(row: Row, scenario: str) -> tuple[float | None, float | None]:
    """Return the limits on first token and on each further one (s) that an MLPerf scenario imposes, or None twice.

    Raises
    ------
    RefusedRowError
        Where a scenario has limits that are not known for the model.
    """
    if scenario not in ("Server", "Interactive"):
        return None, None
    model = re.sub(r"-99(\.9)?$", "", row.get("model", "").strip().casefold()).replace("_", ".")
    found = LIMITS.get((model, scenario.casefold()))
    if found is None:
        raise RefusedRowError(f"the latency limits of the {scenario} scenario are not known for {model}")
    return found
