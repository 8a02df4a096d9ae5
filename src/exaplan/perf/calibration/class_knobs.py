"""Coefficients of a whole class of chips as fitted, each with its interval and what the data added to its prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.calibration import Calibration
from exaplan.domain.technology import Chip
from exaplan.perf.calibration.hierarchy import (
    RULES,
    design,
    from_logit,
    keys_of,
    labels_of,
    prior_sds,
    start_logits,
)
from exaplan.perf.calibration.interval import CENTRAL_80, carried_over
from exaplan.perf.knobs import knobs_for

_OF_A_CLASS = ("all", "vendor", "class")


@dataclass(frozen=True)
class ClassKnob:
    """One coefficient of a class: where it started, where the fit put it, its 80 % interval.

    ``learned_share`` is the share of the prior variance that the data removed: 0 where nothing was learned.
    """

    name: str
    start: float
    fitted: float
    low: float
    high: float
    learned_share: float


def class_knobs(chip: Chip, calibration: Calibration) -> tuple[ClassKnob, ...]:
    """Coefficients of the class that a chip belongs to, effects of the chip itself and of engines left out.

    Parameters
    ----------
    chip : Chip
        Any chip of the class; it says the vendor.
    calibration : Calibration
        Fitted effects and their covariance.
    """
    labels = [{level: member for level, member in labels_of(chip).items() if level in _OF_A_CLASS}]
    keys = keys_of(labels)
    values, covariance = carried_over(calibration, keys)
    shares = design(labels, keys)[0]
    prior = prior_sds(keys) ** 2
    names = np.array([name for name, _, _ in keys])
    starts, before = start_logits([chip]), knobs_for(chip)
    found = []
    for name in RULES:
        own = shares * (names == name)
        logit = float(starts[name][0] + own @ values)
        variance, wide = float(own @ covariance @ own), float(own**2 @ prior)
        reach = CENTRAL_80 * np.sqrt(max(variance, 0.0))
        fitted, low, high = (
            float(from_logit(name, value)) for value in (logit, logit - reach, logit + reach)
        )
        learned = 1 - variance / wide if wide > 0 else 0.0
        found.append(
            ClassKnob(name, float(getattr(before, name)), fitted, low, high, float(np.clip(learned, 0, 1)))
        )
    return tuple(found)
