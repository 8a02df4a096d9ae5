"""Coefficients drawn from a calibration: what a verdict or a plan must stand up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from exaplan.domain.calibration import Calibration
from exaplan.domain.technology import Chip
from exaplan.perf.calibration.hierarchy import (
    RULES,
    design,
    from_logit,
    keys_of,
    labels_of,
    start_logits,
)
from exaplan.perf.calibration.interval import carried_over, spread_of
from exaplan.perf.knobs import Knobs, chip_class, knobs_for
from exaplan.perf.shapes import Array


def drawn_knobs(
    chips: Sequence[Chip],
    calibration: Calibration | None,
    generator: np.random.Generator,
    draws: int,
    *,
    engine: str = "",
) -> tuple[Knobs, ...]:
    """Draw the coefficients of several chips together from the normal that the fit leaves around its effects.

    Effects that chips share (of a vendor, of a class, of all) are drawn once: chips err together as far as they are
    calibrated together. An effect that was never fitted is drawn from its prior. The normal in logits is the Laplace
    approximation of the fit (MacKay 2003, chapter 27).

    Parameters
    ----------
    chips : sequence of Chip
        Records of the catalogue or a lab.
    calibration : Calibration or None
        Fitted effects with their covariance; None draws from the priors around the starting values.
    generator : numpy Generator
        Source of the draws.
    draws : int
        How many.
    engine : str
        Serving engine or training software, as in ``calibrated_knobs``.

    Returns
    -------
    tuple of Knobs
        One per chip, in order; fields have the axis draw.
    """
    labels = [labels_of(chip, engine) for chip in chips]
    keys = keys_of(labels)
    values, covariance = carried_over(calibration, keys)
    effects = values + generator.standard_normal((draws, len(keys))) @ _root(covariance).T
    shares = design(labels, keys)  # [chip, effect]
    owners = np.array([name for name, _, _ in keys])
    start = start_logits(list(chips))
    drawn: dict[str, Array] = {}
    for name in RULES:
        own = owners == name
        drawn[name] = from_logit(name, start[name][:, None] + shares[:, own] @ effects[:, own].T)
    return tuple(
        _knobs_of(chip, {name: drawn[name][row] for name in RULES}) for row, chip in enumerate(chips)
    )


def _knobs_of(chip: Chip, drawn: dict[str, Array]) -> Knobs:
    base = knobs_for(chip)
    length = next(iter(drawn.values())).size
    fixed = {field.name: np.full(length, float(getattr(base, field.name))) for field in fields(Knobs)}
    return Knobs(**(fixed | drawn))


def _root(covariance: Array) -> Array:
    """Find A with A A' = covariance; correlations stored with three digits may leave it slightly indefinite."""
    weight, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(weight, 0.0)))


def one_draw(knobs: Knobs, draw: int) -> Knobs:
    """Coefficients of one draw, as plain numbers."""
    return Knobs(
        **{field.name: float(np.asarray(getattr(knobs, field.name))[draw]) for field in fields(Knobs)}
    )


def drawn_residuals(
    chips: Sequence[Chip],
    calibration: Calibration,
    generator: np.random.Generator,
    draws: int,
    *,
    task: str,
    family: str,
) -> Array:
    """Draw what the effects cannot explain: measured over modelled, one factor per class of chip.

    Parameters
    ----------
    chips : sequence of Chip
        Chips of one class share their factor.
    calibration : Calibration
        Gives the spreads.
    generator : numpy Generator
        Source of the draws.
    draws : int
        How many.
    task, family : str
        Kind of measurement (``pretrain``, ``throughput``, ...), and ``dense`` or ``moe``.

    Returns
    -------
    array, shape [chip, draw]
        Log-normal factors of a rate, median 1.
    """
    kinds = [chip_class(chip) for chip in chips]
    named = sorted(set(kinds))
    spread = np.array([spread_of(calibration.spreads, task, family, kind) for kind in named])
    logs = spread[:, None] * generator.standard_normal((len(named), draws))
    return np.asarray(np.exp(logs[[named.index(kind) for kind in kinds]]))
