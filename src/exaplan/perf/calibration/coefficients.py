"""Fitted coefficients for a chip, and how sure a rate modelled with them is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Literal

import numpy as np

from exaplan.domain.calibration import Calibration
from exaplan.domain.technology import Chip, Model
from exaplan.perf.calibration.hierarchy import (
    RULES,
    design,
    from_logit,
    keys_of,
    knobs_at,
    labels_of,
    start_logits,
)
from exaplan.perf.calibration.interval import carried_over, coefficient_variance, spread_of
from exaplan.perf.knobs import Knobs, chip_class, knobs_for
from exaplan.perf.shapes import Array

Task = Literal["pretrain", "throughput", "tpot", "ttft"]
_STEP = 1e-4


_STACKS: dict[str, str] = {
    "ampere": "megatron", "hopper": "megatron", "blackwell": "megatron", "amd": "megatron", "tpu": "jax",
    "trainium": "neuron",
}  # fmt: skip


def usual_stack(chip: Chip) -> str:
    """Training software that a planner of that class of chips would choose; empty where no one is usual."""
    return _STACKS.get(chip_class(chip), "")


def calibrated_knobs(chip: Chip, calibration: Calibration | None, engine: str = "") -> Knobs:
    """Coefficients of a chip: its class's start, moved by every fitted effect that it has.

    Parameters
    ----------
    chip : Chip
        Record of the catalogue or a lab; one that was never measured inherits from its class and vendor.
    calibration : Calibration or None
        Fitted effects; None leaves the start.
    engine : str
        Serving engine or training software; the average of all where not given.
    """
    base = knobs_for(chip)
    if calibration is None:
        return base
    logits, _ = _logits(chip, calibration, engine)
    fitted = {name: float(from_logit(name, logit)[0]) for name, logit in logits.items()}
    return replace(base, **fitted)


def _logits(
    chip: Chip, calibration: Calibration | None, engine: str
) -> tuple[dict[str, Array], tuple[tuple[str, ...], Array]]:
    """Logits of every coefficient (one row), and the effects behind them: their coefficient and covariance."""
    labels = [labels_of(chip, engine)]
    keys = keys_of(labels)
    values, covariance = carried_over(calibration, keys)
    shares = design(labels, keys)
    names = np.array([name for name, _, _ in keys])
    start = start_logits([chip])
    logits = {name: start[name] + shares[:, names == name] @ values[names == name] for name in RULES}
    return logits, (tuple(names.tolist()), covariance)


def rate_log_sd(
    rate: Callable[[Knobs], Array],
    chip: Chip,
    model: Model,
    calibration: Calibration,
    *,
    task: Task,
    engine: str = "",
) -> float:
    """Log standard deviation of measured over modelled: coefficients' covariance and the spread they leave.

    Parameters
    ----------
    rate : callable
        Modelled value as a function of coefficients laid out as arrays. Axis: variant; the same configuration in each.
    chip, model : Chip, Model
        Whose rate it is.
    calibration : Calibration
        Effects, covariance, spreads.
    task : str
        Kind of measurement whose residual spread applies.
    engine : str
        As in ``calibrated_knobs``.
    """
    logits, (owners, covariance) = _logits(chip, calibration, engine)
    names = list(RULES)
    moved = {name: np.repeat(logits[name], len(names) + 1) for name in names}
    for row, name in enumerate(names, start=1):
        moved[name][row] += _STEP
    base = knobs_for(chip)
    arrays = Knobs(
        **{field.name: np.full(len(names) + 1, float(getattr(base, field.name))) for field in fields(Knobs)}
    )
    logs = np.log(rate(knobs_at(moved, arrays)))
    slope = dict(zip(names, (logs[1:] - logs[0]) / _STEP, strict=True))
    variance = coefficient_variance(np.array([[slope[owner] for owner in owners]]), covariance)
    family = "moe" if model.experts else "dense"
    spread = spread_of(calibration.spreads, task, family, chip_class(chip))
    return float(np.sqrt(variance[0] + spread**2))
