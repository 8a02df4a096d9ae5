"""Coefficients that designed chips inherit from built ones, as fitted and as drawn.

A chip that nobody built was never measured: it takes what its class of chips showed, and no deviation of a single chip.
Two relatives stand for the two kinds of matrix unit. Their draws are taken together, so that both kinds err together as
far as they are calibrated together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from exaplan.domain.calibration import Calibration
from exaplan.domain.technology import Chip
from exaplan.perf.calibration.coefficients import calibrated_knobs
from exaplan.perf.calibration.draws import drawn_knobs, drawn_residuals
from exaplan.perf.calibration.hierarchy import RULES
from exaplan.perf.codesign.silicon import Silicon
from exaplan.perf.knobs import Knobs
from exaplan.perf.shapes import Array

KnobsOf: TypeAlias = Callable[[Silicon], Knobs]
"""Coefficients of a designed chip."""


@dataclass(frozen=True)
class Relatives:
    """Built chips whose classes designed ones belong to, by kind of matrix unit."""

    tensor_core: Chip
    systolic: Chip

    @property
    def unmeasured(self) -> tuple[Chip, Chip]:
        """The same under names that no measurement has: effects of class and vendor stay, those of the chip go."""
        both = (self.tensor_core, self.systolic)
        first, second = (
            chip.model_copy(update={"id": f"designed chip in the class of {chip.id}"}) for chip in both
        )
        return first, second


def inherited_knobs(relatives: Relatives, calibration: Calibration | None) -> KnobsOf:
    """Fitted coefficients of designed chips; the starting ones of the relatives' classes without a calibration.

    Parameters
    ----------
    relatives : Relatives
        Whom designed chips take after.
    calibration : Calibration or None
        Fitted effects.
    """
    cores, arrays = (calibrated_knobs(chip, calibration) for chip in relatives.unmeasured)

    def of(silicon: Silicon) -> Knobs:
        return replace(arrays if silicon.systolic else cores, torus_axes=float(silicon.torus_axes))

    return of


@dataclass(frozen=True)
class FittedSpread:
    """Draws that a calibration gives; axes: kind of matrix unit (tensor cores, systolic arrays), draw."""

    factors: Mapping[str, Array]  # of coefficients, over their fitted values
    serving: Array  # of rates: what the coefficients cannot explain
    training: Array


def fitted_spread(
    relatives: Relatives,
    calibration: Calibration,
    generator: np.random.Generator,
    draws: int,
    *,
    sparse: bool,
) -> FittedSpread:
    """Draw coefficients from the fit's covariance, and rates from the spread that the fit leaves.

    Parameters
    ----------
    relatives : Relatives
        Whom designed chips take after.
    calibration : Calibration
        Effects, covariance, spreads.
    generator : numpy Generator
        Source of the draws.
    draws : int
        How many.
    sparse : bool
        Whether the models compared have experts: their spread is wider.
    """
    chips = relatives.unmeasured
    drawn = drawn_knobs(chips, calibration, generator, draws)
    fitted = [calibrated_knobs(chip, calibration) for chip in chips]
    # fitted coefficients lie strictly inside their bounds, which are not negative: no division by zero
    factors = {
        name: np.array(
            [
                np.asarray(getattr(own, name), dtype=float) / float(getattr(base, name))
                for own, base in zip(drawn, fitted, strict=True)
            ]
        )
        for name in RULES
    }
    family = "moe" if sparse else "dense"
    serving, training = (
        drawn_residuals(chips, calibration, generator, draws, task=task, family=family)
        for task in ("throughput", "pretrain")
    )
    return FittedSpread(factors, serving, training)
