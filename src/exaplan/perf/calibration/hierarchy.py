"""The hierarchy of coefficients: where each may lie, on which levels it deviates, and how far before any data.

A coefficient x between its bounds is read as u = logit((x - low)/(high - low)). For one measurement

    u = u(start of the chip's class) + sum over levels of the effect of the row's member,

each effect normal around zero with the standard deviation of its level: a chip without measurements inherits its
class, a class its vendor, with the spread of the levels that are missing (partial pooling; Gelman and Hill 2007,
chapter 12).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from exaplan.domain.technology import Chip
from exaplan.perf.knobs import Knobs, chip_class, knobs_for
from exaplan.perf.shapes import Array

Level = Literal["all", "vendor", "class", "chip", "engine", "engine and class"]
LEVELS: tuple[Level, ...] = ("all", "vendor", "class", "chip", "engine", "engine and class")
Labels: TypeAlias = dict[str, str]
Key: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True)
class Rule:
    """Bounds of a coefficient and the prior standard deviation of its effects by level, in logits."""

    low: float
    high: float
    prior_sd: dict[Level, float]
    trains: bool = True
    serves: bool = True


def _rule(low: float, high: float, *, use: str = "both", **levels: float) -> Rule:
    named: dict[str, Level] = {
        "all": "all", "vendor": "vendor", "kind": "class", "chip": "chip", "engine": "engine",
        "engine_kind": "engine and class",
    }  # fmt: skip
    spread = {named[level]: sd for level, sd in levels.items()}
    return Rule(low, high, spread, use in ("both", "train"), use in ("both", "serve"))


RULES: dict[str, Rule] = {
    # operator time
    "launch_s": _rule(0.3e-6, 12e-6, kind=0.5, engine=0.4),
    "launch_fp8_s": _rule(0.5e-6, 20e-6, kind=0.5, engine=0.6),
    "flop_share": _rule(0.15, 0.97, vendor=0.2, kind=0.4, chip=0.25),
    "flop_share_fp8": _rule(0.10, 0.95, vendor=0.2, kind=0.4, chip=0.25, engine=0.3),
    "flop_share_fp4": _rule(0.08, 0.90, vendor=0.2, kind=0.4, chip=0.25, engine=0.3),
    "quantize_bytes": _rule(0.0, 12.0, all=0.5, kind=0.3, engine=0.3, use="serve"),
    "expert_share": _rule(0.15, 1.20, all=0.3, kind=0.4, engine=0.3, engine_kind=0.2, use="serve"),
    "routing_spread": _rule(0.5, 1.0, all=0.8, engine=0.3, use="serve"),
    "weight_only_share": _rule(0.1, 1.0, kind=0.4, engine=0.5, use="serve"),
    "memory_share": _rule(0.30, 0.97, kind=0.3, chip=0.15, engine=0.2),
    "inner_half": _rule(0.0, 800.0, kind=0.5),
    "attention_share": _rule(0.10, 0.85, kind=0.35, engine=0.3),
    "attention_backward_share": _rule(0.10, 0.80, kind=0.25, engine=0.2, use="train"),
    "attention_decode_share": _rule(0.04, 0.90, all=0.4, kind=0.3, engine=0.3, use="serve"),
    "elementwise_values": _rule(3.0, 60.0, kind=0.4, engine=0.2, use="serve"),
    "routed_values": _rule(1.0, 40.0, all=0.7, kind=0.4, engine=0.3, use="serve"),
    "layer_overhead_s": _rule(0.5e-6, 80e-6, all=0.5, kind=0.3, engine=0.4, engine_kind=0.3, use="serve"),
    "sparse_overhead_s": _rule(1e-6, 200e-6, all=0.6, kind=0.3, engine=0.4, engine_kind=0.3, use="serve"),
    # communication
    "scale_up_latency_s": _rule(0.3e-6, 10e-6, all=0.3, kind=0.4, engine=0.3),
    "scale_out_latency_s": _rule(1e-6, 40e-6, all=0.5),
    "link_share": _rule(0.15, 0.98, kind=0.4),
    "network_share": _rule(0.10, 0.98, kind=0.5, chip=0.3, use="serve"),
    "tensor_exposed": _rule(0.02, 1.0, kind=0.6, engine=0.5, use="train"),
    "data_exposed": _rule(0.02, 1.0, kind=0.6, engine=0.3, chip=0.4, use="train"),
    "expert_exposed": _rule(0.02, 1.0, kind=0.8, use="train"),
    "stage_exposed": _rule(0.02, 1.0, all=0.7, use="train"),
    "context_exposed": _rule(0.02, 1.0, kind=0.7, use="train"),
    # composition and reality
    "training_share": _rule(0.20, 0.99, vendor=0.2, kind=0.4, chip=0.4, engine=0.08, use="train"),
    "sparse_training_share": _rule(0.15, 1.0, all=0.4, kind=0.4, chip=0.15, use="train"),
    "software_gap": _rule(0.0, 0.7, kind=0.8, use="train"),
    "low_software_gap": _rule(0.0, 0.7, kind=0.8, use="train"),
    "sparse_software_gap": _rule(0.0, 0.85, all=0.8, kind=0.3, use="train"),
    "slowdown_per_doubling": _rule(0.0, 0.06, kind=0.7, use="train"),
    "training_network_share": _rule(0.10, 0.98, kind=0.5, chip=0.3, use="train"),
    "training_skew": _rule(1.0, 2.0, all=0.5, use="train"),
    "training_expert_share": _rule(0.15, 1.20, all=0.3, kind=0.4, engine=0.2, use="train"),
    "training_routed_values": _rule(1.0, 40.0, all=0.7, kind=0.4, engine=0.3, use="train"),
    "training_quantize_bytes": _rule(0.0, 12.0, all=0.5, kind=0.3, engine=0.3, use="train"),
    "training_elementwise_values": _rule(3.0, 60.0, kind=0.4, engine=0.2, use="train"),
    "sparse_fixed_s": _rule(5e-6, 3e-3, all=1.0, kind=0.5, use="train"),
    "step_fixed_s": _rule(0.001, 0.5, all=1.0, kind=0.5, use="train"),
    "bubble": _rule(0.9, 1.5, all=0.7, use="train"),
    "serving_share": _rule(0.20, 1.10, all=0.4, kind=0.3, engine=0.3, engine_kind=0.2, chip=0.3, use="serve"),
    "prefill_share": _rule(0.20, 1.60, all=0.3, kind=0.3, engine=0.4, engine_kind=0.3, use="serve"),
    "step_overhead_s": _rule(0.02e-3, 12e-3, all=0.6, engine=0.6, engine_kind=0.4, use="serve"),
    "prefill_interference": _rule(0.2, 3.0, all=0.5, engine=0.5, use="serve"),
    "first_wave": _rule(0.0, 1.0, all=1.0, engine=1.0, use="serve"),
    "drain_share": _rule(0.4, 1.0, all=0.5, engine=0.5, use="serve"),
    "usable_share": _rule(0.80, 1.05, all=0.3, engine=0.4, use="serve"),
    "skew": _rule(1.0, 2.5, all=0.5, engine=0.4, use="serve"),
}
"""Bounds from physics and from the published fits that the starting values cite; levels by what a cause belongs to."""


def labels_of(chip: Chip, engine: str = "") -> Labels:
    """Members that a measurement, or a question, belongs to; an engine that is not named has no effect."""
    kind = chip_class(chip)
    labels = {"all": "all", "vendor": chip.designer.lower(), "class": kind, "chip": chip.id}
    if engine:
        labels |= {"engine": engine, "engine and class": f"{engine}|{kind}"}
    return labels


def to_logit(name: str, value: Array | float) -> Array:
    """Read a coefficient as a logit between its bounds; a start outside is pulled just inside."""
    rule = RULES[name]
    share = np.clip((np.asarray(value, dtype=float) - rule.low) / (rule.high - rule.low), 1e-3, 1 - 1e-3)
    return np.asarray(np.log(share / (1 - share)))


def from_logit(name: str, logit: Array | float) -> Array:
    """Inverse of ``to_logit``."""
    rule = RULES[name]
    return np.asarray(rule.low + (rule.high - rule.low) / (1 + np.exp(-np.asarray(logit, dtype=float))))


def start_logits(chips: list[Chip]) -> dict[str, Array]:
    """Logits that the rows of a table start from. Axis: row."""
    starts = [knobs_for(chip) for chip in chips]
    return {name: to_logit(name, np.array([getattr(knobs, name) for knobs in starts])) for name in RULES}


def keys_of(labels: list[Labels]) -> tuple[Key, ...]:
    """Every effect that some row has, in a fixed order: by coefficient, level and member."""
    found: list[Key] = []
    for name, rule in RULES.items():
        for level in rule.prior_sd:
            members = sorted({row[level] for row in labels if level in row})
            found += [(name, level, member) for member in members]
    return tuple(found)


def prior_sds(keys: tuple[Key, ...]) -> Array:
    """Prior standard deviation of each effect. Axis: effect."""
    return np.array([RULES[name].prior_sd[level] for name, level, _ in keys])  # type: ignore[index]


def design(labels: list[Labels], keys: tuple[Key, ...]) -> Array:
    """Which effects each row has, as 0 and 1. Axes: row, effect."""
    members: dict[str, NDArray[np.str_]] = {
        str(level): np.array([row.get(level, "") for row in labels]) for level in LEVELS
    }
    same = [members[str(level)] == member for _, level, member in keys]
    return np.array(same, dtype=float).T.reshape(len(labels), len(keys))


def knobs_at(logits: dict[str, Array], base: Knobs) -> Knobs:
    """Coefficients at given logits, those without a rule from ``base``."""
    return replace(base, **{name: from_logit(name, logit) for name, logit in logits.items()})
